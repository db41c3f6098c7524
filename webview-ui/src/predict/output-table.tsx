import { useState } from 'preact/hooks';
import type { PredictOutput } from '../../../src/engine/contract';
import { t, tn } from '../l10n';
import { measure } from '../shared/numbers';
import { visible } from '../shared/text';

const ROWS = 100;
const COLUMNS = 40;

/** An array as a table: the last dimension across, all others down with their indices. */
export function OutputTable({ output }: { output: PredictOutput }) {
  const [more, setMore] = useState(1);
  const { data, labels } = output;
  const shape = output.shape.length > 1 ? output.shape : [data.length, 1];
  const width = Math.max(1, shape.at(-1) ?? 1);
  const outer = shape.slice(0, -1);
  const height = Math.ceil(data.length / width);
  const rows = Math.min(height, ROWS * more);
  const columns = Math.min(width, COLUMNS);
  const named = labels && labels.length === width ? labels : undefined;
  return (
    <>
      <div class="table-scroll" tabIndex={0} role="group" aria-label={visible(output.name)}>
        <table class="plain values">
          <thead>
            <tr>
              <th scope="col">{t('index')}</th>
              {Array.from({ length: columns }, (_, i) => (
                <th key={i} scope="col" class="numeric">
                  {named ? visible(named[i]) : width === 1 ? t('value') : i}
                </th>
              ))}
              {width > columns ? <th scope="col">…</th> : null}
            </tr>
          </thead>
          <tbody>
            {Array.from({ length: rows }, (_, r) => {
              const cells = data.slice(r * width, r * width + columns);
              const best = named
                ? cells.reduce<number>((at, value, i) => (Number(value) > Number(cells[at]) ? i : at), 0)
                : -1;
              return (
                <tr key={r}>
                  <th scope="row" class="dim">
                    {indices(r, outer)}
                  </th>
                  {cells.map((value, i) => (
                    <td key={i} class={i === best ? 'numeric best' : 'numeric'} title={visible(String(value))}>
                      {typeof value === 'number' ? measure(value) : visible(String(value))}
                    </td>
                  ))}
                  {width > columns ? <td class="dim">…</td> : null}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      {height > rows ? (
        <p>
          <span class="dim">{tn(height, '{0} row', '{0} rows')}</span>{' '}
          <button type="button" class="link" onClick={() => setMore(more + 1)}>
            {t('Show more')}
          </button>
        </p>
      ) : null}
    </>
  );
}

/** `2, 0` for row 6 of an outer shape 3 × 3. */
function indices(row: number, outer: readonly number[]): string {
  const parts: number[] = [];
  let rest = row;
  for (let dimension = outer.length - 1; dimension >= 0; dimension--) {
    const size = Math.max(1, outer[dimension]);
    parts.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return parts.join(', ');
}

import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { ParameterRow, TensorSlice } from '../../../src/engine/contract';
import { actionFailure } from '../app/state';
import { t } from '../l10n';
import { failureOf, host } from '../rpc';
import { IconButton, Spinner } from '../shared/controls';
import { CopyButton } from '../shared/copy';
import { ErrorNote } from '../shared/error-note';
import { exact } from '../shared/numbers';
import { useRemote } from '../shared/remote';
import { visible } from '../shared/text';
import { useVirtual } from '../shared/virtual';
import { COPY_COLUMNS, COPY_ROWS, tensorCsv } from './tensor-csv';
import { Tiles } from './tiles';

const CELL_HEIGHT = 20;

/** The values: a window of two dimensions, the leading ones held at an index. */
export function TensorView({ row }: { row: ParameterRow }) {
  const free = Math.max(0, row.shape.length - 2);
  const [leading, setLeading] = useState<number[]>(() => new Array(free).fill(0));
  const key = `${row.index}:${leading.join(',')}`;
  const first = useRemote(
    () =>
      host.tensor(row.index, {
        leading,
        rowStart: 0,
        rowCount: Tiles.rows,
        columnStart: 0,
        columnCount: Tiles.columns,
      }),
    [key],
  );
  if (row.count === 0) return null;
  return (
    <section aria-labelledby="values" class="tensor">
      <div class="section-head">
        <h3 id="values">{t('Values')}</h3>
        {leading.map((at, dimension) => (
          <label key={dimension} class="index">
            <span class="dim">{t('index {0}', dimension)}</span>
            <input
              type="number"
              min={0}
              max={row.shape[dimension] - 1}
              value={at}
              onInput={(event) => {
                const value = Math.trunc(Number(event.currentTarget.value));
                if (!Number.isFinite(value)) return;
                const inside = Math.max(0, Math.min(row.shape[dimension] - 1, value));
                setLeading(leading.map((before, i) => (i === dimension ? inside : before)));
              }}
            />
            <span class="dim">/ {exact(row.shape[dimension])}</span>
          </label>
        ))}
        <span class="spring" />
        <IconButton icon="download" label={t('Export as .npy…')} onClick={() => exportTensor(row)} />
        <CopyButton
          label={
            first.value && (first.value.totalRows > COPY_ROWS || first.value.totalColumns > COPY_COLUMNS)
              ? t('Copy the first {0} rows and {1} columns as CSV', exact(COPY_ROWS), COPY_COLUMNS)
              : t('Copy these values as CSV')
          }
          text={() => tensorCsv(row, leading)}
        />
      </div>
      {first.failure?.code === 'unsupported' ? (
        <p class="dim">{visible(first.failure.message)}</p>
      ) : first.failure ? (
        <ErrorNote failure={first.failure} retry={first.retry} inline />
      ) : null}
      {first.value ? (
        <Cells key={first.value.leading.join(',')} row={row} leading={first.value.leading} first={first.value} />
      ) : first.pending ? (
        <Spinner label={t('Reading…')} />
      ) : null}
    </section>
  );
}

function exportTensor(row: ParameterRow): void {
  host.exportModel('npy', row.name).catch((error) => {
    const failure = failureOf(error);
    if (failure.code !== 'cancelled') actionFailure.value = failure;
  });
}

function Cells({ row, leading, first }: { row: ParameterRow; leading: number[]; first: TensorSlice }) {
  const scroller = useRef<HTMLDivElement>(null);
  const tiles = useMemo(() => {
    const held = new Tiles(
      (rowStart, rowCount, columnStart, columnCount) =>
        host.tensor(row.index, { leading, rowStart, rowCount, columnStart, columnCount }),
      failureOf,
    );
    held.put(0, 0, first.rows);
    return held;
  }, [first]);
  useEffect(() => () => tiles.dispose(), [tiles]);
  tiles.version.value;

  const headWidth = 18 + String(Math.max(0, first.totalRows - 1)).length * 8;
  const width = useMemo(() => cellWidth(first), [first]);
  const down = useVirtual({
    count: first.totalRows,
    size: CELL_HEIGHT,
    scroller,
    overscan: 6,
    paddingStart: CELL_HEIGHT,
  });
  const across = useVirtual({
    count: first.totalColumns,
    size: width,
    scroller,
    horizontal: true,
    overscan: 3,
    paddingStart: headWidth,
  });
  const top = down.items.at(0)?.index ?? 0;
  const bottom = down.items.at(-1)?.index ?? -1;
  const left = across.items.at(0)?.index ?? 0;
  const right = across.items.at(-1)?.index ?? -1;
  useEffect(() => tiles.need(top, bottom + 1, left, right + 1), [tiles, top, bottom, left, right]);

  if (tiles.failure) return <ErrorNote failure={tiles.failure} inline />;
  const name = (column: number): string => first.columnNames?.[column] ?? String(column);
  return (
    <div
      class="cells"
      ref={scroller}
      role="table"
      tabIndex={0}
      aria-label={t('Values of {0}', visible(row.name))}
      aria-rowcount={first.totalRows + 1}
      aria-colcount={first.totalColumns + 1}
      style={{
        '--head': `${headWidth}px`,
        '--cell': `${width}px`,
        maxHeight: `${Math.min(first.totalRows + 1, 18) * CELL_HEIGHT + 16}px`,
      }}
    >
      <div
        class="cells-layer"
        role="presentation"
        style={{ height: `${down.extent + CELL_HEIGHT}px`, width: `${across.extent + headWidth}px` }}
      >
        <div class="cells-head" role="row" aria-rowindex={1}>
          <span class="corner" role="columnheader" aria-colindex={1}>
            <span class="sr-only">{t('Row')}</span>
          </span>
          {across.items.map(({ index, start }) => (
            <span
              key={index}
              role="columnheader"
              aria-colindex={index + 2}
              class="column"
              title={visible(name(index))}
              style={{ left: `${start + headWidth}px` }}
            >
              {visible(name(index))}
            </span>
          ))}
        </div>
        {down.items.map(({ index, start }) => (
          <div
            key={index}
            class="cells-row"
            role="row"
            aria-rowindex={index + 2}
            style={{ transform: `translateY(${start}px)` }}
          >
            <span class="row-index" role="rowheader" aria-colindex={1}>
              {index}
            </span>
            {across.items.map((column) => {
              const text = tiles.cell(index, column.index);
              return (
                <span
                  key={column.index}
                  role="cell"
                  aria-colindex={column.index + 2}
                  class="value"
                  style={{ left: `${column.start + headWidth}px` }}
                  title={text === undefined ? undefined : visible(text)}
                >
                  {text === undefined ? '' : visible(text)}
                </span>
              );
            })}
          </div>
        ))}
      </div>
    </div>
  );
}

/** Wide enough for what the first window shows, within reason. */
function cellWidth(slice: TensorSlice): number {
  let longest = 4;
  for (const cells of slice.rows.slice(0, 40)) for (const cell of cells) longest = Math.max(longest, cell.length);
  for (const name of slice.columnNames?.slice(0, 40) ?? []) longest = Math.max(longest, Math.min(name.length, 16));
  return Math.min(220, 18 + Math.min(longest, 28) * 7.5);
}

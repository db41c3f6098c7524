import type { Totals } from '../../../../src/model/model';
import { t } from '../../l10n';
import { exact, humanCount, percent } from '../../shared/numbers';
import { visible } from '../../shared/text';

const COLOURS = 6;

/** How the values are spread over element types: one bar, and the numbers as a list. */
export function DtypeBar({ totals }: { totals: Totals }) {
  const entries = Object.entries(totals.byDtype)
    .filter(([, count]) => count > 0)
    .sort(([, a], [, b]) => b - a);
  const all = entries.reduce((sum, [, count]) => sum + count, 0);
  if (all === 0) return null;
  return (
    <section class="card" aria-labelledby="dtypes">
      <h2 id="dtypes">{t('Element types')}</h2>
      <div class="stack" aria-hidden="true">
        {entries.map(([dtype, count], i) => (
          <span
            key={dtype}
            class={`series-${i % COLOURS}`}
            style={{ flexGrow: count / all }}
            title={`${visible(dtype)}: ${exact(count)}`}
          />
        ))}
      </div>
      <ul class="legend">
        {entries.map(([dtype, count], i) => (
          <li key={dtype}>
            <span class={`swatch series-${i % COLOURS}`} aria-hidden="true" />
            <span class="mono">{visible(dtype)}</span>
            <span class="numeric" title={exact(count)}>
              {humanCount(count)}
            </span>
            <span class="numeric dim">{percent(count / all)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

import type { TensorStatistics } from '../../../src/engine/contract';
import { t } from '../l10n';
import { exact, measure } from '../shared/numbers';

const HEIGHT = 96;
const BAR = 10;

/** Counts of values in equal steps. Bars say their range in a tooltip; screen readers hear the range and the peak. */
export function Histogram({ histogram }: { histogram: NonNullable<TensorStatistics['histogram']> }) {
  const { from, to, counts } = histogram;
  const most = Math.max(1, ...counts);
  const step = (to - from) / counts.length;
  const peak = counts.indexOf(most);
  const zero = from < 0 && to > 0 ? (-from / (to - from)) * counts.length * BAR : undefined;
  return (
    <figure class="histogram">
      <svg
        viewBox={`0 0 ${counts.length * BAR} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={t(
          'Histogram from {0} to {1}; most values, {2}, lie between {3} and {4}.',
          measure(from),
          measure(to),
          exact(most),
          measure(from + peak * step),
          measure(from + (peak + 1) * step),
        )}
      >
        {counts.map((count, i) => {
          // What is there at all stays visible.
          const height = count === 0 ? 0 : Math.max(1.5, (count / most) * (HEIGHT - 2));
          return (
            <g key={i}>
              <rect class="bar" x={i * BAR + 0.5} width={BAR - 1} y={HEIGHT - height} height={height} />
              <rect class="hit" x={i * BAR} width={BAR} y={0} height={HEIGHT}>
                <title>{`${measure(from + i * step)} … ${measure(from + (i + 1) * step)}: ${exact(count)}`}</title>
              </rect>
            </g>
          );
        })}
        {zero === undefined ? null : <line class="zero" x1={zero} x2={zero} y1={0} y2={HEIGHT} />}
      </svg>
      <figcaption aria-hidden="true">
        <span>{measure(from)}</span>
        {zero === undefined ? null : <span class="dim">0</span>}
        <span>{measure(to)}</span>
      </figcaption>
    </figure>
  );
}

import { useState } from 'preact/hooks';
import { t } from '../l10n';
import { Name } from '../shared/name';
import { measure } from '../shared/numbers';
import { visible } from '../shared/text';

const SHOWN = 12;

interface BarsProps {
  labels: string[];
  values: number[];
  /** The numbers as the engine gave them, all digits. */
  texts: string[];
  probabilities: boolean;
}

/** One bar a label, with its number. Shares of a whole are drawn from 0 to 1, other scores from zero to both sides. */
export function Bars({ labels, values, texts, probabilities }: BarsProps) {
  const [all, setAll] = useState(false);
  const best = values.reduce((at, value, i) => (value > values[at] ? i : at), 0);
  const order = values.map((_, i) => i);
  // Few labels keep their order; of many the highest come first.
  if (labels.length > SHOWN) order.sort((a, b) => (values[b] || 0) - (values[a] || 0));
  const shown = all ? order : order.slice(0, SHOWN);
  const scale = probabilities
    ? 1
    : Math.max(...values.map((value) => (Number.isFinite(value) ? Math.abs(value) : 0)), Number.MIN_VALUE);
  const negative = !probabilities && values.some((value) => value < 0);
  return (
    <>
      <ul class={`bars ${negative ? 'diverging' : ''}`}>
        {shown.map((i) => {
          const share = Number.isFinite(values[i]) ? Math.min(1, Math.abs(values[i]) / scale) : 0;
          return (
            <li key={i} class={i === best ? 'best' : ''}>
              <span class="bar-label">
                <Name text={labels[i]} title />
              </span>
              <span class="bar-track" aria-hidden="true">
                <span
                  class={values[i] < 0 ? 'negative' : ''}
                  style={
                    negative
                      ? { width: `${share * 50}%`, left: values[i] < 0 ? `${50 - share * 50}%` : '50%' }
                      : { width: `${share * 100}%` }
                  }
                />
              </span>
              <span class="bar-number" title={visible(texts[i])}>
                {probabilities && Number.isFinite(values[i]) ? values[i].toFixed(4) : measure(values[i])}
              </span>
            </li>
          );
        })}
      </ul>
      {order.length > SHOWN ? (
        <button type="button" class="link" onClick={() => setAll(!all)}>
          {all ? t('Show fewer') : t('Show all {0}', order.length)}
        </button>
      ) : null}
    </>
  );
}

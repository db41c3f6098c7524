import type { PredictOutput, PredictResult } from '../../../src/engine/contract';
import { t } from '../l10n';
import { CopyButton } from '../shared/copy';
import { Name } from '../shared/name';
import { duration, shapeText } from '../shared/numbers';
import { visible } from '../shared/text';
import { Bars } from './bars';
import { OutputTable } from './output-table';

/** The answer: each output in the form that suits it, and how long it took. */
export function Results({ result }: { result: PredictResult }) {
  const final = result.outputs.filter((output) => output.step === undefined);
  const steps = result.outputs.filter((output) => output.step !== undefined);
  const { open, lower, run } = result.milliseconds;
  return (
    <>
      {final.map((output, i) => (
        <Output key={i} output={output} />
      ))}
      {steps.length > 0 ? (
        <section aria-labelledby="steps">
          <h2 id="steps" class="steps">
            {t('Passed on by the steps')}
          </h2>
          {steps.map((output, i) => (
            <Output key={i} output={output} />
          ))}
        </section>
      ) : null}
      {(result.notes ?? []).map((note, i) => (
        <p key={i} class="dim">
          {visible(note)}
        </p>
      ))}
      <p class="timing dim">
        {t('run {0}', duration(run))} · {t('lowered in {0}', duration(lower))} · {t('opened in {0}', duration(open))}
      </p>
    </>
  );
}

function Output({ output }: { output: PredictOutput }) {
  const title = output.step === undefined ? output.name : `${output.step} · ${output.name}`;
  return (
    <section class="output" aria-label={visible(title)}>
      <div class="section-head">
        <h2>
          <Name text={title} mono />
        </h2>
        <span class="dim mono">
          {visible(output.dtype)} {output.shape.length > 0 ? shapeText(output.shape) : null}
        </span>
        <span class="spring" />
        <CopyButton text={JSON.stringify(nested(output))} label={t('Copy as JSON')} />
      </div>
      <Values output={output} />
    </section>
  );
}

function Values({ output }: { output: PredictOutput }) {
  const { data, shape, labels } = output;
  if (data.length === 0) return <p class="dim">{t('empty')}</p>;
  if (data.length === 1 && !labels) return <p class="single">{visible(String(data[0]))}</p>;
  const last = shape.at(-1) ?? 1;
  if (
    labels &&
    labels.length === last &&
    data.length === last &&
    data.every((value) => typeof value === 'number' || !Number.isNaN(Number(value)))
  ) {
    return (
      <Bars labels={labels} values={data.map(Number)} texts={data.map(String)} probabilities={isDistribution(output)} />
    );
  }
  return <OutputTable output={output} />;
}

/** Whether the values are shares of a whole. */
function isDistribution({ name, data }: PredictOutput): boolean {
  if (name.endsWith('predict_proba')) return true;
  let sum = 0;
  for (const value of data) {
    if (typeof value !== 'number' || value < 0 || value > 1) return false;
    sum += value;
  }
  return Math.abs(sum - 1) < 1e-3;
}

/** Row-major data as nested lists. */
export function nested({ data, shape }: Pick<PredictOutput, 'data' | 'shape'>): unknown {
  let level: unknown[] = data;
  for (let dimension = shape.length - 1; dimension > 0; dimension--) {
    const size = shape[dimension];
    if (size === 0) return [];
    const groups: unknown[] = [];
    for (let i = 0; i < level.length; i += size) groups.push(level.slice(i, i + size));
    level = groups;
  }
  return shape.length === 0 ? level[0] : level;
}

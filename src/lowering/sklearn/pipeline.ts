import { asSequence, asText, type Value as Pickled } from '../../pickle/values';
import type { PlanValue } from '../plan';
import { type Context, type Entry, type Lowered, METHODS, type Method, type MethodName } from './context';
import { Estimator } from './estimator';

/**
 * Pipeline: the rows go through `transform` of every step but the last, then through the asked method of the last.
 * Steps that are `None` or `"passthrough"` change nothing. `inverse_transform` runs the steps backwards.
 * Source: sklearn `pipeline.py`; imblearn's Pipeline leaves its samplers out when it predicts.
 */
export const PIPELINES: Readonly<Record<string, Entry>> = {
  'sklearn.Pipeline': pipelineEntry(),
  'imblearn.Pipeline': pipelineEntry(),
};

function pipelineEntry(): Entry {
  const first = (estimator: Estimator, context: Context) => activeSteps(estimator, context)[0]?.estimator;
  return {
    lower: pipeline,
    input: (estimator, context) => {
      const start = first(estimator, context);
      return start ? context.inputKind(start) : 'numeric';
    },
    missing: (estimator, context) =>
      context.chainTakesMissing(activeSteps(estimator, context).map((step) => step.estimator)),
    first,
  };
}

interface Step {
  readonly name: string;
  readonly estimator: Estimator;
}

/** A `(name, estimator)` list as pairs; an estimator that is text or `None` is undefined. */
export function namedEstimators(
  estimator: Estimator,
  attribute: string,
): { name: string; value: Pickled; estimator: Estimator | undefined }[] {
  const items = estimator.items(attribute);
  if (!items) throw estimator.unsupported(`its ${attribute} are not a list`);
  return items.map((item) => {
    const pair = asSequence(item) ?? [];
    const value = pair[1] ?? null;
    return { name: asText(pair[0]) ?? '', value, estimator: Estimator.of(value) };
  });
}

/** The steps that do something when predicting. */
function activeSteps(estimator: Estimator, context: Context): Step[] {
  return namedEstimators(estimator, 'steps').flatMap(({ name, value, estimator: inner }) => {
    if (value === null || asText(value) === 'passthrough') return [];
    if (!inner) throw estimator.unsupported(`its step ${name} is not an estimator`);
    return isSampler(inner, context) ? [] : [{ name, estimator: inner }];
  });
}

/** imblearn's samplers change the training data only. */
function isSampler(estimator: Estimator, context: Context): boolean {
  if (estimator.package !== 'imblearn' || context.knows(estimator)) return false;
  if (estimator.className === 'FunctionSampler') return true;
  return /^imblearn\.(over_sampling|under_sampling|combine)\b/.test(estimator.type.module);
}

function pipeline(estimator: Estimator, context: Context): Lowered {
  const steps = activeSteps(estimator, context);
  // The last entry decides what the pipeline can do; one that changes nothing can transform.
  const all = namedEstimators(estimator, 'steps');
  const final = all.at(-1)?.estimator;
  const last = final && steps.at(-1)?.estimator === final ? steps.at(-1) : undefined;
  const before = last ? steps.slice(0, -1) : steps;
  const through = context.memo((x: PlanValue): PlanValue => {
    let value = x;
    for (const step of before) {
      value = context.plan.scope(step.name, () => context.transformed(step.estimator)(value));
      context.expose(step.name, 'transform', value);
    }
    return value;
  });
  const inner = last && context.lower(last.estimator);
  const methods: { [name in MethodName]?: Method } = {};
  for (const name of METHODS) {
    const method = inner?.methods[name];
    const delegated =
      name !== 'apply' &&
      name !== 'kneighbors' &&
      (name !== 'score_samples' || estimator.package !== 'sklearn' || estimator.since('0.22'));
    if (method && last && delegated) {
      methods[name] = (x) => {
        const rows = through(x);
        return context.plan.scope(last.name, () => method(rows));
      };
    }
  }
  if (!last) methods.transform = (x) => context.cellsOutput(through(x));
  const passes = last ? inner?.passes : (x: PlanValue) => x;
  const reversible = steps.every((step) => context.lower(step.estimator).methods.inverse_transform);
  delete methods.inverse_transform;
  if (reversible) {
    methods.inverse_transform = (x) =>
      context.numeric(
        [...steps]
          .reverse()
          .reduce<PlanValue>((value, step) => context.single(step.estimator, 'inverse_transform')(value), x),
      );
  }
  return {
    methods,
    ...(inner?.classes ? { classes: inner.classes } : {}),
    ...(inner?.pairwise ? { pairwise: true } : {}),
    ...(passes && methods.transform ? { passes: (x: PlanValue) => passes(through(x)) } : {}),
  };
}

import { asArray, plain } from '../../formats/numpy/pickled';
import type { Value } from '../../onnx/graph';
import { float64, int64, type Tensor } from '../../onnx/tensor';
import { asSequence, type Value as Pickled } from '../../pickle/values';
import type { PlanValue } from '../plan';
import { classesOf, stackLabels, takeLabels } from './classifiers';
import type { Context, Entry, Lowered } from './context';
import { asTensor, type Estimator } from './estimator';
import { labelTexts, objectLabels } from './labels';

/**
 * Baselines that answer the same for every row. Strategies that draw at random are refused: their answer is not a property
 * of the model. Source: sklearn `dummy.py`.
 */
export const DUMMIES: Readonly<Record<string, Entry>> = {
  'sklearn.DummyClassifier': { lower: classifier, missing: true, infinite: true },
  'sklearn.DummyRegressor': { lower: regressor, missing: true, infinite: true },
};

/** `constant_`, one number for each output. */
function regressor(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const constant = estimator.vector('constant_');
  const flat = constant.length === 1 && !estimator.flag('output_2d_', false);
  const tensor = float64(constant, flat ? [1] : [1, constant.length]);
  return { methods: { predict: (x) => plan.perRow(context.numeric(x), tensor) } };
}

/**
 * `most_frequent` and `prior` answer the class with the largest prior (the first of equal ones), `constant` the given one.
 * Probabilities: 1 for that class; with `prior` the priors, with `uniform` the same for every class.
 */
function classifier(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const strategy = estimator.text('_strategy', 'strategy');
  if (strategy === 'stratified') throw estimator.unsupported('its strategy "stratified" draws at random');
  if (estimator.flag('sparse_output_', false)) throw estimator.unsupported('its answers are sparse');
  const classes = classesOf(estimator);
  const priors = perOutput(estimator, 'class_prior_', classes.length);
  const chosen = classes.map((labels, k) =>
    strategy === 'constant' ? indexOfConstant(estimator, labels, k, classes.length) : largest(priors[k]!),
  );
  const listed = classes.length > 1 || estimator.flag('output_2d_', false);
  const predict = (x: PlanValue): Value => {
    const columns = classes.map((labels, k) =>
      takeLabels(context, labels, plan.perRow(context.numeric(x), int64([chosen[k]!]))),
    );
    return columns.length === 1 && !listed ? columns[0]! : stackLabels(context, columns);
  };
  const probabilities = (x: PlanValue): Value[] =>
    classes.map((labels, k) =>
      plan.perRow(context.numeric(x), shares(strategy, labels.shape[0]!, chosen[k]!, priors[k]!)),
    );
  const one = (values: Value[]) => (listed ? values : values[0]!);
  if (strategy === 'uniform')
    context.notes.add('The strategy "uniform" draws labels at random; only the probabilities are given.');
  return {
    classes: classes.length === 1 ? classes[0]! : classes,
    methods: {
      ...(strategy === 'uniform' ? {} : { predict }),
      predict_proba: (x) => one(probabilities(x)),
      predict_log_proba: (x) => one(probabilities(x).map((p) => plan.log(p))),
    },
  };
}

function shares(strategy: string, count: number, chosen: number, prior: Float64Array): Tensor {
  const row = new Float64Array(count);
  if (strategy === 'prior') row.set(prior.subarray(0, count));
  else if (strategy === 'uniform') row.fill(1 / count);
  else row[chosen] = 1;
  return float64(row, [1, count]);
}

/** A vector, or a list of one vector for each output. */
function perOutput(estimator: Estimator, name: string, outputs: number): Float64Array[] {
  const items = estimator.items(name) ?? [];
  const nested = outputs > 1 || items.some((item) => asArray(item));
  if (!nested) return [estimator.vector(name)];
  return items.map((item) => (asTensor(item)?.data as Float64Array | undefined) ?? new Float64Array(0));
}

function largest(values: Float64Array): number {
  return values.reduce((best, value, i) => (value > values[best]! ? i : best), 0);
}

function indexOfConstant(estimator: Estimator, labels: Tensor, output: number, outputs: number): number {
  const given = estimator.value('constant') ?? null;
  const list: Pickled[] = asSequence(given) ?? asArray(given)?.toList() ?? [given];
  const constant = outputs === 1 ? list[0] : list[output];
  const wanted = labelTexts(objectLabels([plain(constant ?? null)]))[0];
  const texts = labelTexts(labels);
  const index = texts.findIndex((text) => text === wanted || (text !== '' && Number(text) === Number(wanted)));
  if (index < 0) throw estimator.unsupported(`its constant ${wanted} is not one of its classes`);
  return index;
}

import type { TensorSpec } from '../../model/model';
import { asSequence, asText, Instance, type Value } from '../../pickle/values';
import { asArray, toNumber } from '../numpy/pickled';
import { boosterOutputs } from './booster-answers';
import { compareVersions } from './catalogue';
import { classesOf } from './classes';
import { featureCount } from './columns';
import { attribute, kindOf, knownClass } from './estimator';
import { type ClassList, labelled, labelTexts } from './labels';
import { resultStep } from './methods';
import { transformOutput } from './transforms';

type Shape = (number | null)[];

/** What a method gives, as the framework gives it: one output, or one for each of several. */
export function outputsOf(
  estimator: Instance,
  method: string,
  version: string | undefined,
  input: TensorSpec,
): TensorSpec[] {
  const last = resultStep(estimator, method);
  const classes = classesOf(estimator);
  const booster = boosterOutputs(last, method, classes?.[0]);
  if (booster) return booster;
  switch (method) {
    case 'predict':
      return [predicted(last, classes, version, 0)];
    case 'predict_proba':
    case 'predict_log_proba':
      return probabilities(last, method, classes, version);
    case 'decision_function':
      return [{ name: method, dtype: 'float64', ...decisionShape(last, classes?.[0], version) }];
    case 'score_samples':
      return [{ name: method, dtype: 'float64', shape: [null] }];
    case 'transform':
      return [{ name: method, ...transformOutput(last, version) }];
    case 'inverse_transform':
      return [{ name: method, dtype: input.dtype, shape: [null, featureCount(estimator) ?? null] }];
    case 'apply':
      return [leaves(last)];
    case 'kneighbors':
      return neighbours(last);
  }
  return [{ name: method, dtype: 'float64', shape: null }];
}

// ------------------------------------------------------------------ predict

/** Wrappers inside wrappers that are followed. */
const DEEPEST = 16;

const INT32_CLUSTERERS = /KMeans$/;

/** `predict` of one estimator. */
function predicted(
  last: Instance,
  classes: readonly ClassList[] | undefined,
  version: string | undefined,
  depth: number,
): TensorSpec {
  const name = 'predict';
  const kind = kindOf(last);
  const kinds = knownClass(last)?.kinds ?? new Set<string>();
  const members = membersOf(last);
  if (/Chain$/.test(kind) && members.length > 0) return { name, dtype: 'float64', shape: [null, members.length] };
  if (/^MultiOutput/.test(kind) && members.length > 0) {
    const types = new Set(members.map((member) => inner(member, version, depth).dtype));
    return { name, dtype: types.size === 1 ? [...types][0]! : 'float64', shape: [null, members.length] };
  }
  const answering = attribute(last, ANSWERED_BY[kind] ?? '');
  if (answering instanceof Instance && depth < DEEPEST) return { ...inner(answering, version, depth), name };
  if (classes && (kinds.has('classifier') || kinds.size === 0 || kinds.has('meta')) && !kinds.has('regressor'))
    return labels(last, classes, version);
  if (kinds.has('clusterer')) {
    return { name, dtype: INT32_CLUSTERERS.test(kind) ? 'int32' : 'int64', shape: [null], meaning: 'cluster' };
  }
  if (kinds.has('outlier')) {
    const dtype = kind === 'SGDOneClassSVM' ? 'int32' : 'int64';
    return { name, dtype, shape: [null], meaning: '1 for inliers, -1 for outliers' };
  }
  if (kinds.has('density') || kind.endsWith('GMM'))
    return { name, dtype: 'int64', shape: [null], meaning: 'component' };
  return { name, dtype: 'float64', shape: regressionShape(last, version, depth) };
}

/** Regressors that give the answer of one fitted inside them. */
const ANSWERED_BY: Readonly<Record<string, string>> = {
  RANSACRegressor: 'estimator_',
  StackingRegressor: 'final_estimator_',
};

/** `predict` of an estimator inside another. */
function inner(value: Value | undefined, version: string | undefined, depth: number): TensorSpec {
  if (!(value instanceof Instance) || depth >= DEEPEST) return { name: 'predict', dtype: 'float64', shape: [null] };
  const last = resultStep(value);
  const classes = classesOf(value);
  return boosterOutputs(last, 'predict', classes?.[0])?.[0] ?? predicted(last, classes, version, depth + 1);
}

function labels(last: Instance, classes: readonly ClassList[], version: string | undefined): TensorSpec {
  const [first] = classes as [ClassList];
  const base = { name: 'predict', dtype: first.dtype };
  if (isMultilabel(last)) {
    const dtype = first.dtype === 'string' ? 'int64' : first.dtype;
    return { ...base, dtype, shape: [null, first.values.length], meaning: 'whether it has each label' };
  }
  const columns = /^MLP/.test(kindOf(last)) ? 1 : (toNumber(attribute(last, 'n_outputs_')) ?? classes.length);
  // Trees with several outputs gave floats before 0.22.
  const floats = columns > 1 && /Tree|Forest/.test(kindOf(last)) && !since(version, '0.22');
  const texts = classes.length === 1 ? labelTexts(first) : undefined;
  return {
    ...base,
    ...(floats ? { dtype: 'float64' } : {}),
    shape: columns > 1 ? [null, columns] : [null],
    ...(texts ? { meaning: `one of ${texts.length} classes` } : {}),
  };
}

/** Whether a row has several labels at once, as the binarizer of the labels keeps it. */
function isMultilabel(estimator: Instance): boolean {
  return ['', '_label_binarizer', 'label_binarizer_'].some((name) => {
    const owner = name === '' ? estimator : attribute(estimator, name);
    return asText(attribute(owner, 'y_type_'))?.startsWith('multilabel') === true;
  });
}

/** rows, or rows × targets. */
function regressionShape(last: Instance, version: string | undefined, depth: number): Shape {
  const kind = kindOf(last);
  const wide = (columns: number | undefined): Shape => [null, columns ?? null];
  if (kind === 'TransformedTargetRegressor') {
    const shape = inner(attribute(last, 'regressor_'), version, depth).shape ?? [null];
    return toNumber(attribute(last, '_training_dim')) === 2 ? wide(shape[1] ?? 1) : [null];
  }
  const outputs = toNumber(attribute(last, 'n_outputs_'));
  if (outputs !== undefined) return outputs > 1 ? wide(outputs) : [null];
  const targets = columnsOf(last, ['_y']);
  if (targets !== undefined) return wide(targets);
  if (kind === 'KernelRidge') return optionalWide(columnsOf(last, ['dual_coef_']));
  if (kind === 'GaussianProcessRegressor') {
    const columns = columnsOf(last, ['y_train_']);
    return columns === 1 && since(version, '1.1') ? [null] : optionalWide(columns);
  }
  if (attribute(last, 'y_loadings_') !== undefined)
    return attribute(last, '_predict_1d') === true ? [null] : wide(asArray(attribute(last, 'y_loadings_'))?.shape[0]);
  const coefficients = asArray(attribute(last, 'coef_'));
  return coefficients?.shape.length === 2 && !/SVR$/.test(kind) ? wide(coefficients.shape[0]) : [null];
}

function optionalWide(columns: number | undefined): Shape {
  return columns === undefined ? [null] : [null, columns];
}

/** Second dimension of the first of the attributes that is an array of two. */
function columnsOf(estimator: Instance, names: readonly string[]): number | undefined {
  for (const name of names) {
    const shape = asArray(attribute(estimator, name))?.shape;
    if (shape?.length === 2) return shape[1];
  }
  return undefined;
}

// ------------------------------------------------------------------ scores

function probabilities(
  last: Instance,
  method: string,
  classes: readonly ClassList[] | undefined,
  version: string | undefined,
): TensorSpec[] {
  const dtype = 'float64';
  const members = membersOf(last);
  if (kindOf(last) === 'ClassifierChain') return [{ name: method, dtype, shape: [null, members.length || null] }];
  if (!classes) return [{ name: method, dtype, shape: [null, toNumber(attribute(last, 'n_components')) ?? null] }];
  const [first] = classes as [ClassList];
  const several = kindOf(last) === 'MultiOutputClassifier';
  if (several && !since(version, '0.20'))
    return [{ name: method, dtype, shape: [null, first.values.length, classes.length] }];
  if (several || classes.length > 1) {
    return classes.map((list, i) => ({
      name: `${method}_${i}`,
      dtype,
      shape: [null, list.values.length],
      ...labelled(list),
    }));
  }
  const unnamed = /^MLP/.test(kindOf(last)) && isMultilabel(last);
  return [
    {
      name: method,
      dtype,
      shape: [null, first.values.length],
      ...labelled(unnamed ? undefined : first),
    },
  ];
}

function decisionShape(
  estimator: Instance,
  classes: ClassList | undefined,
  version: string | undefined,
): { shape: Shape; labels?: string[] } {
  const kind = kindOf(estimator);
  if (kind === 'OneClassSVM' && !since(version, '0.20')) return { shape: [null, 1] };
  if (kind === 'ClassifierChain') return { shape: [null, membersOf(estimator).length || null] };
  if (!classes) return { shape: [null] };
  const count = classes.values.length;
  if (isMultilabel(estimator)) return { shape: [null, count], ...(count > 2 ? labelled(classes) : {}) };
  if (count <= 2) {
    if (since(version, '0.19') || !/^OneVs/.test(kind)) return { shape: [null] };
    return { shape: [null, kind === 'OneVsOneClassifier' ? 2 : 1] };
  }
  if (/^(Nu)?SVC$/.test(kind) && attribute(estimator, 'decision_function_shape') !== 'ovr')
    return { shape: [null, (count * (count - 1)) / 2] };
  return { shape: [null, count], ...labelled(classes) };
}

// ------------------------------------------------------------------ leaves and neighbours

function leaves(last: Instance): TensorSpec {
  const fitted = attribute(last, 'estimators_');
  const array = asArray(fitted);
  const trees = asSequence(fitted) ?? array?.objects;
  // Boosted classifiers keep one tree for each class in each round, boosted regressors one column that `apply` drops.
  if (array?.shape.length === 2 && knownClass(last)?.kinds.has('classifier')) {
    const shape = [null, ...array.shape];
    return { name: 'apply', dtype: 'float64', shape, meaning: 'leaf of each tree, by round and class' };
  }
  return {
    name: 'apply',
    dtype: array ? 'float64' : 'int64',
    shape: trees ? [null, trees.length] : [null],
    meaning: 'leaf of each tree',
  };
}

/** Distances to the nearest rows, and their numbers. */
function neighbours(last: Instance): TensorSpec[] {
  const own = toNumber(attribute(last, 'n_neighbors_') ?? attribute(last, 'n_neighbors'));
  const shape = [null, own ?? null];
  return [
    { name: 'kneighbors_0', dtype: 'float64', shape, meaning: 'distances' },
    { name: 'kneighbors_1', dtype: 'int64', shape, meaning: 'rows of the training data' },
  ];
}

function membersOf(estimator: Instance): Value[] {
  return [...(asSequence(attribute(estimator, 'estimators_')) ?? [])];
}

function since(version: string | undefined, wanted: string): boolean {
  return version !== undefined && compareVersions(version, wanted) >= 0;
}

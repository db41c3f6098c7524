import { asArray } from '../../formats/numpy/pickled';
import { Instance, isDict } from '../../pickle/values';
import { asTensor, type Estimator } from './estimator';

/** Trees whose thresholds are looked at, and thresholds of each that are. */
const MAX_TREES = 20;
const MAX_NODES = 2000;

/** Vectors with a value for each column of the input: centres and means of the training data, and what gaps are filled with. */
const CENTRES = ['mean_', 'center_', 'statistics_', 'xbar_'];
/** Matrices whose rows are points in the space of the input. */
const POINTS = [
  'theta_',
  'means_',
  'cluster_centers_',
  'support_vectors_',
  '_fit_X',
  'X_train_',
  'X_fit_',
  'centroids_',
];

/**
 * A value for each of `count` columns that is typical of the data that an estimator was fitted on, from what fitting left: its mean, the
 * middle of its range, a training row, the median of the thresholds of trees. `undefined` where nothing tells, also column by column.
 */
export function typicalValues(estimator: Estimator, count: number): (string | number | undefined)[] | undefined {
  // The Box-Cox transformation takes positive numbers only.
  if (estimator.optionalText('method') === 'box-cox') return Array.from({ length: count }, () => 1);
  return (
    filled(estimator, count) ??
    middle(estimator, count) ??
    numbers(point(estimator, count) ?? thresholds(estimator, count))
  );
}

/** Means and fill values; an imputer's may be text. */
function filled(estimator: Estimator, count: number): (string | number | undefined)[] | undefined {
  for (const name of CENTRES) {
    const array = estimator.optionalArray(name);
    if (array?.size !== count) continue;
    const items = array.toList();
    const values = items.map((item) =>
      typeof item === 'string' ? item : typeof item === 'number' ? rounded(item) : undefined,
    );
    if (values.some((value) => value !== undefined)) return values;
  }
  return undefined;
}

/** The middle of the range that a scaler or a binning saw. */
function middle(estimator: Estimator, count: number): (number | undefined)[] | undefined {
  const [low, high] = [estimator.optionalTensor('data_min_'), estimator.optionalTensor('data_max_')];
  if (low?.data.length === count && high?.data.length === count)
    return numbers(Array.from({ length: count }, (_, i) => (Number(low.data[i]) + Number(high.data[i])) / 2));
  const largest = estimator.optionalTensor('max_abs_');
  if (largest?.data.length === count) return numbers(Array.from(largest.data as Float64Array, (value) => value / 2));
  const quantiles = estimator.optionalTensor('quantiles_');
  const rows = quantiles?.shape[0] ?? 0;
  if (quantiles?.shape[1] === count && rows > 0)
    return numbers(Array.from({ length: count }, (_, i) => Number(quantiles.data[(rows >> 1) * count + i])));
  const edges = estimator.items('bin_edges_');
  if (edges?.length !== count) return undefined;
  return numbers(
    edges.map((edge) => {
      const values = asTensor(edge)?.data;
      return values && values.length > 0 ? (Number(values[0]) + Number(values[values.length - 1])) / 2 : Number.NaN;
    }),
  );
}

/** A training row, or the centre of a class. */
function point(estimator: Estimator, count: number): number[] | undefined {
  for (const name of POINTS) {
    const array = estimator.optionalArray(name);
    if (array?.shape.length !== 2 || array.shape[1] !== count || array.shape[0] === 0 || array.dtype.fields) continue;
    return Array.from(array.toFloat64().subarray(0, count));
  }
  return undefined;
}

/** The median of the thresholds at which trees split each column; NaN for columns that none looks at. */
function thresholds(estimator: Estimator, count: number): number[] | undefined {
  const trees = estimator.has('tree_') ? [estimator] : ensemble(estimator);
  if (trees.length === 0) return undefined;
  const found: number[][] = Array.from({ length: count }, () => []);
  for (const tree of trees.slice(0, MAX_TREES)) {
    const value = tree.value('tree_');
    const state = value instanceof Instance ? value.state : undefined;
    const nodes = isDict(state) ? asArray(state.get('nodes')) : undefined;
    const [feature, threshold] = ['feature', 'threshold'].map((name) => nodes?.field(name)?.toFloat64());
    if (!feature || !threshold) continue;
    for (let i = 0; i < Math.min(feature.length, MAX_NODES); i++) found[feature[i]!]?.push(threshold[i]!);
  }
  return found.map((values) => values.sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN);
}

function ensemble(estimator: Estimator): Estimator[] {
  if (estimator.has('estimators_features_')) return [];
  try {
    return estimator.children('estimators_').filter((inner) => inner.has('tree_'));
  } catch {
    return [];
  }
}

function numbers(values: readonly number[] | undefined): (number | undefined)[] | undefined {
  return values?.map((value) => (Number.isFinite(value) ? rounded(value) : undefined));
}

/** Four digits are enough for an example, and can be read. */
function rounded(value: number): number | undefined {
  return Number.isFinite(value) ? Number(value.toPrecision(4)) : undefined;
}

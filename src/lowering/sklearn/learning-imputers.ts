import { plain, toNumber } from '../../formats/numpy/pickled';
import type { Value } from '../../onnx/graph';
import { float64, type Tensor, toNumbers } from '../../onnx/tensor';
import { asSequence, Instance, type Value as Pickled } from '../../pickle/values';
import type { PlanValue } from '../plan';
import { sideBySide } from './cells';
import type { Context, Entry, Lowered } from './context';
import { asTensor, Estimator } from './estimator';
import { indicatorOf, missingMark } from './imputers';

/** Imputers that look at the other columns. Source: sklearn `impute/_iterative.py`, `_knn.py`. */
export const LEARNING_IMPUTERS: Readonly<Record<string, Entry>> = {
  'sklearn.IterativeImputer': {
    lower: iterativeImputer,
    missing: true,
    fillsMissing: true,
    features: (e) => e.optionalChild('initial_imputer_')?.optionalArray('statistics_')?.size,
    rowwise: false,
  },
  'sklearn.KNNImputer': {
    lower: knnImputer,
    missing: true,
    fillsMissing: true,
    features: (e) => e.optionalArray('_fit_X')?.shape[1],
  },
};

/** The columns in the order of fitting, each predicted from the others where it is missing, again and again as at fit. */
function iterativeImputer(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  if (estimator.flag('sample_posterior', false))
    throw estimator.unsupported('it draws its values at random (sample_posterior)');
  const mark = missingMark(estimator) as number;
  const initial = estimator.child('initial_imputer_');
  const statistics = initial.vector('statistics_');
  const keepEmpty = estimator.flag('keep_empty_features', false);
  const kept = Array.from(statistics.keys()).filter((i) => keepEmpty || !Number.isNaN(statistics[i]!));
  const sequence = (
    estimator.optionalNumber('n_iter_') === 0 ? [] : (estimator.items('imputation_sequence_') ?? [])
  ).map((item) => triplet(estimator, item));
  const bound = (name: string, fallback: number, feature: number): number => {
    const tensor = asTensor(estimator.value(name) ?? null);
    const values = tensor ? toNumbers(tensor) : undefined;
    return values === undefined || values.length === 0 ? fallback : (values[feature] ?? values[0]!);
  };
  const transform = (x: PlanValue): Value => {
    const rows = context.numeric(x);
    const missing = (value: Value): Value => (Number.isNaN(mark) ? plan.isNaN(value) : plan.equal(value, mark));
    const filled = context.single(initial, 'transform')(rows);
    const masks = kept.map((feature) => missing(plan.slice(rows, 1, feature, feature + 1)));
    const empty = estimator.optionalTensor('_is_empty_feature');
    const columns = kept.map((_, i) => plan.slice(filled, 1, i, i + 1));
    for (const { feature, neighbours, inner } of sequence) {
      const others = plan.concat(
        neighbours.map((i) => columns[i]!),
        1,
      );
      const predicted = plan.reshape(context.single(inner, 'predict')(others), [-1, 1]);
      const clipped = plan.clip(
        predicted,
        bound('_min_value', Number.NEGATIVE_INFINITY, feature),
        bound('_max_value', Number.POSITIVE_INFINITY, feature),
      );
      columns[feature] = plan.where(masks[feature]!, clipped, columns[feature]!);
    }
    let imputed = plan.concat(columns, 1);
    if (sequence.length > 0) {
      // Where every cell is missing the framework gives the first filling.
      const mask = plan.concat(masks, 1);
      const every = plan.equal(plan.reduceMin(plan.cast(mask, 'int64')), 1);
      imputed = plan.where(every, filled, imputed);
    }
    if (keepEmpty && empty) {
      const isEmpty = toNumbers(empty);
      imputed = plan.concat(
        kept.map((feature, i) => plan.slice(isEmpty[feature] ? filled : imputed, 1, i, i + 1)),
        1,
      );
    }
    const indicator = indicatorOf(estimator, context, rows, mark);
    return indicator ? plan.concat([imputed, plan.cast(indicator, 'float64')], 1) : imputed;
  };
  return { methods: { transform } };
}

interface Triplet {
  readonly feature: number;
  readonly neighbours: readonly number[];
  readonly inner: Estimator;
}

/** The named tuple `(feat_idx, neighbor_feat_idx, estimator)`. */
function triplet(estimator: Estimator, item: Pickled): Triplet {
  const parts = asSequence(item) ?? (item instanceof Instance ? asSequence(item.args) : undefined) ?? [];
  const feature = toNumber(parts[0]);
  const neighbours = asTensor(parts[1] ?? null);
  const inner = Estimator.of(plain(parts[2] ?? null));
  if (feature === undefined || !neighbours || !inner)
    throw estimator.unsupported('its imputation_sequence_ is not in the form that is known');
  return { feature, neighbours: Array.from(toNumbers(neighbours)), inner };
}

/**
 * The mean of the `n_neighbors` nearest training rows that have the column, by the Euclidean distance over the cells that both have, scaled
 * up to all columns. Of equal distances the earlier row counts as nearer.
 */
function knnImputer(estimator: Estimator, context: Context): Lowered {
  if (estimator.optionalText('metric') !== 'nan_euclidean') throw estimator.unsupported('its metric is a function');
  const weights = estimator.optionalText('weights') ?? (estimator.has('weights') ? undefined : 'uniform');
  if (weights !== 'uniform' && weights !== 'distance') throw estimator.unsupported('its weights are a function');
  const fitted = estimator.tensor('_fit_X');
  const known = fitted.data as Float64Array;
  const [count = 0, features = 0] = fitted.shape;
  const mark = missingMark(estimator) as number;
  const isMissing = (value: number): boolean => (Number.isNaN(mark) ? Number.isNaN(value) : value === mark);
  const maskFit = estimator.optionalArray('_mask_fit_X')?.toFloat64() ?? known.map((value) => Number(isMissing(value)));
  const valid = Array.from({ length: features }, (_, f) => {
    for (let i = 0; i < count; i++) if (!maskFit[i * features + f]) return true;
    return false;
  });
  const keepEmpty = estimator.flag('keep_empty_features', false);
  const kept = valid.flatMap((ok, f) => (ok || keepEmpty ? [f] : []));
  const neighbours = estimator.optionalNumber('n_neighbors') ?? 5;

  const impute = (distances: Float64Array, feature: number): number => {
    const donors: number[] = [];
    for (let i = 0; i < count; i++) if (!maskFit[i * features + feature]) donors.push(i);
    const value = (i: number): number => known[i * features + feature]!;
    const near = donors
      .filter((i) => !Number.isNaN(distances[i]!))
      .sort((a, b) => distances[a]! - distances[b]! || a - b);
    // No training row shares a column with this one: the mean of the column.
    if (near.length === 0) return donors.reduce((sum, i) => sum + value(i), 0) / donors.length;
    let chosen = near.slice(0, neighbours);
    // Before 1.6, donors without a distance counted where there were too few others.
    if (weights === 'uniform' && !estimator.since('1.6') && chosen.length < neighbours)
      chosen = [...chosen, ...donors.filter((i) => Number.isNaN(distances[i]!)).slice(0, neighbours - chosen.length)];
    const same = weights === 'distance' && chosen.some((i) => distances[i] === 0);
    let [sum, total] = [0, 0];
    for (const i of chosen) {
      const weight = weights === 'uniform' ? 1 : same ? Number(distances[i] === 0) : 1 / distances[i]!;
      sum += value(i) * weight;
      total += weight;
    }
    return sum / total;
  };
  const distancesOf = (row: Float64Array): Float64Array =>
    Float64Array.from({ length: count }, (_, i) => {
      let [sum, present] = [0, 0];
      for (let f = 0; f < features; f++) {
        if (isMissing(row[f]!) || maskFit[i * features + f]) continue;
        const difference = row[f]! - known[i * features + f]!;
        sum += difference * difference;
        present++;
      }
      return present === 0 ? Number.NaN : Math.sqrt((sum / present) * features);
    });
  const run = (value: Tensor): Tensor => {
    const x = toNumbers(value);
    const rows = value.shape[0]!;
    const out = new Float64Array(rows * kept.length);
    for (let r = 0; r < rows; r++) {
      const row = x.subarray(r * features, (r + 1) * features);
      let distances: Float64Array | undefined;
      kept.forEach((feature, i) => {
        let cell = valid[feature] ? row[feature]! : 0;
        if (isMissing(cell) && valid[feature]) {
          distances ??= distancesOf(row);
          cell = impute(distances, feature);
        }
        out[r * kept.length + i] = cell;
      });
    }
    return float64(out, [rows, kept.length]);
  };
  return {
    methods: {
      transform: (x) => {
        const rows = context.numeric(x);
        const [imputed] = context.plan.step(
          'nearest_rows',
          [rows],
          [{ name: 'imputed', dtype: 'float64' }],
          ([value]) => [run(value as Tensor)],
        );
        const indicator = indicatorOf(estimator, context, rows, mark);
        if (!indicator) return imputed;
        const whole = sideBySide(context, [imputed, indicator]) as Value;
        if (estimator.since('1.3')) return whole;
        // Before 1.3 rows without any missing value came back without the indicator.
        return context.plan.step('whole', [rows, imputed, whole], [{ name: 'whole', dtype: 'float64' }], (given) => {
          const [x, filled, all] = given as readonly Tensor[] as [Tensor, Tensor, Tensor];
          return [toNumbers(x).some(isMissing) ? all : filled];
        })[0];
      },
    },
  };
}

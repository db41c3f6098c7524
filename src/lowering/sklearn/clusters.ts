import type { Value } from '../../onnx/graph';
import { float64, type Tensor, toNumbers } from '../../onnx/tensor';
import type { PlanValue } from '../plan';
import { takeLabels } from './classifiers';
import type { Context, Entry, Lowered } from './context';
import type { Estimator } from './estimator';
import { squaredDistances } from './kernels';
import { labelTensor } from './labels';

const centers =
  (name: string) =>
  (estimator: Estimator): number | undefined =>
    estimator.optionalTensor(name)?.shape[1];

/**
 * Clusterers that place new rows: by the nearest centre. Source: sklearn `cluster/_kmeans.py`, `_bisect_k_means.py`, `_birch.py`, `_mean_shift.py`,
 * `_affinity_propagation.py`, `_feature_agglomeration.py`. Those without a prediction for new rows are in `refused.ts`.
 */
export const CLUSTERERS: Readonly<Record<string, Entry>> = {
  'sklearn.KMeans': { lower: kMeans, features: centers('cluster_centers_') },
  'sklearn.MiniBatchKMeans': { lower: kMeans, features: centers('cluster_centers_') },
  'sklearn.BisectingKMeans': { lower: bisecting, features: centers('cluster_centers_') },
  'sklearn.Birch': { lower: birch, features: centers('subcluster_centers_') },
  'sklearn.MeanShift': { lower: onlyNearest, features: centers('cluster_centers_') },
  'sklearn.AffinityPropagation': { lower: onlyNearest, features: centers('cluster_centers_') },
  'sklearn.FeatureAgglomeration': {
    lower: featureAgglomeration,
    features: (e) => e.optionalTensor('labels_')?.shape[0],
  },
};

/** Number of the nearest centre, and with `transform` the distances to all. */
function kMeans(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const points = estimator.tensor('cluster_centers_');
  const squared = context.memo((x: PlanValue) => squaredDistances(context, context.numeric(x), points));
  return {
    methods: {
      predict: (x) => plan.cast(plan.argmin(squared(x), 1), labelType(estimator)),
      transform: (x) => plan.sqrt(squared(x)),
    },
  };
}

/** K-means numbers its clusters with 32 bits. */
function labelType(estimator: Estimator): 'int32' | 'int64' {
  return estimator.optionalArray('labels_')?.dtype.itemsize === 8 ? 'int64' : 'int32';
}

function onlyNearest(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const points = estimator.optionalTensor('cluster_centers_');
  if (!points || (points.shape[0] ?? 0) === 0)
    throw estimator.unsupported('it found no clusters (it did not converge)');
  return { methods: { predict: (x) => plan.argmin(squaredDistances(context, context.numeric(x), points), 1) } };
}

/** The label of the nearest subcluster; `transform` gives the distances to all. */
function birch(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const points = estimator.tensor('subcluster_centers_');
  const labels = labelTensor(estimator.array('subcluster_labels_'));
  const squared = context.memo((x: PlanValue) => squaredDistances(context, context.numeric(x), points));
  return {
    methods: {
      predict: (x) => takeLabels(context, labels, plan.argmin(squared(x), 1)),
      transform: (x) => plan.sqrt(squared(x)),
    },
  };
}

interface Split {
  readonly center: Float64Array;
  readonly label: number;
  readonly left?: Split;
  readonly right?: Split;
}

/** Down the tree of bisections, at each node to the nearer of its two centres (of the rows less `_X_mean`). */
function bisecting(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const points = estimator.tensor('cluster_centers_');
  const mean = estimator.optionalTensor('_X_mean');
  const root = readSplit(estimator.child('_bisecting_tree'), 0);
  const features = points.shape[1] ?? 0;
  return {
    methods: {
      predict: (x) =>
        plan.step('bisecting_tree', [context.numeric(x)], [{ name: 'labels', dtype: 'int32' }], ([rows]) => {
          const values = toNumbers(rows as Tensor);
          const shift = mean ? toNumbers(mean) : undefined;
          const total = (rows as Tensor).shape[0] ?? 0;
          const labels = new Int32Array(total);
          const row = new Float64Array(features);
          for (let r = 0; r < total; r++) {
            for (let f = 0; f < features; f++) row[f] = values[r * features + f]! - (shift ? shift[f]! : 0);
            let node = root;
            while (node.left && node.right)
              node = distance(row, node.right.center) < distance(row, node.left.center) ? node.right : node.left;
            labels[r] = node.label;
          }
          return [{ dtype: 'int32', shape: [total], data: labels }];
        })[0] as Value,
      transform: (x) => plan.sqrt(squaredDistances(context, context.numeric(x), points)),
    },
  };
}

function readSplit(node: Estimator, depth: number): Split {
  if (depth > 512) throw node.unsupported('its tree of bisections is too deep');
  const [left, right] = [node.optionalChild('left'), node.optionalChild('right')];
  const split = { center: Float64Array.from(node.vector('center')), label: node.optionalNumber('label') ?? -1 };
  return left && right ? { ...split, left: readSplit(left, depth + 1), right: readSplit(right, depth + 1) } : split;
}

function distance(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return sum;
}

/** The mean of the columns of each cluster of columns. */
function featureAgglomeration(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const pooling = estimator.value('pooling_func');
  const name = pooling && 'name' in (pooling as object) ? (pooling as { name: string }).name : 'mean';
  if (name !== 'mean') throw estimator.unsupported(`its pooling function is ${name}, not the mean`);
  const labels = Array.from(estimator.vector('labels_'));
  const count = Math.max(...labels) + 1;
  const sizes = Array.from({ length: count }, (_, k) => labels.filter((label) => label === k).length);
  const spread = new Float64Array(labels.length * count);
  labels.forEach((label, column) => {
    spread[column * count + label] = 1;
  });
  const back = new Float64Array(count * labels.length);
  labels.forEach((label, column) => {
    back[label * labels.length + column] = 1;
  });
  return {
    inverseWidth: count,
    methods: {
      transform: (x) =>
        plan.div(
          plan.matmul(context.numeric(x), plan.constant(float64(spread, [labels.length, count]))),
          plan.doubles(sizes),
        ),
      inverse_transform: (x) => plan.matmul(context.numeric(x), plan.constant(float64(back, [count, labels.length]))),
    },
  };
}

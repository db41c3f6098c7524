import type { Value } from '../../onnx/graph';
import { float64, type Tensor, toNumbers } from '../../onnx/tensor';
import type { PlanValue } from '../plan';
import type { Context } from './context';
import type { Estimator } from './estimator';
import { type Metric, metricOf } from './metrics';
import { introsort, pushHeap, quicksort, type Search, treeSearch } from './neighbor-tree';

/** The points an estimator of neighbours was fitted on, with its metric. */
export interface Points {
  readonly data: Float64Array;
  readonly count: number;
  readonly features: number;
  readonly metric: Metric;
  /** The nearest points in scikit-learn's own order. */
  readonly find: Search;
}

export function pointsOf(estimator: Estimator): Points {
  const fit = estimator.tensor('_fit_X');
  const [count = 0, features = 0] = fit.shape;
  const [data, metric] = [Float64Array.from(toNumbers(fit)), metricOf(estimator)];
  const find = treeSearch(estimator, metric) ?? compareAll(estimator, data, features, metric);
  return { data, count, features, metric, find };
}

/**
 * Distances and numbers of the `k` nearest points, nearest first. Computed from differences, as
 * scikit-learn's trees do: matrix products lose small distances. Rows × k each.
 */
export function nearest(
  context: Context,
  points: Points,
  k: number,
): (x: PlanValue) => [distances: Value, indices: Value] {
  return context.memo((x: PlanValue) => {
    const [distances, indices] = context.plan.step(
      'nearest',
      [context.numeric(x)],
      [
        { name: 'distances', dtype: 'float64' },
        { name: 'indices', dtype: 'int64' },
      ],
      ([rows]) => search(points, rows as Tensor, Math.min(k, points.count)),
    );
    return [distances as Value, indices as Value];
  });
}

function search(points: Points, rows: Tensor, k: number): [Tensor, Tensor] {
  const { features, find } = points;
  const x = toNumbers(rows) as Float64Array;
  const total = rows.shape[0] ?? 0;
  const distances = new Float64Array(total * k);
  const indices = new BigInt64Array(total * k);
  const which = new Int32Array(k);
  for (let row = 0; row < total; row++) {
    find(x, row * features, distances.subarray(row * k, (row + 1) * k), which);
    for (let i = 0; i < k; i++) indices[row * k + i] = BigInt(which[i]!);
  }
  return [float64(distances, [total, k]), { dtype: 'int64', shape: [total, k], data: indices }];
}

/**
 * Compares a row with every point. Since 1.1 scikit-learn keeps the best of floats in a heap, which is filled from that of a thread;
 * elsewhere it partitions, and of equally near points the first is taken here.
 */
function compareAll(estimator: Estimator, data: Float64Array, features: number, metric: Metric): Search {
  const count = data.length / Math.max(1, features);
  const heaped = estimator.since('1.1') && /^float/.test(estimator.optionalArray('_fit_X')?.dtype.type ?? 'float64');
  if (!heaped)
    return (x, at, best, which) => {
      const k = best.length;
      let size = 0;
      for (let p = 0; p < count; p++) {
        const d = metric(x, at, data, p * features, features);
        if (size === k && !(d < best[k - 1]!)) continue;
        let to = size < k ? size++ : k - 1;
        for (; to > 0 && best[to - 1]! > d; to--) {
          best[to] = best[to - 1]!;
          which[to] = which[to - 1]!;
        }
        best[to] = d;
        which[to] = p;
      }
    };
  const sort = estimator.since('1.9') ? introsort : quicksort;
  return (x, at, best, which) => {
    const own = new Float64Array(best.length).fill(Number.POSITIVE_INFINITY);
    const found = new Int32Array(best.length);
    for (let p = 0; p < count; p++) pushHeap(own, found, metric(x, at, data, p * features, features), p);
    best.fill(Number.POSITIVE_INFINITY);
    for (let i = 0; i < own.length; i++) pushHeap(best, which, own[i]!, found[i]!);
    sort(best, which);
  };
}

/** For each row the numbers and distances of all points within a radius, in the order of the points. */
export function withinRadius(points: Points, rows: Tensor, radius: number): { index: number[]; distance: number[] }[] {
  const { data, count, features, metric } = points;
  const x = toNumbers(rows) as Float64Array;
  return Array.from({ length: rows.shape[0] ?? 0 }, (_, row) => {
    const found = { index: [] as number[], distance: [] as number[] };
    for (let p = 0; p < count; p++) {
      const d = metric(x, row * features, data, p * features, features);
      if (d <= radius) {
        found.index.push(p);
        found.distance.push(d);
      }
    }
    return found;
  });
}

/** 1 / distance; where a point is hit exactly, only such points count. `undefined` for equal weights. */
export function weigh(estimator: Estimator): 'uniform' | 'distance' {
  const weights = estimator.optionalText('weights');
  if (weights === 'distance' || weights === 'uniform') return weights;
  if (estimator.has('weights')) throw estimator.unsupported('its weights are a function');
  return 'uniform';
}

import type { Value } from '../../onnx/graph';
import { float64, type Tensor, toNumbers } from '../../onnx/tensor';
import { DistanceTable } from '../kernels/distances';
import type { PlanValue } from '../plan';
import type { Context } from './context';
import type { Estimator } from './estimator';
import { euclidean, type Metric, metricOf } from './metrics';
import { introsort, pushHeap, quicksort, type Search, treeSearch } from './neighbor-tree';

/** The points an estimator of neighbours was fitted on, with its metric. */
export interface Points {
  readonly data: Float64Array;
  readonly count: number;
  readonly features: number;
  readonly metric: Metric;
  /** The nearest points in scikit-learn's own order. */
  readonly find: Search | SearchOfSquares;
  /** Euclidean distances to all points for many rows, where `find` would compare each of them with every point. */
  readonly table?: DistanceTable;
}

/** A search that may be given the row's squared distances to all points, from place `from` of `squares` on. */
type SearchOfSquares = (
  x: Float64Array,
  at: number,
  distances: Float64Array,
  indices: Int32Array,
  squares?: Float64Array,
  from?: number,
) => void;

export function pointsOf(estimator: Estimator): Points {
  const fit = estimator.tensor('_fit_X');
  const [count = 0, features = 0] = fit.shape;
  const [data, metric] = [Float64Array.from(toNumbers(fit)), metricOf(estimator)];
  const inTree = treeSearch(estimator, metric);
  if (inTree) return { data, count, features, metric, find: inTree };
  const find = compareAll(estimator, data, features, metric);
  return {
    data,
    count,
    features,
    metric,
    find,
    ...(metric === euclidean ? { table: new DistanceTable(data, count, features) } : {}),
  };
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

/** Fewer distances than this are taken one by one: the kernel would have to be assembled first. */
const MANY = 2 ** 16;

function search(points: Points, rows: Tensor, k: number): [Tensor, Tensor] {
  const { count, features, find, table } = points;
  const x = toNumbers(rows) as Float64Array;
  const total = rows.shape[0] ?? 0;
  const distances = new Float64Array(total * k);
  const indices = new BigInt64Array(total * k);
  // Numbers of points are small: the upper halves stay 0.
  const halves = new Int32Array(indices.buffer);
  const which = new Int32Array(k);
  const visit = (row: number, squares?: Float64Array, from?: number) => {
    find(x, row * features, distances.subarray(row * k, (row + 1) * k), which, squares, from);
    for (let i = 0; i < k; i++) halves[2 * (row * k + i)] = which[i]!;
  };
  if (table && total * count > MANY) table.each(x, total, visit);
  else for (let row = 0; row < total; row++) visit(row);
  return [float64(distances, [total, k]), { dtype: 'int64', shape: [total, k], data: indices }];
}

/** A square above this has a root above `distance`; those below may not: roots round. */
function squareBound(distance: number): number {
  return distance * distance * (1 + 2 ** -50);
}

/**
 * Compares a row with every point. Since 1.1 scikit-learn keeps the best of floats in a heap, which is filled from that of a thread;
 * elsewhere it partitions, and of equally near points the first is taken here. A root is drawn only of squares that may count.
 */
function compareAll(estimator: Estimator, data: Float64Array, features: number, metric: Metric): SearchOfSquares {
  const count = data.length / Math.max(1, features);
  const heaped = estimator.since('1.1') && /^float/.test(estimator.optionalArray('_fit_X')?.dtype.type ?? 'float64');
  if (!heaped)
    return (x, at, best, which, squares, from = 0) => {
      const k = best.length;
      let size = 0;
      let bound = Number.POSITIVE_INFINITY;
      for (let p = 0; p < count; p++) {
        if (squares && squares[from + p]! > bound) continue;
        const d = squares ? Math.sqrt(squares[from + p]!) : metric(x, at, data, p * features, features);
        if (size === k && !(d < best[k - 1]!)) continue;
        let to = size < k ? size++ : k - 1;
        for (; to > 0 && best[to - 1]! > d; to--) {
          best[to] = best[to - 1]!;
          which[to] = which[to - 1]!;
        }
        best[to] = d;
        which[to] = p;
        if (size === k) bound = squareBound(best[k - 1]!);
      }
    };
  const sort = estimator.since('1.9') ? introsort : quicksort;
  return (x, at, best, which, squares, from = 0) => {
    const own = new Float64Array(best.length).fill(Number.POSITIVE_INFINITY);
    const found = new Int32Array(best.length);
    let bound = Number.POSITIVE_INFINITY;
    for (let p = 0; p < count; p++) {
      if (squares && squares[from + p]! > bound) continue;
      const d = squares ? Math.sqrt(squares[from + p]!) : metric(x, at, data, p * features, features);
      pushHeap(own, found, d, p);
      bound = squareBound(own[0]!);
    }
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

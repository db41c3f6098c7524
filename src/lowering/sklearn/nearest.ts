import type { Value } from '../../onnx/graph';
import { float64, type Tensor, toNumbers } from '../../onnx/tensor';
import type { PlanValue } from '../plan';
import type { Context } from './context';
import type { Estimator } from './estimator';
import { type Metric, metricOf } from './metrics';

/** The points an estimator of neighbours was fitted on, with its metric. */
export interface Points {
  readonly data: Float64Array;
  readonly count: number;
  readonly features: number;
  readonly metric: Metric;
}

export function pointsOf(estimator: Estimator): Points {
  const fit = estimator.tensor('_fit_X');
  const [count = 0, features = 0] = fit.shape;
  return { data: Float64Array.from(toNumbers(fit)), count, features, metric: metricOf(estimator) };
}

/**
 * Distances and numbers of the `k` nearest points, nearest first; of equally near ones the first. Computed from differences, as
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
  const { data, count, features, metric } = points;
  const x = toNumbers(rows) as Float64Array;
  const total = rows.shape[0] ?? 0;
  const distances = new Float64Array(total * k);
  const indices = new BigInt64Array(total * k);
  const best = new Float64Array(k);
  const which = new Int32Array(k);
  for (let row = 0; row < total; row++) {
    let size = 0;
    for (let p = 0; p < count; p++) {
      const d = metric(x, row * features, data, p * features, features);
      if (size === k && !(d < best[k - 1]!)) continue;
      let at = size < k ? size++ : k - 1;
      for (; at > 0 && best[at - 1]! > d; at--) {
        best[at] = best[at - 1]!;
        which[at] = which[at - 1]!;
      }
      best[at] = d;
      which[at] = p;
    }
    for (let i = 0; i < k; i++) {
      distances[row * k + i] = best[i]!;
      indices[row * k + i] = BigInt(which[i]!);
    }
  }
  return [float64(distances, [total, k]), { dtype: 'int64', shape: [total, k], data: indices }];
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

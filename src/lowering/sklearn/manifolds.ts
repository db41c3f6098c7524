import type { Value } from '../../onnx/graph';
import { float64, type Tensor, toNumbers } from '../../onnx/tensor';
import type { PlanValue } from '../plan';
import type { Context, Entry, Lowered } from './context';
import { centredComponents } from './decomposition';
import type { Estimator } from './estimator';
import { nearest, pointsOf, withinRadius } from './nearest';

const nested = (estimator: Estimator): number | undefined =>
  estimator.optionalChild('nbrs_')?.optionalTensor('_fit_X')?.shape[1];

/** Embeddings that place new rows by their neighbours. Source: sklearn `manifold/_isomap.py`, `_locally_linear.py`. */
export const MANIFOLDS: Readonly<Record<string, Entry>> = {
  'sklearn.Isomap': { lower: isomap, features: nested },
  'sklearn.LocallyLinearEmbedding': { lower: locallyLinear, features: nested },
};

/**
 * The shortest way of a row to every training row leads over one of its neighbours: g = min over neighbours of distance + dist_matrix_; then
 * kernel principal components of -½ g².
 */
function isomap(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const neighbours = estimator.child('nbrs_');
  const points = pointsOf(neighbours);
  const matrix = estimator.tensor('dist_matrix_');
  const between = toNumbers(matrix);
  const count = matrix.shape[1] ?? 0;
  const radius = estimator.optionalNumber('n_neighbors') === undefined ? estimator.optionalNumber('radius') : undefined;
  const k = neighbours.optionalNumber('n_neighbors') ?? 5;
  context.widest = Math.max(context.widest, count);
  const ways = (rows: number, near: (row: number) => { index: ArrayLike<number>; distance: ArrayLike<number> }) => {
    const out = new Float64Array(rows * count);
    for (let row = 0; row < rows; row++) {
      const { index, distance } = near(row);
      if (index.length === 0)
        throw estimator.unsupported(`row ${row + 1} has no neighbour within the radius ${radius}`);
      for (let j = 0; j < count; j++) {
        let least = Number.POSITIVE_INFINITY;
        for (let i = 0; i < index.length; i++) least = Math.min(least, between[index[i]! * count + j]! + distance[i]!);
        out[row * count + j] = least * least * -0.5;
      }
    }
    return [float64(out, [rows, count])];
  };
  const output = [{ name: 'ways', dtype: 'float64' }] as const;
  const kernel = context.memo((x: PlanValue): Value => {
    if (radius !== undefined)
      return plan.step('geodesics', [context.numeric(x)], output, ([rows]) => {
        const found = withinRadius(points, rows as Tensor, radius);
        return ways(found.length, (row) => found[row]!);
      })[0];
    const [distances, indices] = nearest(context, points, k)(x);
    return plan.step('geodesics', [distances, indices], output, ([d, i]) => {
      const [distance, index] = [toNumbers(d as Tensor), toNumbers(i as Tensor)];
      const [rows = 0, width = 0] = d!.shape;
      const part = (data: Float64Array, row: number) => data.subarray(row * width, (row + 1) * width);
      return ways(rows, (row) => ({ index: part(index, row), distance: part(distance, row) }));
    })[0];
  });
  const components = centredComponents(estimator.child('kernel_pca_'), context);
  return { methods: { transform: (x) => components(kernel(x)) } };
}

/**
 * Barycentric weights of the neighbours: w with (C Cᵀ + reg · trace) w = 1, C the neighbours less the row, divided by their sum; the same mean of
 * their places in embedding_.
 */
function locallyLinear(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const points = pointsOf(estimator.child('nbrs_'));
  const embedding = estimator.tensor('embedding_');
  const places = toNumbers(embedding);
  const width = embedding.shape[1] ?? 0;
  const k = Math.min(estimator.number('n_neighbors'), points.count);
  const reg = estimator.number('reg');
  const search = nearest(context, points, k);
  const place = (row: Float64Array, index: Float64Array): Float64Array => {
    const { data, features } = points;
    const c = Array.from(index, (p) => row.map((value, f) => data[p * features + f]! - value));
    const gram = new Float64Array(k * k);
    let trace = 0;
    for (let i = 0; i < k; i++) {
      for (let j = 0; j < k; j++) gram[i * k + j] = c[i]!.reduce((sum, value, f) => sum + value * c[j]![f]!, 0);
      trace += gram[i * k + i]!;
    }
    for (let i = 0; i < k; i++) gram[i * k + i]! += trace > 0 ? reg * trace : reg;
    const weights = solveOnes(gram, k);
    if (!weights) throw estimator.unsupported('the neighbours of a row depend on each other');
    const total = weights.reduce((sum, value) => sum + value, 0);
    return Float64Array.from({ length: width }, (_, d) =>
      weights.reduce((sum, weight, i) => sum + (weight / total) * places[index[i]! * width + d]!, 0),
    );
  };
  return {
    methods: {
      transform: (x) => {
        const rows = context.numeric(x);
        const [, indices] = search(x);
        return plan.step('places', [rows, indices], [{ name: 'places', dtype: 'float64' }], ([value, found]) => {
          const [cells, index] = [toNumbers(value as Tensor), toNumbers(found as Tensor)];
          const total = value!.shape[0] ?? 0;
          const out = new Float64Array(total * width);
          for (let row = 0; row < total; row++) {
            const own = cells.slice(row * points.features, (row + 1) * points.features);
            out.set(place(own, index.subarray(row * k, (row + 1) * k)), row * width);
          }
          return [float64(out, [total, width])];
        })[0];
      },
    },
  };
}

/** G w = 1 for a positive definite G, by Cholesky; undefined where it is none. */
function solveOnes(gram: Float64Array, size: number): Float64Array | undefined {
  const lower = new Float64Array(size * size);
  const x = new Float64Array(size).fill(1);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let value = gram[i * size + j]!;
      for (let m = 0; m < j; m++) value -= lower[i * size + m]! * lower[j * size + m]!;
      if (i !== j) lower[i * size + j] = value / lower[j * size + j]!;
      else if (value > 0) lower[i * size + i] = Math.sqrt(value);
      else return undefined;
    }
    for (let m = 0; m < i; m++) x[i]! -= lower[i * size + m]! * x[m]!;
    x[i]! /= lower[i * size + i]!;
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let m = i + 1; m < size; m++) x[i]! -= lower[m * size + i]! * x[m]!;
    x[i]! /= lower[i * size + i]!;
  }
  return x;
}

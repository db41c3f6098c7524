import type { Value } from '../../onnx/graph';
import { float64, type Tensor, toNumbers } from '../../onnx/tensor';
import type { PlanValue } from '../plan';
import type { Context, Entry, Lowered } from './context';
import type { Estimator } from './estimator';
import { nearest, pointsOf, withinRadius } from './nearest';

const features = (estimator: Estimator): number | undefined => estimator.optionalTensor('_fit_X')?.shape[1];

/** Rows of the graph of neighbours, and the linear map that was learnt for them. Source: sklearn `neighbors/_graph.py`, `_nca.py`. */
export const NEIGHBOR_GRAPHS: Readonly<Record<string, Entry>> = {
  'sklearn.KNeighborsTransformer': { lower: nearestGraph, features },
  'sklearn.RadiusNeighborsTransformer': { lower: radiusGraph, features },
  'sklearn.NeighborhoodComponentsAnalysis': {
    lower: components,
    features: (e) => e.optionalTensor('components_')?.shape[1],
  },
};

/**
 * For each row its distances (with one neighbour more, as the row itself counts while fitting), or 1, at the columns of its nearest points; 0
 * elsewhere. Scikit-learn gives a sparse matrix.
 */
function nearestGraph(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const points = pointsOf(estimator);
  const distances = estimator.text('mode') === 'distance';
  const k = estimator.number('n_neighbors');
  const wanted = Math.min(k + Number(distances), points.count);
  context.widest = Math.max(context.widest, points.count);
  const search = nearest(context, points, wanted);
  return {
    methods: {
      transform: (x): Value => {
        const [distance, index] = search(x);
        return plan.step('graph', [distance, index], [{ name: 'graph', dtype: 'float64' }], ([d, i]) => {
          const total = (d as Tensor).shape[0] ?? 0;
          const [values, places] = [toNumbers(d as Tensor), toNumbers(i as Tensor)];
          const out = new Float64Array(total * points.count);
          for (let row = 0; row < total; row++) {
            for (let n = row * wanted; n < (row + 1) * wanted; n++)
              out[row * points.count + Number(places[n])] = distances ? values[n]! : 1;
          }
          return [float64(out, [total, points.count])];
        })[0] as Value;
      },
      kneighbors: nearest(context, points, k),
    },
  };
}

function radiusGraph(estimator: Estimator, context: Context): Lowered {
  const points = pointsOf(estimator);
  const distances = estimator.text('mode') === 'distance';
  const radius = estimator.number('radius');
  context.widest = Math.max(context.widest, points.count);
  const graph = (x: PlanValue): Value =>
    context.plan.step('graph', [context.numeric(x)], [{ name: 'graph', dtype: 'float64' }], ([rows]) => {
      const found = withinRadius(points, rows as Tensor, radius);
      const out = new Float64Array(found.length * points.count);
      found.forEach(({ index, distance }, row) => {
        index.forEach((p, n) => {
          out[row * points.count + p] = distances ? distance[n]! : 1;
        });
      });
      return [float64(out, [found.length, points.count])];
    })[0] as Value;
  return { methods: { transform: graph } };
}

/** X · components_ᵀ */
function components(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const map = plan.transpose(plan.constant(estimator.tensor('components_'), 'components'));
  return { methods: { transform: (x) => plan.matmul(context.numeric(x), map) } };
}

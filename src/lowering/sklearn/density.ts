import { toNumber } from '../../formats/numpy/pickled';
import type { Value } from '../../onnx/graph';
import { float64, type Tensor, toNumbers } from '../../onnx/tensor';
import { asSequence, Instance } from '../../pickle/values';
import type { PlanValue } from '../plan';
import type { Context, Entry, Lowered } from './context';
import { asTensor, type Estimator } from './estimator';
import { metricOf } from './metrics';
import { gamma } from './special';

/** Kernel density estimation. Source: sklearn `neighbors/_kde.py`, `_binary_tree.pxi` (`compute_kernel`, `_log_kernel_norm`). */
export const DENSITIES: Readonly<Record<string, Entry>> = {
  'sklearn.KernelDensity': { lower: kernelDensity, features: (e) => treeOf(e)?.points.shape[1] },
};

/** The points (and weights) in the pickled tree: first and thirteenth of its state. */
function treeOf(estimator: Estimator): { points: Tensor; weights: Float64Array | undefined } | undefined {
  const tree = estimator.value('tree_');
  const state = tree instanceof Instance ? asSequence(tree.state) : undefined;
  const points = state?.[0] === undefined ? undefined : asTensor(state[0]);
  if (points?.shape.length !== 2) return undefined;
  const weights = state?.[12] === undefined || state[12] === null ? undefined : asTensor(state[12]);
  return { points, weights: weights && Float64Array.from(toNumbers(weights)) };
}

/** log of the kernel at distance d, bandwidth h: -∞ outside of its support. */
const KERNELS: Record<string, (d: number, h: number) => number> = {
  gaussian: (d, h) => (-0.5 * d * d) / (h * h),
  tophat: (d, h) => (d < h ? 0 : Number.NEGATIVE_INFINITY),
  epanechnikov: (d, h) => (d < h ? Math.log(1 - (d * d) / (h * h)) : Number.NEGATIVE_INFINITY),
  exponential: (d, h) => -d / h,
  linear: (d, h) => (d < h ? Math.log(1 - d / h) : Number.NEGATIVE_INFINITY),
  cosine: (d, h) => (d < h ? Math.log(Math.cos((0.5 * Math.PI * d) / h)) : Number.NEGATIVE_INFINITY),
};

/** log of the integral of the kernel over `dimension` dimensions with h = 1, less d log h. */
function logNorm(kernel: string, h: number, dimension: number): number {
  const volume = (n: number) => Math.PI ** (n / 2) / gamma(n / 2 + 1);
  const surface = (n: number) => 2 * Math.PI * volume(n - 1);
  let factor = 0;
  if (kernel === 'gaussian') factor = 0.5 * dimension * Math.log(2 * Math.PI);
  else if (kernel === 'tophat') factor = Math.log(volume(dimension));
  else if (kernel === 'epanechnikov') factor = Math.log(volume(dimension)) + Math.log(2 / (dimension + 2));
  else if (kernel === 'exponential') factor = Math.log(surface(dimension - 1)) + Math.log(gamma(dimension));
  else if (kernel === 'linear') factor = Math.log(volume(dimension)) - Math.log(dimension + 1);
  else {
    // Integration by parts of cos(π t / 2) t^(d-1), two powers at a time.
    let term = 2 / Math.PI;
    let sum = 0;
    for (let k = 1; k <= dimension; k += 2) {
      sum += term;
      term *= -(dimension - k) * (dimension - k - 1) * (2 / Math.PI) ** 2;
    }
    factor = Math.log(sum) + Math.log(surface(dimension - 1));
  }
  return -factor - dimension * Math.log(h);
}

/** log Σ w K(|x - p| / h) - log Σ w + log norm. Tolerances other than 0 let scikit-learn stop early; here the sum is always whole. */
function kernelDensity(estimator: Estimator, context: Context): Lowered {
  const tree = treeOf(estimator);
  if (!tree) throw estimator.unsupported('the points of its tree cannot be read');
  const name = estimator.text('kernel');
  const kernel = KERNELS[name];
  if (!kernel) throw estimator.unsupported(`its kernel "${name}" is not known here`);
  if ((estimator.optionalNumber('atol') ?? 0) !== 0 || (estimator.optionalNumber('rtol') ?? 0) !== 0)
    context.notes.add('Densities are summed exactly; scikit-learn stops at the tolerances atol and rtol.');
  const h = estimator.optionalNumber('bandwidth_') ?? toNumber(estimator.value('bandwidth'));
  if (h === undefined) throw estimator.unsupported('its bandwidth is not a number');
  const metric = metricOf(estimator);
  const { points, weights } = tree;
  const [count = 0, features = 0] = points.shape;
  const data = Float64Array.from(toNumbers(points));
  const logWeights = weights?.map(Math.log);
  const total = weights ? weights.reduce((a, b) => a + b, 0) : count;
  const norm = logNorm(name, h, features) - Math.log(total);
  return {
    methods: {
      score_samples: (x: PlanValue): Value =>
        context.plan.step('density', [context.numeric(x)], [{ name: 'density', dtype: 'float64' }], ([rows]) => {
          const values = Float64Array.from(toNumbers(rows as Tensor));
          const out = new Float64Array((rows as Tensor).shape[0] ?? 0);
          const logs = new Float64Array(count);
          for (let row = 0; row < out.length; row++) {
            let largest = Number.NEGATIVE_INFINITY;
            for (let p = 0; p < count; p++) {
              const log = kernel(metric(values, row * features, data, p * features, features), h);
              logs[p] = logWeights ? log + logWeights[p]! : log;
              if (logs[p]! > largest) largest = logs[p]!;
            }
            let sum = 0;
            if (largest > Number.NEGATIVE_INFINITY) for (let p = 0; p < count; p++) sum += Math.exp(logs[p]! - largest);
            // A norm that is not a number (cosine in four dimensions) stays one, as in scikit-learn.
            out[row] = (sum > 0 ? largest + Math.log(sum) : Number.NEGATIVE_INFINITY) + norm;
          }
          return [float64(out, [out.length])];
        })[0] as Value,
    },
  };
}

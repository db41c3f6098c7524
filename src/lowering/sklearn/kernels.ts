import type { Value } from '../../onnx/graph';
import { float64, type Tensor } from '../../onnx/tensor';
import type { PlanValue } from '../plan';
import type { Context } from './context';
import type { Estimator } from './estimator';

/** Parameters of a pairwise kernel, as scikit-learn's `pairwise_kernels` takes them. */
export interface Kernel {
  readonly name: string;
  readonly gamma: number;
  readonly degree: number;
  readonly coef0: number;
}

/** Numbers of the points up to which distances are summed from differences: beyond, rows × points × features would not fit the cache. */
const FEW = 2048;

/**
 * Squared Euclidean distances between the rows of `x` and those of `points`: rows × points. From differences where there are few points;
 * else |x|² - 2 x·p + |p|² with both moved by the mean of the points, which keeps the error near 1e-16 |x - mean|² (without it, near-zero
 * distances were off by 1e-7).
 */
export function squaredDistances(context: Context, x: Value, points: Tensor): Value {
  const { plan } = context;
  const [count = 0, features = 0] = points.shape;
  const data = points.data as Float64Array;
  if (count * features <= FEW) {
    const difference = plan.sub(plan.unsqueeze(x, 1), plan.constant(float64(data, [count, features]), 'points'));
    return plan.reduceSum(plan.square(difference), [2]);
  }
  const mean = new Float64Array(features);
  for (let i = 0; i < data.length; i++) mean[i % features]! += data[i]! / count;
  const doubled = new Float64Array(count * features);
  const norms = new Float64Array(count);
  for (let p = 0; p < count; p++) {
    for (let f = 0; f < features; f++) {
      const value = data[p * features + f]! - mean[f]!;
      doubled[f * count + p] = -2 * value;
      norms[p]! += value * value;
    }
  }
  const moved = plan.sub(x, plan.doubles(mean, undefined, 'mean'));
  const own = plan.reduceSum(plan.square(moved), [1], true);
  const cross = plan.matmul(moved, plan.doubles(doubled, [features, count], 'points'));
  return plan.max(plan.add(plan.add(own, plan.doubles(norms, undefined, 'norms')), cross), 0);
}

/**
 * K(x, points): rows × points. Source: sklearn `metrics/pairwise.py`:
 * linear x·p, poly (γ x·p + c₀)^d, rbf exp(-γ |x-p|²), sigmoid tanh(γ x·p + c₀), laplacian exp(-γ Σ|x-p|), cosine,
 * chi2 exp(-γ Σ (x-p)²/(x+p)) and additive_chi2 without the exponential.
 * @throws ModelError `unsupported` for a kernel that is a function or not one of these
 */
export function kernelMatrix(
  estimator: Estimator,
  context: Context,
  kernel: Kernel,
  x: PlanValue,
  points: Tensor,
): Value {
  const { plan } = context;
  const rows = context.numeric(x);
  const dot = (): Value => plan.matmul(rows, plan.transpose(plan.constant(points, 'points')));
  // γ is folded into the points: runtimes fuse a scalar beside a matrix product into a float32 attribute.
  const affine = (): Value => {
    const scaled = float64(
      Float64Array.from(points.data as Float64Array, (value) => value * kernel.gamma),
      points.shape,
    );
    return plan.add(plan.matmul(rows, plan.transpose(plan.constant(scaled, 'points'))), kernel.coef0);
  };
  switch (kernel.name) {
    case 'linear':
      return dot();
    case 'poly':
    case 'polynomial':
      return plan.pow(affine(), kernel.degree);
    case 'rbf':
      return plan.exp(plan.mul(squaredDistances(context, rows, points), -kernel.gamma));
    case 'sigmoid':
      return plan.tanh(affine());
    case 'laplacian': {
      const difference = plan.sub(plan.unsqueeze(rows, 1), plan.constant(points, 'points'));
      return plan.exp(plan.mul(plan.reduceSum(plan.abs(difference), [2]), -kernel.gamma));
    }
    case 'cosine': {
      const norm = (v: Value, axis: number): Value => {
        const length = plan.sqrt(plan.reduceSum(plan.square(v), [axis], true));
        return plan.div(v, plan.where(plan.equal(length, 0), 1, length));
      };
      return plan.matmul(norm(rows, 1), plan.transpose(norm(plan.constant(points, 'points'), 1)));
    }
    case 'chi2':
    case 'additive_chi2': {
      const p = plan.constant(points, 'points');
      const wide = plan.unsqueeze(rows, 1);
      const [difference, sum] = [plan.sub(wide, p), plan.add(wide, p)];
      const terms = plan.where(
        plan.equal(sum, 0),
        0,
        plan.div(plan.square(difference), plan.where(plan.equal(sum, 0), 1, sum)),
      );
      const total = plan.neg(plan.reduceSum(terms, [2]));
      return kernel.name === 'chi2' ? plan.exp(plan.mul(total, kernel.gamma)) : total;
    }
  }
  throw estimator.unsupported(`its kernel "${kernel.name}" is not known`);
}

/** The name of the kernel in an attribute. @throws ModelError `unsupported` when it is a function or a matrix computed before */
export function kernelName(estimator: Estimator, attribute = 'kernel'): string {
  const name = estimator.optionalText(attribute);
  if (name === undefined) throw estimator.unsupported(`its ${attribute} is a function`);
  if (name === 'precomputed')
    throw estimator.unsupported('it was fitted on a kernel matrix that was computed before; it takes no rows');
  return name;
}

import { toNumber } from '../../formats/numpy/pickled';
import type { Value } from '../../onnx/graph';
import { float64, type Tensor, toNumbers } from '../../onnx/tensor';
import { DistanceTable } from '../kernels/distances';
import type { Context } from './context';
import type { Estimator } from './estimator';
import { textKeys } from './estimator';
import { kernelMatrix, kernelName, squaredDistances } from './kernels';
import { besselK, gamma } from './special';

/** A covariance function: between rows and fixed points (rows × points), and of each row with itself (a vector, or a number if it is always the same). */
export interface Covariance {
  cross(rows: Value, points: Tensor): Value;
  diagonal(rows: Value): Value | number;
}

/** Products of points and features up to which distances are taken in the graph; beyond, code takes them as exactly. */
const FEW = 2048;

/**
 * A kernel tree as covariance. Source: sklearn `gaussian_process/kernels.py`.
 * @throws ModelError `unsupported` for a kernel that is a class of the user
 */
export function covarianceOf(kernel: Estimator, context: Context, depth = 0): Covariance {
  if (depth > 64) throw kernel.unsupported('its kernels are nested more than 64 levels deep');
  if (kernel.package !== 'sklearn')
    throw kernel.unsupported(`it is a kernel of the package ${kernel.package}, which is not known here`);
  const { plan } = context;
  const inner = (...names: string[]) => covarianceOf(kernel.child(...names), context, depth + 1);
  switch (kernel.className) {
    case 'Sum':
    case 'Product': {
      const [a, b] = [inner('k1'), inner('k2')];
      const times = kernel.className === 'Product';
      const both = (left: Value | number, right: Value | number): Value | number => {
        if (typeof left === 'number' && typeof right === 'number') return times ? left * right : left + right;
        return times ? plan.mul(left, right) : plan.add(left, right);
      };
      return {
        cross: (rows, points) => both(a.cross(rows, points), b.cross(rows, points)) as Value,
        diagonal: (rows) => both(a.diagonal(rows), b.diagonal(rows)),
      };
    }
    case 'Exponentiation': {
      const a = inner('kernel');
      const exponent = kernel.number('exponent');
      return {
        cross: (rows, points) => plan.pow(a.cross(rows, points), exponent),
        diagonal: (rows) => {
          const own = a.diagonal(rows);
          return typeof own === 'number' ? own ** exponent : plan.pow(own, exponent);
        },
      };
    }
    case 'ConstantKernel': {
      const value = kernel.number('constant_value');
      return { cross: (rows, points) => filled(context, rows, points, value), diagonal: () => value };
    }
    case 'WhiteKernel': {
      // Noise belongs to a row alone: nothing of it is shared with the points, even equal ones.
      const noise = kernel.number('noise_level');
      return { cross: (rows, points) => filled(context, rows, points, 0), diagonal: () => noise };
    }
    case 'DotProduct': {
      const bias = kernel.number('sigma_0') ** 2;
      return {
        cross: (rows, points) => plan.add(plan.matmul(rows, plan.transpose(plan.constant(points, 'points'))), bias),
        diagonal: (rows) => plan.add(plan.reduceSum(plan.square(rows), [1]), bias),
      };
    }
    case 'PairwiseKernel':
      return pairwise(kernel, context);
  }
  return { cross: stationary(kernel, context), diagonal: () => 1 };
}

function filled(context: Context, rows: Value, points: Tensor, value: number): Value {
  const count = points.shape[0] ?? 0;
  return context.plan.perRow(rows, float64(new Float64Array(count).fill(value), [1, count]));
}

/**
 * RBF exp(-d²/2), Matérn, both with distances of x / length_scale; RationalQuadratic (1 + d²/(2 α l²))^-α; ExpSineSquared
 * exp(-2 (sin(π d / p) / l)²).
 */
function stationary(kernel: Estimator, context: Context): Covariance['cross'] {
  const { plan } = context;
  const scaled = (rows: Value, points: Tensor): Value => {
    const scale = kernel.vector('length_scale');
    if (scale.length !== 1 && scale.length !== points.shape[1])
      throw kernel.unsupported('its length scales do not fit the columns');
    const own = Float64Array.from(toNumbers(points), (v, i) => v / scale[scale.length === 1 ? 0 : i % scale.length]!);
    return distances(
      context,
      plan.div(rows, plan.doubles(scale, undefined, 'length_scale')),
      float64(own, points.shape),
    );
  };
  switch (kernel.className) {
    case 'RBF':
      return (rows, points) => plan.exp(plan.mul(scaled(rows, points), -0.5));
    case 'Matern':
      return (rows, points) => matern(kernel, context, scaled(rows, points));
    case 'RationalQuadratic': {
      const [alpha, length] = [kernel.number('alpha'), kernel.number('length_scale')];
      return (rows, points) =>
        plan.pow(plan.add(plan.div(distances(context, rows, points), 2 * alpha * length ** 2), 1), -alpha);
    }
    case 'ExpSineSquared': {
      const [period, length] = [kernel.number('periodicity'), kernel.number('length_scale')];
      return (rows, points) => {
        const angle = plan.mul(plan.sqrt(distances(context, rows, points)), Math.PI / period);
        return plan.exp(plan.mul(plan.square(plan.div(plan.sin(angle), length)), -2));
      };
    }
  }
  throw kernel.unsupported('this kernel is not known here');
}

/** Squared distances, each from differences: roots of them have no digits to lose. */
function distances(context: Context, rows: Value, points: Tensor): Value {
  const [count = 0, features = 0] = points.shape;
  if (count * features <= FEW) return squaredDistances(context, rows, points);
  const table = new DistanceTable(Float64Array.from(toNumbers(points)), count, features);
  return context.plan.step('distances', [rows], [{ name: 'distances', dtype: 'float64' }], ([x]) => {
    const total = (x as Tensor).shape[0] ?? 0;
    const out = new Float64Array(total * count);
    table.each(toNumbers(x as Tensor), total, (row, squares, at) => {
      out.set(squares.subarray(at, at + count), row * count);
    });
    return [float64(out, [total, count])];
  })[0] as Value;
}

/**
 * With k = √(2ν) d: ν = ½ exp(-k), 3/2 (1 + k) exp(-k), 5/2 (1 + k + k²/3) exp(-k), ∞ exp(-d²/2), otherwise 2^(1-ν)/Γ(ν) k^ν K_ν(k) with distances
 * of zero taken as 2.2e-16.
 */
function matern(kernel: Estimator, context: Context, squared: Value): Value {
  const { plan } = context;
  const nu = kernel.number('nu');
  const distance = plan.sqrt(squared);
  if (nu === 0.5) return plan.exp(plan.neg(distance));
  if (nu === Number.POSITIVE_INFINITY) return plan.exp(plan.mul(squared, -0.5));
  if (nu === 1.5 || nu === 2.5) {
    const k = plan.mul(distance, Math.sqrt(2 * nu));
    const linear = plan.add(k, 1);
    const factor = nu === 1.5 ? linear : plan.add(linear, plan.div(plan.square(k), 3));
    return plan.mul(factor, plan.exp(plan.neg(k)));
  }
  const front = 2 ** (1 - nu) / gamma(nu);
  return plan.step('matern', [distance], [{ name: 'matern', dtype: 'float64' }], ([d]) => {
    const values = toNumbers(d as Tensor);
    const out = Float64Array.from(values as ArrayLike<number>, (value) => {
      const k = Math.sqrt(2 * nu) * (value === 0 ? Number.EPSILON : value);
      return front * k ** nu * besselK(nu, k);
    });
    return [float64(out, (d as Tensor).shape)];
  })[0] as Value;
}

/** A kernel of `metrics.pairwise`; of a row with itself computed from its own products and distances. */
function pairwise(kernel: Estimator, context: Context): Covariance {
  const { plan } = context;
  const options = textKeys(kernel.value('pairwise_kernels_kwargs'));
  const own = {
    name: kernelName(kernel, 'metric'),
    gamma: kernel.number('gamma'),
    degree: toNumber(options.get('degree')) ?? 3,
    coef0: toNumber(options.get('coef0')) ?? 1,
  };
  return {
    cross: (rows, points) => kernelMatrix(kernel, context, own, rows, points),
    diagonal: (rows) => {
      const square = plan.reduceSum(plan.square(rows), [1]);
      const affine = plan.add(plan.mul(square, own.gamma), own.coef0);
      switch (own.name) {
        case 'linear':
          return square;
        case 'poly':
        case 'polynomial':
          return plan.pow(affine, own.degree);
        case 'sigmoid':
          return plan.tanh(affine);
        case 'additive_chi2':
          return 0;
        case 'cosine':
          return plan.cast(plan.greater(square, 0), 'float64');
      }
      return 1;
    },
  };
}

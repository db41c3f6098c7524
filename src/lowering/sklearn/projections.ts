import { ModelError } from '../../bytes/errors';
import type { Value } from '../../onnx/graph';
import { float64, type Tensor, toNumbers } from '../../onnx/tensor';
import type { PlanValue } from '../plan';
import type { Context, Entry, Lowered } from './context';
import { pairwiseKernel } from './decomposition';
import type { Estimator } from './estimator';
import { kernelMatrix } from './kernels';
import { pseudoInverse } from './matrices';

/**
 * Partial least squares, random projections and approximate kernel maps. Source: sklearn `cross_decomposition/_pls.py`,
 * `random_projection.py`, `kernel_approximation.py`.
 */
export const PROJECTIONS: Readonly<Record<string, Entry>> = {
  'sklearn.PLSRegression': { lower: pls, features: plsWidth },
  'sklearn.PLSCanonical': { lower: pls, features: plsWidth },
  'sklearn.CCA': { lower: pls, features: plsWidth },
  'sklearn.PLSSVD': { lower: pls, features: plsWidth },
  'sklearn.GaussianRandomProjection': { lower: randomProjection },
  'sklearn.SparseRandomProjection': { lower: randomProjection },
  'sklearn.Nystroem': { lower: nystroem },
  'sklearn.RBFSampler': { lower: rbfSampler, features: (e) => e.optionalTensor('random_weights_')?.shape[0] },
  'sklearn.SkewedChi2Sampler': { lower: skewedChi2, features: (e) => e.optionalTensor('random_weights_')?.shape[0] },
  'sklearn.AdditiveChi2Sampler': { lower: additiveChi2 },
  'sklearn.PolynomialCountSketch': { lower: countSketch },
};

function plsWidth(estimator: Estimator): number | undefined {
  return estimator.optionalTensor('_x_mean', 'x_mean_')?.data.length;
}

/**
 * transform: (x - mean) / deviation · x_rotations_ (PLSSVD: x_weights_). predict: before 1.3 the same scaled rows · coef_ (features × targets;
 * `_coef_` in 1.1 and 1.2 is its transpose); in 1.3 and 1.4 · coef_ᵀ; since 1.5 the rows are only centred.
 */
function pls(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const mean = plan.doubles(estimator.vector('_x_mean', 'x_mean_'), undefined, 'x_mean');
  const deviation = plan.doubles(estimator.vector('_x_std', 'x_std_'), undefined, 'x_std');
  const centred = (x: PlanValue): Value => plan.sub(context.numeric(x), mean);
  const scaled = (x: PlanValue): Value => plan.div(centred(x), deviation);
  const svd = estimator.className === 'PLSSVD';
  const rotations = estimator.tensor(svd ? 'x_weights_' : 'x_rotations_');
  const transform = (x: PlanValue): Value => plan.matmul(scaled(x), plan.constant(rotations, 'rotations'));
  if (svd) return { methods: { transform } };
  const across = estimator.has('_coef_') || estimator.since('1.3');
  const coefficients = plan.constant(estimator.tensor('_coef_', 'coef_'), 'coef');
  const intercept = plan.doubles(estimator.vector('intercept_', '_y_mean', 'y_mean_'), undefined, 'intercept');
  const predict = (x: PlanValue): Value => {
    const rows = estimator.since('1.5') ? centred(x) : scaled(x);
    const y = plan.add(plan.matmul(rows, across ? plan.transpose(coefficients) : coefficients), intercept);
    return estimator.flag('_predict_1d', false) ? plan.reshape(y, [-1]) : y;
  };
  const loadings = estimator.optionalTensor('x_loadings_');
  const inverse = (x: PlanValue): Value =>
    plan.add(
      plan.mul(plan.matmul(context.numeric(x), plan.transpose(plan.constant(loadings!, 'loadings'))), deviation),
      mean,
    );
  return {
    methods: { predict, transform, ...(loadings && estimator.since('0.22') ? { inverse_transform: inverse } : {}) },
    inverseWidth: rotations.shape[1]!,
  };
}

/** x · components_ᵀ; backwards with `inverse_components_`, where they were kept. */
function randomProjection(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const components = estimator.tensor('components_');
  const [count = 0, features = 0] = components.shape;
  // Since 1.1; where it was not kept it is computed on each call.
  const inverse = estimator.since('1.1')
    ? () =>
        estimator.optionalTensor('inverse_components_') ??
        float64(pseudoInverse(toNumbers(components), count, features), [features, count])
    : undefined;
  return {
    methods: {
      transform: (x) => plan.matmul(context.numeric(x), plan.transpose(plan.constant(components, 'components'))),
      ...(inverse
        ? {
            inverse_transform: (x: PlanValue) =>
              plan.matmul(context.numeric(x), plan.transpose(plan.constant(inverse(), 'inverse'))),
          }
        : {}),
    },
    inverseWidth: components.shape[0]!,
  };
}

/** K(x, components_) · normalization_ᵀ */
function nystroem(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const points = estimator.tensor('components_');
  const kernel = pairwiseKernel(estimator, points, 1);
  const normalization = plan.transpose(plan.constant(estimator.tensor('normalization_'), 'normalization'));
  return {
    methods: { transform: (x) => plan.matmul(kernelMatrix(estimator, context, kernel, x, points), normalization) },
  };
}

/** √(2/n) cos(x · W + b) */
function rbfSampler(estimator: Estimator, context: Context): Lowered {
  return { methods: { transform: (x) => cosines(estimator, context, context.numeric(x)) } };
}

/** √(2/n) cos(log(x + c) · W + b), for x > -c */
function skewedChi2(estimator: Estimator, context: Context): Lowered {
  const skewedness = estimator.number('skewedness');
  const logs = (x: PlanValue): Value =>
    context.plan.step('skewed_logs', [context.numeric(x)], [{ name: 'logs', dtype: 'float64' }], ([value]) => [
      float64(
        toNumbers(value as Tensor).map((cell, i) => {
          if (!(cell > -skewedness))
            throw new ModelError('usage', `Value ${i + 1} is ${cell}; this model takes numbers above ${-skewedness}.`);
          return Math.log(cell + skewedness);
        }),
        value!.shape,
      ),
    ])[0];
  return { methods: { transform: (x) => cosines(estimator, context, logs(x)) } };
}

function cosines(estimator: Estimator, context: Context, rows: Value): Value {
  const { plan } = context;
  const weights = plan.constant(estimator.tensor('random_weights_'), 'random_weights');
  const offset = estimator.vector('random_offset_');
  const projected = plan.add(plan.matmul(rows, weights), plan.doubles(offset, undefined, 'random_offset'));
  // In code: large arguments of a cosine must be reduced as exactly as the framework reduces them.
  const factor = Math.sqrt(2 / offset.length);
  return plan.step('cosines', [projected], [{ name: 'cosines', dtype: 'float64' }], ([value]) => [
    float64(
      toNumbers(value as Tensor).map((cell) => Math.cos(cell) * factor),
      value!.shape,
    ),
  ])[0];
}

/** √(x L), then for j = 1 … steps - 1: √(2 x L / cosh(π j L)) · cos and sin of j L log x; 0 for x = 0. Columns: all features for each of them. */
function additiveChi2(estimator: Estimator, context: Context): Lowered {
  const steps = estimator.number('sample_steps');
  const interval = estimator.optionalNumber('sample_interval_', 'sample_interval') ?? [0.8, 0.5, 0.4][steps - 1];
  if (interval === undefined) throw estimator.unsupported('its sample_interval is not kept');
  const run = (value: Tensor): Tensor => {
    const cells = toNumbers(value);
    const [rows = 0, features = 0] = value.shape;
    const width = features * (2 * steps - 1);
    const out = new Float64Array(rows * width);
    cells.forEach((x, i) => {
      if (x < 0)
        throw new ModelError(
          'usage',
          `Row ${Math.floor(i / features) + 1} holds ${x}; this model takes no negative numbers.`,
        );
      if (x === 0) return;
      const at = Math.floor(i / features) * width + (i % features);
      out[at] = Math.sqrt(x * interval);
      for (let j = 1; j < steps; j++) {
        const factor = Math.sqrt((2 * x * interval) / Math.cosh(Math.PI * j * interval));
        const angle = j * (interval * Math.log(x));
        out[at + (2 * j - 1) * features] = factor * Math.cos(angle);
        out[at + 2 * j * features] = factor * Math.sin(angle);
      }
    });
    return float64(out, [rows, width]);
  };
  return {
    methods: {
      transform: (x) =>
        context.plan.step('chi2_map', [context.numeric(x)], [{ name: 'chi2_map', dtype: 'float64' }], ([value]) => [
          run(value as Tensor),
        ])[0],
    },
  };
}

/**
 * Tensor sketch: one count sketch of (√γ x, √c₀) for each degree, and their circular convolution, which the framework computes by Fourier
 * transforms and this by its definition.
 */
function countSketch(estimator: Estimator, context: Context): Lowered {
  const places = estimator.tensor('indexHash_');
  const signs = estimator.vector('bitHash_');
  const [degree = 0, columns = 0] = places.shape;
  const place = toNumbers(places);
  const width = estimator.number('n_components');
  const [gamma, coef0] = [estimator.number('gamma'), estimator.number('coef0')];
  const run = (value: Tensor): Tensor => {
    const cells = toNumbers(value);
    const [rows = 0, features = 0] = value.shape;
    const out = new Float64Array(rows * width);
    for (let row = 0; row < rows; row++) {
      let product: Float64Array | undefined;
      for (let d = 0; d < degree; d++) {
        const sketch = new Float64Array(width);
        for (let j = 0; j < columns; j++) {
          const x = j < features ? Math.sqrt(gamma) * cells[row * features + j]! : Math.sqrt(coef0);
          sketch[place[d * columns + j]!]! += signs[d * columns + j]! * x;
        }
        product = product ? convolve(product, sketch) : sketch;
      }
      out.set(product ?? [], row * width);
    }
    return float64(out, [rows, width]);
  };
  return {
    methods: {
      transform: (x) =>
        context.plan.step('count_sketch', [context.numeric(x)], [{ name: 'sketch', dtype: 'float64' }], ([value]) => [
          run(value as Tensor),
        ])[0],
    },
  };
}

function convolve(a: Float64Array, b: Float64Array): Float64Array {
  const n = a.length;
  const out = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    if (a[i] === 0) continue;
    for (let j = 0; j < n; j++) out[(i + j) % n]! += a[i]! * b[j]!;
  }
  return out;
}

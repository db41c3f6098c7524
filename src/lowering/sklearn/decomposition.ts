import type { Value } from '../../onnx/graph';
import { float64, type Tensor, toNumbers } from '../../onnx/tensor';
import type { PlanValue } from '../plan';
import type { Context, Entry, Lowered } from './context';
import { centredKernel } from './distributions';
import type { Estimator } from './estimator';
import { logLikelihood } from './gaussian-likelihood';
import { kernelMatrix, kernelName } from './kernels';
import { invert } from './matrices';

/** Decompositions whose transform is a projection. Source: sklearn `decomposition/`. */
export const DECOMPOSITIONS: Readonly<Record<string, Entry>> = {
  'sklearn.PCA': { lower: pca },
  'sklearn.RandomizedPCA': {
    lower: randomizedPca,
  },
  'sklearn.IncrementalPCA': { lower: pca },
  'sklearn.TruncatedSVD': { lower: truncated },
  'sklearn.FastICA': { lower: fastIca },
  'sklearn.FactorAnalysis': { lower: factorAnalysis },
  'sklearn.KernelPCA': { lower: kernelPca, features: (e) => e.optionalTensor('X_fit_')?.shape[1] },
  'sklearn.SparsePCA': { lower: sparsePca },
  'sklearn.MiniBatchSparsePCA': { lower: sparsePca },
};

/** (x - shift) · matrixᵀ */
function projection(context: Context, matrix: Tensor, shift?: Tensor): Lowered {
  const { plan } = context;
  const transform = (x: PlanValue): Value => {
    const rows = context.numeric(x);
    const centred = shift ? plan.sub(rows, plan.constant(shift, 'mean')) : rows;
    return plan.matmul(centred, plan.transpose(plan.constant(matrix, 'components')));
  };
  return { methods: { transform } };
}

/** (x - mean_) · components_ᵀ, divided by √explained_variance_ if whitened. Since 1.5 the mean is projected by itself. */
function pca(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const components = estimator.tensor('components_');
  const mean = estimator.optionalTensor('mean_');
  const whiten = estimator.flag('whiten', false);
  const least = estimator.since('1.5') ? 2 ** -52 : 0;
  const scale = whiten
    ? estimator.vector('explained_variance_').map((value) => Math.max(Math.sqrt(value), least))
    : undefined;
  const transform = (x: PlanValue): Value => {
    const rows = context.numeric(x);
    const matrix = plan.transpose(plan.constant(components, 'components'));
    const late = estimator.since('1.5') && mean !== undefined;
    const centred = mean && !late ? plan.sub(rows, plan.constant(mean, 'mean')) : rows;
    let projected = plan.matmul(centred, matrix);
    if (late)
      projected = plan.sub(
        projected,
        plan.matmul(plan.constant(float64(toNumbers(mean), [1, mean.data.length]), 'mean'), matrix),
      );
    return scale ? plan.div(projected, plan.doubles(scale, undefined, 'scale')) : projected;
  };
  const inverse_transform = (x: PlanValue): Value => {
    const rows = context.numeric(x);
    const scaled = scale ? plan.mul(rows, plan.doubles(estimator.vector('explained_variance_').map(Math.sqrt))) : rows;
    const back = plan.matmul(scaled, plan.constant(components, 'components'));
    return mean ? plan.add(back, plan.constant(mean, 'mean')) : back;
  };
  const score = estimator.className === 'PCA' ? pcaLikelihood(estimator, context, components, mean) : undefined;
  return {
    methods: { transform, inverse_transform, ...(score ? { score_samples: score } : {}) },
    inverseWidth: components.shape[0]!,
  };
}

/** As PCA; its components are whitened already. Backwards s · components_ + mean_. */
function randomizedPca(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const components = estimator.tensor('components_');
  const mean = estimator.optionalTensor('mean_');
  const inverse = (x: PlanValue): Value => {
    const back = plan.matmul(context.numeric(x), plan.constant(components, 'components'));
    return mean ? plan.add(back, plan.constant(mean, 'mean')) : back;
  };
  return {
    methods: { ...projection(context, components, mean).methods, inverse_transform: inverse },
    inverseWidth: components.shape[0]!,
  };
}

/** The log likelihood under the covariance Cᵀ diag(λ - σ²) C + σ² I; none where that has no inverse. */
function pcaLikelihood(estimator: Estimator, context: Context, components: Tensor, mean: Tensor | undefined) {
  const noise = estimator.optionalNumber('noise_variance_');
  if (noise === undefined || !mean) return undefined;
  const variance = estimator.vector('explained_variance_');
  const [count = 0, features = 0] = components.shape;
  const whiten = estimator.flag('whiten', false);
  const weights = variance.map((value) => Math.max(value - noise, 0) * (whiten ? value : 1));
  return logLikelihood(
    context,
    toNumbers(mean),
    lowRank(toNumbers(components), weights, count, features, () => noise),
  );
}

/** Cᵀ diag(weights) C + diag(noise) */
function lowRank(
  c: Float64Array,
  weights: Float64Array,
  count: number,
  features: number,
  noise: (feature: number) => number,
): Float64Array {
  const out = new Float64Array(features * features);
  for (let f = 0; f < features; f++) {
    for (let g = 0; g < features; g++) {
      let sum = f === g ? noise(f) : 0;
      for (let k = 0; k < count; k++) sum += c[k * features + f]! * weights[k]! * c[k * features + g]!;
      out[f * features + g] = sum;
    }
  }
  return out;
}

/** x · components_ᵀ */
function truncated(estimator: Estimator, context: Context): Lowered {
  const components = estimator.tensor('components_');
  return {
    methods: {
      ...projection(context, components).methods,
      inverse_transform: (x) =>
        context.plan.matmul(context.numeric(x), context.plan.constant(components, 'components')),
    },
    inverseWidth: components.shape[0]!,
  };
}

/** (x - mean_) · components_ᵀ; backwards s · mixing_ᵀ + mean_. Nothing is subtracted where nothing was whitened. */
function fastIca(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const components = estimator.tensor('components_');
  const mean = estimator.raw('whiten') === false ? undefined : estimator.optionalTensor('mean_');
  const mixing = estimator.optionalTensor('mixing_');
  return {
    methods: {
      ...projection(context, components, mean).methods,
      ...(mixing
        ? {
            inverse_transform: (x: PlanValue) => {
              const back = plan.matmul(context.numeric(x), plan.transpose(plan.constant(mixing, 'mixing')));
              return mean ? plan.add(back, plan.constant(mean, 'mean')) : back;
            },
          }
        : {}),
    },
    inverseWidth: components.shape[0]!,
  };
}

/** (x - mean_) · (C/ψ)ᵀ · (I + (C/ψ) Cᵀ)⁻¹ with ψ the noise variance. */
function factorAnalysis(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const components = estimator.tensor('components_');
  const [count = 0, features = 0] = components.shape;
  const c = toNumbers(components);
  const noise = estimator.vector('noise_variance_');
  const weighted = c.map((value, i) => value / noise[i % features]!);
  const inner = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) {
      let sum = i === j ? 1 : 0;
      for (let f = 0; f < features; f++) sum += weighted[i * features + f]! * c[j * features + f]!;
      inner[i * count + j] = sum;
    }
  }
  const covariance = invert(inner, count);
  if (!covariance) throw estimator.unsupported('its covariance has no inverse');
  const first = projection(context, float64(weighted, [count, features]), estimator.optionalTensor('mean_'));
  const mean = estimator.optionalTensor('mean_');
  const whole = lowRank(c, new Float64Array(count).fill(1), count, features, (feature) => noise[feature]!);
  const score = mean && logLikelihood(context, toNumbers(mean), whole);
  return {
    methods: {
      transform: (x) =>
        plan.matmul(first.methods.transform!(x) as Value, plan.doubles(covariance, [count, count], 'covariance')),
      ...(score ? { score_samples: score } : {}),
    },
  };
}

/** The ridge regression of x - mean_ on the components: (C Cᵀ + αI)⁻¹ C x. */
function sparsePca(estimator: Estimator, context: Context): Lowered {
  if (!estimator.since('0.22') && !estimator.flag('normalize_components', false))
    throw estimator.unsupported(
      'before 0.22 it scales each column by the rows that are transformed with it, so that a row has no result of its own',
    );
  const components = estimator.tensor('components_');
  const [count = 0, features = 0] = components.shape;
  const c = toNumbers(components);
  const alpha = estimator.number('ridge_alpha');
  const gram = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) {
      let sum = i === j ? alpha : 0;
      for (let f = 0; f < features; f++) sum += c[i * features + f]! * c[j * features + f]!;
      gram[i * count + j] = sum;
    }
  }
  const inverse = invert(gram, count);
  if (!inverse) throw estimator.unsupported('its components depend on each other');
  const solved = new Float64Array(count * features);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) {
      for (let f = 0; f < features; f++) solved[i * features + f]! += inverse[i * count + j]! * c[j * features + f]!;
    }
  }
  const mean = estimator.optionalTensor('mean_');
  const { transform } = projection(context, float64(solved, [count, features]), mean).methods;
  if (!estimator.since('1.2')) return { methods: { transform: transform! } };
  const { plan } = context;
  const restore = (x: PlanValue): Value => {
    const back = plan.matmul(context.numeric(x), plan.constant(components, 'components'));
    return mean ? plan.add(back, plan.constant(mean, 'mean')) : back;
  };
  return { methods: { transform: transform!, inverse_transform: restore }, inverseWidth: count };
}

/** From a kernel with the training rows: centred · eigenvectors_ / √eigenvalues_. */
export function centredComponents(estimator: Estimator, context: Context): (kernel: Value) => Value {
  const { plan } = context;
  const vectors = estimator.tensor('eigenvectors_', 'alphas_');
  const values = estimator.vector('eigenvalues_', 'lambdas_');
  const [count = 0, width = 0] = vectors.shape;
  const guarded = estimator.since('0.22');
  // What was fitted on float32 is divided in float32.
  const round = estimator.array('eigenvectors_', 'alphas_').dtype.type === 'float32' ? Math.fround : (x: number) => x;
  const scaled = toNumbers(vectors).map((value, i) => {
    const eigenvalue = values[i % width]!;
    return guarded && eigenvalue === 0 ? 0 : round(value / round(Math.sqrt(eigenvalue)));
  });
  const centerer = estimator.child('_centerer');
  return (kernel) =>
    plan.matmul(centredKernel(centerer, context, kernel), plan.doubles(scaled, [count, width], 'eigenvectors'));
}

/** The centred kernel with the training rows · eigenvectors_ / √eigenvalues_. */
function kernelPca(estimator: Estimator, context: Context): Lowered {
  const points = estimator.tensor('X_fit_');
  const kernel = pairwiseKernel(estimator, points, 1);
  const components = centredComponents(estimator, context);
  return {
    methods: {
      transform: (x) => components(kernelMatrix(estimator, context, kernel, x, points)),
      ...kernelInverse(estimator, context),
    },
    inverseWidth: estimator.tensor('eigenvectors_', 'alphas_').shape[1]!,
  };
}

/** K(x, X_transformed_fit_) · dual_coef_, where `fit_inverse_transform` learnt it. */
function kernelInverse(estimator: Estimator, context: Context): Pick<Lowered['methods'], 'inverse_transform'> {
  const points = estimator.flag('fit_inverse_transform', false)
    ? estimator.optionalTensor('X_transformed_fit_')
    : undefined;
  const dual = estimator.optionalTensor('dual_coef_');
  if (!points || !dual) return {};
  const kernel = pairwiseKernel(estimator, points, 1);
  return {
    inverse_transform: (x) =>
      context.plan.matmul(
        kernelMatrix(estimator, context, kernel, x, points),
        context.plan.constant(dual, 'dual_coef'),
      ),
  };
}

/** Parameters of `pairwise_kernels`: gamma is 1 / columns by default (1 for chi2). */
export function pairwiseKernel(estimator: Estimator, points: Tensor, coef0: number) {
  const name = kernelName(estimator);
  const gamma =
    estimator.optionalNumber('gamma_', 'gamma') ?? (name === 'chi2' ? 1 : 1 / Math.max(1, points.shape[1] ?? 1));
  return {
    name,
    gamma,
    degree: estimator.optionalNumber('degree') ?? 3,
    coef0: estimator.optionalNumber('coef0') ?? coef0,
  };
}

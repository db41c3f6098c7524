import type { Value } from '../../onnx/graph';
import { toNumbers } from '../../onnx/tensor';
import type { PlanValue } from '../plan';
import type { Context, Entry, Lowered } from './context';
import type { Estimator } from './estimator';
import { digamma } from './special';

/** Gaussian mixtures. Source: sklearn `mixture/_gaussian_mixture.py`, `_bayesian_mixture.py`. */
export const MIXTURES: Readonly<Record<string, Entry>> = {
  'sklearn.GaussianMixture': { lower: mixture, features: (e) => e.optionalTensor('means_')?.shape[1] },
  'sklearn.BayesianGaussianMixture': { lower: mixture, features: (e) => e.optionalTensor('means_')?.shape[1] },
};

/** log N(x | k) + log w_k for every component; the responsibilities are its softmax, the score its logsumexp. */
function mixture(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const means = estimator.tensor('means_');
  const [count = 0, features = 0] = means.shape;
  const bayesian = estimator.className.startsWith('Bayesian');
  const offsets = bayesian
    ? bayesianOffsets(estimator, count, features)
    : { log: Array.from(estimator.vector('weights_'), Math.log), extra: new Array<number>(count).fill(0) };
  const precisions = estimator.tensor('precisions_cholesky_', 'precisions_');
  const shape = estimator.text('covariance_type');
  const p = toNumbers(precisions);
  const logDet = logDeterminants(shape, p, count, features);

  const joint = context.memo((x: PlanValue): Value => {
    const rows = context.numeric(x);
    const columns: Value[] = [];
    for (let k = 0; k < count; k++) {
      const mean = Float64Array.from({ length: features }, (_, f) => (means.data as Float64Array)[k * features + f]!);
      let distance: Value;
      if (shape === 'full' || shape === 'tied') {
        const size = features * features;
        const matrix = Float64Array.from({ length: size }, (_, i) => p[(shape === 'full' ? k * size : 0) + i]!);
        const weights = plan.doubles(matrix, [features, features], 'precision');
        const centre = Float64Array.from({ length: features }, (_, j) => {
          let sum = 0;
          for (let f = 0; f < features; f++) sum += mean[f]! * matrix[f * features + j]!;
          return sum;
        });
        distance = plan.reduceSum(plan.square(plan.sub(plan.matmul(rows, weights), plan.doubles(centre))), [1], true);
      } else {
        // Diagonal and spherical: Σ (x - μ)² p². scikit-learn expands the square, which costs digits only far from the mean.
        const own = Float64Array.from({ length: features }, (_, f) => p[shape === 'diag' ? k * features + f : k]! ** 2);
        distance = plan.reduceSum(
          plan.mul(plan.square(plan.sub(rows, plan.doubles(mean))), plan.doubles(own)),
          [1],
          true,
        );
      }
      const constant = -0.5 * features * Math.log(2 * Math.PI) + logDet[k]! + offsets.extra[k]! + offsets.log[k]!;
      columns.push(plan.add(plan.mul(distance, -0.5), constant));
    }
    return plan.concat(columns, 1);
  });
  const score = context.memo((x: PlanValue) => plan.reduceLogSumExp(joint(x), [1], true));
  return {
    methods: {
      predict: (x) => plan.argmax(joint(x), 1),
      predict_proba: (x) => plan.exp(plan.sub(joint(x), score(x))),
      score_samples: (x) => plan.squeeze(score(x), 1),
    },
  };
}

/** log det of the Cholesky factors of the precisions. */
function logDeterminants(shape: string, p: ArrayLike<number>, count: number, features: number): number[] {
  return Array.from({ length: count }, (_, k) => {
    let sum = 0;
    for (let f = 0; f < features; f++) {
      if (shape === 'full') sum += Math.log(p[k * features * features + f * features + f]!);
      else if (shape === 'tied') sum += Math.log(p[f * features + f]!);
      else if (shape === 'diag') sum += Math.log(p[k * features + f]!);
      else sum += Math.log(p[k]!);
    }
    return sum;
  });
}

/**
 * Variational terms: E[log w_k] by digamma, and ½ (E[log λ] - features / mean_precision) with the degrees of freedom taken out of the Gaussian.
 */
function bayesianOffsets(estimator: Estimator, count: number, features: number): { log: number[]; extra: number[] } {
  // Tied covariances share one number.
  const given = estimator.vector('degrees_of_freedom_');
  const freedom = Array.from({ length: count }, (_, k) => given[given.length === 1 ? 0 : k]!);
  const precision = estimator.vector('mean_precision_');
  const extra = Array.from({ length: count }, (_, k) => {
    let logLambda = features * Math.log(2);
    for (let f = 0; f < features; f++) logLambda += digamma(0.5 * (freedom[k]! - f));
    return -0.5 * features * Math.log(freedom[k]!) + 0.5 * (logLambda - features / precision[k]!);
  });
  const concentration = estimator.items('weight_concentration_');
  let log: number[];
  if (estimator.text('weight_concentration_prior_type') === 'dirichlet_process') {
    const a = estimator.arrayIn('weight_concentration_', 0).toFloat64();
    const b = estimator.arrayIn('weight_concentration_', 1).toFloat64();
    let before = 0;
    log = Array.from({ length: count }, (_, k) => {
      const sum = digamma(a[k]! + b[k]!);
      const value = digamma(a[k]!) - sum + before;
      before += digamma(b[k]!) - sum;
      return value;
    });
  } else {
    const alpha = estimator.vector('weight_concentration_');
    const total = digamma(alpha.reduce((sum, value) => sum + value, 0));
    log = Array.from(alpha, (value) => digamma(value) - total);
  }
  if (!concentration && log.length === 0) throw estimator.unsupported('it has no weights');
  return { log, extra };
}

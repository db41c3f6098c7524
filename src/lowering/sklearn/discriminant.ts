import type { Value } from '../../onnx/graph';
import { toNumbers } from '../../onnx/tensor';
import type { PlanValue } from '../plan';
import { binaryProbabilities, labelOfLargest, labelOfSign, onlyClasses } from './classifiers';
import type { Context, Entry, Lowered } from './context';
import { asTensor, type Estimator } from './estimator';

/** Discriminant analysis. Source: sklearn `discriminant_analysis.py`. */
export const DISCRIMINANTS: Readonly<Record<string, Entry>> = {
  'sklearn.LinearDiscriminantAnalysis': { lower: linear },
  // The names of 0.18 and before.
  'sklearn.LDA': { lower: linear },
  'sklearn.QDA': { lower: quadratic, features: (e) => e.optionalTensor('means_')?.shape[1] },
  'sklearn.QuadraticDiscriminantAnalysis': { lower: quadratic, features: (e) => e.optionalTensor('means_')?.shape[1] },
};

/**
 * d = x · coef_ᵀ + intercept_. Two classes: P = expit(d); more: softmax(d) since 0.22, before each class's expit, normalised.
 * transform: (x - xbar_) · scalings_ (svd) or x · scalings_ (eigen), the first `_max_components` columns.
 */
function linear(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const classes = onlyClasses(estimator);
  const weights = plan.transpose(plan.constant(estimator.tensor('coef_'), 'coef'));
  const intercept = plan.constant(estimator.tensor('intercept_'), 'intercept');
  const binary = classes.shape[0] === 2;
  const scores = context.memo((x: PlanValue) => {
    const d = plan.add(plan.matmul(context.numeric(x), weights), intercept);
    return binary ? plan.squeeze(d, 1) : d;
  });
  const proba = context.memo((x: PlanValue): Value => {
    const d = scores(x);
    if (binary) return binaryProbabilities(context, plan.expit(d));
    if (estimator.since('0.22')) {
      const e = plan.exp(plan.sub(d, plan.reduceMax(d, [1], true)));
      return plan.div(e, plan.reduceSum(e, [1], true));
    }
    const each = plan.expit(d);
    return plan.div(each, plan.reduceSum(each, [1], true));
  });
  const methods: { -readonly [K in keyof Lowered['methods']]: Lowered['methods'][K] } = {
    predict: (x) =>
      binary ? labelOfSign(context, classes, plan.greater(scores(x), 0)) : labelOfLargest(context, classes, scores(x)),
    predict_proba: proba,
    predict_log_proba: (x) => {
      const p = proba(x);
      // Since 1.0 a probability of 0 is raised to the smallest positive number before the logarithm.
      return plan.log(estimator.since('1.0') ? plan.where(plan.equal(p, 0), 2.2250738585072014e-308, p) : p);
    },
    decision_function: scores,
  };
  const scalings = estimator.optionalTensor('scalings_');
  if (scalings && estimator.optionalText('solver') !== 'lsqr') {
    const width = Math.min(
      estimator.optionalNumber('_max_components') ?? scalings.shape[1] ?? 0,
      scalings.shape[1] ?? 0,
    );
    const center = estimator.optionalText('solver') === 'eigen' ? undefined : estimator.optionalTensor('xbar_');
    methods.transform = (x) => {
      const rows = center ? plan.sub(context.numeric(x), plan.constant(center, 'xbar')) : context.numeric(x);
      return plan.slice(plan.matmul(rows, plan.constant(scalings, 'scalings')), 1, 0, width);
    };
  }
  return { classes, methods };
}

/** d_k = -½ (Σ z² + Σ log S_k) + log prior_k with z = (x - mean_k) · R_k S_k^-½; P = softmax(d). */
function quadratic(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const classes = onlyClasses(estimator);
  const means = estimator.tensor('means_');
  const features = means.shape[1] ?? 0;
  const rotations = estimator.items('rotations_') ?? [];
  const spreads = estimator.items('scalings_') ?? [];
  const priors = estimator.vector('priors_');
  const decision = context.memo((x: PlanValue): Value => {
    const rows = context.numeric(x);
    const columns = rotations.map((item, k) => {
      const [rotation, spread] = [asTensor(item), asTensor(spreads[k] ?? null)];
      if (!rotation || !spread) throw estimator.unsupported('its rotations_ and scalings_ are not arrays');
      const width = rotation.shape[1] ?? 0;
      const s = Float64Array.from(toNumbers(spread));
      const scaled = Float64Array.from(toNumbers(rotation), (value, i) => value * s[i % width]! ** -0.5);
      const mean = Float64Array.from(means.data as Float64Array).subarray(k * features, (k + 1) * features);
      const z = plan.matmul(
        plan.sub(rows, plan.doubles(mean, [features], 'mean')),
        plan.doubles(scaled, [features, width], 'rotation'),
      );
      const norm = plan.reduceSum(plan.square(z), [1], true);
      const u = s.reduce((sum, value) => sum + Math.log(value), 0);
      return plan.add(plan.mul(plan.add(norm, u), -0.5), Math.log(priors[k]!));
    });
    return plan.concat(columns, 1);
  });
  const proba = context.memo((x: PlanValue): Value => {
    const d = decision(x);
    const likelihood = plan.exp(plan.sub(d, plan.reduceMax(d, [1], true)));
    return plan.div(likelihood, plan.reduceSum(likelihood, [1], true));
  });
  return {
    classes,
    methods: {
      // A class whose covariance has no spread gives NaN, which NumPy takes for the largest.
      predict: (x) =>
        labelOfLargest(context, classes, plan.where(plan.isNaN(decision(x)), Number.POSITIVE_INFINITY, decision(x))),
      predict_proba: proba,
      predict_log_proba: (x) => (estimator.since('1.6') ? plan.logSoftmax(decision(x)) : plan.log(proba(x))),
      decision_function: (x) => {
        const d = decision(x);
        return classes.shape[0] === 2 ? plan.sub(plan.column(d, 1), plan.column(d, 0)) : d;
      },
    },
  };
}

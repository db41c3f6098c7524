import type { Value } from '../../onnx/graph';
import { float64 } from '../../onnx/tensor';
import type { PlanValue } from '../plan';
import { labelOfLargest, onlyClasses } from './classifiers';
import type { Context, Entry, Lowered } from './context';
import { asTensor, type Estimator } from './estimator';

/**
 * Naive Bayes: the joint log likelihood of each class, normalised over the classes. Source: sklearn `naive_bayes.py`; the methods
 * below are `_joint_log_likelihood` of each class there.
 */
export const NAIVE_BAYES: Readonly<Record<string, Entry>> = {
  'sklearn.GaussianNB': { lower: gaussian },
  'sklearn.MultinomialNB': { lower: multinomial },
  'sklearn.ComplementNB': { lower: complement },
  'sklearn.BernoulliNB': { lower: bernoulli },
  'sklearn.CategoricalNB': {
    lower: categorical,
    features: (estimator) => estimator.items('feature_log_prob_')?.length,
  },
};

/** The methods that follow from the joint log likelihood (rows × classes). */
function fromJoint(estimator: Estimator, context: Context, joint: (x: PlanValue) => Value): Lowered {
  const { plan } = context;
  const classes = onlyClasses(estimator);
  const shared = context.memo(joint);
  // log P(c | x) = joint - logsumexp(joint), and P is its exponential, as `predict_proba` computes it.
  const logProbability = context.memo((x: PlanValue) => {
    const scores = shared(x);
    return plan.sub(scores, plan.reduceLogSumExp(scores, [1], true));
  });
  return {
    classes,
    methods: {
      predict: (x) => labelOfLargest(context, classes, shared(x)),
      predict_proba: (x) => plan.exp(logProbability(x)),
      predict_log_proba: logProbability,
    },
  };
}

/** log prior - ½ Σ log(2π σ²) - ½ Σ (x - θ)² / σ². `var_` was `sigma_` before 1.0. */
function gaussian(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const theta = estimator.tensor('theta_');
  const variance = estimator.vector('var_', 'sigma_');
  const [classes = 0, features = 0] = theta.shape;
  const prior = estimator.vector('class_prior_');
  const constant = Float64Array.from({ length: classes }, (_, c) => {
    let sum = 0;
    for (let f = 0; f < features; f++) sum += Math.log(2 * Math.PI * variance[c * features + f]!);
    return Math.log(prior[c]!) - 0.5 * sum;
  });
  return fromJoint(estimator, context, (x) => {
    const rows = plan.unsqueeze(context.numeric(x), 1);
    const difference = plan.sub(rows, plan.constant(theta, 'theta'));
    const scaled = plan.div(plan.square(difference), plan.doubles(variance, [classes, features], 'variance'));
    return plan.sub(plan.doubles(constant, undefined, 'log_prior'), plan.mul(plan.reduceSum(scaled, [2]), 0.5));
  });
}

/** x · feature_log_prob_ᵀ + class_log_prior_ */
function multinomial(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const weights = plan.transpose(plan.constant(estimator.tensor('feature_log_prob_'), 'feature_log_prob'));
  const prior = plan.doubles(estimator.vector('class_log_prior_'), undefined, 'log_prior');
  return fromJoint(estimator, context, (x) => plan.add(plan.matmul(context.numeric(x), weights), prior));
}

/** x · feature_log_prob_ᵀ; the prior counts only where there is a single class. */
function complement(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const table = estimator.tensor('feature_log_prob_');
  const weights = plan.transpose(plan.constant(table, 'feature_log_prob'));
  return fromJoint(estimator, context, (x) => {
    const joint = plan.matmul(context.numeric(x), weights);
    return table.shape[0] === 1 ? plan.add(joint, plan.doubles(estimator.vector('class_log_prior_'))) : joint;
  });
}

/** b · (log p - log(1 - p))ᵀ + prior + Σ log(1 - p), with b = x > binarize. */
function bernoulli(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const table = estimator.tensor('feature_log_prob_');
  const [classes = 0, features = 0] = table.shape;
  const log = table.data as Float64Array;
  const negative = log.map((value) => Math.log(1 - Math.exp(value)));
  const prior = estimator.vector('class_log_prior_');
  const constant = Float64Array.from({ length: classes }, (_, c) => {
    let sum = 0;
    for (let f = 0; f < features; f++) sum += negative[c * features + f]!;
    return sum;
  });
  const weights = new Float64Array(features * classes);
  for (let c = 0; c < classes; c++) {
    for (let f = 0; f < features; f++) weights[f * classes + c] = log[c * features + f]! - negative[c * features + f]!;
  }
  const threshold = estimator.optionalNumber('binarize');
  return fromJoint(estimator, context, (x) => {
    const rows = context.numeric(x);
    const bits = threshold === undefined ? rows : plan.cast(plan.greater(rows, threshold), 'float64');
    const joint = plan.matmul(bits, plan.doubles(weights, [features, classes], 'weights'));
    return plan.add(
      plan.add(joint, plan.doubles(prior, undefined, 'log_prior')),
      plan.doubles(constant, undefined, 'log_not'),
    );
  });
}

/** Σ_f feature_log_prob_[f][:, x_f] + class_log_prior_; the cells are category numbers. */
function categorical(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const tables = (estimator.items('feature_log_prob_') ?? []).map((item) => {
    const tensor = asTensor(item);
    if (!tensor) throw estimator.unsupported('its feature_log_prob_ is not a list of arrays');
    return tensor;
  });
  const prior = plan.doubles(estimator.vector('class_log_prior_'), undefined, 'log_prior');
  return fromJoint(estimator, context, (x) => {
    const rows = plan.cast(context.numeric(x), 'int64');
    let joint: Value | undefined;
    tables.forEach((table, feature) => {
      const [classes = 0, categories = 0] = table.shape;
      const byCategory = new Float64Array(categories * classes);
      const data = table.data as Float64Array;
      for (let c = 0; c < classes; c++) {
        for (let k = 0; k < categories; k++) byCategory[k * classes + c] = data[c * categories + k]!;
      }
      // A category that was not there while fitting is an index out of range, which the runtime refuses as the framework does.
      const picked = plan.gather(
        plan.constant(float64(byCategory, [categories, classes]), 'log_prob'),
        plan.column(rows, feature),
        0,
      );
      joint = joint ? plan.add(joint, picked) : picked;
    });
    if (!joint) throw estimator.unsupported('it has no features');
    return plan.add(joint, prior);
  });
}

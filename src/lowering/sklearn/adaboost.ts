import type { Value } from '../../onnx/graph';
import type { PlanValue } from '../plan';
import { labelOfLargest, labelOfSign, onlyClasses } from './classifiers';
import type { Context, Entry, Lowered } from './context';
import type { Estimator } from './estimator';
import { takesWhat } from './inner';

const fitted = (estimator: Estimator): Estimator[] => estimator.children('estimators_');

/** AdaBoost. Source: sklearn `ensemble/_weight_boosting.py` (`weight_boosting.py` to 0.21). */
export const ADABOOST: Readonly<Record<string, Entry>> = {
  'sklearn.AdaBoostClassifier': { lower: classifier, ...takesWhat(fitted) },
  'sklearn.AdaBoostRegressor': { lower: regressor, ...takesWhat(fitted) },
  // Source: imblearn `ensemble/_weight_boosting.py`: pipelines_ hold the samplers, estimators_ what they fitted.
  'imblearn.RUSBoostClassifier': { lower: classifier, ...takesWhat(fitted) },
};

/** Smallest probability before a logarithm: `numpy.finfo(float64).eps`. */
const EPSILON = 2.220446049250313e-16;

/**
 * SAMME: Σ w [prediction = k], since 1.3 minus w / (K - 1) elsewhere. SAMME.R (until 1.5): Σ (K - 1)(log p_k - mean log p). Both over Σ w. Two
 * classes: the difference. Probabilities: softmax(d / (K - 1)), for two classes of [-d, d] / 2; before 0.21 from the inner probabilities.
 */
function classifier(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const classes = onlyClasses(estimator);
  const count = classes.shape[0] ?? 0;
  const inner = fitted(estimator);
  const weights = estimator.vector('estimator_weights_').subarray(0, inner.length);
  const total = estimator.vector('estimator_weights_').reduce((a, b) => a + b, 0);
  const real = estimator.optionalText('algorithm') === 'SAMME.R';
  // Only scikit-learn's own classes carry its version.
  const since = (version: string) => (estimator.version ? estimator : (inner[0] ?? estimator)).since(version);
  const sumOf = (values: readonly Value[]): Value => values.reduce((a, b) => plan.add(a, b));
  // (K - 1)(log p - mean log p), the part of one estimator.
  const realPart = (e: Estimator, x: PlanValue): Value => {
    const p = context.single(e, 'predict_proba')(x);
    const log = plan.log(plan.max(p, EPSILON));
    return plan.mul(plan.sub(log, plan.mul(plan.reduceSum(log, [1], true), 1 / count)), count - 1);
  };
  const scores = context.memo((x: PlanValue): Value => {
    const parts = inner.map((e, i) => {
      if (real) return realPart(e, x);
      const hit = sameLabel(context, context.single(e, 'predict')(x), classes, count);
      const miss = since('1.3') ? -weights[i]! / (count - 1) : 0;
      return plan.where(hit, plan.scalar(weights[i]!, 'float64'), plan.scalar(miss, 'float64'));
    });
    return plan.div(sumOf(parts), total);
  });
  const decision = context.memo((x: PlanValue): Value => {
    if (count !== 2) return scores(x);
    return plan.sub(plan.column(scores(x), 1), plan.column(scores(x), 0));
  });
  const proba = context.memo((x: PlanValue): Value => {
    if (count === 1)
      return plan.perRow(context.numeric(x), { dtype: 'float64', shape: [1, 1], data: Float64Array.of(1) });
    if (!since('0.21')) return oldProbabilities(x);
    let raw: Value;
    if (count === 2) {
      const d = plan.unsqueeze(decision(x), 1);
      raw = plan.div(plan.concat([plan.neg(d), d], 1), 2);
    } else raw = plan.div(decision(x), count - 1);
    const e = plan.exp(plan.sub(raw, plan.reduceMax(raw, [1], true)));
    return plan.div(e, plan.reduceSum(e, [1], true));
  });
  const oldProbabilities = (x: PlanValue): Value => {
    const parts = inner.map((e, i) =>
      real ? realPart(e, x) : plan.mul(context.single(e, 'predict_proba')(x), weights[i]!),
    );
    const e = plan.exp(plan.mul(plan.div(sumOf(parts), total), 1 / (count - 1)));
    const norm = plan.reduceSum(e, [1], true);
    return plan.div(e, plan.where(plan.equal(norm, 0), 1, norm));
  };
  return {
    classes,
    methods: {
      predict: (x) =>
        count === 2
          ? labelOfSign(context, classes, plan.greater(decision(x), 0))
          : labelOfLargest(context, classes, scores(x)),
      predict_proba: proba,
      predict_log_proba: (x) => plan.log(proba(x)),
      decision_function: decision,
    },
  };
}

/** rows × classes: whether a row's label is the class. */
function sameLabel(context: Context, labels: Value, classes: ReturnType<typeof onlyClasses>, count: number): Value {
  const { plan } = context;
  const all = plan.reshape(plan.constant(classes, 'classes'), [1, count]);
  const own = plan.unsqueeze(labels, 1);
  // Bool has no Equal with broadcasting to strings or the like; numbers of 8 bits are compared as int64.
  if (own.dtype === 'bool' || own.dtype.endsWith('8') || own.dtype.endsWith('16'))
    return plan.equal(plan.cast(own, 'int64'), plan.cast(all, 'int64'));
  return plan.equal(own, all);
}

/** The weighted median of the estimators' predictions: the first, in rising order, at which half of the weight is reached. */
function regressor(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const inner = fitted(estimator);
  const weights = plan.doubles(estimator.vector('estimator_weights_').subarray(0, inner.length), undefined, 'weights');
  return {
    methods: {
      predict: (x) => {
        const columns = inner.map((e) => plan.unsqueeze(plan.cast(context.single(e, 'predict')(x), 'float64'), 1));
        const [sorted, order] = plan.topK(plan.concat(columns, 1), inner.length, 1, false);
        const cumulative = plan.cumsum(plan.gather(weights, order, 0), 1);
        const half = plan.mul(plan.slice(cumulative, 1, inner.length - 1), 0.5);
        const reached = plan.cast(plan.greaterOrEqual(cumulative, half), 'int64');
        return plan.squeeze(plan.gatherElements(sorted, plan.argmax(reached, 1, true), 1), 1);
      },
    },
  };
}

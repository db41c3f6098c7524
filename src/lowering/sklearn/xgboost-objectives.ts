import type { Booster } from '../../formats/xgboost/model';
import type { Value } from '../../onnx/graph';
import type { Context } from './context';
import type { Estimator } from './estimator';

const LOGISTIC = new Set(['binary:logistic', 'reg:logistic']);
const LOGARITHMIC = new Set(['count:poisson', 'reg:gamma', 'reg:tweedie', 'survival:cox', 'survival:aft']);
const PLAIN =
  /^(reg:(linear|squarederror|squaredlogerror|absoluteerror|pseudohubererror|quantileerror|expectileerror)|rank:\w+|binary:(hinge|logitraw)|multi:\w+)$/;

/** `kRtEps`: the distance that expectiles keep. */
const SMALL = Math.fround(1e-6);

/**
 * The base score of each output as a margin, float32: it is stored on the scale of the results (`ProbToMargin`).
 * Source: xgboost `objective/*.cc`, `regression_loss.h`.
 */
export function baseMargins(estimator: Estimator, booster: Booster, outputs: number): Float32Array {
  const { objective, baseScore, baseIsRaw } = booster;
  if (!LOGISTIC.has(objective) && !LOGARITHMIC.has(objective) && !PLAIN.test(objective)) {
    throw estimator.unsupported(`its objective "${objective}" is not known`);
  }
  if (baseScore.length !== 1 && baseScore.length !== outputs)
    throw estimator.unsupported('it has a base score for some of its outputs only');
  const scores = Float32Array.from({ length: outputs }, (_, i) => baseScore[baseScore.length === 1 ? 0 : i]!);
  if (baseIsRaw) return scores;
  const [major = 0, minor = 0] = booster.version ?? [];
  // `binary:logitraw` takes its base as it is since 1.3.
  if (LOGISTIC.has(objective) || (objective === 'binary:logitraw' && major <= 1 && minor < 3)) {
    const inside = (score: number) => (major >= 3 ? Math.min(Math.max(score, SMALL), Math.fround(1 - SMALL)) : score);
    return scores.map((score) => -Math.log(Math.fround(Math.fround(1 / inside(score)) - 1)));
  }
  if (LOGARITHMIC.has(objective)) return scores.map((score) => Math.log(score));
  if (objective === 'reg:expectileerror')
    return scores.map((score, i) => (i === 0 ? score : softplusInverse(Math.fround(score - scores[i - 1]! - SMALL))));
  return scores;
}

/** The inverse of log(1 + exp(x)), in float32. */
function softplusInverse(x: number): number {
  const above = Math.max(x, SMALL);
  return above + Math.fround(Math.log(-Math.fround(Math.expm1(-above))));
}

/** What `Booster.predict` makes of margins (rows × outputs): float32, operation by operation. */
export function transformed(context: Context, booster: Booster, outputs: number, margin: Value): Value {
  const { plan } = context;
  const { objective } = booster;
  const flat = (value: Value) => (outputs === 1 ? plan.squeeze(value, 1) : value);
  if (objective === 'multi:softmax') return plan.cast(plan.argmax(margin, 1), 'float32');
  if (objective === 'multi:softprob') return flat(softmax(context, margin));
  if (LOGISTIC.has(objective)) return flat(sigmoid(context, margin));
  if (LOGARITHMIC.has(objective)) return flat(exponential(context, margin));
  if (objective === 'binary:hinge') return flat(plan.cast(plan.greater(margin, 0), 'float32'));
  if (objective === 'reg:expectileerror' && outputs > 1) return expectiles(context, margin, outputs);
  return flat(margin);
}

/** The exponential in float64, rounded to float32: C's `expf` gives that but for the last bit. */
function exponential(context: Context, x: Value): Value {
  const { plan } = context;
  return plan.cast(plan.exp(plan.cast(x, 'float64')), 'float32');
}

/** 1 / (1 + exp(-x)), the argument at most 88.7. */
function sigmoid(context: Context, x: Value): Value {
  const { plan } = context;
  return plan.div(1, plan.add(exponential(context, plan.min(plan.neg(x), 88.7)), 1));
}

/** exp(x - max) divided by its sum, which is taken in float64. */
export function softmax(context: Context, x: Value): Value {
  const { plan } = context;
  const powers = exponential(context, plan.sub(x, plan.reduceMax(x, [1], true)));
  const sum = plan.cast(plan.reduceSum(plan.cast(powers, 'float64'), [1], true), 'float32');
  return plan.div(powers, sum);
}

/** Each expectile is the one before it plus a small distance and log(1 + exp(margin)), in float32. */
function expectiles(context: Context, margin: Value, outputs: number): Value {
  const { plan } = context;
  const x = plan.slice(margin, 1, 1);
  // log(1 + exp(x)) without overflow: max(x, 0) + log1p(exp(-|x|)).
  const power = plan.cast(exponential(context, plan.neg(plan.abs(x))), 'float64');
  const more = plan.add(power, 1);
  const exact = plan.div(plan.mul(plan.log(more), power), plan.sub(more, 1));
  const log1p = plan.cast(plan.where(plan.equal(more, 1), power, exact), 'float32');
  const steps = plan.add(plan.add(plan.max(x, 0), log1p), SMALL);
  return plan.slice(plan.cumsum(plan.concat([plan.slice(margin, 1, 0, 1), steps], 1), 1), 1, 0, outputs);
}

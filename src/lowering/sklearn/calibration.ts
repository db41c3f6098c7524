import type { Value } from '../../onnx/graph';
import { isStringData, type Tensor } from '../../onnx/tensor';
import type { PlanValue } from '../plan';
import { labelOfLargest, onlyClasses } from './classifiers';
import type { Context, Entry, Lowered } from './context';
import type { Estimator } from './estimator';
import { takesWhat } from './inner';
import { labelTensor } from './labels';

const calibrated = (estimator: Estimator): Estimator[] => estimator.children('calibrated_classifiers_');
const base = (one: Estimator): Estimator => one.child('estimator', 'base_estimator');

/** Calibrated probabilities. Source: sklearn `calibration.py`. */
export const CALIBRATION: Readonly<Record<string, Entry>> = {
  'sklearn.CalibratedClassifierCV': { lower: classifier, ...takesWhat((e) => calibrated(e).map(base)) },
};

/** The mean of the calibrated probabilities of the folds (one with `cv="prefit"` or `ensemble=False`). */
function classifier(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const classes = onlyClasses(estimator);
  const folds = calibrated(estimator);
  if (folds.length === 0) throw estimator.unsupported('it holds no calibrated classifiers');
  const parts = folds.map((one) => probabilities(one, context, classes));
  const mean = context.memo((x: PlanValue): Value => {
    const sum = parts.map((part) => plan.cast(part(x), 'float64')).reduce((a, b) => plan.add(a, b));
    return plan.div(sum, parts.length);
  });
  return {
    classes,
    methods: { predict: (x) => labelOfLargest(context, classes, mean(x)), predict_proba: mean },
  };
}

/**
 * Scores are decisions, else probabilities (of two classes the second). "sigmoid": 1 / (1 + exp(a s + b)), "isotonic": the regression, each for a
 * class of its own and then divided by their sum (1 / classes where it is 0); "temperature" (since 1.8): softmax(β · logits).
 */
function probabilities(one: Estimator, context: Context, all: Tensor): (x: PlanValue) => Value {
  const { plan } = context;
  const inner = base(one);
  const own = one.optionalArray('classes', 'classes_');
  const classes = own ? labelTensor(own) : all;
  const count = classes.shape[0] ?? 0;
  const decides = context.lower(inner).methods.decision_function !== undefined;
  const scores = (x: PlanValue): Value => {
    if (decides) {
      const decision = context.single(inner, 'decision_function')(x);
      return count === 2 ? plan.reshape(decision, [-1, 1]) : decision;
    }
    const p = context.single(inner, 'predict_proba')(x);
    return count === 2 ? plan.slice(p, 1, 1) : p;
  };
  const calibrators = one.children('calibrators', 'calibrators_');
  const capped = (p: Value): Value => plan.where(plan.and(plan.greater(p, 1), plan.lessOrEqual(p, 1 + 1e-5)), 1, p);
  if (calibrators.length === 1 && calibrators[0]!.className === '_TemperatureScaling') {
    const beta = calibrators[0]!.number('beta_');
    return (x) => capped(plan.softmax(plan.mul(logits(context, scores(x), count, decides), beta)));
  }
  // Of two classes the only score is the second's.
  const places = count === 2 ? [1] : positions(innerClasses(inner, context), classes, one);
  if (places.length !== calibrators.length) throw one.unsupported('its calibrators do not fit its classes');
  return (x) => {
    const s = scores(x);
    const columns: (Value | undefined)[] = Array.from({ length: count }, () => undefined);
    calibrators.forEach((calibrator, i) => {
      columns[places[i]!] = calibrate(calibrator, context, plan.slice(s, 1, i, i + 1));
    });
    if (count === 2) return capped(plan.concat([plan.sub(1, columns[1]!), columns[1]!], 1));
    const zero = plan.mul(plan.slice(s, 1, 0, 1), 0);
    const p = plan.concat(
      columns.map((column) => column ?? zero),
      1,
    );
    const sum = plan.reduceSum(p, [1], true);
    const none = plan.equal(sum, 0);
    return capped(plan.where(none, 1 / count, plan.div(p, plan.where(none, 1, sum))));
  };
}

/** The labels of the classifier inside, a pipeline or a frozen one included. */
function innerClasses(inner: Estimator, context: Context): Tensor {
  const { classes } = context.lower(inner);
  return classes && 'dtype' in classes ? classes : onlyClasses(inner);
}

/** A column of calibrated scores. */
function calibrate(calibrator: Estimator, context: Context, score: Value): Value {
  const { plan } = context;
  if (calibrator.className === '_SigmoidCalibration') {
    const [a, b] = [calibrator.number('a_'), calibrator.number('b_')];
    return plan.expit(plan.neg(plan.add(plan.mul(score, a), b)));
  }
  return plan.unsqueeze(context.single(calibrator, 'predict')(score), 1);
}

/** Decisions are logits ([-d, d] of two classes); of probabilities log(p + 1e-12). */
function logits(context: Context, scores: Value, count: number, decides: boolean): Value {
  const { plan } = context;
  if (decides) return count === 2 ? plan.concat([plan.neg(scores), scores], 1) : scores;
  const p = count === 2 ? plan.concat([plan.sub(1, scores), scores], 1) : scores;
  return plan.log(plan.add(p, 1e-12));
}

/** Where the classes that a fold has seen stand among all. */
function positions(seen: Tensor, all: Tensor, one: Estimator): number[] {
  const texts = ({ data }: Tensor): string[] =>
    isStringData(data) ? [...data] : Array.from(data as ArrayLike<number | bigint>, String);
  const known = texts(all);
  return texts(seen).map((label) => {
    const at = known.indexOf(label);
    if (at < 0) throw one.unsupported(`its classifier knows a class ${label} that it does not know itself`);
    return at;
  });
}

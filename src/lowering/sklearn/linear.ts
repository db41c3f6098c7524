import type { Value } from '../../onnx/graph';
import { float64, type Tensor } from '../../onnx/tensor';
import type { PlanValue } from '../plan';
import { binaryProbabilities, labelOfLargest, labelOfSign, onlyClasses } from './classifiers';
import type { Context, Entry, Lowered } from './context';
import type { Estimator } from './estimator';
import { labelTensor } from './labels';

/**
 * Linear models: X · coef_ᵀ + intercept_, in float64 whatever dtype the coefficients were fitted in.
 * Source: sklearn `linear_model/_base.py` (`LinearModel._decision_function`, `LinearClassifierMixin`), `_logistic.py`,
 * `_stochastic_gradient.py`, `_ridge.py`, `_glm/glm.py`.
 */
export const LINEAR_MODELS: Readonly<Record<string, Entry>> = {
  ...entries(regressor, [
    ...['LinearRegression', 'Ridge', 'RidgeCV', 'Lasso', 'LassoCV', 'ElasticNet', 'ElasticNetCV'],
    ...['MultiTaskLasso', 'MultiTaskLassoCV', 'MultiTaskElasticNet', 'MultiTaskElasticNetCV'],
    ...['Lars', 'LarsCV', 'LassoLars', 'LassoLarsCV', 'LassoLarsIC'],
    ...['OrthogonalMatchingPursuit', 'OrthogonalMatchingPursuitCV', 'BayesianRidge', 'ARDRegression'],
    ...[
      'HuberRegressor',
      'TheilSenRegressor',
      'QuantileRegressor',
      'SGDRegressor',
      'PassiveAggressiveRegressor',
      'LinearSVR',
    ],
  ]),
  ...entries(generalised, ['PoissonRegressor', 'GammaRegressor', 'TweedieRegressor']),
  ...entries(logistic, ['LogisticRegression', 'LogisticRegressionCV']),
  ...entries(stochastic, ['SGDClassifier']),
  ...entries(marginClassifier, ['Perceptron', 'PassiveAggressiveClassifier', 'LinearSVC']),
  ...entries(ridgeClassifier, ['RidgeClassifier', 'RidgeClassifierCV']),
};

function entries(lower: Entry['lower'], names: string[]): Record<string, Entry> {
  return Object.fromEntries(names.map((name) => [`sklearn.${name}`, { lower }]));
}

/** X · coef_ᵀ + intercept_: a vector of rows for a 1-D `coef_`, rows × targets for a 2-D one. */
function linear(estimator: Estimator, context: Context): (x: PlanValue) => Value {
  const { plan } = context;
  const { shape, data } = estimator.tensor('coef_');
  // 0.18 squeezed the coefficient of a single column to a number, and answers with a column then.
  const weights =
    shape.length === 2
      ? transposed(data as Float64Array, shape[0]!, shape[1]!)
      : float64(data as Float64Array, shape.length === 0 ? [1, 1] : shape);
  const intercept = estimator.optionalTensor('intercept_') ?? float64([0], []);
  return (x) =>
    plan.add(plan.matmul(context.numeric(x), plan.constant(weights, 'coef')), plan.constant(intercept, 'intercept'));
}

function transposed(data: Float64Array, rows: number, columns: number): Tensor {
  const out = new Float64Array(data.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = data[i * columns + j]!;
  return float64(out, [columns, rows]);
}

function regressor(estimator: Estimator, context: Context): Lowered {
  return { methods: { predict: linear(estimator, context) } };
}

/**
 * Generalised linear models: the inverse link of the linear predictor; `exp` for the log link, the value itself for the
 * identity. Tweedie with `link="auto"` has the identity for power ≤ 0 and the log otherwise.
 */
function generalised(estimator: Estimator, context: Context): Lowered {
  const predictor = linear(estimator, context);
  const { className } = estimator;
  const named = className === 'TweedieRegressor' ? estimator.text('link') : 'log';
  const link = named === 'auto' ? (estimator.number('power') <= 0 ? 'identity' : 'log') : named;
  if (link !== 'log' && link !== 'identity') throw estimator.unsupported(`its link ${link} is not known`);
  return { methods: { predict: (x) => (link === 'log' ? context.plan.exp(predictor(x)) : predictor(x)) } };
}

interface Decision {
  readonly classes: Tensor;
  /** Two classes: one score a row. */
  readonly binary: boolean;
  readonly score: (x: PlanValue) => Value;
  readonly predict: (x: PlanValue) => Value;
}

/** Scores of a linear classifier. Label: with one column `score > 0`, otherwise the largest score. */
function decision(estimator: Estimator, context: Context, classes: Tensor): Decision {
  const { plan } = context;
  const rows = estimator.array('coef_').shape;
  const columns = rows.length === 2 ? rows[0]! : 1;
  const raw = linear(estimator, context);
  const score = (x: PlanValue) => (columns === 1 && rows.length === 2 ? plan.squeeze(raw(x), 1) : raw(x));
  const predict = (x: PlanValue) =>
    columns === 1
      ? labelOfSign(context, classes, plan.greater(score(x), 0))
      : labelOfLargest(context, classes, score(x));
  return { classes, binary: columns === 1, score, predict };
}

function marginClassifier(estimator: Estimator, context: Context): Lowered {
  const { classes, score, predict } = decision(estimator, context, onlyClasses(estimator));
  return { classes, methods: { predict, decision_function: score } };
}

/** Probabilities of a one-versus-rest classifier: expit of each score, divided by their sum. */
function oneVersusRest(context: Context, { binary, score, classes }: Decision): (x: PlanValue) => Value {
  const { plan } = context;
  return (x) => {
    const p = plan.expit(score(x));
    return binary ? binaryProbabilities(context, p) : shares(context, p, classes.shape[0]!);
  };
}

/** Rows divided by their sum; a row of zeros becomes uniform. */
function shares(context: Context, p: Value, count: number): Value {
  const { plan } = context;
  const sum = plan.reduceSum(p, [1], true);
  return plan.where(plan.equal(sum, 0), 1 / count, plan.div(p, sum));
}

/** `predict`, the probabilities and their logarithms, the scores. */
function probabilistic(context: Context, d: Decision, probabilities: (x: PlanValue) => Value): Lowered {
  return {
    classes: d.classes,
    methods: {
      predict: d.predict,
      predict_proba: probabilities,
      predict_log_proba: (x) => context.plan.log(probabilities(x)),
      decision_function: d.score,
    },
  };
}

/**
 * Logistic regression. Which probabilities it gives depends on the version:
 * up to 0.19 one-versus-rest with one row of coefficients or `multi_class="ovr"`, otherwise softmax; 0.20 to 1.7
 * one-versus-rest for `ovr` (and its synonym of 0.20, `warn`), and for `auto` with two classes, liblinear, or (1.2 to 1.5)
 * newton-cholesky; otherwise softmax, with two classes that of [-score, score]; since 1.8 expit for two classes and
 * softmax for more.
 */
function logistic(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const d = decision(estimator, context, onlyClasses(estimator));
  if (usesOneVersusRest(estimator, d)) return probabilistic(context, d, oneVersusRest(context, d));
  return probabilistic(context, d, (x) => {
    const score = d.score(x);
    if (!d.binary) return plan.softmax(score);
    const column = plan.unsqueeze(score, 1);
    return plan.softmax(plan.concat([plan.neg(column), column], 1));
  });
}

function usesOneVersusRest(estimator: Estimator, { binary, classes }: Decision): boolean {
  if (estimator.since('1.8')) return classes.shape[0]! <= 2;
  const multiClass = estimator.optionalText('multi_class') ?? 'ovr';
  if (!estimator.since('0.20')) return binary || multiClass === 'ovr';
  if (multiClass === 'ovr' || multiClass === 'warn') return true;
  if (multiClass !== 'auto' && multiClass !== 'deprecated') return false;
  const solver = estimator.optionalText('solver');
  if (classes.shape[0]! <= 2 || solver === 'liblinear') return true;
  return solver === 'newton-cholesky' && !estimator.since('1.6');
}

/**
 * SGDClassifier: probabilities only for the logistic loss (one-versus-rest) and the modified Huber loss:
 * (clip(score, -1, 1) + 1) / 2, for more than two classes divided by their sum.
 */
function stochastic(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const d = decision(estimator, context, onlyClasses(estimator));
  const loss = estimator.text('loss');
  if (loss === 'log' || loss === 'log_loss') return probabilistic(context, d, oneVersusRest(context, d));
  if (loss !== 'modified_huber')
    return { classes: d.classes, methods: { predict: d.predict, decision_function: d.score } };
  return probabilistic(context, d, (x) => {
    const p = plan.div(plan.add(plan.clip(d.score(x), -1, 1), 1), 2);
    return d.binary ? binaryProbabilities(context, p) : shares(context, p, d.classes.shape[0]!);
  });
}

/** RidgeClassifier: a linear classifier; since 1.0 a multilabel one says 1 for each column with score > 0. */
function ridgeClassifier(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const binarizer = estimator.optionalChild('_label_binarizer');
  const array = estimator.optionalArray('classes_') ?? binarizer?.optionalArray('classes_');
  if (!array) throw estimator.unsupported('it has no class labels; it may not have been fitted');
  const classes = labelTensor(array);
  const d = decision(estimator, context, classes);
  const multilabel = binarizer?.optionalText('y_type_')?.startsWith('multilabel') && estimator.since('1.0');
  const predict = multilabel ? (x: PlanValue) => plan.cast(plan.greater(d.score(x), 0), 'int64') : d.predict;
  return { classes, methods: { predict, decision_function: d.score } };
}

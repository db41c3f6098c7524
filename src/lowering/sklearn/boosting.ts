import type { Value } from '../../onnx/graph';
import type { PlanValue } from '../plan';
import { binaryProbabilities, labelOfLargest, labelOfSign, onlyClasses } from './classifiers';
import type { Context, Entry, Lowered } from './context';
import type { Estimator } from './estimator';
import { encodeForest, leafFinder, leafNodes, leafTable, readTree, sumOfLeaves, treeColumns, treeInput } from './trees';

/**
 * Gradient boosting: raw = initial value + learning_rate * sum of the stages' trees, one tree a stage for regression and two
 * classes, one a class and stage otherwise. Two classes: p = expit(raw), for the exponential loss expit(2 raw); more:
 * softmax. Source: sklearn `ensemble/gradient_boosting.py` (to 0.21), `_gb.py`, `_gb_losses.py` (0.21 to 1.3),
 * `_loss/loss.py`, `_loss/link.py` (since 1.4).
 */
export const BOOSTING_MODELS: Readonly<Record<string, Entry>> = {
  'sklearn.GradientBoostingClassifier': { lower: classifier, features },
  'sklearn.GradientBoostingRegressor': { lower: regressor, features },
};

function features(estimator: Estimator): number | undefined {
  return treeColumns(estimator.children('estimators_')[0]);
}

/** Sums of trees: rows × K raw predictions, and the leaf numbers: rows × stages × K. */
function stages(estimator: Estimator, context: Context) {
  const { plan } = context;
  const grid = estimator.array('estimators_');
  const [count, width = 1] = grid.shape as [number, number?];
  const forest = encodeForest(estimator.children('estimators_').map(readTree));
  const leaves = leafFinder(context, forest);
  const rate = estimator.number('learning_rate');
  const table = leafTable(forest, 1, (row, tree, node) => {
    row[0] = rate * tree.values[node * tree.classes]!;
  });
  return {
    width,
    raw: context.memo((x: PlanValue): Value => {
      const sum = sumOfLeaves(context, forest, leaves(x), {
        table,
        width: 1,
        columns: { count: width, of: (tree) => tree % width },
      });
      return plan.add(sum, initial(estimator, context, x, width));
    }),
    /** Numbers of leaf nodes; scikit-learn gives them as floats. */
    apply: (x: PlanValue): Value => {
      const nodes = plan.cast(leafNodes(context, forest, leaves(x)), 'float64');
      return plan.reshape(nodes, [-1, count, width]);
    },
  };
}

/**
 * The initial value of every row, rows × K or something that broadcasts to it. The estimators of old versions predict it
 * directly; later ones predict a class probability, which the loss links to a raw value.
 */
function initial(estimator: Estimator, context: Context, x: PlanValue, width: number): Value {
  const { plan } = context;
  const init = estimator.optionalChild('init_');
  if (!init) {
    if (estimator.optionalText('init_') === 'zero') return plan.doubles([0], [1, 1]);
    throw estimator.unsupported('its initial estimator is missing');
  }
  const constant = LEGACY_INITIAL[init.className];
  if (constant) return plan.doubles(constant(init), [1, width]);
  const rows = treeInput(context, x);
  if (estimator.className.endsWith('Regressor') || !estimator.since('0.21')) {
    return plan.reshape(context.single(init, 'predict')(rows), [-1, width]);
  }
  const probabilities = context.single(init, 'predict_proba')(rows);
  // Clipped to float32's epsilon before 1.8 and to float64's since.
  const eps = estimator.since('1.8') ? 2 ** -52 : 2 ** -23;
  if (width === 1) {
    const p = plan.clip(plan.slice(probabilities, 1, 1, 2), eps, 1 - eps);
    const logit = plan.log(plan.div(p, plan.sub(1, p)));
    return lossOf(estimator) === 'exponential' ? plan.mul(logit, 0.5) : logit;
  }
  const logs = plan.log(plan.clip(probabilities, eps, 1 - eps));
  // Since 1.4 the multinomial link is symmetric: the mean of the logarithms is taken away.
  return estimator.since('1.4') ? plan.sub(logs, plan.reduceMean(logs, [1], true)) : logs;
}

/** Estimators that scikit-learn up to 0.21 used by itself; they predict one value for all rows. */
const LEGACY_INITIAL: Readonly<Record<string, (init: Estimator) => ArrayLike<number>>> = {
  MeanEstimator: (init) => [init.number('mean')],
  QuantileEstimator: (init) => [init.number('quantile')],
  LogOddsEstimator: (init) => [init.number('prior')],
  ScaledLogOddsEstimator: (init) => [init.number('prior')],
  PriorProbabilityEstimator: (init) => init.vector('priors'),
  ZeroEstimator: (init) => new Float64Array(init.number('n_classes')),
};

/** `deviance` (called `log_loss` since 1.1) or `exponential`. */
function lossOf(estimator: Estimator): 'deviance' | 'exponential' {
  const loss = estimator.text('loss');
  if (loss === 'exponential') return 'exponential';
  if (loss === 'deviance' || loss === 'log_loss') return 'deviance';
  throw estimator.unsupported(`its loss ${loss} is not known`);
}

function classifier(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const classes = onlyClasses(estimator);
  const { width, raw, apply } = stages(estimator, context);
  const loss = lossOf(estimator);
  const score = (x: PlanValue) => (width === 1 ? plan.squeeze(raw(x), 1) : raw(x));
  const probabilities = (x: PlanValue): Value => {
    if (width > 1) return plan.softmax(raw(x));
    return binaryProbabilities(context, plan.expit(loss === 'exponential' ? plan.mul(score(x), 2) : score(x)));
  };
  const predict = (x: PlanValue): Value => {
    if (width > 1) return labelOfLargest(context, classes, estimator.since('1.4') ? raw(x) : probabilities(x));
    // Up to 1.3 the deviance compared the two probabilities, which are equal when raw is very near 0.
    if (estimator.since('1.4') || loss === 'exponential')
      return labelOfSign(context, classes, plan.greaterOrEqual(score(x), 0));
    return labelOfLargest(context, classes, probabilities(x));
  };
  return {
    classes,
    methods: {
      predict,
      predict_proba: probabilities,
      predict_log_proba: (x) => plan.log(probabilities(x)),
      decision_function: score,
      apply,
    },
  };
}

function regressor(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const { raw, apply } = stages(estimator, context);
  // One tree a stage: `apply` gives rows × stages.
  return { methods: { predict: (x) => plan.squeeze(raw(x), 1), apply: (x) => plan.squeeze(apply(x), 2) } };
}

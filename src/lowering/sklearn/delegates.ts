import { type Tensor, toNumbers } from '../../onnx/tensor';
import { asText } from '../../pickle/values';
import type { PlanValue } from '../plan';
import { onlyClasses, takeLabels } from './classifiers';
import type { Context, Entry, Lowered } from './context';
import type { Estimator } from './estimator';
import { takesWhat } from './inner';

/**
 * Estimators that answer with one fitted estimator inside: searches, frozen, self-training, thresholds, RANSAC.
 * Source: sklearn `model_selection/_search.py`, `frozen/_frozen.py`, `semi_supervised/_self_training.py`,
 * `model_selection/_classification_threshold.py`, `linear_model/_ransac.py`.
 */
const best = (estimator: Estimator): Estimator => {
  if (estimator.raw('refit') === false)
    throw estimator.unsupported('it was fitted with refit=False, so no best estimator was kept');
  return estimator.child('best_estimator_');
};
const search: Entry = { lower: searched, ...takesWhat((e) => [best(e)]) };
const frozen = (estimator: Estimator): Estimator => estimator.child('estimator');
const trained = (estimator: Estimator): Estimator => estimator.child('estimator_', 'base_estimator_');
const threshold: Entry = { lower: thresholded, ...takesWhat((e) => [e.child('estimator_')]) };

export const DELEGATES: Readonly<Record<string, Entry>> = {
  'sklearn.GridSearchCV': search,
  'sklearn.RandomizedSearchCV': search,
  'sklearn.HalvingGridSearchCV': search,
  'sklearn.HalvingRandomSearchCV': search,
  'sklearn.FrozenEstimator': { lower: (e, context) => context.lower(frozen(e)), ...takesWhat((e) => [frozen(e)]) },
  'sklearn.SelfTrainingClassifier': { lower: selfTraining, ...takesWhat((e) => [trained(e)]) },
  'sklearn.RANSACRegressor': { lower: robust, ...takesWhat((e) => [e.child('estimator_')]) },
  'sklearn.FixedThresholdClassifier': threshold,
  'sklearn.TunedThresholdClassifierCV': threshold,
};

/** A search passes on these methods and no others. */
function searched(estimator: Estimator, context: Context): Lowered {
  const { methods, ...rest } = context.lower(best(estimator));
  const { apply: _apply, kneighbors: _kneighbors, score_samples, ...passed } = methods;
  // Searches score samples since 0.24.
  return { ...rest, methods: { ...passed, ...(score_samples && estimator.since('0.24') ? { score_samples } : {}) } };
}

/** The regressor that was fitted on the inliers. */
function robust(estimator: Estimator, context: Context): Lowered {
  return { methods: { predict: context.single(estimator.child('estimator_'), 'predict') } };
}

function selfTraining(estimator: Estimator, context: Context): Lowered {
  const { methods, classes } = context.lower(trained(estimator));
  const { predict, predict_proba, predict_log_proba, decision_function } = methods;
  return {
    methods: {
      ...(predict && { predict }),
      ...(predict_proba && { predict_proba }),
      ...(predict_log_proba && { predict_log_proba }),
      ...(decision_function && { decision_function }),
    },
    ...(classes ? { classes } : {}),
  };
}

/**
 * The second class (or `pos_label`) where the score reaches the threshold, which is `best_threshold_`, or for a fixed one `threshold` with
 * "auto" meaning 0.5 for probabilities and 0 for decisions.
 */
function thresholded(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const inner = estimator.child('estimator_');
  const { methods, classes: all } = context.lower(inner);
  const classes = all && !Array.isArray(all) ? (all as Tensor) : onlyClasses(inner);
  const wanted = estimator.optionalText('response_method') ?? 'auto';
  const byProbability = wanted === 'predict_proba' || (wanted === 'auto' && methods.predict_proba !== undefined);
  const automatic = asText(estimator.value('threshold')) === 'auto';
  const limit =
    estimator.optionalNumber('best_threshold_') ??
    (automatic ? (byProbability ? 0.5 : 0) : estimator.number('threshold'));
  const positive = estimator.value('_pos_label', 'pos_label');
  const labels = classes.dtype === 'string' ? (classes.data as readonly string[]) : toNumbers(classes);
  // Python counts False and True as 0 and 1.
  const asLabel = (value: unknown) => String(typeof value === 'boolean' ? Number(value) : value);
  const at =
    positive === undefined
      ? 1
      : Array.from(labels as ArrayLike<unknown>).findIndex(
          (label) => asLabel(label) === asLabel(estimator.raw('_pos_label') ?? estimator.raw('pos_label')),
        );
  if (at < 0) throw estimator.unsupported('its pos_label is none of its classes');
  const score = (x: PlanValue) => {
    if (byProbability) return plan.column(context.single(inner, 'predict_proba')(x), at);
    const decision = context.single(inner, 'decision_function')(x);
    return at === 1 ? decision : plan.neg(decision);
  };
  const { predict_proba, predict_log_proba, decision_function } = methods;
  return {
    ...(all ? { classes: all } : {}),
    methods: {
      predict: (x) => {
        const above = plan.greaterOrEqual(score(x), limit);
        return takeLabels(context, classes, plan.cast(at === 1 ? above : plan.not(above), 'int64'));
      },
      ...(predict_proba && { predict_proba }),
      ...(predict_log_proba && { predict_log_proba }),
      ...(decision_function && { decision_function }),
    },
  };
}

import { toNumber } from '../../formats/numpy/pickled';
import type { Value } from '../../onnx/graph';
import { asSequence, asText } from '../../pickle/values';
import type { PlanValue } from '../plan';
import { onlyClasses, takeLabels } from './classifiers';
import type { Context, Entry, Lowered } from './context';
import { Estimator } from './estimator';
import { takesWhat } from './inner';

const fitted = (estimator: Estimator): Estimator[] => estimator.children('estimators_');

/** Votes of several estimators. Source: sklearn `ensemble/_voting.py`. */
export const VOTING: Readonly<Record<string, Entry>> = {
  'sklearn.VotingClassifier': { lower: classifier, ...takesWhat(fitted), rowwise: (e) => !isStacked(e) },
  'sklearn.VotingRegressor': { lower: regressor, ...takesWhat(fitted) },
};

/** Whether `transform` gives estimators × rows × classes. */
function isStacked(estimator: Estimator): boolean {
  return estimator.text('voting') === 'soft' && !estimator.flag('flatten_transform', estimator.since('0.21'));
}

/** Weights of the estimators that were not dropped; undefined for equal ones. */
function weightsOf(estimator: Estimator): number[] | undefined {
  const weights = estimator.items('weights')?.map(toNumber);
  if (!weights) return undefined;
  const named = estimator.items('estimators') ?? [];
  const kept = weights.filter((_, i) => {
    const value = asSequence(named[i])?.[1] ?? null;
    return value !== null && asText(value) !== 'drop' && Estimator.of(value) !== undefined;
  });
  if (kept.some((w) => w === undefined)) throw estimator.unsupported('its weights are not numbers');
  return kept as number[];
}

/** Σ w v / Σ w, as `numpy.average` computes it; the mean without weights. */
function average(context: Context, values: readonly Value[], weights: readonly number[] | undefined): Value {
  const { plan } = context;
  let sum: Value | undefined;
  values.forEach((value, i) => {
    const term = weights ? plan.mul(value, weights[i]!) : value;
    sum = sum ? plan.add(sum, term) : term;
  });
  return plan.div(sum!, weights ? weights.reduce((a, b) => a + b, 0) : values.length);
}

/** Soft: the largest mean probability. Hard: the class with most (weighted) votes; the inner estimators were fitted on class numbers. */
function classifier(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const classes = onlyClasses(estimator.has('classes_') ? estimator : estimator.child('le_'));
  const count = classes.shape[0] ?? 0;
  const inner = fitted(estimator);
  if (inner.length === 0) throw estimator.unsupported('all its estimators were dropped');
  const weights = weightsOf(estimator);
  if (estimator.text('voting') === 'soft') {
    const probabilities = context.memo((x: PlanValue) =>
      inner.map((e) => plan.cast(context.single(e, 'predict_proba')(x), 'float64')),
    );
    const mean = context.memo((x: PlanValue) => average(context, probabilities(x), weights));
    return {
      classes,
      methods: {
        predict: (x) => takeLabels(context, classes, plan.argmax(mean(x), 1)),
        predict_proba: mean,
        transform: (x) =>
          !isStacked(estimator)
            ? plan.concat(probabilities(x), 1)
            : plan.concat(
                probabilities(x).map((p) => plan.unsqueeze(p, 0)),
                0,
              ),
      },
    };
  }
  const votes = context.memo((x: PlanValue) => {
    const columns = inner.map((e) => plan.unsqueeze(plan.cast(context.single(e, 'predict')(x), 'int64'), 1));
    return plan.concat(columns, 1);
  });
  return {
    classes,
    methods: {
      predict: (x) => {
        // rows × estimators × 1 == classes: weighted counts of each class, the first of equal ones wins.
        const numbers = plan.ints(Array.from({ length: count }, (_, i) => i));
        const same = plan.cast(plan.equal(plan.unsqueeze(votes(x), 2), numbers), 'float64');
        const weighted = weights ? plan.mul(same, plan.doubles(weights, [weights.length, 1], 'weights')) : same;
        return takeLabels(context, classes, plan.argmax(plan.reduceSum(weighted, [1]), 1));
      },
      transform: votes,
    },
  };
}

function regressor(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const inner = fitted(estimator);
  const weights = weightsOf(estimator);
  const predictions = context.memo((x: PlanValue) =>
    inner.map((e) => plan.cast(context.single(e, 'predict')(x), 'float64')),
  );
  return {
    methods: {
      predict: (x) => average(context, predictions(x), weights),
      transform: (x) =>
        plan.concat(
          predictions(x).map((p) => plan.unsqueeze(p, 1)),
          1,
        ),
    },
  };
}

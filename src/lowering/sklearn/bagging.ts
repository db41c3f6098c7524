import type { Value } from '../../onnx/graph';
import { float64, type Tensor, toNumbers } from '../../onnx/tensor';
import type { PlanValue } from '../plan';
import { labelOfLargest, onlyClasses } from './classifiers';
import type { Context, Entry, Lowered } from './context';
import { asTensor, type Estimator } from './estimator';

/** Bagging: the mean over estimators that each see some of the columns. Source: sklearn `ensemble/_bagging.py`. */
export const BAGGING: Readonly<Record<string, Entry>> = {
  'sklearn.BaggingClassifier': { lower: classifier, missing: everyInner },
  'sklearn.BaggingRegressor': { lower: regressor, missing: everyInner },
  // Source: imblearn `ensemble/_bagging.py`, `_easy_ensemble.py`: pipelines of a sampler, which only acts at fit, and the estimator.
  'imblearn.BalancedBaggingClassifier': { lower: classifier, missing: everyInner },
  'imblearn.EasyEnsembleClassifier': { lower: classifier, missing: everyInner },
};

function everyInner(estimator: Estimator, context: Context): boolean {
  return estimator.children('estimators_').every((inner) => context.takesMissing(inner));
}

/** The estimators with the rows each of them gets. */
function members(estimator: Estimator, context: Context): { inner: Estimator; rows: (x: PlanValue) => Value }[] {
  const { plan } = context;
  const chosen = estimator.items('estimators_features_') ?? [];
  const width = context.featureCount(estimator);
  return estimator.children('estimators_').map((inner, i) => {
    const columns = chosen[i] === undefined ? undefined : asTensor(chosen[i]!);
    const indexes = columns && Array.from(toNumbers(columns));
    const all = !indexes || (indexes.length === width && indexes.every((column, at) => column === at));
    return { inner, rows: (x) => (all ? context.numeric(x) : plan.columns(context.numeric(x), indexes)) };
  });
}

/** The classes of a member, which in a pipeline are those of its last step. */
function classesInside(inner: Estimator, context: Context): Tensor {
  const { classes } = context.lower(inner);
  return classes && !Array.isArray(classes) ? (classes as Tensor) : onlyClasses(inner);
}

function sum(context: Context, values: readonly Value[]): Value {
  return values.reduce((total, value) => context.plan.add(total, value));
}

/** Mean probability, or the share of votes where the estimators have none; an estimator may know fewer classes than the whole. */
function classifier(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const classes = onlyClasses(estimator);
  const count = classes.shape[0] ?? 0;
  const all = members(estimator, context);
  // Inner labels are class numbers; a member that missed a class has fewer columns.
  const spread = (inner: Estimator, value: Value): Value => {
    const own = Array.from(toNumbers(classesInside(inner, context)));
    if (own.length === count) return value;
    const matrix = new Float64Array(own.length * count);
    own.forEach((label, i) => {
      matrix[i * count + label] = 1;
    });
    return plan.matmul(value, plan.constant(float64(matrix, [own.length, count])));
  };
  const hasProbabilities = all.every(({ inner }) => context.lower(inner).methods.predict_proba);
  const proba = context.memo((x: PlanValue): Value => {
    const parts = all.map(({ inner, rows }) => {
      if (hasProbabilities) return spread(inner, plan.cast(context.single(inner, 'predict_proba')(rows(x)), 'float64'));
      const label = plan.cast(context.single(inner, 'predict')(rows(x)), 'int64');
      return plan.cast(
        plan.equal(plan.unsqueeze(label, 1), plan.ints(Array.from({ length: count }, (_, i) => i))),
        'float64',
      );
    });
    return plan.div(sum(context, parts), all.length);
  });
  const decisions = all.every(({ inner }) => context.lower(inner).methods.decision_function);
  return {
    classes,
    methods: {
      predict: (x) => labelOfLargest(context, classes, proba(x)),
      predict_proba: proba,
      predict_log_proba: (x) => {
        const hasLogs = all.every(({ inner }) => context.lower(inner).methods.predict_log_proba);
        if (!hasProbabilities || !hasLogs || all.some(({ inner }) => classesInside(inner, context).shape[0] !== count))
          return plan.log(proba(x));
        const logs = all.map(({ inner, rows }) =>
          plan.unsqueeze(context.single(inner, 'predict_log_proba')(rows(x)), 0),
        );
        return plan.sub(plan.reduceLogSumExp(plan.concat(logs, 0), [0]), Math.log(all.length));
      },
      ...(decisions && {
        decision_function: (x: PlanValue) =>
          plan.div(
            sum(
              context,
              all.map(({ inner, rows }) => context.single(inner, 'decision_function')(rows(x))),
            ),
            all.length,
          ),
      }),
    },
  };
}

function regressor(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const all = members(estimator, context);
  return {
    methods: {
      predict: (x) =>
        plan.div(
          sum(
            context,
            all.map(({ inner, rows }) => plan.cast(context.single(inner, 'predict')(rows(x)), 'float64')),
          ),
          all.length,
        ),
    },
  };
}

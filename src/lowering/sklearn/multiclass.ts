import type { Value } from '../../onnx/graph';
import { float64, toNumbers } from '../../onnx/tensor';
import type { PlanValue } from '../plan';
import { labelOfSign, onlyClasses, takeLabels } from './classifiers';
import type { Context, Entry, Lowered } from './context';
import type { Estimator } from './estimator';
import { takesWhat } from './inner';
import { squaredDistances } from './kernels';

const fitted = (estimator: Estimator): Estimator[] => estimator.children('estimators_');
/** Constant ones were fitted on labels alone: the others tell what rows look like. */
const telling = (estimator: Estimator): Estimator[] => {
  const all = fitted(estimator);
  const others = all.filter(({ className }) => className !== '_ConstantPredictor');
  return others.length > 0 ? others : all;
};

/** Several classes out of binary estimators. Source: sklearn `multiclass.py`. */
export const MULTICLASS: Readonly<Record<string, Entry>> = {
  'sklearn.OneVsRestClassifier': { lower: oneVersusRest, ...takesWhat(telling) },
  'sklearn.OneVsOneClassifier': { lower: oneVersusOne, ...takesWhat(telling), rowwise: (e) => e.since('0.21') },
  'sklearn.OutputCodeClassifier': { lower: outputCode, ...takesWhat(telling) },
  'sklearn._ConstantPredictor': { lower: constant, missing: true, infinite: true },
};

/** Always the one label (0 or 1) that it saw. */
function constant(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const y = estimator.vector('y_')[0] ?? 0;
  const repeat = (values: readonly number[], shape: number[]) => (x: PlanValue) =>
    plan.perRow(context.numeric(x), float64(Float64Array.from(values), shape));
  return {
    methods: {
      predict: repeat([y], [1]),
      decision_function: repeat([y], [1]),
      predict_proba: repeat([1 - y, y], [1, 2]),
    },
  };
}

/** A regressor has neither classes nor scores of them. */
function isRegressor(inner: Estimator, context: Context): boolean {
  const { classes, methods } = context.lower(inner);
  return classes === undefined && !methods.decision_function && !methods.predict_proba;
}

/** `_predict_binary`: the decision, else the probability of the second class; a regressor's prediction. A vector. */
function binaryScore(inner: Estimator, context: Context): (x: PlanValue) => Value {
  const { plan } = context;
  const flat = (value: Value) => plan.reshape(plan.cast(value, 'float64'), [-1]);
  if (isRegressor(inner, context)) return (x) => flat(context.single(inner, 'predict')(x));
  if (context.lower(inner).methods.decision_function) return (x) => flat(context.single(inner, 'decision_function')(x));
  return (x) => plan.column(context.single(inner, 'predict_proba')(x), 1);
}

function binaryScores(estimator: Estimator, context: Context): (x: PlanValue) => Value {
  const scores = fitted(estimator).map((inner) => binaryScore(inner, context));
  if (scores.length === 0) throw estimator.unsupported('it holds no fitted estimators');
  return context.memo((x: PlanValue) =>
    context.plan.concat(
      scores.map((score) => context.plan.unsqueeze(score(x), 1)),
      1,
    ),
  );
}

/** Decisions are positive above 0, probabilities and the predictions of regressors (and of constants, which are no classifiers) above 0.5. */
function thresholdOf(first: Estimator, context: Context): number {
  const decides = context.lower(first).methods.decision_function && first.className !== '_ConstantPredictor';
  return decides ? 0 : 0.5;
}

/**
 * The class with the largest score: of equal ones the last until 1.7, then the first. Two classes have one estimator, several labels one each,
 * which says yes above the threshold. Probabilities of exclusive classes are divided by their sum.
 */
function oneVersusRest(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const binarizer = estimator.child('label_binarizer_');
  const classes = onlyClasses(binarizer);
  const inner = fitted(estimator);
  const kind = binarizer.optionalText('y_type_') ?? 'multiclass';
  const multilabel = kind.startsWith('multilabel');
  const scores = binaryScores(estimator, context);
  const single = inner.length === 1;
  const every = (name: 'decision_function' | 'predict_proba') =>
    inner.every((e) => context.lower(e).methods[name] !== undefined);
  const best = (x: PlanValue): Value => {
    if (estimator.since('1.8')) return plan.argmax(scores(x), 1);
    const backwards = Array.from({ length: inner.length }, (_, i) => inner.length - 1 - i);
    return plan.sub(plan.scalar(inner.length - 1, 'int64'), plan.argmax(plan.columns(scores(x), backwards), 1));
  };
  const methods: { -readonly [K in keyof Lowered['methods']]: Lowered['methods'][K] } = {
    predict: (x) => {
      if (kind === 'multiclass') return takeLabels(context, classes, best(x));
      const yes = plan.greater(scores(x), thresholdOf(inner[0]!, context));
      if (multilabel) return plan.cast(yes, 'int64');
      return labelOfSign(context, classes, plan.squeeze(yes, 1));
    },
  };
  if (every('predict_proba')) {
    methods.predict_proba = context.memo((x: PlanValue): Value => {
      const columns = inner.map((e) => plan.slice(context.single(e, 'predict_proba')(x), 1, 1, 2));
      const p = single ? plan.concat([plan.sub(1, columns[0]!), columns[0]!], 1) : plan.concat(columns, 1);
      if (multilabel) return p;
      const sum = plan.reduceSum(p, [1], true);
      // Before 1.7 rows of zeros became NaN.
      return estimator.since('1.7') ? plan.div(p, plan.where(plan.equal(sum, 0), 1, sum)) : plan.div(p, sum);
    });
  }
  if (every('decision_function')) {
    methods.decision_function = (x) =>
      single && estimator.since('0.20') ? context.single(inner[0]!, 'decision_function')(x) : scores(x);
  }
  return { classes, methods };
}

/**
 * `_ovr_decision_function`: votes of the pairs, and sums of their scores scaled into (-1/3, 1/3) to break ties. Before 0.21 the scale came
 * from the largest sum of all rows that were asked together.
 */
function oneVersusOne(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  if (estimator.has('pairwise_indices_'))
    throw estimator.unsupported('it was fitted on a matrix that was computed before; it takes no rows');
  const classes = onlyClasses(estimator);
  const count = classes.shape[0] ?? 0;
  const inner = fitted(estimator);
  const pairs = inner.length;
  if (pairs !== (count * (count - 1)) / 2) throw estimator.unsupported('its estimators do not fit its classes');
  const [first, second] = [new Float64Array(pairs * count), new Float64Array(pairs * count)];
  let pair = 0;
  for (let i = 0; i < count; i++) {
    for (let j = i + 1; j < count; j++, pair++) {
      first[pair * count + i] = 1;
      second[pair * count + j] = 1;
    }
  }
  const [toFirst, toSecond] = [first, second].map((data) => plan.doubles(data, [pairs, count])) as [Value, Value];
  const scores = binaryScores(estimator, context);
  const decisions = context.memo((x: PlanValue): Value => {
    const said = plan.concat(
      inner.map((e) => plan.unsqueeze(plan.cast(context.single(e, 'predict')(x), 'float64'), 1)),
      1,
    );
    const isLabel = (label: number) => plan.cast(plan.equal(said, label), 'float64');
    const votes = plan.add(plan.matmul(isLabel(0), toFirst), plan.matmul(isLabel(1), toSecond));
    const sums = plan.sub(plan.matmul(scores(x), toSecond), plan.matmul(scores(x), toFirst));
    if (estimator.since('0.21')) return plan.add(votes, plan.div(sums, plan.mul(plan.add(plan.abs(sums), 1), 3)));
    const largest = plan.reduceMax(plan.abs(sums), [0, 1]);
    return plan.add(
      votes,
      plan.mul(sums, plan.div(0.5 - Number.EPSILON, plan.where(plan.equal(largest, 0), 1, largest))),
    );
  });
  const binary = count === 2 && estimator.since('0.19');
  return {
    classes,
    methods: {
      predict: (x) => {
        if (!binary) return takeLabels(context, classes, plan.argmax(decisions(x), 1));
        const limit = estimator.since('1.1') ? thresholdOf(inner[0]!, context) : 0;
        return labelOfSign(context, classes, plan.greater(plan.column(decisions(x), 1), limit));
      },
      decision_function: (x) => (binary ? plan.column(decisions(x), 1) : decisions(x)),
    },
  };
}

/** The class whose code is nearest to the scores. */
function outputCode(estimator: Estimator, context: Context): Lowered {
  const classes = onlyClasses(estimator);
  const book = estimator.tensor('code_book_');
  const codes = float64(Float64Array.from(toNumbers(book)), book.shape);
  const scores = binaryScores(estimator, context);
  return {
    classes,
    methods: {
      predict: (x) => takeLabels(context, classes, context.plan.argmin(squaredDistances(context, scores(x), codes), 1)),
    },
  };
}

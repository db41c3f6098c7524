import type { Value } from '../../onnx/graph';
import { type Tensor, toNumbers } from '../../onnx/tensor';
import type { PlanValue } from '../plan';
import { onlyClasses } from './classifiers';
import type { Context, Entry, Lowered, MethodName } from './context';
import type { Estimator } from './estimator';
import { takesWhat } from './inner';

const fitted = (estimator: Estimator): Estimator[] => estimator.children('estimators_');
const chain = {
  missing: (e: Estimator, context: Context) => context.takesMissing(fitted(e)[0]!),
  features: chainWidth,
};

/** One estimator for each output, side by side or in a chain. Source: sklearn `multioutput.py`. */
export const MULTI_OUTPUT: Readonly<Record<string, Entry>> = {
  'sklearn.MultiOutputClassifier': { lower: sideBySide, ...takesWhat(fitted) },
  'sklearn.MultiOutputRegressor': { lower: sideBySide, ...takesWhat(fitted) },
  'sklearn.ClassifierChain': { lower: classifierChain, ...chain },
  'sklearn.RegressorChain': { lower: regressorChain, ...chain },
};

function chainWidth(estimator: Estimator, context: Context): number | undefined {
  const [first] = fitted(estimator);
  return first && context.featureCount(first);
}

/** The predictions of all as columns; probabilities as one matrix each (before 0.20 in one array of three dimensions). */
function sideBySide(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const inner = fitted(estimator);
  if (inner.length === 0) throw estimator.unsupported('it holds no fitted estimators');
  const classifies = estimator.className === 'MultiOutputClassifier';
  const probabilities = classifies && inner.every((e) => context.lower(e).methods.predict_proba);
  const together = (x: PlanValue): Value => {
    if (new Set(inner.map((e) => labelsOf(e, context).shape[0])).size > 1)
      throw estimator.unsupported('its outputs have different numbers of classes, which this version cannot stack');
    return plan.concat(
      inner.map((e) => plan.unsqueeze(context.single(e, 'predict_proba')(x), 2)),
      2,
    );
  };
  return {
    ...(classifies ? { classes: inner.map((e) => labelsOf(e, context)) } : {}),
    methods: {
      predict: (x) => {
        const columns = inner.map((e) => plan.unsqueeze(context.single(e, 'predict')(x), 1));
        const same = columns.every(({ dtype }) => dtype === columns[0]!.dtype);
        return plan.concat(same ? columns : columns.map((column) => plan.cast(column, 'float64')), 1);
      },
      ...(probabilities && {
        predict_proba: (x: PlanValue) =>
          estimator.since('0.20') ? inner.map((e) => context.single(e, 'predict_proba')(x)) : together(x),
      }),
    },
  };
}

/** The labels of a classifier, a pipeline included. */
function labelsOf(inner: Estimator, context: Context): Tensor {
  const { classes } = context.lower(inner);
  return classes && 'dtype' in classes ? classes : onlyClasses(inner);
}

/** Estimator k sees the rows and what the estimators before it answered; `order_` says which output each of them is. */
function chained(estimator: Estimator, context: Context): (method: MethodName, x: PlanValue) => Value {
  const { plan } = context;
  const inner = fitted(estimator);
  const order = Array.from(toNumbers(estimator.tensor('order_')));
  if (order.length !== inner.length) throw estimator.unsupported('its order_ does not fit its estimators');
  const feature = (estimator.optionalText('chain_method_') ?? 'predict') as MethodName;
  const answer = (e: Estimator, name: MethodName, rows: Value): Value => {
    const count = name === 'predict' || estimator.className === 'RegressorChain' ? 2 : labelsOf(e, context).shape[0]!;
    const wide = name === 'decision_function' || estimator.since('1.5');
    if ((count < 2 && name !== 'decision_function') || (count > 2 && wide))
      throw estimator.unsupported(`its ${name} has one column for each of ${count} classes, which do not fit a chain`);
    const value = plan.cast(context.single(e, name)(rows), 'float64');
    return plan.reshape(name.endsWith('proba') ? plan.column(value, 1) : value, [-1, 1]);
  };
  const rowsOf = context.memo((x: PlanValue): Value[] => {
    const rows = [context.numeric(x)];
    inner.slice(0, -1).forEach((e, k) => {
      rows.push(plan.concat([rows[k]!, answer(e, feature, rows[k]!)], 1));
    });
    return rows;
  });
  const back = order.map((_, output) => order.indexOf(output));
  return (method, x) => {
    const answers = inner.map((e, k) => answer(e, method, rowsOf(x)[k]!));
    return plan.concat(
      back.map((k) => answers[k]!),
      1,
    );
  };
}

function classifierChain(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const ask = chained(estimator, context);
  const all = (name: MethodName) => fitted(estimator).every((e) => context.lower(e).methods[name]);
  const proba = (x: PlanValue): Value => ask('predict_proba', x);
  return {
    methods: {
      predict: (x) => ask('predict', x),
      ...(all('predict_proba') && { predict_proba: proba }),
      ...(all('predict_proba') &&
        estimator.since('1.4') && { predict_log_proba: (x: PlanValue) => plan.log(proba(x)) }),
      ...(all('decision_function') && { decision_function: (x: PlanValue) => ask('decision_function', x) }),
    },
  };
}

function regressorChain(estimator: Estimator, context: Context): Lowered {
  const ask = chained(estimator, context);
  return { methods: { predict: (x) => ask('predict', x) } };
}

import type { Value } from '../../onnx/graph';
import { asText } from '../../pickle/values';
import type { PlanValue } from '../plan';
import { onlyClasses, takeLabels } from './classifiers';
import type { Context, Entry, Lowered, MethodName } from './context';
import type { Estimator } from './estimator';
import { takesWhat } from './inner';

const fitted = (estimator: Estimator): Estimator[] => estimator.children('estimators_');

/**
 * Stacking: the answers of the inner estimators (and the rows themselves with `passthrough`) are the features of the final one. The first
 * column of two-class probabilities is left out. Source: sklearn `ensemble/_stacking.py`.
 */
export const STACKING: Readonly<Record<string, Entry>> = {
  'sklearn.StackingClassifier': { lower: classifier, ...takesWhat(fitted) },
  'sklearn.StackingRegressor': { lower: regressor, ...takesWhat(fitted) },
};

function features(estimator: Estimator, context: Context, classCount: number): (x: PlanValue) => Value {
  const { plan } = context;
  const inner = fitted(estimator);
  const names = (estimator.items('stack_method_') ?? []).map((name) => asText(name) ?? '');
  // Before 0.22.2 dropped estimators kept their entry.
  const methods = names.filter((name) => name !== '');
  if (methods.length !== inner.length) throw estimator.unsupported('the methods it stacks do not fit its estimators');
  return context.memo((x: PlanValue) => {
    const parts = inner.flatMap((e, i) => {
      const name = methods[i] as MethodName;
      const result = context.method(e, name)(x);
      const values = Array.isArray(result) ? result : [result];
      return values.map((value) => column(context, e, name, value, classCount, values.length > 1));
    });
    if (estimator.flag('passthrough', false)) parts.push(context.numeric(x));
    // Class numbers alone stay integers; beside anything else they are floats.
    const same = parts.every((part) => part.dtype === parts[0]!.dtype);
    return plan.concat(same ? parts : parts.map((part) => plan.cast(part, 'float64')), 1);
  });
}

function column(
  context: Context,
  inner: Estimator,
  name: string,
  value: Value,
  classCount: number,
  several: boolean,
): Value {
  const { plan } = context;
  if (several) return plan.slice(value, 1, 1);
  if (name === 'predict' && value.dtype === 'int64') return plan.reshape(value, [-1, 1]);
  const numbers = plan.cast(value, 'float64');
  if (name === 'predict_proba') return classCount === 2 ? plan.slice(numbers, 1, 1) : numbers;
  if (name === 'decision_function') return classCount > 2 ? numbers : plan.reshape(numbers, [-1, 1]);
  if (name === 'predict') return plan.reshape(numbers, [-1, 1]);
  throw inner.unsupported(`its method ${name} cannot be stacked`);
}

function classifier(estimator: Estimator, context: Context): Lowered {
  const classes = onlyClasses(estimator);
  const meta = features(estimator, context, classes.shape[0] ?? 0);
  const numeric = (x: PlanValue): Value => context.numeric(meta(x));
  const final = estimator.child('final_estimator_');
  const { methods } = context.lower(final);
  const encoded = estimator.has('_label_encoder', '_le');
  const { predict_proba, decision_function } = methods;
  return {
    classes,
    methods: {
      predict: (x) => {
        const labels = context.single(final, 'predict')(numeric(x));
        return encoded ? takeLabels(context, classes, context.plan.cast(labels, 'int64')) : labels;
      },
      ...(predict_proba && { predict_proba: (x: PlanValue) => predict_proba(numeric(x)) }),
      ...(decision_function && { decision_function: (x: PlanValue) => decision_function(numeric(x)) }),
      transform: meta,
    },
  };
}

function regressor(estimator: Estimator, context: Context): Lowered {
  const meta = features(estimator, context, 0);
  const final = estimator.child('final_estimator_');
  return { methods: { predict: (x) => context.single(final, 'predict')(context.numeric(meta(x))), transform: meta } };
}

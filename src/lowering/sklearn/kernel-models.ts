import type { Value } from '../../onnx/graph';
import type { PlanValue } from '../plan';
import { labelOfLargest, onlyClasses } from './classifiers';
import type { Context, Entry, Lowered } from './context';
import type { Estimator } from './estimator';
import { kernelMatrix, kernelName } from './kernels';

const width =
  (name: string) =>
  (estimator: Estimator): number | undefined =>
    estimator.optionalTensor(name)?.shape[1];

/** Models that weigh the points they were fitted on. Source: sklearn `kernel_ridge.py`, `semi_supervised/_label_propagation.py`. */
export const KERNEL_MODELS: Readonly<Record<string, Entry>> = {
  'sklearn.KernelRidge': { lower: kernelRidge, features: width('X_fit_') },
  'sklearn.LabelPropagation': { lower: propagation, features: width('X_') },
  'sklearn.LabelSpreading': { lower: propagation, features: width('X_') },
};

/** K(x, X_fit) · dual_coef. γ is 1 / features where it is not given (1 for chi2). */
function kernelRidge(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const points = estimator.tensor('X_fit_');
  const name = kernelName(estimator);
  const kernel = {
    name,
    gamma: estimator.optionalNumber('gamma') ?? (name === 'chi2' ? 1 : 1 / (points.shape[1] ?? 1)),
    degree: estimator.optionalNumber('degree') ?? 3,
    coef0: estimator.optionalNumber('coef0') ?? 1,
  };
  const dual = plan.constant(estimator.tensor('dual_coef_'), 'dual_coef');
  return {
    methods: {
      predict: (x) => plan.matmul(kernelMatrix(estimator, context, kernel, context.numeric(x), points), dual),
    },
  };
}

/**
 * The label distributions of the points, summed with the weight exp(-γ |x - p|²) or over the nearest neighbours, divided by their sum.
 */
function propagation(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const classes = onlyClasses(estimator);
  const points = estimator.tensor('X_');
  const distributions = estimator.tensor('label_distributions_');
  const shares = plan.constant(distributions, 'label_distributions');
  const name = kernelName(estimator);
  const sums = (x: PlanValue): Value => {
    if (name === 'rbf') {
      const kernel = { name, gamma: estimator.number('gamma'), degree: 0, coef0: 0 };
      return plan.matmul(kernelMatrix(estimator, context, kernel, context.numeric(x), points), shares);
    }
    if (name !== 'knn') throw estimator.unsupported(`its kernel "${name}" is not known here`);
    const found = context.method(estimator.child('nn_fit'), 'kneighbors')(x) as Value[];
    return plan.reduceSum(plan.gather(shares, found[1]!, 0), [1]);
  };
  const proba = context.memo((x: PlanValue): Value => {
    const sum = sums(x);
    return plan.div(sum, plan.reduceSum(sum, [1], true));
  });
  return {
    classes,
    methods: { predict: (x) => labelOfLargest(context, classes, proba(x)), predict_proba: proba },
  };
}

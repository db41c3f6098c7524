import type { Value } from '../../onnx/graph';
import { float64, type Tensor, toNumbers } from '../../onnx/tensor';
import type { PlanValue } from '../plan';
import { labelOfSign, onlyClasses, takeLabels } from './classifiers';
import type { Context, Entry, Lowered } from './context';
import type { Estimator } from './estimator';
import { kernelMatrix, kernelName } from './kernels';
import { coupledProbabilities } from './svm-probability';

/**
 * Support vector machines of libsvm. Source: sklearn `svm/_base.py`, `svm/src/libsvm/svm.cpp`. (LinearSVC and LinearSVR are linear models.)
 */
export const SVMS: Readonly<Record<string, Entry>> = {
  'sklearn.SVC': { lower: classifier, features: supportWidth, rowwise: eachRow },
  'sklearn.NuSVC': { lower: classifier, features: supportWidth, rowwise: eachRow },
  'sklearn.SVR': { lower: regressor, features: supportWidth },
  'sklearn.NuSVR': { lower: regressor, features: supportWidth },
  'sklearn.OneClassSVM': { lower: oneClass, features: supportWidth },
};

/** The one-against-rest decision of several classes depended on all rows together before 0.21. */
function eachRow(estimator: Estimator): boolean {
  return estimator.since('0.21') || estimator.optionalText('decision_function_shape') !== 'ovr';
}

function supportWidth(estimator: Estimator): number | undefined {
  return estimator.optionalTensor('support_vectors_')?.shape[1];
}

/** K(x, support vectors): rows × support vectors. `_gamma` holds what "scale" and "auto" came to. */
function kernelOf(estimator: Estimator, context: Context): (x: PlanValue) => Value {
  const points = estimator.tensor('support_vectors_');
  const kernel = {
    name: kernelName(estimator),
    gamma: estimator.optionalNumber('_gamma') ?? estimator.number('gamma'),
    degree: estimator.optionalNumber('degree') ?? 3,
    coef0: estimator.optionalNumber('coef0') ?? 0,
  };
  return context.memo((x: PlanValue) => kernelMatrix(estimator, context, kernel, x, points));
}

/** K · dual_coef_ᵀ + intercept_ */
function regressor(estimator: Estimator, context: Context): Lowered {
  const value = decision(estimator, context);
  return { methods: { predict: value } };
}

function decision(estimator: Estimator, context: Context): (x: PlanValue) => Value {
  const { plan } = context;
  const kernel = kernelOf(estimator, context);
  const dual = estimator.vector('dual_coef_', '_dual_coef_');
  const intercept = estimator.vector('intercept_', '_intercept_')[0] ?? 0;
  return context.memo((x: PlanValue) =>
    plan.add(plan.squeeze(plan.matmul(kernel(x), plan.doubles(dual, [dual.length, 1], 'dual_coef')), 1), intercept),
  );
}

/** decision = K · dual + intercept; an inlier (1) where it is positive, as libsvm says; score_samples = decision + offset_. */
function oneClass(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const value = decision(estimator, context);
  const offset = estimator.optionalNumber('offset_');
  return {
    // Before 0.20 the decision was a column.
    methods: {
      predict: (x) => plan.where(plan.greater(value(x), 0), plan.scalar(1, 'int64'), plan.scalar(-1, 'int64')),
      decision_function: estimator.since('0.20') ? value : (x) => plan.unsqueeze(value(x), 1),
      ...(offset === undefined ? {} : { score_samples: (x: PlanValue) => plan.add(value(x), offset) }),
    },
  };
}

/**
 * One against one: for i < j, d_ij = Σ_{sv of i} α_{j-1} K + Σ_{sv of j} α_i K + b_ij, a vote for i where d_ij > 0. libsvm's sign: the first
 * class is positive; `dual_coef_` of a binary model has the opposite sign of `_dual_coef_`.
 */
function classifier(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const classes = onlyClasses(estimator);
  const count = classes.shape[0] ?? 0;
  const kernel = kernelOf(estimator, context);
  const pairs = pairwise(estimator, count);
  // Rows × pairs, in libsvm's sign.
  const ovo = context.memo((x: PlanValue) =>
    plan.add(
      plan.matmul(kernel(x), plan.constant(pairs.weights, 'dual_coef')),
      plan.doubles(pairs.intercepts, undefined, 'intercept'),
    ),
  );
  const votes = context.memo((x: PlanValue): { votes: Value; confidences: Value } => {
    const d = ovo(x);
    const positive = plan.cast(plan.greater(d, 0), 'float64');
    const [forFirst, forSecond] = [pairs.first, pairs.second].map((m) => plan.constant(m));
    const won = plan.add(plan.matmul(positive, forFirst!), plan.matmul(plan.sub(1, positive), forSecond!));
    return { votes: won, confidences: plan.sub(plan.matmul(d, forFirst!), plan.matmul(d, forSecond!)) };
  });
  // `_ovr_decision_function`: votes, and confidences scaled into (-1/3, 1/3) to break ties.
  // Before 0.21 the scale came from the largest confidence of all rows that were asked together.
  const ovr = (x: PlanValue): Value => {
    const { votes: won, confidences } = votes(x);
    if (!estimator.since('0.21')) {
      const largest = plan.reduceMax(plan.abs(confidences), [0, 1]);
      const scale = plan.div(0.5 - Number.EPSILON, plan.where(plan.equal(largest, 0), 1, largest));
      return plan.add(won, plan.mul(confidences, scale));
    }
    return plan.add(won, plan.div(confidences, plan.mul(plan.add(plan.abs(confidences), 1), 3)));
  };
  const binary = count === 2;
  // `None` and versions without the parameter (before 0.17) mean one against one.
  const oneVersusRest = estimator.optionalText('decision_function_shape') === 'ovr';
  const binaryDecision = (x: PlanValue): Value => plan.neg(plan.squeeze(ovo(x), 1));
  const refusesTies = estimator.flag('break_ties', false) && !oneVersusRest;
  const breakTies = estimator.flag('break_ties', false) && oneVersusRest && count > 2;
  const methods: { -readonly [K in keyof Lowered['methods']]: Lowered['methods'][K] } = {
    predict: (x) => {
      if (refusesTies)
        throw estimator.unsupported('it breaks ties, which scikit-learn refuses with decision_function_shape="ovo"');
      if (breakTies) return takeLabels(context, classes, plan.argmax(ovr(x), 1));
      // libsvm counts votes; of equal counts the first class wins. With two classes that is the sign, zero voting for the second.
      if (binary) return labelOfSign(context, classes, plan.lessOrEqual(plan.squeeze(ovo(x), 1), 0));
      return takeLabels(context, classes, plan.argmax(votes(x).votes, 1));
    },
    decision_function: (x) => (binary ? binaryDecision(x) : oneVersusRest ? ovr(x) : ovo(x)),
  };
  const [probA, probB] = [estimator.optionalTensor('_probA', 'probA_'), estimator.optionalTensor('_probB', 'probB_')];
  if (probA && probB && probA.data.length > 0) {
    const [a, b] = [Float64Array.from(toNumbers(probA)), Float64Array.from(toNumbers(probB))];
    const probabilities = context.memo(
      (x: PlanValue): Value =>
        plan.step('libsvm_probabilities', [ovo(x)], [{ name: 'probabilities', dtype: 'float64' }], ([d]) => [
          coupledProbabilities(toNumbers(d as Tensor), count, a, b),
        ])[0],
    );
    methods.predict_proba = probabilities;
    methods.predict_log_proba = (x) => plan.log(probabilities(x));
  }
  return { classes, methods, ...(binary || oneVersusRest ? {} : { pairwise: true }) };
}

/** The pairs (i < j) as a matrix on the support vectors, and which class each pair speaks of. */
function pairwise(
  estimator: Estimator,
  count: number,
): { weights: Tensor; intercepts: Float64Array; first: Tensor; second: Tensor } {
  const counts = Array.from(estimator.vector('_n_support', 'n_support_'));
  const own = estimator.optionalTensor('_dual_coef_') ?? estimator.tensor('dual_coef_');
  const flip = !estimator.has('_dual_coef_') && count === 2 ? -1 : 1;
  const intercepts = Float64Array.from(estimator.vector('_intercept_', 'intercept_'), (value) =>
    estimator.has('_intercept_') || count !== 2 ? value : -value,
  );
  const dual = own.data as Float64Array;
  const vectors = own.shape[1] ?? 0;
  const starts: number[] = [0];
  for (const n of counts) starts.push(starts[starts.length - 1]! + n);
  if (counts.length !== count || starts[count] !== vectors) {
    throw estimator.unsupported('the numbers of its support vectors do not fit its classes');
  }
  const total = (count * (count - 1)) / 2;
  const weights = new Float64Array(vectors * total);
  const [first, second] = [new Float64Array(total * count), new Float64Array(total * count)];
  let pair = 0;
  for (let i = 0; i < count; i++) {
    for (let j = i + 1; j < count; j++, pair++) {
      for (let s = starts[i]!; s < starts[i + 1]!; s++) weights[s * total + pair] = flip * dual[(j - 1) * vectors + s]!;
      for (let s = starts[j]!; s < starts[j + 1]!; s++) weights[s * total + pair] = flip * dual[i * vectors + s]!;
      first[pair * count + i] = 1;
      second[pair * count + j] = 1;
    }
  }
  return {
    weights: float64(weights, [vectors, total]),
    intercepts,
    first: float64(first, [total, count]),
    second: float64(second, [total, count]),
  };
}

import type { Value } from '../../onnx/graph';
import { float64, type Tensor, toNumbers } from '../../onnx/tensor';
import type { PlanValue } from '../plan';
import { labelOfSign, onlyClasses } from './classifiers';
import type { Context, Entry, Lowered } from './context';
import type { Estimator } from './estimator';
import { covarianceOf } from './gp-kernels';
import { erf } from './special';

const trained = (estimator: Estimator): number | undefined => estimator.optionalTensor('X_train_')?.shape[1];

/** Gaussian processes. Source: sklearn `gaussian_process/_gpr.py`, `_gpc.py`; Rasmussen and Williams, algorithms 2.1 and 3.2. */
export const GAUSSIAN_PROCESSES: Readonly<Record<string, Entry>> = {
  'sklearn.GaussianProcessRegressor': { lower: regressor, features: trained },
  'sklearn.GaussianProcessClassifier': { lower: classifier, first: (e) => binaryInside(e) },
  'sklearn._BinaryGaussianProcessClassifierLaplace': { lower: binary, features: trained },
};

function kernelOf(estimator: Estimator, context: Context) {
  if (!estimator.has('X_train_')) throw estimator.unsupported('it was not fitted');
  return covarianceOf(estimator.child('kernel_'), context);
}

/** K(x, X_train) α, scaled back by the deviation (since 0.23) and the mean of y. A single column is a vector since 1.1. */
function regressor(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const kernel = kernelOf(estimator, context);
  const points = estimator.tensor('X_train_');
  const alpha = estimator.tensor('alpha_');
  const flat = alpha.shape.length === 1;
  const width = flat ? 1 : (alpha.shape[1] ?? 1);
  const weights = plan.doubles(toNumbers(alpha), [alpha.data.length / width, width], 'alpha');
  const scale = estimator.optionalTensor('_y_train_std');
  const mean = estimator.optionalTensor('_y_train_mean', 'y_train_mean');
  return {
    methods: {
      predict: (x) => {
        let y = plan.matmul(kernel.cross(context.numeric(x), points), weights);
        if (scale) y = plan.mul(y, plan.doubles(toNumbers(scale), [scale.data.length], 'y_std'));
        if (mean) y = plan.add(y, plan.doubles(toNumbers(mean), [mean.data.length], 'y_mean'));
        return flat || (width === 1 && estimator.since('1.1')) ? plan.squeeze(y, 1) : y;
      },
    },
  };
}

/** Two classes: one process. More: one against the rest, or one against one, of such processes. */
function classifier(estimator: Estimator, context: Context): Lowered {
  const { methods, classes } = context.lower(estimator.child('base_estimator_'));
  const { predict, predict_proba } = methods;
  const pairs = estimator.optionalText('multi_class') === 'one_vs_one' && estimator.number('n_classes_') > 2;
  return {
    ...(classes ? { classes } : {}),
    methods: { ...(predict && { predict }), ...(predict_proba && !pairs && { predict_proba }) },
  };
}

function binaryInside(estimator: Estimator): Estimator {
  const base = estimator.child('base_estimator_');
  return base.has('estimators_') ? base.children('estimators_')[0]! : base;
}

/** The logistic function as a sum of error functions (Williams and Barber 1998, appendix A). */
const LAMBDAS = [0.41, 0.4, 0.37, 0.44, 0.39];
const COEFFICIENTS = [-1854.8214151, 3516.89893646, 221.29346712, 128.12323805, -2010.49422654];

/**
 * f = K (y - π); the second class where f > 0. Probability: the mean of the logistic function over N(f, v), v = k(x, x) - |L⁻¹ √W K|², with the
 * logistic function taken as a sum of five error functions.
 */
function binary(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const classes = onlyClasses(estimator);
  const kernel = kernelOf(estimator, context);
  const points = estimator.tensor('X_train_');
  const count = points.shape[0] ?? 0;
  const y = toNumbers(estimator.tensor('y_train_'));
  const residual = Float64Array.from(estimator.vector('pi_'), (p, i) => y[i]! - p);
  const [lower, root] = [estimator.vector('L_'), estimator.vector('W_sr_')];
  if (lower.length !== count * count || root.length !== count)
    throw estimator.unsupported('its matrices do not fit the rows it was fitted on');
  const cross = context.memo((x: PlanValue) => kernel.cross(context.numeric(x), points));
  const latent = context.memo((x: PlanValue) =>
    plan.squeeze(plan.matmul(cross(x), plan.doubles(residual, [count, 1], 'residual')), 1),
  );
  const own = (x: PlanValue): Value => {
    const diagonal = kernel.diagonal(context.numeric(x));
    if (typeof diagonal !== 'number') return diagonal;
    return plan.perRow(context.numeric(x), float64(Float64Array.of(diagonal), [1]));
  };
  return {
    classes,
    methods: {
      predict: (x) => labelOfSign(context, classes, plan.greater(latent(x), 0)),
      predict_proba: context.memo((x: PlanValue): Value => {
        const inputs = [latent(x), cross(x), own(x)];
        return plan.step('laplace', inputs, [{ name: 'probabilities', dtype: 'float64' }], (given) => {
          const [f, k, variance] = given.map((value) => toNumbers(value as Tensor)) as [
            Float64Array,
            Float64Array,
            Float64Array,
          ];
          const out = new Float64Array(f.length * 2);
          const v = new Float64Array(count);
          for (let row = 0; row < f.length; row++) {
            let rest = variance[row]!;
            for (let i = 0; i < count; i++) {
              let sum = root[i]! * k[row * count + i]!;
              for (let j = 0; j < i; j++) sum -= lower[i * count + j]! * v[j]!;
              v[i] = sum / lower[i * count + i]!;
              rest -= v[i]! * v[i]!;
            }
            const p = meanOfLogistic(f[row]!, rest);
            out[2 * row] = 1 - p;
            out[2 * row + 1] = p;
          }
          return [float64(out, [f.length, 2])];
        })[0] as Value;
      }),
    },
  };
}

/** The mean of the logistic function over a normal distribution. */
function meanOfLogistic(mean: number, variance: number): number {
  const alpha = 1 / (2 * variance);
  let sum = 0;
  let half = 0;
  LAMBDAS.forEach((lambda, i) => {
    const scale = Math.sqrt(alpha / (alpha + lambda * lambda));
    const integral =
      (Math.sqrt(Math.PI / alpha) * erf(lambda * mean * scale)) / (2 * Math.sqrt(variance * 2 * Math.PI));
    sum += COEFFICIENTS[i]! * integral;
    half += COEFFICIENTS[i]!;
  });
  return sum + 0.5 * half;
}

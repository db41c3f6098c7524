import type { Value } from '../../onnx/graph';
import type { PlanValue } from '../plan';
import type { Context, Entry, Lowered } from './context';
import type { Estimator } from './estimator';

/** Outlier detectors of one formula. Source: sklearn `covariance/_elliptic_envelope.py`, `linear_model/_stochastic_gradient.py`. */
export const OUTLIER_DETECTORS: Readonly<Record<string, Entry>> = {
  'sklearn.EllipticEnvelope': { lower: envelope, features: (e) => e.optionalTensor('location_')?.data.length },
  'sklearn.SGDOneClassSVM': { lower: oneClass },
};

/** 1 where the condition holds, -1 elsewhere. */
function inliers(context: Context, condition: Value): Value {
  const { plan } = context;
  return plan.where(condition, plan.scalar(1, 'int64'), plan.scalar(-1, 'int64'));
}

/**
 * Squared Mahalanobis distance m = (x - location)ᵀ precision (x - location); decision -m - offset_, an inlier from 0. Before 0.20 the decision was
 * threshold_^0.33 - m^0.33, an inlier up to the threshold.
 */
function envelope(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const location = plan.doubles(estimator.vector('location_'), undefined, 'location');
  if (!estimator.has('precision_'))
    throw estimator.unsupported(
      'it was fitted with store_precision=False, and its precision matrix is not in the file',
    );
  const precision = plan.constant(estimator.tensor('precision_'), 'precision');
  const distance = context.memo((x: PlanValue): Value => {
    const centred = plan.sub(context.numeric(x), location);
    return plan.reduceSum(plan.mul(plan.matmul(centred, precision), centred), [1]);
  });
  const threshold = estimator.optionalNumber('threshold_');
  if (threshold !== undefined && !estimator.since('0.20')) {
    return {
      methods: {
        predict: (x) => inliers(context, plan.lessOrEqual(distance(x), threshold)),
        decision_function: (x) => plan.sub(plan.scalar(threshold ** 0.33, 'float64'), plan.pow(distance(x), 0.33)),
      },
    };
  }
  const score = context.memo((x: PlanValue): Value => plan.neg(distance(x)));
  const decision = context.memo((x: PlanValue): Value => plan.sub(score(x), estimator.number('offset_')));
  return {
    methods: {
      predict: (x) => inliers(context, plan.greaterOrEqual(decision(x), 0)),
      decision_function: decision,
      score_samples: score,
    },
  };
}

/** X · coef - offset; an inlier from 0. */
function oneClass(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const coef = estimator.vector('coef_');
  const score = context.memo(
    (x: PlanValue): Value =>
      plan.squeeze(plan.matmul(context.numeric(x), plan.doubles(coef, [coef.length, 1], 'coef')), 1),
  );
  const decision = context.memo((x: PlanValue): Value => plan.sub(score(x), estimator.number('offset_')));
  return {
    methods: {
      predict: (x) => plan.cast(inliers(context, plan.greaterOrEqual(decision(x), 0)), 'int32'),
      decision_function: decision,
      score_samples: score,
    },
  };
}

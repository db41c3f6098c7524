import { toNumber } from '../../formats/numpy/pickled';
import type { Value } from '../../onnx/graph';
import { asSequence } from '../../pickle/values';
import type { PlanValue } from '../plan';
import type { Context, Entry, Lowered } from './context';
import type { Estimator } from './estimator';

/**
 * Scalers, column by column, in float64. Missing values pass through since 0.20.
 * Source: sklearn `preprocessing/data.py` (to 0.21), `_data.py`.
 */
export const SCALERS: Readonly<Record<string, Entry>> = {
  'sklearn.StandardScaler': { lower: standardScaler, missing: (e) => e.since('0.20') },
  'sklearn.MinMaxScaler': { lower: minMaxScaler, missing: (e) => e.since('0.20') },
  'sklearn.MaxAbsScaler': { lower: maxAbsScaler, missing: (e) => e.since('0.20') },
  'sklearn.RobustScaler': { lower: robustScaler, missing: (e) => e.since('0.20') },
  'sklearn.Normalizer': { lower: normalizer },
  'sklearn.Binarizer': { lower: binarizer },
};

/** (x - mean_) / scale_, each part only if it was asked for; constant columns have scale 1. */
function standardScaler(estimator: Estimator, context: Context): Lowered {
  const mean = estimator.flag('with_mean', true) ? estimator.vector('mean_') : undefined;
  const scale = estimator.flag('with_std', true) ? estimator.vector('scale_') : undefined;
  return shiftAndScale(context, mean, scale);
}

/** (x - center_) / scale_ by median and quantile range. */
function robustScaler(estimator: Estimator, context: Context): Lowered {
  const center = estimator.flag('with_centering', true) ? estimator.vector('center_') : undefined;
  const scale = estimator.flag('with_scaling', true) ? estimator.vector('scale_') : undefined;
  return shiftAndScale(context, center, scale);
}

function shiftAndScale(context: Context, shift: Float64Array | undefined, scale: Float64Array | undefined): Lowered {
  const { plan } = context;
  const transform = (x: PlanValue): Value => {
    const rows = context.numeric(x);
    const centred = shift ? plan.sub(rows, plan.doubles(shift, undefined, 'mean')) : rows;
    return scale ? plan.div(centred, plan.doubles(scale, undefined, 'scale')) : centred;
  };
  const inverse_transform = (x: PlanValue): Value => {
    const rows = context.numeric(x);
    const scaled = scale ? plan.mul(rows, plan.doubles(scale, undefined, 'scale')) : rows;
    return shift ? plan.add(scaled, plan.doubles(shift, undefined, 'mean')) : scaled;
  };
  return { methods: { transform, inverse_transform } };
}

/** x · scale_ + min_; since 0.24 clipped to the range if asked for. */
function minMaxScaler(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const scale = plan.doubles(estimator.vector('scale_'), undefined, 'scale');
  const min = plan.doubles(estimator.vector('min_'), undefined, 'min');
  const [low, high] = (asSequence(estimator.value('feature_range')) ?? []).map(toNumber);
  const transform = (x: PlanValue): Value => {
    const scaled = plan.add(plan.mul(context.numeric(x), scale), min);
    return estimator.flag('clip', false) ? plan.clip(scaled, low, high) : scaled;
  };
  return { methods: { transform, inverse_transform: (x) => plan.div(plan.sub(context.numeric(x), min), scale) } };
}

/** x / scale_, the largest absolute value; since 1.9 clipped to [-1, 1] if asked for. */
function maxAbsScaler(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const scale = plan.doubles(estimator.vector('scale_'), undefined, 'scale');
  const transform = (x: PlanValue): Value => {
    const scaled = plan.div(context.numeric(x), scale);
    return estimator.flag('clip', false) ? plan.clip(scaled, -1, 1) : scaled;
  };
  return { methods: { transform, inverse_transform: (x) => plan.mul(context.numeric(x), scale) } };
}

/**
 * Each row divided by its norm: l1 the sum of absolute values, l2 the Euclidean length, max the largest absolute value
 * (before 0.23 the largest value itself). A norm of 0 counts as 1; since 1.0 so does one below ten times float64's epsilon.
 */
function normalizer(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const norm = estimator.text('norm');
  const signed = !estimator.since('0.23');
  const length = (rows: Value): Value => {
    if (norm === 'l1') return plan.reduceSum(plan.abs(rows), [1], true);
    if (norm === 'l2') return plan.sqrt(plan.reduceSum(plan.square(rows), [1], true));
    if (norm === 'max') return plan.reduceMax(signed ? rows : plan.abs(rows), [1], true);
    throw estimator.unsupported(`its norm ${norm} is not known`);
  };
  const transform = (x: PlanValue): Value => {
    const rows = context.numeric(x);
    const lengths = length(rows);
    const vanishing = estimator.since('1.0') ? plan.less(lengths, 10 * 2 ** -52) : plan.equal(lengths, 0);
    return plan.div(rows, plan.where(vanishing, 1, lengths));
  };
  return { methods: { transform } };
}

/** 1 where x > threshold, else 0. */
function binarizer(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const threshold = estimator.number('threshold');
  return { methods: { transform: (x) => plan.cast(plan.greater(context.numeric(x), threshold), 'float64') } };
}

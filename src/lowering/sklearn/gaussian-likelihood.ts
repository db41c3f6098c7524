import type { Value } from '../../onnx/graph';
import type { PlanValue } from '../plan';
import type { Context } from './context';
import { choleskyLogDeterminant, invert } from './matrices';

/**
 * log N(x; mean, covariance) of each row: -½ Σ (r P) r - ½ (n log 2π + log |covariance|), P the inverse of the covariance.
 * @returns undefined where the covariance has no inverse
 */
export function logLikelihood(
  context: Context,
  mean: Float64Array,
  covariance: Float64Array,
): ((x: PlanValue) => Value) | undefined {
  const { plan } = context;
  const size = mean.length;
  const precision = invert(covariance, size);
  const logDeterminant = choleskyLogDeterminant(covariance, size);
  if (!precision || logDeterminant === undefined) return undefined;
  return (x) => {
    const centred = plan.sub(context.numeric(x), plan.doubles(mean, undefined, 'mean'));
    const distance = plan.reduceSum(
      plan.mul(centred, plan.matmul(centred, plan.doubles(precision, [size, size], 'precision'))),
      [1],
    );
    return plan.sub(plan.mul(distance, -0.5), 0.5 * (size * Math.log(2 * Math.PI) + logDeterminant));
  };
}

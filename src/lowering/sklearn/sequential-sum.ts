import type { Value } from '../../onnx/graph';
import type { Context } from './context';

/**
 * The sum of `count` terms along an axis, added up from first to last as the boosting libraries do it. A reduction of the runtime
 * adds in an order of its own; the last bits differ, and more where terms cancel or where the numbers are float32.
 */
export function sequentialSum(context: Context, terms: Value, axis: number, count: number): Value {
  const { plan } = context;
  if (count === 1) return plan.squeeze(terms, axis);
  return plan.squeeze(plan.slice(plan.cumsum(terms, axis), axis, count - 1, count), axis);
}

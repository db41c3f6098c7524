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

/**
 * The order of trees in which those of an output stand together, where each adds to one output and every output has as many as the
 * others; undefined otherwise. Then a row needs one number for each tree instead of one for each tree and output.
 */
export function byOutput(outputs: readonly number[], count: number): number[] | undefined {
  const each = outputs.length / count;
  const sizes = new Int32Array(count);
  for (const output of outputs) sizes[output]!++;
  if (sizes.some((size) => size !== each)) return undefined;
  return outputs.map((_, i) => i).sort((a, b) => outputs[a]! - outputs[b]! || a - b);
}

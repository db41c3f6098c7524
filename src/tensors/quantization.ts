import type { TensorRef } from './tensor';

/**
 * What turns stored integers into real values, in place: `(stored - zeroPoint) * scale`, per tensor or per channel along `axis`.
 * `start` is the row-major position of the first value. `undefined` for tensors that are not quantised.
 */
export function dequantiser(ref: TensorRef): ((values: Float64Array, start: number) => void) | undefined {
  const { quantization: q } = ref;
  if (!q) return undefined;
  const { scale, zeroPoint } = q;
  if (typeof scale === 'number' && typeof zeroPoint === 'number') {
    return (values) => {
      for (let i = 0; i < values.length; i++) values[i] = (values[i] - zeroPoint) * scale;
    };
  }
  const axis = q.axis ?? 0;
  let inner = 1;
  for (let d = axis + 1; d < ref.shape.length; d++) inner *= ref.shape[d];
  const channels = Math.max(1, ref.shape[axis] ?? 1);
  const scaleOf = typeof scale === 'number' ? () => scale : (c: number) => scale[c] ?? Number.NaN;
  const zeroOf = typeof zeroPoint === 'number' ? () => zeroPoint : (c: number) => zeroPoint[c] ?? 0;
  return (values, start) => {
    for (let i = 0; i < values.length; i++) {
      const channel = Math.floor((start + i) / inner) % channels;
      values[i] = (values[i] - zeroOf(channel)) * scaleOf(channel);
    }
  };
}

import type { ByteRange } from '../bytes/byte-range';
import type { DType } from './dtype';

/** Where the elements of a tensor lie and how to walk them. Nothing is read until somebody asks. */
export interface TensorRef {
  dtype: DType;
  shape: readonly number[];
  /** Element strides; absent for contiguous row-major data. */
  strides?: readonly number[];
  /** Offset of the first element, in elements, inside `data`. */
  offset?: number;
  /** The storage's bytes. */
  data: ByteRange;
  /** Default little. */
  byteOrder?: 'little' | 'big';
  /** Bytes of one element where the dtype does not tell: `<U12` is 48, `S5` is 5. */
  itemsize?: number;
  /** Affine quantisation: real = (stored - zeroPoint) * scale; per-channel arrays run along `axis`. */
  quantization?: { scale: number | number[]; zeroPoint: number | number[]; axis?: number };
}

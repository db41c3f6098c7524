import { cut, printValue } from '../../pickle/print';
import type { Instance, Value } from '../../pickle/values';
import type { NdArray } from '../numpy/ndarray';
import { asArray, asScalar } from '../numpy/pickled';

/** Elements of an array that are written out; larger ones are named by dtype and shape. */
const SHOWN_ELEMENTS = 8;

/** One line for objects whose constructor calls say little: arrays and NumPy scalars. `undefined` leaves the general form. */
export function describeInstance(value: Instance): string | undefined {
  const array = asArray(value);
  if (array) return describeArray(array);
  const scalar = asScalar(value);
  if (scalar) return printValue(scalar.value, { width: 80, depth: 2 });
  return undefined;
}

/** `array([1.0, 2.0])` for short vectors, `array of float64, shape (3, 4)` for others. */
export function describeArray(array: NdArray): string {
  if (array.shape.length <= 1 && array.size <= SHOWN_ELEMENTS && !array.dtype.fields && !array.dtype.subShape) {
    try {
      const items = array.toList();
      return `array(${printValue(array.shape.length === 0 ? items[0] : items, { width: 120, depth: 2, describe: describeInstance })})`;
    } catch {
      // Damaged or absent data: the shape is still worth showing.
    }
  }
  return `array of ${cut(array.dtype.text, 60)}, shape ${shapeText(array.shape)}`;
}

export function shapeText(shape: readonly number[]): string {
  return `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;
}

/** A value on one line, with arrays and scalars in words. */
export function describe(value: Value | undefined, width = 120): string {
  return printValue(value, { width, depth: 3, items: 12, describe: describeInstance });
}

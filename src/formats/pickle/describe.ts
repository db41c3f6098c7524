import { cut, printValue } from '../../pickle/print';
import type { Instance, Value } from '../../pickle/values';
import { arrayTexts } from '../numpy/cells';
import { datetimeText, timedeltaText } from '../numpy/datetime';
import type { NumpyDType } from '../numpy/dtype';
import type { NdArray } from '../numpy/ndarray';
import { asArray, asScalar } from '../numpy/pickled';
import { describeObject } from './objects';
import { asFrame } from './pandas';
import { asSparse } from './sparse';

/** Elements of an array that are written out; larger ones are named by dtype and shape. */
const SHOWN_ELEMENTS = 8;

/** One line for objects whose constructor calls say little: arrays and NumPy scalars. `undefined` leaves the general form. */
export function describeInstance(value: Instance): string | undefined {
  const array = asArray(value);
  if (array) return describeArray(array);
  const scalar = asScalar(value);
  if (scalar) return scalarText(scalar);
  const frame = asFrame(value);
  if (frame) {
    if (frame.kind === 'Series') return `Series ${frame.columns[0]?.name ?? ''}, ${frame.rows} rows`;
    return `DataFrame ${frame.rows} × ${frame.columns.length}: ${cut(frame.columns.map((column) => column.name).join(', '), 80)}`;
  }
  const sparse = asSparse(value);
  if (sparse) return `${sparse.format} matrix ${shapeText(sparse.shape)} of ${sparse.dtype}, ${sparse.stored} stored`;
  return describeObject(value);
}

function scalarText(scalar: { dtype: NumpyDType; value: Value }): string {
  const { dtype, value } = scalar;
  if ((dtype.kind === 'M' || dtype.kind === 'm') && (typeof value === 'number' || typeof value === 'bigint')) {
    return (dtype.kind === 'M' ? datetimeText : timedeltaText)(BigInt(value), dtype.unit);
  }
  return printValue(value, { width: 80, depth: 2 });
}

/** `array([1.0, 2.0])` for short vectors, `array of float64, shape (3, 4)` for others. */
export function describeArray(array: NdArray): string {
  if (array.shape.length <= 1 && array.size <= SHOWN_ELEMENTS && (array.objects || array.data)) {
    try {
      if (!array.objects) {
        const shown = arrayTexts(
          array,
          Array.from({ length: array.size }, (_, i) => i),
        );
        return cut(`array(${array.shape.length === 0 ? shown[0] : `[${shown.join(', ')}]`})`, 120);
      }
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

import type { TableSource } from '../../model/model';
import { printFloat, printString, printValue } from '../../pickle/print';
import type { Value } from '../../pickle/values';
import { datetimeText, timedeltaText } from './datetime';
import type { NumpyDType } from './dtype';
import { fortranStrides, type NdArray, numberReader } from './ndarray';

/** Elements of a sub-array field that are shown in one cell. */
const SHOWN_SUB = 8;

/** Text of the element whose first byte is at `at`; structures as tuples. */
export function elementText(dtype: NumpyDType, view: DataView, at: number, quote = true): string {
  if (dtype.subShape) {
    const count = dtype.subShape.reduce((a, b) => a * b, 1);
    const size = count > 0 ? dtype.itemsize / count : 0;
    const base = { ...dtype, subShape: undefined, itemsize: size };
    const parts: string[] = [];
    for (let i = 0; i < Math.min(count, SHOWN_SUB); i++) parts.push(elementText(base, view, at + i * size, quote));
    return `[${parts.join(', ')}${count > SHOWN_SUB ? ', …' : ''}]`;
  }
  if (dtype.fields)
    return `(${dtype.fields.map((field) => elementText(field.dtype, view, at + field.offset, quote)).join(', ')})`;
  const little = dtype.byteOrder === 'little';
  switch (dtype.kind) {
    case 'b':
      return view.getUint8(at) ? 'True' : 'False';
    case 'M':
      return datetimeText(view.getBigInt64(at, little), dtype.unit);
    case 'm':
      return timedeltaText(view.getBigInt64(at, little), dtype.unit);
    case 'U':
    case 'S':
      return fixedText(dtype, view, at, quote);
    case 'V': {
      const bytes = Buffer.from(view.buffer, view.byteOffset + at, Math.min(dtype.itemsize, 32));
      return `0x${bytes.toString('hex')}${dtype.itemsize > 32 ? '…' : ''}`;
    }
    case 'c': {
      const half = dtype.itemsize / 2;
      const read = numberReader('f', half, little);
      if (!read) return '?';
      const imaginary = read(view, at + half);
      return `${printFloat(read(view, at))}${imaginary < 0 ? '-' : '+'}${printFloat(Math.abs(imaginary))}j`;
    }
  }
  if (dtype.itemsize === 8 && (dtype.kind === 'i' || dtype.kind === 'u')) {
    return String(dtype.kind === 'u' ? view.getBigUint64(at, little) : view.getBigInt64(at, little));
  }
  const read = numberReader(dtype.kind, dtype.itemsize, little);
  if (!read) return '?';
  const value = read(view, at);
  if (dtype.kind !== 'f') return String(value);
  return printFloat(dtype.itemsize === 4 ? shortFloat32(value) : value);
}

/** The shortest decimal that is this float32. */
function shortFloat32(value: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === value) return candidate;
  }
  return value;
}

function fixedText(dtype: NumpyDType, view: DataView, at: number, quote: boolean): string {
  let text = '';
  const width = dtype.kind === 'U' ? 4 : 1;
  for (let i = 0; i < dtype.itemsize; i += width) {
    const code = width === 4 ? view.getUint32(at + i, dtype.byteOrder === 'little') : view.getUint8(at + i);
    text += code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd';
  }
  const trimmed = text.replace(/\0+$/, '');
  return quote ? `${dtype.kind === 'S' ? 'b' : ''}${printString(trimmed)}` : trimmed;
}

/** Texts of elements by their row-major positions; only the bytes from the first to the last of them are read. */
export function arrayTexts(
  array: NdArray,
  positions: readonly number[],
  options: { quote?: boolean; describe?: (value: Value) => string } = {},
): string[] {
  if (positions.length === 0) return [];
  const stored =
    array.fortran && array.shape.length > 1
      ? positions.map((position) => columnMajor(position, array.shape))
      : positions;
  if (array.objects) {
    const show = options.describe ?? ((value: Value) => printValue(value, { width: 120, depth: 3 }));
    return stored.map((i) => {
      const value = array.objects?.[i];
      if (options.quote === false && typeof value === 'string') return value;
      return value === undefined ? '' : show(value);
    });
  }
  const { itemsize } = array.dtype;
  const first = stored.reduce((a, b) => Math.min(a, b));
  const last = stored.reduce((a, b) => Math.max(a, b));
  if (!array.data || (last + 1) * itemsize > array.data.length) return stored.map(() => '…');
  const bytes = array.data.bytes(first * itemsize, (last + 1) * itemsize);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return stored.map((i) => elementText(array.dtype, view, (i - first) * itemsize, options.quote ?? true));
}

function columnMajor(position: number, shape: readonly number[]): number {
  const strides = fortranStrides(shape);
  let rest = position;
  let at = 0;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    at += (rest % shape[axis]) * strides[axis];
    rest = Math.floor(rest / shape[axis]);
  }
  return at;
}

/** Structured and object arrays as tables: fields, or columns of the last dimension. `undefined` for arrays that a tensor view shows. */
export function arrayTable(array: NdArray, describe?: (value: Value) => string): TableSource | undefined {
  const { fields } = array.dtype;
  if (fields && array.data) {
    const record = array;
    return {
      columns: fields.map((field) => field.name),
      dtypes: fields.map((field) => field.dtype.text),
      rowCount: array.size,
      cells(rowStart, rowCount, columnStart, columnCount) {
        const { itemsize } = record.dtype;
        const shown = fields.slice(columnStart, columnStart + columnCount);
        const end = Math.min(rowStart + rowCount, record.size);
        const bytes = record.data?.bytes(rowStart * itemsize, end * itemsize) ?? new Uint8Array(0);
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        const rows: string[][] = [];
        for (let at = 0; at + itemsize <= bytes.length; at += itemsize)
          rows.push(shown.map((field) => elementText(field.dtype, view, at + field.offset)));
        return rows;
      },
    };
  }
  if (!array.objects) return undefined;
  const width = array.shape.length > 1 ? array.shape[array.shape.length - 1] : 1;
  return {
    columns: Array.from({ length: Math.min(width, 10_000) }, (_, i) => (array.shape.length > 1 ? String(i) : 'value')),
    dtypes: Array.from({ length: Math.min(width, 10_000) }, () => 'object'),
    rowCount: width > 0 ? Math.floor(array.size / width) : 0,
    cells(rowStart, rowCount, columnStart, columnCount) {
      const rows: string[][] = [];
      for (let row = rowStart; row < Math.min(rowStart + rowCount, array.size / width); row++) {
        const positions: number[] = [];
        for (let column = columnStart; column < Math.min(columnStart + columnCount, width); column++)
          positions.push(row * width + column);
        rows.push(arrayTexts(array, positions, describe ? { describe } : {}));
      }
      return rows;
    },
  };
}

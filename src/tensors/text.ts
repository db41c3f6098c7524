import { printFloat, printString } from '../bytes/python-text';
import { elementReader, imaginaryReader, PACKED } from './decode';
import type { DType } from './dtype';
import { readBytes, readNumbers } from './elements';
import { dequantiser } from './quantization';
import type { TensorRef } from './tensor';

/** Significant digits from which on every value of a type is told from its neighbours. */
const DIGITS: Partial<Record<DType, number>> = {
  float32: 9,
  complex64: 9,
  float16: 5,
  complex32: 5,
  bfloat16: 4,
  float8_e4m3fn: 3,
  float8_e4m3fnuz: 3,
  float8_e5m2: 3,
  float8_e5m2fnuz: 3,
  float8_e8m0fnu: 3,
};

/**
 * A number in the fewest digits that still mean this very value in its own type: a float32 0.1 is `0.1`, not `0.10000000149011612`.
 * @param same tells whether another number becomes the same element.
 */
export function shortest(value: number, most: number, same: (candidate: number) => boolean): string {
  if (!Number.isFinite(value) || value === 0) return printFloat(value);
  for (let digits = 1; digits < most; digits++) {
    const candidate = Number(value.toPrecision(digits));
    if (same(candidate)) return printFloat(candidate);
  }
  return printFloat(Number(value.toPrecision(most)));
}

/** Text of an element of a floating type, shortest digits. */
export function floatText(value: number, dtype: DType): string {
  const most = DIGITS[dtype];
  if (most === undefined) return printFloat(value);
  if (dtype === 'float32' || dtype === 'complex64')
    return shortest(value, most, (candidate) => Math.fround(candidate) === value);
  // Narrow types: another number is this element if it lies nearer than half the distance to the neighbours, which is half as far
  // below a power of two.
  const power = Math.floor(Math.log2(Math.abs(value)));
  const half = 2 ** (power - (MANTISSA[dtype] ?? 23) - 1);
  const atPower = Math.abs(value) === 2 ** power;
  return shortest(value, most, (candidate) => {
    const below = atPower && Math.abs(candidate) < Math.abs(value);
    return Math.abs(candidate - value) < (below ? half / 2 : half);
  });
}

const MANTISSA: Partial<Record<DType, number>> = {
  float16: 10,
  complex32: 10,
  bfloat16: 7,
  float8_e4m3fn: 3,
  float8_e4m3fnuz: 3,
  float8_e5m2: 2,
  float8_e5m2fnuz: 2,
  float8_e8m0fnu: 0,
};

/**
 * Display texts of the row-major elements `[start, start + count)`. Quantised tensors give real values, packed pairs of 4-bit floats
 * both values, strings their text.
 * @throws ModelError `truncated` if the bytes are not there, `unsupported` for types without text.
 */
export function elementTexts(ref: TensorRef, start: number, count: number): string[] {
  const { dtype } = ref;
  const dequantise = dequantiser(ref);
  if (dequantise || PACKED[dtype] || dtype === 'float4_e2m1fn_x2') {
    const values = readNumbers(ref, start, count);
    dequantise?.(values, start);
    if (dtype === 'float4_e2m1fn_x2') {
      const second = readNumbers(ref, start, count, 'second');
      return Array.from(values, (v, i) => `${printFloat(v)}, ${printFloat(second[i])}`);
    }
    return Array.from(values, (v) => (dequantise ? floatText(Math.fround(v), 'float32') : String(v)));
  }
  const bytes = readBytes(ref, start, count);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = ref.byteOrder !== 'big';
  const width = count > 0 ? bytes.length / count : 1;
  const text = textOf(dtype, little, width);
  const out = new Array<string>(count);
  for (let i = 0; i < count; i++) out[i] = text(view, i * width);
  return out;
}

function textOf(dtype: DType, little: boolean, width: number): (view: DataView, at: number) => string {
  switch (dtype) {
    case 'bool':
      return (v, at) => (v.getUint8(at) ? 'True' : 'False');
    case 'int64':
    case 'timedelta64':
    case 'datetime64':
      return (v, at) => String(v.getBigInt64(at, little));
    case 'uint64':
      return (v, at) => String(v.getBigUint64(at, little));
    case 'string':
      return (v, at) => printString(ucs4(v, at, width, little));
    case 'bytes':
      return (v, at) => printString(latin1(v, at, width));
  }
  const reader = elementReader(dtype, little);
  if (!reader) return (v, at) => hex(v, at, width);
  const { read } = reader;
  const imaginary = imaginaryReader(dtype, little);
  if (imaginary) {
    return (v, at) => {
      const im = floatText(imaginary(v, at), dtype);
      return `${floatText(read(v, at), dtype)}${im.startsWith('-') ? '' : '+'}${im}j`;
    };
  }
  if (/float/.test(dtype) || dtype === 'longdouble') return (v, at) => floatText(read(v, at), dtype);
  return (v, at) => String(read(v, at));
}

function ucs4(view: DataView, at: number, width: number, little: boolean): string {
  let text = '';
  let end = 0;
  for (let i = 0; i + 4 <= width; i += 4) {
    const code = view.getUint32(at + i, little);
    text += code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd';
    if (code) end = text.length;
  }
  return text.slice(0, end);
}

function latin1(view: DataView, at: number, width: number): string {
  let text = '';
  let end = 0;
  for (let i = 0; i < width; i++) {
    text += String.fromCharCode(view.getUint8(at + i));
    if (view.getUint8(at + i)) end = text.length;
  }
  return text.slice(0, end);
}

function hex(view: DataView, at: number, width: number): string {
  let text = '0x';
  for (let i = 0; i < Math.min(width, 32); i++)
    text += view
      .getUint8(at + i)
      .toString(16)
      .padStart(2, '0');
  return width > 32 ? `${text}…` : text;
}

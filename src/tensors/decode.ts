import { bfloat16ToFloat, halfToFloat } from '../bytes/half';
import type { DType } from './dtype';

/**
 * Small floats as numbers. Source of the formats: OCP 8-bit Floating Point Specification 1.0 (e4m3fn, e5m2), Microscaling Formats 1.0
 * (e8m0, e2m1), and the `fnuz` variants of LLVM's APFloat (no negative zero, which stands for NaN, and a bias larger by one).
 */
function smallFloat(
  bits: number,
  exponentBits: number,
  mantissaBits: number,
  bias: number,
  kind: 'ieee' | 'fn' | 'fnuz' | 'finite',
): number {
  const sign = bits >> (exponentBits + mantissaBits) ? -1 : 1;
  const exponent = (bits >> mantissaBits) & ((1 << exponentBits) - 1);
  const mantissa = bits & ((1 << mantissaBits) - 1);
  const top = (1 << exponentBits) - 1;
  if (kind === 'fnuz' && sign < 0 && exponent === 0 && mantissa === 0) return Number.NaN;
  if (kind === 'ieee' && exponent === top) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  if (kind === 'fn' && exponent === top && mantissa === (1 << mantissaBits) - 1) return Number.NaN;
  if (exponent === 0) return sign * mantissa * 2 ** (1 - bias - mantissaBits);
  return sign * (1 + mantissa / (1 << mantissaBits)) * 2 ** (exponent - bias);
}

function table(size: number, value: (bits: number) => number): Float64Array {
  return Float64Array.from({ length: size }, (_, bits) => value(bits));
}

const makers: Partial<Record<DType, () => Float64Array>> = {
  float8_e4m3fn: () => table(256, (b) => smallFloat(b, 4, 3, 7, 'fn')),
  float8_e4m3fnuz: () => table(256, (b) => smallFloat(b, 4, 3, 8, 'fnuz')),
  float8_e5m2: () => table(256, (b) => smallFloat(b, 5, 2, 15, 'ieee')),
  float8_e5m2fnuz: () => table(256, (b) => smallFloat(b, 5, 2, 16, 'fnuz')),
  float8_e8m0fnu: () => table(256, (b) => (b === 255 ? Number.NaN : 2 ** (b - 127))),
  int8: () => table(256, (b) => (b << 24) >> 24),
  qint8: () => table(256, (b) => (b << 24) >> 24),
  uint8: () => table(256, (b) => b),
  quint8: () => table(256, (b) => b),
  bool: () => table(256, (b) => (b ? 1 : 0)),
  float16: () => table(65536, halfToFloat),
  bfloat16: () => table(65536, bfloat16ToFloat),
};
const tables = new Map<DType, Float64Array>();

/** The value of every bit pattern of a type of 8 or 16 bits; `undefined` for other types. */
export function valueTable(dtype: DType): Float64Array | undefined {
  let known = tables.get(dtype);
  if (!known) {
    known = makers[dtype]?.();
    if (known) tables.set(dtype, known);
  }
  return known;
}

/** Values packed below a byte: bits of each, lowest bits first, and what they mean. */
export const PACKED: Partial<Record<DType, { bits: number; value(bits: number): number }>> = {
  quint4x2: { bits: 4, value: (b) => b },
  quint2x4: { bits: 2, value: (b) => b },
  uint4: { bits: 4, value: (b) => b },
  int4: { bits: 4, value: (b) => (b << 28) >> 28 },
  uint2: { bits: 2, value: (b) => b },
  int2: { bits: 2, value: (b) => (b << 30) >> 30 },
  uint1: { bits: 1, value: (b) => b },
  int1: { bits: 1, value: (b) => -b },
};

/** The eight magnitudes of a 4-bit float (e2m1); the ninth to sixteenth are their negatives. */
export const FLOAT4 = Float64Array.from({ length: 16 }, (_, b) => smallFloat(b, 2, 1, 1, 'finite'));

/** Reads one element of a byte-sized type as a number; for complex types the real part. `undefined` for types that are not numeric. */
export function elementReader(
  dtype: DType,
  little: boolean,
): { bytes: number; read(view: DataView, at: number): number } | undefined {
  const known = valueTable(dtype);
  if (known) {
    return known.length === 256
      ? { bytes: 1, read: (view, at) => known[view.getUint8(at)] }
      : { bytes: 2, read: (view, at) => known[view.getUint16(at, little)] };
  }
  switch (dtype) {
    case 'float32':
      return { bytes: 4, read: (view, at) => view.getFloat32(at, little) };
    case 'float64':
      return { bytes: 8, read: (view, at) => view.getFloat64(at, little) };
    case 'int16':
      return { bytes: 2, read: (view, at) => view.getInt16(at, little) };
    case 'uint16':
      return { bytes: 2, read: (view, at) => view.getUint16(at, little) };
    case 'int32':
    case 'qint32':
      return { bytes: 4, read: (view, at) => view.getInt32(at, little) };
    case 'uint32':
      return { bytes: 4, read: (view, at) => view.getUint32(at, little) };
    case 'int64':
    case 'datetime64':
    case 'timedelta64':
      return { bytes: 8, read: (view, at) => Number(view.getBigInt64(at, little)) };
    case 'uint64':
      return { bytes: 8, read: (view, at) => Number(view.getBigUint64(at, little)) };
    case 'complex32':
      return { bytes: 4, read: (view, at) => halfToFloat(view.getUint16(at, little)) };
    case 'complex64':
      return { bytes: 8, read: (view, at) => view.getFloat32(at, little) };
    case 'complex128':
      return { bytes: 16, read: (view, at) => view.getFloat64(at, little) };
    case 'longdouble':
      return { bytes: 16, read: (view, at) => extendedToNumber(view, at, little) };
  }
  return undefined;
}

/** Imaginary part of a complex element; `undefined` for other types. */
export function imaginaryReader(dtype: DType, little: boolean): ((view: DataView, at: number) => number) | undefined {
  switch (dtype) {
    case 'complex32':
      return (view, at) => halfToFloat(view.getUint16(at + 2, little));
    case 'complex64':
      return (view, at) => view.getFloat32(at + 4, little);
    case 'complex128':
      return (view, at) => view.getFloat64(at + 8, little);
  }
  return undefined;
}

/** x87 80-bit extended precision, as `longdouble` is stored on x86-64: 16 bytes, 6 of them padding. */
function extendedToNumber(view: DataView, at: number, little: boolean): number {
  const mantissa = view.getBigUint64(little ? at : at + 2, little);
  const head = view.getUint16(little ? at + 8 : at, little);
  const sign = head & 0x8000 ? -1 : 1;
  const exponent = head & 0x7fff;
  if (exponent === 0x7fff) return (mantissa << 1n) & 0xffffffffffffffffn ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return mantissa === 0n ? sign * 0 : sign * Number(mantissa) * 2 ** (exponent - 16383 - 63);
}

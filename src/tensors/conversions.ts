import { bfloat16ToFloat, halfToFloat } from '../bytes/half';
import { elementReader, imaginaryReader, valueTable } from './decode';
import type { DType } from './dtype';

/** Turns the first `count` elements of bytes into numbers; complex ones into their magnitudes. The bytes lie on a multiple of 8. */
export type Conversion = (bytes: Uint8Array, count: number, out: Float64Array) => void;

/**
 * Stored little-endian elements as float64. Integers of 64 bits are rounded to nearest, as `Number(bigint)` rounds. `undefined` for types
 * that are no numbers, and those of which several share a byte.
 */
export function conversionOf(dtype: DType): Conversion | undefined {
  switch (dtype) {
    case 'int64':
    case 'datetime64':
    case 'timedelta64':
      return (bytes, count, out) => {
        const words = new Int32Array(bytes.buffer, bytes.byteOffset, count * 2);
        for (let i = 0; i < count; i++) out[i] = words[2 * i + 1] * 4294967296 + (words[2 * i] >>> 0);
      };
    case 'uint64':
      return (bytes, count, out) => {
        const words = new Uint32Array(bytes.buffer, bytes.byteOffset, count * 2);
        for (let i = 0; i < count; i++) out[i] = words[2 * i + 1] * 4294967296 + words[2 * i];
      };
    case 'qint32':
      return (bytes, count, out) => {
        const stored = new Int32Array(bytes.buffer, bytes.byteOffset, count);
        for (let i = 0; i < count; i++) out[i] = stored[i];
      };
    case 'complex32':
      return (bytes, count, out) => {
        const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, count * 2);
        const values = halfTable();
        for (let i = 0; i < count; i++) out[i] = magnitude(values[halves[2 * i]], values[halves[2 * i + 1]]);
      };
    case 'complex64':
      return (bytes, count, out) => {
        const parts = new Float32Array(bytes.buffer, bytes.byteOffset, count * 2);
        for (let i = 0; i < count; i++) out[i] = magnitude(parts[2 * i], parts[2 * i + 1]);
      };
    case 'complex128':
      return (bytes, count, out) => {
        const parts = new Float64Array(bytes.buffer, bytes.byteOffset, count * 2);
        for (let i = 0; i < count; i++) out[i] = magnitude(parts[2 * i], parts[2 * i + 1]);
      };
  }
  const table = valueTable(dtype);
  if (table) {
    const wide = table.length === 65536;
    return (bytes, count, out) => {
      const patterns = wide ? new Uint16Array(bytes.buffer, bytes.byteOffset, count) : bytes;
      for (let i = 0; i < count; i++) out[i] = table[patterns[i]];
    };
  }
  const reader = elementReader(dtype, true);
  if (!reader) return undefined;
  const imaginary = imaginaryReader(dtype, true);
  return (bytes, count, out) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let i = 0; i < count; i++) {
      const real = reader.read(view, i * reader.bytes);
      out[i] = imaginary ? Math.hypot(real, imaginary(view, i * reader.bytes)) : real;
    }
  };
}

let halves: Float32Array | undefined;

function halfTable(): Float32Array {
  halves ??= Float32Array.from({ length: 65536 }, (_, bits) => halfToFloat(bits));
  return halves;
}

/** √(re² + im²), by `hypot` where the squares would overflow, lose digits, or are not numbers. */
function magnitude(real: number, imaginary: number): number {
  const square = real * real + imaginary * imaginary;
  return square > 1e-280 && square < 1e280 ? Math.sqrt(square) : Math.hypot(real, imaginary);
}

/** The number that each pattern of 16 bits stands for, for types of that size; `undefined` for others. */
export function sixteenBits(dtype: DType): ((pattern: number) => number) | undefined {
  switch (dtype) {
    case 'int16':
      return (p) => (p << 16) >> 16;
    case 'uint16':
      return (p) => p;
    case 'float16':
      return halfToFloat;
    case 'bfloat16':
      return bfloat16ToFloat;
  }
  return undefined;
}

/** Bytes of a number that is swapped as one: both parts of a complex number by themselves. */
export function swappedWidth(dtype: DType, itemBytes: number): number {
  return dtype.startsWith('complex') ? itemBytes / 2 : itemBytes;
}

/** Turns numbers of 2, 4, 8 or 16 bytes around, in place. The bytes lie on a multiple of 8. */
export function swapBytes(bytes: Uint8Array, width: number): void {
  const { buffer, byteOffset, length } = bytes;
  if (width === 2) {
    const halfwords = new Uint16Array(buffer, byteOffset, length >> 1);
    for (let i = 0; i < halfwords.length; i++) halfwords[i] = (halfwords[i] << 8) | (halfwords[i] >> 8);
    return;
  }
  const words = new Int32Array(buffer, byteOffset, length >> 2);
  const perNumber = width / 4;
  for (let i = 0; i < words.length; i++) {
    const w = words[i];
    words[i] = (w << 24) | ((w & 0xff00) << 8) | ((w >>> 8) & 0xff00) | (w >>> 24);
  }
  if (perNumber < 2) return;
  for (let at = 0; at + perNumber <= words.length; at += perNumber) {
    for (let low = at, high = at + perNumber - 1; low < high; low++, high--) {
      const w = words[low];
      words[low] = words[high];
      words[high] = w;
    }
  }
}

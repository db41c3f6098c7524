import { type ByteRange, MemoryRange } from '../../bytes/byte-range';
import { ModelError } from '../../bytes/errors';
import { halfToFloat } from '../../bytes/half';
import type { Value } from '../../pickle/values';
import { elementCount } from '../../tensors/dtype';
import type { TensorRef } from '../../tensors/tensor';
import type { NumpyDType } from './dtype';

/** A pickled NumPy array: dtype, shape and where its bytes lie, or its Python objects for dtype `object`. */
export class NdArray {
  constructor(
    readonly dtype: NumpyDType,
    readonly shape: readonly number[],
    /** Column-major (Fortran) element order. */
    readonly fortran: boolean,
    /** Raw bytes; absent for object arrays and for data that is not in the file. */
    readonly data: ByteRange | undefined,
    /** Elements of an object array, in the array's own order. */
    readonly objects: Value[] | undefined,
    /** Class name when it is a subclass: `matrix`, `MaskedArray`, `memmap`. */
    readonly subclass?: string,
    /** Mask bytes of a masked array, row-major, 1 = masked. */
    readonly mask?: ByteRange,
    /** Anything a reader should say about it: where the data is missing and why. */
    readonly note?: string,
  ) {}

  get size(): number {
    return elementCount(this.shape);
  }

  get byteLength(): number {
    return this.data?.length ?? this.size * this.dtype.itemsize;
  }

  /** Reference for the tensor view; absent for object arrays. */
  tensor(): TensorRef | undefined {
    if (!this.data || this.dtype.fields) return undefined;
    const shape = this.dtype.subShape ? [...this.shape, ...this.dtype.subShape] : this.shape;
    const ref: TensorRef = { dtype: this.dtype.type, shape, data: this.data, byteOrder: this.dtype.byteOrder };
    if (this.dtype.kind === 'S' || this.dtype.kind === 'U' || this.dtype.kind === 'V')
      ref.itemsize = this.dtype.itemsize;
    if (this.fortran && this.shape.length > 1) ref.strides = fortranStrides(this.shape);
    return ref;
  }

  /** One field of a structured array as an array of its own (copied, contiguous). */
  field(name: string): NdArray | undefined {
    const field = this.dtype.fields?.find((f) => f.name === name);
    if (!field || !this.data) return undefined;
    const all = this.requireBytes();
    const { itemsize } = this.dtype;
    const width = field.dtype.itemsize;
    const { size } = this;
    const out = new Uint8Array(size * width);
    for (let i = 0, from = field.offset, to = 0; i < size; i++, from += itemsize, to += width) {
      for (let b = 0; b < width; b++) out[to + b] = all[from + b];
    }
    return new NdArray(field.dtype, this.shape, this.fortran, new MemoryRange(out), undefined);
  }

  /**
   * Numeric elements in row-major order as float64; booleans as 0 and 1; int64 beyond 2^53 are rounded.
   * @throws ModelError `unsupported` for strings and objects, `truncated` if the data is shorter than the shape.
   */
  toFloat64(): Float64Array {
    const { size } = this;
    if (this.objects) {
      return Float64Array.from(this.rowMajor(this.objects), (v) => {
        const n = typeof v === 'bigint' ? Number(v) : typeof v === 'object' && v && 'value' in v ? v.value : v;
        if (typeof n !== 'number' && typeof n !== 'boolean') throw notNumeric(this.dtype.text);
        return Number(n);
      });
    }
    const bytes = this.requireBytes();
    const out = new Float64Array(size);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const le = this.dtype.byteOrder === 'little';
    const { itemsize, kind } = this.dtype;
    if (kind === 'f' && itemsize === 8 && le && bytes.byteOffset % 8 === 0) {
      out.set(new Float64Array(bytes.buffer, bytes.byteOffset, size));
    } else {
      const read = numberReader(kind, itemsize, le);
      if (!read) throw notNumeric(this.dtype.text);
      for (let i = 0, at = 0; i < size; i++, at += itemsize) out[i] = read(view, at);
    }
    return this.fortran && this.shape.length > 1 ? (permute(out, this.shape) as Float64Array) : out;
  }

  /** Integer elements in row-major order, exact. */
  toBigInt64(): BigInt64Array {
    const bytes = this.requireBytes();
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const le = this.dtype.byteOrder === 'little';
    const { itemsize, kind } = this.dtype;
    const out = new BigInt64Array(this.size);
    const read = kind === 'f' ? undefined : numberReader(kind, itemsize, le);
    if (!read) throw notNumeric(this.dtype.text);
    for (let i = 0, at = 0; i < out.length; i++, at += itemsize) {
      out[i] = itemsize === 8 ? view.getBigInt64(at, le) : BigInt(read(view, at));
    }
    return this.fortran && this.shape.length > 1 ? (permute(out, this.shape) as BigInt64Array) : out;
  }

  /** Elements in row-major order as plain values: numbers, bigints beyond 2^53, booleans, strings, objects' values; bytes as Latin-1 text. */
  toList(): Value[] {
    if (this.objects) return this.rowMajor(this.objects);
    const bytes = this.requireBytes();
    const { kind, itemsize } = this.dtype;
    const le = this.dtype.byteOrder === 'little';
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const out: Value[] = new Array(this.size);
    if (kind === 'U' || kind === 'S') {
      for (let i = 0; i < out.length; i++) out[i] = fixedText(view, i * itemsize, itemsize, kind, le);
    } else {
      const read = numberReader(kind, itemsize, le);
      if (!read) throw notNumeric(this.dtype.text);
      for (let i = 0, at = 0; i < out.length; i++, at += itemsize) {
        if (kind === 'b') out[i] = bytes[at] !== 0;
        else if (itemsize === 8 && (kind === 'i' || kind === 'u' || kind === 'm' || kind === 'M')) {
          const big = kind === 'u' ? view.getBigUint64(at, le) : view.getBigInt64(at, le);
          out[i] = big >= -9007199254740991n && big <= 9007199254740991n ? Number(big) : big;
        } else out[i] = read(view, at);
      }
    }
    return this.rowMajor(out);
  }

  private rowMajor<T>(items: T[]): T[] {
    return this.fortran && this.shape.length > 1 ? (permute(items, this.shape) as T[]) : items;
  }

  private requireBytes(): Uint8Array {
    const need = this.size * this.dtype.itemsize;
    if (!this.data)
      throw new ModelError('unsupported', `An array of dtype ${this.dtype.text} has no data in this file.`);
    if (!(need <= this.data.length)) {
      throw new ModelError(
        'truncated',
        `An array of shape (${this.shape.join(', ')}) needs ${need} bytes, but only ${this.data.length} are in the file.`,
      );
    }
    return this.data.bytes(0, need);
  }
}

function notNumeric(text: string): ModelError {
  return new ModelError('unsupported', `An array of dtype ${text} was expected to hold numbers.`);
}

/** Reader of one element as a number; `undefined` for kinds that are not numeric. Complex numbers give their real part. */
export function numberReader(
  kind: string,
  itemsize: number,
  le: boolean,
): ((view: DataView, at: number) => number) | undefined {
  switch (`${kind}${itemsize}`) {
    case 'f8':
    case 'c16':
      return (v, at) => v.getFloat64(at, le);
    case 'f4':
    case 'c8':
      return (v, at) => v.getFloat32(at, le);
    case 'f2':
      return (v, at) => halfToFloat(v.getUint16(at, le));
    case 'i8':
    case 'm8':
    case 'M8':
      // The same number as that of the big integer, without making one: only the sum may round.
      return (v, at) => v.getInt32(le ? at + 4 : at, le) * 2 ** 32 + v.getUint32(le ? at : at + 4, le);
    case 'u8':
      return (v, at) => Number(v.getBigUint64(at, le));
    case 'i4':
      return (v, at) => v.getInt32(at, le);
    case 'u4':
      return (v, at) => v.getUint32(at, le);
    case 'i2':
      return (v, at) => v.getInt16(at, le);
    case 'u2':
      return (v, at) => v.getUint16(at, le);
    case 'i1':
      return (v, at) => v.getInt8(at);
    case 'u1':
      return (v, at) => v.getUint8(at);
    case 'b1':
      return (v, at) => (v.getUint8(at) ? 1 : 0);
    case 'f16':
      return (v, at) => extendedToNumber(v, at, le);
  }
  return undefined;
}

/** x87 80-bit extended precision, as `longdouble` is stored on x86-64 (16 bytes, 6 of them padding). */
function extendedToNumber(view: DataView, at: number, le: boolean): number {
  const mantissa = view.getBigUint64(le ? at : at + 2, le);
  const head = view.getUint16(le ? at + 8 : at, le);
  const sign = head & 0x8000 ? -1 : 1;
  const exponent = head & 0x7fff;
  if (exponent === 0x7fff) return (mantissa << 1n) & 0xffffffffffffffffn ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  if (mantissa === 0n) return sign * 0;
  return sign * Number(mantissa) * 2 ** (exponent - 16383 - 63);
}

function fixedText(view: DataView, at: number, itemsize: number, kind: string, le: boolean): string {
  let text = '';
  let end = 0;
  if (kind === 'S') {
    for (let i = 0; i < itemsize; i++) {
      const code = view.getUint8(at + i);
      text += String.fromCharCode(code);
      if (code) end = text.length;
    }
  } else {
    for (let i = 0; i < itemsize; i += 4) {
      const code = view.getUint32(at + i, le);
      text += code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd';
      if (code) end = text.length;
    }
  }
  return text.slice(0, end);
}

/** Element strides of column-major data. */
export function fortranStrides(shape: readonly number[]): number[] {
  let stride = 1;
  return shape.map((size) => {
    const mine = stride;
    stride *= size;
    return mine;
  });
}

/** Reorders column-major `items` to row-major. */
function permute<T>(items: ArrayLike<T>, shape: readonly number[]): ArrayLike<T> {
  const Out = items.constructor as new (n: number) => T[];
  const out = new Out(items.length);
  const strides = fortranStrides(shape);
  const index = new Array<number>(shape.length).fill(0);
  for (let i = 0, at = 0; i < items.length; i++) {
    out[i] = items[at];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis];
      if (++index[axis] < shape[axis]) break;
      at -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return out;
}

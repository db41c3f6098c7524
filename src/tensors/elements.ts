import type { ByteRange } from '../bytes/byte-range';
import { ModelError } from '../bytes/errors';
import { elementReader, FLOAT4, imaginaryReader, PACKED } from './decode';
import { bitsOf, elementCount } from './dtype';
import { contiguousStrides, isContiguous } from './strides';
import type { TensorRef } from './tensor';

const PAGE_BYTES = 64 * 1024;
const PAGES = 64;

/** Bytes of a range through a few pages in memory, for elements that are not next to each other. */
class PagedRange {
  private readonly pages = new Map<number, DataView>();
  constructor(private readonly range: ByteRange) {}

  /** The page that holds byte `at`. An element never straddles pages that are a multiple of its size, unless its storage is misaligned. */
  page(index: number): DataView {
    let view = this.pages.get(index);
    if (!view) {
      if (this.pages.size >= PAGES) this.pages.delete(this.pages.keys().next().value as number);
      const start = index * PAGE_BYTES;
      const bytes = this.range.bytes(start, Math.min(this.range.length, start + PAGE_BYTES));
      view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      this.pages.set(index, view);
    }
    return view;
  }
}

/** Walks the storage positions of the elements `[start, start + count)` of a strided tensor, in row-major order, run by run. */
export function* runs(
  ref: TensorRef,
  start: number,
  count: number,
): Generator<{ position: number; length: number; stride: number }> {
  const offset = ref.offset ?? 0;
  const { shape } = ref;
  if (count <= 0) return;
  if (shape.length === 0 || isContiguous(shape, ref.strides)) {
    yield { position: offset + start, length: count, stride: 1 };
    return;
  }
  const strides = ref.strides as readonly number[];
  const inner = shape.length - 1;
  const index = unravel(start, shape);
  let left = count;
  while (left > 0) {
    const length = Math.min(left, shape[inner] - index[inner]);
    let position = offset;
    for (let d = 0; d < shape.length; d++) position += index[d] * strides[d];
    yield { position, length, stride: strides[inner] };
    left -= length;
    index[inner] = 0;
    for (let d = inner - 1; d >= 0; d--) {
      if (++index[d] < shape[d]) break;
      index[d] = 0;
    }
  }
}

/** Row-major position of an element → its index in each dimension. */
export function unravel(position: number, shape: readonly number[]): number[] {
  const index = new Array<number>(shape.length).fill(0);
  let rest = position;
  for (let d = shape.length - 1; d >= 0; d--) {
    index[d] = rest % shape[d];
    rest = Math.floor(rest / shape[d]);
  }
  return index;
}

/** Throws unless `[start, start + count)` are elements of the tensor. */
function requireElements(ref: TensorRef, start: number, count: number): void {
  const total = elementCount(ref.shape);
  if (!(start >= 0 && count >= 0 && start + count <= total)) {
    throw new ModelError('usage', `Elements ${start} to ${start + count} were asked of a tensor that has ${total}.`);
  }
}

/**
 * Stored values of the row-major elements `[start, start + count)` as float64: for quantised types the stored integers, for complex
 * types the real parts, int64 beyond 2^53 rounded, and for packed pairs of 4-bit floats the first of each pair.
 * @throws ModelError `unsupported` for types that are not numbers, `truncated` if the bytes are not there.
 */
export function readNumbers(
  ref: TensorRef,
  start: number,
  count: number,
  part: 'real' | 'imaginary' | 'second' = 'real',
): Float64Array {
  requireElements(ref, start, count);
  const out = new Float64Array(count);
  const little = ref.byteOrder !== 'big';
  const packed = PACKED[ref.dtype];
  let to = 0;
  if (packed || ref.dtype === 'float4_e2m1fn_x2') {
    const perByte = packed ? 8 / packed.bits : 1;
    const paged = new PagedRange(ref.data);
    for (const run of runs(ref, start, count)) {
      for (let i = 0; i < run.length; i++) {
        const element = run.position + i * run.stride;
        const at = Math.floor(element / perByte);
        const byte = paged.page(Math.floor(at / PAGE_BYTES)).getUint8(at % PAGE_BYTES);
        if (packed) out[to++] = packed.value((byte >> ((element % perByte) * packed.bits)) & ((1 << packed.bits) - 1));
        else out[to++] = FLOAT4[part === 'second' ? byte >> 4 : byte & 15];
      }
    }
    return out;
  }
  const reader = elementReader(ref.dtype, little);
  if (!reader) throw new ModelError('unsupported', `A tensor of dtype ${ref.dtype} holds no numbers.`);
  const { bytes: width } = reader;
  const read = part === 'imaginary' ? (imaginaryReader(ref.dtype, little) ?? reader.read) : reader.read;
  let paged: PagedRange | undefined;
  for (const run of runs(ref, start, count)) {
    if (run.stride === 1 && run.length > 64) {
      const bytes = ref.data.bytes(run.position * width, (run.position + run.length) * width);
      if (bytes.length < run.length * width) throw shortData(ref);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      for (let i = 0; i < run.length; i++) out[to++] = read(view, i * width);
      continue;
    }
    paged ??= new PagedRange(ref.data);
    for (let i = 0; i < run.length; i++) {
      const at = (run.position + i * run.stride) * width;
      const page = paged.page(Math.floor(at / PAGE_BYTES));
      const inPage = at % PAGE_BYTES;
      if (inPage + width > page.byteLength) throw shortData(ref);
      out[to++] = read(page, inPage);
    }
  }
  return out;
}

/** Row-major bytes of the elements `[start, start + count)`, gathered from a strided tensor; byte-sized types only. */
export function readBytes(ref: TensorRef, start: number, count: number): Uint8Array {
  requireElements(ref, start, count);
  const width = ref.itemsize ?? (bitsOf(ref.dtype) ?? 8) / 8;
  if (isContiguous(ref.shape, ref.strides)) {
    const from = ((ref.offset ?? 0) + start) * width;
    const bytes = ref.data.bytes(Math.floor(from), Math.ceil(from + count * width));
    if (bytes.length < Math.ceil(count * width)) throw shortData(ref);
    return bytes;
  }
  if (width < 1)
    throw new ModelError('unsupported', `A strided tensor of dtype ${ref.dtype} cannot be copied element by element.`);
  const out = new Uint8Array(count * width);
  const paged = new PagedRange(ref.data);
  let to = 0;
  for (const run of runs(ref, start, count)) {
    for (let i = 0; i < run.length; i++) {
      const at = (run.position + i * run.stride) * width;
      const page = paged.page(Math.floor(at / PAGE_BYTES));
      const inPage = at % PAGE_BYTES;
      if (inPage + width > page.byteLength) throw shortData(ref);
      for (let b = 0; b < width; b++) out[to++] = page.getUint8(inPage + b);
    }
  }
  return out;
}

function shortData(ref: TensorRef): ModelError {
  return new ModelError(
    'truncated',
    `A tensor of shape (${ref.shape.join(', ')}) has fewer bytes in the file than its shape needs.`,
  );
}

/** Strides of a tensor, those of row-major data if it does not say. */
export function stridesOf(ref: TensorRef): readonly number[] {
  return ref.strides ?? contiguousStrides(ref.shape);
}

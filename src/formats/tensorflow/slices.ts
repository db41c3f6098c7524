import type { ByteRange } from '../../bytes/byte-range';
import { ModelError } from '../../bytes/errors';

/** What a part of a partitioned variable covers in one dimension. */
export interface Extent {
  start: number;
  length: number;
  /** The dimension is not cut; its key says so instead of the length. */
  full: boolean;
}

/** One extent for each dimension. */
export type Slice = readonly Extent[];

export interface Part {
  slice: Slice;
  range: ByteRange;
}

/** Bytes of a partitioned variable that are put together at once; more is refused rather than swapped. */
const MAX_JOINED_BYTES = 1024 ** 3;

/**
 * Puts the parts of a partitioned variable together as one row-major tensor. Parts cut along the first dimension only, which nearly all
 * are, lie behind each other and are read by offset; any other cut is assembled in memory when it is looked at.
 * @throws ModelError when the parts do not cover the variable exactly.
 */
export function joinSlices(parts: readonly Part[], shape: readonly number[], bits: number, name: string): ByteRange {
  const size = bits / 8;
  if (!Number.isInteger(size) || size === 0)
    throw new ModelError('unsupported', `The partitioned variable ${name} has elements that are not whole bytes.`);
  let covered = 0;
  for (const { slice, range } of parts) {
    if (
      slice.length !== shape.length ||
      slice.some((e, i) => e.start < 0 || e.length < 0 || e.start + e.length > shape[i]!)
    ) {
      throw new ModelError(
        'malformed',
        `A part of the partitioned variable ${name} lies outside its shape (${shape.join(', ')}).`,
      );
    }
    const count = slice.reduce((n, e) => n * e.length, 1);
    if (count * size !== range.length) {
      throw new ModelError(
        'malformed',
        `A part of the partitioned variable ${name} has ${range.length} bytes instead of ${count * size}.`,
      );
    }
    covered += count;
  }
  const total = shape.reduce((n, d) => n * d, 1);
  if (covered !== total) {
    throw new ModelError(
      'malformed',
      `The parts of the partitioned variable ${name} hold ${covered} of its ${total} elements.`,
    );
  }
  const rows = parts.every(({ slice }) => slice.every((e, i) => i === 0 || e.length === shape[i]));
  return rows ? new Rows(parts, name) : new Assembled(parts, shape, size, total, name);
}

/** Parts behind each other. */
class Rows implements ByteRange {
  readonly length: number;
  private readonly ranges: readonly ByteRange[];

  constructor(parts: readonly Part[], name: string) {
    const sorted = [...parts].sort((a, b) => (a.slice[0]?.start ?? 0) - (b.slice[0]?.start ?? 0));
    let next = 0;
    for (const { slice } of sorted) {
      const first = slice[0];
      if (!first) continue;
      if (first.start !== next)
        throw new ModelError(
          'malformed',
          `The parts of the partitioned variable ${name} overlap or leave a gap at row ${next}.`,
        );
      next = first.start + first.length;
    }
    this.ranges = sorted.map((part) => part.range);
    this.length = this.ranges.reduce((n, r) => n + r.length, 0);
  }

  bytes(start = 0, end = this.length): Uint8Array {
    const to = Math.max(start, Math.min(end, this.length));
    let base = 0;
    const pieces: [number, Uint8Array][] = [];
    for (const range of this.ranges) {
      const from = Math.max(start, base);
      const until = Math.min(to, base + range.length);
      if (from < until) {
        const piece = range.bytes(from - base, until - base);
        if (from === start && until === to) return piece;
        pieces.push([from - start, piece]);
      }
      base += range.length;
    }
    const out = new Uint8Array(to - start);
    for (const [at, piece] of pieces) out.set(piece, at);
    return out;
  }
}

/** Parts cut in any way, copied row by row when first looked at. */
class Assembled implements ByteRange {
  readonly length: number;
  private whole: Uint8Array | undefined;

  constructor(
    private readonly parts: readonly Part[],
    private readonly shape: readonly number[],
    private readonly size: number,
    total: number,
    name: string,
  ) {
    this.length = total * size;
    if (this.length > MAX_JOINED_BYTES) {
      throw new ModelError(
        'limit',
        `The partitioned variable ${name} has ${this.length} bytes, more than are put together in memory.`,
      );
    }
  }

  bytes(start = 0, end = this.length): Uint8Array {
    this.whole ??= this.assemble();
    return this.whole.subarray(start, end);
  }

  private assemble(): Uint8Array {
    const out = new Uint8Array(this.length);
    const rank = this.shape.length;
    const strides = new Array<number>(rank).fill(this.size);
    for (let axis = rank - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1]! * this.shape[axis + 1]!;
    for (const { slice, range } of this.parts) {
      const bytes = range.bytes();
      const run = slice[rank - 1]!.length * this.size;
      const at = slice.map(() => 0);
      for (let from = 0; run > 0 && from < bytes.length; from += run) {
        let to = 0;
        for (let axis = 0; axis < rank; axis++) to += (slice[axis]!.start + at[axis]!) * strides[axis]!;
        out.set(bytes.subarray(from, from + run), to);
        for (let axis = rank - 2; axis >= 0; axis--) {
          if (++at[axis]! < slice[axis]!.length) break;
          at[axis] = 0;
        }
      }
    }
    return out;
  }
}

/**
 * The key of a part: TensorFlow writes the number 0, the name, the rank and each extent in an encoding that sorts like the values
 * (`saved_tensor_slice_util.cc`, `ordered_code.cc`).
 */
export function sliceKey(name: string, slice: Slice): Uint8Array {
  const out: number[] = [0];
  for (const byte of new TextEncoder().encode(name)) {
    if (byte === 0) out.push(0, 0xff);
    else if (byte === 0xff) out.push(0xff, 0);
    else out.push(byte);
  }
  out.push(0, 1);
  orderedNumber(out, slice.length);
  for (const { start, length, full } of slice) {
    orderedSigned(out, start);
    orderedSigned(out, full ? -1 : length);
  }
  return Uint8Array.from(out);
}

/** An unsigned number: how many bytes it takes, then those bytes, the highest first. */
function orderedNumber(out: number[], value: number): void {
  const bytes: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  out.push(bytes.length, ...bytes);
}

/** A signed number: as many leading one bits (inverted for negative ones) as it takes bytes, seven bits in each of them. */
function orderedSigned(out: number[], value: number): void {
  const big = BigInt(value);
  const magnitude = big < 0n ? ~big : big;
  const bits = magnitude === 0n ? 0 : magnitude.toString(2).length;
  const length = Math.floor(bits / 7) + 1;
  const bytes: number[] = [];
  for (let i = length - 1; i >= 0; i--) bytes.push(Number((big >> BigInt(8 * i)) & 0xffn));
  const header = length < 8 ? (0xff << (8 - length)) & 0xff : 0xff;
  bytes[0]! ^= header;
  if (length > 8) bytes[1]! ^= length === 9 ? 0x80 : 0xc0;
  out.push(...bytes);
}

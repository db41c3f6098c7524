import type { ByteSource } from '../byte-source';
import { ModelError } from '../errors';
import { WINDOW_BYTES } from '../limits';

/**
 * Zero bytes that follow the window: a decoder may read this far past its end without a check for each byte, and finds out
 * afterwards that the stream was too short (`position > end`).
 */
export const PADDING = 512;

/** Compressed bytes, a window at a time. Decoders copy the public fields into locals and write `position` back. */
export class ByteInput {
  /** The window; `PADDING` zero bytes follow `end`. */
  bytes = new Uint8Array(PADDING);
  /** Index in `bytes` of the next byte. */
  position = 0;
  /** Index in `bytes` after the last byte of the window. */
  end = 0;
  private base: number;

  constructor(
    readonly source: ByteSource,
    start = 0,
    private readonly windowBytes = WINDOW_BYTES,
  ) {
    this.base = start;
  }

  /** Offset of the next byte in the source. */
  get offset(): number {
    return this.base + this.position;
  }

  /** Bytes from `position` to the end of the source. */
  get remaining(): number {
    return this.source.size - this.offset;
  }

  /** True when the window holds the last byte of the source. */
  get isLastWindow(): boolean {
    return this.base + this.end >= this.source.size;
  }

  /** Makes at least `count` bytes (or all that are left) contiguous from `position` on and returns how many are. */
  prepare(count: number): number {
    const have = this.end - this.position;
    if (have >= count || this.isLastWindow) return have;
    const next = this.base + this.end;
    const length = Math.min(this.source.size - next, Math.max(count - have, this.windowBytes));
    const fresh = this.source.read(next, length);
    const size = have + length + PADDING;
    const kept = this.bytes.subarray(this.position, this.end);
    if (size > this.bytes.length) this.bytes = new Uint8Array(size);
    this.bytes.set(kept, 0);
    this.bytes.set(fresh, have);
    this.bytes.fill(0, have + length, size);
    this.base += this.position;
    this.position = 0;
    this.end = have + length;
    return this.end;
  }

  /** The next byte, without passing it; -1 at the end. */
  peek(ahead = 0): number {
    return this.prepare(ahead + 1) > ahead ? this.bytes[this.position + ahead]! : -1;
  }

  /** The next `count` bytes, as a view that is good until the next call. */
  take(count: number, what: string): Uint8Array {
    if (this.prepare(count) < count) throw this.truncated(what);
    const view = this.bytes.subarray(this.position, this.position + count);
    this.position += count;
    return view;
  }

  byte(what: string): number {
    return this.take(1, what)[0]!;
  }

  uint16(what: string): number {
    const b = this.take(2, what);
    return b[0]! | (b[1]! << 8);
  }

  uint32(what: string): number {
    const b = this.take(4, what);
    return (b[0]! | (b[1]! << 8) | (b[2]! << 16) | (b[3]! << 24)) >>> 0;
  }

  skip(count: number, what: string): void {
    if (count > this.remaining) throw this.truncated(what);
    if (this.position + count <= this.end) {
      this.position += count;
    } else {
      this.base += this.position + count;
      this.position = 0;
      this.end = 0;
    }
  }

  /** Goes back to an offset of the source. */
  rewind(offset: number): void {
    this.base = offset;
    this.position = 0;
    this.end = 0;
  }

  truncated(what: string): ModelError {
    const size = this.source.size;
    return new ModelError(
      'truncated',
      `${this.source.name} ends at byte ${size}, inside ${what}. It was probably not copied or downloaded completely.`,
      { offset: size },
    );
  }

  malformed(what: string, offset = this.offset): ModelError {
    return new ModelError('malformed', `${this.source.name}: ${what} (at byte ${offset}).`, { offset });
  }

  unsupported(what: string, offset = this.offset): ModelError {
    return new ModelError('unsupported', `${this.source.name}: ${what} (at byte ${offset}).`, { offset });
  }
}

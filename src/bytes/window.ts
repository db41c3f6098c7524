import { type ByteSource, requireRange } from './byte-source';
import { WINDOW_BYTES } from './limits';

/**
 * A forward cursor over a source that holds one window of it in memory. Fields are public because the pickle machine's inner loop reads
 * them directly; `take(n)` must have made `n` bytes available before `bytes[pos]` to `bytes[pos + n - 1]` are touched.
 */
export class Window {
  bytes: Buffer = EMPTY;
  view: DataView = EMPTY_VIEW;
  /** Position of the next byte inside `bytes`. */
  pos = 0;
  /** Offset of `bytes[0]` in the source. */
  base: number;
  /** Bytes that the next load asks for: few after a jump, as another jump may follow, more with every load that goes straight on. */
  private ahead: number;

  constructor(
    readonly source: ByteSource,
    start = 0,
    private readonly windowBytes = WINDOW_BYTES,
    /** Bytes to load first. */
    first = windowBytes,
  ) {
    this.base = start;
    this.ahead = first;
  }

  /** Offset of the next byte in the source. */
  get offset(): number {
    return this.base + this.pos;
  }

  get remaining(): number {
    return this.source.size - this.base - this.pos;
  }

  /** Makes `count` bytes available from `pos` on; false if the source ends before. */
  take(count: number): boolean {
    if (this.pos + count <= this.bytes.length) return true;
    const offset = this.base + this.pos;
    const left = this.source.size - offset;
    if (count > left) {
      // What is left stays readable, so that a caller can still show it.
      if (this.bytes.length - this.pos < left && left <= this.windowBytes) this.load(offset, left);
      return false;
    }
    this.load(offset, Math.min(left, Math.max(count, this.ahead)));
    this.ahead = Math.min(this.windowBytes, this.ahead * 4);
    return true;
  }

  seek(offset: number): void {
    const pos = offset - this.base;
    if (pos >= 0 && pos <= this.bytes.length) {
      this.pos = pos;
      return;
    }
    this.ahead = Math.min(this.windowBytes, AFTER_JUMP);
    this.base = offset;
    this.bytes = EMPTY;
    this.view = EMPTY_VIEW;
    this.pos = 0;
  }

  /** Index in `bytes` of the next newline at or after `pos`, loading more if need be; -1 if there is none within `limit` bytes. */
  findNewline(limit: number): number {
    let from = this.pos;
    for (;;) {
      const at = this.bytes.indexOf(0x0a, from);
      if (at >= 0) return at;
      const have = this.bytes.length - this.pos;
      const left = this.remaining;
      if (have >= left || have >= limit) return -1;
      this.load(this.offset, Math.min(left, Math.max(this.windowBytes, have * 2)));
      from = have;
    }
  }

  private load(offset: number, length: number): void {
    requireRange(this.source, offset, length);
    const read = this.source.read(offset, length);
    this.bytes = Buffer.isBuffer(read) ? read : Buffer.from(read.buffer, read.byteOffset, read.length);
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length);
    this.base = offset;
    this.pos = 0;
  }
}

/** Enough for what describes the next array of a model. */
const AFTER_JUMP = 4096;

const EMPTY = Buffer.alloc(0);
const EMPTY_VIEW = new DataView(new ArrayBuffer(0));

import { type ByteSource, readUpTo } from './byte-source';
import { WINDOW_BYTES } from './limits';

/**
 * Small reads close to each other, through one window, which grows while one read follows the other and shrinks after a jump. A jump goes
 * over the data of a member, and the next one may do so too: then a local header, with its name and alignment, is all that is wanted.
 */
export class Peek {
  private static readonly AFTER_JUMP = 160;
  private static readonly NEAR = 1024;
  bytes: Uint8Array = new Uint8Array(0);
  private start = 0;
  private windowBytes = Peek.NEAR;
  constructor(private readonly source: ByteSource) {}

  /** Up to `length` bytes at `at`, fewer at the end; a view that is good until the next call. */
  read(at: number, length: number): Uint8Array {
    const from = this.load(at, length);
    return this.bytes.subarray(from, from + length);
  }

  /**
   * Makes `length` bytes at `at` available in `bytes`, fewer at the end of the source, and gives the index of the first: no view is made,
   * which for 100,000 small records is most of the work.
   */
  load(at: number, length: number): number {
    const end = this.start + this.bytes.length;
    if (at < this.start || (at + length > end && end < this.source.size) || at > end) {
      const isNear = at >= this.start && at < end + Peek.NEAR;
      this.windowBytes = isNear ? Math.min(this.windowBytes * 2, WINDOW_BYTES) : Peek.AFTER_JUMP;
      const read = readUpTo(this.source, at, Math.max(length, this.windowBytes));
      this.bytes = new Uint8Array(read.buffer, read.byteOffset, read.length);
      this.start = at;
    }
    return at - this.start;
  }
}

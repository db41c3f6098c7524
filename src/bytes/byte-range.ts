import { type ByteSource, readInto, requireRange } from './byte-source';

/** Bytes somewhere in a source, read when asked for. */
export interface ByteRange {
  readonly length: number;
  /** Bytes `[start, end)` of the range; a view that must not be written to. */
  bytes(start?: number, end?: number): Uint8Array;
  /** Fills `target` with the bytes from `start` on, all of which must be there. */
  into?(start: number, target: Uint8Array): void;
}

/** `[offset, offset + length)` of a source. The range is checked at once, the bytes are read later. */
export class SourceRange implements ByteRange {
  constructor(
    readonly source: ByteSource,
    readonly offset: number,
    readonly length: number,
  ) {
    requireRange(source, offset, length);
  }
  bytes(start = 0, end = this.length): Uint8Array {
    const to = Math.min(end, this.length);
    return this.source.read(this.offset + start, Math.max(0, to - start));
  }
  into(start: number, target: Uint8Array): void {
    readInto(this.source, this.offset + start, target);
  }
}

/** Bytes in memory as a range. */
export class MemoryRange implements ByteRange {
  readonly length: number;
  constructor(private readonly data: Uint8Array) {
    this.length = data.length;
  }
  bytes(start = 0, end = this.length): Uint8Array {
    return this.data.subarray(start, end);
  }
}

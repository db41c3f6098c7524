import { ModelError } from './errors';

/** Random access to bytes that need not be in memory. Reads are synchronous: the engine is a process of its own. */
export interface ByteSource {
  /** Name for messages and for resolving neighbours: a path, or `archive.pt!member` inside an archive. */
  readonly name: string;
  /** Size in bytes. */
  readonly size: number;
  /**
   * Bytes `[offset, offset + length)`; a view that the caller must not write to.
   * @throws ModelError `truncated` if the range passes the end, `io` if the medium fails.
   */
  read(offset: number, length: number): Uint8Array;
  /** Like `read`, into memory of the caller, which long streams use again and again. */
  readInto?(offset: number, target: Uint8Array): void;
  /** Lets go of the file handle, if there is one. */
  close?(): void;
}

/** Throws `truncated` unless `[offset, offset + length)` lies inside `source`. */
export function requireRange(source: ByteSource, offset: number, length: number): void {
  if (!(offset >= 0 && length >= 0 && offset + length <= source.size)) {
    throw new ModelError(
      'truncated',
      `${source.name} ends at byte ${source.size}, but ${length} bytes were expected at offset ${offset}.`,
      { offset },
    );
  }
}

/** Bytes that are already in memory. */
export class BufferSource implements ByteSource {
  readonly size: number;
  constructor(
    private readonly bytes: Uint8Array,
    readonly name = 'buffer',
  ) {
    this.size = bytes.length;
  }
  read(offset: number, length: number): Uint8Array {
    requireRange(this, offset, length);
    return this.bytes.subarray(offset, offset + length);
  }
}

/** A window `[start, start + size)` of another source. */
export class SliceSource implements ByteSource {
  constructor(
    readonly parent: ByteSource,
    readonly start: number,
    readonly size: number,
    readonly name = parent.name,
  ) {
    requireRange(parent, start, size);
  }
  read(offset: number, length: number): Uint8Array {
    requireRange(this, offset, length);
    return this.parent.read(this.start + offset, length);
  }
  readInto(offset: number, target: Uint8Array): void {
    requireRange(this, offset, target.length);
    readInto(this.parent, this.start + offset, target);
  }
}

/** All bytes of another source, read at once because every one of them is looked at, some more than once. */
export class HeldSource extends BufferSource {
  constructor(readonly origin: ByteSource) {
    super(origin.read(0, origin.size), origin.name);
  }
}

/** Whether two sources are the same bytes of the same file: the same object, or windows of one source at one place. */
export function isSamePlace(a: ByteSource, b: ByteSource): boolean {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  const [first, second] = [placeOf(a), placeOf(b)];
  return first.source === second.source && first.start === second.start;
}

function placeOf(source: ByteSource): { source: ByteSource; start: number } {
  let at = source;
  let start = 0;
  for (;;) {
    if (at instanceof SliceSource) {
      start += at.start;
      at = at.parent;
    } else if (at instanceof HeldSource) at = at.origin;
    else break;
  }
  return { source: at, start };
}

/** Counts what is read through it; benchmarks and tests of "reads only what it shows" use it. */
export class CountingSource implements ByteSource {
  bytesRead = 0;
  reads = 0;
  readonly name: string;
  readonly size: number;
  constructor(private readonly inner: ByteSource) {
    this.name = inner.name;
    this.size = inner.size;
  }
  read(offset: number, length: number): Uint8Array {
    this.bytesRead += length;
    this.reads++;
    return this.inner.read(offset, length);
  }
  close(): void {
    this.inner.close?.();
  }
}

/** Reads up to `length` bytes at `offset`, fewer at the end of the source. */
export function readUpTo(source: ByteSource, offset: number, length: number): Uint8Array {
  if (offset >= source.size) return new Uint8Array(0);
  return source.read(offset, Math.min(length, source.size - offset));
}

/** Fills `target` with the bytes at `offset`, without other memory where the source can. */
export function readInto(source: ByteSource, offset: number, target: Uint8Array): void {
  if (source.readInto) source.readInto(offset, target);
  else target.set(source.read(offset, target.length));
}

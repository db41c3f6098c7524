import type { ByteSource } from '../../bytes/byte-source';

/** Bytes of the window: what one operand of the inner loop may reach beyond its end is read, but never taken for content. */
export const WINDOW = 1 << 18;
export const SLACK = 512;

/** How an open file is read: those who may touch the file system bring it along. */
export interface FileAccess {
  /** Reads up to `length` bytes at `offset` of the file into `target` from `at` on; how many there were. */
  read(file: number, target: Uint8Array, at: number, length: number, offset: number): number;
  /** Size in bytes. */
  size(file: number): number;
}

/** Where the walk reads from: a file, of which one window is in memory. The same object serves one file after the other. */
export class WalkInput implements ByteSource {
  bytes: Buffer = Buffer.allocUnsafeSlow(WINDOW + SLACK);
  /** Offset of `bytes[0]` in the file. */
  base = 0;
  /** Bytes of the window that are the file's. */
  end = 0;
  size = 0;
  name = '';
  private file = -1;

  constructor(private readonly access: FileAccess | undefined) {}

  /** Reads the beginning of an open file. False if it cannot be read. */
  open(file: number): boolean {
    const { access } = this;
    if (!access) return false;
    this.file = file;
    this.base = 0;
    this.end = access.read(file, this.bytes, 0, WINDOW, 0);
    // A short read is the whole file only if nothing comes after it.
    if (this.end < WINDOW && access.read(file, this.bytes, this.end, SLACK, this.end) === 0) {
      this.size = this.end;
      return true;
    }
    this.size = access.size(file);
    return this.end <= this.size && this.fill();
  }

  /** Takes bytes that are in memory for a file. */
  openBytes(content: Uint8Array): void {
    this.file = -1;
    this.base = 0;
    this.size = content.length;
    this.end = content.length;
    if (this.bytes.length < content.length + SLACK) this.bytes = Buffer.allocUnsafeSlow(content.length + SLACK);
    this.bytes.set(content);
  }

  /** Whether the window reaches to the end of the file. */
  get last(): boolean {
    return this.base + this.end >= this.size;
  }

  /**
   * Makes `need` bytes from `pos` of the window on available, by moving the window if it has to.
   * @returns where `pos` is in the window now; -1 if the file has not so many bytes
   */
  advance(pos: number, need: number): number {
    if (pos > this.end || need > this.size - this.base - pos) return -1;
    if (need <= this.end - pos) return pos;
    if (need > this.bytes.length - SLACK) {
      const larger = Buffer.allocUnsafeSlow(need + SLACK);
      this.bytes.copy(larger, 0, pos, this.end);
      this.bytes = larger;
    } else this.bytes.copyWithin(0, pos, this.end);
    this.base += pos;
    this.end -= pos;
    return this.fill() ? 0 : -1;
  }

  /** Begins the window at an offset of the file. */
  seek(offset: number): boolean {
    if (this.file < 0) return false;
    this.base = offset;
    this.end = 0;
    return this.fill();
  }

  /** Bytes anywhere in the file; `undefined` if they cannot be had. */
  at(offset: number, length: number): Buffer | undefined {
    const pos = offset - this.base;
    if (pos >= 0 && pos + length <= this.end) return this.bytes.subarray(pos, pos + length);
    if (this.file < 0 || !this.access || offset < 0 || offset + length > this.size) return undefined;
    const bytes = Buffer.allocUnsafe(length);
    return this.access.read(this.file, bytes, 0, length, offset) === length ? bytes : undefined;
  }

  /** Bytes of the file, as other modules ask for them. @throws Error for bytes that are not there */
  read(offset: number, length: number): Uint8Array {
    const bytes = this.at(offset, length);
    if (!bytes) throw new Error(`${this.name} became shorter while it was read.`);
    return bytes;
  }

  private fill(): boolean {
    if (!this.access) return false;
    const want = Math.min(this.size - this.base, this.bytes.length - SLACK);
    while (this.end < want) {
      const got = this.access.read(this.file, this.bytes, this.end, want - this.end, this.base + this.end);
      if (got <= 0) return false;
      this.end += got;
    }
    return true;
  }
}

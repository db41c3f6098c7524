import * as fs from 'node:fs';
import { type ByteSource, requireRange } from './byte-source';
import { ModelError } from './errors';

/** Files up to this size are read at once: one system call costs more than these bytes. */
const WHOLE_BYTES = 64 * 1024;

/** A file on disk, read by position. The only module on the reading path that touches the file system. */
export class FileSource implements ByteSource {
  readonly size: number;
  /** Modification time in milliseconds when the file was opened. */
  readonly modified: number;
  private handle: number | undefined;
  /** All bytes of a small file, once one of them was asked for. */
  private whole: Buffer | undefined;

  constructor(
    readonly path: string,
    readonly name: string = path,
  ) {
    try {
      this.handle = fs.openSync(path, 'r');
      const stat = fs.fstatSync(this.handle);
      if (stat.isDirectory()) {
        fs.closeSync(this.handle);
        throw new ModelError('unsupported', `${path} is a folder, not a model file.`, { reason: 'directory' });
      }
      if (!stat.isFile()) {
        fs.closeSync(this.handle);
        throw new ModelError('unsupported', `${path} is not a regular file.`, { reason: 'special' });
      }
      this.size = stat.size;
      this.modified = stat.mtimeMs;
    } catch (error) {
      throw ioError(error, path);
    }
  }

  read(offset: number, length: number): Uint8Array {
    requireRange(this, offset, length);
    if (this.size <= WHOLE_BYTES) {
      if (this.handle === undefined) throw new ModelError('io', `${this.name} is closed.`);
      if (!this.whole) {
        const whole = Buffer.allocUnsafeSlow(this.size);
        this.readInto(0, whole);
        this.whole = whole;
      }
      return this.whole.subarray(offset, offset + length);
    }
    const buffer = Buffer.allocUnsafeSlow(length);
    this.readInto(offset, buffer);
    return buffer;
  }

  readInto(offset: number, buffer: Uint8Array): void {
    const { length } = buffer;
    requireRange(this, offset, length);
    if (this.handle === undefined) throw new ModelError('io', `${this.name} is closed.`);
    let done = 0;
    try {
      while (done < length) {
        const got = fs.readSync(this.handle, buffer, done, Math.min(length - done, 0x40000000), offset + done);
        if (got === 0) {
          throw new ModelError(
            'truncated',
            `${this.name} became shorter while it was read (at byte ${offset + done}).`,
            {
              offset: offset + done,
              reason: 'changed',
            },
          );
        }
        done += got;
      }
    } catch (error) {
      throw ioError(error, this.name);
    }
  }

  close(): void {
    if (this.handle !== undefined) {
      fs.closeSync(this.handle);
      this.handle = undefined;
    }
  }
}

/** What the file system refused, as a sentence. */
export function ioError(error: unknown, path: string): ModelError {
  if (error instanceof ModelError) return error;
  const code = (error as NodeJS.ErrnoException)?.code;
  const sentence: Record<string, [string, string]> = {
    ENOENT: ['missing', `${path} does not exist.`],
    EACCES: ['permission', `${path} cannot be read: permission denied.`],
    EPERM: ['permission', `${path} cannot be read: permission denied.`],
    EISDIR: ['directory', `${path} is a folder, not a model file.`],
    EMFILE: ['busy', `${path} cannot be opened: too many files are open.`],
    ELOOP: ['link', `${path} is a symbolic link that leads to itself.`],
  };
  const [reason, message] = sentence[code ?? ''] ?? ['io', `${path} cannot be read (${code ?? String(error)}).`];
  return new ModelError(reason === 'directory' ? 'unsupported' : 'io', message, { reason, cause: error });
}

import { ModelError } from '../errors';
import { BOMB_BYTES, MAX_COMPRESSION_RATIO } from '../limits';
import type { ByteInput } from './input';

/** Thrown by `ByteOutput` when a caller that wanted only the head of the stream has it. Never leaves `decompress`. */
export class EnoughOutput extends Error {}

/** Bytes that a decoder may write past the limit before `reserve` stops it; a single copy or block piece is at most this. */
export const MAX_RESERVE = 1 << 18;

/**
 * Decompressed bytes, contiguous, because every format copies from what came out before. Grows by doubling from what was really
 * written, never to a size that the file declares.
 */
export class ByteOutput {
  bytes = new Uint8Array(1 << 16);
  /** Bytes written. Decoders keep it in a local and write it back before `reserve`. */
  length = 0;
  private readonly start: number;

  /**
   * @param limit most bytes that may come out.
   * @param stopQuietly the caller wants no more than `limit` bytes, so reaching it is no error.
   */
  constructor(
    private readonly input: ByteInput,
    readonly limit: number,
    private readonly stopQuietly = false,
  ) {
    this.start = input.offset;
  }

  /** Makes room for `count` (at most `MAX_RESERVE`) bytes after `length`. `input.position` must be up to date. */
  reserve(count: number): void {
    if (this.length > this.limit) this.overflow();
    if (this.length + count <= this.bytes.length) return;
    if (this.length >= this.limit) this.overflow();
    this.checkRatio();
    const wanted = Math.min(Math.max(this.bytes.length * 2, this.length + count), this.limit + MAX_RESERVE);
    let grown: Uint8Array<ArrayBuffer>;
    try {
      grown = new Uint8Array(wanted);
    } catch (error) {
      throw new ModelError(
        'limit',
        `${this.input.source.name} unpacks to more than ${this.length} bytes, which did not fit into memory.`,
        {
          offset: this.input.offset,
          reason: 'memory',
          cause: error,
        },
      );
    }
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  /** Throws if more came out than is allowed; a decoder calls it when its stream is complete. */
  finish(): void {
    if (this.length > this.limit) this.overflow();
  }

  private overflow(): never {
    this.length = Math.min(this.length, this.limit);
    if (this.stopQuietly) throw new EnoughOutput();
    throw new ModelError(
      'limit',
      `${this.input.source.name} unpacks to more than ${this.limit} bytes; the rest was not read. Unpack it yourself if you trust it.`,
      { offset: this.input.offset, reason: 'decompressed-size' },
    );
  }

  private checkRatio(): void {
    const consumed = this.input.offset - this.start;
    if (this.length < BOMB_BYTES || this.length <= consumed * MAX_COMPRESSION_RATIO) return;
    throw new ModelError(
      'limit',
      `${this.input.source.name} unpacked ${consumed} bytes to ${this.length}, more than ${MAX_COMPRESSION_RATIO} times as many: ` +
        'a decompression bomb. The rest was not read.',
      { offset: this.input.offset, reason: 'bomb' },
    );
  }
}

import type { ByteRange } from '../../bytes/byte-range';
import type { ByteSource } from '../../bytes/byte-source';
import { crc32c, unmaskCrc32c } from '../../bytes/checksums/crc32';
import { ModelError } from '../../bytes/errors';

/** A variable up to this size is read and checked as a whole when its first byte is wanted. */
const CHECK_WHOLE_BYTES = 1024 * 1024;

/**
 * The bytes of one variable in a shard, with the checksum of the bundle's index. A small variable is checked before its first byte is
 * given out, a large one when it was read from its start to its end in order. What is not read is not checked.
 */
export class CheckedRange implements ByteRange {
  private checked = false;
  private crc = 0;
  private position = 0;

  /** @param expected the stored, masked CRC-32C; `undefined` when the index has none. */
  constructor(
    private readonly source: ByteSource,
    private readonly offset: number,
    readonly length: number,
    private readonly expected: number | undefined,
    private readonly what: string,
  ) {
    if (expected === undefined) this.checked = true;
  }

  /** @throws ModelError `malformed` with the reason `checksum` when what was read is not what was written. */
  bytes(start = 0, end = this.length): Uint8Array {
    const to = Math.max(start, Math.min(end, this.length));
    if (this.checked) return this.source.read(this.offset + start, to - start);
    if (this.length <= CHECK_WHOLE_BYTES) {
      const whole = this.source.read(this.offset, this.length);
      this.finish(crc32c(whole));
      return whole.subarray(start, to);
    }
    const bytes = this.source.read(this.offset + start, to - start);
    if (start === this.position) {
      this.crc = crc32c(bytes, this.crc);
      this.position = to;
      if (to === this.length) this.finish(this.crc);
    }
    return bytes;
  }

  private finish(crc: number): void {
    if (crc !== unmaskCrc32c(this.expected!)) {
      throw new ModelError(
        'malformed',
        `The values of ${this.what} are damaged: their checksum in ${this.source.name} (bytes ${this.offset} to ${this.offset + this.length}) is not the one in the index. Fetch the file again.`,
        { offset: this.offset, member: this.source.name, reason: 'checksum' },
      );
    }
    this.checked = true;
  }
}

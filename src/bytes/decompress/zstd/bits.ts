/** Zero bytes before a backward bit stream: what is read past its start counts as zero, and is noticed afterwards. */
const LEAD = 8;
export const LEAD_BITS = LEAD * 8;

/**
 * Bits read from the last byte to the first (RFC 8878, 4.1): the stream ends with a 1 bit that marks where it starts. `bit` is the number
 * of bits left; below 0, more was read than there was.
 */
export class BackwardBits {
  readonly bytes: Uint8Array;
  bit: number;

  /** `valid` is false when the end mark is missing. */
  readonly valid: boolean;

  constructor(stream: Uint8Array) {
    this.bytes = new Uint8Array(LEAD + stream.length + 4);
    this.bytes.set(stream, LEAD);
    const last = stream[stream.length - 1] ?? 0;
    this.valid = last !== 0;
    this.bit = stream.length * 8 - 8 + (31 - Math.clz32(last));
  }

  /** The next `count` (at most 25) bits, without taking them. */
  peek(count: number): number {
    const { bytes } = this;
    const first = Math.max(0, this.bit - count + LEAD_BITS);
    const at = first >> 3;
    const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    return (word >>> (first & 7)) & ((1 << count) - 1);
  }

  /** Takes `count` (at most 25) bits. */
  read(count: number): number {
    const value = this.peek(count);
    this.bit -= count;
    return value;
  }

  /** Takes up to 32 bits, as an unsigned number. */
  readLong(count: number): number {
    if (count <= 16) return this.read(count);
    const high = this.read(count - 16);
    return high * 65536 + this.read(16);
  }
}

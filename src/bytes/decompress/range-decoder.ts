import type { ByteInput } from './input';

/**
 * The range coder of LZMA: bits whose probabilities adapt, alone or in trees, and bits of even chance (format: the LZMA specification in
 * the LZMA SDK).
 */
export class RangeDecoder {
  protected probs: Uint16Array;
  protected range = -1;
  protected code = 0;

  /** @param count of probabilities */
  constructor(
    protected readonly input: ByteInput,
    count: number,
  ) {
    this.probs = new Uint16Array(count);
  }

  /** Reads the five bytes that start a range-coded piece; the first must be 0. */
  startRange(what: string): void {
    const start = this.input.take(5, what);
    if (start[0] !== 0) throw this.input.malformed('an LZMA stream does not start with 0', this.input.offset - 5);
    this.range = -1;
    this.code = (start[1]! << 24) | (start[2]! << 16) | (start[3]! << 8) | start[4]!;
  }

  /** Loads the last byte of a finished range-coded piece, if it is due. True if the coder is in its final state. */
  finishRange(): boolean {
    if (this.range >>> 24 === 0) {
      this.range <<= 8;
      this.code = (this.code << 8) | this.input.byte('an LZMA stream');
    }
    return this.code === 0;
  }

  /** One adaptive bit. */
  protected bit(index: number): number {
    const { probs } = this;
    let range = this.range;
    let code = this.code;
    if (range >>> 24 === 0) {
      range <<= 8;
      code = (code << 8) | this.input.bytes[this.input.position++]!;
    }
    const p = probs[index]!;
    const bound = Math.imul(range >>> 11, p);
    if (code >>> 0 < bound >>> 0) {
      this.range = bound;
      this.code = code;
      probs[index] = p + ((2048 - p) >>> 5);
      return 0;
    }
    this.range = (range - bound) | 0;
    this.code = (code - bound) | 0;
    probs[index] = p - (p >>> 5);
    return 1;
  }

  /** Bits from the most significant on; `size` is the number of leaves. */
  protected tree(base: number, size: number): number {
    const { probs } = this;
    const source = this.input.bytes;
    let position = this.input.position;
    let range = this.range;
    let code = this.code;
    let symbol = 1;
    do {
      if (range >>> 24 === 0) {
        range <<= 8;
        code = (code << 8) | source[position++]!;
      }
      const p = probs[base + symbol]!;
      const bound = Math.imul(range >>> 11, p);
      if (code >>> 0 < bound >>> 0) {
        range = bound;
        probs[base + symbol] = p + ((2048 - p) >>> 5);
        symbol <<= 1;
      } else {
        range = (range - bound) | 0;
        code = (code - bound) | 0;
        probs[base + symbol] = p - (p >>> 5);
        symbol = (symbol << 1) | 1;
      }
    } while (symbol < size);
    this.input.position = position;
    this.range = range;
    this.code = code;
    return symbol - size;
  }

  /** Bits from the least significant on. */
  protected reverseTree(base: number, bits: number): number {
    let symbol = 1;
    let value = 0;
    for (let i = 0; i < bits; i++) {
      const bit = this.bit(base + symbol);
      symbol = (symbol << 1) | bit;
      value |= bit << i;
    }
    return value;
  }

  /** Bits of even chance. */
  protected direct(bits: number): number {
    const source = this.input.bytes;
    let position = this.input.position;
    let range = this.range;
    let code = this.code;
    let value = 0;
    for (let i = 0; i < bits; i++) {
      if (range >>> 24 === 0) {
        range <<= 8;
        code = (code << 8) | source[position++]!;
      }
      range >>>= 1;
      const difference = (code - range) | 0;
      // Unsigned comparison: the bit is 1 when the code is in the upper half.
      const bit = code >>> 0 >= range >>> 0 ? 1 : 0;
      if (bit) code = difference;
      value = (value << 1) | bit;
    }
    this.input.position = position;
    this.range = range;
    this.code = code;
    return value;
  }
}

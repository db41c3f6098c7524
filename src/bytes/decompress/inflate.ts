import { build, type Code, fixed } from './deflate-code';
import type { ByteInput } from './input';
import type { ByteOutput } from './output';

/** Order in which a dynamic block stores the lengths of its code-length code (RFC 1951, 3.2.7). */
const CODE_LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** Base value and number of extra bits for length symbols 257–285 and distance symbols 0–29 (RFC 1951, 3.2.5). */
const LENGTH_BASE = new Uint16Array(31);
const LENGTH_EXTRA = new Uint8Array(31);
const DISTANCE_BASE = new Uint16Array(32);
const DISTANCE_EXTRA = new Uint8Array(32);
for (let i = 0, base = 3; i < 28; i++) {
  LENGTH_BASE[i] = base;
  LENGTH_EXTRA[i] = i < 8 ? 0 : (i >> 2) - 1;
  base += 1 << LENGTH_EXTRA[i]!;
}
LENGTH_BASE[28] = 258;
for (let i = 0, base = 1; i < 30; i++) {
  DISTANCE_BASE[i] = base;
  DISTANCE_EXTRA[i] = i < 4 ? 0 : (i >> 1) - 1;
  base += 1 << DISTANCE_EXTRA[i]!;
}

let fixedCodes: [Code, Code] | undefined;

/**
 * Unpacks one raw deflate stream (RFC 1951) and leaves `input` at the first byte after it. Ours rather than zlib's because what
 * was decoded before damage must remain, and because a zip without sizes is walked by where its streams end.
 * The same streams are refused as in zlib (over-subscribed or incomplete codes, distances before the start).
 */
export function inflate(input: ByteInput, output: ByteOutput): void {
  new Inflater(input, output).run();
}

class Inflater {
  private hold = 0;
  private bits = 0;
  private readonly start: number;

  constructor(
    private readonly input: ByteInput,
    private readonly output: ByteOutput,
  ) {
    this.start = output.length;
  }

  run(): void {
    for (let last = 0; last === 0; ) {
      last = this.take(1);
      const type = this.take(2);
      if (type === 0) {
        this.stored();
      } else if (type === 1) {
        fixedCodes ??= fixed();
        this.compressed(fixedCodes[0], fixedCodes[1]);
      } else if (type === 2) {
        const [literals, distances] = this.dynamicCodes();
        this.compressed(literals, distances);
      } else {
        throw this.input.malformed('a deflate block has the invalid type 3');
      }
    }
    this.output.finish();
    this.giveBack();
  }

  /** Returns whole bytes that were loaded but not used to the input; the rest of the current byte is dropped. */
  private giveBack(): void {
    this.input.position -= this.bits >> 3;
    this.hold = 0;
    this.bits = 0;
  }

  private take(count: number): number {
    while (this.bits < count) {
      this.hold |= this.input.byte('a compressed block') << this.bits;
      this.bits += 8;
    }
    const value = this.hold & ((1 << count) - 1);
    this.hold >>>= count;
    this.bits -= count;
    return value;
  }

  private stored(): void {
    const { input, output } = this;
    this.giveBack();
    const length = input.uint16('a stored block');
    if ((input.uint16('a stored block') ^ 0xffff) !== length) {
      throw input.malformed('the length of a stored deflate block does not match its complement');
    }
    for (let left = length; left > 0; ) {
      const have = Math.min(input.prepare(left), left);
      if (have === 0) throw input.truncated('a stored block');
      output.reserve(have);
      output.bytes.set(input.take(have, 'a stored block'), output.length);
      output.length += have;
      left -= have;
    }
  }

  private dynamicCodes(): [Code, Code] {
    const { input } = this;
    const literalCount = this.take(5) + 257;
    const distanceCount = this.take(5) + 1;
    const lengthCount = this.take(4) + 4;
    if (literalCount > 286 || distanceCount > 30) throw input.malformed('a deflate block declares too many symbols');
    const lengths = new Uint8Array(literalCount + distanceCount);
    const own = new Uint8Array(19);
    for (let i = 0; i < lengthCount; i++) own[CODE_LENGTH_ORDER[i]!] = this.take(3);
    const code = build(own);
    if (code === undefined || code.bits === 0) throw input.malformed('the code lengths of a deflate block are invalid');
    for (let i = 0; i < lengths.length; ) {
      const symbol = this.symbol(code);
      if (symbol < 16) {
        lengths[i++] = symbol;
        continue;
      }
      if (symbol === 16 && i === 0) throw input.malformed('a deflate block repeats a code length before the first');
      const value = symbol === 16 ? lengths[i - 1]! : 0;
      const repeat = symbol === 16 ? 3 + this.take(2) : symbol === 17 ? 3 + this.take(3) : 11 + this.take(7);
      if (i + repeat > lengths.length) throw input.malformed('a deflate block has more code lengths than symbols');
      lengths.fill(value, i, i + repeat);
      i += repeat;
    }
    if (lengths[256] === 0) throw input.malformed('a deflate block has no code for its end');
    const literals = build(lengths.subarray(0, literalCount), true);
    const distances = build(lengths.subarray(literalCount), true);
    if (literals === undefined || distances === undefined) throw input.malformed('a deflate block has an invalid code');
    return [literals, distances];
  }

  /** One symbol, bit by bit as far as needed; for the short tables before a block. */
  private symbol(code: Code): number {
    for (;;) {
      const entry = code.table[this.hold & ((1 << code.bits) - 1)]!;
      const length = entry & 15;
      if (length > 0 && length <= this.bits) {
        this.hold >>>= length;
        this.bits -= length;
        return entry >> 4;
      }
      if (this.bits >= code.bits) throw this.input.malformed('a deflate block holds a code that does not exist');
      this.hold |= this.input.byte('a compressed block') << this.bits;
      this.bits += 8;
    }
  }

  /** Literals and copies up to the end of the block: nearly all of the time is spent here, hence the locals. */
  private compressed(literals: Code, distances: Code): void {
    const { input, output, start } = this;
    const literalTable = literals.table;
    const literalMask = (1 << literals.bits) - 1;
    const distanceTable = distances.table;
    const distanceMask = (1 << distances.bits) - 1;
    let { hold, bits } = this;
    let source = input.bytes;
    let position = input.position;
    let softEnd = -1;
    let out = output.bytes;
    let at = output.length;
    let before = at;
    let room = out.length - 260;
    try {
      for (;;) {
        if (position > softEnd) {
          // Near the end of the window: slide it, or, in the last one, check that no byte was used that is not there.
          if (position - (bits >> 3) > input.end) {
            at = before;
            throw input.truncated('a compressed block');
          }
          if (position <= input.end) {
            // Held bytes go back first: what lies before the position is gone after sliding.
            position -= bits >> 3;
            bits &= 7;
            hold &= (1 << bits) - 1;
            input.position = position;
            input.prepare(64);
            source = input.bytes;
            position = input.position;
            softEnd = input.end - (input.isLastWindow ? 0 : 16);
          }
        }
        before = at;
        if (at > room) {
          input.position = position;
          output.length = at;
          output.reserve(260);
          out = output.bytes;
          room = out.length - 260;
        }
        while (bits < 25) {
          hold |= source[position++]! << bits;
          bits += 8;
        }
        let entry = literalTable[hold & literalMask]!;
        let symbol = entry >> 4;
        hold >>>= entry & 15;
        bits -= entry & 15;
        if (symbol < 256) {
          if (entry === 0) throw this.missing(position, bits);
          out[at++] = symbol;
          if (bits < 15) continue;
          // A second literal is likely, and its code is already there.
          entry = literalTable[hold & literalMask]!;
          symbol = entry >> 4;
          if (symbol > 255 || entry === 0) continue;
          hold >>>= entry & 15;
          bits -= entry & 15;
          out[at++] = symbol;
          continue;
        }
        if (symbol === 256) break;
        symbol -= 257;
        if (symbol > 28) throw this.missing(position, bits);
        const lengthExtra = LENGTH_EXTRA[symbol]!;
        const length = LENGTH_BASE[symbol]! + (hold & ((1 << lengthExtra) - 1));
        hold >>>= lengthExtra;
        bits -= lengthExtra;
        while (bits < 25) {
          hold |= source[position++]! << bits;
          bits += 8;
        }
        entry = distanceTable[hold & distanceMask]!;
        if (entry === 0 || entry >> 4 > 29) throw this.missing(position, bits);
        hold >>>= entry & 15;
        bits -= entry & 15;
        symbol = entry >> 4;
        const distanceExtra = DISTANCE_EXTRA[symbol]!;
        while (bits < distanceExtra) {
          hold |= source[position++]! << bits;
          bits += 8;
        }
        const distance = DISTANCE_BASE[symbol]! + (hold & ((1 << distanceExtra) - 1));
        hold >>>= distanceExtra;
        bits -= distanceExtra;
        let from = at - distance;
        if (from < start) {
          if (position - (bits >> 3) > input.end) throw input.truncated('a compressed block');
          input.position = position - (bits >> 3);
          throw input.malformed('a deflate block copies from before the start of the data');
        }
        const stop = at + length;
        if (distance === 1) {
          out.fill(out[from]!, at, stop);
          at = stop;
        } else {
          while (at < stop) out[at++] = out[from++]!;
        }
      }
      if (position - (bits >> 3) > input.end) {
        at = before;
        throw input.truncated('a compressed block');
      }
    } finally {
      this.hold = hold;
      this.bits = bits;
      input.position = position;
      output.length = at;
    }
  }

  private missing(position: number, bits: number): Error {
    const used = position - (bits >> 3);
    if (used > this.input.end) return this.input.truncated('a compressed block');
    this.input.position = used;
    return this.input.malformed('a deflate block holds a code that does not exist');
  }
}

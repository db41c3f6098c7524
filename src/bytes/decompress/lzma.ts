import type { ByteInput } from './input';
import type { ByteOutput } from './output';
import { RangeDecoder } from './range-decoder';

/** Longest match, and the most input that one symbol takes. */
const MAX_MATCH = 273;
const MAX_SYMBOL_INPUT = 24;

/** Where each group of probabilities starts in the one array that holds them all. */
const IS_MATCH = 0; // [state][posState], 12 × 16
const IS_REP = 192; // [state]
const IS_REP_G0 = 204;
const IS_REP_G1 = 216;
const IS_REP_G2 = 228;
const IS_REP0_LONG = 240; // [state][posState]
const POS_SLOT = 432; // [length class][6-bit tree], 4 × 64
const POS_SPECIAL = 688; // reverse trees of slots 4–13
const ALIGN = 804; // 4-bit reverse tree
const LENGTH = 820; // choice, choice2, low[16][8], mid[16][8], high[256]
const REP_LENGTH = 820 + 514;
const LITERAL = 820 + 2 * 514; // [context][0x300]

/** Offsets inside a length coder. */
const LENGTH_LOW = 2;
const LENGTH_MID = 130;
const LENGTH_HIGH = 258;

const INITIAL = 1024;

/**
 * The LZMA decoder: a range coder with adaptive bits over literals, matches and four recent distances (format: the LZMA specification
 * in the LZMA SDK). Input comes through a window, output is contiguous and is its own dictionary.
 */
export class LzmaDecoder extends RangeDecoder {
  private literalContextBits = 0;
  private literalPositionMask = 0;
  private positionMask = 0;
  private state = 0;
  private rep0 = 0;
  private rep1 = 0;
  private rep2 = 0;
  private rep3 = 0;
  /** Output position where the dictionary begins: matches cannot reach before it, and positions count from it. */
  private dictionaryStart: number;
  /** Set by the marker that ends a stream of unknown length. */
  ended = false;

  constructor(
    input: ByteInput,
    private readonly output: ByteOutput,
  ) {
    super(input, LITERAL);
    this.dictionaryStart = output.length;
  }

  /** Takes lc, lp and pb from their packed byte; false if it is invalid. */
  setProperties(byte: number): boolean {
    if (byte >= 9 * 5 * 5) return false;
    const lc = byte % 9;
    const lp = Math.floor(byte / 9) % 5;
    const pb = Math.floor(byte / 45);
    this.literalContextBits = lc;
    this.literalPositionMask = (1 << lp) - 1;
    this.positionMask = (1 << pb) - 1;
    const size = LITERAL + (0x300 << (lc + lp));
    if (this.probs.length < size) this.probs = new Uint16Array(size);
    return true;
  }

  resetState(): void {
    this.probs.fill(INITIAL);
    this.state = 0;
    this.rep0 = this.rep1 = this.rep2 = this.rep3 = 0;
  }

  resetDictionary(): void {
    this.dictionaryStart = this.output.length;
  }

  get dictionaryLength(): number {
    return this.output.length - this.dictionaryStart;
  }

  /**
   * Decodes until `outputEnd` bytes are out or the end marker was read. Names the stream `what` if it is cut short.
   */
  decode(outputEnd: number, what: string): void {
    const { input, output } = this;
    while (output.length < outputEnd && !this.ended) {
      input.prepare(4 * MAX_SYMBOL_INPUT);
      const last = input.isLastWindow;
      if (last && input.position > input.end) throw input.truncated(what);
      output.reserve(MAX_MATCH);
      this.symbols(outputEnd, last ? input.end : input.end - MAX_SYMBOL_INPUT, what);
    }
  }

  /**
   * Decodes symbols until one of: `outputEnd`, `inputEnd` passed, no room for another match, end marker. In the last window a symbol may
   * read padding; it is then taken back and the stream called truncated.
   */
  private symbols(outputEnd: number, inputEnd: number, what: string): void {
    const { input, output, probs, literalContextBits, literalPositionMask, positionMask, dictionaryStart } = this;
    const source = input.bytes;
    const out = output.bytes;
    const literalShift = 8 - literalContextBits;
    const stop = Math.min(outputEnd, out.length - MAX_MATCH + 1);
    let { state, range, code } = this;
    let position = input.position;
    let at = output.length;
    let before = at;
    while (at < stop && position <= inputEnd) {
      before = at;
      const posState = (at - dictionaryStart) & positionMask;
      if (range >>> 24 === 0) {
        range <<= 8;
        code = (code << 8) | source[position++]!;
      }
      let index = IS_MATCH + (state << 4) + posState;
      let p = probs[index]!;
      let bound = Math.imul(range >>> 11, p);
      if (code >>> 0 < bound >>> 0) {
        range = bound;
        probs[index] = p + ((2048 - p) >>> 5);
        const previous = at > dictionaryStart ? out[at - 1]! : 0;
        const base =
          LITERAL +
          0x300 * ((((at - dictionaryStart) & literalPositionMask) << literalContextBits) + (previous >> literalShift));
        let symbol = 1;
        if (state >= 7) {
          // After a match, the byte that would have continued it helps to predict this one.
          let match = at - this.rep0 - 1 >= dictionaryStart ? out[at - this.rep0 - 1]! : 0;
          let offset = 0x100;
          do {
            match <<= 1;
            const matchBit = match & offset;
            index = base + offset + matchBit + symbol;
            if (range >>> 24 === 0) {
              range <<= 8;
              code = (code << 8) | source[position++]!;
            }
            p = probs[index]!;
            bound = Math.imul(range >>> 11, p);
            if (code >>> 0 < bound >>> 0) {
              range = bound;
              probs[index] = p + ((2048 - p) >>> 5);
              symbol <<= 1;
              offset &= ~matchBit;
            } else {
              range = (range - bound) | 0;
              code = (code - bound) | 0;
              probs[index] = p - (p >>> 5);
              symbol = (symbol << 1) | 1;
              offset &= matchBit;
            }
          } while (symbol < 0x100);
          state = state < 10 ? state - 3 : state - 6;
        } else {
          do {
            if (range >>> 24 === 0) {
              range <<= 8;
              code = (code << 8) | source[position++]!;
            }
            index = base + symbol;
            p = probs[index]!;
            bound = Math.imul(range >>> 11, p);
            if (code >>> 0 < bound >>> 0) {
              range = bound;
              probs[index] = p + ((2048 - p) >>> 5);
              symbol <<= 1;
            } else {
              range = (range - bound) | 0;
              code = (code - bound) | 0;
              probs[index] = p - (p >>> 5);
              symbol = (symbol << 1) | 1;
            }
          } while (symbol < 0x100);
          state = state < 4 ? 0 : state - 3;
        }
        out[at++] = symbol;
        continue;
      }
      this.range = (range - bound) | 0;
      this.code = (code - bound) | 0;
      probs[index] = p - (p >>> 5);
      input.position = position;
      this.state = state;
      const length = this.match(posState);
      state = this.state;
      range = this.range;
      code = this.code;
      position = input.position;
      if (length === 0) break;
      const distance = this.rep0 + 1;
      if (distance > at - dictionaryStart || at + length > outputEnd) {
        output.length = at;
        if (position > input.end) throw input.truncated(what);
        throw input.malformed(
          distance > at - dictionaryStart
            ? 'an LZMA stream copies from before the start of the data'
            : 'an LZMA stream is longer than its header says',
        );
      }
      let from = at - distance;
      const end = at + length;
      if (distance === 1) {
        out.fill(out[from]!, at, end);
        at = end;
      } else {
        while (at < end) out[at++] = out[from++]!;
      }
    }
    this.state = state;
    this.range = range;
    this.code = code;
    input.position = position;
    output.length = at;
    if (position > input.end) {
      output.length = before;
      throw input.truncated(what);
    }
  }

  /** The rest of a match after its first bit: updates state and distances, returns the length, 0 for the end marker. */
  private match(posState: number): number {
    const state = this.state;
    if (this.bit(IS_REP + state) === 0) {
      this.rep3 = this.rep2;
      this.rep2 = this.rep1;
      this.rep1 = this.rep0;
      this.state = state < 7 ? 7 : 10;
      const length = this.length(LENGTH, posState);
      this.rep0 = this.distance(length);
      if (this.rep0 === 0xffffffff) {
        this.ended = true;
        return 0;
      }
      return length;
    }
    if (this.bit(IS_REP_G0 + state) === 0) {
      if (this.bit(IS_REP0_LONG + (state << 4) + posState) === 0) {
        this.state = state < 7 ? 9 : 11;
        return 1;
      }
    } else {
      let distance: number;
      if (this.bit(IS_REP_G1 + state) === 0) {
        distance = this.rep1;
      } else {
        if (this.bit(IS_REP_G2 + state) === 0) {
          distance = this.rep2;
        } else {
          distance = this.rep3;
          this.rep3 = this.rep2;
        }
        this.rep2 = this.rep1;
      }
      this.rep1 = this.rep0;
      this.rep0 = distance;
    }
    this.state = state < 7 ? 8 : 11;
    return this.length(REP_LENGTH, posState);
  }

  private length(coder: number, posState: number): number {
    if (this.bit(coder) === 0) return 2 + this.tree(coder + LENGTH_LOW + (posState << 3), 8);
    if (this.bit(coder + 1) === 0) return 10 + this.tree(coder + LENGTH_MID + (posState << 3), 8);
    return 18 + this.tree(coder + LENGTH_HIGH, 256);
  }

  private distance(length: number): number {
    const slot = this.tree(POS_SLOT + (Math.min(length - 2, 3) << 6), 64);
    if (slot < 4) return slot;
    const directBits = (slot >> 1) - 1;
    const high = ((2 | (slot & 1)) << directBits) >>> 0;
    if (slot < 14) return high + this.reverseTree(POS_SPECIAL + high - slot, directBits);
    return high + ((this.direct(directBits - 4) << 4) >>> 0) + this.reverseTree(ALIGN, 4);
  }
}

import { isUtf8 } from 'node:buffer';
import { OPCODES } from '../../pickle/opcodes';
import { HEAD_BYTES } from '../content/head';
import { index4, index8, isEqual } from './bytes';
import { WalkCalls } from './calls';
import { escapeLength, isNoName, LONGEST_ESCAPED } from './escapes';
import { SLACK, WINDOW } from './input';
import { indexLine, isFloatLine, isIntLine, isPlainInteger } from './lines';
import { FLAGS } from './names';
import { UNSURE } from './stack';
import {
  ATOM,
  BYTEARRAY,
  BYTES,
  DICT,
  FIRST_INSTANCE,
  FROZENSET,
  HOLDS_MODEL,
  INT,
  JUDGED,
  LIST,
  MODEL,
  MODEL_BY_VERSION,
  modelOf,
  NEGATIVE,
  NONE,
  SET,
  TEXT,
  TUPLE,
  VERSION,
  word,
} from './words';

/** What the walk found about a pickle that is ordinary from its first byte to its last. */
export interface Walked {
  /** Entries of the imported names, in the order of the stream. */
  imported: readonly number[];
  /** Arrays of joblib lie in the stream. */
  joblib: boolean;
  /** The value is a model of scikit-learn, or a list of models. */
  model: boolean;
}

/** Offsets of texts that a word holds. */
const MAX_OFFSET = 1 << 27;
/** Whole numbers that a word holds. */
const MAX_INT = 1 << 26;
/** Texts that are taken; longer ones need memory of their size. */
const MAX_TEXT = 1 << 24;
/** Bytes of a line of protocol 0. */
const MAX_LINE = 1 << 16;
/** Values of a list in which the reader looks for models. */
const SEARCHED = 1000;

/** A list, dict or set with nothing in it. */
const EMPTY = (1 << 8) | (1 << 21);

/** Lines after which a text is taken for a pickle (formats/pickle/recognise.ts). */
const SURE_LINES = 8;

const VERSION_KEY = Buffer.from('_sklearn_version');

/**
 * Judges an ordinary pickle without making its values: one loop over the bytes, with one number for each value. It answers only where
 * the judge (`judge.ts`) would say "safe" without a single finding, whatever else the values are; everything else it leaves to the judge.
 * The rules of the opcodes are those of the machine (`pickle/machine`), where they are explained.
 */
export class Walk extends WalkCalls {
  /** Position in the window at which the loop has to stop for a moment: the end of a frame, or of what is in memory. */
  private limit = 0;
  private frameEnd = -1;
  private isText = false;
  /** The reading that knows nothing of joblib has come to its end. */
  private plainEnded = false;
  /** Opcodes with a line of text that end in the first bytes. */
  private earlyLines = 0;

  /** The result about what `input` was opened for; `undefined` leaves it to the judge. The result is valid until the next call. */
  run(): Walked | undefined {
    this.reset();
    this.frameEnd = -1;
    this.earlyLines = 0;
    this.plainEnded = false;
    try {
      return this.loop();
    } catch (thrown) {
      if (thrown !== UNSURE) throw thrown;
      return undefined;
    }
  }

  private loop(): Walked | undefined {
    const { input } = this;
    let { bytes } = input;
    let pos = 0;
    const binary = bytes[0] === 0x80;
    if (binary) pos = 2;
    const protocol = binary ? bytes[1] : 0;
    this.isText = !binary;
    this.variant = protocol < 3 ? FLAGS.old : FLAGS.new;
    this.limit = input.last ? input.end : input.end - SLACK;
    for (;;) {
      if (pos >= this.limit) {
        pos = this.pause(pos);
        bytes = input.bytes;
      }
      switch (bytes[pos]) {
        case 0x4e: // NONE
          this.push(NONE);
          pos++;
          break;
        case 0x88: // NEWTRUE
        case 0x89: // NEWFALSE
          this.push(ATOM);
          pos++;
          break;
        case 0x4b: // BININT1
          this.push(INT | (bytes[pos + 1] << 5));
          pos += 2;
          break;
        case 0x4d: // BININT2
          this.push(INT | ((bytes[pos + 1] | (bytes[pos + 2] << 8)) << 5));
          pos += 3;
          break;
        case 0x4a: {
          // BININT
          const value = bytes[pos + 1] | (bytes[pos + 2] << 8) | (bytes[pos + 3] << 16) | (bytes[pos + 4] << 24);
          this.push(value < 0 ? NEGATIVE : value < MAX_INT ? INT | (value << 5) : ATOM);
          pos += 5;
          break;
        }
        case 0x47: // BINFLOAT
          this.push(ATOM);
          pos += 9;
          break;
        case 0x8c: {
          // SHORT_BINUNICODE
          const start = pos + 2;
          const end = start + bytes[pos + 1];
          let high = 0;
          for (let i = start; i < end; i++) high |= bytes[i];
          this.push(this.text(bytes, pos, start, end, high));
          pos = end;
          break;
        }
        case 0x58: // BINUNICODE
        case 0x55: // SHORT_BINSTRING
        case 0x54: // BINSTRING
        case 0x8d: // BINUNICODE8
          pos = this.longText(pos);
          bytes = input.bytes;
          break;
        case 0x28: // MARK
          this.mark();
          pos++;
          break;
        case 0x29: // EMPTY_TUPLE
          this.tuple(this.sp);
          pos++;
          break;
        case 0x85: // TUPLE1
        case 0x86: // TUPLE2
        case 0x87: {
          // TUPLE3
          const count = bytes[pos++] - 0x84;
          this.require(count);
          this.tuple(this.sp - count);
          break;
        }
        case 0x74: // TUPLE
          this.tuple(this.popMark());
          pos++;
          break;
        case 0x5d: // EMPTY_LIST
          this.pushFresh(EMPTY | LIST);
          pos++;
          break;
        case 0x7d: // EMPTY_DICT
          this.pushFresh(EMPTY | DICT);
          pos++;
          break;
        case 0x8f: // EMPTY_SET
          this.pushFresh(EMPTY | SET);
          pos++;
          break;
        case 0x61: // APPEND
          this.require(2);
          this.append(this.sp - 2, this.sp - 1, false);
          pos++;
          break;
        case 0x65: // APPENDS
        case 0x90: {
          // ADDITEMS
          const mark = this.popMark();
          this.append(this.below(mark), mark, bytes[pos] === 0x90);
          pos++;
          break;
        }
        case 0x73: // SETITEM
          this.require(3);
          this.setItems(this.sp - 3, this.sp - 2);
          pos++;
          break;
        case 0x75: {
          // SETITEMS
          const mark = this.popMark();
          const target = this.below(mark);
          pos++;
          this.wrapped(target, mark, input.base + pos);
          this.setItems(target, mark);
          break;
        }
        case 0x6c: // LIST
        case 0x64: // DICT
        case 0x91: {
          // FROZENSET
          const code = bytes[pos++];
          const mark = this.popMark();
          if (code === 0x64 && (this.sp - mark) % 2 !== 0) throw UNSURE;
          this.collect(code === 0x6c ? LIST : code === 0x64 ? DICT : FROZENSET, mark);
          break;
        }
        case 0x94: // MEMOIZE
          if (this.memoFromOne) throw UNSURE;
          this.memoize(this.memoCount);
          pos++;
          break;
        case 0x71: // BINPUT
          this.put(bytes[pos + 1]);
          pos += 2;
          break;
        case 0x72: // LONG_BINPUT
          this.put(index4(bytes, pos + 1));
          pos += 5;
          break;
        case 0x68: // BINGET
          this.get(bytes[pos + 1]);
          pos += 2;
          break;
        case 0x6a: // LONG_BINGET
          this.get(index4(bytes, pos + 1));
          pos += 5;
          break;
        case 0x8a: // LONG1
          this.push(ATOM);
          pos += 2 + bytes[pos + 1];
          break;
        case 0x43: // SHORT_BINBYTES
          this.push(BYTES);
          pos += 2 + bytes[pos + 1];
          break;
        case 0x42: // BINBYTES
          this.push(BYTES);
          pos = this.skip(pos + 5, index4(bytes, pos + 1));
          bytes = input.bytes;
          break;
        case 0x8e: // BINBYTES8
        case 0x96: // BYTEARRAY8
          this.push(bytes[pos] === 0x96 ? BYTEARRAY : BYTES);
          pos = this.skip(pos + 9, index8(bytes, pos + 1));
          bytes = input.bytes;
          break;
        case 0x30: // POP
          this.pop();
          pos++;
          break;
        case 0x31: // POP_MARK
          this.take(this.popMark());
          pos++;
          break;
        case 0x93: // STACK_GLOBAL
          this.stackGlobal(input.base + pos);
          pos++;
          break;
        case 0x52: // REDUCE
        case 0x81: // NEWOBJ
          this.call(bytes[pos] === 0x81);
          pos++;
          break;
        case 0x62: {
          // BUILD
          const data = this.build(input.base + pos);
          pos++;
          if (data !== -1) {
            pos = this.array(pos, data);
            bytes = input.bytes;
          }
          break;
        }
        case 0x95: {
          // FRAME
          const length = index8(bytes, pos + 1);
          pos += 9;
          if (this.frameEnd >= 0 || length > input.size - input.base - pos) throw UNSURE;
          this.frameEnd = input.base + pos + length;
          this.setLimit();
          break;
        }
        case 0x63: // GLOBAL
        case 0x49: // INT
        case 0x4c: // LONG
        case 0x46: // FLOAT
        case 0x56: // UNICODE
        case 0x53: // STRING
        case 0x70: // PUT
        case 0x67: // GET
          pos = this.line(pos);
          bytes = input.bytes;
          break;
        case 0x2e: // STOP
          return this.stop(input.base + pos + 1);
        default:
          return undefined;
      }
    }
  }

  /** The loop has come to its limit: a frame ends here, or more of the file is needed. */
  private pause(pos: number): number {
    const { input } = this;
    const at = input.base + pos;
    if (this.frameEnd >= 0) {
      // What reaches over the end of its frame is read differently by different loaders.
      if (at > this.frameEnd) throw UNSURE;
      if (at === this.frameEnd) this.frameEnd = -1;
    }
    let moved = pos;
    if (input.last) {
      if (pos >= input.end) throw UNSURE;
    } else if (pos >= input.end - SLACK) moved = this.need(pos, Math.min(WINDOW, input.size - at));
    this.setLimit();
    return moved;
  }

  private setLimit(): void {
    const { input } = this;
    const end = input.last ? input.end : input.end - SLACK;
    this.limit = this.frameEnd >= 0 ? Math.min(end, this.frameEnd - input.base) : end;
  }

  private need(pos: number, count: number): number {
    const moved = this.input.advance(pos, count);
    if (moved < 0) throw UNSURE;
    this.setLimit();
    return moved;
  }

  /** Goes on behind `count` bytes that are data. */
  private skip(pos: number, count: number): number {
    const { input } = this;
    if (count > input.size - input.base - pos) throw UNSURE;
    if (pos + count <= input.end) return pos + count;
    if (!input.seek(input.base + pos + count)) throw UNSURE;
    this.setLimit();
    return 0;
  }

  /** The raw data of an array of joblib; numbers below -1 stand for one whose data is padded by as many bytes as the first byte says. */
  private array(pos: number, data: number): number {
    const { input } = this;
    if (this.frameEnd >= 0 && input.base + pos >= this.frameEnd) this.frameEnd = -1;
    let count = data;
    let at = data === 0 ? pos : this.need(pos, 1);
    if (data !== 0) this.endPlainReading(at);
    if (data < -1) {
      count = -2 - data;
      at = this.skip(at + 1, input.bytes[at]);
    }
    at = this.skip(at, count);
    this.setLimit();
    return at;
  }

  /**
   * `pickle.load` takes the data of an array for opcodes (plain-reading.ts). It has to end at the first byte, at `pos`, as it does at the
   * number of padding bytes.
   */
  private endPlainReading(pos: number): void {
    if (this.plainEnded) return;
    if (OPCODES[this.input.bytes[pos]] !== undefined || this.importsJudged) throw UNSURE;
    this.plainEnded = true;
  }

  /** The word of a text whose opcode stands at `pos`. `high` has bit 7 if any of its bytes has. */
  private text(bytes: Buffer, pos: number, start: number, end: number, high: number): number {
    if (high >= 0x80 && !isUtf8(bytes.subarray(start, end))) throw UNSURE;
    const length = end - start;
    if (length > 2) {
      // Attributes that Python calls by itself, and others that mean something in a state.
      if (bytes[end - 1] === 0x5f) {
        if (bytes[end - 2] !== 0x5f) this.fitted = true;
        else if (bytes[start] === 0x5f && bytes[start + 1] === 0x5f) throw UNSURE;
      }
      const { hooks } = this.names;
      for (let i = 0; i < hooks.length; i++) {
        if (hooks[i].length === length && isEqual(bytes, start, end, hooks[i])) throw UNSURE;
      }
      if (length === VERSION_KEY.length && isEqual(bytes, start, end, VERSION_KEY)) {
        this.versions = true;
        return VERSION;
      }
    }
    const offset = this.input.base + pos;
    return offset < MAX_OFFSET ? word(TEXT, offset) : TEXT;
  }

  private longText(from: number): number {
    let pos = from;
    let { bytes } = this.input;
    const code = bytes[pos];
    const head = code === 0x55 ? 2 : code === 0x8d ? 9 : 5;
    const length = code === 0x55 ? bytes[pos + 1] : code === 0x8d ? index8(bytes, pos + 1) : index4(bytes, pos + 1);
    if (length > MAX_TEXT) throw UNSURE;
    pos = this.need(pos, head + length);
    bytes = this.input.bytes;
    const start = pos + head;
    const end = start + length;
    let high = 0;
    if (length > 256) high = isUtf8(bytes.subarray(start, end)) ? 0 : 0x80;
    else for (let i = start; i < end; i++) high |= bytes[i];
    if (code === 0x55 || code === 0x54) {
      // A string of Python 2 that is not ASCII is bytes; a long one is not decoded.
      if (length > 256) for (let i = start; i < end && high < 0x80; i++) high |= bytes[i];
      this.push(high >= 0x80 ? BYTES : this.text(bytes, pos, start, end, 0));
    } else {
      if (length > 256 && high >= 0x80) throw UNSURE;
      this.push(this.text(bytes, pos, start, end, high));
    }
    return end;
  }

  /** Opcodes whose argument is a line of text. */
  private line(from: number): number {
    let pos = from;
    let end = this.lineEnd(pos);
    if (end < 0) {
      pos = this.need(pos, Math.min(MAX_LINE, this.input.size - this.input.base - pos));
      end = this.lineEnd(pos);
    }
    const { bytes, base } = this.input;
    const start = pos + 1;
    if (base + end < HEAD_BYTES) this.earlyLines++;
    switch (bytes[pos]) {
      case 0x63: {
        // GLOBAL
        const second = this.nextLine(end + 1);
        if (second < 0) throw UNSURE;
        this.importEntry(
          this.names.find(bytes, start, end - start, bytes, end + 1, second - end - 1, this.variant),
          base + pos,
        );
        return second + 1;
      }
      case 0x49: // INT
        if (!isIntLine(bytes, start, end)) throw UNSURE;
        this.push(smallInt(bytes, start, end));
        break;
      case 0x4c: // LONG
        if (bytes[end - 1] !== 0x4c || !isPlainInteger(bytes, start, end - 1)) throw UNSURE;
        this.push(smallInt(bytes, start, end - 1));
        break;
      case 0x46: // FLOAT
        if (!isFloatLine(bytes, start, end)) throw UNSURE;
        this.push(ATOM);
        break;
      case 0x56: // UNICODE
        this.push(this.escaped(bytes, pos, start, end, false));
        break;
      case 0x53: {
        // STRING
        const quote = bytes[start];
        if (end - start < 2 || (quote !== 0x27 && quote !== 0x22) || bytes[end - 1] !== quote) throw UNSURE;
        this.push(this.escaped(bytes, pos, start + 1, end - 1, true));
        break;
      }
      case 0x70: // PUT
      case 0x67: {
        // GET
        const index = indexLine(bytes, start, end);
        if (index < 0) throw UNSURE;
        if (bytes[pos] === 0x70) this.put(index);
        else this.get(index);
        break;
      }
      default:
        throw UNSURE;
    }
    return end + 1;
  }

  /** The word of a text of protocol 0, in which escapes stand for characters. */
  private escaped(bytes: Buffer, pos: number, start: number, end: number, ofPython2: boolean): number {
    let high = 0;
    let escapes = false;
    for (let i = start; i < end; i++) {
      high |= bytes[i];
      if (bytes[i] !== 0x5c) continue;
      escapes = true;
      const length = escapeLength(bytes, i, ofPython2);
      if (length === 0 || i + length > end) throw UNSURE;
      i += length - 1;
    }
    if (ofPython2 && high >= 0x80) return BYTES;
    if (!escapes) return this.text(bytes, pos, start, end, 0);
    // It may be one that means something only if it is short, and made of letters and underscores.
    if (!isNoName(bytes, start, end)) {
      if (end - start <= LONGEST_ESCAPED) throw UNSURE;
      this.fitted = true;
    }
    return TEXT;
  }

  /** Where the line ends that the opcode at `pos` has as its argument, and for GLOBAL that the second one does too; -1 if not in memory. */
  private lineEnd(pos: number): number {
    const end = this.nextLine(pos + 1);
    return end >= 0 && this.input.bytes[pos] === 0x63 && this.nextLine(end + 1) < 0 ? -1 : end;
  }

  private nextLine(from: number): number {
    const { bytes, end } = this.input;
    let at = from;
    while (at < end && bytes[at] !== 0x0a) at++;
    return at < end ? at : -1;
  }

  private stop(end: number): Walked | undefined {
    // What begins like a text must soon be a pickle without doubt, and to readers that know nothing of joblib too.
    if (this.isText && (this.arrays > 0 || (end > HEAD_BYTES && this.earlyLines < SURE_LINES))) return undefined;
    if (end !== this.input.size || this.sp !== 1 || this.mp !== 0 || !this.judgedNamesCalled) return undefined;
    const value = this.words[0];
    const kind = value & 31;
    if (kind === JUDGED) return undefined;
    const model = modelOf(value);
    const is =
      kind >= FIRST_INSTANCE
        ? model === MODEL || model === MODEL_BY_VERSION
        : (kind === LIST || kind === TUPLE) && model === HOLDS_MODEL && this.sizes.valuesOf(value) <= SEARCHED;
    // A model may stand further below, and be known by its fitted attributes alone.
    if (!is && (this.models || this.versions || this.fitted) && this.arrays === 0) return undefined;
    return { imported: this.imported, joblib: this.arrays > 0, model: is };
  }
}

/** The word of a whole number that is written out. */
function smallInt(bytes: Uint8Array, start: number, end: number): number {
  const value = end - start > 8 || bytes[start] === 0x2d ? -1 : indexLine(bytes, start, end);
  // `01` and `00` are booleans.
  if (value < 0 || value >= MAX_INT || (end - start > 1 && bytes[start] === 0x30))
    return bytes[start] === 0x2d ? NEGATIVE : ATOM;
  return word(INT, value);
}

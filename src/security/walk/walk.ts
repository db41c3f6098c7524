import { OPCODES } from '../../pickle/opcodes';
import { HEAD_BYTES } from '../content/head';
import { index4, index8 } from './bytes';
import { SLACK } from './input';
import { FLAGS } from './names';
import { UNSURE } from './stack';
import { MAX_INT, WalkTexts } from './texts';
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
  TUPLE,
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

/** Values of a list in which the reader looks for models. */
const SEARCHED = 1000;

/** A list, dict or set with nothing in it. */
const EMPTY = (1 << 8) | (1 << 21);

/** Lines after which a text is taken for a pickle (formats/pickle/recognise.ts). */
const SURE_LINES = 8;

/**
 * Judges an ordinary pickle without making its values: one loop over the bytes, with one number for each value. It answers only where
 * the judge (`judge.ts`) would say "safe" without a single finding, whatever else the values are; everything else it leaves to the judge.
 * The rules of the opcodes are those of the machine (`pickle/machine`), where they are explained.
 */
export class Walk extends WalkTexts {
  private isText = false;
  /** The reading that knows nothing of joblib has come to its end. */
  private plainEnded = false;

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

import { isUtf8 } from 'node:buffer';
import { HEAD_BYTES } from '../content/head';
import { index4, index8, isEqual } from './bytes';
import { escapeLength, isNoName, LONGEST_ESCAPED } from './escapes';
import { indexLine, isFloatLine, isIntLine, isPlainInteger } from './lines';
import { WalkReader } from './reader';
import { UNSURE } from './stack';
import { ATOM, BYTES, INT, NEGATIVE, TEXT, VERSION, word } from './words';

/** Offsets of texts that a word holds. */
const MAX_OFFSET = 1 << 27;
/** Whole numbers that a word holds. */
export const MAX_INT = 1 << 26;
/** Texts that are taken; longer ones need memory of their size. */
const MAX_TEXT = 1 << 24;
/** Bytes of a line of protocol 0. */
const MAX_LINE = 1 << 16;

const VERSION_KEY = Buffer.from('_sklearn_version');

/** Texts, and the opcodes of protocol 0 whose argument is a line of text. */
export abstract class WalkTexts extends WalkReader {
  /** Opcodes with a line of text that end in the first bytes. */
  protected earlyLines = 0;

  /** The word of a text whose opcode stands at `pos`. `high` has bit 7 if any of its bytes has. */
  protected text(bytes: Buffer, pos: number, start: number, end: number, high: number): number {
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

  protected longText(from: number): number {
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
  protected line(from: number): number {
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
  protected escaped(bytes: Buffer, pos: number, start: number, end: number, ofPython2: boolean): number {
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
  protected lineEnd(pos: number): number {
    const end = this.nextLine(pos + 1);
    return end >= 0 && this.input.bytes[pos] === 0x63 && this.nextLine(end + 1) < 0 ? -1 : end;
  }

  protected nextLine(from: number): number {
    const { bytes, end } = this.input;
    let at = from;
    while (at < end && bytes[at] !== 0x0a) at++;
    return at < end ? at : -1;
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

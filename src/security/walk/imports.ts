import { WalkContainers } from './containers';
import type { WalkInput } from './input';
import { FLAGS, type NameTable } from './names';
import { UNSURE } from './stack';
import { GLOBAL, JUDGED, payloadOf, TEXT, word } from './words';

/** Names that are dangerous unless the arguments of all their calls clear them. */
export const JUDGED_FLAGS = FLAGS.partial | FLAGS.ufunc;

/** Bytes of a name that are looked up; those of the table are shorter. */
const MAX_NAME = 255;

/** The names that a file imports, and the texts that it names them by. */
export abstract class WalkImports extends WalkContainers {
  /** Entries of the names that the file imports, in that order. */
  readonly imported: number[] = [];
  readonly counts: Int32Array;
  readonly offsets: Float64Array;
  protected variant = 0;

  constructor(
    protected readonly names: NameTable,
    protected readonly input: WalkInput,
  ) {
    super();
    this.counts = new Int32Array(names.count);
    this.offsets = new Float64Array(names.count);
  }

  protected override reset(): void {
    super.reset();
    for (const entry of this.imported) this.counts[entry] = 0;
    this.imported.length = 0;
  }

  protected importEntry(entry: number, at: number): void {
    if (entry < 0) throw UNSURE;
    if (this.counts[entry]++ === 0) {
      this.imported.push(entry);
      this.offsets[entry] = at;
    }
    this.push(word((this.names.flags(entry) & JUDGED_FLAGS) !== 0 ? JUDGED : GLOBAL, entry));
  }

  protected stackGlobal(at: number): void {
    this.require(2);
    const module = this.placeText(this.words[this.sp - 2]);
    const { textStart, textLength } = this;
    const name = this.placeText(this.words[this.sp - 1]);
    this.sp -= 2;
    this.importEntry(
      this.names.find(module, textStart, textLength, name, this.textStart, this.textLength, this.variant),
      at,
    );
  }

  protected override placeText(value: number): Uint8Array {
    const { bytes, base, end } = this.input;
    const pos = payloadOf(value) - base;
    // Nearly always a short text that is in memory.
    if ((value & 31) === TEXT && pos > 0 && pos + 2 <= end && bytes[pos] === 0x8c && pos + 2 + bytes[pos + 1] <= end) {
      this.textStart = pos + 2;
      this.textLength = bytes[pos + 1];
      return bytes;
    }
    const text = this.textAt(value);
    this.textStart = 0;
    this.textLength = text.length;
    return text;
  }

  /** The bytes of a text, by the opcode that it came from. */
  protected textAt(value: number): Buffer {
    const offset = payloadOf(value);
    if ((value & 31) !== TEXT || offset === 0) throw UNSURE;
    const head = this.input.at(offset, 5) ?? this.input.at(offset, 2);
    if (!head) throw UNSURE;
    let start = 2;
    let length = head[1];
    switch (head[0]) {
      case 0x8c: // SHORT_BINUNICODE
      case 0x55: // SHORT_BINSTRING
        break;
      case 0x58: // BINUNICODE
        start = 5;
        length = head.length < 5 ? MAX_NAME + 1 : head.readUInt32LE(1);
        break;
      case 0x56: // UNICODE
      case 0x53: {
        // STRING, in quotes
        const quotes = head[0] === 0x53 ? 1 : 0;
        start = 1 + quotes;
        const left = Math.min(MAX_NAME + 2, this.input.size - offset - start);
        length = (this.input.at(offset + start, left)?.indexOf(0x0a) ?? -1) - quotes;
        break;
      }
      default:
        throw UNSURE;
    }
    const bytes = length < 0 || length > MAX_NAME ? undefined : this.input.at(offset + start, length);
    if (!bytes) throw UNSURE;
    return bytes;
  }
}

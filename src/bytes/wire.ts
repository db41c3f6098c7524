import { asModelError, ModelError } from './errors';

/** Protobuf wire types; 3 and 4 (groups) are not used by any schema read here. */
export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
export const FIXED32 = 5;

/**
 * Walks the fields of one protobuf message without decoding what they hold, so that a large message can be read in parts.
 * After `next()` the public fields describe the field just met. Works on `bytes[start, end)`; offsets are into `bytes`.
 */
export class WireReader {
  /** Number of the current field. */
  field = 0;
  /** Wire type of the current field. */
  wire = 0;
  /** Value of a varint or fixed field, exact up to 2^53. */
  value = 0;
  /** Where the content of the current field starts and ends. */
  from = 0;
  to = 0;
  /** What is wrong with the message, met by a tolerant walk; the last field may be cut off then. */
  error: ModelError | undefined;
  private pos: number;

  constructor(
    private readonly bytes: Uint8Array,
    start = 0,
    private readonly end = bytes.length,
    private readonly what = 'The message',
  ) {
    this.pos = start;
  }

  /** As `next()`, but damage ends the walk and is kept in `error`. A cut length-delimited field is given with what there is of it. */
  nextTolerant(): boolean {
    if (this.error) return false;
    const before = this.pos;
    try {
      return this.next();
    } catch (error) {
      this.error = asModelError(error, this.what);
      const cut = this.error.code === 'truncated' && this.wire === BYTES && this.from > before && this.from < this.end;
      this.to = this.end;
      return cut;
    }
  }

  /**
   * Goes to the next field; false at the end of the message.
   * @throws ModelError `truncated` when a field passes the end, `malformed` for a tag that no protobuf has.
   */
  next(): boolean {
    if (this.pos >= this.end) return false;
    const at = this.pos;
    const tag = this.varint();
    this.field = Math.floor(tag / 8);
    this.wire = tag % 8;
    if (this.field === 0 || this.field > 0x1fffffff) throw this.malformed(at);
    switch (this.wire) {
      case VARINT:
        this.from = this.pos;
        this.value = this.varint();
        this.to = this.pos;
        return true;
      case FIXED64:
        this.skip(8);
        return true;
      case BYTES: {
        const length = this.varint();
        this.skip(length);
        return true;
      }
      case FIXED32:
        this.skip(4);
        return true;
      default:
        throw this.malformed(at);
    }
  }

  /** Content of the current length-delimited field as text. */
  text(): string {
    return utf8(this.bytes, this.from, this.to);
  }

  private skip(length: number): void {
    this.from = this.pos;
    this.to = this.pos + length;
    if (!(this.to <= this.end)) throw this.truncated();
    this.pos = this.to;
  }

  private varint(): number {
    let result = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      if (this.pos >= this.end) throw this.truncated();
      const byte = this.bytes[this.pos++]!;
      result += (byte & 127) * scale;
      if (byte < 128) return result;
      scale *= 128;
    }
    throw this.malformed(this.pos);
  }

  private truncated(): ModelError {
    return new ModelError('truncated', `${this.what} ends inside field ${this.field} (byte ${this.pos}).`, {
      offset: this.pos,
    });
  }

  private malformed(at: number): ModelError {
    return new ModelError(
      'malformed',
      `${this.what} is not a valid protobuf message: no field can start at byte ${at}.`,
      {
        offset: at,
      },
    );
  }
}

/** Node's own decoder, which works on any view of bytes and is many times quicker than a TextDecoder for short names. */
const slice = (Buffer.prototype as unknown as { utf8Slice(this: Uint8Array, from: number, to: number): string })
  .utf8Slice;

/** UTF-8 text of `bytes[from, to)`; what is not valid becomes replacement characters. */
export function utf8(bytes: Uint8Array, from: number, to: number): string {
  return slice.call(bytes, from, to);
}

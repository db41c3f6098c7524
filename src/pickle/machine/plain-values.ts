import { INLINE_BYTES, INLINE_PYTHON2_STRING, MAX_INTEGER_DIGITS, MAX_STRING_BYTES } from '../../bytes/limits';
import { type Literal, readFloatLine, readIntLine, readLongLine } from '../literals';
import type { OpcodeName } from '../opcodes';
import { decodeEscapes, decodeLong, decodeRawUnicodeEscape, decodeUtf8 } from '../text';
import { type BytesKind, OutOfBandBuffer, PyBytes, pyFloat, type Value } from '../values';
import { isAscii, isComputed } from './kinds';
import { Malformed } from './malformed';
import { OperandReader } from './operands';

/** Makes the values that are data by themselves: numbers, text and bytes, of every protocol. */
export abstract class PlainValueReader extends OperandReader {
  protected long(length: number): Value {
    if (length > this.window.remaining)
      throw new Malformed(`an integer of ${length} bytes, ${this.window.remaining} are left`, 'truncated');
    // Turning megabytes of digits into one integer has no use; they stay in the file.
    if (length > 0x10000) return this.byteString(length, 'int');
    this.need(length);
    const value = decodeLong(this.window.bytes.subarray(this.window.pos, this.window.pos + length));
    this.window.pos += length;
    return value;
  }

  protected intLine(): Value {
    const text = this.line('INT').toString('latin1');
    return this.literal(readIntLine(text), 'INT', text);
  }

  protected longLine(): Value {
    const text = this.line('LONG').toString('latin1');
    return this.literal(readLongLine(text), 'LONG', text);
  }

  protected floatLine(): Value {
    const bytes = this.line('FLOAT');
    const text = bytes.toString('latin1');
    // What `repr` writes; Python and JavaScript read such digits alike.
    const plain = isPlainNumber(bytes) ? Number(text) : Number.NaN;
    if (Number.isFinite(plain)) return pyFloat(plain);
    const found = readFloatLine(text);
    if (!found) throw new Malformed(`FLOAT has ${JSON.stringify(text.slice(0, 40))}, which is not a number`);
    if (found.differs) this.note('loader-difference', found.differs);
    return pyFloat(found.value);
  }

  protected literal(found: Literal | undefined, opcode: OpcodeName, text: string): Value {
    if (!found) {
      if (text.length > MAX_INTEGER_DIGITS) throw new Malformed(`${opcode} has ${text.length} digits`, 'limit');
      throw new Malformed(`${opcode} has ${JSON.stringify(text.slice(0, 40))}, which is not an integer`);
    }
    if (found.differs) this.note('version-dependent-integer', found.differs);
    return found.value;
  }

  protected utf8(length: number): string {
    const { window: w } = this;
    const bytes = w.bytes.subarray(w.pos, w.pos + length);
    const text = decodeUtf8(bytes);
    if (text !== undefined) return text;
    this.note('invalid-text', 'A string is not UTF-8; CPython refuses it.');
    return bytes.toString('latin1');
  }

  protected text(length: number): string {
    if (length > this.window.remaining)
      throw new Malformed(`a string of ${length} bytes, ${this.window.remaining} are left`, 'truncated');
    if (length > MAX_STRING_BYTES)
      throw new Malformed(`a string of ${length} bytes is longer than the reader takes`, 'limit');
    this.need(length);
    const text = this.strings.get(this.window.bytes, this.window.pos, length) ?? this.utf8(length);
    this.window.pos += length;
    return text;
  }

  protected unicodeLine(): string {
    const latin1 = this.line('UNICODE').toString('latin1');
    const text = decodeRawUnicodeEscape(latin1);
    if (text === undefined) throw new Malformed('UNICODE has an incomplete \\u escape');
    return text;
  }

  protected stringLine(): Value {
    this.python2Strings = true;
    const bytes = this.line('STRING');
    const quote = bytes[0];
    if (bytes.length < 2 || (quote !== 0x27 && quote !== 0x22) || bytes[bytes.length - 1] !== quote) {
      throw new Malformed('the argument of STRING must be quoted');
    }
    const decoded = decodeEscapes(bytes.subarray(1, bytes.length - 1));
    if (!decoded) throw new Malformed('STRING has an invalid escape');
    if (isAscii(decoded)) return Buffer.from(decoded.buffer, decoded.byteOffset, decoded.length).toString('latin1');
    return this.notAscii(new PyBytes(this.source, this.at, decoded.length, 'str', Uint8Array.from(decoded)));
  }

  protected python2String(length: number): Value {
    this.python2Strings = true;
    const { window: w } = this;
    if (length > w.remaining) throw new Malformed(`a string of ${length} bytes, ${w.remaining} are left`, 'truncated');
    if (length > INLINE_PYTHON2_STRING) return this.byteString(length, 'str');
    this.need(length);
    const bytes = w.bytes.subarray(w.pos, w.pos + length);
    if (!isAscii(bytes)) return this.notAscii(this.byteString(length, 'str'));
    const text = this.strings.get(w.bytes, w.pos, length) ?? bytes.toString('latin1');
    w.pos += length;
    return text;
  }

  protected notAscii(bytes: PyBytes): PyBytes {
    this.note(
      'python2-string',
      'A Python 2 string is not ASCII; Python 3 needs encoding="latin1" or "bytes" to load it.',
    );
    return bytes;
  }

  protected byteString(length: number, kind: BytesKind): PyBytes {
    const { window: w } = this;
    if (length > w.remaining) throw new Malformed(`${length} bytes are declared, ${w.remaining} are left`, 'truncated');
    const { offset } = w;
    if (length <= INLINE_BYTES) {
      this.need(length);
      const inline = this.strings.copy(w.bytes, w.pos, length);
      w.pos += length;
      return new PyBytes(this.source, offset, length, kind, inline);
    }
    w.seek(offset + length);
    return new PyBytes(this.source, offset, length, kind);
  }

  protected readonlyBuffer(): void {
    const value = this.top();
    if (value instanceof OutOfBandBuffer) return;
    if (isComputed(value)) {
      this.note('computed-operand', 'READONLY_BUFFER takes something that is known only at load.');
      return;
    }
    if (!(value instanceof PyBytes) || value.kind === 'int' || value.kind === 'str') {
      throw new Malformed('READONLY_BUFFER needs a buffer');
    }
    if (value.kind !== 'bytearray') return;
    const bytes = value.isInline ? value.bytes() : undefined;
    this.stack[this.stack.length - 1] = new PyBytes(value.source, value.offset, value.length, 'memoryview', bytes);
  }
}

/** Only digits, signs, a point and an exponent, and not nothing. */
function isPlainNumber(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if ((byte < 0x30 || byte > 0x39) && byte !== 0x2e && byte !== 0x2d && byte !== 0x65 && byte !== 0x2b) return false;
  }
  return bytes.length > 0;
}

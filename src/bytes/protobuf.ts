import protobuf from 'protobufjs/minimal.js';
import { ModelError } from './errors';

/**
 * A 64-bit integer of a protobuf message: a `number` where that is exact (up to 2^53 - 1), otherwise a `bigint`.
 * Nearly every such field is a dimension, a count or an offset, for which a number is what the code wants; the few large
 * ones (INT64_MAX as "to the end", hashes, 64-bit tensor data) keep every bit.
 */
export type Int64 = number | bigint;

const SIGNED = 1n << 63n;
const WHOLE = 1n << 64n;

/** Decodes 64-bit integers exactly (see `Int64`), and text that is not valid UTF-8 with replacement characters. */
class ExactReader extends protobuf.Reader {
  override int64(): protobuf.Long {
    const value = this.varint64();
    return declared(typeof value === 'bigint' ? narrow(BigInt.asIntN(64, value)) : value);
  }
  override uint64(): protobuf.Long {
    return declared(narrow(this.varint64()));
  }
  override sint64(): protobuf.Long {
    const value = BigInt(this.varint64());
    return declared(narrow((value >> 1n) ^ -(value & 1n)));
  }
  override stringVerify(): string {
    return this.string();
  }

  /** An unsigned varint: a number from up to seven bytes (49 bits, nearly every value), else a bigint. */
  private varint64(): Int64 {
    let low = 0;
    let scale = 1;
    for (let i = 0; i < 7; i++) {
      const byte = this.byte();
      low += (byte & 127) * scale;
      if (byte < 128) return low;
      scale *= 128;
    }
    let value = BigInt(low);
    for (let shift = 49n; shift < 70n; shift += 7n) {
      const byte = this.byte();
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asUintN(64, value);
    }
    throw new Error('a varint is longer than ten bytes');
  }

  private byte(): number {
    if (this.pos >= this.len) throw new RangeError(`index out of range: ${this.pos}`);
    return this.buf[this.pos++]!;
  }
}

/** The base class declares `Long`; the generated types say what it is, `number | bigint`. */
function declared(value: Int64): protobuf.Long {
  return value as unknown as protobuf.Long;
}

/** Encodes `Int64` exactly. The methods of the base class take numbers only. */
class ExactWriter extends protobuf.Writer {
  override int64(value: Int64 | string | protobuf.Long): this {
    return this.exact(value, (v) => super.int64(v));
  }
  override uint64(value: Int64 | string | protobuf.Long): this {
    return this.exact(value, (v) => super.uint64(v));
  }
  override sint64(value: Int64 | string | protobuf.Long): this {
    return this.exact(value, (v) => super.sint64(v));
  }
  override int64s(values: (Int64 | string | protobuf.Long)[]): this {
    return super.int64s(values.map(halves) as number[]) as this;
  }
  override uint64s(values: (Int64 | string | protobuf.Long)[]): this {
    return super.uint64s(values.map(halves) as number[]) as this;
  }

  private exact(value: Int64 | string | protobuf.Long, write: (value: number) => protobuf.Writer): this {
    write(halves(value) as number);
    return this;
  }
}

function narrow(value: Int64): Int64 {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}

/** What the base class writes exactly: a safe number as it is, anything else as its two halves. */
function halves(
  value: Int64 | string | protobuf.Long,
): number | { low: number; high: number } | string | protobuf.Long {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  if (typeof value !== 'bigint') throw new TypeError(`${String(value)} is not a 64-bit integer`);
  if (value >= WHOLE || value < -SIGNED) throw new RangeError(`${value} does not fit 64 bits`);
  const bits = BigInt.asUintN(64, value);
  return { low: Number(bits & 0xffffffffn), high: Number(bits >> 32n) };
}

interface Decodable<T> {
  decode(reader: protobuf.Reader): T;
}

interface Encodable<T> {
  encode(message: T, writer: protobuf.Writer): protobuf.Writer;
}

/**
 * Decodes one message. Byte fields are views of `bytes`, not copies.
 * @param what names the thing in messages: "The SavedModel", "The ONNX model".
 * @throws ModelError `malformed` when the bytes are not such a message, `truncated` when they end inside a field.
 */
export function decodeMessage<T>(type: Decodable<T>, bytes: Uint8Array, what: string): T {
  // A Buffer's `slice` and a Uint8Array's `subarray` are both views; the plain view keeps the types apart from Node's.
  const reader = new ExactReader(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  try {
    return type.decode(reader);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (/index out of range/.test(reason)) {
      throw new ModelError('truncated', `${what} ends inside a field (near byte ${reader.pos} of ${bytes.length}).`, {
        offset: reader.pos,
        cause: error,
      });
    }
    throw new ModelError('malformed', `${what} is not a valid protobuf message: ${reason} (near byte ${reader.pos}).`, {
      offset: reader.pos,
      cause: error,
    });
  }
}

/** Encodes one message, of less than 2 GB. */
export function encodeMessage<T>(type: Encodable<T>, message: T): Uint8Array {
  return type.encode(message, new ExactWriter()).finish();
}

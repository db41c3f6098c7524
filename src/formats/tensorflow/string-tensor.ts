import type { ByteRange } from '../../bytes/byte-range';
import { crc32c, maskCrc32c, unmaskCrc32c } from '../../bytes/checksums/crc32';
import { ModelError } from '../../bytes/errors';
import type { TensorRef } from '../../tensors/tensor';

/** Bytes of fixed-width text that a string tensor may take when it is laid out for showing. */
const MAX_STRING_TABLE_BYTES = 256 * 1024 * 1024;

/**
 * Elements of a string tensor as a bundle stores them: a varint length for each, four bytes of checksum over the lengths, then the bytes
 * (`tensor_bundle.cc`).
 * @param expected the masked checksum of the index. It runs over the lengths as fixed numbers of four bytes (eight above 2^32), their own
 *   masked checksum, and the bytes.
 * @throws ModelError when the lengths do not fit the bytes, or the checksum differs.
 */
export function splitStrings(bytes: Uint8Array, count: number, what: string, expected?: number): Uint8Array[] {
  const lengths: number[] = [];
  let pos = 0;
  for (let i = 0; i < count; i++) {
    let length = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[pos++];
      if (byte === undefined || scale > 2 ** 56) throw damaged(what, pos);
      length += (byte & 127) * scale;
      if (byte < 128) break;
    }
    lengths.push(length);
  }
  const start = pos + 4;
  pos = start;
  const out: Uint8Array[] = [];
  for (const length of lengths) {
    if (!(pos + length <= bytes.length)) throw damaged(what, pos);
    out.push(bytes.subarray(pos, pos + length));
    pos += length;
  }
  if (expected !== undefined && checksum(lengths, bytes.subarray(start, pos)) !== unmaskCrc32c(expected)) {
    throw new ModelError(
      'malformed',
      `The text of ${what} is damaged: its checksum is not the one in the index. Fetch the file again.`,
      {
        reason: 'checksum',
      },
    );
  }
  return out;
}

function checksum(lengths: readonly number[], text: Uint8Array): number {
  const wide = lengths.some((length) => length > 0xffffffff);
  const fixed = new DataView(new ArrayBuffer(lengths.length * (wide ? 8 : 4)));
  let at = 0;
  for (const length of lengths) {
    if (length > 0xffffffff) {
      fixed.setBigUint64(at, BigInt(length), true);
      at += 8;
    } else {
      fixed.setUint32(at, length, true);
      at += 4;
    }
  }
  const crc = crc32c(new Uint8Array(fixed.buffer, 0, at));
  const own = new DataView(new ArrayBuffer(4));
  own.setUint32(0, maskCrc32c(crc), true);
  return crc32c(text, crc32c(new Uint8Array(own.buffer), crc));
}

function damaged(what: string, offset: number): ModelError {
  return new ModelError('malformed', `The string values of ${what} do not fit the ${offset} bytes that hold them.`, {
    offset,
  });
}

/** A string tensor as text of fixed width, padded with zeros, made when it is looked at. */
export function stringTensor(
  range: ByteRange,
  shape: readonly number[],
  count: number,
  what: string,
  expected?: number,
): TensorRef {
  let laidOut: Laid | undefined;
  const lay = (): Laid => (laidOut ??= layOut(splitStrings(range.bytes(), count, what, expected), what));
  const data: ByteRange = {
    get length() {
      return lay().bytes.length;
    },
    bytes: (start = 0, end) => lay().bytes.subarray(start, end),
  };
  return {
    dtype: 'bytes',
    shape,
    data,
    get itemsize() {
      return lay().width;
    },
  };
}

/** Strings that are in memory already, such as those of a constant. */
export function stringsTensor(strings: readonly Uint8Array[], shape: readonly number[], what: string): TensorRef {
  const { bytes, width } = layOut(strings, what);
  return {
    dtype: 'bytes',
    shape,
    itemsize: width,
    data: { length: bytes.length, bytes: (a = 0, b) => bytes.subarray(a, b) },
  };
}

interface Laid {
  bytes: Uint8Array;
  width: number;
}

function layOut(strings: readonly Uint8Array[], what: string): Laid {
  const width = strings.reduce((most, s) => Math.max(most, s.length), 1);
  if (width * strings.length > MAX_STRING_TABLE_BYTES) {
    throw new ModelError(
      'limit',
      `${what} has ${strings.length} strings of up to ${width} bytes, too many to lay out for showing.`,
    );
  }
  const bytes = new Uint8Array(width * strings.length);
  strings.forEach((s, i) => {
    bytes.set(s, i * width);
  });
  return { bytes, width };
}

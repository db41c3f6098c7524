import { createHash } from 'node:crypto';
import { crc32 } from '../checksums/crc32';
import { crc64 } from '../checksums/crc64';
import type { ByteInput } from './input';
import { LzmaDecoder } from './lzma';
import type { ByteOutput } from './output';

/** Sizes of the check after a block, by its type (xz file format 1.2.0, section 2.1.1.2). */
const CHECK_SIZES = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64];

const FILTER_DELTA = 3;
const FILTER_LZMA2 = 0x21;
const FILTER_NAMES: Record<number, string> = {
  4: 'x86',
  5: 'PowerPC',
  6: 'IA-64',
  7: 'ARM',
  8: 'ARM Thumb',
  9: 'SPARC',
  10: 'ARM64',
  11: 'RISC-V',
};

/**
 * Unpacks xz streams up to the end or to something else, which stays unread. Every check is verified, the index too.
 * @returns the number of streams.
 */
export function unxz(input: ByteInput, output: ByteOutput): number {
  for (let streams = 1; ; streams++) {
    stream(input, output);
    const mark = input.offset;
    // Between streams lie zero bytes, four at a time.
    while (input.peek() === 0) input.position++;
    if (input.peek() < 0) return streams;
    if (input.peek() !== 0xfd || input.peek(1) !== 0x37 || input.peek(2) !== 0x7a) {
      input.rewind(mark);
      return streams;
    }
  }
}

interface BlockSizes {
  unpadded: number;
  uncompressed: number;
}

function stream(input: ByteInput, output: ByteOutput): void {
  const offset = input.offset;
  const header = input.take(12, 'an xz header').slice();
  const magic = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0];
  if (!magic.every((byte, i) => header[i] === byte)) throw input.malformed('this is not an xz header', offset);
  if (word(header, 8) !== crc32(header.subarray(6, 8)))
    throw input.malformed('the checksum of the xz header does not match', offset + 8);
  const check = header[7]! & 15;
  if (header[6] !== 0 || header[7]! > 15)
    throw input.unsupported('the xz stream uses flags that are not known', offset + 6);
  const blocks: BlockSizes[] = [];
  while (input.peek() !== 0) {
    if (input.peek() < 0) throw input.truncated('an xz stream');
    blocks.push(block(input, output, check));
  }
  const indexSize = index(input, blocks);
  const footerOffset = input.offset;
  const footer = input.take(12, 'an xz footer');
  if (footer[10] !== 0x59 || footer[11] !== 0x5a)
    throw input.malformed('an xz stream does not end with YZ', footerOffset + 10);
  if (word(footer, 0) !== crc32(footer.subarray(4, 10)))
    throw input.malformed('the checksum of the xz footer does not match', footerOffset);
  if ((word(footer, 4) + 1) * 4 !== indexSize || footer[8] !== header[6] || footer[9] !== header[7]) {
    throw input.malformed('the xz footer does not agree with the stream before it', footerOffset + 4);
  }
}

function word(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

function block(input: ByteInput, output: ByteOutput, check: number): BlockSizes {
  const offset = input.offset;
  const headerSize = (input.peek() + 1) * 4;
  const header = input.take(headerSize, 'an xz block header').slice();
  if (word(header, headerSize - 4) !== crc32(header.subarray(0, headerSize - 4))) {
    throw input.malformed('the checksum of an xz block header does not match', offset);
  }
  const flags = header[1]!;
  if (flags & 0x3c) throw input.unsupported('an xz block uses flags that are not known', offset + 1);
  const fields = new Fields(header.subarray(0, headerSize - 4), 2, input, offset);
  const compressed = flags & 0x40 ? fields.integer() : undefined;
  const uncompressed = flags & 0x80 ? fields.integer() : undefined;
  const deltas: number[] = [];
  for (let i = 0, count = (flags & 3) + 1; i < count; i++) {
    const id = fields.integer();
    const properties = fields.bytes(fields.integer());
    if (i === count - 1) {
      if (id !== FILTER_LZMA2 || properties.length !== 1) {
        throw input.unsupported(`the xz filter 0x${id.toString(16)} is not known (LZMA2 was expected)`, offset);
      }
    } else if (id === FILTER_DELTA && properties.length === 1) {
      deltas.unshift(properties[0]! + 1);
    } else {
      throw input.unsupported(
        `the xz filter ${FILTER_NAMES[id] ?? `0x${id.toString(16)}`} is not supported; unpack the file with xz first`,
        offset,
      );
    }
  }
  const dataOffset = input.offset;
  const start = output.length;
  try {
    lzma2(input, output);
  } finally {
    for (const distance of deltas) undoDelta(output.bytes, start, output.length, distance);
  }
  const unpaddedData = input.offset - dataOffset;
  const size = output.length - start;
  if (compressed !== undefined && compressed !== unpaddedData)
    throw input.malformed('an xz block is not as long as its header says', offset);
  if (uncompressed !== undefined && uncompressed !== size)
    throw input.malformed('an xz block unpacks to a size that its header does not say', offset);
  for (let i = unpaddedData; i % 4 !== 0; i++) {
    if (input.byte('an xz block') !== 0) throw input.malformed('the padding of an xz block is not zero');
  }
  verify(input, check, output.bytes.subarray(start, output.length));
  return { unpadded: headerSize + unpaddedData + CHECK_SIZES[check]!, uncompressed: size };
}

function verify(input: ByteInput, check: number, data: Uint8Array): void {
  const offset = input.offset;
  const stored = input.take(CHECK_SIZES[check]!, 'the check of an xz block');
  let matches = true;
  if (check === 1) {
    matches = word(stored, 0) === crc32(data);
  } else if (check === 4) {
    const sum = crc64(data);
    matches = word(stored, 0) === sum.low && word(stored, 4) === sum.high;
  } else if (check === 10) {
    matches = createHash('sha256').update(data).digest().equals(stored);
  } else if (check !== 0) {
    throw input.unsupported(`the xz check type ${check} is not known, so the data could not be verified`, offset);
  }
  if (!matches) throw input.malformed('the check of an xz block does not match the data', offset);
}

/** The index repeats the sizes of all blocks; it must say what was found. Returns its size. */
function index(input: ByteInput, blocks: readonly BlockSizes[]): number {
  const offset = input.offset;
  // The size follows from the blocks, so that nothing is read that a false index declares.
  const expected: number[] = [0, ...variable(blocks.length)];
  for (const { unpadded, uncompressed } of blocks) expected.push(...variable(unpadded), ...variable(uncompressed));
  while (expected.length % 4 !== 0) expected.push(0);
  const found = input.take(expected.length, 'an xz index').slice();
  if (!expected.every((byte, i) => found[i] === byte))
    throw input.malformed('the xz index does not agree with the blocks', offset);
  if (input.uint32('an xz index') !== crc32(found))
    throw input.malformed('the checksum of the xz index does not match', offset);
  return expected.length + 4;
}

/** Seven bits a byte, least significant first. */
function variable(value: number): number[] {
  const bytes: number[] = [];
  for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes.push((value % 0x80) | 0x80);
  bytes.push(value);
  return bytes;
}

/** The fields of a block header. */
class Fields {
  constructor(
    private readonly header: Uint8Array,
    private at: number,
    private readonly input: ByteInput,
    private readonly offset: number,
  ) {}

  integer(): number {
    let value = 0;
    for (let i = 0, scale = 1; i < 9; i++, scale *= 128) {
      const byte = this.bytes(1)[0]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw this.input.malformed('a number in an xz block header is too long', this.offset + this.at);
  }

  bytes(count: number): Uint8Array {
    if (count > this.header.length - this.at)
      throw this.input.malformed('an xz block header is too short for its fields', this.offset);
    this.at += count;
    return this.header.subarray(this.at - count, this.at);
  }
}

/** Unpacks LZMA2: chunks of LZMA or of plain bytes, each of which may reset the dictionary, the state or the properties. */
function lzma2(input: ByteInput, output: ByteOutput): void {
  const what = 'an LZMA2 chunk';
  const decoder = new LzmaDecoder(input, output);
  let needsDictionary = true;
  let needsProperties = true;
  let needsState = true;
  for (;;) {
    const offset = input.offset;
    const control = input.byte(what);
    if (control === 0) break;
    if (control >= 0xe0 || control === 1) {
      needsDictionary = false;
      needsProperties = true;
      decoder.resetDictionary();
    } else if (needsDictionary) {
      throw input.malformed('the first LZMA2 chunk does not reset the dictionary', offset);
    }
    if (control >= 0x80) {
      const sizes = input.take(4, what);
      const uncompressed = ((control & 0x1f) << 16) + ((sizes[0]! << 8) | sizes[1]!) + 1;
      const compressed = ((sizes[2]! << 8) | sizes[3]!) + 1;
      if (control >= 0xc0) {
        const properties = input.byte(what);
        // LZMA2 allows no more than four literal context and position bits together.
        if (!decoder.setProperties(properties) || (properties % 9) + (Math.floor(properties / 9) % 5) > 4) {
          throw input.malformed('the properties of an LZMA2 chunk are invalid', offset + 5);
        }
        needsProperties = false;
        needsState = false;
        decoder.resetState();
      } else if (needsProperties) {
        throw input.malformed('an LZMA2 chunk has no properties', offset);
      } else if (control >= 0xa0) {
        needsState = false;
        decoder.resetState();
      } else if (needsState) {
        throw input.malformed('an LZMA2 chunk continues a state that there is not', offset);
      }
      const start = input.offset;
      decoder.startRange(what);
      decoder.decode(output.length + uncompressed, what);
      if (decoder.ended || !decoder.finishRange() || input.offset - start !== compressed) {
        throw input.malformed('an LZMA2 chunk is not as long as its header says', offset);
      }
    } else if (control <= 2) {
      const sizes = input.take(2, what);
      let left = ((sizes[0]! << 8) | sizes[1]!) + 1;
      while (left > 0) {
        const have = Math.min(input.prepare(left), left);
        if (have === 0) throw input.truncated(what);
        output.reserve(have);
        output.bytes.set(input.take(have, what), output.length);
        output.length += have;
        left -= have;
      }
    } else {
      throw input.malformed(`an LZMA2 chunk has the unknown type ${control}`, offset);
    }
  }
  output.finish();
}

/** Delta filter: each byte was stored as the difference from the one `distance` before. */
function undoDelta(bytes: Uint8Array, start: number, end: number, distance: number): void {
  for (let i = start + distance; i < end; i++) bytes[i]! += bytes[i - distance]!;
}

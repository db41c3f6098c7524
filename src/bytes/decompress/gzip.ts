import { adler32 } from '../checksums/adler32';
import { crc32 } from '../checksums/crc32';
import { inflate } from './inflate';
import type { ByteInput } from './input';
import type { ByteOutput } from './output';

const FLAG_HEADER_CRC = 2;
const FLAG_EXTRA = 4;
const FLAG_NAME = 8;
const FLAG_COMMENT = 16;

/**
 * Unpacks gzip members (RFC 1952) up to the end or to something else, which stays unread.
 * @returns the number of members.
 */
export function gunzip(input: ByteInput, output: ByteOutput): number {
  for (let members = 0; ; members++) {
    if (members > 0) {
      // Zero bytes after a member are padding (tapes, Python's gzip); anything else but another member ends the stream.
      const mark = input.offset;
      while (input.peek() === 0) input.position++;
      if (input.peek() < 0) return members;
      if (input.peek() !== 0x1f || input.peek(1) !== 0x8b) {
        input.rewind(mark);
        return members;
      }
    }
    header(input);
    const start = output.length;
    inflate(input, output);
    const unpacked = output.bytes.subarray(start, output.length);
    const offset = input.offset;
    if (input.uint32('the checksum of a gzip member') !== crc32(unpacked)) {
      throw input.malformed('the gzip checksum does not match the data', offset);
    }
    if (input.uint32('the length of a gzip member') !== unpacked.length % 0x100000000) {
      throw input.malformed('the length that gzip stored does not match the data', offset + 4);
    }
  }
}

function header(input: ByteInput): void {
  const what = 'a gzip header';
  const offset = input.offset;
  const fixed = input.take(10, what);
  const method = fixed[2]!;
  const flags = fixed[3]!;
  if (fixed[0] !== 0x1f || fixed[1] !== 0x8b) throw input.malformed('a gzip member does not start with 1f 8b', offset);
  if (method !== 8)
    throw input.unsupported(`gzip method ${method} is not known (8, deflate, was expected)`, offset + 2);
  if (flags & FLAG_EXTRA) input.skip(input.uint16(what), what);
  if (flags & FLAG_NAME) zeroTerminated(input);
  if (flags & FLAG_COMMENT) zeroTerminated(input);
  if (flags & FLAG_HEADER_CRC) input.skip(2, what);
}

function zeroTerminated(input: ByteInput): void {
  while (input.byte('a gzip header') !== 0);
}

/** Unpacks one zlib stream (RFC 1950). */
export function unzlib(input: ByteInput, output: ByteOutput): void {
  const offset = input.offset;
  const header = input.take(2, 'a zlib header');
  if ((header[0]! & 15) !== 8 || header[0]! >> 4 > 7 || ((header[0]! << 8) | header[1]!) % 31 !== 0) {
    throw input.malformed('this is not a zlib header', offset);
  }
  if (header[1]! & 0x20) throw input.unsupported('the zlib stream needs a preset dictionary', offset);
  const start = output.length;
  inflate(input, output);
  const end = input.offset;
  const b = input.take(4, 'the checksum of a zlib stream');
  if (
    ((b[0]! << 24) | (b[1]! << 16) | (b[2]! << 8) | b[3]!) >>> 0 !==
    adler32(output.bytes.subarray(start, output.length))
  ) {
    throw input.malformed('the zlib checksum does not match the data', end);
  }
}

/** Width of the length field of a joblib Z-file: that of Python's `hex(2**64)`. */
const ZFILE_LENGTH_WIDTH = 19;

/**
 * Unpacks a Z-file of joblib before 0.10: `ZF`, the unpacked length as hexadecimal text padded with blanks to 19 characters (20 when
 * Python 2 wrote it up to joblib 0.8.4), a zlib stream.
 */
export function unzfile(input: ByteInput, output: ByteOutput): void {
  const offset = input.offset;
  input.skip(2, 'a joblib Z-file header');
  const text = String.fromCharCode(...input.take(ZFILE_LENGTH_WIDTH, 'a joblib Z-file header'));
  const digits = /^0x([0-9a-f]+)L? *$/i.exec(text)?.[1];
  if (digits === undefined)
    throw input.malformed('the length of a joblib Z-file is not a hexadecimal number', offset + 2);
  if (input.peek() === 0x20) input.position++;
  unzlib(input, output);
  const declared = Number.parseInt(digits, 16);
  if (declared !== output.length) {
    throw input.malformed(`a joblib Z-file declares ${declared} bytes and holds ${output.length}`, offset + 2);
  }
}

import { xxh64Low } from '../../checksums/xxhash';
import type { ByteInput } from '../input';
import type { ByteOutput } from '../output';
import { BlockDecoder, MAX_BLOCK } from './block';

const MAGIC = 0xfd2fb528;

/**
 * Unpacks Zstandard frames (RFC 8878) up to the end or to something else, which stays unread. Frames that need a dictionary are refused.
 * @returns the number of frames.
 */
export function unzstd(input: ByteInput, output: ByteOutput): number {
  const start = input.offset;
  for (let frames = 0; ; ) {
    const mark = input.prepare(4) < 4 ? -1 : magic(input);
    if (mark === MAGIC) {
      frame(input, output);
      frames++;
    } else if (mark >= 0x184d2a50 && mark <= 0x184d2a5f) {
      input.skip(4, 'a skippable frame');
      input.skip(input.uint32('a skippable frame'), 'a skippable frame');
    } else if (input.offset > start) {
      return frames;
    } else if (input.remaining < 4) {
      throw input.truncated('the start of the Zstandard data');
    } else {
      throw input.malformed('this is not a Zstandard frame');
    }
  }
}

function magic(input: ByteInput): number {
  const { bytes, position } = input;
  return (
    (bytes[position]! | (bytes[position + 1]! << 8) | (bytes[position + 2]! << 16) | (bytes[position + 3]! << 24)) >>> 0
  );
}

function frame(input: ByteInput, output: ByteOutput): void {
  const what = 'a Zstandard frame header';
  const offset = input.offset;
  input.skip(4, what);
  const descriptor = input.byte(what);
  if (descriptor & 8) throw input.unsupported('the Zstandard frame uses a flag that is not known', offset + 4);
  const single = (descriptor & 0x20) !== 0;
  // Window size: output is contiguous here, so nothing depends on it.
  if (!single) input.skip(1, what);
  const dictionary = little(input.take([0, 1, 2, 4][descriptor & 3]!, what));
  if (dictionary !== 0)
    throw input.unsupported(`the Zstandard frame needs dictionary ${dictionary}, which is not in the file`, offset);
  const sizeField = input.take([single ? 1 : 0, 2, 4, 8][descriptor >> 6]!, what);
  const declared = sizeField.length === 0 ? undefined : little(sizeField) + (sizeField.length === 2 ? 256 : 0);
  const start = output.length;
  const decoder = new BlockDecoder(input, output);
  for (let last = false; !last; ) {
    const header = little(input.take(3, 'a Zstandard block'));
    last = (header & 1) !== 0;
    const type = (header >> 1) & 3;
    const size = header >> 3;
    if (size > MAX_BLOCK || type === 3)
      throw input.malformed('a Zstandard block has an invalid header', input.offset - 3);
    output.reserve(MAX_BLOCK);
    if (type === 0) {
      const have = Math.min(input.prepare(size), size);
      output.bytes.set(input.take(have, 'a Zstandard block'), output.length);
      output.length += have;
      if (have < size) throw input.truncated('a Zstandard block');
    } else if (type === 1) {
      output.bytes.fill(input.byte('a Zstandard block'), output.length, output.length + size);
      output.length += size;
    } else {
      decoder.decode(input.take(size, 'a Zstandard block'));
    }
  }
  output.finish();
  if (declared !== undefined && declared !== output.length - start) {
    throw input.malformed(`the Zstandard frame declares ${declared} bytes and holds ${output.length - start}`, offset);
  }
  if (
    descriptor & 4 &&
    input.uint32('the checksum of a Zstandard frame') !== xxh64Low(output.bytes.subarray(start, output.length))
  ) {
    throw input.malformed('the checksum of the Zstandard frame does not match the data', input.offset - 4);
  }
}

/** An unsigned little-endian number of up to 8 bytes. */
function little(bytes: Uint8Array): number {
  let value = 0;
  for (let i = bytes.length - 1; i >= 0; i--) value = value * 256 + bytes[i]!;
  return value;
}

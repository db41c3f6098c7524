import { type ByteOutput, MAX_RESERVE } from './output';

/** Bzip2 sums its blocks with the CRC-32 polynomial, most significant bit first. */
const CRC = new Uint32Array(256);
for (let n = 0; n < 256; n++) {
  let c = n << 24;
  for (let k = 0; k < 8; k++) c = c & 0x80000000 ? (c << 1) ^ 0x04c11db7 : c << 1;
  CRC[n] = c;
}

/**
 * Inverts the Burrows–Wheeler transform and the first run-length coding of a block: `size` bytes, each in the low 8 bits of an entry.
 * @returns the checksum of what was written
 */
export function writeBlock(block: Uint32Array, origin: number, size: number, output: ByteOutput): number {
  const starts = new Int32Array(256);
  for (let i = 0; i < size; i++) starts[block[i]! & 255]!++;
  for (let i = 0, sum = 0; i < 256; i++) {
    const count = starts[i]!;
    starts[i] = sum;
    sum += count;
  }
  // block[k] >> 8 becomes the position of the byte that follows the one at sorted place k.
  for (let i = 0; i < size; i++) {
    const at = starts[block[i]! & 255]!++;
    block[at] = (block[at]! & 255) | (i << 8);
  }
  let crc = -1;
  let entry = block[origin]!;
  let repeats = 0;
  let previous = -1;
  let out = output.bytes;
  let at = output.length;
  let room = out.length - 256;
  for (let left = size; left > 0; left--) {
    entry = block[entry >>> 8]!;
    const byte = entry & 255;
    if (at > room) {
      output.length = at;
      output.reserve(MAX_RESERVE);
      out = output.bytes;
      room = out.length - 256;
    }
    if (repeats === 4) {
      // The byte after four equal ones says how many more there are.
      for (let i = 0; i < byte; i++) {
        out[at++] = previous;
        crc = (crc << 8) ^ CRC[(crc >>> 24) ^ previous]!;
      }
      repeats = 0;
      previous = -1;
      continue;
    }
    repeats = byte === previous ? repeats + 1 : 1;
    previous = byte;
    out[at++] = byte;
    crc = (crc << 8) ^ CRC[(crc >>> 24) ^ byte]!;
  }
  output.length = at;
  output.finish();
  return ~crc;
}

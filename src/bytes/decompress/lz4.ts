import { xxh32 } from '../checksums/xxhash';
import type { ByteInput } from './input';
import { type ByteOutput, MAX_RESERVE } from './output';

const FRAME_MAGIC = 0x184d2204;
const LEGACY_MAGIC = 0x184c2102;
/** Blocks of the legacy frame hold 8 MB; a compressed one can be a little larger than that. */
const LEGACY_BLOCK = 8 * 1024 * 1024;

/**
 * Unpacks LZ4 frames (LZ4 frame format 1.6.2; the legacy one too) up to the end or to something else, which stays unread.
 * @returns the number of frames.
 */
export function unlz4(input: ByteInput, output: ByteOutput): number {
  const start = input.offset;
  for (let frames = 0; ; ) {
    const magic = peekMagic(input);
    if (magic === FRAME_MAGIC) {
      frame(input, output);
      frames++;
    } else if (magic === LEGACY_MAGIC) {
      legacyFrame(input, output);
      frames++;
    } else if (magic >= 0x184d2a50 && magic <= 0x184d2a5f) {
      input.skip(4, 'a skippable frame');
      input.skip(input.uint32('a skippable frame'), 'a skippable frame');
    } else if (input.offset > start) {
      return frames;
    } else if (input.remaining < 4) {
      throw input.truncated('the start of the LZ4 data');
    } else {
      throw input.malformed('this is not an LZ4 frame');
    }
  }
}

function peekMagic(input: ByteInput): number {
  if (input.prepare(4) < 4) return -1;
  const { bytes, position } = input;
  return (
    (bytes[position]! | (bytes[position + 1]! << 8) | (bytes[position + 2]! << 16) | (bytes[position + 3]! << 24)) >>> 0
  );
}

function frame(input: ByteInput, output: ByteOutput): void {
  const what = 'an LZ4 frame header';
  const offset = input.offset;
  input.skip(4, what);
  const flags = input.peek();
  const headerSize = 2 + (flags & 8 ? 8 : 0) + (flags & 1 ? 4 : 0);
  const header = input.take(headerSize, what).slice();
  if (input.byte(what) !== ((xxh32(header) >>> 8) & 0xff))
    throw input.malformed('the checksum of the LZ4 frame header does not match', offset);
  if (flags >> 6 !== 1 || flags & 2)
    throw input.unsupported('the LZ4 frame has a version that is not known', offset + 4);
  const sizeCode = (header[1]! >> 4) & 7;
  if (sizeCode < 4) throw input.malformed('the LZ4 frame declares a block size that there is not', offset + 5);
  if (flags & 1) throw input.unsupported('the LZ4 frame needs a dictionary that is not in the file', offset);
  const maximum = 1 << (8 + 2 * sizeCode);
  const linked = (flags & 0x20) === 0;
  const start = output.length;
  for (;;) {
    const word = input.uint32('an LZ4 frame');
    if (word === 0) break;
    const size = word & 0x7fffffff;
    if (size > maximum) throw input.malformed('an LZ4 block is larger than its frame allows', input.offset - 4);
    const blockOffset = input.offset;
    // A block must be whole in the window: its end says how its last literals are read. Its checksum is verified after use.
    const available = Math.min(input.prepare(size), size);
    const sum = flags & 0x10 ? xxh32(input.bytes.subarray(input.position, input.position + available)) : 0;
    if (word & 0x80000000) copyStored(input, output, available);
    else block(input, output, available, linked ? start : output.length, available < size);
    if (available < size) throw input.truncated('an LZ4 block');
    if (flags & 0x10 && input.uint32('the checksum of an LZ4 block') !== sum) {
      throw input.malformed('the checksum of an LZ4 block does not match', blockOffset);
    }
  }
  output.finish();
  if (flags & 4) {
    const stored = input.uint32('the checksum of an LZ4 frame');
    if (stored !== xxh32(output.bytes.subarray(start, output.length))) {
      throw input.malformed('the checksum of the LZ4 frame does not match the data', input.offset - 4);
    }
  }
  if (flags & 8) {
    const view = new DataView(header.buffer, header.byteOffset);
    const declared = view.getUint32(2, true) + view.getUint32(6, true) * 0x100000000;
    if (declared !== output.length - start) {
      throw input.malformed(`the LZ4 frame declares ${declared} bytes and holds ${output.length - start}`, offset);
    }
  }
}

function legacyFrame(input: ByteInput, output: ByteOutput): void {
  input.skip(4, 'a legacy LZ4 frame');
  while (input.remaining > 0) {
    const magic = peekMagic(input);
    if (magic === FRAME_MAGIC || magic === LEGACY_MAGIC) break;
    const size = input.uint32('a legacy LZ4 frame');
    if (size > LEGACY_BLOCK + (LEGACY_BLOCK >> 7))
      throw input.malformed('a legacy LZ4 block is larger than 8 MB', input.offset - 4);
    const available = Math.min(input.prepare(size), size);
    block(input, output, available, output.length, available < size);
    if (available < size) throw input.truncated('a legacy LZ4 block');
  }
  output.finish();
}

function copyStored(input: ByteInput, output: ByteOutput, size: number): void {
  for (let left = size; left > 0; ) {
    const piece = Math.min(left, MAX_RESERVE);
    output.reserve(piece);
    output.bytes.set(input.take(piece, 'an LZ4 block'), output.length);
    output.length += piece;
    left -= piece;
  }
}

/**
 * One block: sequences of literals and a copy from at most 65,535 bytes back, not before `start`.
 * @param partial the block is cut short, so running out of input is where decoding stops.
 */
function block(input: ByteInput, output: ByteOutput, size: number, start: number, partial: boolean): void {
  const source = input.bytes;
  const blockStart = input.position;
  const end = blockStart + size;
  let position = blockStart;
  let out = output.bytes;
  let at = output.length;
  let room = out.length;
  // Everything below may run past `end` by a few bytes of padding or of what follows; `position > end` says so.
  try {
    while (position < end) {
      const token = source[position++]!;
      let literals = token >> 4;
      if (literals === 15) {
        let more = 255;
        while (more === 255 && position < end) {
          more = source[position++]!;
          literals += more;
        }
      }
      if (position + literals > end) {
        if (!partial) throw input.malformed('an LZ4 block ends inside its literals');
        literals = Math.max(0, end - position);
      }
      for (let left = literals; left > 0; ) {
        const piece = Math.min(left, MAX_RESERVE);
        if (at + piece > room) {
          input.position = position;
          output.length = at;
          output.reserve(piece);
          out = output.bytes;
          room = out.length;
        }
        if (piece < 32) for (let i = 0; i < piece; i++) out[at + i] = source[position + i]!;
        else out.set(source.subarray(position, position + piece), at);
        at += piece;
        position += piece;
        left -= piece;
      }
      if (position >= end) break;
      if (position + 2 > end) {
        if (partial) break;
        throw input.malformed('an LZ4 block ends inside a copy');
      }
      const distance = source[position]! | (source[position + 1]! << 8);
      position += 2;
      let length = (token & 15) + 4;
      if (length === 19) {
        let more = 255;
        while (more === 255) {
          if (position >= end) {
            if (partial) return;
            throw input.malformed('an LZ4 block ends inside a copy');
          }
          more = source[position++]!;
          length += more;
        }
      }
      if (distance === 0 || at - distance < start) {
        input.position = position;
        throw input.malformed('an LZ4 block copies from before the start of the data');
      }
      while (length > 0) {
        const piece = Math.min(length, MAX_RESERVE);
        if (at + piece > room) {
          input.position = position;
          output.length = at;
          output.reserve(piece);
          out = output.bytes;
          room = out.length;
        }
        at = copy(out, at, distance, piece);
        length -= piece;
      }
    }
  } finally {
    output.length = at;
    input.position = Math.min(position, end);
  }
}

/** Copies `length` bytes from `distance` back, which may overlap. Returns the position after them. */
export function copy(out: Uint8Array, at: number, distance: number, length: number): number {
  const end = at + length;
  if (distance === 1) {
    out.fill(out[at - 1]!, at, end);
  } else if (distance >= length && length > 48) {
    out.copyWithin(at, at - distance, end - distance);
  } else {
    for (let from = at - distance; at < end; ) out[at++] = out[from++]!;
  }
  return end;
}

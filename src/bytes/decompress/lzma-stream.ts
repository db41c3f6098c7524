import type { ByteInput } from './input';
import { LzmaDecoder } from './lzma';
import type { ByteOutput } from './output';

/** Length of the header of an `.lzma` file: properties, dictionary size, unpacked size. */
const ALONE_HEADER = 13;

/** Unpacks an `.lzma` file (the format before xz; joblib's `lzma`). */
export function unlzma(input: ByteInput, output: ByteOutput): void {
  const header = input.take(ALONE_HEADER, 'an LZMA header');
  const view = new DataView(header.buffer, header.byteOffset, ALONE_HEADER);
  const low = view.getUint32(5, true);
  const high = view.getUint32(9, true);
  const unknown = low === 0xffffffff && high === 0xffffffff;
  lzmaStream(input, output, view.getUint8(0), unknown ? undefined : high * 0x100000000 + low);
}

/** Unpacks LZMA as zip members wrap it (APPNOTE.TXT 5.8.8): version, size of properties, properties, a stream with an end marker. */
export function unlzmaZip(input: ByteInput, output: ByteOutput): void {
  const what = 'the LZMA header of a zip member';
  const header = input.take(4, what);
  const size = header[2]! | (header[3]! << 8);
  if (size !== 5) throw input.malformed(`${what} has ${size} bytes of properties, not 5`);
  lzmaStream(input, output, input.take(size, what)[0]!, undefined);
}

/** @param size unpacked size; undefined if an end marker tells. */
function lzmaStream(input: ByteInput, output: ByteOutput, properties: number, size: number | undefined): void {
  const what = 'an LZMA stream';
  const decoder = new LzmaDecoder(input, output);
  if (!decoder.setProperties(properties)) throw input.malformed('the LZMA properties byte is invalid');
  decoder.resetState();
  decoder.startRange(what);
  decoder.decode(output.length + (size ?? Number.POSITIVE_INFINITY), what);
  output.finish();
  const clean = decoder.finishRange();
  if (size === undefined || decoder.ended) {
    if (!clean) throw input.malformed('an LZMA stream is damaged: its end marker is not where the data end');
    if (size !== undefined && output.length !== size) {
      throw input.malformed(`an LZMA stream declares ${size} bytes and holds ${output.length}`);
    }
  } else if (!clean) {
    // A known size may be followed by an end marker all the same.
    decoder.decode(output.length + 1, what);
    if (!decoder.ended || !decoder.finishRange()) {
      throw input.malformed('an LZMA stream is longer than its header says');
    }
  }
}

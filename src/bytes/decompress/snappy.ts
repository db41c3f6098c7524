import { ModelError } from '../errors';
import { copy } from './lz4';

/**
 * Unpacks one raw Snappy block (format_description of the Snappy project), which is how LevelDB-style tables compress a block.
 * @param limit most bytes that may come out.
 * @throws ModelError `truncated`, `malformed` or `limit`.
 */
export function unsnappy(bytes: Uint8Array, limit: number, name = 'A Snappy block'): Uint8Array {
  let position = 0;
  let declared = 0;
  for (let scale = 1; ; scale *= 128) {
    const byte = bytes[position++];
    if (byte === undefined)
      throw new ModelError('truncated', `${name} ends inside its length.`, { offset: bytes.length });
    declared += (byte & 0x7f) * scale;
    if (byte < 0x80) break;
    if (position >= 5) throw malformed(name, 'the length is not a 32-bit number', position);
  }
  if (declared > limit) {
    throw new ModelError('limit', `${name} declares ${declared} unpacked bytes; at most ${limit} are read.`, {
      offset: 0,
    });
  }
  // No element yields more than 64 bytes from its two, so the declared size is bounded by the input.
  if (declared > bytes.length * 32) throw malformed(name, `${declared} bytes cannot come from ${bytes.length}`, 0);
  const out = new Uint8Array(declared);
  let at = 0;
  while (position < bytes.length) {
    const tag = bytes[position]!;
    const start = position++;
    const extra = (tag & 3) === 0 ? Math.max(0, (tag >> 2) - 59) : [0, 1, 2, 4][tag & 3]!;
    if (position + extra > bytes.length)
      throw new ModelError('truncated', `${name} ends inside an element.`, { offset: start });
    let operand = 0;
    for (let i = 0; i < extra; i++) operand += bytes[position++]! * 256 ** i;
    if ((tag & 3) === 0) {
      const length = extra === 0 ? (tag >> 2) + 1 : operand + 1;
      if (length > bytes.length - position)
        throw new ModelError('truncated', `${name} ends inside a literal.`, { offset: start });
      if (length > declared - at) throw malformed(name, 'more bytes come out than are declared', start);
      out.set(bytes.subarray(position, position + length), at);
      position += length;
      at += length;
      continue;
    }
    const length = (tag & 3) === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
    const distance = (tag & 3) === 1 ? ((tag >> 5) << 8) + operand : operand;
    if (distance === 0 || distance > at) throw malformed(name, 'a copy reaches before the start of the data', start);
    if (length > declared - at) throw malformed(name, 'more bytes come out than are declared', start);
    at = copy(out, at, distance, length);
  }
  if (at !== declared)
    throw new ModelError('truncated', `${name} declares ${declared} bytes and holds ${at}.`, { offset: position });
  return out;
}

function malformed(name: string, what: string, offset: number): ModelError {
  return new ModelError('malformed', `${name} is damaged: ${what} (at byte ${offset} of it).`, { offset });
}

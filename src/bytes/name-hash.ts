/**
 * FNV-1a, of texts and of bytes alike: a name of plain ASCII has one hash, as a text and as its bytes. The upper bits, in which names differ whose last
 * characters do, are let count in a small table, too. Source: draft-eastlake-fnv, 32 bits.
 */
const START = 0x811c9dc5 | 0;
const FACTOR = 0x01000193;

/**
 * Slots of an open table that are looked at for each name, on the average, before names were chosen so that their hashes are the same; honest names
 * take one or two.
 */
export const HONEST_STEPS = 16;

export function hashOfText(text: string): number {
  let hash = START;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), FACTOR);
  return hash ^ (hash >>> 15);
}

/** The hash of the text that ASCII bytes spell; `undefined` if there are others. */
export function hashOfAscii(bytes: Uint8Array, start: number, length: number): number | undefined {
  let hash = START;
  for (let i = start; i < start + length; i++) {
    const byte = bytes[i]!;
    if (byte >= 0x80) return undefined;
    hash = Math.imul(hash ^ byte, FACTOR);
  }
  return hash ^ (hash >>> 15);
}

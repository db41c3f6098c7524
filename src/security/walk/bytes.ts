/** Numbers and texts as they stand in the bytes of a pickle. */

/** Four bytes, little-endian, without a sign. */
export function index4(bytes: Uint8Array, at: number): number {
  return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
}

/** Eight bytes, little-endian; beyond 2^53 not exact, and larger than any file. */
export function index8(bytes: Uint8Array, at: number): number {
  return index4(bytes, at) + index4(bytes, at + 4) * 2 ** 32;
}

/** Whether the bytes `[start, end)` are those of a text. */
export function isEqual(bytes: Uint8Array, start: number, end: number, text: Uint8Array): boolean {
  if (end - start !== text.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text[i]) return false;
  return true;
}

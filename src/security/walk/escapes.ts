/** Escapes in the texts of protocol 0. */

/** The longest name that means something has 19 characters, of which each takes six when it is written as an escape. */
export const LONGEST_ESCAPED = 200;

/** Bytes of an escape that all loaders read alike; 0 for another. */
export function escapeLength(bytes: Uint8Array, at: number, ofPython2: boolean): number {
  const next = bytes[at + 1];
  if (ofPython2) {
    if (next === 0x78) return areHex(bytes, at + 2, 2) ? 4 : 0;
    // A backslash, quotes, and the letters of tab, line feed and carriage return.
    return next === 0x5c || next === 0x27 || next === 0x22 || next === 0x74 || next === 0x6e || next === 0x72 ? 2 : 0;
  }
  return next === 0x75 && areHex(bytes, at + 2, 4) ? 6 : 0;
}

/** Whether a text with escapes has a character that no name has: one that stands for itself, or an escape of two zeros, a backslash or a control. */
export function isNoName(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const byte = bytes[i];
    if (byte === 0x5c) {
      const next = bytes[i + 1];
      if (next !== 0x78 && next !== 0x75) return true;
      const digits = next === 0x75 ? i + 4 : i + 2;
      if (bytes[digits] < 0x34 || bytes[digits] > 0x37) return true;
      i = digits + 1;
    } else if (byte < 0x30 || (byte > 0x39 && byte < 0x41)) return true;
  }
  return false;
}

function areHex(bytes: Uint8Array, at: number, count: number): boolean {
  for (let i = at; i < at + count; i++) {
    const letter = bytes[i] | 0x20;
    if (!((bytes[i] >= 0x30 && bytes[i] <= 0x39) || (letter >= 0x61 && letter <= 0x66))) return false;
  }
  return true;
}

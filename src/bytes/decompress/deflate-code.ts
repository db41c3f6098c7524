/** A lookup from the next `bits` bits to `symbol << 4 | length`; 0 marks a code that does not exist. */
export interface Code {
  table: Uint16Array;
  bits: number;
}

/** The codes of blocks that do not bring their own: literals and lengths, distances (RFC 1951, 3.2.6). */
export function fixed(): [Code, Code] {
  const lengths = new Uint8Array(288);
  lengths.fill(8, 0, 144).fill(9, 144, 256).fill(7, 256, 280).fill(8, 280, 288);
  return [build(lengths)!, build(new Uint8Array(32).fill(5))!];
}

/**
 * The lookup table of a canonical code; undefined if the lengths are not a code. Like zlib, a code of one symbol of one bit may be
 * incomplete (`loose`), and a code without symbols is fine until it is used.
 */
export function build(lengths: Uint8Array, loose = false): Code | undefined {
  const counts = new Uint16Array(16);
  for (const length of lengths) counts[length]!++;
  counts[0] = 0;
  let bits = 15;
  while (bits > 0 && counts[bits] === 0) bits--;
  const next = new Uint16Array(16);
  let code = 0;
  for (let length = 1; length <= bits; length++) {
    code = (code + counts[length - 1]!) << 1;
    next[length] = code;
    if (code + counts[length]! > 1 << length) return undefined;
  }
  const used = bits === 0 ? 0 : next[bits]! + counts[bits]!;
  if (bits > 0 && used !== 1 << bits && !(loose && bits === 1)) return undefined;
  const table = new Uint16Array(1 << bits);
  for (let symbol = 0; symbol < lengths.length; symbol++) {
    const length = lengths[symbol]!;
    if (length === 0) continue;
    const entry = (symbol << 4) | length;
    for (let i = reverse(next[length]!++, length); i < table.length; i += 1 << length) table[i] = entry;
  }
  return { table, bits };
}

/** Deflate packs codes from their most significant bit on, and everything else from the least. */
function reverse(code: number, length: number): number {
  let result = 0;
  for (let i = 0; i < length; i++) {
    result = (result << 1) | (code & 1);
    code >>= 1;
  }
  return result;
}

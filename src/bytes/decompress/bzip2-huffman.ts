/** The longest code. */
export const MAX_CODE_LENGTH = 20;
/** Codes up to this length are found in one look-up; longer ones are rare. */
export const FAST_BITS = 10;

export interface HuffmanTable {
  /** `symbol << 5 | length` by the next FAST_BITS bits; 0 if the code is longer. */
  fast: Uint16Array;
  /** For each length: the largest code of it plus one, left-aligned to MAX_CODE_LENGTH bits. */
  limit: Uint32Array;
  /** For each length: what to subtract from a code to get its index in `symbols`. */
  base: Int32Array;
  symbols: Uint16Array;
}

/** The tables of a canonical code, from the length of each symbol's code (1 to 20). */
export function huffmanTable(lengths: Uint8Array): HuffmanTable {
  const symbolCount = lengths.length;
  const table: HuffmanTable = {
    fast: new Uint16Array(1 << FAST_BITS),
    limit: new Uint32Array(MAX_CODE_LENGTH + 2),
    base: new Int32Array(MAX_CODE_LENGTH + 2),
    symbols: new Uint16Array(symbolCount),
  };
  let code = 0;
  let index = 0;
  for (let bits = 1; bits <= MAX_CODE_LENGTH; bits++) {
    table.base[bits] = code - index;
    for (let symbol = 0; symbol < symbolCount; symbol++) {
      if (lengths[symbol] !== bits) continue;
      table.symbols[index++] = symbol;
      if (bits <= FAST_BITS && code < 1 << bits) {
        const first = code << (FAST_BITS - bits);
        table.fast.fill((symbol << 5) | bits, first, first + (1 << (FAST_BITS - bits)));
      }
      code++;
    }
    table.limit[bits] = code << (MAX_CODE_LENGTH - bits);
    code <<= 1;
  }
  return table;
}

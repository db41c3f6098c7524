import { BackwardBits, LEAD_BITS } from './bits';
import { FseState, readFseTable } from './fse';

/** Longest Huffman code of literals. */
const MAX_BITS = 11;

/** A look-up by the next `bits` bits: `symbol << 4 | length`. */
export interface HuffmanTable {
  bits: number;
  table: Uint16Array;
}

/** Reads a tree description (RFC 8878, 4.2.1): weights, either four bits each or FSE coded. Undefined if it is invalid. */
export function readHuffmanTable(bytes: Uint8Array): { table: HuffmanTable; size: number } | undefined {
  const header = bytes[0];
  if (header === undefined) return undefined;
  const size = header < 128 ? 1 + header : 1 + ((header - 126) >> 1);
  if (size > bytes.length) return undefined;
  const weights =
    header < 128 ? codedWeights(bytes.subarray(1, size)) : plainWeights(bytes.subarray(1, size), header - 127);
  const table = weights && build(weights);
  return table && { table, size };
}

function plainWeights(bytes: Uint8Array, count: number): number[] {
  return Array.from({ length: count }, (_, i) => (i % 2 === 0 ? bytes[i >> 1]! >> 4 : bytes[i >> 1]! & 15));
}

/** Two FSE states take turns until the bits are used up. */
function codedWeights(bytes: Uint8Array): number[] | undefined {
  const description = readFseTable(bytes, 6, 255);
  if (!description) return undefined;
  const stream = new BackwardBits(bytes.subarray(description.size));
  if (!stream.valid) return undefined;
  let current = new FseState(description.table, stream);
  let other = new FseState(description.table, stream);
  const weights: number[] = [];
  while (weights.length < 255) {
    weights.push(current.symbol);
    current.advance();
    [current, other] = [other, current];
    if (stream.bit < 0) {
      weights.push(current.symbol);
      return weights;
    }
  }
  return undefined;
}

/** The weight of the last symbol is not stored: it fills the sum up to the next power of two. */
function build(weights: number[]): HuffmanTable | undefined {
  let sum = 0;
  for (const weight of weights) {
    if (weight > MAX_BITS) return undefined;
    if (weight > 0) sum += 1 << (weight - 1);
  }
  if (sum === 0 || weights.length > 255) return undefined;
  const bits = 32 - Math.clz32(sum);
  if (bits > MAX_BITS) return undefined;
  const left = (1 << bits) - sum;
  if ((left & (left - 1)) !== 0) return undefined;
  const all = [...weights, 32 - Math.clz32(left)];
  const table = new Uint16Array(1 << bits);
  let at = 0;
  for (let weight = 1; weight <= bits; weight++) {
    for (let symbol = 0; symbol < all.length; symbol++) {
      if (all[symbol] !== weight) continue;
      const end = at + (1 << (weight - 1));
      table.fill((symbol << 4) | (bits + 1 - weight), at, end);
      at = end;
    }
  }
  return at === table.length ? { bits, table } : undefined;
}

/** Decodes `out.length` literals from one stream; false if the stream does not end with the last of them. */
export function decodeLiterals(stream: Uint8Array, { bits, table }: HuffmanTable, out: Uint8Array): boolean {
  const reader = new BackwardBits(stream);
  if (!reader.valid) return false;
  // The reader's fields in locals: this loop is where the time of most blocks goes.
  const { bytes } = reader;
  const mask = (1 << bits) - 1;
  let first = reader.bit + LEAD_BITS - bits;
  for (let i = 0; i < out.length; i++) {
    const at = first < 0 ? 0 : first >> 3;
    const entry = table[((bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16)) >>> (first & 7)) & mask]!;
    first -= entry & 15;
    out[i] = entry >> 4;
  }
  return first === LEAD_BITS - bits;
}

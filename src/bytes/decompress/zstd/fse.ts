import type { BackwardBits } from './bits';

/** Decoding table of a finite state entropy code: for each state its symbol, and how to get the next state. */
export interface FseTable {
  log: number;
  symbols: Uint8Array;
  bits: Uint8Array;
  bases: Uint16Array;
}

/**
 * Table from normalised counts, −1 for "less than one" (RFC 8878, 4.1.1). The counts must add up to 2^log.
 */
export function fseTable(counts: ArrayLike<number>, log: number): FseTable {
  const size = 1 << log;
  const symbols = new Uint8Array(size);
  const next = new Uint16Array(counts.length);
  let high = size;
  for (let symbol = 0; symbol < counts.length; symbol++) {
    if (counts[symbol] === -1) {
      symbols[--high] = symbol;
      next[symbol] = 1;
    }
  }
  const step = (size >> 1) + (size >> 3) + 3;
  let at = 0;
  for (let symbol = 0; symbol < counts.length; symbol++) {
    const count = counts[symbol]!;
    if (count <= 0) continue;
    next[symbol] = count;
    for (let i = 0; i < count; i++) {
      symbols[at] = symbol;
      do at = (at + step) & (size - 1);
      while (at >= high);
    }
  }
  const bits = new Uint8Array(size);
  const bases = new Uint16Array(size);
  for (let state = 0; state < size; state++) {
    const value = next[symbols[state]!]!++;
    const width = log - (31 - Math.clz32(value));
    bits[state] = width;
    bases[state] = (value << width) - size;
  }
  return { log, symbols, bits, bases };
}

/** Table of a code that has one symbol only. */
export function fseRepeat(symbol: number): FseTable {
  return { log: 0, symbols: Uint8Array.of(symbol), bits: new Uint8Array(1), bases: new Uint16Array(1) };
}

/**
 * Reads a table description; returns the table and the bytes it took, or undefined if it is invalid.
 * @param maxLog largest accuracy allowed, @param maxSymbol largest symbol allowed.
 */
export function readFseTable(
  bytes: Uint8Array,
  maxLog: number,
  maxSymbol: number,
): { table: FseTable; size: number } | undefined {
  let bit = 0;
  const read = (count: number): number => {
    const at = bit >> 3;
    const word = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16);
    const value = (word >>> (bit & 7)) & ((1 << count) - 1);
    bit += count;
    return value;
  };
  const log = read(4) + 5;
  if (log > maxLog) return undefined;
  const counts: number[] = [];
  let remaining = 1 << log;
  while (remaining > 0) {
    if (counts.length > maxSymbol) return undefined;
    const width = 32 - Math.clz32(remaining + 1);
    let value = read(width);
    // Small values take one bit less: the range does not fill the last power of two.
    const lower = (1 << (width - 1)) - 1;
    const threshold = (1 << width) - 1 - (remaining + 1);
    if ((value & lower) < threshold) {
      bit--;
      value &= lower;
    } else if (value > lower) {
      value -= threshold;
    }
    const count = value - 1;
    remaining -= Math.abs(count);
    counts.push(count);
    if (count === 0) {
      for (let repeat = 3; repeat === 3; ) {
        repeat = read(2);
        for (let i = 0; i < repeat; i++) counts.push(0);
        if (counts.length > maxSymbol + 1) return undefined;
      }
    }
  }
  const size = (bit + 7) >> 3;
  if (remaining < 0 || size > bytes.length) return undefined;
  return { table: fseTable(counts, log), size };
}

/** One FSE state over a bit stream. */
export class FseState {
  private state: number;
  constructor(
    private readonly table: FseTable,
    private readonly stream: BackwardBits,
  ) {
    this.state = stream.read(table.log);
  }
  get symbol(): number {
    return this.table.symbols[this.state]!;
  }
  advance(): void {
    this.state = this.table.bases[this.state]! + this.stream.read(this.table.bits[this.state]!);
  }
}

import { ModelError } from '../errors';
import { writeBlock } from './burrows-wheeler';
import { FAST_BITS, type HuffmanTable, huffmanTable, MAX_CODE_LENGTH } from './bzip2-huffman';
import type { ByteInput } from './input';
import type { ByteOutput } from './output';

/** Symbols that share one Huffman table. */
const GROUP_SIZE = 50;

/**
 * Unpacks bzip2 streams up to the end or to something else, which stays unread, as Python's `bz2` does. A block is the smallest piece
 * that can be decoded, so damage costs the block that it is in.
 * @returns the number of streams.
 */
export function unbzip2(input: ByteInput, output: ByteOutput): number {
  const reader = new Bzip2(input, output);
  let streams = 0;
  do {
    reader.stream();
    streams++;
  } while (input.peek() === 0x42 && input.peek(1) === 0x5a && input.peek(2) === 0x68);
  return streams;
}

class Bzip2 {
  private hold = 0;
  private bits = 0;
  /** The block being decoded: bytes in the low 8 bits, later the successor links of the inverse transform above them. */
  private block = new Uint32Array(0);
  private blockCapacity = 0;

  constructor(
    private readonly input: ByteInput,
    private readonly output: ByteOutput,
  ) {}

  stream(): void {
    const { input } = this;
    const offset = input.offset;
    const header = input.take(4, 'a bzip2 header');
    const level = header[3]! - 0x30;
    if (header[0] !== 0x42 || header[1] !== 0x5a || header[2] !== 0x68 || level < 1 || level > 9) {
      throw input.malformed('this is not a bzip2 header', offset);
    }
    this.blockCapacity = level * 100_000;
    this.hold = 0;
    this.bits = 0;
    let combined = 0;
    for (;;) {
      const high = this.take(24);
      const low = this.take(24);
      if (high === 0x314159 && low === 0x265359) {
        const crc = this.decodeBlock();
        combined = ((combined << 1) | (combined >>> 31)) ^ crc;
      } else if (high === 0x177245 && low === 0x385090) {
        const stored = (this.take(16) << 16) | this.take(16);
        if (stored !== combined) throw input.malformed('the bzip2 checksum does not match the data');
        return;
      } else {
        throw input.malformed('a bzip2 block does not start with its signature');
      }
    }
  }

  /** The next `count` (at most 24) bits. */
  private take(count: number): number {
    while (this.bits < count) {
      this.hold = (this.hold << 8) | this.input.byte('a bzip2 block');
      this.bits += 8;
    }
    this.bits -= count;
    const value = (this.hold >>> this.bits) & ((1 << count) - 1);
    return value;
  }

  /** Decodes a block after its signature and writes what it stands for. Returns its checksum. */
  private decodeBlock(): number {
    const { input, output } = this;
    const crc = (this.take(16) << 16) | this.take(16);
    if (this.take(1)) throw input.unsupported('the bzip2 block is randomised, which bzip2 gave up in 1997');
    const origin = this.take(24);
    const used = this.usedBytes();
    const tableCount = this.take(3);
    const selectorCount = this.take(15);
    if (tableCount < 2 || tableCount > 6 || selectorCount === 0)
      throw input.malformed('a bzip2 block has no valid Huffman tables');
    const selectors = this.selectors(tableCount, selectorCount);
    const tables: HuffmanTable[] = [];
    for (let i = 0; i < tableCount; i++) tables.push(this.table(used.length + 2));
    const size = this.symbols(used, selectors, tables);
    if (origin >= size) throw input.malformed('a bzip2 block starts outside itself');
    const start = output.length;
    const computed = writeBlock(this.block, origin, size, output);
    if (computed !== crc) {
      throw new ModelError(
        'malformed',
        `${input.source.name}: the checksum of the bzip2 block that ends at byte ${input.offset} does not match; ` +
          `the bytes from ${start} on are not to be trusted.`,
        { offset: input.offset },
      );
    }
    return crc;
  }

  /** The byte values that occur, in order: two levels of sixteen bits. */
  private usedBytes(): Uint8Array {
    const groups = this.take(16);
    const used: number[] = [];
    for (let i = 0; i < 16; i++) {
      if (!(groups & (0x8000 >> i))) continue;
      const map = this.take(16);
      for (let j = 0; j < 16; j++) if (map & (0x8000 >> j)) used.push(i * 16 + j);
    }
    if (used.length === 0) throw this.input.malformed('a bzip2 block uses no byte value');
    return Uint8Array.from(used);
  }

  /** Which table each group of 50 symbols uses, move-to-front coded. */
  private selectors(tableCount: number, count: number): Uint8Array {
    const selectors = new Uint8Array(count);
    const order = [0, 1, 2, 3, 4, 5];
    for (let i = 0; i < count; i++) {
      let j = 0;
      while (this.take(1))
        if (++j >= tableCount) throw this.input.malformed('a bzip2 block selects a table that it does not have');
      const table = order.splice(j, 1)[0]!;
      order.unshift(table);
      selectors[i] = table;
    }
    return selectors;
  }

  private table(symbolCount: number): HuffmanTable {
    const lengths = new Uint8Array(symbolCount);
    let length = this.take(5);
    for (let i = 0; i < symbolCount; i++) {
      for (;;) {
        if (length < 1 || length > MAX_CODE_LENGTH) throw this.input.malformed('a bzip2 code length is not in 1–20');
        if (!this.take(1)) break;
        length += this.take(1) ? -1 : 1;
      }
      lengths[i] = length;
    }
    return huffmanTable(lengths);
  }

  /** Huffman codes, zero runs and move-to-front; fills `block` and returns its size. */
  private symbols(used: Uint8Array, selectors: Uint8Array, tables: HuffmanTable[]): number {
    const { input } = this;
    const capacity = this.blockCapacity;
    const endOfBlock = used.length + 1;
    const front = Uint8Array.from(used);
    let block = this.block;
    let size = 0;
    let run = 0;
    let runBit = 1;
    for (let group = 0; group < selectors.length; group++) {
      const { fast, limit, base, symbols } = tables[selectors[group]!]!;
      // A group reads at most 50 codes of 20 bits; in the last window it may run into the padding, and that is noticed below.
      // What was loaded ahead goes back first: the bytes before the position are gone when the window slides.
      this.giveBack();
      input.prepare(160);
      const source = input.bytes;
      let position = input.position;
      let { hold, bits } = this;
      if (size + GROUP_SIZE + 1 > block.length && block.length < capacity) block = this.grow(size + GROUP_SIZE + 1);
      for (let i = 0; i < GROUP_SIZE; i++) {
        while (bits < MAX_CODE_LENGTH) {
          hold = (hold << 8) | source[position++]!;
          bits += 8;
        }
        const next = (hold >>> (bits - MAX_CODE_LENGTH)) & 0xfffff;
        let symbol = fast[next >>> (MAX_CODE_LENGTH - FAST_BITS)]!;
        if (symbol !== 0) {
          bits -= symbol & 31;
          symbol >>= 5;
        } else {
          let length = FAST_BITS + 1;
          while (length <= MAX_CODE_LENGTH && next >= limit[length]!) length++;
          const index = (next >>> (MAX_CODE_LENGTH - length)) - base[length]!;
          if (length > MAX_CODE_LENGTH || index < 0 || index >= symbols.length) {
            this.checkOverrun(position, bits);
            throw input.malformed('a bzip2 block holds a code that does not exist');
          }
          bits -= length;
          symbol = symbols[index]!;
        }
        if (symbol <= 1) {
          // Runs of the front byte are written in bijective base 2: RUNA counts 1, RUNB 2, times the weight of the place.
          run += runBit << symbol;
          runBit <<= 1;
          if (run > capacity) {
            this.checkOverrun(position, bits);
            throw input.malformed('a bzip2 block is larger than its header allows');
          }
          continue;
        }
        if (run > 0) {
          if (size + run > capacity) {
            this.checkOverrun(position, bits);
            throw input.malformed('a bzip2 block is larger than its header allows');
          }
          if (size + run + GROUP_SIZE + 1 > block.length) block = this.grow(size + run + GROUP_SIZE + 1);
          block.fill(front[0]!, size, size + run);
          size += run;
          run = 0;
          runBit = 1;
        }
        if (symbol === endOfBlock) {
          input.position = position;
          this.hold = hold;
          this.bits = bits;
          this.checkOverrun(position, bits);
          this.giveBack();
          return size;
        }
        if (size >= capacity) {
          this.checkOverrun(position, bits);
          throw input.malformed('a bzip2 block is larger than its header allows');
        }
        const index = symbol - 1;
        const byte = front[index]!;
        if (index < 24) for (let j = index; j > 0; j--) front[j] = front[j - 1]!;
        else front.copyWithin(1, 0, index);
        front[0] = byte;
        block[size++] = byte;
      }
      this.checkOverrun(position, bits);
      input.position = position;
      this.hold = hold;
      this.bits = bits;
    }
    throw input.malformed('a bzip2 block has no end');
  }

  /** Whole bytes that were loaded ahead go back to the input. */
  private giveBack(): void {
    this.input.position -= this.bits >> 3;
    this.hold >>>= this.bits & 24;
    this.bits &= 7;
  }

  private checkOverrun(position: number, bits: number): void {
    if (position - (bits >> 3) > this.input.end) throw this.input.truncated('a bzip2 block');
  }

  /** Room for `size` symbols, by doubling from what the stream really held. */
  private grow(size: number): Uint32Array<ArrayBuffer> {
    const grown = new Uint32Array(
      Math.min(Math.max(size, this.block.length * 2, 1 << 14), this.blockCapacity + GROUP_SIZE + 1),
    );
    grown.set(this.block);
    this.block = grown;
    return grown;
  }
}

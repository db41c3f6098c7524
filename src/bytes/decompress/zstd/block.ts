import type { ModelError } from '../../errors';
import type { ByteInput } from '../input';
import { copy } from '../lz4';
import type { ByteOutput } from '../output';
import { BackwardBits } from './bits';
import { type FseTable, fseRepeat, fseTable, readFseTable } from './fse';
import { decodeLiterals, type HuffmanTable, readHuffmanTable } from './huffman';

/** Most bytes of a block, packed or unpacked. */
export const MAX_BLOCK = 128 * 1024;

/** Base values and extra bits of the codes for literal lengths and match lengths (RFC 8878, 3.1.1.3.2.1.1). */
const LITERAL_EXTRA = [...zeros(16), 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
const MATCH_EXTRA = [...zeros(32), 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
const LITERAL_BASE = bases(LITERAL_EXTRA, 0);
const MATCH_BASE = bases(MATCH_EXTRA, 3);
const MAX_OFFSET_CODE = 31;

/** Codes that hold when a block brings none (RFC 8878, 3.1.1.3.2.2). */
const DEFAULT_LITERAL_COUNTS = [4, 3, ...twos(11), 1, 1, 1, ...twos(9), 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1];
const DEFAULT_MATCH_COUNTS = [1, 4, 3, ...twos(6), ...ones(37), -1, -1, -1, -1, -1, -1, -1];
const DEFAULT_OFFSET_COUNTS = [...ones(6), 2, 2, 2, ...ones(15), -1, -1, -1, -1, -1];

interface SequenceCode {
  name: string;
  defaults: FseTable;
  maxLog: number;
  maxSymbol: number;
}

const LITERAL_CODE: SequenceCode = {
  name: 'literal lengths',
  defaults: fseTable(DEFAULT_LITERAL_COUNTS, 6),
  maxLog: 9,
  maxSymbol: 35,
};
const OFFSET_CODE: SequenceCode = {
  name: 'offsets',
  defaults: fseTable(DEFAULT_OFFSET_COUNTS, 5),
  maxLog: 8,
  maxSymbol: MAX_OFFSET_CODE,
};
const MATCH_CODE: SequenceCode = {
  name: 'match lengths',
  defaults: fseTable(DEFAULT_MATCH_COUNTS, 6),
  maxLog: 9,
  maxSymbol: 52,
};

function zeros(count: number): number[] {
  return new Array<number>(count).fill(0);
}
function ones(count: number): number[] {
  return new Array<number>(count).fill(1);
}
function twos(count: number): number[] {
  return new Array<number>(count).fill(2);
}
function bases(extra: readonly number[], first: number): number[] {
  let base = first;
  return extra.map((bits) => {
    const value = base;
    base += 2 ** bits;
    return value;
  });
}

/** Decodes the compressed blocks of one frame; tables and recent offsets carry over from block to block. */
export class BlockDecoder {
  private huffman: HuffmanTable | undefined;
  private literalTable: FseTable | undefined;
  private offsetTable: FseTable | undefined;
  private matchTable: FseTable | undefined;
  private offset1 = 1;
  private offset2 = 4;
  private offset3 = 8;
  /** Matches cannot reach before the frame. */
  private readonly start: number;

  constructor(
    private readonly input: ByteInput,
    private readonly output: ByteOutput,
  ) {
    this.start = output.length;
  }

  /** `output` must have room for `MAX_BLOCK` bytes. */
  decode(block: Uint8Array): void {
    const literals = this.literals(block);
    const end = this.output.length + MAX_BLOCK;
    const left = this.sequences(block.subarray(literals.size), literals.bytes, end);
    if (this.output.length + left.length > end) throw this.malformed('is larger than 128 kB');
    this.output.bytes.set(left, this.output.length);
    this.output.length += left.length;
  }

  private malformed(what: string): ModelError {
    return this.input.malformed(`a Zstandard block ${what}`);
  }

  /** The literals section: the bytes, and how many bytes of the block it took (RFC 8878, 3.1.1.3.1). */
  private literals(block: Uint8Array): { bytes: Uint8Array; size: number } {
    if (block.length === 0) throw this.malformed('is empty');
    const at = (i: number): number => block[i] ?? 0;
    const type = at(0) & 3;
    const format = (at(0) >> 2) & 3;
    if (type < 2) {
      const headerSize = format === 1 ? 2 : format === 3 ? 3 : 1;
      const count =
        headerSize === 1
          ? at(0) >> 3
          : headerSize === 2
            ? (at(0) >> 4) | (at(1) << 4)
            : (at(0) >> 4) | (at(1) << 4) | (at(2) << 12);
      const size = headerSize + (type === 0 ? count : 1);
      if (count > MAX_BLOCK || size > block.length) throw this.malformed('has more literals than bytes');
      return {
        size,
        bytes: type === 0 ? block.subarray(headerSize, size) : new Uint8Array(count).fill(at(headerSize)),
      };
    }
    // Two sizes, of 10, 14 or 18 bits each, after the four bits of type and format.
    const width = format < 2 ? 10 : format === 2 ? 14 : 18;
    const headerSize = format < 2 ? 3 : format + 2;
    const header =
      (at(0) + at(1) * 2 ** 8 + at(2) * 2 ** 16 + at(3) * 2 ** 24 + at(4) * 2 ** 32) % 2 ** (headerSize * 8);
    const count = Math.floor(header / 16) % 2 ** width;
    const packed = Math.floor(header / 2 ** (4 + width));
    const size = headerSize + packed;
    if (count > MAX_BLOCK || size > block.length) throw this.malformed('has more literals than bytes');
    let streams = block.subarray(headerSize, size);
    if (type === 2) {
      const tree = readHuffmanTable(streams);
      if (!tree) throw this.malformed('has an invalid Huffman table');
      this.huffman = tree.table;
      streams = streams.subarray(tree.size);
    }
    if (!this.huffman) throw this.malformed('refers to a Huffman table that there is not');
    const bytes = new Uint8Array(count);
    if (!this.huffmanStreams(streams, this.huffman, bytes, format !== 0)) throw this.malformed('has damaged literals');
    return { bytes, size };
  }

  /** One stream, or four of them after a table of their sizes. */
  private huffmanStreams(streams: Uint8Array, table: HuffmanTable, bytes: Uint8Array, four: boolean): boolean {
    if (!four) return decodeLiterals(streams, table, bytes);
    if (streams.length < 6) return false;
    const quarter = (bytes.length + 3) >> 2;
    let from = 6;
    for (let i = 0; i < 4; i++) {
      const to = i === 3 ? streams.length : from + (streams[2 * i]! | (streams[2 * i + 1]! << 8));
      const out = bytes.subarray(
        Math.min(i * quarter, bytes.length),
        i === 3 ? bytes.length : Math.min((i + 1) * quarter, bytes.length),
      );
      if (to > streams.length || !decodeLiterals(streams.subarray(from, to), table, out)) return false;
      from = to;
    }
    return true;
  }

  /** Runs the sequences and returns the literals that are left after the last (RFC 8878, 3.1.1.3.2). */
  private sequences(section: Uint8Array, literals: Uint8Array, end: number): Uint8Array {
    const first = section[0];
    if (first === undefined) throw this.malformed('ends before its sequences');
    let at = first < 128 ? 1 : first < 255 ? 2 : 3;
    const count =
      first < 128
        ? first
        : first < 255
          ? ((first - 128) << 8) + (section[1] ?? 0)
          : (section[1] ?? 0) + ((section[2] ?? 0) << 8) + 0x7f00;
    if (count === 0) {
      if (section.length !== at) throw this.malformed('has bytes after its literals');
      return literals;
    }
    const modes = section[at++];
    if (modes === undefined || modes & 3) throw this.malformed('has invalid sequence modes');
    const table = (mode: number, code: SequenceCode, previous: FseTable | undefined): FseTable => {
      if (mode === 0) return code.defaults;
      if (mode === 1) {
        const symbol = section[at++];
        if (symbol === undefined || symbol > code.maxSymbol)
          throw this.malformed(`has an invalid code for ${code.name}`);
        return fseRepeat(symbol);
      }
      if (mode === 2) {
        const description = readFseTable(section.subarray(at), code.maxLog, code.maxSymbol);
        if (!description) throw this.malformed(`has an invalid code for ${code.name}`);
        at += description.size;
        return description.table;
      }
      if (!previous) throw this.malformed(`repeats a code for ${code.name} that there is not`);
      return previous;
    };
    this.literalTable = table(modes >> 6, LITERAL_CODE, this.literalTable);
    this.offsetTable = table((modes >> 4) & 3, OFFSET_CODE, this.offsetTable);
    this.matchTable = table((modes >> 2) & 3, MATCH_CODE, this.matchTable);
    const stream = new BackwardBits(section.subarray(at));
    if (!stream.valid) throw this.malformed('has sequences without an end');
    return this.run(stream, count, literals, end);
  }

  private run(stream: BackwardBits, count: number, literals: Uint8Array, end: number): Uint8Array {
    const { output } = this;
    const out = output.bytes;
    const ll = this.literalTable!;
    const of = this.offsetTable!;
    const ml = this.matchTable!;
    let llState = stream.read(ll.log);
    let ofState = stream.read(of.log);
    let mlState = stream.read(ml.log);
    let at = output.length;
    let used = 0;
    try {
      for (let left = count; left > 0; left--) {
        const offsetCode = of.symbols[ofState]!;
        const matchCode = ml.symbols[mlState]!;
        const literalCode = ll.symbols[llState]!;
        const raw = 2 ** offsetCode + stream.readLong(offsetCode);
        const matchLength = MATCH_BASE[matchCode]! + stream.read(MATCH_EXTRA[matchCode]!);
        const literalLength = LITERAL_BASE[literalCode]! + stream.read(LITERAL_EXTRA[literalCode]!);
        if (left > 1) {
          llState = ll.bases[llState]! + stream.read(ll.bits[llState]!);
          mlState = ml.bases[mlState]! + stream.read(ml.bits[mlState]!);
          ofState = of.bases[ofState]! + stream.read(of.bits[ofState]!);
        }
        if (stream.bit < 0) throw this.malformed('has fewer sequences than it says');
        const distance = this.distance(raw, literalLength);
        if (literalLength > literals.length - used) throw this.malformed('has too few literals');
        if (at + literalLength + matchLength > end) throw this.malformed('is larger than 128 kB');
        if (literalLength < 24) for (let i = 0; i < literalLength; i++) out[at + i] = literals[used + i]!;
        else out.set(literals.subarray(used, used + literalLength), at);
        used += literalLength;
        at += literalLength;
        if (distance === 0 || distance > at - this.start)
          throw this.malformed('copies from before the start of the data');
        at = copy(out, at, distance, matchLength);
      }
    } finally {
      output.length = at;
    }
    if (stream.bit !== 0) throw this.malformed('has bits after its last sequence');
    return literals.subarray(used);
  }

  /** The distance that an offset value means: 1–3 are recent ones, shifted by one when there are no literals (RFC 8878, 3.1.1.5). */
  private distance(value: number, literalLength: number): number {
    if (value > 3) {
      this.offset3 = this.offset2;
      this.offset2 = this.offset1;
      this.offset1 = value - 3;
      return this.offset1;
    }
    const which = literalLength === 0 ? value + 1 : value;
    if (which === 1) return this.offset1;
    const distance = which === 2 ? this.offset2 : which === 3 ? this.offset3 : this.offset1 - 1;
    if (which > 2) this.offset3 = this.offset2;
    this.offset2 = this.offset1;
    this.offset1 = distance;
    return distance;
  }
}

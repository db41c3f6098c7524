import type { ByteSource } from '../bytes/byte-source';
import { Window } from '../bytes/window';
import type { Pickle } from './machine';
import { type ArgumentKind, OPCODES } from './opcodes';
import { cut, printString, printValue } from './print';
import { decodeLong, decodeUtf8 } from './text';
import { Global, ImportEvent, Instance, MutationEvent, PersistentId, type PickleEvent } from './values';

/** One line of a listing. `depth` counts the open marks, for indentation. */
export interface DisassembledRow {
  offset: number;
  opcode: string;
  argument: string;
  comment?: string;
  depth: number;
}

/** Bytes inside the stream that are no opcodes: array data behind a joblib wrapper. */
export interface Gap {
  offset: number;
  length: number;
  what: string;
}

/** Rows between two remembered positions: few enough to walk again, many enough to keep the index small. */
const STRIDE = 256;

/** Characters of an argument that are shown. */
const ARGUMENT_WIDTH = 200;

/** Opcodes that close a mark, by code: POP_MARK APPENDS DICT INST LIST OBJ TUPLE SETITEMS ADDITEMS FROZENSET. */
const CLOSES_MARK = new Set([0x31, 0x65, 0x64, 0x69, 0x6c, 0x6f, 0x74, 0x75, 0x90, 0x91]);

/**
 * A listing of the opcodes of one pickle, readable from any row without keeping all rows: one pass remembers every 256th position.
 * Arguments are decoded only for the rows that are asked for.
 */
export class Disassembly {
  readonly total: number;
  private readonly offsets: number[] = [];
  private readonly depths: number[] = [];
  private readonly gaps: Map<number, Gap>;
  private readonly events: PickleEvent[];

  constructor(
    private readonly source: ByteSource,
    private readonly pickle: Pickle,
    gaps: readonly Gap[] = [],
  ) {
    this.gaps = new Map(gaps.map((gap) => [gap.offset, gap]));
    this.events = [...pickle.events].sort((a, b) => a.offset - b.offset);
    let rows = 0;
    const walker = new Walker(source, pickle.start, pickle.end, this.gaps);
    for (; !walker.done; walker.step()) {
      if (rows % STRIDE === 0) {
        this.offsets.push(walker.offset);
        this.depths.push(walker.depth);
      }
      rows++;
    }
    this.total = rows;
  }

  /** Number of the row that stands at `offset` or is the last one before it. */
  rowAt(offset: number): number {
    let low = 0;
    let high = this.offsets.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.offsets[middle] <= offset) low = middle;
      else high = middle - 1;
    }
    let row = low * STRIDE;
    const walker = this.walkerAt(low);
    for (; !walker.done; walker.step(), row++) if (walker.offset > offset) break;
    return Math.max(0, row - 1);
  }

  rows(start: number, count: number): DisassembledRow[] {
    const rows: DisassembledRow[] = [];
    if (start >= this.total || count <= 0) return rows;
    const checkpoint = Math.floor(start / STRIDE);
    const walker = this.walkerAt(checkpoint);
    for (let row = checkpoint * STRIDE; row < start && !walker.done; row++) walker.step();
    for (; rows.length < count && !walker.done; walker.step()) rows.push(this.describe(walker));
    return rows;
  }

  private walkerAt(checkpoint: number): Walker {
    const offset = this.offsets[checkpoint] ?? this.pickle.start;
    return new Walker(this.source, offset, this.pickle.end, this.gaps, this.depths[checkpoint] ?? 0);
  }

  private describe(walker: Walker): DisassembledRow {
    const { offset, depth, gap } = walker;
    if (gap) return { offset, opcode: '(data)', argument: `${gap.length} bytes`, comment: gap.what, depth };
    const row: DisassembledRow = { offset, opcode: walker.name, argument: walker.argument(), depth };
    const comment = this.comment(offset);
    if (comment) row.comment = comment;
    return row;
  }

  /** What the opcode at an offset did, if it imported, called or changed something. */
  private comment(offset: number): string | undefined {
    let low = 0;
    let high = this.events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.events[middle].offset < offset) low = middle + 1;
      else high = middle;
    }
    const event = this.events[low];
    if (!event || event.offset !== offset) return undefined;
    if (event instanceof ImportEvent) return `imports ${event.global.path}`;
    if (event instanceof Instance) {
      const verb = event.how === 'NEWOBJ' || event.how === 'NEWOBJ_EX' ? 'creates' : 'calls';
      return `${verb} ${event.callable instanceof Global ? event.callable.path : printValue(event.callable, { width: 60 })}`;
    }
    if (event instanceof MutationEvent) return `changes ${printValue(event.target, { width: 60 })}`;
    if (event instanceof PersistentId) return `asks the loader for ${printValue(event.id, { width: 100 })}`;
    return undefined;
  }
}

/** Steps from opcode to opcode by their lengths alone. */
class Walker {
  offset: number;
  done = false;
  gap: Gap | undefined;
  private code = 0;
  private argumentStart = 0;
  private argumentLength = 0;
  private next = 0;
  private readonly window: Window;

  constructor(
    private readonly source: ByteSource,
    start: number,
    private readonly end: number,
    private readonly gaps: ReadonlyMap<number, Gap>,
    public depth = 0,
  ) {
    this.window = new Window(source, start);
    this.offset = start;
    this.read();
  }

  get name(): string {
    return OPCODES[this.code]?.name ?? `0x${this.code.toString(16).padStart(2, '0')}`;
  }

  step(): void {
    if (!this.gap) {
      if (this.code === 0x28) this.depth++;
      else if (CLOSES_MARK.has(this.code)) this.depth = Math.max(0, this.depth - 1);
    }
    this.offset = this.next;
    this.read();
  }

  /** Text of the current opcode's argument. */
  argument(): string {
    const kind = OPCODES[this.code]?.argument ?? 'none';
    if (kind === 'none') return '';
    const length = Math.min(this.argumentLength, this.source.size - this.argumentStart);
    const shown = this.source.read(this.argumentStart, Math.min(length, ARGUMENT_WIDTH * 4));
    return argumentText(kind, Buffer.from(shown), length);
  }

  private read(): void {
    this.gap = undefined;
    if (this.offset >= this.end || this.offset >= this.source.size) {
      this.done = true;
      return;
    }
    const gap = this.gaps.get(this.offset);
    if (gap && gap.length > 0) {
      this.gap = gap;
      this.next = this.offset + gap.length;
      return;
    }
    const { window: w } = this;
    w.seek(this.offset);
    if (!w.take(1)) {
      this.done = true;
      return;
    }
    this.code = w.bytes[w.pos++];
    const kind = OPCODES[this.code]?.argument;
    this.argumentStart = w.offset;
    this.argumentLength = kind === undefined ? 0 : lengthOf(kind, w);
    this.next = Math.max(this.offset + 1, this.argumentStart + this.argumentLength);
  }
}

/** Length in bytes of an argument, prefix and newline included; what the source does not hold counts as missing. */
function lengthOf(kind: ArgumentKind, w: Window): number {
  const prefixed = (width: 1 | 4 | 8): number => {
    if (!w.take(width)) return w.remaining;
    const length =
      width === 1
        ? w.bytes[w.pos]
        : width === 4
          ? w.view.getUint32(w.pos, true)
          : Number(w.view.getBigUint64(w.pos, true));
    return width + Math.min(length, w.remaining - width);
  };
  const line = (): number => {
    const end = w.findNewline(w.remaining);
    if (end < 0) return w.remaining;
    const length = end + 1 - w.pos;
    w.pos = end + 1;
    return length;
  };
  switch (kind) {
    case 'none':
      return 0;
    case 'u1':
      return 1;
    case 'u2':
      return 2;
    case 'u4':
    case 'i4':
      return 4;
    case 'u8':
    case 'f8':
      return 8;
    case 'b1':
    case 't1':
    case 's1':
    case 'l1':
      return prefixed(1);
    case 'b4':
    case 't4':
    case 's4':
    case 'l4':
      return prefixed(4);
    case 'b8':
    case 't8':
      return prefixed(8);
    case 'line':
      return line();
    case 'lines':
      return line() + line();
  }
}

/** Width of the length field in front of a counted argument. */
const PREFIX: Partial<Record<ArgumentKind, number>> = {
  b1: 1,
  t1: 1,
  s1: 1,
  l1: 1,
  b4: 4,
  t4: 4,
  s4: 4,
  l4: 4,
  b8: 8,
  t8: 8,
};

function argumentText(kind: ArgumentKind, bytes: Buffer, length: number): string {
  const fixed: Partial<Record<ArgumentKind, [number, () => string]>> = {
    u1: [1, () => String(bytes[0])],
    u2: [2, () => String(bytes.readUInt16LE(0))],
    u4: [4, () => String(bytes.readUInt32LE(0))],
    i4: [4, () => String(bytes.readInt32LE(0))],
    u8: [8, () => String(bytes.readBigUInt64LE(0))],
    f8: [8, () => String(bytes.readDoubleBE(0))],
  };
  const number = fixed[kind];
  if (number) return bytes.length >= number[0] ? number[1]() : '(cut off)';
  if (kind === 'line' || kind === 'lines') {
    return cut(bytes.toString('latin1').replace(/\n$/, '').replace('\n', ' '), ARGUMENT_WIDTH);
  }
  const prefix = PREFIX[kind] ?? 0;
  const body = bytes.subarray(prefix);
  const total = length - prefix;
  if (kind.startsWith('l'))
    return total <= body.length ? cut(String(decodeLong(body)), ARGUMENT_WIDTH) : `integer of ${total} bytes`;
  if (kind.startsWith('t')) return printString(decodeUtf8(body) ?? body.toString('latin1'), ARGUMENT_WIDTH);
  const text = printString(body.toString('latin1'), ARGUMENT_WIDTH);
  return total > ARGUMENT_WIDTH ? `${total} bytes: ${text}` : `b${text}`;
}

import type { ByteSource } from '../../bytes/byte-source';
import type { Window } from '../../bytes/window';
import { ValueBudget } from '../budget';
import { DictKeys } from '../keys';
import { Memo } from '../memo';
import { StringCache } from '../string-cache';
import type { Anomaly, AnomalyKind, Global, PickleEvent, PySet, Value } from '../values';
import { Malformed } from './malformed';
import type { MachineHooks, MachineOptions } from './pickle';

/**
 * What the machine knows while it reads: where it is, the stack with its marks, the memo, and what it has to report. The layers above add the
 * opcodes; they are one object, so that the inner loop calls them without a detour.
 */
export abstract class MachineState {
  protected readonly source: ByteSource;
  protected readonly strings = new StringCache();
  protected readonly stack: Value[] = [];
  /** Stack heights at which marks were set. */
  protected readonly marks: number[] = [];
  protected readonly memo: Memo;
  protected protocol = 0;
  protected opcodes = 0;
  protected python2Strings = false;
  protected at = 0;
  protected frameEnd = -1;
  protected buffers = 0;
  /** Memory that the values took, besides a slot for each opcode; and the most items that were in one array. */
  protected cost = 0;
  protected longest = 0;
  protected readonly budget: ValueBudget;
  protected readonly globals = new Map<string, Global>();
  protected readonly events: PickleEvent[] = [];
  /** Calls among the events whose arguments are packed. */
  protected packedCalls = 0;
  protected readonly anomalies: Anomaly[] = [];
  protected readonly seenAnomalies = new Map<AnomalyKind, number>();
  protected readonly hooks: MachineHooks;
  protected result: Value = null;
  protected readonly keys = new DictKeys();
  /** Tuples that were found hashable. */
  protected readonly hashable = new WeakSet<object>();
  /** Sets that may hold an item twice until the end. */
  protected readonly grownSets = new Set<PySet>();

  constructor(
    protected readonly window: Window,
    protected readonly options: MachineOptions,
    protected readonly depth = 0,
  ) {
    this.source = window.source;
    this.memo = (depth === 0 ? options.memo : undefined) ?? new Memo();
    this.hooks = options.hooks ?? {};
    this.budget = options.budget ?? new ValueBudget(this.source.size);
  }

  protected note(kind: AnomalyKind, message: string): void {
    const seen = this.seenAnomalies.get(kind) ?? 0;
    this.seenAnomalies.set(kind, seen + 1);
    // The first few of a kind say it; a million of them would only cost memory.
    if (seen < 20) this.anomalies.push({ kind, offset: this.at, message });
  }

  protected fence(): number {
    return this.marks.length > 0 ? this.marks[this.marks.length - 1] : 0;
  }

  protected pop(): Value {
    if (this.stack.length <= this.fence()) throw this.underflow();
    return this.stack.pop() as Value;
  }

  protected top(): Value {
    if (this.stack.length <= this.fence()) throw this.underflow();
    return this.stack[this.stack.length - 1];
  }

  protected underflow(): Malformed {
    return new Malformed(
      this.marks.length > 0 ? 'a MARK stands where a value was expected' : 'the stack has too few values',
    );
  }

  /** Closes the last mark and returns its height. */
  protected mark(): number {
    const mark = this.marks.pop();
    if (mark === undefined) throw new Malformed('no MARK is open');
    return mark;
  }

  protected takeFrom(height: number): Value[] {
    const items = this.stack.slice(height);
    if (items.length > this.longest) this.longest = items.length;
    this.stack.length = height;
    return items;
  }

  protected popMark(): Value[] {
    return this.takeFrom(this.mark());
  }

  /** The value below a mark that was just closed. */
  protected below(height: number): Value {
    if (height <= this.fence()) throw this.underflow();
    return this.stack[height - 1];
  }

  protected put(index: number | bigint): void {
    if (index > 2 * this.opcodes + 1024) {
      this.note(
        'sparse-memo',
        `Memo index ${index} is far beyond what this stream needs; CPython allocates a table of that size.`,
      );
    }
    this.memo.put(index, this.top());
  }

  protected get(index: number | bigint): Value {
    const value = this.memo.get(index);
    if (value === undefined) throw new Malformed(`the memo has no value at index ${index}`);
    return value;
  }
}

import type { ByteSource } from '../bytes/byte-source';
import { asModelError, ModelError } from '../bytes/errors';
import { MAX_OPCODES, WINDOW_BYTES } from '../bytes/limits';
import { Window } from '../bytes/window';
import { COST } from './budget';
import { LazyDict } from './dict';
import { distinct } from './keys';
import { Malformed } from './machine/malformed';
import { CallPacker } from './machine/packing';
import type { MachineOptions, Pickle } from './machine/pickle';
import { allEvents } from './packed';
import { salvage } from './salvage';
import type { Skimmed } from './skim/skimmed';
import { Skimmer } from './skim/skimmer';
import { asText, Global, type PickleEvent, PyFloat, PyTuple, type Value } from './values';

export type { MachineHooks, MachineOptions, Pickle } from './machine/pickle';

/**
 * Reads one pickle symbolically, from `start` to its STOP: as CPython's `Unpickler` does, but nothing is imported and nothing is called.
 * Never throws for what the file holds; iterative, so that nesting costs no call stack.
 * Source of the rules: CPython `Lib/pickle.py`, `Modules/_pickle.c` (3.8 to 3.14), `Lib/pickletools.py`.
 */
export function readPickle(source: ByteSource, start = 0, options: MachineOptions = {}): Pickle {
  return new Machine(
    new Window(source, start, WINDOW_BYTES, start === 0 ? WINDOW_BYTES : FOLLOWING_BYTES),
    options,
  ).run();
}

/** Like `readPickle`, on a cursor that a reader goes on with afterwards. */
export function readPickleAt(window: Window, options: MachineOptions = {}): Pickle {
  return new Machine(window, options).run();
}

/** Bytes that are read first of a pickle behind another one: a million of a few bytes each can follow each other. */
const FOLLOWING_BYTES = 1024;

/** Pickles that a reader's hook may find inside each other: object arrays in object arrays. */
const MAX_NESTED_PICKLES = 16;

const TOO_MANY_VALUES = 'its values fill the memory that a reader may use; what comes after was read without them';

class Machine extends CallPacker {
  run(): Pickle {
    const start = this.window.offset;
    let value: Value = null;
    let error: ModelError | undefined;
    let skimmed: Skimmed | undefined;
    try {
      value = this.loop();
    } catch (thrown) {
      error = this.explain(thrown);
      if (error.code === 'limit' && this.options.maxOpcodes === undefined && this.depth === 0) skimmed = this.skim();
      value = salvage(this.stack, this.marks);
    }
    if (this.depth === 0) this.budget.spend(this.taken());
    for (const set of this.grownSets) set.items = distinct(set.items);
    if (!error) {
      if (this.marks.length > 0) this.note('marks-leftover', 'STOP was reached with an open MARK.');
      if (this.stack.length > 0) {
        this.note('stack-leftover', `${this.stack.length} more values were on the stack at STOP; a loader drops them.`);
      }
    }
    const { events: outerEvents, packedCalls } = this;
    let events: PickleEvent[] | undefined = packedCalls === 0 ? outerEvents : undefined;
    return {
      start,
      end: error ? Math.max(this.at, start) : this.window.offset,
      protocol: this.protocol,
      value,
      get events(): PickleEvent[] {
        events ??= allEvents(outerEvents);
        return events;
      },
      outerEvents,
      anomalies: this.anomalies,
      opcodes: this.opcodes,
      python2Strings: this.python2Strings,
      error,
      skimmed,
      memo: this.memo,
    };
  }

  /** Memory that the values took so far. */
  private taken(): number {
    return this.cost + this.opcodes * COST.slot;
  }

  private isFull(): boolean {
    const longest = Math.max(this.longest, this.stack.length, this.marks.length, this.memo.size);
    return this.budget.exceeded(this.taken(), longest);
  }

  /** What is known of the rest, from the opcode on at which a limit was reached. */
  private skim(): Skimmed {
    const { window, source, stack, marks, memo } = this;
    window.seek(this.at);
    return new Skimmer(window, { stack, marks, memo }, this.protocol, {
      global: (module, name, protocol, offset) => {
        this.protocol = protocol;
        this.at = offset;
        return this.nameOf(module, name);
      },
      textAt: (offset) => {
        const { value } = readPickle(source, offset, { maxOpcodes: 1 });
        return asText(value);
      },
    }).run();
  }

  private explain(thrown: unknown): ModelError {
    const name = this.options.name ?? this.source.name;
    if (thrown instanceof Malformed) {
      return new ModelError(
        thrown.code,
        `The pickle in ${name} cannot be read past byte ${this.at}: ${thrown.message}.`,
        {
          offset: this.at,
        },
      );
    }
    if (thrown instanceof ModelError) return thrown;
    const error = asModelError(thrown, `The pickle in ${name}`);
    return new ModelError(error.code, error.message, { offset: this.at, cause: thrown });
  }

  /**
   * The opcodes that make up nearly all of a large pickle are here; the others are in `rare`, because a small loop is compiled early and
   * stays compiled, and one with every opcode is thrown away whenever a new one turns up.
   */
  private loop(): Value {
    const { window: w, strings, stack, marks, memo } = this;
    this.at = w.offset;
    if (this.budget.isSpent) throw new Malformed(TOO_MANY_VALUES, 'limit');
    const looks = this.budget.interval - 1;
    const maxOpcodes = this.options.maxOpcodes ?? MAX_OPCODES;
    for (;;) {
      this.at = w.base + w.pos;
      if (w.pos >= w.bytes.length && !w.take(1)) throw new Malformed('it ends without STOP', 'truncated');
      const code = w.bytes[w.pos++];
      if (++this.opcodes > maxOpcodes) throw new Malformed(`it has more than ${maxOpcodes} opcodes`, 'limit');
      if ((this.opcodes & looks) === 0 && this.isFull()) throw new Malformed(TOO_MANY_VALUES, 'limit');
      if (this.frameEnd >= 0 && this.at >= this.frameEnd) this.frameEnd = -1;
      switch (code) {
        case 0x4e: // NONE
          stack.push(null);
          break;
        case 0x88: // NEWTRUE
          stack.push(true);
          break;
        case 0x89: // NEWFALSE
          stack.push(false);
          break;
        case 0x4b: // BININT1
          if (w.pos >= w.bytes.length) this.need(1);
          stack.push(w.bytes[w.pos++]);
          break;
        case 0x4d: // BININT2
          if (w.pos + 2 > w.bytes.length) this.need(2);
          stack.push(w.view.getUint16(w.pos, true));
          w.pos += 2;
          break;
        case 0x4a: // BININT
          if (w.pos + 4 > w.bytes.length) this.need(4);
          stack.push(w.view.getInt32(w.pos, true));
          w.pos += 4;
          break;
        case 0x47: {
          // BINFLOAT
          if (w.pos + 8 > w.bytes.length) this.need(8);
          const value = w.view.getFloat64(w.pos, false);
          w.pos += 8;
          stack.push(Number.isInteger(value) ? new PyFloat(value) : value);
          break;
        }
        case 0x8c: {
          // SHORT_BINUNICODE
          if (w.pos >= w.bytes.length) this.need(1);
          const length = w.bytes[w.pos++];
          if (w.pos + length > w.bytes.length) this.need(length);
          stack.push(strings.get(w.bytes, w.pos, length) ?? this.utf8(length));
          w.pos += length;
          this.cost += COST.text;
          break;
        }
        case 0x58: // BINUNICODE
          stack.push(this.text(this.u4()));
          this.cost += COST.text;
          break;
        case 0x28: {
          // MARK
          const below = stack.length > 0 ? stack[stack.length - 1] : null;
          if (!(below instanceof Global && this.packCall(below))) marks.push(stack.length);
          this.cost += COST.mark;
          break;
        }
        case 0x29: // EMPTY_TUPLE
          stack.push(new PyTuple([]));
          this.cost += COST.tuple;
          break;
        case 0x85: // TUPLE1
          stack.push(new PyTuple([this.pop()]));
          this.cost += COST.tuple;
          break;
        case 0x86: {
          // TUPLE2
          const second = this.pop();
          stack.push(new PyTuple([this.pop(), second]));
          this.cost += COST.tuple;
          break;
        }
        case 0x87: {
          // TUPLE3
          const third = this.pop();
          const second = this.pop();
          stack.push(new PyTuple([this.pop(), second, third]));
          this.cost += COST.tuple;
          break;
        }
        case 0x74: // TUPLE
          stack.push(new PyTuple(this.popMark()));
          this.cost += COST.tuple;
          break;
        case 0x5d: // EMPTY_LIST
          stack.push(this.emptyList());
          break;
        case 0x7d: // EMPTY_DICT
          stack.push(new LazyDict());
          this.cost += COST.dict;
          break;
        case 0x65: // APPENDS
          this.appends();
          break;
        case 0x75: // SETITEMS
          this.setItemsToMark();
          break;
        case 0x94: // MEMOIZE
          memo.memoize(this.top());
          break;
        case 0x71: // BINPUT
          if (w.pos >= w.bytes.length) this.need(1);
          memo.put(w.bytes[w.pos++], this.top());
          break;
        case 0x72: // LONG_BINPUT
          this.put(this.u4());
          break;
        case 0x68: // BINGET
          if (w.pos >= w.bytes.length) this.need(1);
          stack.push(this.get(w.bytes[w.pos++]));
          break;
        case 0x6a: // LONG_BINGET
          stack.push(this.get(this.u4()));
          break;
        default:
          if (this.rare(code)) return this.result;
      }
      if (this.frameEnd >= 0 && w.base + w.pos > this.frameEnd) this.straddled(code);
    }
  }

  protected nested(): Pickle {
    if (this.depth >= MAX_NESTED_PICKLES) throw new Malformed('pickles are nested in it too deeply', 'limit');
    const machine = new Machine(this.window, this.options, this.depth + 1);
    const inner = machine.run();
    for (const event of inner.outerEvents) this.events.push(event);
    this.packedCalls += machine.packedCalls;
    for (const anomaly of inner.anomalies) this.anomalies.push(anomaly);
    this.opcodes += inner.opcodes;
    if (inner.error) throw inner.error;
    return inner;
  }
}

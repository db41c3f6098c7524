import type { ByteSource } from '../bytes/byte-source';
import { asModelError, ModelError } from '../bytes/errors';
import {
  HEAP_CHECK_OPCODES,
  INLINE_BYTES,
  INLINE_PYTHON2_STRING,
  MAX_INTEGER_DIGITS,
  MAX_OPCODES,
  MAX_STRING_BYTES,
} from '../bytes/limits';
import { heapIsNearlyFull } from '../bytes/memory';
import { Window } from '../bytes/window';
import { LazyDict } from './dict';
import { DictKeys, distinct, unhashable } from './keys';
import { type Literal, readFloatLine, readIndexLine, readIntLine, readLongLine } from './literals';
import { Memo } from './memo';
import { HIGHEST_PROTOCOL, OPCODES, type OpcodeName } from './opcodes';
import { IMPORT_MAPPING, NAME_MAPPING } from './python2-names';
import { salvage } from './salvage';
import { StringCache } from './string-cache';
import { decodeEscapes, decodeLong, decodeRawUnicodeEscape, decodeUtf8 } from './text';
import {
  type Anomaly,
  type AnomalyKind,
  type BytesKind,
  type CallOpcode,
  ExtensionCode,
  Global,
  ImportEvent,
  Instance,
  MutationEvent,
  OutOfBandBuffer,
  PersistentId,
  type PickleEvent,
  PyBytes,
  type PyDict,
  PyFloat,
  PySet,
  PyTuple,
  pyFloat,
  type Value,
} from './values';

/** What a reader may add to the machine. */
export interface MachineHooks {
  /**
   * Called after BUILD on an instance, as a loader's own unpickler may read data that follows in the stream (joblib's array wrappers).
   * It may move `window` and returns what replaces the instance on the stack, `undefined` to keep it. `nested` reads a whole pickle
   * that stands at the window's position, with a memo of its own; its events and anomalies join those of the outer one.
   */
  afterBuild?(instance: Instance, window: Window, nested: () => Pickle): Value | undefined;
  /** The string that a call yields if it can be computed without running anything; operands of STACK_GLOBAL may be such calls. */
  evaluate?(value: Value): string | undefined;
}

export interface MachineOptions {
  hooks?: MachineHooks;
  /** Memo to start with: one `Unpickler` object that loads several times keeps its memo. */
  memo?: Memo;
  maxOpcodes?: number;
  /** The name of the member or file for messages; the source's name by default. */
  name?: string;
}

/** One pickle as far as it could be read. */
export interface Pickle {
  /** Offset of the first opcode, and of the first byte after STOP (or after the last byte understood). */
  start: number;
  end: number;
  /** The highest protocol that a PROTO opcode declared; 0 without one. */
  protocol: number;
  /** What the pickle yields; if `error` is set, what can be put together from the stack. */
  value: Value;
  events: PickleEvent[];
  anomalies: Anomaly[];
  opcodes: number;
  /** Whether it has strings of Python 2 (STRING, BINSTRING, SHORT_BINSTRING), which Python 3 never writes. */
  python2Strings: boolean;
  /** Set when the stream could not be read to STOP. Everything understood up to there is still in `value` and `events`. */
  error: ModelError | undefined;
  /** Memo after the last opcode. */
  memo: Memo;
}

/**
 * Reads one pickle symbolically, from `start` to its STOP: as CPython's `Unpickler` does, but nothing is imported and nothing is called.
 * Never throws for what the file holds; iterative, so that nesting costs no call stack.
 * Source of the rules: CPython `Lib/pickle.py`, `Modules/_pickle.c` (3.8 to 3.14), `Lib/pickletools.py`.
 */
export function readPickle(source: ByteSource, start = 0, options: MachineOptions = {}): Pickle {
  return new Machine(new Window(source, start), options).run();
}

/** Like `readPickle`, on a cursor that a reader goes on with afterwards. */
export function readPickleAt(window: Window, options: MachineOptions = {}): Pickle {
  return new Machine(window, options).run();
}

/** Pickles that a reader's hook may find inside each other: object arrays in object arrays. */
const MAX_NESTED_PICKLES = 16;

/** Keys and values of one SETITEMS from which a dictionary is filled later. */
const DEFERRED = 256;

const TOO_MANY_VALUES = 'its values fill the memory that a reader may use; what comes after was not read';

/** Why a stream stops being a pickle: message and offset. */
class Malformed extends Error {
  constructor(
    message: string,
    readonly code: 'malformed' | 'truncated' | 'limit' = 'malformed',
  ) {
    super(message);
  }
}

class Machine {
  private readonly source: ByteSource;
  private readonly strings = new StringCache();
  private readonly stack: Value[] = [];
  /** Stack heights at which marks were set. */
  private readonly marks: number[] = [];
  private readonly memo: Memo;
  private protocol = 0;
  private opcodes = 0;
  private python2Strings = false;
  private at = 0;
  private frameEnd = -1;
  private buffers = 0;
  private readonly globals = new Map<string, Global>();
  private readonly events: PickleEvent[] = [];
  private readonly anomalies: Anomaly[] = [];
  private readonly seenAnomalies = new Map<AnomalyKind, number>();
  private readonly hooks: MachineHooks;
  private result: Value = null;
  private readonly keys = new DictKeys();
  /** Tuples that were found hashable. */
  private readonly hashable = new WeakSet<object>();
  /** Sets that may hold an item twice until the end. */
  private readonly grownSets = new Set<PySet>();

  constructor(
    private readonly window: Window,
    private readonly options: MachineOptions,
    private readonly depth = 0,
  ) {
    this.source = window.source;
    this.memo = (depth === 0 ? options.memo : undefined) ?? new Memo();
    this.hooks = options.hooks ?? {};
  }

  run(): Pickle {
    const start = this.window.offset;
    let value: Value = null;
    let error: ModelError | undefined;
    try {
      value = this.loop();
    } catch (thrown) {
      error = this.explain(thrown);
      value = salvage(this.stack, this.marks);
    }
    for (const set of this.grownSets) set.items = distinct(set.items);
    if (!error) {
      if (this.marks.length > 0) this.note('marks-leftover', 'STOP was reached with an open MARK.');
      if (this.stack.length > 0) {
        this.note('stack-leftover', `${this.stack.length} more values were on the stack at STOP; a loader drops them.`);
      }
    }
    return {
      start,
      end: error ? Math.max(this.at, start) : this.window.offset,
      protocol: this.protocol,
      value,
      events: this.events,
      anomalies: this.anomalies,
      opcodes: this.opcodes,
      python2Strings: this.python2Strings,
      error,
      memo: this.memo,
    };
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
    const maxOpcodes = this.options.maxOpcodes ?? MAX_OPCODES;
    for (;;) {
      this.at = w.base + w.pos;
      if (w.pos >= w.bytes.length && !w.take(1)) throw new Malformed('it ends without STOP', 'truncated');
      const code = w.bytes[w.pos++];
      if (++this.opcodes > maxOpcodes) throw new Malformed(`it has more than ${maxOpcodes} opcodes`, 'limit');
      if ((this.opcodes & (HEAP_CHECK_OPCODES - 1)) === 0 && heapIsNearlyFull())
        throw new Malformed(TOO_MANY_VALUES, 'limit');
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
          break;
        }
        case 0x58: // BINUNICODE
          stack.push(this.text(this.u4()));
          break;
        case 0x28: // MARK
          marks.push(stack.length);
          break;
        case 0x29: // EMPTY_TUPLE
          stack.push(new PyTuple([]));
          break;
        case 0x85: // TUPLE1
          stack.push(new PyTuple([this.pop()]));
          break;
        case 0x86: {
          // TUPLE2
          const second = this.pop();
          stack.push(new PyTuple([this.pop(), second]));
          break;
        }
        case 0x87: {
          // TUPLE3
          const third = this.pop();
          const second = this.pop();
          stack.push(new PyTuple([this.pop(), second, third]));
          break;
        }
        case 0x74: // TUPLE
          stack.push(new PyTuple(this.popMark()));
          break;
        case 0x5d: // EMPTY_LIST
          stack.push([]);
          break;
        case 0x7d: // EMPTY_DICT
          stack.push(new LazyDict());
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

  /** Every opcode that is not in the loop; true for STOP. */
  private rare(code: number): boolean {
    const { window: w, stack } = this;
    switch (code) {
      case 0x8a: // LONG1
        stack.push(this.long(this.u1()));
        break;
      case 0x8b: // LONG4
        stack.push(this.long(this.i4('LONG4')));
        break;
      case 0x49: // INT
        stack.push(this.intLine());
        break;
      case 0x4c: // LONG
        stack.push(this.longLine());
        break;
      case 0x46: // FLOAT
        stack.push(this.floatLine());
        break;
      case 0x8d: // BINUNICODE8
        stack.push(this.text(this.u8('BINUNICODE8')));
        break;
      case 0x56: // UNICODE
        stack.push(this.unicodeLine());
        break;
      case 0x53: // STRING
        stack.push(this.stringLine());
        break;
      case 0x55: // SHORT_BINSTRING
        stack.push(this.python2String(this.u1()));
        break;
      case 0x54: // BINSTRING
        stack.push(this.python2String(this.i4('BINSTRING')));
        break;
      case 0x43: // SHORT_BINBYTES
        stack.push(this.byteString(this.u1(), 'bytes'));
        break;
      case 0x42: // BINBYTES
        stack.push(this.byteString(this.u4(), 'bytes'));
        break;
      case 0x8e: // BINBYTES8
        stack.push(this.byteString(this.u8('BINBYTES8'), 'bytes'));
        break;
      case 0x96: // BYTEARRAY8
        stack.push(this.byteString(this.u8('BYTEARRAY8'), 'bytearray'));
        break;
      case 0x97: {
        // NEXT_BUFFER
        const buffer = new OutOfBandBuffer(this.buffers++, this.at);
        this.events.push(buffer);
        this.note('out-of-band-buffer', 'NEXT_BUFFER takes data that is not in this file.');
        stack.push(buffer);
        break;
      }
      case 0x98: // READONLY_BUFFER
        this.readonlyBuffer();
        break;
      case 0x6c: // LIST
        stack.push(this.popMark());
        break;
      case 0x64: {
        // DICT
        const items = this.popMark();
        if (items.length % 2) throw new Malformed('DICT has a key without a value');
        const dict: PyDict = new LazyDict();
        for (let i = 0; i < items.length; i += 2) this.store(dict, items[i], items[i + 1]);
        stack.push(dict);
        break;
      }
      case 0x8f: // EMPTY_SET
        stack.push(new PySet([], false));
        break;
      case 0x91: {
        // FROZENSET
        const items = this.popMark();
        for (const item of items) this.key(item);
        stack.push(new PySet(distinct(items), true));
        break;
      }
      case 0x61: {
        // APPEND
        const item = this.pop();
        const target = this.top();
        if (Array.isArray(target)) target.push(item);
        else this.append(target, [item], 'APPEND');
        break;
      }
      case 0x73: {
        // SETITEM
        const value = this.pop();
        const key = this.pop();
        this.setItems(this.top(), [key, value], 'SETITEM');
        break;
      }
      case 0x90: {
        // ADDITEMS
        const mark = this.mark();
        const target = this.below(mark);
        this.addItems(target, this.takeFrom(mark));
        break;
      }

      // ---- stack and memo
      case 0x30: // POP
        if (this.marks.length > 0 && this.marks[this.marks.length - 1] === stack.length) this.marks.pop();
        else this.pop();
        break;
      case 0x31: // POP_MARK
        stack.length = this.mark();
        break;
      case 0x32: // DUP
        stack.push(this.top());
        break;
      case 0x70: // PUT
        this.put(this.index('PUT'));
        break;
      case 0x67: // GET
        stack.push(this.get(this.index('GET')));
        break;

      // ---- imports and calls
      case 0x63: // GLOBAL
        {
          const { global, cutOff } = this.importLines('GLOBAL');
          if (cutOff) throw this.noNewline('GLOBAL');
          stack.push(global);
        }
        break;
      case 0x93: {
        // STACK_GLOBAL
        const name = this.pop();
        const module = this.pop();
        stack.push(this.stackGlobal(module, name));
        break;
      }
      case 0x69: {
        // INST
        const { global, cutOff } = this.importLines('INST');
        if (this.marks.length === 0) {
          this.note(
            'loader-difference',
            'INST has no MARK; only the pure-Python loader imports its class before it notices.',
          );
        }
        stack.push(this.call(global, new PyTuple(this.popMark()), 'INST'));
        if (cutOff) throw this.noNewline('INST');
        break;
      }
      case 0x6f: {
        // OBJ
        const items = this.popMark();
        if (items.length === 0) throw new Malformed('OBJ has no class below its arguments');
        stack.push(this.call(items[0], new PyTuple(items.slice(1)), 'OBJ'));
        break;
      }
      case 0x52: {
        // REDUCE
        const args = this.pop();
        this.checkArguments(args);
        stack.push(this.call(this.pop(), args, 'REDUCE'));
        break;
      }
      case 0x81: {
        // NEWOBJ
        const args = this.pop();
        this.checkArguments(args);
        stack.push(this.call(this.pop(), args, 'NEWOBJ'));
        break;
      }
      case 0x92: {
        // NEWOBJ_EX
        const kwargs = this.pop();
        const args = this.pop();
        const callable = this.pop();
        this.checkArguments(args);
        this.checkKeywords(kwargs);
        const instance = this.call(callable, args, 'NEWOBJ_EX');
        instance.kwargs = kwargs;
        stack.push(instance);
        break;
      }
      case 0x62: {
        // BUILD
        const state = this.pop();
        this.build(this.top(), state);
        break;
      }
      case 0x50: // PERSID
        this.persistent(this.persistentLine());
        break;
      case 0x51: // BINPERSID
        this.persistent(this.pop());
        break;
      case 0x82: // EXT1
        this.extension(this.u1());
        break;
      case 0x83: // EXT2
        if (w.pos + 2 > w.bytes.length) this.need(2);
        w.pos += 2;
        this.extension(w.view.getUint16(w.pos - 2, true));
        break;
      case 0x84: // EXT4
        this.extension(this.i4('EXT4'));
        break;

      // ---- framing
      case 0x80: // PROTO
        this.proto(this.u1());
        break;
      case 0x95: // FRAME
        this.frame();
        break;
      case 0x2e: // STOP
        this.result = this.pop();
        return true;
      default:
        throw new Malformed(`0x${code.toString(16).padStart(2, '0')} is not an opcode`);
    }
    return false;
  }

  // ---------------------------------------------------------------- bytes

  private need(count: number): void {
    if (!this.window.take(count)) {
      throw new Malformed(
        `${OPCODES[this.source.read(this.at, 1)[0]]?.name ?? 'an opcode'} needs ${count} more bytes, ${this.window.remaining} are left`,
        'truncated',
      );
    }
  }

  private u1(): number {
    this.need(1);
    return this.window.bytes[this.window.pos++];
  }

  private u4(): number {
    this.need(4);
    this.window.pos += 4;
    return this.window.view.getUint32(this.window.pos - 4, true);
  }

  private i4(opcode: OpcodeName): number {
    this.need(4);
    this.window.pos += 4;
    const value = this.window.view.getInt32(this.window.pos - 4, true);
    if (value < 0 && opcode !== 'EXT4') throw new Malformed(`${opcode} has the negative length ${value}`);
    if (value <= 0 && opcode === 'EXT4') throw new Malformed(`EXT4 has the code ${value}; codes are positive`);
    return value;
  }

  private u8(opcode: OpcodeName): number {
    this.need(8);
    this.window.pos += 8;
    const value = this.window.view.getBigUint64(this.window.pos - 8, true);
    if (value > 0x7fffffffffffffffn || Number(value) > this.window.remaining) {
      throw new Malformed(`${opcode} declares ${value} bytes, ${this.window.remaining} are left`, 'truncated');
    }
    return Number(value);
  }

  /** Bytes of a text argument up to its newline, which is consumed. */
  private line(opcode: OpcodeName): Buffer {
    const { window: w } = this;
    const end = w.findNewline(MAX_STRING_BYTES);
    if (end < 0) throw new Malformed(`${opcode} has no newline after its argument`, 'truncated');
    const bytes = w.bytes.subarray(w.pos, end);
    w.pos = end + 1;
    return bytes;
  }

  /**
   * A line whose argument makes something happen at once. Where the file ends before the newline the C loader stops; the pure-Python one
   * drops the last byte, goes on and fails at the next opcode, so what it would do is recorded.
   */
  private lastLine(opcode: OpcodeName): { bytes: Buffer; cutOff: boolean } {
    const { window: w } = this;
    const end = w.findNewline(MAX_STRING_BYTES);
    if (end >= 0) {
      const bytes = w.bytes.subarray(w.pos, end);
      w.pos = end + 1;
      return { bytes, cutOff: false };
    }
    if (w.remaining > MAX_STRING_BYTES || this.frameEnd >= 0) {
      throw new Malformed(`${opcode} has no newline after its argument`, 'truncated');
    }
    w.take(w.remaining);
    const bytes = w.bytes.subarray(w.pos, Math.max(w.pos, w.bytes.length - 1));
    w.pos = w.bytes.length;
    return { bytes, cutOff: true };
  }

  private importLines(opcode: 'GLOBAL' | 'INST'): { global: Global; cutOff: boolean } {
    const module = this.lastLine(opcode);
    const moduleName = this.name(opcode, module.bytes);
    const name = this.lastLine(opcode);
    const global = this.import(opcode, moduleName, this.name(opcode, name.bytes));
    const cutOff = module.cutOff || name.cutOff;
    if (cutOff) {
      this.note(
        'loader-difference',
        `${opcode} is cut off; only the pure-Python loader imports what is there of its name.`,
      );
    } else if (moduleName === '' || global.rawName === '') {
      this.note('loader-difference', `${opcode} has an empty name; only the pure-Python loader goes on with it.`);
    }
    return { global, cutOff };
  }

  private noNewline(opcode: OpcodeName): Malformed {
    return new Malformed(`${opcode} has no newline after its argument`, 'truncated');
  }

  private name(opcode: 'GLOBAL' | 'INST', bytes: Buffer): string {
    const text = decodeUtf8(bytes);
    // Names are decoded strictly: surrogates, which text may have, are refused here.
    if (
      text === undefined ||
      /[\ud800-\udfff]/.test(text.replace(/[\ud800-\udbff][\udc00-\udfff]/g, '')) ||
      (opcode === 'INST' && !isAscii(bytes))
    ) {
      const expected = opcode === 'INST' ? 'ASCII' : 'UTF-8';
      this.note('invalid-text', `${opcode} has a name that is not ${expected}; CPython refuses it.`);
    }
    return text ?? bytes.toString('latin1');
  }

  private persistentLine(): string {
    const { bytes, cutOff } = this.lastLine('PERSID');
    const id = bytes.toString('latin1');
    if (!isAscii(bytes)) this.note('invalid-text', 'PERSID has an identifier that is not ASCII; CPython refuses it.');
    if (cutOff) {
      this.note('loader-difference', 'PERSID is cut off; only the pure-Python loader asks for what is there of it.');
      this.persistent(id);
      throw new Malformed('PERSID has no newline after its argument', 'truncated');
    }
    return id;
  }

  // ---------------------------------------------------------------- values

  private long(length: number): Value {
    if (length > this.window.remaining)
      throw new Malformed(`an integer of ${length} bytes, ${this.window.remaining} are left`, 'truncated');
    // Turning megabytes of digits into one integer has no use; they stay in the file.
    if (length > 0x10000) return this.byteString(length, 'int');
    this.need(length);
    const value = decodeLong(this.window.bytes.subarray(this.window.pos, this.window.pos + length));
    this.window.pos += length;
    return value;
  }

  private intLine(): Value {
    const text = this.line('INT').toString('latin1');
    return this.literal(readIntLine(text), 'INT', text);
  }

  private longLine(): Value {
    const text = this.line('LONG').toString('latin1');
    return this.literal(readLongLine(text), 'LONG', text);
  }

  private floatLine(): Value {
    const bytes = this.line('FLOAT');
    const text = bytes.toString('latin1');
    // What `repr` writes; Python and JavaScript read such digits alike.
    const plain = isPlainNumber(bytes) ? Number(text) : Number.NaN;
    if (Number.isFinite(plain)) return pyFloat(plain);
    const found = readFloatLine(text);
    if (!found) throw new Malformed(`FLOAT has ${JSON.stringify(text.slice(0, 40))}, which is not a number`);
    if (found.differs) this.note('loader-difference', found.differs);
    return pyFloat(found.value);
  }

  private literal(found: Literal | undefined, opcode: OpcodeName, text: string): Value {
    if (!found) {
      if (text.length > MAX_INTEGER_DIGITS) throw new Malformed(`${opcode} has ${text.length} digits`, 'limit');
      throw new Malformed(`${opcode} has ${JSON.stringify(text.slice(0, 40))}, which is not an integer`);
    }
    if (found.differs) this.note('version-dependent-integer', found.differs);
    return found.value;
  }

  private utf8(length: number): string {
    const { window: w } = this;
    const bytes = w.bytes.subarray(w.pos, w.pos + length);
    const text = decodeUtf8(bytes);
    if (text !== undefined) return text;
    this.note('invalid-text', 'A string is not UTF-8; CPython refuses it.');
    return bytes.toString('latin1');
  }

  private text(length: number): string {
    if (length > this.window.remaining)
      throw new Malformed(`a string of ${length} bytes, ${this.window.remaining} are left`, 'truncated');
    if (length > MAX_STRING_BYTES)
      throw new Malformed(`a string of ${length} bytes is longer than the reader takes`, 'limit');
    this.need(length);
    const text = this.strings.get(this.window.bytes, this.window.pos, length) ?? this.utf8(length);
    this.window.pos += length;
    return text;
  }

  private unicodeLine(): string {
    const latin1 = this.line('UNICODE').toString('latin1');
    const text = decodeRawUnicodeEscape(latin1);
    if (text === undefined) throw new Malformed('UNICODE has an incomplete \\u escape');
    return text;
  }

  private stringLine(): Value {
    this.python2Strings = true;
    const bytes = this.line('STRING');
    const quote = bytes[0];
    if (bytes.length < 2 || (quote !== 0x27 && quote !== 0x22) || bytes[bytes.length - 1] !== quote) {
      throw new Malformed('the argument of STRING must be quoted');
    }
    const decoded = decodeEscapes(bytes.subarray(1, bytes.length - 1));
    if (!decoded) throw new Malformed('STRING has an invalid escape');
    if (isAscii(decoded)) return Buffer.from(decoded.buffer, decoded.byteOffset, decoded.length).toString('latin1');
    return this.notAscii(new PyBytes(this.source, this.at, decoded.length, 'str', Uint8Array.from(decoded)));
  }

  private python2String(length: number): Value {
    this.python2Strings = true;
    const { window: w } = this;
    if (length > w.remaining) throw new Malformed(`a string of ${length} bytes, ${w.remaining} are left`, 'truncated');
    if (length > INLINE_PYTHON2_STRING) return this.byteString(length, 'str');
    this.need(length);
    const bytes = w.bytes.subarray(w.pos, w.pos + length);
    if (!isAscii(bytes)) return this.notAscii(this.byteString(length, 'str'));
    const text = this.strings.get(w.bytes, w.pos, length) ?? bytes.toString('latin1');
    w.pos += length;
    return text;
  }

  private notAscii(bytes: PyBytes): PyBytes {
    this.note(
      'python2-string',
      'A Python 2 string is not ASCII; Python 3 needs encoding="latin1" or "bytes" to load it.',
    );
    return bytes;
  }

  private byteString(length: number, kind: BytesKind): PyBytes {
    const { window: w } = this;
    if (length > w.remaining) throw new Malformed(`${length} bytes are declared, ${w.remaining} are left`, 'truncated');
    const { offset } = w;
    if (length <= INLINE_BYTES) {
      this.need(length);
      const inline = this.strings.copy(w.bytes, w.pos, length);
      w.pos += length;
      return new PyBytes(this.source, offset, length, kind, inline);
    }
    w.seek(offset + length);
    return new PyBytes(this.source, offset, length, kind);
  }

  // ---------------------------------------------------------------- stack

  private fence(): number {
    return this.marks.length > 0 ? this.marks[this.marks.length - 1] : 0;
  }

  private pop(): Value {
    if (this.stack.length <= this.fence()) throw this.underflow();
    return this.stack.pop() as Value;
  }

  private top(): Value {
    if (this.stack.length <= this.fence()) throw this.underflow();
    return this.stack[this.stack.length - 1];
  }

  private underflow(): Malformed {
    return new Malformed(
      this.marks.length > 0 ? 'a MARK stands where a value was expected' : 'the stack has too few values',
    );
  }

  /** Closes the last mark and returns its height. */
  private mark(): number {
    const mark = this.marks.pop();
    if (mark === undefined) throw new Malformed('no MARK is open');
    return mark;
  }

  private takeFrom(height: number): Value[] {
    const items = this.stack.slice(height);
    this.stack.length = height;
    return items;
  }

  private popMark(): Value[] {
    return this.takeFrom(this.mark());
  }

  /** The value below a mark that was just closed. */
  private below(height: number): Value {
    if (height <= this.fence()) throw this.underflow();
    return this.stack[height - 1];
  }

  // ---------------------------------------------------------------- containers

  /** A dictionary key or set item, which must be hashable. */
  private key(value: Value): Value {
    if (value === null || typeof value !== 'object') return value;
    const bad = unhashable(value, this.hashable);
    if (bad) throw new Malformed(`a ${bad} is used as a key; Python cannot hash it`);
    return value;
  }

  private store(dict: PyDict, key: Value, value: Value): void {
    // Two NaN are two keys; a Map would take them for one.
    const stored = typeof key === 'number' && Number.isNaN(key) ? new PyFloat(key) : this.key(key);
    this.keys.set(dict, stored, value);
  }

  private appends(): void {
    const { stack } = this;
    const mark = this.mark();
    const target = this.below(mark);
    if (Array.isArray(target)) {
      for (let i = mark; i < stack.length; i++) target.push(stack[i]);
      stack.length = mark;
    } else this.append(target, this.takeFrom(mark), 'APPENDS');
  }

  private setItemsToMark(): void {
    const { stack } = this;
    const mark = this.mark();
    const target = this.below(mark);
    const count = stack.length - mark;
    if (count % 2) {
      if (isComputed(target) && count > 1) {
        this.note(
          'loader-difference',
          'SETITEMS has a key without a value; only the pure-Python loader stores the pairs before it.',
        );
        this.setItems(target, this.takeFrom(mark).slice(0, count - 1), 'SETITEMS');
      }
      throw new Malformed('SETITEMS has a key without a value');
    }
    if (!(target instanceof LazyDict)) {
      this.setItems(target, this.takeFrom(mark), 'SETITEMS');
      return;
    }
    let plain = true;
    for (let i = mark; plain && i < stack.length; i += 2) plain = typeof stack[i] === 'string';
    if (plain && count >= DEFERRED) target.defer(stack, mark);
    else if (plain) for (let i = mark; i < stack.length; i += 2) target.set(stack[i], stack[i + 1]);
    else for (let i = mark; i < stack.length; i += 2) this.store(target, stack[i], stack[i + 1]);
    stack.length = mark;
  }

  private append(target: Value, items: Value[], opcode: 'APPEND' | 'APPENDS'): void {
    if (Array.isArray(target)) for (const item of items) target.push(item);
    else if (target instanceof Instance) {
      if (target.items) for (const item of items) target.items.push(item);
      else target.items = items;
    } else if (isForeign(target)) {
      if (items.length > 0) this.events.push(new MutationEvent(target, opcode, items, this.at));
    } else if (target instanceof PyBytes && target.kind === 'bytearray') {
      for (const item of items) target.push(this.byte(item, opcode));
    } else if (items.length === 0) {
      this.note('loader-difference', `${opcode} adds nothing to what is no list; only the C loader accepts it.`);
    } else throw new Malformed(`${opcode} needs a list below its items`);
  }

  private byte(item: Value, opcode: OpcodeName): number {
    const value = typeof item === 'boolean' ? Number(item) : item;
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 256) return value;
    if (isComputed(item)) {
      this.note('computed-operand', `${opcode} changes a bytearray with something that is known only at load.`);
      return 0;
    }
    throw new Malformed(`${opcode} puts what is no byte into a bytearray`);
  }

  private setItems(target: Value, items: Value[], opcode: 'SETITEM' | 'SETITEMS'): void {
    if (items.length === 0) return;
    if (target instanceof Map) {
      for (let i = 0; i < items.length; i += 2) this.store(target, items[i], items[i + 1]);
    } else if (target instanceof Instance) {
      target.entries ??= new LazyDict();
      for (let i = 0; i < items.length; i += 2) this.keys.set(target.entries, items[i], items[i + 1]);
    } else if (isForeign(target)) this.events.push(new MutationEvent(target, opcode, items, this.at));
    else if (Array.isArray(target) || (target instanceof PyBytes && target.kind === 'bytearray')) {
      for (let i = 0; i < items.length; i += 2) this.setIndex(target, items[i], items[i + 1], opcode);
    } else throw new Malformed(`${opcode} needs a dict below its items`);
  }

  private setIndex(target: Value[] | PyBytes, index: Value, value: Value, opcode: OpcodeName): void {
    if (isComputed(index)) {
      // A slice object, say: what it replaces is known only at load, but loading goes on.
      this.note('computed-operand', `${opcode} sets an index of a list that is known only at load.`);
      return;
    }
    const number = typeof index === 'boolean' ? Number(index) : index;
    const at = typeof number === 'number' && number < 0 ? number + target.length : number;
    if (typeof at !== 'number' || !Number.isInteger(at) || at < 0 || at >= target.length) {
      throw new Malformed(`${opcode} sets an index that the list does not have`);
    }
    if (Array.isArray(target)) target[at] = value;
    else target.set(at, this.byte(value, opcode));
  }

  private addItems(target: Value, items: Value[]): void {
    if (target instanceof PySet && !target.frozen) {
      for (const item of items) target.items.push(this.key(item));
      this.grownSets.add(target);
    } else if (target instanceof Instance) {
      if (target.items) for (const item of items) target.items.push(item);
      else target.items = items;
    } else if (isForeign(target)) {
      if (items.length > 0) this.events.push(new MutationEvent(target, 'ADDITEMS', items, this.at));
    } else if (items.length === 0) {
      this.note('loader-difference', 'ADDITEMS adds nothing to what is no set; only the C loader accepts it.');
    } else throw new Malformed('ADDITEMS needs a set below its items');
  }

  private readonlyBuffer(): void {
    const value = this.top();
    if (value instanceof OutOfBandBuffer) return;
    if (isComputed(value)) {
      this.note('computed-operand', 'READONLY_BUFFER takes something that is known only at load.');
      return;
    }
    if (!(value instanceof PyBytes) || value.kind === 'int' || value.kind === 'str') {
      throw new Malformed('READONLY_BUFFER needs a buffer');
    }
    if (value.kind !== 'bytearray') return;
    const bytes = value.isInline ? value.bytes() : undefined;
    this.stack[this.stack.length - 1] = new PyBytes(value.source, value.offset, value.length, 'memoryview', bytes);
  }

  // ---------------------------------------------------------------- memo

  private put(index: number | bigint): void {
    if (index > 2 * this.opcodes + 1024) {
      this.note(
        'sparse-memo',
        `Memo index ${index} is far beyond what this stream needs; CPython allocates a table of that size.`,
      );
    }
    this.memo.put(index, this.top());
  }

  private get(index: number | bigint): Value {
    const value = this.memo.get(index);
    if (value === undefined) throw new Malformed(`the memo has no value at index ${index}`);
    return value;
  }

  private index(opcode: OpcodeName): number | bigint {
    const text = this.line(opcode).toString('latin1');
    const found = readIndexLine(text);
    if (!found || found.value < 0) {
      throw new Malformed(`${opcode} has the index ${JSON.stringify(text.slice(0, 40))}`);
    }
    if (found.differs) this.note('loader-difference', found.differs);
    return found.value;
  }

  // ---------------------------------------------------------------- imports and calls

  private import(opcode: OpcodeName, rawModule: string, rawName: string): Global {
    let module = rawModule;
    let name = rawName;
    if (this.protocol < 3) {
      const renamed = NAME_MAPPING.get(`${module} ${name}`);
      if (renamed) [module, name] = renamed;
      else module = IMPORT_MAPPING.get(module) ?? module;
    }
    const dotted = this.protocol >= 4;
    const id = `${rawModule}\n${rawName}\n${module}\n${dotted}`;
    let global = this.globals.get(id);
    if (!global) {
      global = new Global(module, name, rawModule, rawName, this.at, dotted);
      this.globals.set(id, global);
    }
    this.events.push(new ImportEvent(global, this.at, opcode));
    return global;
  }

  private stackGlobal(module: Value, name: Value): Global {
    const moduleText = this.nameOperand(module);
    const nameText = this.nameOperand(name);
    if (moduleText !== undefined && nameText !== undefined) {
      if (typeof module !== 'string' || typeof name !== 'string')
        this.note('computed-name', 'The name of an import is computed while loading.');
      return this.import('STACK_GLOBAL', moduleText, nameText);
    }
    if (!isComputed(module) && !isComputed(name)) throw new Malformed('STACK_GLOBAL needs two strings');
    this.note('computed-name', 'The name of an import is computed while loading and cannot be known.');
    const global = new Global(
      moduleText ?? '?',
      nameText ?? '?',
      moduleText ?? '?',
      nameText ?? '?',
      this.at,
      this.protocol >= 4,
    );
    global.operands = [module, name];
    this.events.push(new ImportEvent(global, this.at, 'STACK_GLOBAL'));
    return global;
  }

  private nameOperand(value: Value): string | undefined {
    if (typeof value === 'string') return value;
    return isComputed(value) ? this.hooks.evaluate?.(value) : undefined;
  }

  private checkArguments(args: Value): void {
    if (args instanceof PyTuple) return;
    if (isComputed(args)) {
      this.note('invalid-arguments', 'The arguments of a call are themselves computed while loading.');
      return;
    }
    const iterable =
      typeof args === 'string' ||
      Array.isArray(args) ||
      args instanceof Map ||
      args instanceof PySet ||
      (args instanceof PyBytes && args.kind !== 'int');
    if (!iterable) throw new Malformed('a call has arguments that are no tuple');
    this.note(
      'invalid-arguments',
      'A call has arguments that are not a tuple; only the pure-Python loader accepts them.',
    );
  }

  private checkKeywords(kwargs: Value): void {
    if (isComputed(kwargs)) {
      this.note('invalid-arguments', 'The keyword arguments of a call are themselves computed while loading.');
      return;
    }
    if (!(kwargs instanceof Map)) throw new Malformed('NEWOBJ_EX has keyword arguments that are no dict');
    for (const key of kwargs.keys()) {
      if (typeof key !== 'string' && !isComputed(key)) throw new Malformed('NEWOBJ_EX has a keyword that is no string');
    }
  }

  private call(callable: Value, args: Value, how: CallOpcode): Instance {
    if (!isComputed(callable)) throw new Malformed(`${how} calls a value that cannot be called`);
    const instance = new Instance(callable, args, how, this.at);
    this.events.push(instance);
    return instance;
  }

  private build(target: Value, state: Value): void {
    if (target instanceof Instance) {
      if (target.state !== undefined) {
        target.earlierStates ??= [];
        target.earlierStates.push({ value: target.state, offset: target.stateOffset });
      }
      target.state = state;
      target.stateOffset = this.at;
      const { afterBuild } = this.hooks;
      if (!afterBuild) return;
      const before = this.window.offset;
      const replacement = afterBuild(target, this.window, () => this.nested());
      // What the loader itself read lies between frames, not in one.
      if (this.window.offset !== before && this.frameEnd >= 0 && before >= this.frameEnd) this.frameEnd = -1;
      if (replacement !== undefined) this.stack[this.stack.length - 1] = replacement;
    } else if (isForeign(target)) this.events.push(new MutationEvent(target, 'BUILD', [state], this.at));
    else this.buildPlain(state);
  }

  /** Plain data has neither `__setstate__` nor `__dict__`: only a state that says nothing passes, and not the same one in both loaders. */
  private buildPlain(state: Value): void {
    const pair = state instanceof PyTuple && state.items.length === 2 ? state.items : [state];
    const c = pair[0] === null && (pair.length === 1 || (pair[1] instanceof Map && pair[1].size === 0));
    const python = pair.every(isFalse);
    if (!c && !python) throw new Malformed('BUILD needs an object below its state');
    if (c !== python) {
      this.note(
        'loader-difference',
        'BUILD has plain data below an empty state; only one of the loaders accepts that.',
      );
    }
  }

  private nested(): Pickle {
    if (this.depth >= MAX_NESTED_PICKLES) throw new Malformed('pickles are nested in it too deeply', 'limit');
    const inner = new Machine(this.window, this.options, this.depth + 1).run();
    for (const event of inner.events) this.events.push(event);
    for (const anomaly of inner.anomalies) this.anomalies.push(anomaly);
    this.opcodes += inner.opcodes;
    if (inner.error) throw inner.error;
    return inner;
  }

  private persistent(id: Value): void {
    const persistent = new PersistentId(id, this.at);
    this.events.push(persistent);
    this.stack.push(persistent);
  }

  private extension(code: number): void {
    if (code === 0) throw new Malformed('extension code 0 is not allowed');
    const extension = new ExtensionCode(code, this.at);
    this.events.push(extension);
    this.stack.push(extension);
  }

  // ---------------------------------------------------------------- framing

  private proto(version: number): void {
    if (version > HIGHEST_PROTOCOL) {
      this.note('protocol-unknown', `PROTO ${version} is newer than any known protocol; CPython refuses it.`);
      throw new Malformed(`protocol ${version} is not known`);
    }
    if (this.opcodes > 1)
      this.note(
        'late-protocol',
        `PROTO ${version} stands in the middle of the stream and changes how names are resolved.`,
      );
    this.protocol = version;
  }

  private frame(): void {
    this.need(8);
    const { window: w } = this;
    w.pos += 8;
    const length = w.view.getBigUint64(w.pos - 8, true);
    const { offset } = w;
    if (this.frameEnd >= 0 && offset > this.frameEnd) this.straddled(0x95);
    else if (this.frameEnd > offset) {
      this.note('frame-nested', 'A FRAME begins inside another frame; only the C loader accepts that.');
    }
    if (length > 0x7fffffffffffffffn) throw new Malformed(`FRAME declares ${length} bytes`);
    if (length > w.remaining) {
      this.note(
        'frame-past-end',
        `A FRAME of ${length} bytes is longer than the ${w.remaining} that are left; only the pure-Python loader goes on.`,
      );
    }
    this.frameEnd = offset + Number(length);
  }

  private straddled(code: number): void {
    const name = OPCODES[code]?.name ?? 'an opcode';
    this.note(
      'frame-straddled',
      `${name} reaches past the end of its frame; loaders differ in what they execute then.`,
    );
    this.frameEnd = -1;
  }

  private note(kind: AnomalyKind, message: string): void {
    const seen = this.seenAnomalies.get(kind) ?? 0;
    this.seenAnomalies.set(kind, seen + 1);
    // The first few of a kind say it; a million of them would only cost memory.
    if (seen < 20) this.anomalies.push({ kind, offset: this.at, message });
  }
}

/** Only digits, signs, a point and an exponent, and not nothing. */
function isPlainNumber(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if ((byte < 0x30 || byte > 0x39) && byte !== 0x2e && byte !== 0x2d && byte !== 0x65 && byte !== 0x2b) return false;
  }
  return bytes.length > 0;
}

function isAscii(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] >= 0x80) return false;
  return true;
}

/** Python's truth of plain data. */
function isFalse(value: Value): boolean {
  if (value === null || value === false || value === 0 || value === '') return true;
  if (typeof value !== 'object') return value === 0n;
  if (value instanceof PyFloat) return value.value === 0;
  if (value instanceof PyTuple || value instanceof PySet) return value.items.length === 0;
  if (value instanceof PyBytes || Array.isArray(value)) return value.length === 0;
  return value instanceof Map && value.size === 0;
}

/** Something that the pickle did not make: what it does to it, it does to the loading program. */
function isForeign(value: Value): boolean {
  return (
    value instanceof Global ||
    value instanceof PersistentId ||
    value instanceof ExtensionCode ||
    value instanceof OutOfBandBuffer
  );
}

/** Whether a value's Python type is known only at load. */
function isComputed(value: Value): boolean {
  return value instanceof Instance || isForeign(value);
}

import type { ByteSource } from '../bytes/byte-source';
import type { OpcodeName } from './opcodes';

/**
 * What the symbolic machine yields. Python's `None`, `bool`, `str` are JavaScript's `null`, `boolean`, `string`; a `list` is an
 * `Array`, a `dict` a `Map` (insertion order, never a JavaScript object, so no key can reach a prototype). Sharing and cycles are
 * kept: a value that the pickle fetched from its memo is the same JavaScript object.
 */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | PyFloat
  | PyBytes
  | PyTuple
  | PySet
  | PyList
  | PyDict
  | Global
  | Instance
  | PersistentId
  | ExtensionCode
  | OutOfBandBuffer;

export interface PyList extends Array<Value> {}
export interface PyDict extends Map<Value, Value> {}

/**
 * A Python float whose value is integral (1.0, -0.0, 1e300). Every other float is a plain `number`, so a plain `number`
 * that is an integer was a Python int. Use `asNumber` where the difference does not matter.
 */
export class PyFloat {
  constructor(readonly value: number) {}
}

export type BytesKind = 'bytes' | 'bytearray' | 'memoryview' | 'str' | 'int';

/**
 * Bytes of the file: short ones are kept, long ones are offset and length. `kind` tells `bytes` from `bytearray` and from the read-only
 * view that READONLY_BUFFER makes of one; `'str'` is a Python 2 string that is not plain ASCII (or too long to look at while reading),
 * `'int'` an integer too large to convert.
 */
export class PyBytes {
  private tail: number[] | undefined;
  /** Whether `inline` is a copy of this object's own. */
  private owned = false;

  constructor(
    readonly source: ByteSource,
    readonly offset: number,
    private readonly size: number,
    readonly kind: BytesKind,
    /** The bytes themselves; as Latin-1 text until somebody asks for them, which takes a third of the memory of an array. */
    private inline?: Uint8Array | string,
  ) {}

  get length(): number {
    return this.tail ? this.size + this.tail.length : this.size;
  }

  /** The bytes `[start, end)`, read now if they were left in the file. */
  bytes(start = 0, end = this.length): Uint8Array {
    const to = Math.min(end, this.length);
    if (this.tail) {
      const all = new Uint8Array(this.length);
      all.set(this.copied() ?? this.source.read(this.offset, this.size));
      all.set(this.tail, this.size);
      return all.subarray(start, to);
    }
    const inline = this.copied();
    if (inline) return inline.subarray(start, to);
    return this.source.read(this.offset + start, Math.max(0, to - start));
  }

  private copied(): Uint8Array | undefined {
    if (typeof this.inline === 'string') {
      const { inline, size } = this;
      const bytes = new Uint8Array(size);
      for (let i = 0; i < size; i++) bytes[i] = inline.charCodeAt(i);
      this.inline = bytes;
    }
    return this.inline as Uint8Array | undefined;
  }

  /** True when the bytes were copied (short or decoded), so `source` and `offset` do not hold their exact image. */
  get isInline(): boolean {
    return this.inline !== undefined || this.tail !== undefined;
  }

  /** Appends to a bytearray, as APPENDS does. */
  push(byte: number): void {
    this.tail ??= [];
    this.tail.push(byte);
  }

  /** Sets one byte of a bytearray, as SETITEM does. */
  set(index: number, byte: number): void {
    if (this.tail && index >= this.size) this.tail[index - this.size] = byte;
    else {
      let bytes = this.copied();
      if (!this.owned || !bytes) bytes = Uint8Array.from(bytes ?? this.source.read(this.offset, this.size));
      this.inline = bytes;
      this.owned = true;
      bytes[index] = byte;
    }
  }
}

export class PyTuple {
  constructor(readonly items: Value[]) {}
}

export class PySet {
  /** Distinct items in the order of the file. */
  items: Value[];
  constructor(
    items: Value[],
    readonly frozen: boolean,
  ) {
    this.items = items;
  }
}

/** An imported name: a module-level class or function, as the loader would resolve it. One object for each name in a pickle. */
export class Global {
  /** Set when an operand of STACK_GLOBAL was not a string but something computed at load. */
  operands?: [Value, Value];
  constructor(
    /** After Python-2 name mapping (protocol < 3), as CPython 3 resolves it. */
    readonly module: string,
    readonly name: string,
    /** As written in the file. */
    readonly rawModule: string,
    readonly rawName: string,
    /** Offset of the first opcode that imports it. */
    readonly offset: number,
    /** Whether a dotted name is followed attribute by attribute (protocol 4 and later). */
    readonly dotted: boolean,
  ) {}
  get path(): string {
    return `${this.module}.${this.name}`;
  }
}

export type CallOpcode = 'REDUCE' | 'NEWOBJ' | 'NEWOBJ_EX' | 'OBJ' | 'INST';

/** Arguments of a call that become values when somebody looks at them; see `packed.ts`. */
export abstract class LazyArguments {
  abstract readonly value: PyTuple;
  /** Calls and persistent ids among them, in the order of the stream. */
  abstract readonly events: readonly PickleEvent[];
  /** One of the values among them that the stream put into its memo. */
  abstract part(index: number): Value;
}

/** The result of calling (REDUCE, OBJ, INST) or instantiating (NEWOBJ, NEWOBJ_EX) something. Nothing is ever called. */
export class Instance {
  private held: Value | LazyArguments;
  kwargs: Value | undefined = undefined;
  /** The state of the last BUILD, and where it stands. */
  state: Value | undefined = undefined;
  stateOffset = -1;
  /** States of earlier BUILDs, when there were several. */
  earlierStates: { value: Value; offset: number }[] | undefined = undefined;
  /** What APPEND(S) and ADDITEMS added. */
  items: Value[] | undefined = undefined;
  /** What SETITEM(S) stored. */
  entries: PyDict | undefined = undefined;
  /** What a reader put in the place of this object (array data that follows a joblib wrapper, say). */
  attachment: unknown = undefined;
  constructor(
    readonly callable: Value,
    args: Value | LazyArguments,
    readonly how: CallOpcode,
    readonly offset: number,
  ) {
    this.held = args;
  }

  /** Positional arguments as they stood on the stack: a tuple, or whatever an invalid or computed pickle gave. */
  get args(): Value {
    return this.held instanceof LazyArguments ? this.held.value : this.held;
  }

  /** The arguments where they are kept so. */
  get lazyArguments(): LazyArguments | undefined {
    return this.held instanceof LazyArguments ? this.held : undefined;
  }
}

/** What PERSID or BINPERSID asks the loading program for: torch uses it for storages. */
export class PersistentId {
  constructor(
    readonly id: Value,
    readonly offset: number,
  ) {}
}

/** A code of `copyreg`'s extension registry (EXT1, EXT2, EXT4): which name it stands for is known only to the loading program. */
export class ExtensionCode {
  constructor(
    readonly code: number,
    readonly offset: number,
  ) {}
}

/** NEXT_BUFFER: data that the loading program must hand over beside the pickle. */
export class OutOfBandBuffer {
  constructor(
    readonly index: number,
    readonly offset: number,
  ) {}
}

/** An import as it happened. The same name imported twice gives two events with one `Global`. */
export class ImportEvent {
  readonly kind = 'import';
  constructor(
    readonly global: Global,
    readonly offset: number,
    readonly opcode: OpcodeName,
  ) {}
}

/** BUILD, SETITEM(S), APPEND(S) or ADDITEMS on something that the pickle did not make itself: an imported object, or what a loader hands in. */
export class MutationEvent {
  readonly kind = 'mutation';
  constructor(
    readonly target: Value,
    readonly opcode: OpcodeName,
    /** The state (BUILD), alternating keys and values (SETITEMS) or the added items. */
    readonly values: Value[],
    readonly offset: number,
  ) {}
}

/** In the order of the stream. An `Instance` is the event of its own call. */
export type PickleEvent = ImportEvent | Instance | MutationEvent | PersistentId | ExtensionCode | OutOfBandBuffer;

/** Something unusual that does not stop the loader, or that only some loaders accept. `kind` is stable; `message` is for people. */
export interface Anomaly {
  kind: AnomalyKind;
  offset: number;
  message: string;
}

export type AnomalyKind =
  | 'frame-straddled'
  | 'frame-past-end'
  | 'frame-nested'
  | 'late-protocol'
  | 'protocol-unknown'
  | 'version-dependent-integer'
  | 'python2-string'
  | 'invalid-text'
  | 'sparse-memo'
  | 'memo-overwritten'
  | 'overwritten-value'
  | 'stack-leftover'
  | 'marks-leftover'
  | 'computed-name'
  | 'invalid-arguments'
  | 'out-of-band-buffer'
  | 'computed-operand'
  | 'loader-difference';

/** The number a value stands for, `undefined` if it is none. */
export function asNumber(value: Value | undefined): number | undefined {
  if (typeof value === 'number') return value;
  if (value instanceof PyFloat) return value.value;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'boolean') return value ? 1 : 0;
  return undefined;
}

/** Whether the Python object was a float (not an int). */
export function isFloat(value: Value | undefined): value is number | PyFloat {
  return value instanceof PyFloat || (typeof value === 'number' && !Number.isInteger(value));
}

/** Whether the Python object was an int (not a bool). */
export function isInt(value: Value | undefined): value is number | bigint {
  return typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value));
}

/** Makes the value of a Python float. */
export function pyFloat(value: number): number | PyFloat {
  return Number.isInteger(value) ? new PyFloat(value) : value;
}

/** The text of a `str`, or of a Python 2 string or bytes read as Latin-1; `undefined` for anything else. */
export function asText(value: Value | undefined): string | undefined {
  if (typeof value === 'string') return value;
  if (value instanceof PyBytes && value.kind !== 'int' && value.length <= 0x1000000) {
    const bytes = value.bytes();
    let text = '';
    for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
    return text;
  }
  return undefined;
}

/** The items of a tuple or list, `undefined` for anything else. */
export function asSequence(value: Value | undefined): Value[] | undefined {
  if (Array.isArray(value)) return value;
  if (value instanceof PyTuple) return value.items;
  return undefined;
}

export function isDict(value: Value | undefined): value is PyDict {
  return value instanceof Map;
}

/** `module.name` of what an instance was made from: of the class for `copyreg._reconstructor` and `__newobj__` forms as well. */
export function classOf(value: Value | undefined): Global | undefined {
  if (!(value instanceof Instance)) return undefined;
  const { callable } = value;
  if (!(callable instanceof Global)) return undefined;
  if (callable.module === 'copyreg' && (callable.name === '_reconstructor' || callable.name.startsWith('__newobj'))) {
    const first = asSequence(value.args)?.[0];
    return first instanceof Global ? first : callable;
  }
  return callable;
}

/**
 * Module and name of what a call calls: an import, or dill's `_get_attr(_import_module('m'), 'name')`, which it writes for functions of
 * compiled modules. `undefined` for anything else.
 */
export function calleeOf(value: Instance): { module: string; name: string } | undefined {
  const { callable } = value;
  if (callable instanceof Global) return callable;
  if (!isDill(callable, '_get_attr')) return undefined;
  const [object, name] = asSequence(callable.args) ?? [];
  const module = isDill(object, '_import_module') ? asText(asSequence(object.args)?.[0]) : undefined;
  const text = asText(name);
  return module !== undefined && text !== undefined ? { module, name: text } : undefined;
}

function isDill(value: Value | undefined, name: string): value is Instance {
  return (
    value instanceof Instance &&
    value.callable instanceof Global &&
    /^dill\b/.test(value.callable.module) &&
    value.callable.name === name
  );
}

/** The instance's `__dict__` as its state gives it: a dict state, the dict of a `(dict, slots)` pair; `undefined` if the state is something else. */
export function stateDict(value: Value | undefined): PyDict | undefined {
  if (!(value instanceof Instance)) return undefined;
  const { state } = value;
  if (isDict(state)) return state;
  const pair = asSequence(state);
  if (pair?.length === 2 && (isDict(pair[0]) || pair[0] === null) && (isDict(pair[1]) || pair[1] === null)) {
    if (!isDict(pair[1])) return isDict(pair[0]) ? pair[0] : undefined;
    return new Map([...(isDict(pair[0]) ? pair[0] : []), ...pair[1]]);
  }
  return undefined;
}

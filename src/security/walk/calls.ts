import { WalkContainers } from './containers';
import type { WalkInput } from './input';
import { FLAGS, type NameTable } from './names';
import { COPY, REMEMBERED, UNSURE } from './stack';
import {
  ATOM,
  builtDtype,
  CALLABLE,
  DICT,
  DTYPE,
  dtypeWord,
  FETCHED,
  FIELDS,
  FIRST_CONTAINER,
  FIRST_INSTANCE,
  GLOBAL,
  HOLDER,
  holdsObjects,
  INSTANCE,
  INT,
  isTuple,
  itemBytes,
  JUDGED,
  MODEL,
  MODEL_BELOW,
  MODEL_BY_VERSION,
  modelOf,
  NEGATIVE,
  NONE,
  PARTIAL,
  payloadOf,
  productOf,
  SHAPE,
  TEXT,
  traitsOf,
  VERSIONED_DICT,
  WRAPPER,
  word,
} from './words';

/** Uses of a name, from the weakest to the strongest, as a report lists them. */
export const USES = ['imported', 'instantiated', 'called'] as const;
const INSTANTIATED = 1;
const CALLED = 2;

/** What an object stands for beyond its arguments, at most: itself, its items and its entries. */
const OBJECT = 3;

/** Less than the judge may spend on any stream, and on each of its opcodes. */
const FREE_STEPS = 10_000_000;
const STEPS_PER_VALUE = 8;
/** What the judge spends on a state or on arguments beyond their values. */
const STATE_STEPS = 8;

/** Bytes of a name that are looked up; those of the table are shorter. */
const MAX_NAME = 255;

/** Imports and calls, as far as the table of names says that the judge would not object, whatever else stands in the file. */
export abstract class WalkCalls extends WalkContainers {
  /** Entries of the names that the file imports, in that order. */
  readonly imported: number[] = [];
  readonly counts: Int32Array;
  readonly offsets: Float64Array;
  readonly uses: Uint8Array;
  private readonly calledJudged: Uint8Array;
  protected variant = 0;
  protected models = false;
  protected versions = false;
  /** A text is called as scikit-learn calls attributes of fitted models. */
  protected fitted = false;
  /** Steps that the judge may need for states and arguments, which can be shared. */
  private work = 0;
  /** Arrays of joblib that lie in the stream. */
  protected arrays = 0;
  /** What the dict holds that was filled last, if it may be the state of a wrapper: see `wrapped`. */
  private wrappedAt = -1;
  private wrappedBytes = 0;
  private wrappedPadding = false;

  constructor(
    protected readonly names: NameTable,
    protected readonly input: WalkInput,
  ) {
    super();
    this.counts = new Int32Array(names.count);
    this.offsets = new Float64Array(names.count);
    this.uses = new Uint8Array(names.count);
    this.calledJudged = new Uint8Array(names.count);
  }

  protected override reset(): void {
    super.reset();
    for (const entry of this.imported) {
      this.counts[entry] = 0;
      this.uses[entry] = 0;
      this.calledJudged[entry] = 0;
    }
    this.imported.length = 0;
    this.models = false;
    this.versions = false;
    this.fitted = false;
    this.work = 0;
    this.arrays = 0;
    this.wrappedAt = -1;
  }

  /** Whether every name that only its calls clear was called. */
  protected get judgedNamesCalled(): boolean {
    for (const entry of this.imported) {
      if ((this.names.flags(entry) & JUDGED_FLAGS) !== 0 && this.calledJudged[entry] === 0) return false;
    }
    return true;
  }

  /** Whether a name was imported that is dangerous unless its calls clear it. */
  protected get importsJudged(): boolean {
    return this.imported.some((entry) => (this.names.flags(entry) & JUDGED_FLAGS) !== 0);
  }

  /** Counts values that the judge goes through for one call. Where it may get too many of them (`security/work.ts`), it decides. */
  private spend(values: number): void {
    this.work += values;
    if (this.work > FREE_STEPS + STEPS_PER_VALUE * this.memoCount) throw UNSURE;
  }

  protected importEntry(entry: number, at: number): void {
    if (entry < 0) throw UNSURE;
    if (this.counts[entry]++ === 0) {
      this.imported.push(entry);
      this.offsets[entry] = at;
    }
    this.push(word((this.names.flags(entry) & JUDGED_FLAGS) !== 0 ? JUDGED : GLOBAL, entry));
  }

  protected stackGlobal(at: number): void {
    this.require(2);
    const module = this.placeText(this.words[this.sp - 2]);
    const { textStart, textLength } = this;
    const name = this.placeText(this.words[this.sp - 1]);
    this.sp -= 2;
    this.importEntry(
      this.names.find(module, textStart, textLength, name, this.textStart, this.textLength, this.variant),
      at,
    );
  }

  protected override placeText(value: number): Uint8Array {
    const { bytes, base, end } = this.input;
    const pos = payloadOf(value) - base;
    // Nearly always a short text that is in memory.
    if ((value & 31) === TEXT && pos > 0 && pos + 2 <= end && bytes[pos] === 0x8c && pos + 2 + bytes[pos + 1] <= end) {
      this.textStart = pos + 2;
      this.textLength = bytes[pos + 1];
      return bytes;
    }
    const text = this.textAt(value);
    this.textStart = 0;
    this.textLength = text.length;
    return text;
  }

  /** The bytes of a text, by the opcode that it came from. */
  protected textAt(value: number): Buffer {
    const offset = payloadOf(value);
    if ((value & 31) !== TEXT || offset === 0) throw UNSURE;
    const head = this.input.at(offset, 5) ?? this.input.at(offset, 2);
    if (!head) throw UNSURE;
    let start = 2;
    let length = head[1];
    switch (head[0]) {
      case 0x8c: // SHORT_BINUNICODE
      case 0x55: // SHORT_BINSTRING
        break;
      case 0x58: // BINUNICODE
        start = 5;
        length = head.length < 5 ? MAX_NAME + 1 : head.readUInt32LE(1);
        break;
      case 0x56: // UNICODE
      case 0x53: {
        // STRING, in quotes
        const quotes = head[0] === 0x53 ? 1 : 0;
        start = 1 + quotes;
        const left = Math.min(MAX_NAME + 2, this.input.size - offset - start);
        length = (this.input.at(offset + start, left)?.indexOf(0x0a) ?? -1) - quotes;
        break;
      }
      default:
        throw UNSURE;
    }
    const bytes = length < 0 || length > MAX_NAME ? undefined : this.input.at(offset + start, length);
    if (!bytes) throw UNSURE;
    return bytes;
  }

  /** Calls what stands below a tuple of arguments. */
  protected call(newobj: boolean): void {
    this.require(2);
    const argsSlot = this.sp - 1;
    const args = this.words[argsSlot];
    const callable = this.words[argsSlot - 1];
    const kind = callable & 31;
    if (!isTuple(args & 31) || (kind !== GLOBAL && kind !== JUDGED)) throw UNSURE;
    const entry = payloadOf(callable);
    const flags = this.names.flags(entry);
    const known = this.lastSlot === argsSlot;
    if ((flags & SPECIAL) !== 0) this.spend(this.sizes.valuesOf(args) + STATE_STEPS);
    let made = INSTANCE;
    let model = modelOf(args) === 0 ? 0 : MODEL_BELOW;
    if (newobj) {
      if ((flags & FLAGS.newobj) === 0) throw UNSURE;
      this.use(entry, INSTANTIATED);
    } else {
      this.use(entry, CALLED);
      if ((flags & SPECIAL) !== 0) {
        if (!known) throw UNSURE;
        made = this.judgeArguments(entry, flags);
      }
      if ((flags & (FLAGS.call | FLAGS.codec | JUDGED_FLAGS)) === 0) throw UNSURE;
    }
    if ((flags & FLAGS.copyreg) !== 0) {
      if (!known || this.lastCount === 0) throw UNSURE;
      if ((this.last[0] & 31) === GLOBAL && (this.names.flags(payloadOf(this.last[0])) & FLAGS.estimator) !== 0)
        model = MODEL;
    } else if ((flags & FLAGS.estimator) !== 0) model = MODEL;
    if (model === MODEL) this.models = true;
    if ((flags & FLAGS.wrapper) !== 0) made = WRAPPER;
    this.sp = argsSlot - 1;
    const nesting = this.sizes.nestingOf(args) + 1;
    const traits = made === FETCHED ? model | CALLABLE : model;
    this.pushFresh(
      made === DTYPE ? this.elementType() : this.sizes.pack(made, traits, this.sizes.valuesOf(args) + OBJECT, nesting),
    );
  }

  private use(entry: number, use: number): void {
    if (this.uses[entry] < use) this.uses[entry] = use;
  }

  /** Looks at the arguments of names for which they matter; the kind of what the call makes. */
  private judgeArguments(entry: number, flags: number): number {
    const { last, lastCount, names } = this;
    const first = lastCount > 0 ? last[0] : ATOM;
    if ((flags & FLAGS.first) !== 0 && lastCount > 0 && (first & 31) === GLOBAL) {
      const class_ = payloadOf(first);
      const its = names.flags(class_);
      // An array of joblib that is made in this way is for the machine to read.
      if ((its & FLAGS.make) === 0 || (its & FLAGS.wrapper) !== 0) throw UNSURE;
      this.use(class_, INSTANTIATED);
    }
    if ((flags & FLAGS.collect) !== 0 && lastCount > 0) {
      const kind = first & 31;
      if (kind >= FIRST_INSTANCE || kind === ATOM || kind === GLOBAL) throw UNSURE;
    }
    if ((flags & FLAGS.secondShape) !== 0 && (lastCount < 2 || (last[1] & 31) !== SHAPE)) throw UNSURE;
    if ((flags & FLAGS.reconstructor) !== 0) {
      if (lastCount < 2 || (last[1] & 31) !== GLOBAL || (names.flags(payloadOf(last[1])) & FLAGS.base) === 0)
        throw UNSURE;
    }
    if ((flags & FLAGS.codec) !== 0 && (lastCount !== 2 || this.textAt(last[1]).toString('latin1') !== 'latin1'))
      throw UNSURE;
    if ((flags & FLAGS.partial) !== 0) {
      if (lastCount === 0 || (first & 31) !== GLOBAL) throw UNSURE;
      this.calledJudged[entry] = 1;
      return PARTIAL;
    }
    if ((flags & FLAGS.ufunc) !== 0) {
      if (lastCount !== 2) throw UNSURE;
      const module = this.textAt(first);
      const name = this.textAt(last[1]);
      if (names.find(module, 0, module.length, name, 0, name.length, FLAGS.new) < 0) throw UNSURE;
      this.calledJudged[entry] = 1;
      return FETCHED;
    }
    if ((flags & FLAGS.holds) !== 0) {
      this.refuseCallables();
      return HOLDER;
    }
    return (flags & FLAGS.dtype) !== 0 ? DTYPE : INSTANCE;
  }

  /** Of the arguments made last, each that can be called must be vetted for that. */
  private refuseCallables(): void {
    if (this.lastCount > REMEMBERED) throw UNSURE;
    for (let i = 0; i < this.lastCount; i++) {
      const part = this.last[i];
      const kind = part & 31;
      if (kind === GLOBAL ? (this.names.flags(payloadOf(part)) & FLAGS.base) === 0 : canBeCalled(part)) throw UNSURE;
    }
  }

  /** `numpy.dtype('f8', False, True)`: an element type, so far without its state. */
  private elementType(): number {
    const { last, lastCount } = this;
    if (lastCount < 1 || lastCount > 3) throw UNSURE;
    for (let i = 0; i < lastCount; i++) if ((last[i] & 31) >= FIRST_CONTAINER) throw UNSURE;
    if ((last[0] & 31) !== TEXT) return dtypeWord(-1, false);
    const code = this.textAt(last[0]).toString('latin1');
    const size = ITEM_BYTES.get(code);
    if (size !== undefined) return dtypeWord(size, false);
    if (/^O[0-9]?$/.test(code)) return dtypeWord(8, true);
    const sized = /^([SUV])([0-9]{1,4})$/.exec(code);
    return dtypeWord(sized ? Number(sized[2]) * (sized[1] === 'U' ? 4 : 1) : -1, false);
  }

  /** BUILD: gives the object below it the state on top. Returns the bytes of raw data that follow in the stream, -1 for none. */
  protected build(position: number): number {
    this.require(2);
    const stateSlot = this.sp - 1;
    const target = stateSlot - 1;
    const state = this.words[stateSlot];
    const object = this.words[target];
    const kind = object & 31;
    if (kind < FIRST_INSTANCE || (kind !== INSTANCE && this.links[target] === COPY)) throw UNSURE;
    const known = this.lastSlot === stateSlot && isTuple(state & 31);
    const traits = traitsOf(state);
    this.giveState(target);
    this.take(stateSlot);
    this.spend(this.taken + STATE_STEPS);
    switch (kind) {
      case DTYPE:
        this.words[target] = known ? this.typeWithState(object) : dtypeWord(-1, false);
        return -1;
      case PARTIAL:
        if (!known || (this.lastCount >= 3 && (this.last[0] & 31) !== GLOBAL)) throw UNSURE;
        return -1;
      case HOLDER:
        if ((traits & CALLABLE) !== 0 || canBeCalled(state) || (state & 31) === GLOBAL) throw UNSURE;
        break;
      case WRAPPER:
        if (position !== this.wrappedAt) throw UNSURE;
        this.arrays++;
        return this.wrappedPadding ? -2 - this.wrappedBytes : this.wrappedBytes;
      default:
        break;
    }
    if ((state & 31) === VERSIONED_DICT) {
      // The version of its last state counts; a second one is for the reader to look at.
      this.models = true;
      if (modelOf(object) !== MODEL) this.setModel(target, modelOf(object) === 0 ? MODEL_BY_VERSION : MODEL_BELOW);
    } else if (modelOf(object) === MODEL_BY_VERSION) this.setModel(target, MODEL_BELOW);
    else if (modelOf(object) === 0 && (traits & 3) !== 0) this.setModel(target, MODEL_BELOW);
    return -1;
  }

  private setModel(target: number, model: number): void {
    if (this.links[target] === COPY) throw UNSURE;
    this.words[target] = (this.words[target] & ~(3 << 5)) | (model << 5);
  }

  /** `(version, order, sub-array, names, fields, bytes, …)`, as NumPy pickles an element type. */
  private typeWithState(type: number): number {
    const { last, lastCount } = this;
    const [, , subArray, names, fields, bytes] = last;
    if (lastCount < 8 || lastCount > REMEMBERED || (subArray & 31) !== NONE) return dtypeWord(-1, false);
    const plain = (names & 31) === NONE && (fields & 31) === NONE;
    if (!plain && !((fields & 31) === FIELDS && isTuple(names & 31))) return dtypeWord(-1, false);
    if ((bytes & 31) === INT) return builtDtype(type, payloadOf(bytes));
    return plain && (bytes & 31) === NEGATIVE ? builtDtype(type, -1) : dtypeWord(-1, false);
  }

  /**
   * Remembers what the state of a wrapper says about the array behind it, when its dict is filled: keys and values stand from `from` on.
   * @param position of the opcode that comes next, which must be the BUILD
   */
  protected wrapped(target: number, from: number, position: number): void {
    if (
      target === 0 ||
      (this.words[target] & 31) !== DICT ||
      (this.words[target - 1] & 31) !== WRAPPER ||
      this.sizes.valuesOf(this.words[target]) !== 1
    )
      return;
    let bytes = -1;
    let product = -1;
    let padding = false;
    for (let i = from; i + 1 < this.sp; i += 2) {
      const value = this.words[i + 1];
      const key = this.textAt(this.words[i]).toString('latin1');
      if (key === 'dtype' && bytes < 0 && !holdsObjects(value)) bytes = itemBytes(value);
      else if (key === 'shape' && product < 0 && (value & 31) === SHAPE) product = productOf(value);
      else if (key === 'numpy_array_alignment_bytes' && !padding && (value & 31) === INT) padding = true;
      else if (key !== 'order' && key !== 'subclass' && key !== 'allow_mmap') return;
    }
    if (bytes < 0 || product < 0) return;
    this.wrappedAt = position;
    this.wrappedBytes = bytes * product;
    this.wrappedPadding = padding;
  }
}

/** Names that are dangerous unless the arguments of all their calls clear them. */
const JUDGED_FLAGS = FLAGS.partial | FLAGS.ufunc;

/** Names whose calls are looked at more closely. */
const SPECIAL =
  FLAGS.ufunc |
  FLAGS.first |
  FLAGS.collect |
  FLAGS.secondShape |
  FLAGS.reconstructor |
  FLAGS.codec |
  FLAGS.partial |
  FLAGS.holds |
  FLAGS.dtype;

/** Bytes of the element types that NumPy names by a letter and their size. */
const ITEM_BYTES: ReadonlyMap<string, number> = new Map(
  ['b1', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', 'f2', 'f4', 'f8', 'c8', 'c16'].map((code) => [
    code,
    Number(code.slice(1)),
  ]),
);

/** Something that can be called, or a container that holds such a thing. */
function canBeCalled(value: number): boolean {
  const kind = value & 31;
  return kind === JUDGED || kind === PARTIAL || (kind < FIRST_INSTANCE && (traitsOf(value) & CALLABLE) !== 0);
}

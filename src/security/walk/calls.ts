import { WalkArrays } from './arrays';
import { JUDGED_FLAGS } from './imports';
import type { WalkInput } from './input';
import { FLAGS, type NameTable } from './names';
import { COPY, REMEMBERED, UNSURE } from './stack';
import {
  ATOM,
  CALLABLE,
  DTYPE,
  dtypeWord,
  FETCHED,
  FIRST_INSTANCE,
  GLOBAL,
  HOLDER,
  INSTANCE,
  isTuple,
  JUDGED,
  MODEL,
  MODEL_BELOW,
  MODEL_BY_VERSION,
  modelOf,
  PARTIAL,
  payloadOf,
  SHAPE,
  traitsOf,
  VERSIONED_DICT,
  WRAPPER,
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

/** Calls and states, as far as the table of names says that the judge would not object, whatever else stands in the file. */
export abstract class WalkCalls extends WalkArrays {
  readonly uses: Uint8Array;
  private readonly calledJudged: Uint8Array;
  protected models = false;
  protected versions = false;
  /** A text is called as scikit-learn calls attributes of fitted models. */
  protected fitted = false;
  /** Steps that the judge may need for states and arguments, which can be shared. */
  private work = 0;
  /** Arrays of joblib that lie in the stream. */
  protected arrays = 0;
  constructor(names: NameTable, input: WalkInput) {
    super(names, input);
    this.uses = new Uint8Array(names.count);
    this.calledJudged = new Uint8Array(names.count);
  }

  protected override reset(): void {
    for (const entry of this.imported) {
      this.uses[entry] = 0;
      this.calledJudged[entry] = 0;
    }
    super.reset();
    this.models = false;
    this.versions = false;
    this.fitted = false;
    this.work = 0;
    this.arrays = 0;
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
}

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

/** Something that can be called, or a container that holds such a thing. */
function canBeCalled(value: number): boolean {
  const kind = value & 31;
  return kind === JUDGED || kind === PARTIAL || (kind < FIRST_INSTANCE && (traitsOf(value) & CALLABLE) !== 0);
}

import { Keys } from './keys';
import {
  BYTEARRAY,
  CALLABLE,
  DICT,
  FIELD,
  FIELDS,
  FIRST_CONTAINER,
  FIRST_INSTANCE,
  FIRST_MUTABLE,
  FROZENSET,
  GLOBAL,
  HOLDER,
  HOLDS_MODEL,
  holdsObjects,
  INSTANCE,
  INT,
  isUnhashable,
  itemBytes,
  JUDGED,
  LIST,
  MISSING,
  MODEL,
  MODEL_BELOW,
  modelOf,
  OPEN,
  PARTIAL,
  payloadOf,
  SET,
  SHAPE,
  Sizes,
  shapeWord,
  TEXT,
  TUPLE,
  traitsOf,
  UNHASHABLE_TUPLE,
  VERSION,
  VERSIONED_DICT,
  word as wordOf,
} from './words';

/** Thrown, and caught by the walk itself, where only the judge can tell. */
export const UNSURE = Symbol('unsure');

/** Links of a slot: a value that was just made, and one that came out of the memo. */
export const FRESH = -1;
export const COPY = -2;

/** Parts of a tuple that are remembered until the next one is made. */
export const REMEMBERED = 9;

const MAX_SHAPE = 1 << 24;

/** Of a dict in a slot: its only key cannot be compared with others. */
const LONELY = -1;

/** Of an object in a slot: it has its state, or came out of the memo, so that it may have one. */
const BUILT = 1;

/** Texts whose hashes are kept. */
const HASHED = 1024;

/**
 * Stack, marks and memo of the walk, and what containers are when they are filled: how many values they stand for is known when they are
 * put into another one, as a value that was put somewhere never changes afterwards in an ordinary pickle (if it does, the walk gives up).
 */
export abstract class WalkStack {
  protected words = new Int32Array(1024);
  /** Index in the memo under which the value in a slot will be found, `FRESH` or `COPY`; of values that can change. */
  protected links = new Int32Array(1024);
  /** Of the value in a slot: the number of a dict, from its first keys on; whether an object has its state. */
  private details = new Int32Array(1024);
  private dicts = 0;
  private readonly keys = new Keys();
  /** Hashes of the texts that were keys lately, by the offset of their opcode. */
  private readonly hashed = new Int32Array(HASHED);
  private readonly hashes = new Int32Array(HASHED * 2);
  private hashOne = 0;
  private hashOther = 0;
  protected sp = 0;
  protected marks = new Int32Array(64);
  protected mp = 0;
  protected memo = new Int32Array(1024);
  protected memoCount = 0;
  /** The memo begins at index 1, as that of Python 2's cPickle. */
  protected memoFromOne = false;
  protected readonly sizes = new Sizes();
  /** The parts of the tuple that was made last, and the slot that it stands in. */
  protected readonly last = new Int32Array(REMEMBERED);
  protected lastCount = 0;
  protected lastSlot = -1;
  /** What `take` found. */
  protected taken = 0;
  protected takenNesting = 0;
  protected takenTraits = 0;
  protected takenUnhashable = false;

  protected reset(): void {
    this.sp = 0;
    this.mp = 0;
    this.memoCount = 0;
    this.memoFromOne = false;
    this.lastSlot = -1;
    this.sizes.reset();
    this.keys.reset();
    this.hashed.fill(0);
    this.dicts = 0;
  }

  protected push(word: number): void {
    if (this.sp === this.words.length) this.enlargeStack();
    this.words[this.sp++] = word;
  }

  /** Pushes something that can change. */
  protected pushFresh(word: number): void {
    if (word === 0) throw UNSURE;
    if (this.sp === this.words.length) this.enlargeStack();
    this.links[this.sp] = FRESH;
    this.details[this.sp] = 0;
    this.words[this.sp++] = word;
  }

  private enlargeStack(): void {
    const words = new Int32Array(this.words.length * 2);
    words.set(this.words);
    this.words = words;
    const links = new Int32Array(this.links.length * 2);
    links.set(this.links);
    this.links = links;
    const details = new Int32Array(this.details.length * 2);
    details.set(this.details);
    this.details = details;
  }

  /** The height below which the last mark keeps values from being taken. */
  protected fence(): number {
    return this.mp > 0 ? this.marks[this.mp - 1] : 0;
  }

  /** Requires `count` values above the last mark. */
  protected require(count: number): void {
    if (this.sp - count < this.fence()) throw UNSURE;
  }

  protected mark(): void {
    if (this.mp === this.marks.length) {
      const marks = new Int32Array(this.marks.length * 2);
      marks.set(this.marks);
      this.marks = marks;
    }
    this.marks[this.mp++] = this.sp;
  }

  protected popMark(): number {
    if (this.mp === 0) throw UNSURE;
    return this.marks[--this.mp];
  }

  /** The container below a mark that was just closed. */
  protected below(mark: number): number {
    if (mark <= this.fence()) throw UNSURE;
    return mark - 1;
  }

  protected pop(): void {
    if (this.mp > 0 && this.marks[this.mp - 1] === this.sp) this.mp--;
    else {
      this.require(1);
      this.take(this.sp - 1);
    }
  }

  protected memoize(index: number): void {
    if (index !== this.memoCount) throw UNSURE;
    this.require(1);
    if (index === this.memo.length) {
      const memo = new Int32Array(this.memo.length * 2);
      memo.set(this.memo);
      this.memo = memo;
    }
    const slot = this.sp - 1;
    const word = this.words[slot];
    this.memoCount++;
    if ((word & 31) < FIRST_MUTABLE || this.links[slot] === COPY) {
      this.memo[index] = word;
      return;
    }
    if (this.links[slot] !== FRESH) throw UNSURE;
    this.links[slot] = index;
    this.memo[index] = wordOf(OPEN, slot);
  }

  protected put(index: number): void {
    if (index === 1 && this.memoCount === 0) {
      this.memoFromOne = true;
      this.memo[this.memoCount++] = MISSING;
    }
    this.memoize(index);
  }

  protected get(index: number): void {
    if (index >= this.memoCount) throw UNSURE;
    let word = this.memo[index];
    let kind = word & 31;
    if (kind === MISSING) throw UNSURE;
    if (kind === OPEN) {
      // It stands on the stack and waits to be put somewhere. From here on it must not change.
      const slot = payloadOf(word);
      word = this.words[slot];
      kind = word & 31;
      this.memo[index] = word;
      this.links[slot] = COPY;
    }
    if (this.sp === this.words.length) this.enlargeStack();
    if (kind >= FIRST_CONTAINER) {
      this.links[this.sp] = COPY;
      this.details[this.sp] = BUILT;
      if (this.lastSlot === this.sp) this.lastSlot = -1;
    }
    this.words[this.sp++] = word;
  }

  /** Takes everything from a slot on off the stack, to be put into something: what it is stands in `taken…` afterwards. */
  protected take(from: number): void {
    const { words, sp } = this;
    let values = 0;
    let nesting = 0;
    let traits = 0;
    let unhashable = false;
    for (let i = from; i < sp; i++) {
      const word = words[i];
      const kind = word & 31;
      if (kind < FIRST_CONTAINER) {
        values++;
        if (kind < VERSION) continue;
        if (kind === GLOBAL) traits |= CALLABLE;
        else if (kind === JUDGED) throw UNSURE;
        else if (kind === BYTEARRAY) unhashable = true;
        continue;
      }
      if (kind >= FIRST_MUTABLE) this.close(i, word);
      values += this.sizes.valuesOf(word);
      const inner = this.sizes.nestingOf(word);
      if (inner > nesting) nesting = inner;
      const below = traitsOf(word);
      if (below !== 0) traits = merge(traits, below);
      if (kind === PARTIAL) traits |= CALLABLE;
      if (isUnhashable(kind)) unhashable = true;
    }
    this.sp = from;
    this.taken = values;
    this.takenNesting = nesting;
    this.takenTraits = traits;
    this.takenUnhashable = unhashable;
  }

  /** What a value is is known from here on: it is put into something. */
  private close(slot: number, word: number): void {
    const link = this.links[slot];
    if (link >= 0) this.memo[link] = word;
  }

  /** A tuple of the values from a slot on. */
  protected tuple(from: number): void {
    const { words, last } = this;
    const count = this.sp - from;
    let kind = SHAPE;
    let product = 1;
    for (let i = 0; i < count; i++) {
      const word = words[from + i];
      if (i < REMEMBERED) last[i] = word;
      if ((word & 31) !== INT) kind = TUPLE;
      else if (kind === SHAPE) product *= payloadOf(word);
    }
    if (count > 7 || product >= MAX_SHAPE) kind = TUPLE;
    this.take(from);
    this.lastCount = count;
    this.lastSlot = from;
    if (kind === SHAPE) {
      this.push(shapeWord(count, product));
      return;
    }
    if (this.takenUnhashable) kind = UNHASHABLE_TUPLE;
    else if (count === 2 && itemBytes(last[0]) >= 0 && !holdsObjects(last[0]) && (last[1] & 31) === INT) kind = FIELD;
    const word = this.sizes.pack(kind, this.takenTraits, this.taken + 1, this.takenNesting + 1);
    if (word === 0) throw UNSURE;
    this.push(word);
  }

  /** A list, dict or set of the values from a slot on. */
  protected collect(kind: number, from: number): void {
    if (kind === FROZENSET || kind === DICT) this.refuseUnhashable(from, kind === DICT ? 2 : 1);
    const versioned = kind === DICT && this.hasVersion(from);
    const dict = kind === DICT && from < this.sp ? this.addKeys(++this.dicts, from, true) : 0;
    this.take(from);
    const traits = kind === LIST ? this.takenTraits : hidden(this.takenTraits);
    const word = this.sizes.pack(
      versioned ? VERSIONED_DICT : kind,
      traits,
      this.taken + 1,
      this.taken === 0 ? 1 : this.takenNesting + 1,
    );
    this.pushFresh(word);
    if (dict !== 0) this.details[this.sp - 1] = dict;
  }

  /** Puts the values from a slot on into the list, set or object in another. */
  protected append(target: number, from: number, toSet: boolean): void {
    const word = this.words[target];
    const kind = word & 31;
    if (this.links[target] === COPY && kind >= FIRST_MUTABLE) throw UNSURE;
    if (kind === (toSet ? SET : LIST)) {
      if (toSet) this.refuseUnhashable(from, 1);
      this.take(from);
      const traits = toSet ? hidden(this.takenTraits) : this.takenTraits;
      this.grow(target, word, kind, merge0(traitsOf(word), traits), 0);
    } else this.intoObject(target, word, kind, from);
  }

  /** Puts pairs of keys and values from a slot on into the dict or object in another. */
  protected setItems(target: number, from: number): void {
    const { words, sp } = this;
    if ((sp - from) % 2 !== 0) throw UNSURE;
    const word = words[target];
    const kind = word & 31;
    if (this.links[target] === COPY && kind >= FIRST_MUTABLE) throw UNSURE;
    this.refuseUnhashable(from, 2);
    if (kind !== DICT && kind !== VERSIONED_DICT && kind !== FIELDS) {
      this.intoObject(target, word, kind, from);
      return;
    }
    if (from === sp) return;
    const isEmpty = this.sizes.valuesOf(word) === 1;
    const dict = isEmpty ? ++this.dicts : this.details[target];
    this.details[target] = this.addKeys(dict, from, isEmpty);
    let next = kind === FIELDS ? DICT : kind;
    if (this.hasVersion(from)) next = VERSIONED_DICT;
    else if (kind === DICT && isEmpty && this.areFields(from)) next = FIELDS;
    this.take(from);
    this.grow(target, word, next, merge0(traitsOf(word), hidden(this.takenTraits)), 0);
  }

  /**
   * Notes the keys of a dict that stand, with their values, from a slot on. A key of a kind that can be equal to one of another kind must be
   * the only one. Returns the dict's number for what comes later.
   */
  private addKeys(dict: number, from: number, isEmpty: boolean): number {
    const { words, sp } = this;
    if (dict === LONELY) throw UNSURE;
    for (let i = from; i < sp; i += 2) {
      if (this.addKey(dict, words[i]) || this.isNewObject(i)) continue;
      if (isEmpty && sp - from === 2) return LONELY;
      throw UNSURE;
    }
    return dict;
  }

  /** False for a key of which only the judge can tell whether it is another one, and for one that is there already. */
  private addKey(dict: number, key: number): boolean {
    const kind = key & 31;
    if (kind === INT) return this.keys.add(dict, payloadOf(key), INT);
    if (kind === VERSION) return this.keys.add(dict, VERSION, VERSION);
    if (kind !== TEXT || payloadOf(key) === 0) return false;
    this.hash(key);
    return this.keys.add(dict, this.hashOne, this.hashOther);
  }

  /** Whether an object stands in a slot that was just made: as a key it is equal to itself alone, as its class is not run. */
  private isNewObject(slot: number): boolean {
    return (this.words[slot] & 31) === INSTANCE && this.links[slot] !== COPY;
  }

  /** Sets the two hashes of a text. */
  private hash(key: number): void {
    const offset = payloadOf(key);
    const place = offset & (HASHED - 1);
    if (this.hashed[place] !== offset) {
      const bytes = this.placeText(key);
      const start = this.textStart;
      const end = start + this.textLength;
      let one = 0x811c9dc5 ^ this.textLength;
      let other = this.textLength;
      for (let i = start; i < end; i++) {
        one = Math.imul(one ^ bytes[i], 0x01000193);
        other = Math.imul(other ^ (other >>> 15) ^ bytes[i], 0x2c1b3c6d);
      }
      this.hashed[place] = offset;
      this.hashes[place * 2] = one;
      this.hashes[place * 2 + 1] = other;
    }
    this.hashOne = this.hashes[place * 2];
    this.hashOther = this.hashes[place * 2 + 1];
  }

  /** Finds the bytes of a text by the opcode that it came from: those returned hold it from `textStart` on. */
  protected abstract placeText(value: number): Uint8Array;
  protected textStart = 0;
  protected textLength = 0;

  /** An object gets a state, which an ordinary stream gives it once, where it was made. */
  protected isBuilt(slot: number): void {
    if (this.details[slot] !== 0) throw UNSURE;
    this.details[slot] = BUILT;
  }

  private intoObject(target: number, word: number, kind: number, from: number): void {
    if (kind !== INSTANCE && kind !== HOLDER) throw UNSURE;
    this.take(from);
    const model = modelOf(word) === 0 && (this.takenTraits & 3) !== 0 ? MODEL_BELOW : modelOf(word);
    this.grow(target, word, kind, model, 2);
  }

  private grow(target: number, word: number, kind: number, traits: number, more: number): void {
    const nesting = this.takenNesting === 0 ? 1 : this.takenNesting + 1;
    const grown = this.sizes.grow(word, kind, traits, this.taken + more, nesting + (more > 0 ? 1 : 0));
    if (grown === 0) throw UNSURE;
    this.words[target] = grown;
  }

  private refuseUnhashable(from: number, step: number): void {
    const { words, sp } = this;
    for (let i = from; i < sp; i += step) if (isUnhashable(words[i] & 31)) throw UNSURE;
  }

  private hasVersion(from: number): boolean {
    const { words, sp } = this;
    for (let i = from; i < sp; i += 2) if ((words[i] & 31) === VERSION) return true;
    return false;
  }

  private areFields(from: number): boolean {
    const { words, sp } = this;
    for (let i = from + 1; i < sp; i += 2) if ((words[i] & 31) !== FIELD) return false;
    return true;
  }

  protected isObject(slot: number): boolean {
    return (this.words[slot] & 31) >= FIRST_INSTANCE;
  }
}

/** Traits of a container that gets something with traits of its own. */
function merge(traits: number, below: number): number {
  const model = below & 3;
  const raised = model === 0 ? 0 : model === MODEL ? HOLDS_MODEL : MODEL_BELOW;
  return merge0(traits, raised | (below & CALLABLE));
}

function merge0(a: number, b: number): number {
  return Math.max(a & 3, b & 3) | ((a | b) & CALLABLE);
}

/** Where a model stands in dicts and sets is left to the reader: keys can be equal. */
function hidden(traits: number): number {
  return (traits & 3) === 0 ? traits : (traits & CALLABLE) | MODEL_BELOW;
}

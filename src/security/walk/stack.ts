import { merge } from './traits';
import {
  BYTEARRAY,
  CALLABLE,
  FIRST_CONTAINER,
  FIRST_MUTABLE,
  GLOBAL,
  isUnhashable,
  JUDGED,
  MISSING,
  OPEN,
  PARTIAL,
  payloadOf,
  Sizes,
  traitsOf,
  VERSION,
  word as wordOf,
} from './words';

/** Thrown, and caught by the walk itself, where only the judge can tell. */
export const UNSURE = Symbol('unsure');

/** Links of a slot: a value that was just made, and one that came out of the memo. */
export const FRESH = -1;
export const COPY = -2;

/** Parts of a tuple that are remembered until the next one is made. */
export const REMEMBERED = 9;

/** Of an object in a slot: it has its state, or came out of the memo, so that it may have one. */
const BUILT = 1;

/**
 * Stack, marks and memo of the walk. How many values something stands for is known when it is put into something else, as a value that was
 * put somewhere never changes afterwards in an ordinary pickle (if it does, the walk gives up).
 */
export abstract class WalkStack {
  protected words = new Int32Array(1024);
  /** Index in the memo under which the value in a slot will be found, `FRESH` or `COPY`; of values that can change. */
  protected links = new Int32Array(1024);
  /** Of the value in a slot: the number of a dict, from its first keys on; whether an object has its state. */
  protected details = new Int32Array(1024);
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

  /** An object gets a state, which an ordinary stream gives it once, where it was made. */
  protected giveState(slot: number): void {
    if (this.details[slot] !== 0) throw UNSURE;
    this.details[slot] = BUILT;
  }
}

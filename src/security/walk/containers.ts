import { Keys } from './keys';
import { COPY, REMEMBERED, UNSURE, WalkStack } from './stack';
import { hidden, merge0 } from './traits';
import {
  DICT,
  FIELD,
  FIELDS,
  FIRST_MUTABLE,
  FROZENSET,
  HOLDER,
  holdsObjects,
  INSTANCE,
  INT,
  isUnhashable,
  itemBytes,
  LIST,
  MODEL_BELOW,
  modelOf,
  payloadOf,
  SET,
  SHAPE,
  shapeWord,
  TEXT,
  TUPLE,
  traitsOf,
  UNHASHABLE_TUPLE,
  VERSION,
  VERSIONED_DICT,
} from './words';

const MAX_SHAPE = 1 << 24;

/** Of a dict in a slot: its only key cannot be compared with others. */
const LONELY = -1;

/** Texts whose hashes are kept. */
const HASHED = 1024;

/** What tuples, lists, dicts and sets are when they are filled, and that no dict gets a key twice. */
export abstract class WalkContainers extends WalkStack {
  private dicts = 0;
  private readonly keys = new Keys();
  /** Hashes of the texts that were keys lately, by the offset of their opcode. */
  private readonly hashed = new Int32Array(HASHED);
  private readonly hashes = new Int32Array(HASHED * 2);
  private hashOne = 0;
  private hashOther = 0;

  protected override reset(): void {
    super.reset();
    this.keys.reset();
    this.hashed.fill(0);
    this.dicts = 0;
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
}

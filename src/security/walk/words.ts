/**
 * What the walk keeps of a value: one 32-bit word. Five bits say what kind of value it is; of a container the others hold how many values it
 * stands for, how deep it is nested and whether it is a model, as far as a report depends on that; of a name its entry in the table.
 */

/** No value: a slot of the memo that was never filled. */
export const MISSING = 0;
/** A value that can neither hold nor do anything, and of which nothing more matters. */
export const ATOM = 1;
/** A whole number from 0 to 2^26-1, which the word holds. */
export const INT = 2;
/** A text; the word holds the offset of its opcode, 0 where that is too large. */
export const TEXT = 3;
/** The text under which scikit-learn keeps its version in a state. */
export const VERSION = 4;
/** A bytearray, which cannot be a key. */
export const BYTEARRAY = 5;
/** An imported name that may stand anywhere. */
export const GLOBAL = 6;
/** An imported name that is cleared by its calls, so that it must not stand as a value. */
export const JUDGED = 7;
/** Bytes. */
export const BYTES = 8;
export const NONE = 9;
/** A whole number below zero. */
export const NEGATIVE = 10;
/** The first kind that holds values. */
export const FIRST_CONTAINER = 15;
/** What a call fetched from the loading program, by a name that is vetted. */
export const FETCHED = 15;
export const TUPLE = 16;
/** A tuple of a few small whole numbers; the word holds how many, and their product. */
export const SHAPE = 17;
/** A tuple that cannot be a key, because something in it cannot. */
export const UNHASHABLE_TUPLE = 18;
/** A tuple of an element type without objects and an offset: a field of a structured type. */
export const FIELD = 19;
export const FROZENSET = 20;
/** The first kind that can change after it was made. */
export const FIRST_MUTABLE = 21;
export const LIST = 21;
export const DICT = 22;
/** A dict with the version of scikit-learn among its keys. */
export const VERSIONED_DICT = 23;
/** A dict of nothing but fields. */
export const FIELDS = 24;
export const SET = 25;
/** The first kind that a call makes. */
export const FIRST_INSTANCE = 26;
export const INSTANCE = 26;
export const PARTIAL = 27;
/** joblib's announcement of an array that follows in the stream. */
export const WRAPPER = 28;
/** An element type of NumPy; the word holds its bytes, or that they are not known. */
export const DTYPE = 29;
/** An object whose maker may call what it is given: its state must hold nothing that can be called. */
export const HOLDER = 30;
/** In the memo: a value that can change and is still being filled. */
export const OPEN = 31;

const UNHASHABLE =
  (1 << BYTEARRAY) |
  (1 << UNHASHABLE_TUPLE) |
  (1 << LIST) |
  (1 << DICT) |
  (1 << VERSIONED_DICT) |
  (1 << FIELDS) |
  (1 << SET);

/** Whether Python refuses a value of this kind as a key. */
export function isUnhashable(kind: number): boolean {
  return ((UNHASHABLE >>> kind) & 1) === 1;
}

/** Whether a value of this kind is a tuple. */
export function isTuple(kind: number): boolean {
  return kind >= TUPLE && kind <= FIELD;
}

/** Where a model stands in a container: nowhere, the value is one, directly in it, somewhere below. */
export const MODEL = 1;
export const HOLDS_MODEL = 2;
/** Of an object: it is one because of the version in its state. */
export const MODEL_BY_VERSION = 2;
export const MODEL_BELOW = 3;
const MODEL_BITS = 3;
/** Something that can be called stands in a container, not counting what stands in objects. */
export const CALLABLE = 4;

/** Values that one container may stand for; more are left to the judge, which knows what a bomb is. */
const MAX_VALUES = 5e7;
/** Levels of nesting up to which nothing is odd. */
const MAX_NESTING = 100_000;
const MAX_LARGE = 1 << 23;

/** Bytes of one element that a word can hold. */
const MAX_ITEM = 0xffff;
const OBJECTS_FLAG = 1 << 21;
const UNKNOWN_FLAG = 1 << 22;
const BUILT_FLAG = 1 << 23;

export function word(kind: number, payload: number): number {
  return kind | (payload << 5);
}

export function payloadOf(value: number): number {
  return value >>> 5;
}

/** An element type of so many bytes; with a negative number, one of which nothing is known. */
export function dtypeWord(bytes: number, objects: boolean): number {
  if (bytes < 0 || bytes > MAX_ITEM) return DTYPE | UNKNOWN_FLAG;
  return DTYPE | (bytes << 5) | (objects ? OBJECTS_FLAG : 0);
}

/** Bytes of one element that holds no objects; -1 if that is not known. */
export function itemBytes(value: number): number {
  if ((value & 31) !== DTYPE || (value & (OBJECTS_FLAG | UNKNOWN_FLAG)) !== 0) return -1;
  return (value >>> 5) & MAX_ITEM;
}

/** Whether an element type is known to hold objects. */
export function holdsObjects(value: number): boolean {
  return (value & OBJECTS_FLAG) !== 0;
}

/** An element type after its state was set, by which its elements have so many bytes (a negative number: as before). Only once. */
export function builtDtype(type: number, bytes: number): number {
  if ((type & (UNKNOWN_FLAG | BUILT_FLAG)) !== 0) return DTYPE | UNKNOWN_FLAG;
  return dtypeWord(bytes < 0 ? (type >>> 5) & MAX_ITEM : bytes, holdsObjects(type)) | BUILT_FLAG;
}

/** A tuple of `count` whole numbers with this product, which is below 2^24. */
export function shapeWord(count: number, product: number): number {
  return SHAPE | (count << 5) | (product << 8);
}

export function productOf(value: number): number {
  return value >>> 8;
}

/** The sizes of containers: small ones in the word itself, large ones in a table that it points to. */
export class Sizes {
  private values = new Float64Array(256);
  private nestings = new Int32Array(256);
  private large = 0;

  /** Forgets the large containers of the file before. */
  reset(): void {
    this.large = 0;
    if (this.values.length > 1 << 16) {
      this.values = new Float64Array(256);
      this.nestings = new Int32Array(256);
    }
  }

  /** The word of a container; 0 if it is too large or too deep to be ordinary. */
  pack(kind: number, traits: number, values: number, nesting: number): number {
    if (values < 0x2000 && nesting < 0x400) return kind | (traits << 5) | (values << 8) | (nesting << 21);
    if (values > MAX_VALUES || nesting > MAX_NESTING || this.large >= MAX_LARGE) return 0;
    const index = this.large++;
    if (index >= this.values.length) this.enlarge();
    this.values[index] = values;
    this.nestings[index] = nesting;
    return kind | (traits << 5) | (index << 8) | (1 << 31);
  }

  /** The word of a container that got more values; 0 like `pack`. What it said before is lost. */
  grow(before: number, kind: number, traits: number, more: number, nesting: number): number {
    const values = this.valuesOf(before) + more;
    const deepest = Math.max(nesting, this.nestingOf(before));
    if (before >= 0) return this.pack(kind, traits, values, deepest);
    if (values > MAX_VALUES || deepest > MAX_NESTING) return 0;
    const index = (before >>> 8) & 0x7fffff;
    this.values[index] = values;
    this.nestings[index] = deepest;
    return kind | (traits << 5) | (index << 8) | (1 << 31);
  }

  /** Values that a container stands for, itself included. */
  valuesOf(value: number): number {
    const kind = value & 31;
    if (kind === SHAPE) return ((value >>> 5) & 7) + 1;
    if (kind === DTYPE) return DTYPE_VALUES;
    return value < 0 ? this.values[(value >>> 8) & 0x7fffff] : (value >>> 8) & 0x1fff;
  }

  nestingOf(value: number): number {
    const kind = value & 31;
    if (kind === SHAPE) return 1;
    if (kind === DTYPE) return DTYPE_NESTING;
    return value < 0 ? this.nestings[(value >>> 8) & 0x7fffff] : (value >>> 21) & 0x3ff;
  }

  private enlarge(): void {
    const values = new Float64Array(this.values.length * 2);
    values.set(this.values);
    this.values = values;
    const nestings = new Int32Array(this.nestings.length * 2);
    nestings.set(this.nestings);
    this.nestings = nestings;
  }
}

/** What an element type and its arguments stand for, at most: `dtype` is made only of arguments that are plain. */
const DTYPE_VALUES = 16;
const DTYPE_NESTING = 3;

/** What a container holds that matters: where a model is, and whether something can be called. */
export function traitsOf(value: number): number {
  const kind = value & 31;
  return kind < FIRST_CONTAINER || kind === SHAPE || kind === DTYPE ? 0 : (value >>> 5) & 7;
}

/** Where a model stands in a container or object. */
export function modelOf(value: number): number {
  return traitsOf(value) & MODEL_BITS;
}

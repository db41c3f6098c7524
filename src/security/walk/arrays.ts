import { WalkImports } from './imports';
import { REMEMBERED, UNSURE } from './stack';
import {
  builtDtype,
  DICT,
  dtypeWord,
  FIELDS,
  FIRST_CONTAINER,
  holdsObjects,
  INT,
  isTuple,
  itemBytes,
  NEGATIVE,
  NONE,
  payloadOf,
  productOf,
  SHAPE,
  TEXT,
  WRAPPER,
} from './words';

/** Bytes of the element types that NumPy names by a letter and their size. */
const ITEM_BYTES: ReadonlyMap<string, number> = new Map(
  ['b1', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', 'f2', 'f4', 'f8', 'c8', 'c16'].map((code) => [
    code,
    Number(code.slice(1)),
  ]),
);

/** Element types of NumPy, and what joblib says about an array whose bytes stand behind its object. */
export abstract class WalkArrays extends WalkImports {
  /** What the dict holds that was filled last, if it may be the state of a wrapper: see `wrapped`. */
  protected wrappedAt = -1;
  protected wrappedBytes = 0;
  protected wrappedPadding = false;

  protected override reset(): void {
    super.reset();
    this.wrappedAt = -1;
  }

  /** `numpy.dtype('f8', False, True)`: an element type, so far without its state. */
  protected elementType(): number {
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

  /** `(version, order, sub-array, names, fields, bytes, …)`, as NumPy pickles an element type. */
  protected typeWithState(type: number): number {
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

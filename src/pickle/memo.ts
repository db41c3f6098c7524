import { Instance, type Value } from './values';

/** Indexes up to this far beyond the number of entries are kept in an array; a file cannot make us allocate more than it is worth. */
const DENSE_SLACK = 4096;

/**
 * The unpickler's memo. MEMOIZE stores at the number of *occupied* slots, as CPython's C unpickler counts them, not at the highest
 * index plus one; PUT may store anywhere and overwrites.
 */
export class Memo {
  private readonly dense: (Value | undefined)[] = [];
  /** For a slot that holds something among the packed arguments of a call: which part, plus one. The slot has the call. */
  private parts: Uint8Array | undefined;
  private readonly sparse = new Map<number | bigint, Value>();
  private occupied = 0;

  /** Number of occupied slots. */
  get size(): number {
    return this.occupied;
  }

  /** The slot that MEMOIZE fills, if it is behind all others; -1 if there are gaps. */
  get next(): number {
    return this.occupied === this.dense.length && this.sparse.size === 0 ? this.occupied : -1;
  }

  get(index: number | bigint): Value | undefined {
    if (index >= this.dense.length) return this.sparse.get(index);
    const value = this.dense[Number(index)];
    const part = this.parts?.[Number(index)];
    return part && value instanceof Instance ? value.lazyArguments?.part(part - 1) : value;
  }

  /** Like `get`; `undefined` also for what stands in packed arguments. */
  whole(index: number): Value | undefined {
    return this.parts?.[index] ? undefined : this.get(index);
  }

  /** MEMOIZE of what stands among the packed arguments of a call. */
  memoizePart(call: Instance, part: number): void {
    const index = this.occupied;
    if (!this.parts || index >= this.parts.length) {
      const larger = new Uint8Array(Math.max(1024, 2 * index));
      if (this.parts) larger.set(this.parts);
      this.parts = larger;
    }
    this.put(index, call);
    this.parts[index] = part + 1;
  }

  /** An index is a number, or a bigint if no number is exact (and then it is larger than any other). */
  put(index: number | bigint, value: Value): void {
    if (typeof index === 'bigint') {
      if (!this.sparse.has(index)) this.occupied++;
      this.sparse.set(index, value);
      return;
    }
    if (index === this.dense.length) {
      if (this.sparse.size > 0 && this.sparse.delete(index)) this.occupied--;
      this.dense.push(value);
      this.occupied++;
    } else if (index < this.dense.length) {
      if (this.dense[index] === undefined) this.occupied++;
      this.dense[index] = value;
      if (this.parts && index < this.parts.length) this.parts[index] = 0;
    } else if (index < this.occupied + DENSE_SLACK) {
      while (this.dense.length < index) {
        const moved = this.sparse.get(this.dense.length);
        if (moved !== undefined) this.sparse.delete(this.dense.length);
        this.dense.push(moved);
      }
      this.put(index, value);
    } else {
      if (!this.sparse.has(index)) this.occupied++;
      this.sparse.set(index, value);
    }
  }

  memoize(value: Value): void {
    this.put(this.occupied, value);
  }
}

import type { Value } from './values';

/** Indexes up to this far beyond the number of entries are kept in an array; a file cannot make us allocate more than it is worth. */
const DENSE_SLACK = 4096;

/**
 * The unpickler's memo. MEMOIZE stores at the number of *occupied* slots, as CPython's C unpickler counts them, not at the highest
 * index plus one; PUT may store anywhere and overwrites.
 */
export class Memo {
  private readonly dense: (Value | undefined)[] = [];
  private readonly sparse = new Map<number | bigint, Value>();
  private occupied = 0;

  /** Number of occupied slots. */
  get size(): number {
    return this.occupied;
  }

  get(index: number | bigint): Value | undefined {
    return index < this.dense.length ? this.dense[Number(index)] : this.sparse.get(index);
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

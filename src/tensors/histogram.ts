import { KERNEL_BINS, type Kernel, type KernelType } from './kernels/kernel';
import { countBlock } from './kernels/plain-loops';

/** Bins kept while adding; fewer are shown. */
const BINS = KERNEL_BINS;
const SHOWN_BINS = 64;

export interface Histogram {
  from: number;
  to: number;
  counts: number[];
}

/** Elements in a kernel's memory. */
export interface InKernel {
  kernel: Kernel;
  type: KernelType;
}

/**
 * A histogram of values that pass by once. The width of its bins is a power of two and doubles when values fall outside, which merges
 * bins pairwise, so that counts stay exact.
 */
export class Bins {
  /** Bin `i` holds values in `[(first + i) * width, (first + i + 1) * width)`. */
  private width = 0;
  private first = 0;
  private counts = new Float64Array(BINS);
  /** Four tables, so that equal neighbours do not wait for each other's increment. */
  private lanes: Int32Array | undefined;
  private possible = true;

  /** Adds `count` times the same value, after `cover`. */
  add(value: number, count: number): void {
    this.counts[this.bin(value)] += count;
  }

  /** Adds values `[start, end)`, after `cover` with their extremes. */
  addBlock(
    values: ArrayLike<number>,
    start: number,
    end: number,
    extremes: { min: number; max: number },
    place?: InKernel,
  ): void {
    const { min, max } = extremes;
    const { width, first, counts } = this;
    const only = this.bin(min);
    if (only === this.bin(max)) {
      counts[only] += end - start;
      return;
    }
    if (place?.kernel.count(place.type, start, end, width, first, counts)) return;
    const scale = 1 / width;
    if (!Number.isFinite(scale)) {
      for (let i = start; i < end; i++) counts[this.bin(values[i])]++;
      return;
    }
    this.lanes ??= new Int32Array(BINS * 4);
    const { lanes } = this;
    countBlock(values, start, end, scale, first, lanes, BINS);
    for (let b = 0; b < BINS; b++) {
      counts[b] += lanes[b] + lanes[BINS + b] + lanes[2 * BINS + b] + lanes[3 * BINS + b];
    }
    lanes.fill(0);
  }

  private bin(value: number): number {
    return Math.floor(value / this.width) - this.first;
  }

  /** Makes the bins cover `[min, max]`, where all values so far lie in `[lowest, highest]`; false if no bins can. */
  cover(min: number, max: number, lowest: number, highest: number): boolean {
    if (!this.possible) return false;
    if (this.width > 0) {
      const low = Math.floor(min / this.width) - this.first;
      const high = Math.floor(max / this.width) - this.first;
      if (low >= 0 && high < BINS) return true;
    }
    const span = highest - lowest;
    const size = Math.max(Math.abs(lowest), Math.abs(highest));
    if (!Number.isFinite(span)) {
      this.possible = false;
      return false;
    }
    // Bins so fine that their numbers stay exact integers, and so wide that the span has room to grow.
    let width =
      this.width ||
      2 ** Math.max(-1022, Math.floor(Math.log2(Math.max(span / (BINS / 4), size * 2 ** -28, 2 ** -1000))));
    while (Math.floor(highest / width) - Math.floor(lowest / width) >= BINS) width *= 2;
    let first = Math.floor(lowest / width);
    // Room on both sides, so that growing is rare.
    const used = Math.floor(highest / width) - first + 1;
    first -= Math.floor((BINS - used) / 2);
    const counts = new Float64Array(BINS);
    if (this.width > 0) {
      const ratio = width / this.width;
      for (let b = 0; b < BINS; b++) {
        if (this.counts[b] > 0) counts[Math.floor((this.first + b) / ratio) - first] += this.counts[b];
      }
    }
    this.width = width;
    this.first = first;
    this.counts = counts;
    return true;
  }

  /** Equal bins from the lowest to the highest value, at most 64; counts are exact. `undefined` without finite values. */
  histogram(): Histogram | undefined {
    if (!this.possible || this.width === 0) return undefined;
    let { width, first } = this;
    let counts = [...this.counts];
    const trim = () => {
      let low = 0;
      let high = counts.length;
      while (low < high && counts[low] === 0) low++;
      while (high > low && counts[high - 1] === 0) high--;
      counts = counts.slice(low, high);
      first += low;
    };
    trim();
    while (counts.length > SHOWN_BINS) {
      const merged: number[] = [];
      const next = Math.floor(first / 2);
      for (let i = 0; i < counts.length; i++) {
        const to = Math.floor((first + i) / 2) - next;
        merged[to] = (merged[to] ?? 0) + counts[i];
      }
      counts = merged;
      first = next;
      width *= 2;
    }
    return { from: first * width, to: (first + counts.length) * width, counts };
  }
}

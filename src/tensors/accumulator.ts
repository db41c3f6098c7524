import { type Float32Kernel, KERNEL_BINS } from './float32-kernel';

/** Bins kept while adding; fewer are shown. */
const BINS = KERNEL_BINS;
const SHOWN_BINS = 64;
/** Values looked at twice, once for sums and once for the histogram, while they are in the processor's cache. */
const BLOCK = 16384;

export interface Histogram {
  from: number;
  to: number;
  counts: number[];
}

/**
 * Running minimum, maximum, mean, deviation, zeros, NaN, infinities and histogram of values that pass by once, in constant memory.
 * Minimum, maximum, mean, deviation and histogram are of the finite values. The histogram's bin width is a power of two and doubles
 * when values fall outside, which merges bins pairwise, so that counts stay exact.
 * Means are combined by Chan, Golub and LeVeque's pairwise formula.
 */
export class Accumulator {
  seen = 0;
  zeros = 0;
  nans = 0;
  infinities = 0;
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;
  private finite = 0;
  private mean = 0;
  private squares = 0;
  /** Bin `i` holds values in `[(first + i) * width, (first + i + 1) * width)`. */
  private width = 0;
  private first = 0;
  private counts = new Float64Array(BINS);
  /** Four tables, so that equal neighbours do not wait for each other's increment. */
  private readonly lanes = new Int32Array(BINS * 4);
  private binnable = true;
  /** Sum, sum of squares, minimum, maximum and zeros of the block at hand. */
  private readonly partial = new Float64Array(5);

  add(values: Float32Array | Float64Array): void {
    for (let at = 0; at < values.length; at += BLOCK) this.block(values, at, Math.min(values.length, at + BLOCK));
  }

  /** The float32 elements in a kernel's memory. */
  addFromKernel(kernel: Float32Kernel, count: number): void {
    const values = new Float32Array(kernel.bytes.buffer, kernel.bytes.byteOffset, count);
    const whole = count - (count % 4);
    for (let at = 0; at < whole; at += BLOCK) {
      const end = Math.min(whole, at + BLOCK);
      const shift = values[at];
      const { sum, squares, min, max, zeros } = kernel.sums(at, end, shift);
      if (!Number.isFinite(squares)) {
        this.block(values, at, end);
        continue;
      }
      this.addSums(end - at, shift, sum, squares, min, max, zeros);
      if (!this.cover(min, max)) continue;
      if (this.width >= 2 ** -100 && this.width <= 2 ** 100) {
        kernel.count(at, end, 1 / this.width, this.first);
        kernel.flush(this.counts);
      } else this.fill(values, at, end);
    }
    for (let i = whole; i < count; i++) this.addRepeated(values[i], 1);
  }

  /** The same value `count` times. */
  addRepeated(value: number, count: number): void {
    if (count === 0) return;
    this.seen += count;
    if (Number.isNaN(value)) this.nans += count;
    else if (!Number.isFinite(value)) this.infinities += count;
    else {
      if (value === 0) this.zeros += count;
      this.combine(count, value, 0, value, value);
      if (this.cover(value, value)) this.counts[this.bin(value)] += count;
    }
  }

  private block(values: Float32Array | Float64Array, start: number, end: number): void {
    const n = end - start;
    const shift = values[start];
    sumBlock(values, start, end, shift, this.partial);
    const [sum, squares, min, max, zeros] = this.partial;
    if (!Number.isFinite(squares)) {
      // A NaN or an infinity is among them, or their squares overflow.
      for (let k = start; k < end; k++) this.addRepeated(values[k], 1);
      return;
    }
    this.addSums(n, shift, sum, squares, min, max, zeros);
    if (this.cover(min, max)) this.fill(values, start, end);
  }

  private addSums(
    n: number,
    shift: number,
    sum: number,
    squares: number,
    min: number,
    max: number,
    zeros: number,
  ): void {
    this.seen += n;
    this.zeros += zeros;
    const offset = sum / n;
    this.combine(n, shift + offset, Math.max(0, squares - sum * offset), min, max);
  }

  private combine(count: number, mean: number, squares: number, min: number, max: number): void {
    const total = this.finite + count;
    const delta = mean - this.mean;
    this.squares += squares + delta * delta * ((this.finite * count) / total);
    this.mean += (delta * count) / total;
    this.finite = total;
    if (min < this.min) this.min = min;
    if (max > this.max) this.max = max;
  }

  private fill(values: Float32Array | Float64Array, start: number, end: number): void {
    const scale = 1 / this.width;
    const { lanes, first, counts } = this;
    if (!Number.isFinite(scale)) {
      for (let i = start; i < end; i++) counts[this.bin(values[i])]++;
      return;
    }
    countBlock(values, start, end, scale, first, lanes);
    for (let b = 0; b < BINS; b++) {
      counts[b] += lanes[b] + lanes[BINS + b] + lanes[2 * BINS + b] + lanes[3 * BINS + b];
    }
    lanes.fill(0);
  }

  private bin(value: number): number {
    return Math.floor(value / this.width) - this.first;
  }

  /** Makes the bins cover `[min, max]`; false if no bins can. */
  private cover(min: number, max: number): boolean {
    if (!this.binnable) return false;
    if (this.width > 0) {
      const low = Math.floor(min / this.width) - this.first;
      const high = Math.floor(max / this.width) - this.first;
      if (low >= 0 && high < BINS) return true;
    }
    const lowest = Math.min(min, this.min);
    const highest = Math.max(max, this.max);
    const span = highest - lowest;
    const size = Math.max(Math.abs(lowest), Math.abs(highest));
    if (!Number.isFinite(span)) {
      this.binnable = false;
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

  get meanValue(): number | undefined {
    return this.finite > 0 ? this.mean : undefined;
  }

  /** Population standard deviation (the divisor is the number of values), as `numpy.std` gives it. */
  get deviation(): number | undefined {
    return this.finite > 0 ? Math.sqrt(this.squares / this.finite) : undefined;
  }

  /** Equal bins from the lowest to the highest value, at most 64; counts are exact. `undefined` without finite values. */
  histogram(): Histogram | undefined {
    if (!this.binnable || this.width === 0) return undefined;
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

/** Sums of `value - shift` and their squares, extremes and zeros of one block, into `out`. Four chains, so that additions overlap. */
function sumBlock(
  values: Float32Array | Float64Array,
  start: number,
  end: number,
  shift: number,
  out: Float64Array,
): void {
  let min = shift;
  let max = shift;
  let zeros = 0;
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let q0 = 0;
  let q1 = 0;
  let q2 = 0;
  let q3 = 0;
  let i = start;
  for (; i + 3 < end; i += 4) {
    const a = values[i];
    const b = values[i + 1];
    const c = values[i + 2];
    const d = values[i + 3];
    const da = a - shift;
    const db = b - shift;
    const dc = c - shift;
    const dd = d - shift;
    s0 += da;
    s1 += db;
    s2 += dc;
    s3 += dd;
    q0 += da * da;
    q1 += db * db;
    q2 += dc * dc;
    q3 += dd * dd;
    if (a < min) min = a;
    else if (a > max) max = a;
    if (b < min) min = b;
    else if (b > max) max = b;
    if (c < min) min = c;
    else if (c > max) max = c;
    if (d < min) min = d;
    else if (d > max) max = d;
    if (a === 0) zeros++;
    if (b === 0) zeros++;
    if (c === 0) zeros++;
    if (d === 0) zeros++;
  }
  for (; i < end; i++) {
    const a = values[i];
    const d = a - shift;
    s0 += d;
    q0 += d * d;
    if (a < min) min = a;
    else if (a > max) max = a;
    if (a === 0) zeros++;
  }
  out[0] = s0 + s1 + (s2 + s3);
  out[1] = q0 + q1 + (q2 + q3);
  out[2] = min;
  out[3] = max;
  out[4] = zeros;
}

/** Counts each value in its bin. Scaling by a power of two is exact; truncation is floor, as no value lies below the first bin. */
function countBlock(
  values: Float32Array | Float64Array,
  start: number,
  end: number,
  scale: number,
  first: number,
  lanes: Int32Array,
): void {
  let i = start;
  for (; i + 3 < end; i += 4) {
    lanes[(values[i] * scale - first) | 0]++;
    lanes[BINS + ((values[i + 1] * scale - first) | 0)]++;
    lanes[2 * BINS + ((values[i + 2] * scale - first) | 0)]++;
    lanes[3 * BINS + ((values[i + 3] * scale - first) | 0)]++;
  }
  for (; i < end; i++) lanes[(values[i] * scale - first) | 0]++;
}

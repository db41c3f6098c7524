import { Bins, type Histogram, type InKernel } from './histogram';
import type { Kernel, KernelType } from './kernels/kernel';
import { sumBlock } from './kernels/plain-loops';

/** Values looked at twice, once for sums and once for the histogram, while they are in the processor's cache. */
const BLOCK = 16384;

/** Values of a tensor in memory. */
export type Values = Float32Array | Float64Array | Int32Array | Uint32Array;

/**
 * Running minimum, maximum, mean, deviation, zeros, NaN, infinities and histogram of values that pass by once, in constant memory.
 * Minimum, maximum, mean, deviation and histogram are of the finite values.
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
  private readonly bins = new Bins();
  /** Sum, sum of squares, minimum, maximum and zeros of the block at hand. */
  private readonly partial = new Float64Array(5);
  /** The block at hand, without what is not finite. */
  private copy: Float64Array | undefined;

  add(values: Values): void {
    for (let at = 0; at < values.length; at += BLOCK) this.block(values, at, Math.min(values.length, at + BLOCK));
  }

  /** The first `count` elements in a kernel's memory. */
  addFromKernel(kernel: Kernel, type: KernelType, count: number): void {
    const values = valuesIn(kernel.bytes, type, count);
    const whole = count - (count % 4);
    for (let at = 0; at < whole; at += BLOCK) {
      const end = Math.min(whole, at + BLOCK);
      const shift = values[at];
      const { sum, squares, min, max, zeros } = kernel.sums(type, at, end, shift);
      if (Number.isFinite(squares)) {
        this.addSums(end - at, shift, sum, squares, min, max, zeros);
        this.fill(values, at, end, { min, max }, { kernel, type });
      } else this.block(values, at, end);
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
      if (this.bins.cover(value, value, this.min, this.max)) this.bins.add(value, count);
    }
  }

  /** Values, each as often as its count says: the type's whole range, for types of few bits. */
  addCounted(values: Float64Array, counts: Float64Array): void {
    let finite = 0;
    let weighted = 0;
    let min = Number.POSITIVE_INFINITY;
    let max = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < values.length; i++) {
      const count = counts[i];
      if (count === 0) continue;
      const value = values[i];
      this.seen += count;
      if (Number.isNaN(value)) this.nans += count;
      else if (value - value !== 0) this.infinities += count;
      else {
        if (value === 0) this.zeros += count;
        finite += count;
        weighted += value * count;
        if (value < min) min = value;
        if (value > max) max = value;
      }
    }
    if (finite === 0) return;
    const mean = weighted / finite;
    let squares = 0;
    for (let i = 0; i < values.length; i++) {
      if (counts[i] > 0 && values[i] - values[i] === 0) squares += counts[i] * (values[i] - mean) ** 2;
    }
    this.combine(finite, mean, squares, min, max);
    if (!this.bins.cover(min, max, this.min, this.max)) return;
    for (let i = 0; i < values.length; i++) {
      if (counts[i] > 0 && values[i] - values[i] === 0) this.bins.add(values[i], counts[i]);
    }
  }

  /** A block by its finite values, in JavaScript. */
  private block(values: Values, start: number, end: number): void {
    this.copy ??= new Float64Array(BLOCK);
    const { copy } = this;
    copy.set(values.subarray(start, end));
    let kept = 0;
    for (let i = 0; i < end - start; i++) {
      const value = copy[i];
      if (value - value === 0) copy[kept++] = value;
      else if (Number.isNaN(value)) this.nans++;
      else this.infinities++;
    }
    this.seen += end - start - kept;
    if (kept === 0) return;
    const shift = copy[0];
    sumBlock(copy, kept, shift, this.partial);
    const [sum, squares, min, max, zeros] = this.partial;
    if (!Number.isFinite(squares)) {
      // The squares overflow.
      for (let i = 0; i < kept; i++) this.addRepeated(copy[i], 1);
      return;
    }
    this.addSums(kept, shift, sum, squares, min, max, zeros);
    this.fill(copy, 0, kept, { min, max });
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

  private fill(
    values: Values,
    start: number,
    end: number,
    extremes: { min: number; max: number },
    place?: InKernel,
  ): void {
    if (!this.bins.cover(extremes.min, extremes.max, this.min, this.max)) return;
    this.bins.addBlock(values, start, end, extremes, place);
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
    return this.bins.histogram();
  }
}

/** Bytes as the elements that they are; they must lie on a multiple of the element's size. */
export function valuesIn(bytes: Uint8Array, type: KernelType, count: number): Values {
  const { buffer, byteOffset } = bytes;
  switch (type) {
    case 'float32':
      return new Float32Array(buffer, byteOffset, count);
    case 'float64':
      return new Float64Array(buffer, byteOffset, count);
    case 'int32':
      return new Int32Array(buffer, byteOffset, count);
    case 'uint32':
      return new Uint32Array(buffer, byteOffset, count);
  }
}

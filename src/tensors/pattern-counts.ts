import { sixteenBits } from './conversions';
import { FLOAT4, PACKED, valueTable } from './decode';
import type { DType } from './dtype';
import { KERNEL_BYTES, KERNEL_PATTERNS, type Kernel } from './kernels/kernel';

/**
 * How often every bit pattern stands in a tensor whose elements have at most 16 bits: one increment for two bytes, whatever the type.
 * Patterns are counted two bytes at a time; what they mean is looked at in the end.
 */
export class PatternCounts {
  private readonly pairs = new Float64Array(65536);
  /** Bytes that were left over from pairs. */
  private readonly singles = new Float64Array(256);
  private pending = 0;

  private constructor(
    private readonly dtype: DType,
    private readonly little: boolean,
  ) {}

  /** `undefined` for types with more than 16 bits, and those that are no numbers. */
  static of(dtype: DType, little: boolean): PatternCounts | undefined {
    const known = sixteenBits(dtype) ?? valueTable(dtype) ?? PACKED[dtype] ?? dtype === 'float4_e2m1fn_x2';
    return known ? new PatternCounts(dtype, little) : undefined;
  }

  /** Counts whole elements, which may lie at the start of the kernel's memory; not more than fit there then. */
  add(bytes: Uint8Array, kernel: Kernel | undefined): void {
    let at = 0;
    if (kernel) {
      const whole = bytes.length - (bytes.length % 16);
      for (; at < whole; at += KERNEL_BYTES) {
        const end = Math.min(whole, at + KERNEL_BYTES);
        if (bytes.buffer !== kernel.bytes.buffer) kernel.bytes.set(bytes.subarray(at, end));
        if (this.pending + end - at > KERNEL_PATTERNS) this.take(kernel);
        kernel.countPatterns(end - at);
        this.pending += end - at;
      }
      at = whole;
    }
    for (; at + 1 < bytes.length; at += 2) this.pairs[bytes[at] + 256 * bytes[at + 1]]++;
    if (at < bytes.length) this.singles[bytes[at]]++;
  }

  /** Takes over what the kernel has counted. */
  take(kernel: Kernel): void {
    if (this.pending > 0) kernel.takePatterns(this.pairs);
    this.pending = 0;
  }

  /** The values that the type can have, and how often each one was there. */
  result(): { values: Float64Array; counts: Float64Array } {
    const { dtype, pairs, little } = this;
    const value = sixteenBits(dtype);
    if (value) {
      const swapped = (p: number) => (little ? p : ((p & 255) << 8) | (p >> 8));
      return { values: Float64Array.from(pairs, (_, p) => value(swapped(p))), counts: pairs };
    }
    const bytes = this.singles.slice();
    for (let p = 0; p < 65536; p++) {
      bytes[p & 255] += pairs[p];
      bytes[p >> 8] += pairs[p];
    }
    const table = valueTable(dtype);
    if (table) return { values: Float64Array.from(table), counts: bytes };
    const { bits, value: small } = PACKED[dtype] ?? { bits: 4, value: (b: number) => FLOAT4[b] };
    const mask = (1 << bits) - 1;
    const counts = new Float64Array(mask + 1);
    for (let b = 0; b < 256; b++) for (let at = 0; at < 8; at += bits) counts[(b >> at) & mask] += bytes[b];
    return { values: Float64Array.from(counts, (_, p) => small(p)), counts };
  }
}

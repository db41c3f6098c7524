import { moduleBytes } from '../../bytes/wasm-encoding';
import { type KernelLayout, type KernelType, kernelFunctions } from './loops';

export type { KernelType } from './loops';

/** Bytes for elements at the start of a kernel's memory. */
export const KERNEL_BYTES = 1 << 20;
/** Bins of the histogram. */
export const KERNEL_BINS = 1024;
/** Patterns counted at most before they are taken, as their counts have 32 bits. */
export const KERNEL_PATTERNS = 2 ** 32 - 1;

const LAYOUT: KernelLayout = {
  out: KERNEL_BYTES,
  bins: KERNEL_BINS,
  tables: KERNEL_BYTES + 256,
  patterns: KERNEL_BYTES + 256 + KERNEL_BINS * 16,
};
const PAGES = Math.ceil((LAYOUT.patterns + 2 * 65536 * 4) / 65536);
/** Idle kernels kept for the next tensor. */
const KEPT = 2;

/** What one pass over a block gives. `sum` and `squares` are of `value - shift`; NaN or infinite if a value is. */
export interface BlockSums {
  sum: number;
  squares: number;
  min: number;
  max: number;
  zeros: number;
}

/**
 * The loops that look at every element of a tensor, as a WebAssembly module of about a kilobyte with 128-bit vectors: the same loops in
 * JavaScript take three times as long. Elements are put into its memory, then summed and counted.
 */
export interface Kernel {
  /** Where elements are put: `KERNEL_BYTES` bytes. */
  readonly bytes: Uint8Array;
  /** Sums of elements `[start, end)`; both at multiples of 16 bytes. */
  sums(type: KernelType, start: number, end: number, shift: number): BlockSums;
  /**
   * Adds the bins `floor(value / width) - first` of elements `[start, end)` to `counts`; all values must fall into a bin, and the width
   * is a power of two. False, and nothing done, if the type cannot be counted by that width.
   */
  count(type: KernelType, start: number, end: number, width: number, first: number, counts: Float64Array): boolean;
  /** Counts the patterns of 16 bits in bytes `[0, end)`, a multiple of 16. */
  countPatterns(end: number): void;
  /** Adds the counts of patterns to `counts` and clears them. */
  takePatterns(counts: Float64Array): void;
}

/** The part of the WebAssembly API that is used; it is the same in Node and in browsers. */
interface WasmApi {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { exports: unknown };
}

type Exports = Record<string, (...operands: number[]) => void>;

let compiled: object | null | undefined;
const idle: Kernel[] = [];

/** A kernel for one tensor at a time, to be given back; `undefined` where WebAssembly or its vectors are not there. */
export function takeKernel(): Kernel | undefined {
  const known = idle.pop();
  if (known) return known;
  const api = (globalThis as unknown as { WebAssembly?: WasmApi }).WebAssembly;
  if (compiled === null || !api) return undefined;
  try {
    compiled ??= new api.Module(moduleBytes(kernelFunctions(LAYOUT), { pages: PAGES }));
    const { exports } = new api.Instance(compiled);
    return kernelOf((exports as { memory: { buffer: ArrayBuffer } }).memory.buffer, exports as Exports);
  } catch {
    compiled = null;
    return undefined;
  }
}

/** Gives a kernel back. Its patterns must have been taken. */
export function giveKernel(kernel: Kernel): void {
  if (idle.length < KEPT) idle.push(kernel);
}

/** Bits of width that shifts of 32-bit integers can make: bins stay below 2^29 (see `Accumulator.cover`). */
const SHIFTS = { least: -28, most: 31 };

function kernelOf(buffer: ArrayBuffer, wasm: Exports): Kernel {
  const doubles = new Float64Array(buffer, LAYOUT.out, 8);
  const lanes: Record<KernelType, Float32Array | Float64Array | Int32Array | Uint32Array> = {
    float32: new Float32Array(buffer, LAYOUT.out + 32, 8),
    float64: new Float64Array(buffer, LAYOUT.out + 32, 4),
    int32: new Int32Array(buffer, LAYOUT.out + 32, 8),
    uint32: new Uint32Array(buffer, LAYOUT.out + 32, 8),
  };
  const zeros = new Int32Array(buffer, LAYOUT.out + 64, 4);
  const tables = new Int32Array(buffer, LAYOUT.tables, KERNEL_BINS * 4);
  const patterns = new Uint32Array(buffer, LAYOUT.patterns, 2 * 65536);

  return {
    bytes: new Uint8Array(buffer, 0, KERNEL_BYTES),
    sums(type, start, end, shift) {
      const width = type === 'float64' ? 8 : 4;
      wasm[`sums_${type}`](start * width, end * width, shift);
      const extremes = lanes[type];
      const half = extremes.length / 2;
      return {
        sum: doubles[0] + doubles[1],
        squares: doubles[2] + doubles[3],
        min: Math.min(...extremes.subarray(0, half)),
        max: Math.max(...extremes.subarray(half)),
        zeros: zeros[0] + zeros[1] + zeros[2] + zeros[3],
      };
    },
    count(type, start, end, width, first, counts) {
      if (type === 'float32' || type === 'float64') {
        const least = type === 'float32' ? 2 ** -100 : 2 ** -1000;
        if (!(width >= least && width <= 1 / least)) return false;
        const size = type === 'float32' ? 4 : 8;
        wasm[`count_${type}`](start * size, end * size, 1 / width, first);
      } else {
        const bits = Math.log2(width);
        if (!(bits >= SHIFTS.least && bits <= SHIFTS.most)) return false;
        wasm[`count_${type}`](start * 4, end * 4, Math.max(0, -bits), Math.max(0, bits), first);
      }
      for (let b = 0; b < KERNEL_BINS; b++) {
        counts[b] += tables[b] + tables[KERNEL_BINS + b] + tables[2 * KERNEL_BINS + b] + tables[3 * KERNEL_BINS + b];
      }
      tables.fill(0);
      return true;
    },
    countPatterns: (end) => wasm.patterns(0, end),
    takePatterns(counts) {
      for (let p = 0; p < 65536; p++) counts[p] += patterns[p] + patterns[65536 + p];
      patterns.fill(0);
    },
  };
}

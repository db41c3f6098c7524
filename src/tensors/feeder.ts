import { ModelError } from '../bytes/errors';
import { Accumulator, valuesIn } from './accumulator';
import { type Conversion, conversionOf, swapBytes, swappedWidth } from './conversions';
import { PACKED, valueTable } from './decode';
import { bitsOf, elementCount } from './dtype';
import { readNumbers, runs } from './elements';
import { giveKernel, KERNEL_BYTES, type KernelType, takeKernel } from './kernels/kernel';
import { PatternCounts } from './pattern-counts';
import { dequantiser } from './quantization';
import { isContiguous } from './strides';
import type { TensorRef } from './tensor';

/** Elements of a tensor that is not contiguous, taken at once. */
const GATHERED = 1 << 16;
/** Neighbours in a tensor that is not contiguous, from which on they are taken like a contiguous one. */
const STRETCH = 256;
/** Elements from which on counting bit patterns pays for looking at all patterns in the end. */
const COUNTED = 1 << 15;

/** Feeds stretches of a tensor to an accumulator by the fastest way that its type allows. `release` it in the end. */
export class Feeder {
  private readonly accumulator = new Accumulator();
  private readonly kernel = takeKernel();
  private readonly dequantise: ((values: Float64Array, start: number) => void) | undefined;
  private readonly contiguous: boolean;
  private readonly perChannel: boolean;
  /** Bytes of one element; below 1 where several share a byte. */
  private readonly width: number;
  private readonly direct: KernelType | undefined;
  private readonly conversion: Conversion | undefined;
  private readonly patterns: PatternCounts | undefined;
  readonly chunkElements: number;
  /** Memory for one chunk, used again and again. */
  private chunk: Uint8Array | undefined;
  private converted: Float64Array | undefined;

  constructor(private readonly ref: TensorRef) {
    const { dtype } = ref;
    this.contiguous = isContiguous(ref.shape, ref.strides);
    this.dequantise = dequantiser(ref);
    this.perChannel = ref.quantization !== undefined && typeof ref.quantization.scale !== 'number';
    this.width = (bitsOf(dtype) ?? 8) / 8;
    const total = elementCount(ref.shape);
    const counts = !this.perChannel && (total >= COUNTED || this.width < 1 || dtype === 'float4_e2m1fn_x2');
    this.patterns = counts ? PatternCounts.of(dtype, ref.byteOrder !== 'big') : undefined;
    const stored = dtype === 'float32' || dtype === 'float64' || dtype === 'int32' || dtype === 'uint32';
    this.direct = stored && !ref.quantization ? (dtype as KernelType) : undefined;
    this.conversion = conversionOf(dtype);
    const converts = this.direct || this.patterns ? this.width : 8;
    this.chunkElements = this.contiguous ? Math.floor(KERNEL_BYTES / Math.max(converts, this.width)) : GATHERED;
  }

  /** Row-major elements `[start, start + count)`; at most `chunkElements`. */
  add(start: number, count: number): void {
    const { ref } = this;
    if (this.contiguous) {
      this.addStretch((ref.offset ?? 0) + start, count, start);
      return;
    }
    let at = start;
    const end = start + count;
    for (const run of runs(ref, start, count)) {
      if (run.stride !== 1 || run.length < STRETCH) break;
      this.addStretch(run.position, run.length, at);
      at += run.length;
    }
    if (at < end) this.addGathered(at, end - at);
  }

  /** What was added. */
  finish(): Accumulator {
    if (this.patterns) {
      if (this.kernel) this.patterns.take(this.kernel);
      const { values, counts } = this.patterns.result();
      this.dequantise?.(values, 0);
      this.accumulator.addCounted(values, counts);
    }
    return this.accumulator;
  }

  /** Gives back what is shared, also after a failure. */
  release(): void {
    if (!this.kernel) return;
    this.patterns?.take(this.kernel);
    giveKernel(this.kernel);
  }

  /** Elements that lie next to each other in the storage; `start` is the row-major position of the first one. */
  private addStretch(position: number, count: number, start: number): void {
    const { width, kernel } = this;
    const from = position * width;
    const length = count * width;
    if (this.patterns && Number.isInteger(from) && Number.isInteger(length)) {
      this.patterns.add(this.read(from, length, kernel?.bytes.subarray(0, length)), kernel);
      return;
    }
    if (width < 1) {
      this.addGathered(start, count);
      return;
    }
    if (this.direct && kernel) {
      this.swap(this.read(from, length, kernel.bytes.subarray(0, length)));
      this.accumulator.addFromKernel(kernel, this.direct, count);
      return;
    }
    const bytes = this.read(from, length);
    this.swap(bytes);
    if (this.direct) {
      this.accumulator.add(valuesIn(bytes, this.direct, count));
      return;
    }
    if (!this.conversion) throw new ModelError('unsupported', `A tensor of dtype ${this.ref.dtype} holds no numbers.`);
    if (this.addChannels(bytes, start)) return;
    const values = this.float64(count);
    this.conversion(bytes, count, values);
    this.dequantise?.(values, start);
    if (kernel) this.accumulator.addFromKernel(kernel, 'float64', count);
    else this.accumulator.add(values);
  }

  /** Bytes with a scale a channel, counted channel by channel where those are long; false if they are not. */
  private addChannels(bytes: Uint8Array, start: number): boolean {
    const { ref, dequantise } = this;
    const table = this.perChannel && dequantise ? valueTable(ref.dtype) : undefined;
    if (table?.length !== 256) return false;
    let inner = 1;
    for (let d = (ref.quantization?.axis ?? 0) + 1; d < ref.shape.length; d++) inner *= ref.shape[d];
    if (inner < 512) return false;
    const counts = new Uint32Array(512);
    for (let at = 0; at < bytes.length; ) {
      const end = Math.min(bytes.length, at + inner - ((start + at) % inner));
      counts.fill(0);
      for (let i = at; i < end; i++) counts[bytes[i] + ((i & 1) << 8)]++;
      const values = Float64Array.from(table);
      // All of one channel: the position of its first value tells which, as every pattern stands in one place of that channel.
      dequantise?.(values, start + at - ((start + at) % inner));
      this.accumulator.addCounted(
        values,
        values.map((_, b) => counts[b] + counts[256 + b]),
      );
      at = end;
    }
    return true;
  }

  /** Elements that do not lie next to each other, or not on whole bytes. */
  private addGathered(start: number, count: number): void {
    const { ref } = this;
    for (let at = start; at < start + count; at += GATHERED) {
      const some = Math.min(GATHERED, start + count - at);
      const values = readNumbers(ref, at, some);
      if (ref.dtype.startsWith('complex')) {
        const imaginary = readNumbers(ref, at, some, 'imaginary');
        for (let i = 0; i < some; i++) values[i] = Math.hypot(values[i], imaginary[i]);
      }
      this.dequantise?.(values, at);
      this.accumulator.add(values);
      if (ref.dtype === 'float4_e2m1fn_x2') this.accumulator.add(readNumbers(ref, at, some, 'second'));
    }
  }

  /** Room for converted values: in the kernel's memory, if there is one. */
  private float64(count: number): Float64Array {
    if (this.kernel) return new Float64Array(this.kernel.bytes.buffer, 0, count);
    this.converted ??= new Float64Array(this.chunkElements);
    return this.converted.subarray(0, count);
  }

  private swap(bytes: Uint8Array): void {
    if (this.ref.byteOrder === 'big' && this.width > 1) swapBytes(bytes, swappedWidth(this.ref.dtype, this.width));
  }

  /** Bytes of the storage, in memory that is this one's own. */
  private read(start: number, length: number, into?: Uint8Array): Uint8Array {
    const { data } = this.ref;
    if (start + length > data.length) throw this.short();
    let target = into;
    if (!target) {
      if (!this.chunk || this.chunk.length < length) this.chunk = new Uint8Array(length);
      target = this.chunk.subarray(0, length);
    }
    if (data.into) data.into(start, target);
    else {
      const bytes = data.bytes(start, start + length);
      if (bytes.length < length) throw this.short();
      target.set(bytes);
    }
    return target;
  }

  private short(): ModelError {
    return new ModelError(
      'truncated',
      `A tensor of shape (${this.ref.shape.join(', ')}) has fewer bytes in the file than its shape needs.`,
    );
  }
}

/** Whether statistics can be made of a type: it holds numbers. */
export function holdsNumbers(dtype: TensorRef['dtype']): boolean {
  return dtype === 'float4_e2m1fn_x2' || PACKED[dtype] !== undefined || conversionOf(dtype) !== undefined;
}

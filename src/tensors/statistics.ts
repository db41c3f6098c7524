import { ModelError } from '../bytes/errors';
import { Accumulator, type Histogram } from './accumulator';
import { elementReader, PACKED, valueTable } from './decode';
import { elementCount } from './dtype';
import { readNumbers } from './elements';
import { float32Kernel, KERNEL_BYTES } from './float32-kernel';
import { dequantiser } from './quantization';
import { isContiguous } from './strides';
import type { TensorRef } from './tensor';

/** Statistics of a tensor's values. Minimum, maximum, mean, deviation and histogram are of the finite ones. */
export interface Statistics {
  seen: number;
  total: number;
  exact: boolean;
  min?: number;
  max?: number;
  mean?: number;
  /** Population standard deviation. */
  std?: number;
  zeros: number;
  nans: number;
  infinities: number;
  histogram?: Histogram;
}

export interface StatisticsOptions {
  /** Every element, instead of a sample. Small tensors are always read whole. */
  exact?: boolean;
  /** Called now and then with the elements done and to do. */
  progress?(done: number, total: number): void;
  signal?: AbortSignal;
}

/** Bytes read at once: enough for full disk speed, little enough to stay in the processor's cache. */
const CHUNK_BYTES = 1 << 20;
/** Chunks between two looks at whether the caller still wants the result. */
const CHUNKS_PER_TURN = 32;
/** A sample: this many stretches of this many elements, spread evenly. */
const SAMPLE_STRETCHES = 256;
const SAMPLE_ELEMENTS = 2048;

/** Whether statistics can be made of a tensor: it holds numbers. */
export function hasStatistics(ref: TensorRef): boolean {
  return (
    ref.dtype === 'float4_e2m1fn_x2' || PACKED[ref.dtype] !== undefined || elementReader(ref.dtype, true) !== undefined
  );
}

/**
 * Statistics of a tensor, streamed from the file in constant memory. Quantised tensors give real values, complex ones magnitudes,
 * packed pairs of 4-bit floats count as two values.
 * @throws ModelError `cancelled`, `unsupported` (no numbers), `truncated`, `io`.
 */
export async function tensorStatistics(ref: TensorRef, options: StatisticsOptions = {}): Promise<Statistics> {
  const steps = statisticsSteps(ref, options.exact ?? false);
  for (let turn = 0; ; turn++) {
    const step = steps.next();
    if (step.done) return step.value;
    if (turn % CHUNKS_PER_TURN !== CHUNKS_PER_TURN - 1) continue;
    options.progress?.(step.value.done, step.value.total);
    await new Promise((resolve) => setImmediate(resolve));
    if (options.signal?.aborted) throw new ModelError('cancelled', 'The statistics were cancelled.');
  }
}

/** The same at once, for callers that need no progress. */
export function statisticsNow(ref: TensorRef, exact: boolean): Statistics {
  const steps = statisticsSteps(ref, exact);
  for (let step = steps.next(); ; step = steps.next()) if (step.done) return step.value;
}

function* statisticsSteps(ref: TensorRef, exact: boolean): Generator<{ done: number; total: number }, Statistics> {
  if (!hasStatistics(ref))
    throw new ModelError('unsupported', `A tensor of dtype ${ref.dtype} holds no numbers to make statistics of.`);
  const all = elementCount(ref.shape);
  const { dense, repeats } = memoryOrder(ref);
  const total = elementCount(dense.shape);
  const whole = exact || total <= SAMPLE_STRETCHES * SAMPLE_ELEMENTS;
  const adder = new Adder(dense);
  if (whole) {
    const chunk = adder.chunkElements;
    for (let at = 0; at < total; at += chunk) {
      adder.add(at, Math.min(chunk, total - at));
      yield { done: at * repeats, total: all };
    }
  } else {
    for (let i = 0; i < SAMPLE_STRETCHES; i++) {
      // Each stretch lies at a different place of its part, so that periodic data do not mislead; the same places every time.
      const room = Math.floor(total / SAMPLE_STRETCHES) - SAMPLE_ELEMENTS;
      const at =
        Math.floor((i * total) / SAMPLE_STRETCHES) + Math.max(0, Math.floor(room * ((i * 0.6180339887498949) % 1)));
      adder.add(at, SAMPLE_ELEMENTS);
      yield { done: i * SAMPLE_ELEMENTS, total: SAMPLE_STRETCHES * SAMPLE_ELEMENTS };
    }
  }
  const result = adder.finish();
  const times = repeats * (ref.dtype === 'float4_e2m1fn_x2' ? 2 : 1);
  const statistics: Statistics = {
    seen: result.seen * repeats,
    total: all * (times / repeats),
    exact: whole,
    zeros: result.zeros * repeats,
    nans: result.nans * repeats,
    infinities: result.infinities * repeats,
  };
  if (result.meanValue !== undefined) {
    statistics.min = result.min;
    statistics.max = result.max;
    statistics.mean = result.meanValue;
    const { deviation } = result;
    if (deviation !== undefined) statistics.std = deviation;
    const histogram = result.histogram();
    if (histogram) statistics.histogram = { ...histogram, counts: histogram.counts.map((n) => n * repeats) };
  }
  return statistics;
}

/**
 * The same elements in the order in which they lie in memory: dimensions that are repeated (stride 0) are taken out and counted, and a
 * transposed tensor becomes contiguous. Per-channel quantised tensors keep their order, as the position tells the channel.
 */
function memoryOrder(ref: TensorRef): { dense: TensorRef; repeats: number } {
  if (ref.shape.length === 0 || isContiguous(ref.shape, ref.strides)) return { dense: ref, repeats: 1 };
  if (ref.quantization && typeof ref.quantization.scale !== 'number') return { dense: ref, repeats: 1 };
  const strides = ref.strides as readonly number[];
  let repeats = 1;
  const dims: { size: number; stride: number }[] = [];
  for (let d = 0; d < ref.shape.length; d++) {
    if (strides[d] === 0 && ref.shape[d] > 0) repeats *= ref.shape[d];
    else if (ref.shape[d] !== 1) dims.push({ size: ref.shape[d], stride: strides[d] });
  }
  dims.sort((a, b) => b.stride - a.stride);
  const dense: TensorRef = { ...ref, shape: dims.map((d) => d.size), strides: dims.map((d) => d.stride) };
  if (isContiguous(dense.shape, dense.strides)) delete dense.strides;
  return { dense, repeats };
}

/** Feeds stretches of a tensor to an accumulator by the fastest way that its type allows. */
class Adder {
  private readonly accumulator = new Accumulator();
  private readonly counts: Float64Array | undefined;
  private readonly values: Float64Array | undefined;
  private readonly dequantise: ((values: Float64Array, start: number) => void) | undefined;
  private readonly little: boolean;
  private readonly contiguous: boolean;
  readonly chunkElements: number;
  /** Memory for one chunk, used again and again. */
  private chunk: Uint8Array | undefined;

  constructor(private readonly ref: TensorRef) {
    this.little = ref.byteOrder !== 'big';
    this.contiguous = isContiguous(ref.shape, ref.strides);
    this.dequantise = dequantiser(ref);
    const channels = ref.quantization && typeof ref.quantization.scale !== 'number';
    this.values = this.contiguous && this.little && !channels ? valueTable(ref.dtype) : undefined;
    // Types of 8 and 16 bits are counted by bit pattern first: one increment an element, whatever the type.
    if (this.values) this.counts = new Float64Array(this.values.length);
    const width = elementReader(ref.dtype, true)?.bytes ?? 1;
    this.chunkElements = this.contiguous ? Math.max(1, Math.floor(CHUNK_BYTES / width)) : 1 << 16;
  }

  add(start: number, count: number): void {
    const { ref } = this;
    const from = (ref.offset ?? 0) + start;
    if (this.values && this.counts) {
      const wide = this.values.length === 65536;
      const bytes = this.read(from * (wide ? 2 : 1), count * (wide ? 2 : 1));
      const patterns = wide ? aligned(bytes, 2, (b) => new Uint16Array(b.buffer, b.byteOffset, b.length >> 1)) : bytes;
      this.require(patterns.length, count);
      const { counts } = this;
      for (let i = 0; i < patterns.length; i++) counts[patterns[i]]++;
      return;
    }
    const kernel =
      this.contiguous && this.little && ref.dtype === 'float32' && ref.data.into && count * 4 <= KERNEL_BYTES
        ? float32Kernel()
        : undefined;
    if (kernel && (from + count) * 4 <= ref.data.length) {
      ref.data.into?.(from * 4, kernel.bytes.subarray(0, count * 4));
      this.accumulator.addFromKernel(kernel, count);
      return;
    }
    if (this.contiguous && this.little && (ref.dtype === 'float32' || ref.dtype === 'float64')) {
      const width = ref.dtype === 'float32' ? 4 : 8;
      const bytes = this.read(from * width, count * width);
      this.require(bytes.length / width, count);
      this.accumulator.add(
        width === 4
          ? aligned(bytes, 4, (b) => new Float32Array(b.buffer, b.byteOffset, b.length >> 2))
          : aligned(bytes, 8, (b) => new Float64Array(b.buffer, b.byteOffset, b.length >> 3)),
      );
      return;
    }
    const values = readNumbers(ref, start, count);
    if (ref.dtype.startsWith('complex')) {
      const imaginary = readNumbers(ref, start, count, 'imaginary');
      for (let i = 0; i < values.length; i++) values[i] = Math.hypot(values[i], imaginary[i]);
    }
    this.dequantise?.(values, start);
    this.accumulator.add(values);
    if (ref.dtype === 'float4_e2m1fn_x2') this.accumulator.add(readNumbers(ref, start, count, 'second'));
  }

  private read(start: number, length: number): Uint8Array {
    const { data } = this.ref;
    if (!data.into || length < 4096 || start + length > data.length) return data.bytes(start, start + length);
    if (!this.chunk || this.chunk.length < length) this.chunk = new Uint8Array(length);
    const target = this.chunk.subarray(0, length);
    data.into(start, target);
    return target;
  }

  private require(have: number, want: number): void {
    if (have < want) {
      throw new ModelError(
        'truncated',
        `A tensor of shape (${this.ref.shape.join(', ')}) has fewer bytes in the file than its shape needs.`,
      );
    }
  }

  finish(): Accumulator {
    if (this.values && this.counts) {
      const values = Float64Array.from(this.values);
      this.dequantise?.(values, 0);
      for (let i = 0; i < values.length; i++) this.accumulator.addRepeated(values[i], this.counts[i]);
    }
    return this.accumulator;
  }
}

/** A typed view of bytes, copied first if they do not lie on a multiple of the element size. */
function aligned<T>(bytes: Uint8Array, width: number, view: (bytes: Uint8Array) => T): T {
  return view(bytes.byteOffset % width === 0 ? bytes : Uint8Array.prototype.slice.call(bytes));
}

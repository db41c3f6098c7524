import { ModelError } from '../bytes/errors';
import { elementCount } from './dtype';
import { Feeder, holdsNumbers } from './feeder';
import type { Histogram } from './histogram';
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

/** Chunks between two looks at whether the caller still wants the result. */
const CHUNKS_PER_TURN = 32;
/** A sample: this many stretches of this many elements, spread evenly. */
const SAMPLE_STRETCHES = 256;
const SAMPLE_ELEMENTS = 2048;

/** Whether statistics can be made of a tensor: it holds numbers. */
export function hasStatistics(ref: TensorRef): boolean {
  return holdsNumbers(ref.dtype);
}

/**
 * Statistics of a tensor, streamed from the file in constant memory. Quantised tensors give real values, complex ones magnitudes,
 * packed pairs of 4-bit floats count as two values.
 * @throws ModelError `cancelled`, `unsupported` (no numbers), `truncated`, `io`.
 */
export async function tensorStatistics(ref: TensorRef, options: StatisticsOptions = {}): Promise<Statistics> {
  const steps = statisticsSteps(ref, options.exact ?? false);
  try {
    for (let turn = 0; ; turn++) {
      const step = steps.next();
      if (step.done) return step.value;
      if (turn % CHUNKS_PER_TURN !== CHUNKS_PER_TURN - 1) continue;
      options.progress?.(step.value.done, step.value.total);
      await new Promise((resolve) => setImmediate(resolve));
      if (options.signal?.aborted) throw new ModelError('cancelled', 'The statistics were cancelled.');
    }
  } finally {
    // Ends the steps, so that they give back what they hold.
    steps.return(undefined as never);
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
  const feeder = new Feeder(dense);
  try {
    if (whole) {
      const chunk = feeder.chunkElements;
      for (let at = 0; at < total; at += chunk) {
        feeder.add(at, Math.min(chunk, total - at));
        yield { done: at * repeats, total: all };
      }
    } else {
      for (let i = 0; i < SAMPLE_STRETCHES; i++) {
        // Each stretch lies at a different place of its part, so that periodic data do not mislead; the same places every time.
        const room = Math.floor(total / SAMPLE_STRETCHES) - SAMPLE_ELEMENTS;
        const at =
          Math.floor((i * total) / SAMPLE_STRETCHES) + Math.max(0, Math.floor(room * ((i * 0.6180339887498949) % 1)));
        feeder.add(at, SAMPLE_ELEMENTS);
        yield { done: i * SAMPLE_ELEMENTS, total: SAMPLE_STRETCHES * SAMPLE_ELEMENTS };
      }
    }
  } finally {
    feeder.release();
  }
  const result = feeder.finish();
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

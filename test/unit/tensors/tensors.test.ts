import { describe, expect, it } from 'vitest';
import { MemoryRange, SourceRange } from '../../../src/bytes/byte-range';
import { BufferSource } from '../../../src/bytes/byte-source';
import { ModelError } from '../../../src/bytes/errors';
import { Accumulator } from '../../../src/tensors/accumulator';
import { bitsOf, type DType } from '../../../src/tensors/dtype';
import { readNumbers } from '../../../src/tensors/elements';
import { takeKernel } from '../../../src/tensors/kernels/kernel';
import { npyHeader, writeNpy } from '../../../src/tensors/npy-writer';
import { dequantiser } from '../../../src/tensors/quantization';
import { planSafetensors } from '../../../src/tensors/safetensors-writer';
import { tensorSlice } from '../../../src/tensors/slice';
import { statisticsNow, tensorStatistics } from '../../../src/tensors/statistics';
import type { TensorRef } from '../../../src/tensors/tensor';
import { elementTexts } from '../../../src/tensors/text';

function float32(values: number[], extra: Partial<TensorRef> = {}): TensorRef {
  const bytes = new Uint8Array(Float32Array.from(values).buffer);
  return {
    dtype: 'float32',
    shape: [values.length],
    data: new SourceRange(new BufferSource(bytes), 0, bytes.length),
    ...extra,
  };
}

function packed(dtype: DType, bytes: number[], count: number): TensorRef {
  return { dtype, shape: [count], data: new MemoryRange(Uint8Array.from(bytes)) };
}

/** The plain definition, for comparison. */
function naive(values: number[]): { mean: number; std: number } {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return { mean, std: Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length) };
}

describe('statistics', () => {
  it('agree with their definition, by the kernel and without it', () => {
    let seed = 1;
    const random = () => {
      seed = (seed * 48271) % 2147483647;
      return Math.fround((seed / 2147483647 - 0.3) * 10);
    };
    const values = Array.from({ length: 100_003 }, random);
    const { mean, std } = naive(values);
    const fast = statisticsNow(float32(values), true);
    const slow = new Accumulator();
    slow.add(Float64Array.from(values));
    expect(takeKernel()).toBeDefined();
    for (const ours of [
      fast,
      { mean: slow.meanValue, std: slow.deviation, min: slow.min, max: slow.max, histogram: slow.histogram() },
    ]) {
      expect(ours.mean).toBeCloseTo(mean, 9);
      expect(ours.std).toBeCloseTo(std, 9);
      expect(ours.min).toBe(Math.min(...values));
      expect(ours.max).toBe(Math.max(...values));
    }
    expect(fast.histogram).toEqual(slow.histogram());
  });

  it('give histograms whose every bin is counted exactly', () => {
    const values = Array.from({ length: 5000 }, (_, i) => Math.fround(Math.sin(i) * (i % 7 === 0 ? 1e4 : 1)));
    const { histogram } = statisticsNow(float32(values), true);
    if (!histogram) throw new Error('no histogram');
    const width = (histogram.to - histogram.from) / histogram.counts.length;
    histogram.counts.forEach((count, i) => {
      const from = histogram.from + i * width;
      expect(count, `bin ${i}`).toBe(values.filter((v) => v >= from && v < from + width).length);
    });
  });

  it('count NaN, infinities and zeros apart, and are of the finite values', () => {
    const values = [0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2, 4, 6];
    expect(statisticsNow(float32(values), true)).toMatchObject({
      seen: 8,
      zeros: 2,
      nans: 1,
      infinities: 2,
      min: 0,
      max: 6,
      mean: 12 / 5,
    });
    expect(statisticsNow(float32([Number.NaN]), true)).toMatchObject({ seen: 1, nans: 1 });
    expect(statisticsNow(float32([]), true)).toMatchObject({ seen: 0, total: 0, exact: true });
  });

  it('keep their precision far from zero and over many magnitudes', () => {
    const far = Array.from({ length: 1000 }, (_, i) => 1e6 + (i % 2));
    expect(statisticsNow(float32(far), true).std).toBeCloseTo(0.5, 6);
    const wide = statisticsNow(float32([1e-38, 1e38, -1e38, 3]), true);
    expect(wide.histogram?.counts.reduce((a, b) => a + b, 0)).toBe(4);
  });

  it('count repeated dimensions as often as they are repeated, and read transposed data in memory order', () => {
    expect(statisticsNow(float32([1, 0], { shape: [3, 2], strides: [0, 1] }), true)).toMatchObject({
      seen: 6,
      total: 6,
      zeros: 3,
      mean: 0.5,
    });
    expect(statisticsNow(float32([1, 2, 3, 4, 5, 6], { shape: [3, 2], strides: [1, 3] }), true)).toMatchObject({
      seen: 6,
      mean: 3.5,
    });
    expect(statisticsNow(float32([1, 9, 2, 9, 3, 9], { shape: [3], strides: [2] }), true)).toMatchObject({
      seen: 3,
      max: 3,
    });
  });

  it('read packed, small and quantised types', () => {
    expect(statisticsNow(packed('int4', [0x8f, 0x01], 4), true)).toMatchObject({ min: -8, max: 1, zeros: 1 });
    expect(statisticsNow(packed('quint2x4', [0b11_10_01_00], 4), true)).toMatchObject({ min: 0, max: 3, mean: 1.5 });
    expect(statisticsNow(packed('float4_e2m1fn_x2', [0x7f, 0x10], 2), true)).toMatchObject({
      seen: 4,
      total: 4,
      min: -6,
      max: 6,
    });
    const quantised: TensorRef = {
      dtype: 'qint8',
      shape: [2, 2],
      data: new MemoryRange(Uint8Array.from([1, 2, 3, 0xff])),
      quantization: { scale: [1, 10], zeroPoint: [1, 0], axis: 0 },
    };
    expect(statisticsNow(quantised, true)).toMatchObject({ min: -10, max: 30, zeros: 1 });
  });

  it('sample large tensors, say so, and can be cancelled', async () => {
    const zeros = { length: 1 << 23, bytes: (start = 0, end = 0) => new Uint8Array(end - start) };
    const ref: TensorRef = { dtype: 'float32', shape: [1 << 21], data: zeros };
    const sample = await tensorStatistics(ref);
    expect(sample.exact).toBe(false);
    expect(sample.seen).toBeLessThan(sample.total);
    const abort = new AbortController();
    abort.abort();
    const big: TensorRef = { dtype: 'float64', shape: [1 << 26], data: { length: 1 << 29, bytes: zeros.bytes } };
    await expect(tensorStatistics(big, { exact: true, signal: abort.signal })).rejects.toMatchObject({
      code: 'cancelled',
    });
  });

  it('refuse what is not there and what is no number', () => {
    expect(() =>
      statisticsNow({ dtype: 'float32', shape: [10], data: new MemoryRange(new Uint8Array(8)) }, true),
    ).toThrow(ModelError);
    expect(() =>
      statisticsNow({ dtype: 'string', shape: [1], itemsize: 4, data: new MemoryRange(new Uint8Array(4)) }, true),
    ).toThrow(ModelError);
  });
});

describe('values as text', () => {
  it('have the fewest digits that mean the element', () => {
    expect(elementTexts(float32([0.1, 1 / 3, 1e10, -0, 16777216]), 0, 5)).toEqual([
      '0.1',
      '0.33333334',
      '10000000000.0',
      '-0.0',
      '16777216.0',
    ]);
    expect(elementTexts(packed('float16', [0x66, 0x2e], 1), 0, 1)).toEqual(['0.1']);
    expect(elementTexts(packed('bfloat16', [0xcd, 0x3d], 1), 0, 1)).toEqual(['0.1']);
  });

  it('are of the window that was asked for', () => {
    const ref = float32(
      Array.from({ length: 24 }, (_, i) => i),
      { shape: [2, 3, 4] },
    );
    const slice = tensorSlice(ref, { leading: [1], rowStart: 1, rowCount: 5, columnStart: 2, columnCount: 9 });
    expect(slice).toMatchObject({
      totalRows: 3,
      totalColumns: 4,
      leading: [1],
      rows: [
        ['18.0', '19.0'],
        ['22.0', '23.0'],
      ],
    });
    expect(() => tensorSlice(ref, { leading: [2], rowStart: 0, rowCount: 1, columnStart: 0, columnCount: 1 })).toThrow(
      ModelError,
    );
  });
});

describe('exports', () => {
  const row = (name: string, tensor: TensorRef) => ({
    name,
    shape: [...tensor.shape],
    dtype: tensor.dtype,
    count: 1,
    bytes: 1,
    storage: '',
    kind: 'parameter' as const,
    tensor,
  });

  it('write .npy headers that end on a multiple of 64', () => {
    const header = Buffer.from(npyHeader('<f4', [3]));
    expect(header.length % 64).toBe(0);
    expect(header.toString('latin1', 10)).toBe(
      `{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }`.padEnd(header.length - 11, ' ') + '\n',
    );
  });

  it('write rows in order, whatever their strides', () => {
    const file = Buffer.concat([...writeNpy(row('t', float32([1, 2, 3, 4], { shape: [2, 2], strides: [1, 2] })))]);
    const data = file.subarray(file.length - 16);
    expect([0, 4, 8, 12].map((at) => data.readFloatLE(at))).toEqual([1, 3, 2, 4]);
  });

  it('keep both parts of complex numbers in .safetensors', () => {
    const bytes = new Uint8Array(Float64Array.from([1, -2]).buffer);
    const file = Buffer.concat([
      ...planSafetensors([row('c', { dtype: 'complex128', shape: [1], data: new MemoryRange(bytes) })]),
    ]);
    const header = JSON.parse(file.toString('utf8', 8, 8 + Number(file.readBigUInt64LE(0))));
    expect(header.c).toEqual({ dtype: 'F64', shape: [1, 2], data_offsets: [0, 16] });
    expect([file.readDoubleLE(file.length - 16), file.readDoubleLE(file.length - 8)]).toEqual([1, -2]);
  });

  it('refuse parameters without values', () => {
    const { tensor, ...bare } = row('x', float32([1]));
    expect(tensor).toBeDefined();
    expect(() => [...writeNpy(bare)]).toThrow(ModelError);
    expect(() => [...planSafetensors([bare])]).toThrow(ModelError);
  });
});

describe('statistics of every type', () => {
  const types: DType[] = ['bool', 'int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64'];
  types.push('float16', 'bfloat16', 'float32', 'float64', 'float8_e4m3fn', 'float8_e5m2', 'float8_e8m0fnu');
  types.push('complex32', 'complex64', 'complex128', 'int4', 'uint2', 'float4_e2m1fn_x2', 'qint32', 'quint8');
  const count = 40_007;

  function bytesOf(length: number): Uint8Array {
    let seed = 12345;
    const out = new Uint8Array(length);
    for (let i = 0; i < length; i++) {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      out[i] = seed >>> 16;
    }
    return out;
  }

  /** One element after the other, by the reader of slices. */
  function definition(ref: TensorRef): Record<string, number> {
    const total = ref.shape.reduce((a, b) => a * b, 1);
    let values = readNumbers(ref, 0, total);
    if (ref.dtype.startsWith('complex')) {
      const imaginary = readNumbers(ref, 0, total, 'imaginary');
      values = values.map((re, i) => Math.hypot(re, imaginary[i]));
    }
    if (ref.dtype === 'float4_e2m1fn_x2') {
      values = Float64Array.from([...values, ...readNumbers(ref, 0, total, 'second')]);
    }
    dequantiser(ref)?.(values, 0);
    const finite = values.filter(Number.isFinite);
    const size = finite.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    const mean = finite.reduce((a, b) => a + b / finite.length, 0);
    const std = size * Math.sqrt(finite.reduce((a, b) => a + ((b - mean) / size) ** 2 / finite.length, 0));
    return {
      seen: values.length,
      zeros: values.filter((v) => v === 0).length,
      nans: values.filter(Number.isNaN).length,
      infinities: values.filter((v) => Math.abs(v) === Number.POSITIVE_INFINITY).length,
      min: finite.reduce((a, b) => Math.min(a, b)),
      max: finite.reduce((a, b) => Math.max(a, b)),
      mean,
      std,
      size,
    };
  }

  function expectDefinition(ref: TensorRef): void {
    const { mean, std, size, min, max, ...counts } = definition(ref);
    const ours = statisticsNow(ref, true);
    expect(ours).toMatchObject(counts);
    const near = (a: number | undefined, b: number, what: string) =>
      expect(Math.abs((a ?? Number.NaN) - b) / size, what).toBeLessThan(1e-9);
    near(ours.mean, mean, 'mean');
    // The squares of the largest float64 are beyond float64.
    if (size < 1e150) near(ours.std, std, 'std');
    near(ours.min, min, 'min');
    near(ours.max, max, 'max');
    const counted = ours.histogram?.counts.reduce((a, b) => a + b, 0);
    if (counted !== undefined) expect(counted).toBe(counts.seen - counts.nans - counts.infinities);
  }

  it.each(types)('%s agrees with its definition', (dtype) => {
    const length = Math.ceil((count * (bitsOf(dtype) ?? 8)) / 8);
    const quantization = dtype.startsWith('q') ? { scale: 0.25, zeroPoint: 3 } : undefined;
    const whole: TensorRef = { dtype, shape: [count], data: new MemoryRange(bytesOf(length)), quantization };
    expectDefinition(whole);
    expectDefinition({ ...whole, shape: [count - 5], offset: 3 });
    expectDefinition({ ...whole, shape: [100, 300], strides: [400, 1], offset: 1 });
    expectDefinition({ ...whole, shape: [100, 30], strides: [400, 3] });
    expectDefinition({ ...whole, byteOrder: 'big' });
  });

  it('takes a scale a channel, of long channels and of short ones', () => {
    for (const [rows, columns, axis] of [
      [5, 8000, 0],
      [800, 50, 0],
      [5, 8000, 1],
    ]) {
      const channels = axis === 0 ? rows : columns;
      const scale = Array.from({ length: channels }, (_, i) => 0.1 + i / 8);
      const zeroPoint = Array.from({ length: channels }, (_, i) => (i % 7) - 3);
      const data = new MemoryRange(bytesOf(rows * columns));
      expectDefinition({ dtype: 'qint8', shape: [rows, columns], data, quantization: { scale, zeroPoint, axis } });
    }
  });
});

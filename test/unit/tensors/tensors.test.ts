import { describe, expect, it } from 'vitest';
import { MemoryRange, SourceRange } from '../../../src/bytes/byte-range';
import { BufferSource } from '../../../src/bytes/byte-source';
import { ModelError } from '../../../src/bytes/errors';
import { Accumulator } from '../../../src/tensors/accumulator';
import type { DType } from '../../../src/tensors/dtype';
import { float32Kernel } from '../../../src/tensors/float32-kernel';
import { npyHeader, writeNpy } from '../../../src/tensors/npy-writer';
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
    expect(float32Kernel()).toBeDefined();
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

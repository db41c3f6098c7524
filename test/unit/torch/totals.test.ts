import { describe, expect, it } from 'vitest';
import { MemoryRange } from '../../../src/bytes/byte-range';
import { ParameterCollector } from '../../../src/formats/torch/parameters';
import { StorageTable } from '../../../src/formats/torch/storage';
import type { TorchTensor } from '../../../src/formats/torch/tensor';

const storages = new StorageTable({ locate: () => new MemoryRange(new Uint8Array(4000)) });

function view(key: string, shape: number[], offset = 0, strides?: number[]): TorchTensor {
  return {
    dtype: 'float32',
    shape,
    offset,
    storage: storages.get(key, 'float32', 1000, 'cpu'),
    isParameter: false,
    layout: 'strided',
    ...(strides ? { strides } : {}),
  };
}

describe('shared memory', () => {
  it('is counted once for tied tensors, which name the first of them', () => {
    const collector = new ParameterCollector('little');
    collector.add('embed.weight', view('a', [10, 100]), 'parameter');
    collector.add('head.weight', view('a', [10, 100]), 'parameter');
    expect(collector.table.map((r) => r.tiedTo)).toEqual([undefined, 'embed.weight']);
    expect(collector.totals()).toEqual({ parameters: 1000, bytes: 4000, byDtype: { float32: 1000 } });
  });

  it('is not more than the storage for views that overlap, and the sum for views that do not', () => {
    const overlapping = new ParameterCollector('little');
    overlapping.add('all', view('b', [1000]), 'parameter');
    overlapping.add('half', view('b', [500], 250), 'parameter');
    overlapping.add('transposed', view('b', [100, 10], 0, [1, 100]), 'parameter');
    expect(overlapping.totals().parameters).toBe(1000);
    const apart = new ParameterCollector('little');
    apart.add('first', view('c', [100]), 'parameter');
    apart.add('second', view('c', [100], 100), 'parameter');
    expect(apart.totals().parameters).toBe(200);
  });

  it('finds ties among many views of one storage without comparing all with all', () => {
    const collector = new ParameterCollector('little');
    for (let i = 0; i < 1000; i++) collector.add(`v${i}`, view('d', [1], i), 'parameter');
    for (let i = 0; i < 1000; i++) collector.add(`w${i}`, view('d', [1], i), 'parameter');
    expect(collector.table.filter((_, i) => i >= 1000).every((r, i) => r.tiedTo === `v${i}`)).toBe(true);
    expect(collector.totals().parameters).toBe(1000);
  });

  it('gives rows of the same name names of their own', () => {
    const collector = new ParameterCollector('little');
    collector.add('w', view('e', [1]), 'parameter');
    collector.add('w', view('e', [1], 1), 'parameter');
    expect(collector.table.map((r) => r.name)).toEqual(['w', 'w (2)']);
  });
});

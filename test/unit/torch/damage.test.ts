import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { BufferSource, type ByteSource } from '../../../src/bytes/byte-source';
import { ModelError } from '../../../src/bytes/errors';
import type { ModelInput } from '../../../src/formats/format';
import { openModel } from '../../../src/formats/registry';
import type { Model } from '../../../src/model/model';
import { type MachineOptions, type Pickle, readPickle } from '../../../src/pickle/machine';

const FIXTURES = path.join(__dirname, '../../fixtures/torch');

/** A file in memory, without neighbours. */
function inMemory(bytes: Uint8Array, name = 'model.pt'): ModelInput {
  return {
    source: new BufferSource(bytes, name),
    name,
    neighbour: () => undefined,
    neighbours: () => [],
    readPickle: (source: ByteSource, start?: number, options?: MachineOptions): Pickle =>
      readPickle(source, start, options),
  };
}

function fixture(name: string): Buffer {
  return fs.readFileSync(path.join(FIXTURES, name));
}

function open(bytes: Uint8Array, name?: string): Model {
  return openModel(inMemory(bytes, name));
}

/** A legacy stream around one object's pickle, then the storages' raw parts. */
function legacy(object: Buffer, keys: string[], storages: { count: bigint; data: Buffer }[]): Buffer {
  const magic = Buffer.from([0x80, 2, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e]);
  const protocol = Buffer.from([0x80, 2, 0x4d, 0xe9, 0x03, 0x2e]);
  const system = Buffer.concat([Buffer.from([0x80, 2, 0x7d]), text('little_endian'), Buffer.from([0x88, 0x73, 0x2e])]);
  const list = Buffer.concat([
    Buffer.from([0x80, 2, 0x5d]),
    ...keys.flatMap((key) => [text(key), Buffer.from('a')]),
    Buffer.from('.'),
  ]);
  const raw = storages.flatMap(({ count, data }) => {
    const head = Buffer.alloc(8);
    head.writeBigInt64LE(count);
    return [head, data];
  });
  return Buffer.concat([magic, protocol, system, object, list, ...raw]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const head = Buffer.alloc(5);
  head[0] = 0x58;
  head.writeUInt32LE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

function integer(value: bigint): Buffer {
  const bytes = Buffer.alloc(9);
  bytes.writeBigInt64LE(BigInt.asIntN(64, value));
  return Buffer.concat([
    Buffer.from([0x8a, value < 1n << 63n ? 8 : 9]),
    value < 1n << 63n ? bytes.subarray(0, 8) : bytes,
  ]);
}

const tuple = (...items: Buffer[]) => Buffer.concat([Buffer.from('('), ...items, Buffer.from('t')]);
const global = (name: string) => Buffer.from(`c${name.replace(/\.(\w+)$/, '\n$1')}\n`);

/** A state dictionary with one float32 tensor of storage `0`, described as the test wants. */
function stateDict(name: string, elements: bigint, sizes: bigint[], strides: bigint[], offset = 0n): Buffer {
  const storage = Buffer.concat([
    tuple(text('storage'), global('torch.FloatStorage'), text('0'), text('cpu'), integer(elements), Buffer.from('N')),
    Buffer.from('Q'),
  ]);
  const args = tuple(
    storage,
    integer(offset),
    tuple(...sizes.map(integer)),
    tuple(...strides.map(integer)),
    Buffer.from([0x89]),
    Buffer.from('}'),
  );
  return Buffer.concat([
    Buffer.from([0x80, 2, 0x7d]),
    text(name),
    global('torch._utils._rebuild_tensor_v2'),
    args,
    Buffer.from('Rs.'),
  ]);
}

const FOUR = { count: 4n, data: Buffer.from(new Float32Array([1, 2, 3, 4]).buffer) };

describe('damaged files still show what they hold', () => {
  it('reads a sound hand-made legacy stream', () => {
    const model = open(legacy(stateDict('fc.weight', 4n, [2n, 2n], [2n, 1n]), ['0'], [FOUR]));
    expect(model.warnings).toEqual([]);
    expect([...model.parameters]).toMatchObject([{ name: 'fc.weight', shape: [2, 2], dtype: 'float32', bytes: 16 }]);
    expect(model.parameters.at(0)!.tensor).toBeDefined();
  });

  it('shows the tensors of a zip that was cut off before its directory, and which of them are whole', () => {
    const whole = fixture('2.13/state-zip.pt');
    const model = open(whole.subarray(0, whole.length - 900));
    expect(model.error?.code).toBe('truncated');
    expect(model.parameters.map((p) => p.name)).toContain('conv1.weight');
    expect(model.parameters.some((p) => p.tensor !== undefined)).toBe(true);
  });

  it('shows a legacy file that ends inside a storage', () => {
    const whole = fixture('1.7/state-legacy.pt');
    const model = open(whole.subarray(0, whole.length - 30));
    expect(model.parameters.length).toBe(10);
    expect(model.warnings.some((w) => w.rule === 'storage-truncated' || w.rule === 'storage-missing')).toBe(true);
  });

  it('says that a storage is shorter than the tensor needs', () => {
    const model = open(legacy(stateDict('w', 4n, [3n, 2n], [2n, 1n]), ['0'], [FOUR]));
    expect(model.parameters.at(0)!.tensor).toBeUndefined();
    expect(model.warnings).toMatchObject([{ rule: 'storage-short' }]);
    expect(model.warnings[0].message).toContain('24');
  });

  it('says that there are more strides than dimensions, and that a stride is negative', () => {
    const wrong = open(legacy(stateDict('w', 4n, [2n, 2n], [1n]), ['0'], [FOUR]));
    expect(wrong.warnings).toMatchObject([{ rule: 'tensor-shape' }]);
    const negative = open(legacy(stateDict('w', 4n, [2n], [-1n]), ['0'], [FOUR]));
    expect(negative.parameters.at(0)!.tensor).toBeUndefined();
    expect(negative.warnings.length).toBe(1);
  });

  it('takes sizes of 2^63 for what they are, without allocating anything', () => {
    const model = open(legacy(stateDict('w', 4n, [1n << 63n, 2n], [2n, 1n]), ['0'], [FOUR]));
    expect(model.parameters.at(0)!).toMatchObject({ name: 'w', count: 0 });
    expect(model.warnings[0].message).toContain('9223372036854775808');
    const product = open(legacy(stateDict('w', 4n, [1n << 40n, 1n << 40n], [1n, 1n]), ['0'], [FOUR]));
    expect(product.parameters.at(0)!).toMatchObject({ count: 0 });
    const storage = open(legacy(stateDict('w', 1n << 61n, [2n], [1n]), ['0'], [{ ...FOUR, count: 1n << 61n }]));
    expect(storage.warnings.some((w) => w.rule === 'storage-truncated')).toBe(true);
  });

  it('lists tensors whose storage is not in the file', () => {
    const model = open(legacy(stateDict('w', 4n, [4n], [1n]), [], []));
    expect([...model.parameters]).toMatchObject([{ name: 'w', shape: [4] }]);
    expect(model.warnings).toMatchObject([{ rule: 'storage-missing' }]);
  });

  it('keeps names with control characters and bidirectional marks, and says so', () => {
    const model = open(legacy(stateDict('fc\u202etxet\u0007.weight', 4n, [4n], [1n]), ['0'], [FOUR]));
    expect(model.parameters.at(0)!.name).toBe('fc\u202etxet\u0007.weight');
    expect(model.warnings).toMatchObject([{ rule: 'confusing-name' }]);
    expect(model.summary.snippets?.every((s) => !/[\u202e\u0007]/.test(s.code))).toBe(true);
  });

  it('opens every prefix of a file as a model or a ModelError, and nothing else', () => {
    for (const name of [
      '2.13/checkpoint-zip.pt',
      '1.4/quantised-legacy.pt',
      '2.13/scripted.pt',
      '2.13/exported.pt2',
      '2.13/weights.safetensors',
      '1.0/traced.pt',
    ]) {
      const whole = fixture(name);
      for (let cut = 0; cut < whole.length; cut += Math.ceil(whole.length / 37)) {
        try {
          expect(open(whole.subarray(0, cut), path.basename(name)).summary.title).not.toBe('');
        } catch (error) {
          expect(error).toBeInstanceOf(ModelError);
        }
      }
    }
  });
});

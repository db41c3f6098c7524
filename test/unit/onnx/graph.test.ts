import { describe, expect, it } from 'vitest';
import { onnx } from '../../../generated/onnx';
import { decodeMessage } from '../../../src/bytes/protobuf';
import { Graph } from '../../../src/onnx/graph';
import { bytesOf, float64, int64, strings, type Tensor } from '../../../src/onnx/tensor';
import { type ModelSink, serialize, writeModel } from '../../../src/onnx/writer';
import { createSession } from '../../../src/prediction/runtime';

async function run(graph: Graph, feeds: Record<string, Tensor>): Promise<Record<string, Tensor>> {
  const session = await createSession({ graph });
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

describe('graph builder', () => {
  it('computes what it was told to, in float64', async () => {
    const g = new Graph('affine');
    const x = g.input('X', 'float64', [null, 2]);
    const y = g.add(g.matmul(x, g.doubles([1, 2, 3, 4], [2, 2])), 0.1);
    g.output(y, 'Y', [null, 2]);
    const { Y } = await run(g, { X: float64([1, 1, 0.5, 0], [2, 2]) });
    expect(Y).toEqual({ dtype: 'float64', shape: [2, 2], data: Float64Array.of(4.1, 6.1, 0.6, 1.1) });
  });

  it('stores equal constants once and keeps different ones apart', () => {
    const g = new Graph('constants');
    const same = g.doubles([1, 2, 3]);
    expect(g.doubles(Float64Array.of(1, 2, 3))).toBe(same);
    expect(g.doubles([1, 2, 3], [3, 1])).not.toBe(same);
    expect(g.ints([1, 2, 3])).not.toBe(same);
    expect(g.doubles([0])).not.toBe(g.doubles([-0]));
    const long = (last: number) => g.doubles(Float64Array.from({ length: 10_000 }, (_, i) => (i === 9_999 ? last : 0)));
    expect(long(1)).not.toBe(long(2));
    expect(long(2)).toBe(long(2));
  });

  it('gives unique and readable names, and outputs that are inputs or constants', async () => {
    const g = new Graph('names');
    const x = g.input('X', 'float64', [null]);
    const [a, b] = g.scope('scaler', () => [g.add(x, 1), g.add(x, 2)]);
    expect([a!.name, b!.name]).toEqual(['scaler/add', 'scaler/add_1']);
    g.output(x, 'same');
    g.output(g.constant(strings(['a', 'b'])), 'labels');
    g.output(a!, 'plus_one');
    g.output(a!, 'again');
    const result = await run(g, { X: float64([1, 2]) });
    expect(result['same']!.data).toEqual(Float64Array.of(1, 2));
    expect(result['labels']!.data).toEqual(['a', 'b']);
    expect(result['plus_one']!.data).toEqual(result['again']!.data);
  });

  it('puts subgraphs into attributes, with constants in the outer graph', async () => {
    const g = new Graph('branch');
    const x = g.input('X', 'float64', []);
    const branch = (name: string, factor: number) => {
      const sub = g.subgraph(name);
      sub.output(sub.mul(x, factor), `${name}_out`, []);
      return sub;
    };
    const attributes = { then_branch: branch('yes', 2), else_branch: branch('no', -1) };
    g.output(g.node('If', [g.greater(x, 0)], 'float64', { attributes }), 'Y', []);
    expect((await run(g, { X: float64([3], []) }))['Y']!.data).toEqual(Float64Array.of(6));
    expect((await run(g, { X: float64([-3], []) }))['Y']!.data).toEqual(Float64Array.of(3));
  });

  it('writes versions, documentation and raw data that other readers find', () => {
    const g = new Graph('written');
    g.output(g.add(g.input('X', 'int64', ['batch']), g.constant(int64([2 ** 40]))), 'Y', ['batch']);
    const { bytes, external } = serialize({ graph: g, description: 'adds', metadata: { classes: 'none' } });
    const model = decodeMessage(onnx.ModelProto, bytes, 'The model');
    expect(external).toEqual([]);
    expect(model.irVersion).toBe(10);
    expect(model.opsetImport.map((set) => [set.domain, set.version])).toEqual([['', 21]]);
    expect(model.docString).toBe('adds');
    expect(model.graph!.input![0]!.type!.tensorType!.shape!.dim![0]!.dimParam).toBe('batch');
    const [initializer] = model.graph!.initializer!;
    expect(initializer!.dims).toEqual([1]);
    expect(new DataView(Uint8Array.from(initializer!.rawData!).buffer).getBigInt64(0, true)).toBe(2n ** 40n);
  });

  it('refuses operands of different dtypes', () => {
    const g = new Graph('mixed');
    expect(() => g.add(g.input('a', 'float64'), g.input('b', 'int64'))).toThrow(/float64 and int64/);
  });
});

describe('models beyond 2 GB', () => {
  /** 2.25 GB of zeros would be slow to make; one buffer used nine times is as large in the file. */
  function large(): Graph {
    const g = new Graph('large');
    const buffer = new Float32Array(2 ** 26);
    let sum = g.input('X', 'float32', [1]);
    for (let i = 0; i < 9; i++) {
      const data = buffer.subarray(0, buffer.length - i);
      sum = g.add(sum, g.gather(g.constant({ dtype: 'float32', shape: [data.length], data }), g.ints([i]), 0));
    }
    g.output(sum, 'Y', [1]);
    return g;
  }

  it('puts weights beside the model', () => {
    let weights = 0;
    let model: Uint8Array | undefined;
    const sink: ModelSink = {
      weightsLocation: 'large.onnx.data',
      writeModel: (bytes) => {
        model = bytes;
      },
      appendWeights: (bytes) => {
        weights += bytes.length;
      },
    };
    const graph = large();
    writeModel({ graph }, sink);
    expect(model!.length).toBeLessThan(10_000);
    const [first, , second] = decodeMessage(onnx.ModelProto, model!, 'The model').graph!.initializer!;
    const place = Object.fromEntries(second!.externalData!.map((entry) => [entry.key, entry.value]));
    expect(place['location']).toBe('large.onnx.data');
    expect(Number(place['offset']) % 4096).toBe(0);
    expect(weights).toBeGreaterThan(2 ** 31);
    expect(first!.rawData!.length).toBe(0);
    const { external } = serialize({ graph });
    expect(external.length).toBe(9);
    expect(external[0]!.data.buffer).toBe(bytesOf(graph.initializers[0]!.tensor.data as Float32Array).buffer);
  });
});

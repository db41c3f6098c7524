import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { tensorflow } from '../../../../generated/tensorflow';
import { BufferSource } from '../../../../src/bytes/byte-source';
import { ModelError } from '../../../../src/bytes/errors';
import { encodeMessage } from '../../../../src/bytes/protobuf';
import type { ModelInput } from '../../../../src/formats/format';
import { graphFormat, savedModelFormat } from '../../../../src/formats/tensorflow';
import { checkpointFormat } from '../../../../src/formats/tensorflow/checkpoint';
import type { Model } from '../../../../src/model/model';
import { valuesOf } from './values';

const FOLDER = path.resolve(__dirname, '../../../fixtures/tensorflow');
const DATA = 'variables/variables.data-00000-of-00001';
const INDEX = 'variables/variables.index';

type Files = Map<string, Uint8Array>;

function load(name: string): Files {
  const files: Files = new Map();
  for (const file of ['saved_model.pb', 'keras_metadata.pb', INDEX, DATA]) {
    const at = path.join(FOLDER, name, file);
    if (fs.existsSync(at)) files.set(file, new Uint8Array(fs.readFileSync(at)));
  }
  return files;
}

function inputOf(files: Files, name = 'saved_model.pb'): ModelInput {
  return {
    source: new BufferSource(files.get(name)!, name),
    name,
    neighbour: (file) => {
      const bytes = files.get(file);
      return bytes && new BufferSource(bytes, file);
    },
    neighbours: (folder) => [...files.keys()].filter((f) => path.posix.dirname(f) === (folder || '.')),
    readPickle: () => {
      throw new Error('no pickle');
    },
  };
}

function saved(graph: tensorflow.MetaGraphDef.$Properties): Files {
  return new Map([
    ['saved_model.pb', encodeMessage(tensorflow.SavedModel, { savedModelSchemaVersion: 1, metaGraphs: [graph] })],
  ]);
}

/** Looks at everything that a user could ask for. */
function exercise(model: Model): void {
  for (const row of model.parameters) {
    try {
      row.tensor?.data.bytes();
    } catch (error) {
      expect(error).toBeInstanceOf(ModelError);
    }
  }
  const roots = model.graph?.roots() ?? [];
  for (const root of roots.slice(0, 5)) {
    const pending = [''];
    for (let i = 0; i < pending.length && i < 12; i++) {
      try {
        for (const node of model.graph!.level(root.id, pending[i]!).nodes)
          if (node.path !== undefined) pending.push(node.path);
      } catch (error) {
        expect(error).toBeInstanceOf(ModelError);
      }
    }
  }
}

describe('damaged SavedModels', () => {
  it('shows the structure when the data file is missing, and says so for each variable', () => {
    const files = load('dense-2.15');
    files.delete(DATA);
    const model = savedModelFormat.open(inputOf(files));
    expect(model.parameters.map((p) => p.name)).toEqual([
      'hidden/kernel',
      'hidden/bias',
      'scores/kernel',
      'scores/bias',
    ]);
    for (const row of model.parameters) expect(row.note).toContain('data-00000-of-00001');
    expect(model.summary.facts.find((f) => f.label === 'Weights')?.value).toContain('structure only');
    expect(model.noPrediction).toBeDefined();
  });

  it('shows the structure without the whole folder', () => {
    const files = load('dense-2.15');
    files.delete(DATA);
    files.delete(INDEX);
    const model = savedModelFormat.open(inputOf(files));
    expect(model.parameters.map((p) => [p.name, p.shape])).toEqual([
      ['hidden/kernel', [4, 8]],
      ['hidden/bias', [8]],
      ['scores/kernel', [8, 3]],
      ['scores/bias', [3]],
    ]);
    expect(model.error).toBeUndefined();
  });

  it('has the values that a short data file still holds', () => {
    const files = load('dense-2.15');
    const whole = savedModelFormat.open(inputOf(files));
    files.set(DATA, files.get(DATA)!.slice(0, 200));
    const model = savedModelFormat.open(inputOf(files));
    const readable = model.parameters.filter((p) => p.tensor);
    expect(readable.length).toBeGreaterThan(0);
    expect(readable.length).toBeLessThan(4);
    for (const row of readable)
      expect(valuesOf(row)).toEqual(valuesOf(whole.parameters.find((p) => p.name === row.name)!));
    for (const row of model.parameters) if (!row.tensor) expect(row.note).toContain('cut off');
  });

  it('finds a changed byte in the variable that has it, and only there', () => {
    const files = load('module-2.15');
    const clean = savedModelFormat.open(inputOf(files));
    for (const row of clean.parameters) if (row.tensor) row.tensor.data.bytes();
    const data = files.get(DATA)!;
    let caught = 0;
    for (let at = 0; at < 200; at += 9) {
      const changed = data.slice();
      changed[at]! ^= 0x10;
      const model = savedModelFormat.open(inputOf(new Map(files).set(DATA, changed)));
      const damaged = model.parameters.filter((row) => {
        try {
          row.tensor?.data.bytes();
          return false;
        } catch (error) {
          expect((error as ModelError).code).toBe('malformed');
          return true;
        }
      });
      expect(damaged.length).toBeLessThanOrEqual(1);
      caught += damaged.length;
    }
    expect(caught).toBeGreaterThan(10);
  });

  it('says that the index is damaged and shows the rest', () => {
    const files = load('dense-2.15');
    const index = files.get(INDEX)!.slice();
    index[10]! ^= 1;
    const model = savedModelFormat.open(inputOf(new Map(files).set(INDEX, index)));
    expect(model.parameters.length).toBe(4);
    expect(model.warnings.map((w) => w.message).join(' ')).toContain('checksum');
    const cut = savedModelFormat.open(inputOf(new Map(files).set(INDEX, index.slice(0, 30))));
    expect(cut.parameters.length).toBe(4);
    expect(cut.warnings.length).toBeGreaterThan(0);
  });

  it.each(['dense-2.15', 'cnn-2.21', 'partitioned-1.15'])(
    '%s cut anywhere: a part of the model with a banner, or an error',
    (name) => {
      const files = load(name);
      const bytes = files.get('saved_model.pb')!;
      let shown = 0;
      const step = Math.max(1, Math.floor(bytes.length / 60));
      for (let end = 0; end < bytes.length; end += step) {
        try {
          const model = savedModelFormat.open(inputOf(new Map(files).set('saved_model.pb', bytes.slice(0, end))));
          exercise(model);
          expect(model.error, `${end}`).toBeDefined();
          shown++;
        } catch (error) {
          expect(error).toBeInstanceOf(ModelError);
        }
      }
      expect(shown).toBeGreaterThan(40);
    },
  );

  it.each(['dense-2.15', 'module-2.4', 'estimator-1.15'])(
    '%s with changed bytes: a model or a ModelError, in time',
    (name) => {
      const files = load(name);
      let seed = 12345;
      const random = (): number => {
        seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
        return seed / 0x80000000;
      };
      for (let round = 0; round < 60; round++) {
        const changed: Files = new Map();
        for (const [file, bytes] of files) {
          const copy = bytes.slice();
          for (let i = 0; i < 4; i++) copy[Math.floor(random() * copy.length)] = Math.floor(random() * 256);
          changed.set(file, copy);
        }
        try {
          exercise(savedModelFormat.open(inputOf(changed)));
        } catch (error) {
          expect(error).toBeInstanceOf(ModelError);
        }
      }
    },
  );
});

describe('hostile graphs', () => {
  it('ends at an object graph that is a cycle or leads nowhere', () => {
    const child = (nodeId: number, localName: string) => ({ nodeId, localName });
    const model = savedModelFormat.open(
      inputOf(
        saved({
          objectGraphDef: {
            nodes: [
              {
                userObject: { identifier: '_generic_user_object' },
                children: [child(1, 'a'), child(99, 'gone'), child(-3, 'minus')],
              },
              {
                userObject: { identifier: '_generic_user_object' },
                children: [child(0, 'parent'), child(1, 'self'), child(2, 'w')],
              },
              { variable: { name: 'w', shape: { dim: [{ size: 2 }] }, dtype: 1 } },
            ],
          },
        }),
      ),
    );
    expect(model.root.children.map((c) => [c.name, c.parameters])).toEqual([['a', ['a/w']]]);
    expect(model.warnings.filter((w) => w.rule === 'object-graph').length).toBe(2);
  });

  it('does not follow an object graph into the depth with the call stack', () => {
    const depth = 30_000;
    const nodes: tensorflow.SavedObject.$Properties[] = Array.from({ length: depth }, (_, i) => ({
      userObject: { identifier: '_generic_user_object' },
      children: [{ nodeId: i + 1, localName: 'x' }],
    }));
    nodes.push({ variable: { name: 'w', shape: {}, dtype: 1 } });
    const model = savedModelFormat.open(inputOf(saved({ objectGraphDef: { nodes } })));
    expect(model.parameters.length).toBe(1);
  });

  it('opens functions that call themselves as often as asked, and no more', () => {
    const f = {
      signature: { name: 'f', inputArg: [{ name: 'x', type: 1 }], outputArg: [{ name: 'y', type: 1 }] },
      nodeDef: [
        { name: 'call', op: 'PartitionedCall', input: ['x'], attr: { f: { func: { name: 'f' } } } },
        { name: 'neg', op: 'Neg', input: ['call:output:0'] },
      ],
      ret: { y: 'neg:y:0' },
    };
    const only = {
      ...f,
      signature: { ...f.signature, name: 'only' },
      nodeDef: [{ ...f.nodeDef[0]!, attr: { f: { func: { name: 'only' } } } }],
      ret: { y: 'call:output:0' },
    };
    const model = savedModelFormat.open(
      inputOf(
        saved({
          graphDef: {
            node: [
              { name: 'x', op: 'Placeholder' },
              { name: 'c', op: 'PartitionedCall', input: ['x'], attr: { f: { func: { name: 'only' } } } },
            ],
            library: { function: [f, only] },
          },
          signatureDef: { serving_default: { inputs: { x: { name: 'x:0' } }, outputs: { y: { name: 'c:0' } } } },
        }),
      ),
    );
    // `only` holds nothing but a call of itself; stepping through wrappers ends.
    expect(model.graph!.level('signature:serving_default', '').nodes.length).toBeGreaterThan(0);
    let at = '';
    for (let i = 0; i < 80; i++) {
      const group = model.graph!.level('function:f', at).nodes.find((n) => n.kind === 'group');
      if (!group) break;
      at = group.path!;
    }
    expect(at.length).toBeGreaterThan(20);
  });

  it('draws a loop of operators and one that reads itself', () => {
    const graph = encodeMessage(tensorflow.GraphDef, {
      node: [
        { name: 'a', op: 'Identity', input: ['b'] },
        { name: 'b', op: 'Identity', input: ['a'] },
        { name: 'c', op: 'Add', input: ['a', 'c', 'nowhere', '^b'] },
      ],
    });
    const model = graphFormat.open(inputOf(new Map([['g.pb', graph]]), 'g.pb'));
    expect(model.graph!.level('graph', '').nodes.map((n) => n.id)).toContain('c');
  });

  it('opens a graph of a million operators without hanging', { timeout: 120_000 }, () => {
    const count = 1_000_000;
    const chunk = encodeMessage(tensorflow.GraphDef, {
      node: Array.from({ length: 1000 }, (_, i) => ({
        name: `s${i % 40}/layer${i % 7}/op${i}`,
        op: 'Relu',
        input: [`s${(i + 1) % 40}/layer${(i + 1) % 7}/op${i + 1}`],
      })),
    });
    const bytes = new Uint8Array(chunk.length * (count / 1000));
    for (let i = 0; i < count / 1000; i++) bytes.set(chunk, i * chunk.length);
    const started = performance.now();
    const model = graphFormat.open(inputOf(new Map([['g.pb', bytes]]), 'g.pb'));
    const level = model.graph!.level('graph', '');
    expect(level.nodes.length).toBeLessThanOrEqual(1500);
    expect(performance.now() - started).toBeLessThan(60_000);
  });
});

describe('damaged checkpoints', () => {
  it('cut or changed anywhere: a model or a ModelError', () => {
    const folder = path.join(FOLDER, 'checkpoint-2.15');
    const index = new Uint8Array(fs.readFileSync(path.join(folder, 'ckpt-1.index')));
    const data = new Uint8Array(fs.readFileSync(path.join(folder, 'ckpt-1.data-00000-of-00001')));
    for (let at = 0; at < index.length; at += 3) {
      for (const bytes of [index.slice(0, at), index.map((b, i) => (i === at ? b ^ 0x41 : b))]) {
        const input = inputOf(
          new Map([
            ['ckpt-1.index', bytes],
            ['ckpt-1.data-00000-of-00001', data],
          ]),
          'ckpt-1.index',
        );
        try {
          exercise(checkpointFormat.open(input));
        } catch (error) {
          expect(error).toBeInstanceOf(ModelError);
        }
      }
    }
  });
});

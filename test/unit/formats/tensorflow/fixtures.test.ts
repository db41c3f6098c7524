import * as fs from 'node:fs';
import * as path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { FileInput } from '../../../../src/engine/input';
import { openModel, prepareToOpen } from '../../../../src/formats/registry';
import type { Model, ModuleNode, Parameter } from '../../../../src/model/model';
import { valuesOf } from './values';

/**
 * Every file or folder with a `.golden.json` beside it, which the real TensorFlow and Keras made
 * (tools/fixtures/tensorflow/make.py): names, shapes, dtypes, values, layers and signatures agree.
 */
const FOLDER = path.resolve(__dirname, '../../../fixtures/tensorflow');

type Values = (number | string | boolean)[];

interface Weight {
  shape: number[];
  dtype: string;
  first: Values;
  last: Values;
}

interface Golden {
  format: string;
  tensorflow: string;
  file?: string;
  checkpoint?: Record<string, Weight>;
  keras?: {
    name: string;
    layers: {
      name: string;
      class: string;
      parameters: number | null;
      weights: number[][];
      output: (number | null)[] | null;
    }[];
    weights: (Weight & { name: string; trainable: boolean })[];
    trainable: number;
    nonTrainable: number;
  };
  signatures?: Record<
    string,
    Record<'inputs' | 'outputs', Record<string, { dtype: string; shape: (number | null)[] | null }>>
  >;
}

const SUFFIX = '.golden.json';
const names = fs
  .readdirSync(FOLDER)
  .filter((file) => file.endsWith(SUFFIX))
  .map((file) => file.slice(0, -SUFFIX.length));

describe.each(names)('%s', (name) => {
  const golden = JSON.parse(fs.readFileSync(path.join(FOLDER, name + SUFFIX), 'utf8')) as Golden;
  let model: Model;
  beforeAll(async () => {
    const input = new FileInput(path.join(FOLDER, name, golden.file ?? ''));
    await prepareToOpen(input);
    model = openModel(input);
  });

  it('opens as what it is, without complaints', () => {
    expect(model.format).toBe(golden.format);
    expect(model.error).toBeUndefined();
    expect(model.warnings).toEqual([]);
    expect(model.summary.title.length).toBeGreaterThan(3);
    expect(new Set(model.parameters.map((p) => p.name)).size).toBe(model.parameters.length);
  });

  if (golden.checkpoint) {
    const { checkpoint } = golden;
    it('has every variable of the checkpoint, with its values', () => {
      const byStorage = new Map(model.parameters.map((p) => [p.storage, p]));
      for (const [key, weight] of Object.entries(checkpoint)) {
        const row = byStorage.get(key);
        // A second copy of a variable is noted in the row of the first.
        if (!row) {
          expect(
            model.parameters.some((p) => p.note?.includes(key)),
            key,
          ).toBe(true);
          continue;
        }
        expect(describeRow(row), key).toEqual({ shape: weight.shape, dtype: weight.dtype });
        expectValues(row, weight, key);
      }
    });
  }

  if (golden.keras) {
    const { keras } = golden;
    it('has the weights of the Keras model by their names', () => {
      const rows = model.parameters.filter((p) => p.kind !== 'attribute');
      expect(rows.length).toBe(keras.weights.length);
      keras.weights.forEach((weight, i) => {
        const row = rows[i]!;
        expect([row.name, row.shape], weight.name).toEqual([
          expect.stringContaining(lastPart(weight.name)),
          weight.shape,
        ]);
        expectValues(row, weight, weight.name);
        expect([row.name, row.requiresGrad]).toEqual([row.name, weight.trainable]);
      });
      expect(model.summary.totals.parameters).toBe(keras.trainable + keras.nonTrainable);
    });

    it('has the layers of the Keras model', () => {
      // Exports of Keras 3 and files of weights have no configuration.
      if (model.summary.subtitle?.startsWith('exported by Keras 3') || model.summary.title === 'Keras weights') return;
      const byName = new Map(model.root.children.map((child) => [child.name, child]));
      for (const layer of keras.layers) {
        const node = byName.get(layer.name);
        expect(node?.kind, layer.name).toBe(layer.class);
        if (layer.parameters !== null) expect(countBelow(node!, model), layer.name).toBe(layer.parameters);
        const shape = node!.attributes.find((a) => a.name === 'output_shape')?.value;
        if (layer.output) expect(shape, layer.name).toEqual(layer.output);
      }
    });
  }

  if (golden.signatures) {
    const { signatures } = golden;
    it('has the signatures', () => {
      const got = Object.fromEntries(
        model.signatures.map((s) => [
          s.name,
          Object.fromEntries(
            (['inputs', 'outputs'] as const).map((side) => [
              side,
              Object.fromEntries(s[side].map((t) => [t.name, { dtype: t.dtype, shape: t.shape }])),
            ]),
          ),
        ]),
      );
      expect(got).toEqual(signatures);
    });
  }
});

function describeRow(row: Parameter): { shape: number[]; dtype: string } {
  return { shape: row.shape, dtype: row.dtype };
}

function expectValues(row: Parameter, weight: Weight, name: string): void {
  const count = weight.first.length;
  const values = valuesOf(row);
  expect(values.slice(0, count), name).toEqual(weight.first);
  if (weight.last.length > 0) expect(values.at(-1), name).toEqual(weight.last[0]);
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

/** Elements of the weights in a node and below. */
function countBelow(root: ModuleNode, model: Model): number {
  const byName = new Map(model.parameters.map((p) => [p.name, p]));
  let total = 0;
  const pending = [root];
  for (let node = pending.pop(); node; node = pending.pop()) {
    for (const name of node.parameters) {
      const row = byName.get(name)!;
      if (row.kind !== 'attribute') total += row.count;
    }
    pending.push(...node.children);
  }
  return total;
}

import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { FileInput } from '../../../../src/engine/input';
import { openModel } from '../../../../src/formats/registry';
import type { GraphLevel, Model } from '../../../../src/model/model';

const FOLDER = path.resolve(__dirname, '../../../fixtures/tensorflow');
const folders = fs.readdirSync(FOLDER).filter((name) => fs.existsSync(path.join(FOLDER, name, 'saved_model.pb')));

function open(name: string): Model {
  return openModel(new FileInput(path.join(FOLDER, name)));
}

/** Levels from a root downwards, breadth first, up to a number. */
function* levels(model: Model, root: string, most: number): Generator<{ path: string; level: GraphLevel }> {
  const pending = [''];
  for (let i = 0; i < pending.length && i < most; i++) {
    const level = model.graph!.level(root, pending[i]!);
    yield { path: pending[i]!, level };
    for (const node of level.nodes) if (node.path !== undefined) pending.push(node.path);
  }
}

describe('graph levels', () => {
  it.each(folders)('%s: every level of every root hangs together', (name) => {
    const model = open(name);
    const rows = new Set(model.parameters.map((p) => p.name));
    for (const root of model.graph!.roots()) {
      for (const { path: at, level } of levels(model, root.id, 60)) {
        const ids = new Set(level.nodes.map((node) => node.id));
        expect(ids.size, `${root.id} ${at}`).toBe(level.nodes.length);
        for (const edge of level.edges)
          expect([ids.has(edge.from), ids.has(edge.to)], `${root.id} ${at}`).toEqual([true, true]);
        for (const node of level.nodes) for (const row of node.parameters ?? []) expect(rows.has(row), row).toBe(true);
      }
    }
  });

  it.each(folders)('%s: a signature shows no variable handles, and every weight that Keras lists', (name) => {
    const model = open(name);
    const signature = model.graph!.roots().find((root) => root.id === 'signature:serving_default');
    // Saved without traces.
    if (!signature) return expect(name).toBe('text-2.10');
    const seen = new Set<string>();
    for (const { level } of levels(model, signature.id, 400)) {
      for (const node of level.nodes) {
        expect(['VarHandleOp', 'ReadVariableOp', 'VariableV2', 'RestoreV2', 'SaveV2']).not.toContain(node.op);
        for (const row of node.parameters ?? []) seen.add(row);
      }
    }
    if (!model.summary.subtitle?.includes('Keras')) return;
    const weights = model.parameters.filter((p) => p.kind !== 'attribute').map((p) => p.name);
    expect([...seen].sort()).toEqual(weights.sort());
  });

  it('leads from a signature through its wrappers to the layers, in order', () => {
    const level = open('dense-2.15').graph!.level('signature:serving_default', '');
    expect(level.nodes.map((node) => [node.kind, node.label])).toEqual([
      ['input', 'input_1'],
      ['group', 'iris'],
      ['output', 'identity'],
    ]);
    const inside = open('dense-2.15').graph!.level('signature:serving_default', level.nodes[1]!.path!);
    expect(inside.edges).toContainEqual({ from: 'group:iris/hidden', to: 'group:iris/scores' });
  });
});

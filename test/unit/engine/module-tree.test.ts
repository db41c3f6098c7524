import { describe, expect, it } from 'vitest';
import { ModuleIndex } from '../../../src/engine/module-tree';
import type { Model, ModuleNode, Parameter } from '../../../src/model/model';
import { ParameterTable } from '../../../src/model/parameter-table';

function parameter(name: string, count: number): Parameter {
  return { name, shape: [count], dtype: 'float32', count, bytes: count * 4, storage: name, kind: 'parameter' };
}

function node(path: string, parameters: string[], more: Partial<ModuleNode> = {}): ModuleNode {
  return { path, name: path, kind: 'Layer', attributes: [], parameters, children: [], ...more };
}

function model(child: ModuleNode): Model {
  const parameters = [0, 1, 2].map((i) => parameter(`layer.${i}.weight`, 10));
  return {
    format: 'torch-zip',
    summary: { title: '', facts: [], totals: { parameters: 30, bytes: 120, byDtype: { float32: 30 } } },
    root: node('', [], { children: [child] }),
    parameters: ParameterTable.of(parameters),
    signatures: [],
    warnings: [],
    pickles: [],
  };
}

const repeated = { count: 3, first: 'layer.0', last: 'layer.2' };

describe('weight of repeated modules', () => {
  it('multiplies a node that holds the first one’s parameters', () => {
    const [row] = new ModuleIndex(model(node('layer.0', ['layer.0.weight'], { repeated }))).children('', 0, 1).rows;
    expect(row).toMatchObject({ parameterCount: 30, bytes: 120, share: 1 });
  });

  it('does not multiply a node that holds the parameters of all', () => {
    const inner = node(
      'layer.0.inner',
      [0, 1, 2].map((i) => `layer.${i}.weight`),
    );
    const index = new ModuleIndex(model(node('layer', [], { repeated, children: [inner] })));
    expect(index.children('', 0, 1).rows[0]).toMatchObject({ parameterCount: 30, bytes: 120, share: 1 });
    expect(index.children(null, 0, 1).rows[0]).toMatchObject({ parameterCount: 30, share: 1 });
  });
});

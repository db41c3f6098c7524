import { describe, expect, it } from 'vitest';
import { inferKinds } from '../../../src/formats/torch/infer/kinds';
import { collapseRepeats } from '../../../src/formats/torch/infer/repeats';
import { modelOfTensors } from '../../../src/formats/torch/plain-tensors';
import type { ModuleNode } from '../../../src/model/model';

/** The hierarchy of float32 tensors of these names and shapes. */
function hierarchy(tensors: readonly [string, number[]][]): ModuleNode {
  return modelOfTensors(
    tensors.map(([name, shape]) => ({
      name,
      tensor: { dtype: 'float32', shape, offset: 0, isParameter: false, layout: 'strided' },
    })),
    { format: 'safetensors', title: () => '', facts: [], warnings: [], noPrediction: '' },
  ).root;
}

function block(path: string, width: number): [string, number[]][] {
  return [
    [`${path}.attn.q_proj.weight`, [width, width]],
    [`${path}.attn.k_proj.weight`, [width, width]],
    [`${path}.experts.0.fc.weight`, [width * 2, width]],
    [`${path}.experts.1.fc.weight`, [width * 2, width]],
    [`${path}.experts.2.fc.weight`, [width * 2, width]],
    [`${path}.norm.weight`, [width]],
    [`${path}.norm.bias`, [width]],
  ];
}

/** Every node with its kind, those that another stands for included. */
function kinds(root: ModuleNode): string[] {
  const found: string[] = [];
  const pending = [root];
  for (let node = pending.pop(); node; node = pending.pop()) {
    found.push(`${node.path} ${node.kind} ${node.inferredFrom ?? ''} ${node.summary ?? ''}`);
    pending.push(...node.children, ...(node.repeated?.others ?? []));
  }
  return found.sort();
}

describe('blocks of a list that are built alike', () => {
  it('become one node, lists inside them too, and only where shapes agree', () => {
    const root = hierarchy([0, 1, 2, 3, 4, 5, 6].flatMap((i) => block(`layers.${i}`, i < 4 ? 8 : 16)));
    const [layers] = root.children;
    expect(layers.children.map((child) => [child.name, child.repeated?.count])).toEqual([
      ['0–3', 4],
      ['4–6', 3],
    ]);
    for (const child of [layers.children[0], ...(layers.children[0].repeated?.others ?? [])]) {
      const experts = child.children.find(({ name }) => name === 'experts');
      expect(experts?.children.map(({ name }) => name)).toEqual(['0–2']);
      expect(experts?.children[0].path).toBe(`${child.path}.experts.0`);
    }
  });

  it('say inside what each would say alone', () => {
    const together = kinds(hierarchy([0, 1, 2, 3].flatMap((i) => block(`layers.${i}`, 8))));
    for (const i of [0, 1, 2, 3]) {
      const alone = kinds(hierarchy(block(`layers.${i}`, 8)));
      const inside = (lines: readonly string[]): string[] => lines.filter((line) => line.startsWith(`layers.${i}.`));
      expect(inside(together)).toEqual(inside(alone));
      expect(inside(together).length).toBeGreaterThan(8);
    }
  });

  it('are not those with a gap in their numbers, or with another dtype or name below', () => {
    const gap = hierarchy([0, 1, 3, 4].flatMap((i) => block(`layers.${i}`, 8)));
    expect(gap.children[0].children.map(({ name }) => name)).toEqual(['0', '1', '3', '4']);
    const named = hierarchy([...[0, 1, 2].flatMap((i) => block(`layers.${i}`, 8)), ['layers.1.extra.weight', [3, 3]]]);
    expect(named.children[0].children.map(({ name }) => name)).toEqual(['0', '1', '2']);
  });

  it('do not repeat work for lists in lists in lists', () => {
    const tensors: [string, number[]][] = [];
    for (let a = 0; a < 9; a++)
      for (let b = 0; b < 9; b++)
        for (let c = 0; c < 9; c++) for (let d = 0; d < 9; d++) tensors.push([`l.${a}.${b}.${c}.${d}.weight`, [4, 4]]);
    let looked = 0;
    const root = { path: '', name: '', kind: '', attributes: [], parameters: [], children: [] } as ModuleNode;
    const nodes = new Map<string, ModuleNode>([['', root]]);
    for (const [name] of tensors) {
      const parts = name.split('.').slice(0, -1);
      for (let i = 1; i <= parts.length; i++) {
        const path = parts.slice(0, i).join('.');
        if (nodes.has(path)) continue;
        const node: ModuleNode = { ...root, path, name: parts[i - 1], attributes: [], parameters: [], children: [] };
        nodes.get(parts.slice(0, i - 1).join('.'))!.children.push(node);
        nodes.set(path, node);
      }
      nodes.get(parts.join('.'))!.parameters.push(name);
    }
    const tensor = { dtype: 'float32', shape: [4, 4], offset: 0, isParameter: false, layout: 'strided' } as const;
    const alike = inferKinds(
      root,
      {
        get: () => {
          looked++;
          return { ...tensor, shape: [4, 4] };
        },
      },
      new Set(),
    );
    collapseRepeats(root, alike);
    expect(root.children[0].children[0].name).toBe('0–8');
    expect(root.children[0].children[0].children[0].children[0].children[0]).toMatchObject({
      name: '0–8',
      kind: 'Linear',
    });
    // Each tensor is compared once at most at each of the four levels, with the one before it, and that of the copies not again.
    expect(looked).toBeLessThan(8 * tensors.length);
  });
});

import { describe, expect, it } from 'vitest';
import { ModulePaths } from '../../../src/formats/torch/module-paths';
import type { ModuleNode } from '../../../src/model/model';

function root(path = ''): ModuleNode {
  return { path, name: '', kind: '', attributes: [], parameters: [], children: [] };
}

/** Puts each name's tensor at its owner, as a reader does. */
function tree(names: readonly string[], path = ''): ModuleNode {
  const top = root(path);
  const paths = new ModulePaths(top);
  for (const name of names) {
    const dot = name.lastIndexOf('.');
    (dot < 0 ? top : paths.at(name, dot)).parameters.push(name);
  }
  return top;
}

/** What splitting every name would give. */
function expected(names: readonly string[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const name of names) {
    const parts = name.split('.').slice(0, -1);
    for (let i = 0; i <= parts.length; i++) {
      const key = JSON.stringify(parts.slice(0, i));
      found.set(key, found.get(key) ?? []);
    }
    found.get(JSON.stringify(parts))!.push(name);
  }
  return found;
}

function walk(top: ModuleNode): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const pending: { node: ModuleNode; parts: string[] }[] = [{ node: top, parts: [] }];
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { node, parts } = next;
    expect(found.has(JSON.stringify(parts))).toBe(false);
    found.set(JSON.stringify(parts), node.parameters);
    if (top.path === '') expect(node.path).toBe(parts.join('.'));
    for (const child of node.children) pending.push({ node: child, parts: [...parts, child.name] });
  }
  return found;
}

const NAMES = [
  'a.b.weight',
  'a.b.bias',
  'a.bc.weight',
  'a.weight',
  'ab.b.weight',
  'top',
  'a.b.c.d.e.weight',
  'a.b.c.x.weight',
  'a.b.late',
  '.x',
  '..y',
  'a..z',
  'a.b..z',
  ...Array.from({ length: 30 }, (_, i) => `list.${i}.w`),
  ...Array.from({ length: 30 }, (_, i) => `list.${29 - i}.b`),
  'list.10.inner.w',
  'list.1.inner.w',
];

describe('modules by dotted names', () => {
  it('are those that splitting the names gives, in any order of the names', () => {
    for (const names of [NAMES, [...NAMES].reverse(), [...NAMES].sort()])
      expect(Object.fromEntries(walk(tree(names)))).toEqual(Object.fromEntries(expected(names)));
  });

  it('stand below the path of the root', () => {
    const top = tree(['fc.weight', 'conv.0.weight'], 'model');
    expect(top.children.map((child) => child.path)).toEqual(['model.fc', 'model.conv']);
    expect(top.children[1].children[0].path).toBe('model.conv.0');
  });

  it('are found where a name is a million dots, without a copy of every part of it', () => {
    const name = `${'.'.repeat(100_000)}w`;
    const top = tree([name, `${name}2`]);
    let node = top;
    let depth = 0;
    for (; node.children.length > 0; node = node.children[0]) depth++;
    expect(depth).toBe(100_000);
    expect(node.parameters).toEqual([name, `${name}2`]);
  });
});

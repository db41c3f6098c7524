import { describe, expect, it } from 'vitest';
import { layoutLevel } from '../../../src/engine/layout';
import type { GraphLevel } from '../../../src/model/model';

function level(count: number, edges: [number, number][]): GraphLevel {
  return {
    nodes: Array.from({ length: count }, (_, i) => ({ id: `n${i}`, label: `n${i}`, kind: 'op' as const })),
    edges: edges.map(([from, to]) => ({ from: `n${from}`, to: `n${to}` })),
  };
}

/** A chain of blocks with a shortcut around each, as residual networks have. */
function residual(blocks: number): GraphLevel {
  const edges: [number, number][] = [];
  for (let b = 0; b < blocks; b++)
    edges.push([3 * b, 3 * b + 1], [3 * b + 1, 3 * b + 2], [3 * b + 2, 3 * b + 3], [3 * b, 3 * b + 3]);
  return level(3 * blocks + 1, edges);
}

function check(given: GraphLevel): void {
  const layout = layoutLevel(given)!;
  const places = given.nodes.map((node) => layout.nodes[node.id]!);
  for (const p of places) {
    expect(p.x - p.width / 2).toBeGreaterThanOrEqual(0);
    expect(p.x + p.width / 2).toBeLessThanOrEqual(layout.width);
    expect(p.y + p.height / 2).toBeLessThanOrEqual(layout.height);
  }
  const rows = new Map<number, typeof places>();
  for (const p of places) rows.set(p.y, [...(rows.get(p.y) ?? []), p]);
  for (const row of rows.values()) {
    row.sort((a, b) => a.x - b.x);
    for (let i = 1; i < row.length; i++)
      expect(row[i]!.x - row[i]!.width / 2).toBeGreaterThanOrEqual(row[i - 1]!.x + row[i - 1]!.width / 2);
  }
  expect(layout.edges.length).toBe(given.edges.filter((e) => e.from !== e.to).length);
  for (const edge of layout.edges) expect(edge.points.length).toBeGreaterThanOrEqual(2);
}

describe('layout of a graph level', () => {
  it.each([1, 10, 60])('puts %i residual blocks from top to bottom without overlaps', (blocks) => {
    const given = residual(blocks);
    check(given);
    const { nodes } = layoutLevel(given)!;
    for (const { from, to } of given.edges) expect(nodes[from]!.y).toBeLessThan(nodes[to]!.y);
  });

  it('does so for a level that is too big for dagre', () => {
    const given = residual(480);
    check(given);
    const { nodes } = layoutLevel(given)!;
    for (const { from, to } of given.edges) expect(nodes[from]!.y).toBeLessThan(nodes[to]!.y);
  });

  it('breaks cycles, passes over loops of one node and edges to nowhere, and keeps lonely nodes', () => {
    const cyclic = level(400, [
      [0, 1],
      [1, 2],
      [2, 0],
      [3, 3],
    ]);
    cyclic.edges.push({ from: 'n0', to: 'missing' });
    expect(Object.keys(layoutLevel(cyclic)!.nodes).length).toBe(400);
    expect(
      layoutLevel(
        level(3, [
          [0, 1],
          [1, 0],
          [2, 2],
        ]),
      )!.edges.length,
    ).toBe(2);
    expect(layoutLevel(level(0, []))).toBeUndefined();
  });

  it('keeps any name of a node', () => {
    const layout = layoutLevel({
      nodes: [
        { id: '__proto__', label: 'x', kind: 'op' },
        { id: 'constructor', label: 'y', kind: 'op' },
      ],
      edges: [{ from: '__proto__', to: 'constructor' }],
    })!;
    expect(Object.keys(layout.nodes)).toEqual(['__proto__', 'constructor']);
    expect(layout.edges.length).toBe(1);
  });
});

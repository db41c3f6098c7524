import { describe, expect, it } from 'vitest';
import { type OutlineSource, outlineOf } from '../../../webview-ui/src/app/overview/outline';

/** A tree as nested lists of names; a path is the row itself. */
interface Node {
  name: string;
  children: Node[];
}

const node = (name: string, ...children: Node[]): Node => ({ name, children });
const leaves = (prefix: string, count: number): Node[] =>
  Array.from({ length: count }, (_, i) => node(`${prefix}${i}`));

function sourceOf(top: Node[]): OutlineSource<Node> {
  const find = (name: string, among: Node[]): Node | undefined => {
    for (const one of among) {
      const found = one.name === name ? one : find(name, one.children);
      if (found) return found;
    }
    return undefined;
  };
  return {
    async children(path, start, count) {
      const all = path === null ? top : (find(path, top)?.children ?? []);
      return { total: all.length, rows: all.slice(start, start + count) };
    },
    path: (row) => row.name,
    childCount: (row) => row.children.length,
  };
}

const shown = async (top: Node[], limit: number): Promise<{ lines: string[]; more: number }> => {
  const { lines, more } = await outlineOf(sourceOf(top), limit);
  return { lines: lines.map(({ row, depth }) => '  '.repeat(depth) + row.name), more };
};

describe('the outline of a tree', () => {
  it('leaves out a root that is alone, and shows levels in order', async () => {
    const model = node('net', node('a', node('a.0'), node('a.1')), node('b'), node('c', node('c.0')));
    expect(await shown([model], 10)).toEqual({ lines: ['a', '  a.0', '  a.1', 'b', 'c', '  c.0'], more: 0 });
  });

  it('shows a level whole or not at all', async () => {
    const model = node('net', node('a', ...leaves('a.', 3)), node('b', ...leaves('b.', 3)));
    expect((await shown([model], 8)).lines).toHaveLength(8);
    expect(await shown([model], 7)).toEqual({ lines: ['a', 'b'], more: 0 });
  });

  it('cuts the first level and says how many are left out', async () => {
    expect(await shown([node('net', ...leaves('x', 20))], 5)).toEqual({
      lines: ['x0', 'x1', 'x2', 'x3', 'x4'],
      more: 15,
    });
  });

  it('has no lines for an empty tree, and one for a root without children', async () => {
    expect(await shown([], 5)).toEqual({ lines: [], more: 0 });
    expect(await shown([node('only')], 5)).toEqual({ lines: ['only'], more: 0 });
  });

  it('ends in a tree that leads back to itself', async () => {
    const self: OutlineSource<string> = {
      children: async () => ({ total: 1, rows: ['self'] }),
      path: (row) => row,
      childCount: () => 1,
    };
    expect((await outlineOf(self, 100)).lines).toHaveLength(7);
  });
});

import { describe, expect, it } from 'vitest';
import { TreeModel, type TreeSource } from '../../../webview-ui/src/shared/tree-model';

interface Row {
  path: string;
  children: number;
}

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

/** A tree in which `a` has 250 children, every tenth of them 3 of its own. */
function source(asked: string[] = []): TreeSource<Row> {
  const childrenOf = (path: string | null): number =>
    path === null ? 3 : path === '1' ? 250 : /^1\/\d*0$/.test(path) ? 3 : 0;
  return {
    async children(path, start, count) {
      asked.push(`${path}@${start}`);
      const total = childrenOf(path);
      const rows = Array.from({ length: Math.max(0, Math.min(count, total - start)) }, (_, i) => {
        const own = path === null ? String(start + i) : `${path}/${start + i}`;
        return { path: own, children: childrenOf(own) };
      });
      return { total, rows };
    },
    path: (row) => row.path,
    childCount: (row) => row.children,
    failureOf: (error) => ({ code: 'io', message: String(error) }),
  };
}

/** Every line in order, as paths. */
async function paths(model: TreeModel<Row>, from: number, to: number): Promise<(string | undefined)[]> {
  for (let i = from; i < to; i++) model.line(i);
  await settle();
  return Array.from({ length: to - from }, (_, i) => model.line(from + i)?.row?.path);
}

describe('the tree as lines', () => {
  it('opens level by level by itself while untouched and small, and says what it opened', async () => {
    const small: TreeSource<Row> = {
      ...source(),
      async children(path, start, count) {
        const total = path === null ? 2 : path.length < 3 ? 3 : path.length < 5 ? 40 : 0;
        const rows = Array.from({ length: Math.min(count, total - start) }, (_, i) => {
          const own = path === null ? String(start + i) : `${path}/${start + i}`;
          return { path: own, children: own.length < 3 ? 3 : own.length < 5 ? 40 : 0 };
        });
        return { total, rows };
      },
    };
    const opened = new Set<string>();
    const model = new TreeModel<Row>(small, opened, undefined, 'small');
    for (let i = 0; i < 6; i++) await settle();
    // 2 rows and 3 below each fit; the 240 below those do not.
    expect(model.count).toBe(8);
    expect([...opened]).toEqual(['0', '1']);
    const touched = new TreeModel<Row>(small, new Set());
    for (let i = 0; i < 6; i++) await settle();
    expect(touched.count).toBe(2);
  });

  it('asks nothing below a long list by itself', async () => {
    const asked: string[] = [];
    const model = new TreeModel<Row>(source(asked), new Set(), undefined, 'small');
    for (let i = 0; i < 6; i++) await settle();
    expect(asked).toEqual(['null@0']);
    expect(model.count).toBe(3);
  });

  it('opens a row that is alone by itself, down to a depth', async () => {
    const chain: TreeSource<Row> = {
      ...source(),
      children: async (path) => ({ total: 1, rows: [{ path: `${path ?? ''}/0`, children: 1 }] }),
    };
    const model = new TreeModel(chain, new Set());
    for (let i = 0; i < 20; i++) await settle();
    expect(model.count).toBe(7);
    // Remembered, so that it can be closed for good.
    expect(model.expanded.size).toBe(6);
    model.collapse(model.line(1)!);
    await settle();
    expect(model.count).toBe(2);
  });

  it('opens and closes rows, and loads only pages that are looked at', async () => {
    const asked: string[] = [];
    const model = new TreeModel(source(asked), new Set());
    await settle();
    expect(model.count).toBe(3);
    model.expand(model.line(1)!);
    await settle();
    expect(model.count).toBe(253);
    expect(asked).toEqual(['null@0', '1@0']);
    expect(await paths(model, 0, 4)).toEqual(['0', '1', '1/0', '1/1']);
    expect(await paths(model, 250, 253)).toEqual(['1/248', '1/249', '2']);
    expect(asked).toEqual(['null@0', '1@0', '1@200']);
    model.expand(model.line(2 + 10)!);
    model.expand(model.line(2 + 20 + 3)!);
    await settle();
    expect(model.count).toBe(259);
    expect(await paths(model, 12, 18)).toEqual(['1/10', '1/10/0', '1/10/1', '1/10/2', '1/11', '1/12']);
    expect(await paths(model, 25, 29)).toEqual(['1/20', '1/20/0', '1/20/1', '1/20/2']);
    const inner = model.line(27)!;
    expect(inner).toMatchObject({ level: 3, position: 2, siblings: 3, expandable: false });
    expect(model.positionOf(inner)).toBe(27);
    expect(model.positionOf(model.parentOf(inner)!)).toBe(25);
    model.collapse(model.line(12)!);
    expect(model.positionOf(inner)).toBe(24);
    model.collapse(model.line(1)!);
    expect(model.count).toBe(3);
    expect(model.line(2)?.row?.path).toBe('2');
    expect(model.line(3)).toBeUndefined();
  });

  it('every position leads to a line and back', async () => {
    const model = new TreeModel(source(), new Set(['1', '1/0', '1/10', '1/20']));
    for (let i = 0; i < 4; i++) await settle();
    expect(model.count).toBe(3 + 250 + 9);
    for (let i = 0; i < model.count; i++) expect(model.positionOf(model.line(i)!)).toBe(i);
  });

  it('restores what was open, and says what is open now', async () => {
    const open = new Set(['1', '1/0', 'gone']);
    const model = new TreeModel(source(), open);
    for (let i = 0; i < 3; i++) await settle();
    expect(model.count).toBe(3 + 250 + 3);
    model.collapse(model.line(1)!);
    expect([...open]).toEqual(['1/0', 'gone']);
  });

  it('does not count what arrives below a row that was closed meanwhile', async () => {
    let release: () => void = () => {};
    const slow = source();
    const children = slow.children;
    slow.children = async (path, start, count) => {
      const answer = await children(path, start, count);
      if (path !== '1') return answer;
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      // More than the row said it has.
      return { ...answer, total: 260 };
    };
    const model = new TreeModel(slow, new Set());
    await settle();
    model.expand(model.line(1)!);
    await settle();
    model.collapse(model.line(1)!);
    release();
    await settle();
    expect(model.count).toBe(3);
  });

  it('keeps a failure with the row that has it', async () => {
    const failing = source();
    const children = failing.children;
    failing.children = (path, start, count) =>
      path === '1' ? Promise.reject(new Error('no')) : children(path, start, count);
    const model = new TreeModel(failing, new Set());
    await settle();
    model.expand(model.line(1)!);
    await settle();
    expect(model.line(1)?.failure?.message).toContain('no');
    expect(model.line(2)?.row).toBeUndefined();
  });
});

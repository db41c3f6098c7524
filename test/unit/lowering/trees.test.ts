import { describe, expect, it } from 'vitest';
import { type Branching, makeForest } from '../../../src/lowering/trees/forest';
import { below, fitsKernel } from '../../../src/lowering/trees/layout';
import { ForestWalk } from '../../../src/lowering/trees/walk';
import { float64 } from '../../../src/onnx/tensor';

/** A reproducible number in [0, 1). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

/** Values that decide ties: on thresholds, beside them, zeros of both signs, infinities, missing, categories. */
const VALUES = [
  0,
  -0,
  1,
  1 + 2 ** -52,
  1 - 2 ** -53,
  0.1,
  Math.fround(0.1),
  -3,
  7,
  7.5,
  255,
  1e300,
  -1e300,
  Infinity,
  -Infinity,
];

interface Shape {
  columns: number;
  strict?: boolean;
  missing?: boolean;
  sets?: boolean;
}

function randomTree(random: () => number, leaves: number, { columns, strict, missing, sets }: Shape): Branching {
  const left = [-1];
  const right = [-1];
  const open = [0];
  while (open.length < leaves) {
    const [node] = open.splice(Math.floor(random() * open.length), 1) as [number];
    for (const side of [left, right]) {
      side[node] = left.length;
      open.push(left.length);
      left.push(-1);
      right.push(-1);
    }
  }
  const nodeCount = left.length;
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  const inner = Array.from({ length: nodeCount }, (_, node) => left[node] !== -1);
  const members = new Map<number, number[]>();
  if (sets) {
    inner.forEach((is, node) => {
      if (is && random() < 0.5)
        members.set(
          node,
          [0, 1, 7, 255].filter(() => random() < 0.5),
        );
    });
  }
  return {
    nodeCount,
    left: Float64Array.from(left),
    right: Float64Array.from(right),
    feature: Float64Array.from(inner, (is) => (is ? Math.floor(random() * columns) : -2)),
    threshold: Float64Array.from(inner, () => pick(VALUES)),
    ...(missing ? { missingLeft: Float64Array.from(inner, () => Math.round(random())) } : {}),
    ...(strict ? { strict } : {}),
    ...(members.size > 0 ? { members } : {}),
  };
}

/** The definition, one node at a time. */
function leafOf(tree: Branching, row: ArrayLike<number>): number {
  let node = 0;
  while (tree.left[node] !== -1) {
    const x = row[tree.feature[node]!]!;
    const set = tree.members?.get(node);
    let goesLeft: boolean;
    if (Number.isNaN(x)) goesLeft = tree.missingLeft?.[node] === 1;
    else if (set) goesLeft = set.some((member) => member === x);
    else goesLeft = tree.strict ? x < tree.threshold[node]! : x <= tree.threshold[node]!;
    node = goesLeft ? tree.left[node]! : tree.right[node]!;
  }
  return node;
}

describe('the walk through a forest', () => {
  const shapes: Record<string, Shape & { values?: readonly number[] }> = {
    numbers: { columns: 5 },
    'strict comparisons': { columns: 5, strict: true },
    'missing values without a side': { columns: 3, values: [...VALUES, Number.NaN] },
    'missing values': { columns: 3, missing: true, values: [...VALUES, Number.NaN] },
    sets: { columns: 4, sets: true, missing: true, values: [...VALUES, Number.NaN, 3, 256, 2 ** 33] },
  };
  for (const [name, shape] of Object.entries(shapes)) {
    for (const rows of [1, 7, 8, 9, 100, 2057]) {
      it(`finds leaves and sums: ${name}, ${rows} rows`, () => {
        const random = generator(rows + 17 * name.length);
        const trees = Array.from({ length: 7 }, (_, i) => randomTree(random, [1, 2, 40, 9, 3, 200, 25][i]!, shape));
        const forest = makeForest(trees);
        const values = shape.values ?? VALUES;
        const data = Float64Array.from(
          { length: rows * shape.columns },
          () => values[Math.floor(random() * values.length)]!,
        );
        const x = float64(data, [rows, shape.columns]);
        const width = 3;
        const table = Float64Array.from({ length: forest.leafNode.length * width }, () => random() - 0.5);
        const walk = new ForestWalk(forest, false);
        const leaves = walk.leaves(x);
        const sums = walk.sums(x, { table, width });
        const turns = walk.sums(x, {
          table,
          width: 1,
          columns: { count: 2, of: (tree) => tree % 2 },
          start: [0.5, -1],
        });
        const numbers = trees.map(() => new Map<number, number>());
        forest.leafTree.forEach((tree, leaf) => {
          numbers[tree]!.set(forest.leafNode[leaf]!, leaf);
        });
        const expected = { leaves: [] as bigint[], sums: [] as number[], turns: [] as number[] };
        for (let row = 0; row < rows; row++) {
          const sum = [0, 0, 0];
          const turn = [0.5, -1];
          trees.forEach((tree, t) => {
            const leaf = numbers[t]!.get(leafOf(tree, data.subarray(row * shape.columns)))!;
            expected.leaves.push(BigInt(leaf));
            for (let k = 0; k < width; k++) sum[k]! += table[leaf * width + k]!;
            turn[t % 2]! += table[leaf]!;
          });
          expected.sums.push(...sum);
          expected.turns.push(...turn);
        }
        expect(leaves).toEqual({ dtype: 'int64', shape: [rows, 7], data: BigInt64Array.from(expected.leaves) });
        expect(sums).toEqual({ dtype: 'float64', shape: [rows, width], data: Float64Array.from(expected.sums) });
        expect(turns).toEqual({ dtype: 'float64', shape: [rows, 2], data: Float64Array.from(expected.turns) });
      });
    }
  }

  it('rounds rows to float32 where the framework does', () => {
    const tree = {
      nodeCount: 3,
      left: Float64Array.of(1, -1, -1),
      right: Float64Array.of(2, -1, -1),
      feature: Float64Array.of(0, -2, -2),
      threshold: Float64Array.of(0.1, -2, -2),
    };
    const forest = makeForest([tree]);
    // The float32 next to 0.1 is above it.
    const x = float64([0.1, 0.0999], [2, 1]);
    expect([...(new ForestWalk(forest, false).leaves(x).data as BigInt64Array)]).toEqual([0n, 0n]);
    expect([...(new ForestWalk(forest, true).leaves(x).data as BigInt64Array)]).toEqual([1n, 0n]);
  });

  it('takes rows in small blocks where they have many columns', () => {
    const random = generator(5);
    const trees = Array.from({ length: 3 }, () => randomTree(random, 3000, { columns: 2500 }));
    const forest = makeForest(trees);
    const rows = 100;
    const data = Float64Array.from({ length: rows * 2500 }, () => VALUES[Math.floor(random() * VALUES.length)]!);
    const leaves = new ForestWalk(forest, false).leaves(float64(data, [rows, 2500])).data as BigInt64Array;
    for (let row = 0; row < rows; row++) {
      trees.forEach((tree, t) => {
        const leaf = Number(leaves[row * 3 + t]);
        expect([forest.leafTree[leaf], forest.leafNode[leaf]]).toEqual([t, leafOf(tree, data.subarray(row * 2500))]);
      });
    }
  });

  it('keeps forests apart that take turns in its memory', () => {
    const random = generator(11);
    const x = float64(Array.from({ length: 60 }, random), [20, 3]);
    const walks = [20, 300, 5].map((leaves) => {
      const forest = makeForest([randomTree(random, leaves, { columns: 3 })]);
      return { walk: new ForestWalk(forest, false), table: Float64Array.from(forest.leafNode, random) };
    });
    const ask = () => walks.map(({ walk, table }) => [walk.sums(x, { table, width: 1 }), walk.leaves(x)]);
    const once = ask();
    expect(ask()).toEqual(once);
    expect(ask().reverse()).toEqual([...once].reverse());
  });

  it('refuses rows that lack a column the trees look at', () => {
    const forest = makeForest([randomTree(generator(3), 50, { columns: 4 })]);
    expect(() => new ForestWalk(forest, false).leaves(float64([1, 2], [1, 2]))).toThrow(
      /column 3, but the rows have 2/,
    );
  });

  it('leaves sets of large or broken members to the runtime', () => {
    const set = (member: number) => {
      const tree = randomTree(generator(1), 2, { columns: 1 });
      return makeForest([{ ...tree, members: new Map([[0, [1, member]]]) }]);
    };
    expect(fitsKernel(set(1000))).toBe(true);
    for (const member of [2 ** 20, -1, 0.5, Number.NaN]) expect(fitsKernel(set(member))).toBe(false);
  });
});

describe('the number below a threshold', () => {
  it('turns < into <=', () => {
    for (const threshold of [...VALUES, Number.MIN_VALUE, -Number.MIN_VALUE, Number.MAX_VALUE]) {
      for (const x of [...VALUES, threshold, below(threshold)]) expect(x <= below(threshold)).toBe(x < threshold);
    }
    expect(below(1)).toBe(1 - 2 ** -53);
    expect(below(Number.POSITIVE_INFINITY)).toBe(Number.MAX_VALUE);
  });
});

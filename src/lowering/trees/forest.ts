import type { TreeEnsembleAttributes } from '../../onnx/ops';

/** What decides where a row goes, as arrays over the nodes of a tree; a leaf has `left[i] === -1`. */
export interface Branching {
  readonly nodeCount: number;
  readonly left: Float64Array;
  readonly right: Float64Array;
  readonly feature: Float64Array;
  readonly threshold: Float64Array;
  /** 1 where a missing value goes left; absent in trees that were fitted without support for them (before 1.3). */
  readonly missingLeft?: Float64Array;
  /** `x < threshold` goes left, instead of `x <= threshold`. */
  readonly strict?: boolean;
  /** Nodes that test for membership instead: the values that go left. */
  readonly members?: ReadonlyMap<number, readonly number[]>;
}

/** Trees that every row goes through together. Their leaves are numbered through: tree by tree, in the order of the nodes. */
export interface Forest<T extends Branching = Branching> {
  readonly trees: readonly T[];
  /** The tree and node of each leaf. */
  readonly leafTree: Int32Array;
  readonly leafNode: Int32Array;
}

export function makeForest<T extends Branching>(trees: readonly T[]): Forest<T> {
  let count = 0;
  for (const { left, nodeCount } of trees) for (let node = 0; node < nodeCount; node++) if (left[node] === -1) count++;
  const leafTree = new Int32Array(count);
  const leafNode = new Int32Array(count);
  let leaf = 0;
  trees.forEach(({ left, nodeCount }, t) => {
    for (let node = 0; node < nodeCount; node++) {
      if (left[node] !== -1) continue;
      leafTree[leaf] = t;
      leafNode[leaf++] = node;
    }
  });
  return { trees, leafTree, leafNode };
}

/** Modes of a `TreeEnsemble` node: `x <= split`, `x < split`, and `x` in a set. */
const LEQ = 0;
const LESS = 1;
const MEMBER = 6;

/**
 * A forest as one `TreeEnsemble` of ai.onnx.ml 5 in leaf-index form: target k of the ensemble is tree k, and the weight of a leaf
 * is its number among all leaves. What a leaf stands for is looked up in a table afterwards, so one encoding serves classes,
 * regression, several outputs, `apply` and path lengths, all in float64.
 */
export function ensembleAttributes({ trees, leafTree }: Forest): TreeEnsembleAttributes {
  const rootIds: number[] = [];
  const featureIds: number[] = [];
  const splits: number[] = [];
  const trueIds: number[] = [];
  const trueLeafs: number[] = [];
  const falseIds: number[] = [];
  const falseLeafs: number[] = [];
  const missing: number[] = [];
  const modes: number[] = [];
  const membership: number[] = [];
  let leaf = 0;
  for (const tree of trees) {
    const first = featureIds.length;
    rootIds.push(first);
    // Numbers of inner nodes among all nodes, and of leaves among all leaves, in the tree's own order.
    const number = new Int32Array(tree.nodeCount);
    let inner = first;
    for (let node = 0; node < tree.nodeCount; node++) number[node] = tree.left[node] === -1 ? leaf++ : inner++;
    const branch = (node: number, ids: number[], leafs: number[]) => {
      ids.push(number[node]!);
      leafs.push(tree.left[node] === -1 ? 1 : 0);
    };
    if (tree.left[0] === -1) {
      // A root must be an inner node: one whose two sides are the same leaf.
      featureIds.push(0);
      splits.push(0);
      missing.push(1);
      modes.push(LEQ);
      branch(0, trueIds, trueLeafs);
      branch(0, falseIds, falseLeafs);
      continue;
    }
    for (let node = 0; node < tree.nodeCount; node++) {
      if (tree.left[node] === -1) continue;
      featureIds.push(tree.feature[node]!);
      splits.push(tree.threshold[node]!);
      missing.push(tree.missingLeft?.[node] ?? 0);
      const members = tree.members?.get(node);
      modes.push(members ? MEMBER : tree.strict ? LESS : LEQ);
      if (members) membership.push(...members, Number.NaN);
      branch(tree.left[node]!, trueIds, trueLeafs);
      branch(tree.right[node]!, falseIds, falseLeafs);
    }
  }
  return {
    rootIds,
    featureIds,
    modes: Uint8Array.from(modes),
    splits: Float64Array.from(splits),
    trueIds,
    trueLeafs,
    falseIds,
    falseLeafs,
    ...(membership.length > 0 ? { membership: Float64Array.from(membership) } : {}),
    ...(missing.some((goes) => goes === 1) ? { missingTracksTrue: missing } : {}),
    leafTargets: Array.from(leafTree),
    leafWeights: Float64Array.from(leafTree, (_, i) => i),
    targets: trees.length,
  };
}

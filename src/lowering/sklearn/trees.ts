import { ModelError } from '../../bytes/errors';
import { asArray, toNumber } from '../../formats/numpy/pickled';
import type { Value } from '../../onnx/graph';
import type { TreeEnsembleAttributes } from '../../onnx/ops';
import { asSequence, Instance, isDict } from '../../pickle/values';
import type { PlanValue } from '../plan';
import type { Context } from './context';
import type { Estimator } from './estimator';

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

/** A fitted tree of scikit-learn. */
export interface Tree extends Branching {
  /** Weighted number of training samples, for estimators that need it. */
  readonly samples: Float64Array;
  /** nodes × outputs × classes: class weights (or fractions, since 1.3), or the mean in a single class. */
  readonly values: Float64Array;
  readonly outputs: number;
  readonly classes: number;
}

/**
 * Reads `tree_`: a `sklearn.tree._tree.Tree` reduced to `(n_features, n_classes, n_outputs)` with the state
 * `{max_depth, node_count, nodes, values}`. Node fields are found by name: their layout changed in 1.3 and differs on
 * 32-bit platforms.
 * @throws ModelError `malformed` if the nodes do not form a tree.
 */
export function readTree(estimator: Estimator): Tree {
  const value = estimator.value('tree_');
  const state = value instanceof Instance ? value.state : undefined;
  const nodes = isDict(state) ? asArray(state.get('nodes')) : undefined;
  const values = isDict(state) ? asArray(state.get('values')) : undefined;
  if (!isDict(state) || !nodes || !values) throw estimator.unsupported('its attribute tree_ is not a fitted tree');
  const field = (name: string) => nodes.field(name)?.toFloat64();
  const required = (name: string) => field(name) ?? fail(estimator, `its nodes have no field ${name}`);
  const missingLeft = field('missing_go_to_left');
  const tree: Tree = {
    nodeCount: Math.min(nodes.size, toNumber(state.get('node_count')) ?? nodes.size),
    left: required('left_child'),
    right: required('right_child'),
    feature: required('feature'),
    threshold: required('threshold'),
    ...(missingLeft ? { missingLeft } : {}),
    samples: required('n_node_samples'),
    values: values.toFloat64(),
    outputs: values.shape[1] ?? 1,
    classes: values.shape[2] ?? 1,
  };
  checkBranching(estimator, tree);
  if (tree.outputs < 1 || tree.classes < 1) fail(estimator, 'its nodes have no values');
  if (tree.values.length < tree.nodeCount * tree.outputs * tree.classes)
    fail(estimator, 'it has fewer values than nodes');
  return tree;
}

/** Number of columns that a fitted tree takes: the first argument it is made with. */
export function treeColumns(estimator: Estimator | undefined): number | undefined {
  const value = estimator?.value('tree_');
  const [columns] = value instanceof Instance ? (asSequence(value.args) ?? []) : [];
  return toNumber(columns);
}

function fail(estimator: Estimator, reason: string): never {
  throw new ModelError('malformed', `A tree of ${estimator.className} is damaged: ${reason}.`);
}

/**
 * Every node but the root must be the child of exactly one earlier node, as the builders leave them, and inner nodes must look
 * at a column: the runtime trusts both.
 */
export function checkBranching(estimator: Estimator, { nodeCount, left, right, feature }: Branching): void {
  if (!(Number.isInteger(nodeCount) && nodeCount >= 1)) fail(estimator, 'it has no nodes');
  const seen = new Uint8Array(nodeCount);
  for (let node = 0; node < nodeCount; node++) {
    if (left[node] === -1) continue;
    const column = feature[node]!;
    if (!(Number.isInteger(column) && column >= 0 && column < 2 ** 31))
      fail(estimator, `node ${node} looks at column ${column}`);
    for (const child of [left[node]!, right[node]!]) {
      if (!(child > node && child < nodeCount) || seen[child]) fail(estimator, `node ${node} has the child ${child}`);
      seen[child] = 1;
    }
  }
}

/** Trees in one graph node that gives, for every row, the leaf that it reaches in each tree. */
export interface Forest<T extends Branching = Tree> {
  readonly trees: readonly T[];
  /** Leaves of all trees, numbered through: the tree and node of each. */
  readonly leafTree: Int32Array;
  readonly leafNode: Int32Array;
  readonly attributes: TreeEnsembleAttributes;
}

/** Modes of a `TreeEnsemble` node: `x <= split`, `x < split`, and `x` in a set. */
const LEQ = 0;
const LESS = 1;
const MEMBER = 6;

/**
 * Encodes trees in leaf-index form: target k of the ensemble is tree k, and the weight of a leaf is its number among all
 * leaves. What a leaf stands for is looked up in a table afterwards, so one encoding serves classes, regression, several
 * outputs, `apply` and path lengths, all in float64.
 */
export function encodeForest<T extends Branching>(trees: readonly T[]): Forest<T> {
  const leafTree: number[] = [];
  const leafNode: number[] = [];
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
  trees.forEach((tree, t) => {
    const first = featureIds.length;
    rootIds.push(first);
    // Numbers of inner nodes among all nodes, and of leaves among all leaves, in the tree's own order.
    const number = new Int32Array(tree.nodeCount);
    let inner = first;
    for (let node = 0; node < tree.nodeCount; node++) {
      if (tree.left[node] === -1) {
        number[node] = leafTree.length;
        leafTree.push(t);
        leafNode.push(node);
      } else number[node] = inner++;
    }
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
      return;
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
  });
  return {
    trees,
    leafTree: Int32Array.from(leafTree),
    leafNode: Int32Array.from(leafNode),
    attributes: {
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
      leafTargets: leafTree,
      leafWeights: Float64Array.from({ length: leafTree.length }, (_, i) => i),
      targets: trees.length,
    },
  };
}

/**
 * The rows as the trees of scikit-learn compare them: rounded to float32, then compared in float64 with float64
 * thresholds (`x <= threshold` goes left). Source: sklearn `tree/_tree.pyx`, `Tree.apply`.
 */
export function treeInput(context: Context, x: PlanValue): Value {
  const { plan } = context;
  return plan.cast(plan.cast(context.numeric(x), 'float32'), 'float64');
}

/** A function that gives the leaf of every row in every tree: int64, rows × trees, leaves numbered through all trees. */
export function leafFinder(
  context: Context,
  { attributes }: Pick<Forest, 'attributes'>,
  prepare: (x: PlanValue) => Value = (x) => treeInput(context, x),
): (x: PlanValue) => Value {
  const { plan } = context;
  return context.memo((x: PlanValue) => plan.cast(plan.treeEnsemble(prepare(x), attributes), 'int64'));
}

/** The rows of `table` (leaves × width, one row for each leaf) that the leaves stand for: rows × trees × width. */
export function lookUp(context: Context, leaves: Value, table: Float64Array, width: number): Value {
  return context.plan.gather(context.plan.doubles(table, [table.length / width, width]), leaves, 0);
}

/** A table over all leaves; `fill` writes the row of one leaf. */
export function leafTable<T extends Branching>(
  forest: Forest<T>,
  width: number,
  fill: (row: Float64Array, tree: T, node: number, index: number) => void,
): Float64Array {
  const table = new Float64Array(forest.leafTree.length * width);
  forest.leafTree.forEach((t, leaf) => {
    fill(table.subarray(leaf * width, (leaf + 1) * width), forest.trees[t]!, forest.leafNode[leaf]!, t);
  });
  return table;
}

/** Numbers of the leaves' nodes inside their own trees, as `apply` gives them: rows × trees. */
export function leafNodes(context: Context, forest: Pick<Forest, 'leafNode'>, leaves: Value): Value {
  const { plan } = context;
  const nodes = {
    dtype: 'int64' as const,
    shape: [forest.leafNode.length],
    data: BigInt64Array.from(forest.leafNode, BigInt),
  };
  return plan.gather(plan.constant(nodes), leaves, 0);
}

/** Class fractions of a leaf for one output: its weights divided by their sum (a sum of 0 counts as 1). */
export function classFractions(row: Float64Array, tree: Tree, node: number, output: number): void {
  const from = (node * tree.outputs + output) * tree.classes;
  let sum = 0;
  for (let k = 0; k < row.length; k++) sum += tree.values[from + k]!;
  for (let k = 0; k < row.length; k++) row[k] = tree.values[from + k]! / (sum === 0 ? 1 : sum);
}

import { sinceVersion } from '../../formats/xgboost/facts';
import type { Booster, BoosterTree } from '../../formats/xgboost/model';
import type { Value } from '../../onnx/graph';
import type { Context } from './context';
import type { Estimator } from './estimator';
import { inOrder, orderTree } from './tree-order';
import type { Branching } from './trees';

/** A tree of xgboost; nodes that test for a category have changed their sides. */
export interface XgbTree extends Branching {
  /** Numbers of the nodes in the model. */
  readonly nodes: Int32Array;
  /** Value of a leaf for an output, 0 for one that the tree does not add to. */
  readonly value: (node: number, output: number) => number;
  /** The output that it adds to; undefined for a tree with a vector in each leaf. */
  readonly output: number | undefined;
  readonly weight: number;
}

/** @throws ModelError `unsupported` if the tree is damaged or adds to an output that there is not */
export function readTree(estimator: Estimator, tree: BoosterTree, outputs: number): XgbTree {
  if (!(tree.group >= 0 && tree.group < outputs))
    throw estimator.unsupported(`a tree in it belongs to output ${tree.group}`);
  if (tree.leafSize > 1 && tree.leafSize !== outputs)
    throw estimator.unsupported(`a tree in it has leaves of ${tree.leafSize} values for ${outputs} outputs`);
  const { categories } = tree;
  // What matches a set of categories goes right in xgboost, left here: such nodes change their sides.
  const swapped = (node: number) => categories?.has(node) ?? false;
  const order = orderTree(estimator, {
    count: tree.left.length,
    isLeaf: (node) => tree.left[node] === -1,
    left: (node) => (swapped(node) ? tree.right : tree.left)[node]!,
    right: (node) => (swapped(node) ? tree.left : tree.right)[node]!,
  });
  const members = new Map<number, readonly number[]>();
  order.nodes.forEach((node, place) => {
    const own = categories?.get(node);
    if (own && tree.left[node] !== -1) members.set(place, own);
  });
  return {
    nodeCount: order.nodes.length,
    left: order.left,
    right: order.right,
    feature: inOrder(order, (node) => tree.feature[node]!),
    threshold: inOrder(order, (node) => (swapped(node) ? 0 : Math.fround(tree.condition[node]!))),
    missingLeft: inOrder(order, (node) => (swapped(node) ? 1 - tree.defaultLeft[node]! : tree.defaultLeft[node]!)),
    strict: true,
    ...(members.size > 0 ? { members } : {}),
    nodes: order.nodes,
    value: leafValues(tree, order.nodes),
    output: tree.vectors ? undefined : tree.group,
    weight: Math.fround(tree.weight),
  };
}

function leafValues(tree: BoosterTree, nodes: Int32Array): XgbTree['value'] {
  const { vectors, leafSize, group } = tree;
  if (!vectors) return (place, output) => (output === group ? Math.fround(tree.condition[nodes[place]!]!) : 0);
  return (place, output) => {
    const node = nodes[place]!;
    return Math.fround(vectors.values[(vectors.place ? vectors.place[node]! : node) * leafSize + output] ?? Number.NaN);
  };
}

/** Categories from this on are none (they are not whole numbers in float32 any more). */
const MAX_CATEGORY = 2 ** 24;

/** The rows as the trees compare them: categories are cut to whole numbers, and -1 stands for what is no category. */
export function treeRows(
  estimator: Estimator,
  context: Context,
  booster: Booster,
  trees: readonly XgbTree[],
  rows: Value,
): Value {
  const { plan } = context;
  const wide = plan.cast(rows, 'float64');
  const columns = categoryLimits(estimator, booster, trees);
  if (columns.size === 0) return wide;
  const perColumn = (value: (column: number) => number) =>
    plan.doubles(
      Float64Array.from({ length: booster.features }, (_, i) => value(i)),
      [1, booster.features],
    );
  const isCategory = plan.greater(
    perColumn((i) => (columns.has(i) ? 1 : 0)),
    0,
  );
  const limit = perColumn((i) => columns.get(i) ?? MAX_CATEGORY);
  const invalid = plan.or(plan.less(wide, 0), plan.greaterOrEqual(wide, limit));
  // A bare Booster of 1.6 (`DMatrix`) takes what no set has room for as missing, everything else as not chosen.
  const other = isOlderBooster(estimator, booster) ? Number.NaN : -1;
  return plan.where(isCategory, plan.where(invalid, other, plan.floor(wide)), wide);
}

function isOlderBooster(estimator: Estimator, booster: Booster): boolean {
  return estimator.className === 'Booster' && !sinceVersion(booster, 1, 7);
}

/** Columns that are categories, with the first number that is none. */
function categoryLimits(estimator: Estimator, booster: Booster, trees: readonly XgbTree[]): Map<number, number> {
  const limits = new Map<number, number>();
  const older = isOlderBooster(estimator, booster);
  for (const tree of trees) {
    for (const [node, members] of tree.members ?? []) {
      const room = older ? 32 * (Math.floor(members.reduce((a, b) => Math.max(a, b), 0) / 32) + 1) : MAX_CATEGORY;
      const column = tree.feature[node]!;
      if (limits.has(column) && limits.get(column) !== room)
        throw estimator.unsupported(`its sets of categories for column ${column} differ in size (xgboost 1.6)`);
      limits.set(column, room);
    }
  }
  return limits;
}

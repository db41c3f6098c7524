import { ModelError } from '../../bytes/errors';
import { asArray, toNumber } from '../../formats/numpy/pickled';
import type { Value } from '../../onnx/graph';
import type { Tensor } from '../../onnx/tensor';
import { asSequence, Instance, isDict } from '../../pickle/values';
import type { PlanValue } from '../plan';
import { type Branching, ensembleAttributes, type Forest, makeForest } from '../trees/forest';
import { fitsKernel } from '../trees/layout';
import { ForestWalk, type LeafValues, sumWidth } from '../trees/walk';
import type { Context } from './context';
import type { Estimator } from './estimator';
import { sequentialSum } from './sequential-sum';

export type { Branching, Forest };
export { makeForest as encodeForest };

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

/**
 * The rows as the trees of scikit-learn compare them: rounded to float32, then compared in float64 with float64
 * thresholds (`x <= threshold` goes left). Source: sklearn `tree/_tree.pyx`, `Tree.apply`.
 */
export function treeInput(context: Context, x: PlanValue): Value {
  const { plan } = context;
  return plan.cast(plan.cast(context.numeric(x), 'float32'), 'float64');
}

/** Where leaves come from that a walk found: what else is asked of them walks the same rows. */
interface Origin {
  readonly walk: ForestWalk;
  readonly rows: Value;
}

const origins = new WeakMap<Value, Origin>();

/**
 * A function that gives the leaf of every row in every tree: int64, rows × trees, leaves numbered through all trees. `prepare` gives the
 * rows as the trees compare them; without it they are rounded to float32, as scikit-learn does.
 *
 * Predictions walk the trees in code, which takes a tenth of the time that the runtime's operator takes; a graph for export has the
 * operator.
 */
export function leafFinder(
  context: Context,
  forest: Forest<Branching>,
  prepare?: (x: PlanValue) => Value,
): (x: PlanValue) => Value {
  const { plan } = context;
  if (context.options.portable || !fitsKernel(forest)) {
    const rows = prepare ?? ((x: PlanValue) => treeInput(context, x));
    return context.memo((x: PlanValue) => plan.cast(plan.treeEnsemble(rows(x), ensembleAttributes(forest)), 'int64'));
  }
  const walk = new ForestWalk(forest, prepare === undefined);
  return context.memo((x: PlanValue): Value => {
    const rows = prepare ? prepare(x) : context.numeric(x);
    const [leaves] = plan.step('trees', [rows], [{ name: 'leaves', dtype: 'int64' }], ([given]) => [
      walk.leaves(given as Tensor),
    ]);
    origins.set(leaves, { walk, rows });
    return leaves;
  });
}

/**
 * What every row gets from all trees together: float64, rows × `sumWidth(values)`, summed in the order of the trees.
 * `leaves` comes from a `leafFinder`.
 */
export function sumOfLeaves(context: Context, forest: Forest<Branching>, leaves: Value, values: LeafValues): Value {
  const { plan } = context;
  const origin = origins.get(leaves);
  if (origin) {
    const { walk, rows } = origin;
    return plan.step('sum_of_trees', [rows], [{ name: 'sum', dtype: 'float64' }], ([given]) => [
      walk.sums(given as Tensor, values),
    ])[0];
  }
  if (values.single) return singleSum(context, forest, leaves, values);
  const sum = plan.reduceSum(leafMatrix(context, forest, leaves, values), [1]);
  return values.start ? plan.add(sum, plan.doubles(values.start, [1, sumWidth(values)], 'start')) : sum;
}

/** The same in operators where every sum is rounded to float32. */
function singleSum(context: Context, forest: Forest<Branching>, leaves: Value, values: LeafValues): Value {
  const { plan } = context;
  const width = sumWidth(values);
  const terms = plan.cast(leafMatrix(context, forest, leaves, values), 'float32');
  const start = Float32Array.from({ length: width }, (_, i) => values.start?.[i] ?? 0);
  const first = plan.perRow(leaves, { dtype: 'float32', shape: [1, 1, width], data: start });
  const sum = sequentialSum(context, plan.concat([first, terms], 1), 1, 1 + roundsOf(forest, values));
  return plan.cast(sum, 'float64');
}

/** How many trees add to a column that takes turns with others; all trees where they do not. */
function roundsOf({ trees }: Forest<Branching>, { columns }: LeafValues): number {
  const turns =
    columns &&
    trees.length % columns.count === 0 &&
    trees.every((_, tree) => columns.of(tree) === tree % columns.count);
  return turns ? trees.length / columns.count : trees.length;
}

/** What is to be summed, rows × trees × columns; trees that take turns to add to the columns: rows × rounds × columns. */
function leafMatrix(context: Context, forest: Forest<Branching>, leaves: Value, values: LeafValues): Value {
  const { columns, table, width } = values;
  if (!columns) return lookUp(context, leaves, table, width);
  const { count } = columns;
  const rounds = roundsOf(forest, values);
  if (rounds * count === forest.trees.length) {
    return context.plan.reshape(lookUp(context, leaves, table, 1), [-1, rounds, count]);
  }
  const wide = new Float64Array(table.length * count);
  forest.leafTree.forEach((tree, leaf) => {
    wide[leaf * count + columns.of(tree)] = table[leaf]!;
  });
  return lookUp(context, leaves, wide, count);
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

/** Numbers of the leaves' nodes inside their own trees, as `apply` gives them: rows × trees, or one a row of a single tree. */
export function leafNodes(context: Context, forest: Forest<Branching>, leaves: Value, single = false): Value {
  const { plan } = context;
  const data = BigInt64Array.from(forest.leafNode, BigInt);
  if (!plan.isFromCode(leaves)) {
    const nodes = plan.gather(plan.constant({ dtype: 'int64', shape: [data.length], data }), leaves, 0);
    return single ? plan.squeeze(nodes, 1) : nodes;
  }
  return plan.step('leaf_nodes', [leaves], [{ name: 'nodes', dtype: 'int64' }], ([given]) => {
    const found = given as Tensor & { data: BigInt64Array };
    const shape = single ? found.shape.slice(0, 1) : found.shape;
    return [{ dtype: 'int64', shape, data: found.data.map((leaf) => data[Number(leaf)]!) }];
  })[0];
}

/** Class fractions of a leaf for one output: its weights divided by their sum (a sum of 0 counts as 1). */
export function classFractions(row: Float64Array, tree: Tree, node: number, output: number): void {
  const from = (node * tree.outputs + output) * tree.classes;
  let sum = 0;
  for (let k = 0; k < row.length; k++) sum += tree.values[from + k]!;
  for (let k = 0; k < row.length; k++) row[k] = tree.values[from + k]! / (sum === 0 ? 1 : sum);
}

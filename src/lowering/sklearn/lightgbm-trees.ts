import type { LightGbmModel, LightGbmTree, LinearLeaf } from '../../formats/lightgbm/model';
import type { Value } from '../../onnx/graph';
import { float64, type Tensor } from '../../onnx/tensor';
import type { Context } from './context';
import type { Estimator } from './estimator';
import { inOrder, orderTree } from './tree-order';
import type { Branching, Forest } from './trees';

/** Numbers this close to 0 count as 0: the predictor leaves them out, as it does zeros. */
const ZERO = 1.0000000180025095e-35;

/** What is done with the columns before the trees look at them. */
export interface ColumnRules {
  readonly zeroIsMissing: ReadonlySet<number>;
  readonly categorical: ReadonlySet<number>;
  /** Whether a threshold lies so close to 0 that it could tell such numbers from 0. */
  readonly nearZero: boolean;
}

/** Rules belong to columns: every node that looks at a column has the same. */
export function columnRules(estimator: Estimator, trees: readonly LightGbmTree[]): ColumnRules {
  const rules = new Map<number, string>();
  let nearZero = false;
  for (const tree of trees) {
    tree.feature.forEach((column, node) => {
      const rule = tree.categories.has(node) ? 'category' : tree.missing[node] === 'zero' ? 'zero' : 'number';
      const known = rules.get(column);
      if (known !== undefined && known !== rule)
        throw estimator.unsupported(`its trees treat column ${column} in different ways`);
      rules.set(column, rule);
      nearZero ||= rule !== 'category' && Math.abs(tree.threshold[node]!) <= ZERO && tree.threshold[node] !== 0;
    });
  }
  const having = (rule: string) => new Set([...rules].filter(([, own]) => own === rule).map(([column]) => column));
  return { zeroIsMissing: having('zero'), categorical: having('category'), nearZero };
}

/** Zeros become missing where they mean that; categories are cut to whole numbers towards 0. */
export function prepared(context: Context, model: LightGbmModel, rules: ColumnRules, given: Value): Value {
  const { plan } = context;
  const isZero = plan.lessOrEqual(plan.abs(given), ZERO);
  const rows = rules.nearZero ? plan.where(isZero, 0, given) : given;
  if (rules.zeroIsMissing.size === 0 && rules.categorical.size === 0) return rows;
  const flags = (columns: ReadonlySet<number>) =>
    plan.greater(
      plan.doubles(
        Float64Array.from({ length: model.features }, (_, i) => (columns.has(i) ? 1 : 0)),
        [1, model.features],
      ),
      0,
    );
  const missing = plan.and(flags(rules.zeroIsMissing), isZero);
  const whole = plan.mul(plan.sign(rows), plan.floor(plan.abs(rows)));
  return plan.where(missing, Number.NaN, plan.where(flags(rules.categorical), whole, rows));
}

export interface LgbTree extends Branching {
  readonly value: Float64Array;
  /** The linear function of the leaf at a node. */
  readonly linear: (node: number) => LinearLeaf | undefined;
}

/** 2.3 calls its text form v3, too; it still had the parameter `max_conflict_rate`. */
function isVersion3({ version, parameters }: LightGbmModel): boolean {
  return version === 'v3' && !parameters.has('max_conflict_rate');
}

/** @throws ModelError `unsupported` if the tree is damaged */
export function readTree(estimator: Estimator, model: LightGbmModel, tree: LightGbmTree): LgbTree {
  const inner = tree.leafCount - 1;
  // Inner nodes first, then leaves; a child below 0 is a leaf.
  const child = (index: number) => (index >= 0 ? index : inner - index - 1);
  const order = orderTree(estimator, {
    count: inner + tree.leafCount,
    isLeaf: (node) => node >= inner,
    left: (node) => child(tree.left[node]!),
    right: (node) => child(tree.right[node]!),
  });
  const members = new Map<number, readonly number[]>();
  order.nodes.forEach((node, place) => {
    const categories = tree.categories.get(node);
    if (categories) members.set(place, categories);
  });
  return {
    nodeCount: order.nodes.length,
    left: order.left,
    right: order.right,
    feature: inOrder(order, (node) => tree.feature[node] ?? -2),
    threshold: inOrder(order, (node) => tree.threshold[node] ?? 0),
    missingLeft: inOrder(order, (node) => (node < inner && missingGoesLeft(model, tree, node) ? 1 : 0)),
    ...(members.size > 0 ? { members } : {}),
    value: inOrder(order, (node) => tree.leafValue[node - inner] ?? 0),
    linear: (place) => tree.linear?.[order.nodes[place]! - inner],
  };
}

/**
 * Where a NaN goes: the default side if the column has missing values, otherwise as the number 0. Among categories it is none (right);
 * only 3.x takes it for category 0 where the column has no missing values.
 */
function missingGoesLeft(model: LightGbmModel, tree: LightGbmTree, node: number): boolean {
  const categories = tree.categories.get(node);
  if (categories) return tree.missing[node] !== 'nan' && isVersion3(model) && categories.includes(0);
  return tree.missing[node] === 'none' ? tree.threshold[node]! >= 0 : tree.defaultLeft[node]!;
}

/**
 * The sum of all trees whose leaves may be linear: constant + Σ coefficient · column, term after term, or the leaf's value if one of
 * these columns is missing. Tree t adds to output t mod `outputs`. Source: LightGBM `tree.h`, `Tree::Predict`.
 */
export function linearSum(
  estimator: Estimator,
  context: Context,
  forest: Forest<LgbTree>,
  outputs: number,
  leaves: Value,
  rows: Value,
): Value {
  const { trees, leafTree, leafNode } = forest;
  const functions = Array.from(leafTree, (t, leaf) => trees[t]!.linear(leafNode[leaf]!));
  const values = Float64Array.from(leafTree, (t, leaf) => trees[t]!.value[leafNode[leaf]!]!);
  if (functions.some((linear) => linear?.columns.some((column) => !(Number.isInteger(column) && column >= 0))))
    throw estimator.unsupported('a linear function in it refers to a column that there is not');
  const outcome = (leaf: number, data: Float64Array, from: number): number => {
    const linear = functions[leaf];
    if (!linear) return values[leaf]!;
    let sum = linear.constant;
    for (let i = 0; i < linear.columns.length; i++) {
      const x = data[from + linear.columns[i]!]!;
      if (Number.isNaN(x)) return values[leaf]!;
      if (Math.abs(x) > ZERO) sum += linear.coefficients[i]! * x;
    }
    return sum;
  };
  return context.plan.step('linear_leaves', [leaves, rows], [{ name: 'sum', dtype: 'float64' }], ([found, given]) => {
    const { data, shape } = given as Tensor;
    const [count = 0, width = 0] = shape;
    const numbers = found!.data as BigInt64Array;
    const sums = new Float64Array(count * outputs);
    for (let row = 0; row < count; row++) {
      for (let t = 0; t < trees.length; t++)
        sums[row * outputs + (t % outputs)]! += outcome(
          Number(numbers[row * trees.length + t]),
          data as Float64Array,
          row * width,
        );
    }
    return [float64(sums, [count, outputs])];
  })[0];
}

import { sinceVersion } from '../../formats/xgboost/facts';
import type { Booster } from '../../formats/xgboost/model';
import type { Value } from '../../onnx/graph';
import type { PlanValue } from '../plan';
import type { Context } from './context';
import type { Estimator } from './estimator';
import { sequentialSum } from './sequential-sum';
import { encodeForest, type Forest, leafFinder, leafTable, sumOfLeaves } from './trees';
import { boosterOf, rowsOf, usedTrees } from './xgboost-booster';
import { baseMargins } from './xgboost-objectives';
import { readTree, treeRows, type XgbTree } from './xgboost-trees';

/** Outputs of a model without trees. */
const MAX_EMPTY_OUTPUTS = 1024;

/** What every tree adds up to, before the objective's transformation. */
export interface Margins {
  readonly booster: Booster;
  readonly outputs: number;
  /** rows × outputs, float32. */
  readonly raw: (x: PlanValue) => Value;
  /** Number of the leaf's node in each tree: rows × trees, float32; a linear model has none. */
  readonly leaves?: (x: PlanValue) => Value;
}

/**
 * margin = base margin + leaf values, added one after another in float32. Rows and thresholds are float32 (`x < threshold` goes left, a
 * missing value where the node says); a category goes right if it is in the node's set, anything that is no category goes left.
 * Source: xgboost `cpu_predictor.cc`, `predict_fn.h`, `categorical.h`, `gbtree.cc`.
 */
export function margins(estimator: Estimator, context: Context): Margins {
  const { plan } = context;
  const booster = boosterOf(estimator);
  const outputs = Math.max(1, booster.classes, booster.targets);
  // Each output has trees (or weights) of its own, unless nothing was learnt at all.
  const learnt = booster.trees.reduce((sum, tree) => sum + tree.leafSize, booster.weights?.length ?? 0);
  if (outputs > Math.max(MAX_EMPTY_OUTPUTS, learnt)) {
    throw estimator.unsupported(`it declares ${outputs} outputs, but has trees for fewer`);
  }
  const base = baseMargins(estimator, booster, outputs);
  const rows = rowsOf(estimator, context, booster);
  if (booster.booster === 'gblinear')
    return { booster, outputs, raw: linear(estimator, context, booster, outputs, base, rows) };
  const used = usedTrees(estimator, booster, outputs);
  const trees = used.map((tree) => readTree(estimator, tree, outputs));
  const everything = booster.trees.length > trees.length && !sinceVersion(booster, 1, 4);
  const none = { dtype: 'float32' as const, shape: [1, outputs], data: base };
  if (trees.length === 0) return { booster, outputs, raw: (x) => plan.perRow(rows(x), none) };
  const forest = encodeForest(trees);
  const finder = (own: Forest<XgbTree>) =>
    leafFinder(context, own, (x) => treeRows(estimator, context, booster, own.trees, rows(x)));
  const find = finder(forest);
  const inPlace = estimator.className !== 'Booster' && sinceVersion(booster, 1, 4);
  return {
    booster,
    outputs,
    raw: context.memo((x: PlanValue) => summed(context, booster, forest, base, find(x), inPlace)),
    leaves: (x) => {
      if (!everything) return nodeNumbers(context, forest, find(x));
      // Before 1.4 `apply` does not know of early stopping.
      const all = encodeForest(booster.trees.map((tree) => readTree(estimator, tree, outputs)));
      return nodeNumbers(context, all, finder(all)(x));
    },
  };
}

/** Numbers of the leaves' nodes in the model, in float32: rows × trees, a vector for a single tree. */
function nodeNumbers(context: Context, { leafNode, leafTree, trees }: Forest<XgbTree>, leaves: Value): Value {
  const { plan } = context;
  const numbers = Float32Array.from(leafNode, (node, leaf) => trees[leafTree[leaf]!]!.nodes[node]!);
  const found = plan.gather(plan.constant({ dtype: 'float32', shape: [numbers.length], data: numbers }), leaves, 0);
  return trees.length === 1 ? plan.squeeze(found, 1) : found;
}

/**
 * Sums in float32, tree after tree, beginning with the base; before 1.3 (dart: 1.4) the base comes last. Wrappers since 1.4
 * (`inplace_predict`) ask a model of the booster dart for a whole prediction of each tree, base included, and take the base off again
 * before they multiply: that rounds, too.
 */
function summed(
  context: Context,
  booster: Booster,
  forest: Forest<XgbTree>,
  base: Float32Array,
  leaves: Value,
  inPlace: boolean,
): Value {
  const { plan } = context;
  const { trees } = forest;
  const outputs = base.length;
  const dart = booster.booster === 'dart';
  const aside = inPlace && dart && !sinceVersion(booster, 3, 3);
  const term = ({ value, weight }: XgbTree, node: number, output: number) => {
    const leaf = value(node, output);
    const own = aside ? Math.fround(Math.fround(base[output]! + leaf) - base[output]!) : leaf;
    return Math.fround(own * weight);
  };
  const vectors = trees.some((tree) => tree.output === undefined);
  const table = leafTable(forest, vectors ? outputs : 1, (row, tree, node) => {
    for (let k = 0; k < row.length; k++) row[k] = term(tree, node, vectors ? k : tree.output!);
  });
  const baseFirst = sinceVersion(booster, 1, dart ? 4 : 3);
  const sum = sumOfLeaves(context, forest, leaves, {
    table,
    width: vectors ? outputs : 1,
    ...(vectors ? {} : { columns: { count: outputs, of: (tree: number) => trees[tree]!.output! } }),
    ...(baseFirst ? { start: base } : {}),
    single: true,
  });
  const rounded = plan.cast(sum, 'float32');
  return baseFirst ? rounded : plan.add(rounded, plan.constant({ dtype: 'float32', shape: [1, outputs], data: base }));
}

/** gblinear: margin = bias + base + weight · x, column after column in float32, missing values left out. */
function linear(
  estimator: Estimator,
  context: Context,
  { weights, features }: Booster,
  outputs: number,
  base: Float32Array,
  rows: (x: PlanValue) => Value,
): (x: PlanValue) => Value {
  const { plan } = context;
  const all = Float32Array.from(weights ?? []);
  if (all.length !== (features + 1) * outputs)
    throw estimator.unsupported('its linear weights do not match its columns');
  // Every output gets the base of the first.
  const bias = all.slice(features * outputs).map((value) => value + base[0]!);
  const constant = (data: Float32Array, shape: number[]) => plan.constant({ dtype: 'float32', shape, data });
  const matrix = constant(all.slice(0, features * outputs), [1, features, outputs]);
  const first = { dtype: 'float32' as const, shape: [1, 1, outputs], data: bias };
  context.widest = Math.max(context.widest, (features + 1) * outputs);
  return (x) => {
    const numbers = rows(x);
    const known = plan.unsqueeze(plan.where(plan.isNaN(numbers), 0, numbers), 2);
    const terms = plan.concat([plan.perRow(numbers, first), plan.mul(known, matrix)], 1);
    return sequentialSum(context, terms, 1, features + 1);
  };
}

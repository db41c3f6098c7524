import { catboostIn } from '../../formats/boosters/fitted';
import { catboostClasses, catboostNames } from '../../formats/catboost/facts';
import type { CatBoostModel, CatBoostTree } from '../../formats/catboost/model';
import type { Value } from '../../onnx/graph';
import { float64, type Tensor } from '../../onnx/tensor';
import type { PlanValue } from '../plan';
import { binaryProbabilities, labelOfLargest, labelOfSign } from './classifiers';
import type { Context, Entry, Lowered } from './context';
import type { Estimator } from './estimator';
import { objectLabels, rangeLabels } from './labels';
import { inOrder, orderTree } from './tree-order';
import { type Branching, encodeForest, leafFinder, leafTable, sumOfLeaves } from './trees';

/**
 * CatBoost with number columns: raw = scale · Σ leaf values + bias. Trees compare `x > border` (both float32); a symmetric tree of
 * depth d makes d comparisons, of which number i gives bit i of the leaf's number.
 * Source: CatBoost `libs/model/model.h`, `evaluation_interface`, Python `core.py`.
 */
export const CATBOOST: Readonly<Record<string, Entry>> = {
  'catboost.CatBoostClassifier': entry(classifier),
  'catboost.CatBoostRegressor': entry(regressor),
  'catboost.CatBoostRanker': entry(rawValues),
  'catboost.CatBoost': entry(rawValues),
};

function entry(lower: Entry['lower']): Entry {
  return {
    lower,
    missing: true,
    infinite: true,
    features: (estimator) => catBoostModel(estimator).columns,
    names: (estimator) => catboostNames(catBoostModel(estimator)),
  };
}

/** The model in the pickled object. */
export function catBoostModel(estimator: Estimator): CatBoostModel {
  const model = catboostIn(estimator.instance);
  if (!model) throw estimator.unsupported('it holds no fitted model');
  return model;
}

/** A tree in the form that is walked, with the place of each leaf's values. */
interface CatTree extends Branching {
  readonly values: (node: number) => number;
}

/** Deeper trees than CatBoost grows would be expanded to more nodes than there are values for. */
const MAX_DEPTH = 16;

interface Comparison {
  readonly column: number;
  readonly border: number;
  readonly missingIsAbove: boolean;
}

function readTrees(estimator: Estimator, model: CatBoostModel): CatTree[] {
  const comparisons = model.floatFeatures.flatMap(({ column, borders, missingIsAbove }) =>
    Array.from(borders, (border): Comparison => ({ column, border, missingIsAbove })),
  );
  const at = (split: number) => {
    const comparison = comparisons[split];
    if (!comparison) throw estimator.unsupported('a tree in it compares with a border that is not there');
    return comparison;
  };
  let used = 0;
  return model.trees.map((tree) => {
    if (tree.kind === 'free') return freeTree(estimator, model, tree, at);
    const from = used;
    used += 2 ** tree.splits.length * model.dimensions;
    if (tree.splits.length > MAX_DEPTH || used > model.leafValues.length)
      throw estimator.unsupported('a tree in it has more leaves than values');
    return symmetricTree(tree.splits, model.dimensions, from, at);
  });
}

/** In heap order: node k has the children 2k + 1 (not above) and 2k + 2 (above). The first comparison is the lowest bit of a leaf's number. */
function symmetricTree(
  splits: readonly number[],
  dimensions: number,
  from: number,
  at: (split: number) => Comparison,
): CatTree {
  const depth = splits.length;
  const leaves = 2 ** depth;
  const nodeCount = 2 * leaves - 1;
  const inner = (value: (node: number) => number, leaf: number) =>
    Float64Array.from({ length: nodeCount }, (_, node) => (node < leaves - 1 ? value(node) : leaf));
  const comparison = (node: number) => at(splits[Math.floor(Math.log2(node + 1))]!);
  return {
    nodeCount,
    left: inner((node) => 2 * node + 1, -1),
    right: inner((node) => 2 * node + 2, -1),
    feature: inner((node) => comparison(node).column, -2),
    threshold: inner((node) => comparison(node).border, 0),
    missingLeft: inner((node) => (comparison(node).missingIsAbove ? 0 : 1), 0),
    values: (node) => {
      const path = node - (leaves - 1);
      let number = 0;
      for (let level = 0; level < depth; level++) number |= ((path >> (depth - 1 - level)) & 1) << level;
      return from + number * dimensions;
    },
  };
}

/** A side without a child becomes a leaf of its own, numbered after the nodes. */
function freeTree(
  estimator: Estimator,
  model: CatBoostModel,
  { splits, left, right, values }: Extract<CatBoostTree, { kind: 'free' }>,
  at: (split: number) => Comparison,
): CatTree {
  const count = splits.length;
  const isLeaf = (node: number) => node >= count || (left[node]! < 0 && right[node]! < 0);
  const order = orderTree(estimator, {
    count: 3 * count,
    isLeaf,
    left: (node) => (left[node]! < 0 ? count + 2 * node : left[node]!),
    right: (node) => (right[node]! < 0 ? count + 2 * node + 1 : right[node]!),
  });
  const valuesAt = (node: number) => values[node < count ? node : (node - count) >> 1]!;
  for (const node of order.nodes) {
    const from = valuesAt(node);
    if (isLeaf(node) && !(from >= 0 && from + model.dimensions <= model.leafValues.length))
      throw estimator.unsupported('a tree in it has more leaves than values');
  }
  const inner = (value: (comparison: Comparison) => number, leaf: number) =>
    inOrder(order, (node) => (isLeaf(node) ? leaf : value(at(splits[node]!))));
  return {
    nodeCount: order.nodes.length,
    left: order.left,
    right: order.right,
    feature: inner(({ column }) => column, -2),
    threshold: inner(({ border }) => border, 0),
    missingLeft: inner(({ missingIsAbove }) => (missingIsAbove ? 0 : 1), 0),
    values: (place) => valuesAt(order.nodes[place]!),
  };
}

/** rows × dimensions. */
function rawScores(estimator: Estimator, context: Context): (x: PlanValue) => Value {
  const { plan } = context;
  const model = catBoostModel(estimator);
  if (model.unsupported !== undefined) throw estimator.unsupported(model.unsupported);
  const { dimensions, leafValues, scale } = model;
  const bias = float64(
    Array.from({ length: dimensions }, (_, i) => model.bias[i] ?? model.bias[0] ?? 0),
    [1, dimensions],
  );
  const trees = readTrees(estimator, model);
  if (trees.length === 0) return (x) => plan.perRow(context.numeric(x), bias);
  const forest = encodeForest(trees);
  const leaves = leafFinder(context, forest);
  const table = leafTable(forest, dimensions, (row, tree, node) => {
    const from = tree.values(node);
    for (let k = 0; k < dimensions; k++) row[k] = leafValues[from + k]!;
  });
  return context.memo((x: PlanValue): Value => {
    const sum = sumOfLeaves(context, forest, leaves(x), { table, width: dimensions });
    return plan.add(scale === 1 ? sum : plan.mul(sum, scale), plan.constant(bias));
  });
}

/** The loss as it was asked for, without its options: `RMSE`, `Poisson`; a bare `CatBoost` object keeps it among its parameters. */
function lossOf(estimator: Estimator): string | undefined {
  return estimator.optionalText('loss_function', 'objective')?.split(':', 1)[0];
}

/** What the trees add up to, whatever the loss. */
function rawValues(estimator: Estimator, context: Context): Lowered {
  const raw = rawScores(estimator, context);
  const { dimensions } = catBoostModel(estimator);
  return { methods: { predict: (x) => (dimensions === 1 ? context.plan.squeeze(raw(x), 1) : raw(x)) } };
}

/** Raw values; for counts their exponential; with uncertainty the mean and exp(2 · raw), the variance. */
function regressor(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const loss = lossOf(estimator);
  const predict = rawValues(estimator, context).methods.predict as (x: PlanValue) => Value;
  if (loss === 'RMSEWithUncertainty') {
    const raw = rawScores(estimator, context);
    const variance = (x: PlanValue) => plan.exp(plan.mul(plan.slice(raw(x), 1, 1, 2), 2));
    return { methods: { predict: (x) => plan.concat([plan.slice(raw(x), 1, 0, 1), variance(x)], 1) } };
  }
  const exponential = loss === 'Poisson' || loss === 'Tweedie';
  return { methods: { predict: (x) => (exponential ? plan.exp(predict(x)) : predict(x)) } };
}

/**
 * Two classes: expit(raw), label by raw > 0 (or by the model's own threshold of probability). More: softmax (one-versus-all: expit),
 * labels in a column of their own. Several labels: expit(raw), each 1 where raw > 0.
 */
function classifier(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const raw = rawScores(estimator, context);
  const model = catBoostModel(estimator);
  const loss = lossOf(estimator) ?? '';
  if (/^Multi(Logloss|CrossEntropy)$/.test(loss)) return labels(context, raw);
  const classes = classesOf(model);
  const separate = loss === 'MultiClassOneVsAll';
  if (classes.shape[0]! !== Math.max(2, model.dimensions))
    throw estimator.unsupported('its outputs are not one for each class');
  const score = (x: PlanValue) => plan.squeeze(raw(x), 1);
  const probabilities = (x: PlanValue): Value => {
    if (model.dimensions === 1) return binaryProbabilities(context, plan.expit(score(x)));
    return separate ? plan.expit(raw(x)) : plan.softmax(raw(x));
  };
  const threshold = Number(model.info.get('binclass_probability_threshold') ?? 0.5);
  const border = -Math.log(1 / threshold - 1);
  const predict = (x: PlanValue): Value =>
    model.dimensions === 1
      ? labelOfSign(context, classes, plan.greater(score(x), border))
      : plan.unsqueeze(labelOfLargest(context, classes, raw(x)), 1);
  return {
    classes,
    methods: { predict, predict_proba: probabilities, predict_log_proba: (x) => plan.log(probabilities(x)) },
  };
}

function labels(context: Context, raw: (x: PlanValue) => Value): Lowered {
  const { plan } = context;
  const probabilities = (x: PlanValue) => plan.expit(raw(x));
  return {
    methods: {
      predict: (x) => plan.cast(plan.greater(raw(x), 0), 'int64'),
      predict_proba: probabilities,
      predict_log_proba: (x) => plan.log(probabilities(x)),
    },
  };
}

/** The labels that the model keeps, or 0 … K - 1. */
function classesOf(model: CatBoostModel): Tensor {
  const labels = catboostClasses(model);
  return labels ? objectLabels(labels) : rangeLabels(Math.max(2, model.dimensions));
}

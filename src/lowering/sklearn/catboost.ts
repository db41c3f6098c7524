import { type CatBoostModel, parseCatBoost } from '../../formats/catboost/model';
import { asBytes } from '../../formats/numpy/pickled';
import type { Value } from '../../onnx/graph';
import { float64, type Tensor } from '../../onnx/tensor';
import { stateDict } from '../../pickle/values';
import type { PlanValue } from '../plan';
import { binaryProbabilities, labelOfLargest, labelOfSign } from './classifiers';
import type { Context, Entry, Lowered } from './context';
import type { Estimator } from './estimator';
import { objectLabels, rangeLabels } from './labels';
import { type Branching, encodeForest, leafFinder, leafTable, sumOfLeaves } from './trees';

/**
 * CatBoost with number columns: raw = scale · Σ leaf values + bias. A tree of depth d makes d comparisons `x > border` (both
 * float32); comparison i gives bit i of the leaf's number.
 * Source: CatBoost `libs/model/model.h`, `evaluation_interface`, Python `core.py`.
 */
export const CATBOOST: Readonly<Record<string, Entry>> = {
  'catboost.CatBoostClassifier': entry(classifier),
  'catboost.CatBoostRegressor': entry(regressor),
};

function entry(lower: Entry['lower']): Entry {
  return {
    lower,
    missing: true,
    infinite: true,
    features: (estimator) => modelOf(estimator).columns,
    names: (estimator) => {
      const { floatFeatures, columns } = modelOf(estimator);
      const names = floatFeatures.map((feature) => feature.name);
      // Without names the columns are called by their numbers, or not at all.
      return names.length === columns && names.every((name, i) => name !== '' && name !== String(i))
        ? names
        : undefined;
    },
  };
}

const parsed = new WeakMap<Estimator, CatBoostModel>();

function modelOf(estimator: Estimator): CatBoostModel {
  let known = parsed.get(estimator);
  if (!known) {
    const bytes = asBytes(stateDict(estimator.instance)?.get('__model'));
    if (!bytes) throw estimator.unsupported('it holds no fitted model');
    known = parseCatBoost(bytes.bytes());
    parsed.set(estimator, known);
  }
  return known;
}

/** A tree as inner nodes and leaves in heap order: node k has the children 2k + 1 (not above) and 2k + 2 (above). */
interface ObliviousTree extends Branching {
  readonly depth: number;
  /** Position of the first leaf's values. */
  readonly firstLeaf: number;
}

/** Deeper trees than CatBoost grows would be expanded to more nodes than there are values for. */
const MAX_DEPTH = 16;

function readTrees(estimator: Estimator, model: CatBoostModel): ObliviousTree[] {
  const comparisons = model.floatFeatures.flatMap(({ column, borders, missingIsAbove }) =>
    Array.from(borders, (border) => ({ column, border, missingIsAbove })),
  );
  let firstLeaf = 0;
  return model.trees.map((splits) => {
    const depth = splits.length;
    const leaves = 2 ** depth;
    if (depth > MAX_DEPTH || (firstLeaf + leaves) * model.dimensions > model.leafValues.length) {
      throw estimator.unsupported('a tree in it has more leaves than values');
    }
    const nodeCount = 2 * leaves - 1;
    const at = (node: number) => {
      const comparison = comparisons[splits[Math.floor(Math.log2(node + 1))]!];
      if (!comparison) throw estimator.unsupported('a tree in it compares with a border that is not there');
      return comparison;
    };
    const inner = (value: (node: number) => number, leaf: number) =>
      Float64Array.from({ length: nodeCount }, (_, node) => (node < leaves - 1 ? value(node) : leaf));
    const tree: ObliviousTree = {
      depth,
      firstLeaf,
      nodeCount,
      left: inner((node) => 2 * node + 1, -1),
      right: inner((node) => 2 * node + 2, -1),
      feature: inner((node) => at(node).column, -2),
      threshold: inner((node) => at(node).border, 0),
      missingLeft: inner((node) => (at(node).missingIsAbove ? 0 : 1), 0),
    };
    firstLeaf += leaves;
    return tree;
  });
}

/** The leaf of a node in heap order: its first comparison is the lowest bit. */
function leafNumber(tree: ObliviousTree, node: number): number {
  const path = node - (2 ** tree.depth - 1);
  let number = 0;
  for (let level = 0; level < tree.depth; level++) number |= ((path >> (tree.depth - 1 - level)) & 1) << level;
  return number;
}

/** rows × dimensions. */
function rawScores(estimator: Estimator, context: Context): (x: PlanValue) => Value {
  const { plan } = context;
  const model = modelOf(estimator);
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
    const from = (tree.firstLeaf + leafNumber(tree, node)) * dimensions;
    for (let k = 0; k < dimensions; k++) row[k] = leafValues[from + k]!;
  });
  return context.memo((x: PlanValue): Value => {
    const sum = sumOfLeaves(context, forest, leaves(x), { table, width: dimensions });
    return plan.add(scale === 1 ? sum : plan.mul(sum, scale), plan.constant(bias));
  });
}

/** The loss as it was asked for, without its options: `RMSE`, `Poisson`. */
function lossOf(estimator: Estimator): string | undefined {
  return estimator.optionalText('loss_function', 'objective')?.split(':', 1)[0];
}

/** Raw values; for counts their exponential. */
function regressor(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const loss = lossOf(estimator);
  if (loss === 'RMSEWithUncertainty') throw estimator.unsupported('its loss gives a mean and a variance');
  const raw = rawScores(estimator, context);
  const { dimensions } = modelOf(estimator);
  const result = (x: PlanValue) => (dimensions === 1 ? plan.squeeze(raw(x), 1) : raw(x));
  const exponential = loss === 'Poisson' || loss === 'Tweedie';
  return { methods: { predict: (x) => (exponential ? plan.exp(result(x)) : result(x)) } };
}

/** Two classes: expit(raw), label by raw > 0. More: softmax (one-versus-all: expit), labels in a column of their own. */
function classifier(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const raw = rawScores(estimator, context);
  const model = modelOf(estimator);
  const classes = classesOf(model);
  const separate = lossOf(estimator) === 'MultiClassOneVsAll';
  if (classes.shape[0]! !== Math.max(2, model.dimensions))
    throw estimator.unsupported('its outputs are not one for each class');
  const score = (x: PlanValue) => plan.squeeze(raw(x), 1);
  const probabilities = (x: PlanValue): Value => {
    if (model.dimensions === 1) return binaryProbabilities(context, plan.expit(score(x)));
    return separate ? plan.expit(raw(x)) : plan.softmax(raw(x));
  };
  const predict = (x: PlanValue): Value =>
    model.dimensions === 1
      ? labelOfSign(context, classes, plan.greater(score(x), 0))
      : plan.unsqueeze(labelOfLargest(context, classes, raw(x)), 1);
  return {
    classes,
    methods: { predict, predict_proba: probabilities, predict_log_proba: (x) => plan.log(probabilities(x)) },
  };
}

/** `class_params` of the model's information: `{"class_names": […], "class_label_type": "Integer" | "String" | …}`. */
function classesOf({ info, dimensions }: CatBoostModel): Tensor {
  try {
    const { class_names: names, class_label_type: type } = JSON.parse(info.get('class_params') ?? '{}');
    if (Array.isArray(names) && names.length > 0) return objectLabels(type === 'String' ? names.map(String) : names);
  } catch {
    // Damaged information: the labels are then numbers.
  }
  return rangeLabels(Math.max(2, dimensions));
}

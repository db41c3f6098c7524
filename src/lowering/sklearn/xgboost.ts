import { asBytes } from '../../formats/numpy/pickled';
import { type Booster, type BoosterTree, parseBooster } from '../../formats/xgboost/model';
import type { Value } from '../../onnx/graph';
import { float64, type Tensor } from '../../onnx/tensor';
import type { PlanValue } from '../plan';
import { binaryProbabilities, labelOfLargest, labelOfSign } from './classifiers';
import type { Context, Entry, Lowered } from './context';
import type { Estimator } from './estimator';
import { labelTensor, rangeLabels } from './labels';
import { inOrder, orderTree } from './tree-order';
import { type Branching, encodeForest, leafFinder, leafTable, sumOfLeaves } from './trees';

/**
 * xgboost: margin = link(base_score) + sum of leaf values, in each output. Rows and thresholds are float32 (`x < threshold`
 * goes left, a missing value where the node says); sums are made in float64 here and in float32 there, which is the 1e-6
 * that results may differ by.
 * Source: xgboost `gbtree.cc`, `cpu_predictor.cc`, `regression_loss.h`, `multiclass_obj.cu`, Python `sklearn.py`.
 */
export const XGBOOST: Readonly<Record<string, Entry>> = {
  'xgboost.XGBClassifier': entry(classifier),
  'xgboost.XGBRFClassifier': entry(classifier),
  'xgboost.XGBRegressor': entry(regressor),
  'xgboost.XGBRFRegressor': entry(regressor),
  'xgboost.XGBRanker': entry(regressor),
  'xgboost.Booster': entry(regressor),
};

function entry(lower: Entry['lower']): Entry {
  return {
    lower,
    missing: true,
    infinite: true,
    features: (estimator) => boosterOf(estimator).features || undefined,
    names: (estimator) => {
      const { featureNames } = boosterOf(estimator);
      return featureNames.length > 0 ? featureNames : undefined;
    },
  };
}

const parsed = new WeakMap<Estimator, Booster>();

/** The model in the pickled `Booster`: of a wrapper, or the object itself. */
function boosterOf(estimator: Estimator): Booster {
  let known = parsed.get(estimator);
  if (!known) {
    const holder = estimator.optionalChild('_Booster') ?? estimator;
    const bytes = asBytes(holder.value('handle'));
    if (!bytes) throw estimator.unsupported('it holds no fitted booster');
    known = parseBooster(bytes.bytes());
    parsed.set(estimator, known);
  }
  return known;
}

/** Outputs of a model without trees. */
const MAX_EMPTY_OUTPUTS = 1024;

interface Margins {
  readonly booster: Booster;
  readonly outputs: number;
  /** rows × outputs, float64. */
  readonly raw: (x: PlanValue) => Value;
}

function margins(estimator: Estimator, context: Context): Margins {
  const { plan } = context;
  const booster = boosterOf(estimator);
  const outputs = Math.max(1, booster.classes, booster.targets);
  // Each output has trees (or weights) of its own, unless nothing was learnt at all.
  if (outputs > Math.max(MAX_EMPTY_OUTPUTS, booster.trees.length, booster.weights?.length ?? 0)) {
    throw estimator.unsupported(`it declares ${outputs} outputs, but has trees for fewer`);
  }
  const base = baseMargin(estimator, booster, outputs);
  const rows = (x: PlanValue): Value => {
    const numbers = plan.cast(plan.cast(context.numeric(x), 'float32'), 'float64');
    const missing = estimator.optionalNumber('missing');
    // A number that stands for "missing".
    return missing === undefined || Number.isNaN(missing)
      ? numbers
      : plan.where(plan.equal(numbers, Math.fround(missing)), Number.NaN, numbers);
  };
  if (booster.booster === 'gblinear')
    return { booster, outputs, raw: linear(estimator, context, booster, outputs, base, rows) };
  const trees = usedTrees(estimator, booster).map((tree) => readTree(estimator, tree, outputs));
  const none = float64(base, [1, outputs]);
  if (trees.length === 0) return { booster, outputs, raw: (x) => plan.perRow(context.numeric(x), none) };
  const forest = encodeForest(trees);
  const leaves = leafFinder(context, forest, rows);
  const table = leafTable(forest, 1, (row, tree, node) => {
    row[0] = tree.value[node]!;
  });
  const columns = { count: outputs, of: (tree: number) => trees[tree]!.group };
  const raw = context.memo((x: PlanValue) =>
    plan.add(sumOfLeaves(context, forest, leaves(x), { table, width: 1, columns }), plan.constant(none)),
  );
  return { booster, outputs, raw };
}

interface XgbTree extends Branching {
  readonly value: Float64Array;
  readonly group: number;
}

function readTree(estimator: Estimator, tree: BoosterTree, outputs: number): XgbTree {
  if (tree.leafSize > 1) throw estimator.unsupported('its trees have a vector in each leaf');
  if (tree.categorical) throw estimator.unsupported('it splits on categories');
  if (!(tree.group >= 0 && tree.group < outputs))
    throw estimator.unsupported(`a tree in it belongs to output ${tree.group}`);
  const order = orderTree(estimator, {
    count: tree.left.length,
    isLeaf: (node) => tree.left[node] === -1,
    left: (node) => tree.left[node]!,
    right: (node) => tree.right[node]!,
  });
  return {
    nodeCount: order.nodes.length,
    left: order.left,
    right: order.right,
    feature: inOrder(order, (node) => tree.feature[node]!),
    threshold: inOrder(order, (node) => Math.fround(tree.condition[node]!)),
    missingLeft: inOrder(order, (node) => tree.defaultLeft[node]!),
    strict: true,
    value: inOrder(order, (node) => tree.weight * Math.fround(tree.condition[node]!)),
    group: tree.group,
  };
}

/** After early stopping only the rounds up to the best one count. A bare `Booster` uses all of its own. */
function usedTrees(estimator: Estimator, { trees, rounds, attributes }: Booster): readonly BoosterTree[] {
  const best = attributes.get('best_iteration');
  if (estimator.className === 'Booster' || best === undefined) return trees;
  const limit = Number(best) + 1;
  return limit > 0 ? trees.slice(0, rounds[Math.min(limit, rounds.length - 1)]) : trees;
}

/** gblinear: margin = base + bias + Σ weight · x, missing values left out. */
function linear(
  estimator: Estimator,
  context: Context,
  { weights, features }: Booster,
  outputs: number,
  base: readonly number[],
  rows: (x: PlanValue) => Value,
): (x: PlanValue) => Value {
  const { plan } = context;
  const all = Float64Array.from(weights ?? []);
  if (all.length !== (features + 1) * outputs)
    throw estimator.unsupported('its linear weights do not match its columns');
  const bias = all.slice(features * outputs).map((value, i) => value + base[i]!);
  const matrix = plan.doubles(all.slice(0, features * outputs), [features, outputs], 'weights');
  return (x) => {
    const numbers = rows(x);
    return plan.add(plan.matmul(plan.where(plan.isNaN(numbers), 0, numbers), matrix), plan.doubles(bias));
  };
}

const LOGISTIC = new Set(['binary:logistic', 'reg:logistic', 'binary:logitraw']);
const LOGARITHMIC = new Set(['count:poisson', 'reg:gamma', 'reg:tweedie', 'survival:cox', 'survival:aft']);
const PLAIN =
  /^(reg:(linear|squarederror|squaredlogerror|absoluteerror|pseudohubererror|quantileerror|expectileerror)|rank:\w+|binary:hinge|multi:\w+)$/;

/** The base score as a raw value: it is stored on the scale of the results. */
function baseMargin(estimator: Estimator, { objective, baseScore, baseIsRaw }: Booster, outputs: number): number[] {
  if (!LOGISTIC.has(objective) && !LOGARITHMIC.has(objective) && !PLAIN.test(objective)) {
    throw estimator.unsupported(`its objective "${objective}" is not known`);
  }
  const raw = baseScore.map((score) => {
    if (baseIsRaw) return score;
    if (LOGISTIC.has(objective)) return -Math.log(1 / score - 1);
    return LOGARITHMIC.has(objective) ? Math.log(score) : score;
  });
  if (raw.length !== 1 && raw.length !== outputs)
    throw estimator.unsupported('it has a base score for some of its outputs only');
  return Array.from({ length: outputs }, (_, i) => (raw.length === 1 ? raw[0]! : raw[i]!));
}

/** What `Booster.predict` gives: the margins through the objective's transformation, as float32. */
function transformed(context: Context, { booster, outputs, raw }: Margins): (x: PlanValue) => Value {
  const { plan } = context;
  const { objective } = booster;
  return (x) => {
    const margin = raw(x);
    if (objective === 'multi:softmax') return plan.cast(plan.argmax(margin, 1), 'float32');
    let result = margin;
    if (objective === 'binary:logistic' || objective === 'reg:logistic') result = plan.expit(margin);
    else if (LOGARITHMIC.has(objective)) result = plan.exp(margin);
    else if (objective === 'multi:softprob') result = plan.softmax(margin);
    else if (objective === 'binary:hinge') result = plan.cast(plan.greater(margin, 0), 'float64');
    return plan.cast(outputs === 1 ? plan.squeeze(result, 1) : result, 'float32');
  };
}

function regressor(estimator: Estimator, context: Context): Lowered {
  return { methods: { predict: transformed(context, margins(estimator, context)) } };
}

/** One probability a row: the label is the second class above 0.5; a row of probabilities: the largest. */
function classifier(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const made = margins(estimator, context);
  const classes = classesOf(estimator, made.booster);
  const given = transformed(context, made);
  if (made.booster.objective === 'multi:softmax') {
    throw estimator.unsupported('its objective "multi:softmax" gives labels instead of probabilities');
  }
  if (made.booster.targets > 1) {
    // Multilabel: each output by itself.
    return { methods: { predict: (x) => plan.cast(plan.greater(given(x), 0.5), 'int64'), predict_proba: given } };
  }
  if (made.outputs > 1) {
    return { classes, methods: { predict: (x) => labelOfLargest(context, classes, given(x)), predict_proba: given } };
  }
  return {
    classes,
    methods: {
      predict: (x) => labelOfSign(context, classes, plan.greater(given(x), 0.5)),
      predict_proba: (x) => binaryProbabilities(context, given(x)),
    },
  };
}

/** `classes_`, or the encoder's; since 2.0 labels are always 0 … K - 1 and not written. */
function classesOf(estimator: Estimator, booster: Booster): Tensor {
  const array = estimator.optionalArray('classes_') ?? estimator.optionalChild('_le')?.optionalArray('classes_');
  if (array) return labelTensor(array);
  return rangeLabels(Math.max(2, booster.classes));
}

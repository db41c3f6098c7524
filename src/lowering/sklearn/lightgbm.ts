import { type LightGbmModel, type LightGbmTree, parseLightGbm } from '../../formats/lightgbm/model';
import type { Value } from '../../onnx/graph';
import type { Tensor } from '../../onnx/tensor';
import { asSequence } from '../../pickle/values';
import type { PlanValue } from '../plan';
import { binaryProbabilities, labelOfLargest } from './classifiers';
import type { Context, Entry, Lowered } from './context';
import type { Estimator } from './estimator';
import { labelTensor, rangeLabels } from './labels';
import { inOrder, orderTree } from './tree-order';
import { type Branching, encodeForest, leafFinder, leafTable, sumOfLeaves } from './trees';

/**
 * LightGBM: raw = sum of leaf values in each output (of random forests the mean over iterations), all in float64. A number
 * goes left if it is at most the threshold, a category if it is in the node's set.
 * Source: LightGBM `tree.h` (`NumericalDecision`, `CategoricalDecision`), `objective/*.hpp` (`ConvertOutput`), Python `sklearn.py`.
 */
export const LIGHTGBM: Readonly<Record<string, Entry>> = {
  'lightgbm.LGBMClassifier': entry(classifier),
  'lightgbm.LGBMRegressor': entry(regressor),
  'lightgbm.LGBMRanker': entry(regressor),
  'lightgbm.Booster': entry(regressor),
};

function entry(lower: Entry['lower']): Entry {
  return {
    lower,
    missing: true,
    infinite: true,
    features: (estimator) => modelOf(estimator).features,
    names: (estimator) => {
      const { featureNames } = modelOf(estimator);
      // LightGBM makes up names of its own for matrices.
      return featureNames.every((name, i) => name === `Column_${i}`) ? undefined : featureNames;
    },
  };
}

/** Numbers this close to 0 count as 0 where zero means missing. */
const ZERO = 1.0000000180025095e-35;

const parsed = new WeakMap<Estimator, LightGbmModel>();

function boosterOf(estimator: Estimator): Estimator {
  return estimator.optionalChild('_Booster') ?? estimator;
}

function modelOf(estimator: Estimator): LightGbmModel {
  let known = parsed.get(estimator);
  if (!known) {
    // Called `handle` before 4.0.
    const text = boosterOf(estimator).optionalText('_handle', 'handle');
    if (text === undefined) throw estimator.unsupported('it holds no fitted booster');
    known = parseLightGbm(text);
    parsed.set(estimator, known);
  }
  return known;
}

interface Raw {
  readonly model: LightGbmModel;
  /** rows × outputs. */
  readonly raw: (x: PlanValue) => Value;
}

function rawScores(estimator: Estimator, context: Context): Raw {
  const { plan } = context;
  const model = modelOf(estimator);
  const outputs = model.treesPerIteration;
  if ((asSequence(boosterOf(estimator).value('pandas_categorical')) ?? []).length > 0) {
    throw estimator.unsupported('it was fitted with the categories of a data frame');
  }
  const used = usedTrees(estimator, model);
  const zero = new Float64Array(outputs);
  if (used.length === 0)
    return {
      model,
      raw: (x) => plan.perRow(context.numeric(x), { dtype: 'float64', shape: [1, outputs], data: zero }),
    };
  const rules = columnRules(estimator, used);
  const forest = encodeForest(used.map((tree) => readTree(estimator, model, tree)));
  const leaves = leafFinder(context, forest, (x) => prepared(context, model, rules, context.numeric(x)));
  const table = leafTable(forest, 1, (row, tree, node) => {
    row[0] = tree.value[node]!;
  });
  const columns = { count: outputs, of: (tree: number) => tree % outputs };
  const iterations = Math.max(1, Math.floor(used.length / outputs));
  const raw = context.memo((x: PlanValue): Value => {
    const sum = sumOfLeaves(context, forest, leaves(x), { table, width: 1, columns });
    return model.averages ? plan.div(sum, iterations) : sum;
  });
  return { model, raw };
}

/** Early stopping leaves `best_iteration` (0 or less: all count). */
function usedTrees(estimator: Estimator, model: LightGbmModel): readonly LightGbmTree[] {
  const best = boosterOf(estimator).optionalNumber('best_iteration') ?? 0;
  return best > 0 ? model.trees.slice(0, best * model.treesPerIteration) : model.trees;
}

interface ColumnRules {
  readonly zeroIsMissing: ReadonlySet<number>;
  readonly categorical: ReadonlySet<number>;
}

/** Rules belong to columns: every node that looks at a column has the same. */
function columnRules(estimator: Estimator, trees: readonly LightGbmTree[]): ColumnRules {
  const rules = new Map<number, string>();
  for (const tree of trees) {
    tree.feature.forEach((column, node) => {
      const rule = tree.categories.has(node) ? 'category' : tree.missing[node] === 'zero' ? 'zero' : 'number';
      const known = rules.get(column);
      if (known !== undefined && known !== rule)
        throw estimator.unsupported(`its trees treat column ${column} in different ways`);
      rules.set(column, rule);
    });
  }
  const having = (rule: string) => new Set([...rules].filter(([, own]) => own === rule).map(([column]) => column));
  return { zeroIsMissing: having('zero'), categorical: having('category') };
}

/** Zeros become missing where they mean that; categories are cut to whole numbers towards 0. */
function prepared(context: Context, model: LightGbmModel, rules: ColumnRules, rows: Value): Value {
  const { plan } = context;
  if (rules.zeroIsMissing.size === 0 && rules.categorical.size === 0) return rows;
  const flags = (columns: ReadonlySet<number>) =>
    plan.greater(
      plan.doubles(
        Float64Array.from({ length: model.features }, (_, i) => (columns.has(i) ? 1 : 0)),
        [1, model.features],
      ),
      0,
    );
  const missing = plan.and(flags(rules.zeroIsMissing), plan.lessOrEqual(plan.abs(rows), ZERO));
  const whole = plan.mul(plan.sign(rows), plan.floor(plan.abs(rows)));
  return plan.where(missing, Number.NaN, plan.where(flags(rules.categorical), whole, rows));
}

interface LgbTree extends Branching {
  readonly value: Float64Array;
}

function readTree(estimator: Estimator, model: LightGbmModel, tree: LightGbmTree): LgbTree {
  if (tree.isLinear) throw estimator.unsupported('its leaves hold linear functions');
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
  };
}

/** Where a NaN goes: the default side if the column has missing values, otherwise as the number (or category) 0. */
function missingGoesLeft(model: LightGbmModel, tree: LightGbmTree, node: number): boolean {
  const categories = tree.categories.get(node);
  if (categories) return tree.missing[node] !== 'nan' && model.version !== 'v4' && categories.includes(0);
  return tree.missing[node] === 'none' ? tree.threshold[node]! >= 0 : tree.defaultLeft[node]!;
}

/** What the objective makes of raw scores (`ConvertOutput`): rows × outputs. */
function converted(estimator: Estimator, context: Context, { model, raw }: Raw): (x: PlanValue) => Value {
  const { plan } = context;
  const [name = '', ...options] = model.objective.split(' ');
  const sigmoid = Number(options.find((option) => option.startsWith('sigmoid:'))?.slice('sigmoid:'.length) ?? 1);
  switch (name) {
    case 'binary':
    case 'multiclassova':
      return (x) => plan.expit(plan.mul(raw(x), sigmoid));
    case 'cross_entropy':
    case 'xentropy':
      return (x) => plan.expit(raw(x));
    case 'multiclass':
      return (x) => plan.softmax(raw(x));
    case 'poisson':
    case 'gamma':
    case 'tweedie':
      return (x) => plan.exp(raw(x));
    case 'cross_entropy_lambda':
    case 'xentlambda':
      return (x) => plan.log(plan.add(plan.exp(raw(x)), 1));
    case 'regression':
      return options.includes('sqrt') ? (x) => plan.mul(plan.sign(raw(x)), plan.square(raw(x))) : raw;
    case 'regression_l1':
    case 'huber':
    case 'fair':
    case 'quantile':
    case 'mape':
    case 'lambdarank':
    case 'rank_xendcg':
      return raw;
    case '':
    case 'custom':
    case 'none':
      if (estimator.className === 'LGBMClassifier') throw estimator.unsupported('its objective is a function');
      return raw;
    default:
      throw estimator.unsupported(`its objective "${name}" is not known`);
  }
}

function regressor(estimator: Estimator, context: Context): Lowered {
  const made = rawScores(estimator, context);
  const result = converted(estimator, context, made);
  const { treesPerIteration } = made.model;
  return { methods: { predict: (x) => (treesPerIteration === 1 ? context.plan.squeeze(result(x), 1) : result(x)) } };
}

/** The label of the largest probability, the first of equal ones. */
function classifier(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const made = rawScores(estimator, context);
  const result = converted(estimator, context, made);
  const classes = classesOf(estimator, made.model);
  const probabilities = (x: PlanValue) =>
    made.model.treesPerIteration === 1 ? binaryProbabilities(context, plan.squeeze(result(x), 1)) : result(x);
  return {
    classes,
    methods: { predict: (x) => labelOfLargest(context, classes, probabilities(x)), predict_proba: probabilities },
  };
}

function classesOf(estimator: Estimator, model: LightGbmModel): Tensor {
  const array = estimator.optionalArray('_classes') ?? estimator.optionalChild('_le')?.optionalArray('classes_');
  return array ? labelTensor(array) : rangeLabels(Math.max(2, model.classes));
}

import type { Value } from '../../onnx/graph';
import type { Tensor } from '../../onnx/tensor';
import type { PlanValue } from '../plan';
import type { LeafValues } from '../trees/walk';
import { classesOf, labelOfLargest, stackLabels, takeLabels } from './classifiers';
import { labelsAt, largestLabelInCode, mapInCode } from './code-values';
import type { Context, Entry, Lowered } from './context';
import type { Estimator } from './estimator';
import {
  classFractions,
  encodeForest,
  type Forest,
  leafFinder,
  leafNodes,
  leafTable,
  readTree,
  sumOfLeaves,
  type Tree,
  treeColumns,
} from './trees';

/**
 * Decision trees, extra trees and forests of them.
 *
 * One tree: the class fractions of the leaf that a row reaches, or its mean value. A forest: the mean of its trees,
 * summed in their order and divided by their number. Label: the largest fraction, the first of equal ones.
 * Source: sklearn `tree/_classes.py`, `ensemble/_forest.py` (0.18 to 1.9; leaf values are weights before 1.3 and
 * fractions since, so they are always divided by their sum).
 */
export const TREE_MODELS: Readonly<Record<string, Entry>> = {
  'sklearn.DecisionTreeClassifier': tree(classifier),
  'sklearn.ExtraTreeClassifier': tree(classifier),
  'sklearn.RandomForestClassifier': tree(classifier),
  'sklearn.ExtraTreesClassifier': tree(classifier),
  // Source: imblearn `ensemble/_forest.py`: the samplers only act at fit.
  'imblearn.BalancedRandomForestClassifier': tree(classifier),
  'sklearn.DecisionTreeRegressor': tree(regressor),
  'sklearn.ExtraTreeRegressor': tree(regressor),
  'sklearn.RandomForestRegressor': tree(regressor),
  'sklearn.ExtraTreesRegressor': tree(regressor),
};

function tree(lower: (estimator: Estimator, context: Context) => Lowered): Entry {
  return {
    lower,
    missing: (estimator) =>
      treesTakeMissing(estimator, isForest(estimator) ? estimator.children('estimators_')[0] : estimator),
    features: (estimator) => treeColumns(treesOf(estimator)[0]),
  };
}

/**
 * Whether missing values are taken: by single trees since 1.3, by forests since 1.4, by extra trees since 1.6, and not with
 * the absolute error before 1.9 or with monotonic constraints. Source: `allow_nan` tags in sklearn `tree/_classes.py`.
 */
function treesTakeMissing(estimator: Estimator, inner: Estimator | undefined): boolean {
  const since = /^Extra/.test(estimator.className) ? '1.6' : isForest(estimator) ? '1.4' : '1.3';
  if (!estimator.since(since)) return false;
  if (estimator.since('1.9')) return true;
  const criterion = estimator.optionalText('criterion') ?? inner?.optionalText('criterion');
  return criterion !== 'absolute_error' && !estimator.has('monotonic_cst');
}

export function isForest(estimator: Estimator): boolean {
  return estimator.has('estimators_');
}

/** The trees of an estimator: of its forest, or the one that it is. */
export function treesOf(estimator: Estimator): Estimator[] {
  return isForest(estimator) ? estimator.children('estimators_') : [estimator];
}

function classifier(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const forest = encodeForest(treesOf(estimator).map(readTree));
  const classes = classesOf(estimator);
  for (const { outputs, classes: width } of forest.trees) {
    if (outputs < classes.length || classes.some((labels) => labels.shape[0]! > width)) {
      throw estimator.unsupported('its trees have fewer outputs or classes than it has labels');
    }
  }
  const leaves = leafFinder(context, forest);
  const probabilities = context.memo((x: PlanValue): Value[] =>
    classes.map((labels, output) => {
      const width = labels.shape[0]!;
      const table = leafTable(forest, width, (row, tree, node) => classFractions(row, tree, node, output));
      return meanOfLeaves(context, forest, leaves(x), { table, width });
    }),
  );
  const predict = (x: PlanValue): Value => {
    const columns = classes.map((labels, output) =>
      isForest(estimator)
        ? largestLabel(context, labels, probabilities(x)[output]!)
        : leafLabels(context, forest, leaves(x), labels, output),
    );
    if (columns.length === 1) return columns[0]!;
    // Before 0.21 labels of several outputs were put into an array of floats.
    const cast = classes.every((labels) => labels.dtype !== 'string') && !estimator.since('0.21');
    return stackLabels(context, cast ? columns.map((column) => plan.cast(column, 'float64')) : columns);
  };
  return {
    classes: classes.length === 1 ? classes[0]! : classes,
    methods: {
      predict,
      predict_proba: (x) => one(probabilities(x)),
      predict_log_proba: (x) => one(probabilities(x).map((p) => logarithm(context, p))),
      apply: (x) => apply(context, estimator, forest, leaves(x)),
    },
  };
}

/** The mean over the trees, rows × width: their sum in order, divided by their number. */
function meanOfLeaves(context: Context, forest: Forest<Tree>, leaves: Value, values: LeafValues): Value {
  const sum = sumOfLeaves(context, forest, leaves, values);
  const count = forest.trees.length;
  if (count === 1) return sum;
  return context.plan.isFromCode(sum)
    ? mapInCode(context, 'mean', sum, (x) => x / count)
    : context.plan.div(sum, count);
}

function largestLabel(context: Context, labels: Tensor, scores: Value): Value {
  return context.plan.isFromCode(scores)
    ? largestLabelInCode(context, labels, scores)
    : labelOfLargest(context, labels, scores);
}

function logarithm(context: Context, p: Value): Value {
  return context.plan.isFromCode(p) ? mapInCode(context, 'log', p, Math.log) : context.plan.log(p);
}

/** The label of the largest weight in the leaf of a single tree, compared before the division that its `predict` does not make. */
function leafLabels(context: Context, forest: Forest<Tree>, leaves: Value, labels: Tensor, output: number): Value {
  const { plan } = context;
  const winner = Array.from(forest.leafTree, (t, leaf) => {
    const { values, outputs, classes } = forest.trees[t]!;
    const from = (forest.leafNode[leaf]! * outputs + output) * classes;
    let best = 0;
    for (let k = 1; k < classes; k++) if (values[from + k]! > values[from + best]!) best = k;
    return best;
  });
  if (plan.isFromCode(leaves)) {
    return plan.step('leaf_labels', [leaves], [{ name: 'label', dtype: labels.dtype }], ([given]) => {
      const { data, shape } = given as Tensor & { data: BigInt64Array };
      return [labelsAt(labels, shape[0] ?? 0, (row) => winner[Number(data[row])]!)];
    })[0];
  }
  return takeLabels(context, labels, plan.squeeze(plan.gather(plan.ints(winner), leaves, 0), 1));
}

function regressor(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const forest = encodeForest(treesOf(estimator).map(readTree));
  const leaves = leafFinder(context, forest);
  const outputs = forest.trees[0]!.outputs;
  const table = leafTable(forest, outputs, (row, tree, node) => {
    for (let output = 0; output < outputs; output++)
      row[output] = tree.values[(node * outputs + output) * tree.classes]!;
  });
  const predict = (x: PlanValue): Value => {
    const mean = meanOfLeaves(context, forest, leaves(x), { table, width: outputs });
    if (outputs > 1) return mean;
    return plan.isFromCode(mean)
      ? mapInCode(
          context,
          'predict',
          mean,
          (y) => y,
          (rows) => [rows],
        )
      : plan.squeeze(mean, 1);
  };
  return { methods: { predict, apply: (x) => apply(context, estimator, forest, leaves(x)) } };
}

function apply(context: Context, estimator: Estimator, forest: Forest<Tree>, leaves: Value): Value {
  return leafNodes(context, forest, leaves, !isForest(estimator));
}

function one(values: Value[]): Value | Value[] {
  return values.length === 1 ? values[0]! : values;
}

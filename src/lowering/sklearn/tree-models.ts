import type { Value } from '../../onnx/graph';
import type { PlanValue } from '../plan';
import { classesOf, labelOfLargest, stackLabels, takeLabels } from './classifiers';
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
  const count = forest.trees.length;
  const probabilities = context.memo((x: PlanValue): Value[] =>
    classes.map((labels, output) => {
      const width = labels.shape[0]!;
      const table = leafTable(forest, width, (row, tree, node) => classFractions(row, tree, node, output));
      const sum = sumOfLeaves(context, forest, leaves(x), { table, width });
      return isForest(estimator) ? plan.div(sum, count) : sum;
    }),
  );
  const predict = (x: PlanValue): Value => {
    const columns = classes.map((labels, output) =>
      isForest(estimator)
        ? labelOfLargest(context, labels, probabilities(x)[output]!)
        : takeLabels(context, labels, plan.squeeze(leafLabels(context, forest, leaves(x), output), 1)),
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
      predict_log_proba: (x) => one(probabilities(x).map((p) => plan.log(p))),
      apply: (x) => apply(context, estimator, forest, leaves(x)),
    },
  };
}

/** The class with the largest weight in each leaf, compared before the division that a tree's `predict` does not make. */
function leafLabels(context: Context, forest: Forest<Tree>, leaves: Value, output: number): Value {
  const { plan } = context;
  const winner = BigInt64Array.from(forest.leafTree, (t, leaf) => {
    const { values, outputs, classes } = forest.trees[t]!;
    const from = (forest.leafNode[leaf]! * outputs + output) * classes;
    let best = 0;
    for (let k = 1; k < classes; k++) if (values[from + k]! > values[from + best]!) best = k;
    return BigInt(best);
  });
  return plan.gather(plan.constant({ dtype: 'int64', shape: [winner.length], data: winner }), leaves, 0);
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
    const sum = sumOfLeaves(context, forest, leaves(x), { table, width: outputs });
    const mean = isForest(estimator) ? plan.div(sum, forest.trees.length) : sum;
    return outputs === 1 ? plan.squeeze(mean, 1) : mean;
  };
  return { methods: { predict, apply: (x) => apply(context, estimator, forest, leaves(x)) } };
}

function apply(context: Context, estimator: Estimator, forest: Forest, leaves: Value): Value {
  const nodes = leafNodes(context, forest, leaves);
  return isForest(estimator) ? nodes : context.plan.squeeze(nodes, 1);
}

function one(values: Value[]): Value | Value[] {
  return values.length === 1 ? values[0]! : values;
}

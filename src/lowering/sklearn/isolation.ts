import type { Value } from '../../onnx/graph';
import { float64 } from '../../onnx/tensor';
import type { PlanValue } from '../plan';
import type { Context, Entry, Lowered } from './context';
import { asTensor, type Estimator } from './estimator';
import {
  checkBranching,
  encodeForest,
  leafFinder,
  leafNodes,
  leafTable,
  readTree,
  sumOfLeaves,
  type Tree,
  treeColumns,
} from './trees';

/** Unsupervised forests. Source: sklearn `ensemble/iforest.py`, `_iforest.py`, `_forest.py` (`RandomTreesEmbedding`). */
export const ISOLATION_MODELS: Readonly<Record<string, Entry>> = {
  'sklearn.IsolationForest': {
    lower: isolationForest,
    missing: (estimator) => estimator.since('1.6'),
    // Trees may be grown on some of the columns only; the number of all was written since 0.20.
    features: (estimator) =>
      estimator.optionalNumber('n_features_') ??
      (estimator.optionalNumber('max_features') === 1 ? treeColumns(estimator.children('estimators_')[0]) : undefined),
  },
  'sklearn.RandomTreesEmbedding': {
    lower: embedding,
    features: (estimator) => treeColumns(estimator.children('estimators_')[0]),
  },
};

/**
 * Isolation forest: score = 2^(-mean depth / c(max_samples_)), where the depth of a row in a tree is that of its leaf plus
 * c(samples in that leaf); c(n) = 2 (ln(n - 1) + γ) - 2 (n - 1) / n is the mean depth of a random search tree.
 * `score_samples` = -score, `decision_function` = score_samples - offset_, `predict` = -1 where that is below 0, else 1.
 *
 * Before 0.21 c(n) was 1 for n ≤ 1 (since then 0, and c(2) = 1); before 0.20 c used ln(n) and γ = 0.5772156649, the decision
 * was 0.5 - score, and `predict` compared it with `threshold_`.
 */
function isolationForest(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const trees = estimator.children('estimators_').map((tree, i) => withOwnFeatures(estimator, readTree(tree), i));
  const forest = encodeForest(trees);
  const leaves = leafFinder(context, forest);
  const c = meanDepth(estimator);
  const depths = trees.map(nodeDepths);
  const table = leafTable(forest, 1, (row, tree, node, index) => {
    row[0] = depths[index]![node]! + c(tree.samples[node]!);
  });
  const scale = trees.length * c(estimator.number('_max_samples', 'max_samples_'));
  const scores = context.memo((x: PlanValue): Value => {
    const total = plan.squeeze(sumOfLeaves(context, forest, leaves(x), { table, width: 1 }), 1);
    // A forest grown on single samples has depth 0 everywhere; its score is defined as 1/2.
    const share = scale === 0 ? plan.add(plan.mul(total, 0), 1) : plan.div(total, scale);
    return plan.pow(plan.scalar(2, 'float64'), plan.neg(share));
  });
  const label = (outlier: Value) => plan.where(outlier, plan.scalar(-1, 'int64'), plan.scalar(1, 'int64'));
  if (!estimator.since('0.20')) {
    const decision = (x: PlanValue) => plan.sub(0.5, scores(x));
    const threshold = estimator.number('threshold_');
    return {
      methods: { decision_function: decision, predict: (x) => label(plan.lessOrEqual(decision(x), threshold)) },
    };
  }
  const samples = (x: PlanValue) => plan.neg(scores(x));
  const decision = (x: PlanValue) => plan.sub(samples(x), estimator.number('offset_'));
  const old = !estimator.since('0.22') && estimator.optionalText('behaviour') === 'old';
  const threshold = old ? estimator.number('_threshold_') : 0;
  return {
    methods: {
      predict: (x) => label(plan.less(decision(x), threshold)),
      decision_function: decision,
      score_samples: samples,
    },
  };
}

/** Each tree may have seen its own choice of columns. */
function withOwnFeatures(estimator: Estimator, tree: Tree, index: number): Tree {
  const features = asTensor(estimator.items('estimators_features_')?.[index] ?? null)?.data as Float64Array | undefined;
  if (!features || !estimator.since('0.20')) return tree;
  const own = { ...tree, feature: tree.feature.map((feature) => (feature >= 0 ? (features[feature] ?? -1) : feature)) };
  checkBranching(estimator, own);
  return own;
}

/** Number of branches above each node. A child follows its parent, so one pass is enough. */
function nodeDepths(tree: Tree): Float64Array {
  const depths = new Float64Array(tree.nodeCount);
  for (let node = 0; node < tree.nodeCount; node++) {
    if (tree.left[node] === -1) continue;
    depths[tree.left[node]!] = depths[node]! + 1;
    depths[tree.right[node]!] = depths[node]! + 1;
  }
  return depths;
}

const EULER = 0.5772156649015329;

function meanDepth(estimator: Estimator): (samples: number) => number {
  if (!estimator.since('0.20')) {
    return (n) => (n <= 1 ? 1 : 2 * (Math.log(n) + 0.5772156649) - (2 * (n - 1)) / n);
  }
  const current = estimator.since('0.21');
  return (n) => {
    if (n <= 1) return current ? 0 : 1;
    if (n === 2 && current) return 1;
    return 2 * (Math.log(n - 1) + EULER) - (2 * (n - 1)) / n;
  };
}

/**
 * Random trees embedding: a 1 for the leaf of every tree, one column a leaf, trees and leaves in order. Every leaf was reached
 * at fit, so the categories of the fitted encoder are all leaves.
 */
function embedding(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const forest = encodeForest(estimator.children('estimators_').map(readTree));
  const leaves = leafFinder(context, forest);
  const count = forest.leafNode.length;
  const encoded = estimator.optionalChild('one_hot_encoder_')?.items('categories_');
  const categories = encoded?.reduce<number>((sum, item) => sum + (asTensor(item)?.data.length ?? 0), 0);
  if (categories !== undefined && categories !== count)
    throw estimator.unsupported('its encoder does not know every leaf');
  const transform = (x: PlanValue): Value => {
    const found = leaves(x);
    const zeros = plan.perRow(found, float64(new Float64Array(count), [1, count]));
    const ones = plan.add(plan.mul(plan.cast(found, 'float64'), 0), 1);
    return plan.node('ScatterElements', [zeros, found, ones], 'float64', { attributes: { axis: 1 } });
  };
  return { methods: { transform, apply: (x) => leafNodes(context, forest, leaves(x)) } };
}

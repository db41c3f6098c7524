import type { Value } from '../../onnx/graph';
import { asSequence } from '../../pickle/values';
import type { PlanValue } from '../plan';
import { binaryProbabilities, labelOfLargest, labelOfSign, onlyClasses } from './classifiers';
import type { Context, Entry, Lowered } from './context';
import { asTensor, Estimator } from './estimator';
import { categoryEncoding, encodeCategories } from './hist-categories';
import { type Branching, checkBranching, encodeForest, leafFinder, leafTable, sumOfLeaves } from './trees';

/**
 * Histogram gradient boosting: raw = baseline + sum of the trees' values, in float64 and without rounding the rows. A missing
 * value goes where the node says; a category goes left if it is in the node's set, and counts as missing if it is negative or
 * was not seen at fit. Two classes: p = expit(raw); more: softmax. Regression: exp(raw) for the Poisson and gamma losses.
 * Source: sklearn `ensemble/_hist_gradient_boosting/gradient_boosting.py`, `_predictor.pyx`, `_bitset.pyx`, `binning.py`.
 */
export const HIST_BOOSTING: Readonly<Record<string, Entry>> = {
  'sklearn.HistGradientBoostingClassifier': entry(classifier),
  'sklearn.HistGradientBoostingRegressor': entry(regressor),
};

function entry(lower: Entry['lower']): Entry {
  return {
    lower,
    missing: (estimator) => estimator.since('0.22'),
    infinite: true,
    input: (estimator) => ((categoryEncoding(estimator)?.numeric ?? true) ? 'numeric' : 'mixed'),
    features: (estimator) => estimator.optionalNumber('_n_features'),
  };
}

interface HistTree extends Branching {
  readonly value: Float64Array;
}

/** `_predictors`: a list of iterations, each a list of one `TreePredictor` for each raw value. */
function readTrees(estimator: Estimator): { trees: HistTree[]; width: number } {
  const iterations = (estimator.items('_predictors') ?? []).map((iteration) => asSequence(iteration) ?? []);
  const width = iterations[0]?.length ?? estimator.number('n_trees_per_iteration_');
  const trees = iterations.flatMap((iteration) =>
    iteration.map((item) => readPredictor(estimator, Estimator.of(item))),
  );
  if (trees.length !== iterations.length * width)
    throw estimator.unsupported('its iterations have different numbers of trees');
  return { trees, width };
}

/** Node fields are found by name: `threshold` became `num_threshold`, and categories came, in 0.24. */
function readPredictor(estimator: Estimator, predictor: Estimator | undefined): HistTree {
  const nodes = predictor?.optionalArray('nodes');
  if (!predictor || !nodes) throw estimator.unsupported('one of its trees has no nodes');
  const field = (...names: string[]) => {
    const found = names.map((name) => nodes.field(name)).find((array) => array !== undefined);
    if (!found) throw estimator.unsupported(`its trees have no field ${names.join(' or ')}`);
    return found.toFloat64();
  };
  const optional = (name: string) => nodes.field(name)?.toFloat64();
  const isLeaf = field('is_leaf');
  const left = field('left').map((child, node) => (isLeaf[node] ? -1 : child));
  const right = field('right').map((child, node) => (isLeaf[node] ? -1 : child));
  const missingLeft = optional('missing_go_to_left');
  const members = membersOf(predictor, optional('is_categorical'), optional('bitset_idx'), isLeaf);
  const tree: HistTree = {
    nodeCount: nodes.size,
    left,
    right,
    feature: field('feature_idx'),
    threshold: field('num_threshold', 'threshold'),
    value: field('value'),
    ...(missingLeft ? { missingLeft } : {}),
    ...(members.size > 0 ? { members } : {}),
  };
  checkBranching(estimator, tree);
  return tree;
}

/** Categories that go left at each categorical node: a set of 256 bits, as eight 32-bit words. */
function membersOf(
  predictor: Estimator,
  isCategorical: Float64Array | undefined,
  index: Float64Array | undefined,
  isLeaf: Float64Array,
): Map<number, number[]> {
  const members = new Map<number, number[]>();
  const bitsets = predictor.optionalArray('raw_left_cat_bitsets')?.toFloat64();
  if (!isCategorical || !index || !bitsets) return members;
  isCategorical.forEach((flag, node) => {
    if (flag && !isLeaf[node]) members.set(node, bitsOf(bitsets.subarray(index[node]! * 8, index[node]! * 8 + 8)));
  });
  return members;
}

function bitsOf(words: Float64Array): number[] {
  const bits: number[] = [];
  for (let bit = 0; bit < 256; bit++) if (((words[bit >> 5] ?? 0) >>> (bit & 31)) & 1) bits.push(bit);
  return bits;
}

/** Columns that are categories, with those that were seen at fit (`bin_thresholds_` of the bin mapper). */
function knownCategories(estimator: Estimator): Map<number, ReadonlySet<number>> {
  const known = new Map<number, ReadonlySet<number>>();
  const mapper = estimator.optionalChild('_bin_mapper', 'bin_mapper_');
  const flags = mapper?.optionalTensor('is_categorical_');
  const thresholds = mapper?.items('bin_thresholds_');
  if (!mapper || !flags || !thresholds) return known;
  (flags.data as Float64Array).forEach((flag, column) => {
    if (!flag) return;
    const values = asTensor(thresholds[column] ?? null)?.data as Float64Array | undefined;
    known.set(column, new Set(values));
  });
  return known;
}

/**
 * The matrix as the trees take it: since 1.4 the preprocessor encodes categories and puts them first; a category that was not
 * seen, or is negative, becomes missing, others are cut to a whole number below 256 as the set test does.
 */
function treeRows(estimator: Estimator, context: Context): (x: PlanValue) => Value {
  const { plan } = context;
  const encoding = categoryEncoding(estimator);
  const known = knownCategories(estimator);
  return (x) => {
    const rows = encoding ? encodeCategories(context, encoding, x) : context.numeric(x);
    if (known.size === 0) return rows;
    const count = Math.max(...known.keys()) + 1;
    const parts: Value[] = [];
    for (let column = 0; column < count; column++) {
      const values = plan.slice(rows, 1, column, column + 1);
      const categories = known.get(column);
      parts.push(categories ? seenCategories(context, values, categories) : values);
    }
    return plan.concat([...parts, plan.slice(rows, 1, count)], 1);
  };
}

function seenCategories(context: Context, values: Value, categories: ReadonlySet<number>): Value {
  const { plan } = context;
  const taken = plan.greaterOrEqual(values, 0);
  const finite = plan.less(values, 2 ** 53);
  const whole = plan.floor(plan.where(plan.and(taken, finite), values, 0));
  const code = plan.sub(whole, plan.mul(plan.floor(plan.div(whole, 256)), 256));
  const table = Float64Array.from({ length: 256 }, (_, i) => (categories.has(i) ? 1 : 0));
  const seen = plan.greater(plan.gather(plan.doubles(table), plan.cast(code, 'int64'), 0), 0);
  return plan.where(plan.and(plan.and(taken, finite), seen), code, Number.NaN);
}

/** rows × K raw predictions. */
function rawPredictions(estimator: Estimator, context: Context) {
  const { plan } = context;
  const { trees, width } = readTrees(estimator);
  const start = estimator.vector('_baseline_prediction');
  if (start.length !== width) throw estimator.unsupported(`it has ${start.length} baselines for ${width} columns`);
  if (trees.length === 0)
    return {
      width,
      raw: (x: PlanValue) =>
        plan.perRow(context.numeric(x), {
          dtype: 'float64',
          shape: [1, width],
          data: start,
        }),
    };
  const forest = encodeForest(trees);
  const leaves = leafFinder(context, forest, treeRows(estimator, context));
  const table = leafTable(forest, 1, (row, tree, node) => {
    row[0] = tree.value[node]!;
  });
  const raw = context.memo(
    (x: PlanValue): Value =>
      sumOfLeaves(context, forest, leaves(x), {
        table,
        width: 1,
        columns: { count: width, of: (tree) => tree % width },
        start,
      }),
  );
  return { width, raw };
}

function classifier(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const classes = onlyClasses(estimator);
  const { width, raw } = rawPredictions(estimator, context);
  const score = (x: PlanValue) => (width === 1 ? plan.squeeze(raw(x), 1) : raw(x));
  const probabilities = (x: PlanValue) =>
    width === 1 ? binaryProbabilities(context, plan.expit(score(x))) : plan.softmax(raw(x));
  // Both rules give the first class where the probabilities are equal; the older one compares them after rounding.
  const onRaw = estimator.since('1.4');
  const predict = (x: PlanValue): Value => {
    if (!onRaw) return labelOfLargest(context, classes, probabilities(x));
    return width === 1
      ? labelOfSign(context, classes, plan.greater(score(x), 0))
      : labelOfLargest(context, classes, raw(x));
  };
  return { classes, methods: { predict, predict_proba: probabilities, decision_function: score } };
}

function regressor(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const { raw } = rawPredictions(estimator, context);
  const loss = estimator.optionalText('loss') ?? estimator.classNameOf('_loss', 'loss_') ?? '';
  const log = /poisson|gamma/i.test(loss);
  if (!log && !/squared|squares|absolute|quantile|pinball/i.test(loss))
    throw estimator.unsupported(`its loss ${loss} is not known`);
  return { methods: { predict: (x) => (log ? plan.exp(plan.squeeze(raw(x), 1)) : plan.squeeze(raw(x), 1)) } };
}

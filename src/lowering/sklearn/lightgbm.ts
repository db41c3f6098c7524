import { lightgbmNames } from '../../formats/lightgbm/facts';
import type { LightGbmModel } from '../../formats/lightgbm/model';
import type { Value } from '../../onnx/graph';
import type { Tensor } from '../../onnx/tensor';
import type { PlanValue } from '../plan';
import { areNumbers, categoryCodes } from './category-codes';
import { binaryProbabilities, labelOfLargest } from './classifiers';
import type { Context, Entry, Lowered } from './context';
import type { Estimator } from './estimator';
import { labelTensor, rangeLabels } from './labels';
import { modelOf, pandasCategories, usedTrees } from './lightgbm-booster';
import { columnRules, linearSum, prepared, readTree } from './lightgbm-trees';
import { encodeForest, leafFinder, leafTable, sumOfLeaves } from './trees';

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
    input: (estimator) => (areNumbers(pandasCategories(estimator)) ? 'numeric' : 'mixed'),
    missing: true,
    infinite: true,
    features: (estimator) => modelOf(estimator).features,
    names: (estimator) => lightgbmNames(modelOf(estimator)),
  };
}

interface Raw {
  readonly model: LightGbmModel;
  /** rows × outputs, of random forests the mean. */
  readonly raw: (x: PlanValue) => Value;
  /** rows × outputs, of random forests the sum: what `decision_function` gives. */
  readonly sum: (x: PlanValue) => Value;
}

function rawScores(estimator: Estimator, context: Context): Raw {
  const { plan } = context;
  const model = modelOf(estimator);
  const outputs = model.treesPerIteration;
  const used = usedTrees(estimator, model);
  const rows = rowsOf(estimator, context, model);
  const zero = new Float64Array(outputs);
  const none = (x: PlanValue) => plan.perRow(rows(x), { dtype: 'float64', shape: [1, outputs], data: zero });
  if (used.length === 0) return { model, raw: none, sum: none };
  const rules = columnRules(estimator, used);
  const forest = encodeForest(used.map((tree) => readTree(estimator, model, tree)));
  const leaves = leafFinder(context, forest, (x) => prepared(context, model, rules, rows(x)));
  const linear = used.some((tree) => tree.linear);
  const table = leafTable(forest, 1, (row, tree, node) => {
    row[0] = tree.value[node]!;
  });
  const columns = { count: outputs, of: (tree: number) => tree % outputs };
  const iterations = Math.max(1, Math.floor(used.length / outputs));
  const sum = context.memo(
    (x: PlanValue): Value =>
      linear
        ? linearSum(estimator, context, forest, outputs, leaves(x), rows(x))
        : sumOfLeaves(context, forest, leaves(x), { table, width: 1, columns }),
  );
  return { model, raw: model.averages ? (x) => plan.div(sum(x), iterations) : sum, sum };
}

/** The rows as numbers, categories of a data frame as codes; one that was not known at fit is missing. */
function rowsOf(estimator: Estimator, context: Context, model: LightGbmModel): (x: PlanValue) => Value {
  const lists = pandasCategories(estimator);
  const nameOf = (column: number) => model.featureNames[column] ?? `column ${column + 1}`;
  if (lists.size > 0) {
    const names = [...lists.keys()].slice(0, 12).map(nameOf).join(', ');
    context.notes.add(
      `${names}${lists.size > 12 ? ', …' : ''}: a category that the model does not know counts as missing.`,
    );
  }
  return context.memo((x: PlanValue) => categoryCodes(context, lists, { unknown: 'missing', nameOf }, x));
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
    case 'regression_l1':
    case 'huber':
    case 'fair':
    case 'quantile':
    case 'mape':
      return options.includes('sqrt') ? (x) => plan.mul(plan.sign(raw(x)), plan.square(raw(x))) : raw;
    case 'lambdarank':
    case 'rank_xendcg':
    // A function of the user's own: what it makes of raw scores is not known to LightGBM either.
    case '':
    case 'custom':
    case 'none':
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

/**
 * The label of the largest probability, the first of equal ones. With an objective that is a function both methods give raw scores;
 * before 3.0 these were taken for probabilities.
 */
function classifier(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const made = rawScores(estimator, context);
  const { model } = made;
  const result = converted(estimator, context, made);
  const classes = classesOf(estimator, model);
  const single = model.treesPerIteration === 1;
  // 4.7 and later say whether they know names of columns.
  const recent = estimator.raw('_fitted_with_feature_names') !== undefined;
  const flat = (value: Value) => (single ? plan.squeeze(value, 1) : value);
  const scores = (x: PlanValue) => flat(made.raw(x));
  const decision = recent ? { decision_function: (x: PlanValue) => flat(made.sum(x)) } : {};
  if (/^(custom|none)?$/.test(model.objective) && estimator.has('_n_features_in'))
    return { methods: { predict: scores, predict_proba: scores, ...decision } };
  if (!single && classes.shape[0]! <= 2 && !recent)
    throw estimator.unsupported(
      `its objective "${model.objective}" has an output for each of two classes, which LightGBM before 4.5 mixes up`,
    );
  const probabilities = (x: PlanValue) =>
    single ? binaryProbabilities(context, plan.squeeze(result(x), 1)) : result(x);
  return {
    classes,
    methods: {
      predict: (x) => labelOfLargest(context, classes, probabilities(x)),
      predict_proba: probabilities,
      ...decision,
    },
  };
}

function classesOf(estimator: Estimator, model: LightGbmModel): Tensor {
  const array = estimator.optionalArray('_classes') ?? estimator.optionalChild('_le')?.optionalArray('classes_');
  return array ? labelTensor(array) : rangeLabels(Math.max(2, model.classes));
}

import { asSequence, Instance, type Value } from '../../pickle/values';
import { asArray, toNumber } from '../numpy/pickled';
import { boosterFacts } from './booster-answers';
import { columnTransformerNames } from './column-names';
import { attribute, attributesOf, kindOf } from './estimator';
import { delegate, steps } from './methods';

/** `feature_names_in_`, or what older versions and other libraries call it. */
export function featureNames(estimator: Instance): string[] | undefined {
  for (const name of ['feature_names_in_', '_feature_names_in', '_df_columns', 'feature_name_', '_feature_name']) {
    const value = attribute(estimator, name);
    const items = asArray(value)?.objects ?? asSequence(value) ?? textItems(value);
    if (items && items.length > 0 && items.every((item) => typeof item === 'string') && !madeUp(items as string[]))
      return items as string[];
  }
  if (kindOf(estimator) === 'ColumnTransformer') return columnTransformerNames(estimator);
  const own = boosterFacts(estimator)?.featureNames;
  return own && [...own];
}

/** LightGBM makes up names for the columns of matrices. */
function madeUp(names: readonly string[]): boolean {
  return names.every((name, i) => name === `Column_${i}`);
}

function textItems(value: Value | undefined): Value[] | undefined {
  const array = asArray(value);
  if (!array || (array.dtype.kind !== 'U' && array.dtype.kind !== 'S')) return undefined;
  try {
    return array.toList();
  } catch {
    return undefined;
  }
}

type Width = (estimator: Instance) => number | undefined;

/** A dimension of an array in one of the attributes, counted from the end where it is negative. */
function dimension(place: number, ...names: string[]): Width {
  return (estimator) => {
    for (const name of names) {
      const shape = asArray(attribute(estimator, name))?.shape;
      if (shape && shape.length > 0) return shape.at(place);
    }
    return undefined;
  };
}

/** The length of a list or of an array. */
function size(...names: string[]): Width {
  return (estimator) => {
    for (const name of names) {
      const value = attribute(estimator, name);
      const length = asArray(value)?.size ?? asSequence(value)?.length;
      if (length !== undefined) return length;
    }
    return undefined;
  };
}

/** Of an estimator in one of the attributes. */
function within(...names: string[]): Width {
  return (estimator) => {
    for (const name of names) {
      const inner = attribute(estimator, name);
      if (inner instanceof Instance) return featureCount(inner);
    }
    return undefined;
  };
}

const scored = size('scores_', 'pvalues_');
const chosen = size('support_');
const partialLeastSquares = dimension(0, 'x_weights_', 'x_rotations_');

/** Where classes keep their number of columns that did not write `n_features_in_` (before 0.24), or give other things such names. */
const WIDTHS: Readonly<Record<string, Width>> = {
  Birch: dimension(-1, 'subcluster_centers_'),
  CCA: partialLeastSquares,
  EllipticEnvelope: size('location_'),
  FeatureAgglomeration: size('labels_'),
  // Of 0.18 and before.
  GaussianProcess: dimension(-1, 'X'),
  GaussianProcessClassifier: within('base_estimator_'),
  GenericUnivariateSelect: scored,
  Isomap: within('nbrs_'),
  IterativeImputer: within('initial_imputer_'),
  KBinsDiscretizer: size('bin_edges_'),
  KernelCenterer: size('K_fit_rows_'),
  // A tree's state begins with its points.
  KernelDensity: (estimator) => {
    const tree = attribute(estimator, 'tree_');
    return tree instanceof Instance ? asArray(asSequence(tree.state)?.[0])?.shape[1] : undefined;
  },
  KernelPCA: dimension(-1, 'X_fit_'),
  KernelRidge: dimension(-1, 'X_fit_'),
  LabelPropagation: dimension(-1, 'X_'),
  LabelSpreading: dimension(-1, 'X_'),
  LocallyLinearEmbedding: within('nbrs_'),
  PLSCanonical: partialLeastSquares,
  PLSRegression: partialLeastSquares,
  PLSSVD: partialLeastSquares,
  PowerTransformer: size('lambdas_'),
  QuantileTransformer: dimension(-1, 'quantiles_'),
  RandomizedLasso: scored,
  RandomizedLogisticRegression: scored,
  RBFSampler: dimension(0, 'random_weights_'),
  // Eliminations call the number of chosen columns `n_features_`.
  RFE: chosen,
  RFECV: chosen,
  SelectFdr: scored,
  SelectFpr: scored,
  SelectFwe: scored,
  SelectKBest: scored,
  SelectPercentile: scored,
  SequentialFeatureSelector: chosen,
  SkewedChi2Sampler: dimension(0, 'random_weights_'),
  SparseCoder: dimension(-1, 'components_', 'dictionary'),
  TfidfTransformer: (estimator) => toNumber(asSequence(attribute(attribute(estimator, '_idf_diag'), '_shape'))?.[0]),
  VarianceThreshold: size('variances_'),
};

/** Number of input columns, from whatever fitting left that tells. */
export function featureCount(estimator: Instance): number | undefined {
  const direct = toNumber(attribute(estimator, 'n_features_in_')) ?? boosterFacts(estimator)?.features;
  if (direct !== undefined && direct > 0) return direct;
  const own = WIDTHS[kindOf(estimator)]?.(estimator);
  if (own !== undefined) return own;
  for (const name of [
    'n_features_',
    '_n_features',
    '_n_features_in_',
    'n_features',
    'n_input_features_',
    '_n_input_features',
    '_n_features_',
  ]) {
    const number = toNumber(attribute(estimator, name));
    if (number !== undefined && number > 0) return number;
  }
  const attributes = attributesOf(estimator);
  if (!attributes) return undefined;
  for (const name of [
    'coef_',
    'scale_',
    'mean_',
    'var_',
    'theta_',
    'means_',
    'cluster_centers_',
    'feature_log_prob_',
    '_fit_X',
    'support_vectors_',
    'min_',
    'statistics_',
    'centroids_',
    'components_',
    'X_train_',
    'idf_',
  ]) {
    const array = asArray(attributes.get(name));
    if (!array || array.shape.length === 0) continue;
    return array.shape[array.shape.length - 1];
  }
  const weights = asArray(asSequence(attributes.get('coefs_'))?.[0]);
  if (weights) return weights.shape[0];
  const tree = attributes.get('tree_');
  if (tree instanceof Instance) return toNumber(asSequence(tree.args)?.[0]);
  const categories = asSequence(attributes.get('categories_'));
  // Before 0.22 encoders of numbers may keep the categories of some of the columns only.
  if (categories && attributes.get('_legacy_mode') !== true) return categories.length;
  const trees = asArray(attributes.get('estimators_'))?.objects ?? asSequence(attributes.get('estimators_'));
  const [firstTree] = trees ?? [];
  if (firstTree instanceof Instance && !attributes.has('estimators_features_')) return featureCount(firstTree);
  const inner = steps(estimator)?.[0] ?? delegate(estimator);
  return inner && inner !== estimator ? featureCount(inner) : undefined;
}

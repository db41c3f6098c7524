import { asSequence, asText, Global, Instance, isDict, type PyDict, type Value } from '../../pickle/values';
import { asDType } from '../numpy/dtype';
import { asArray, toNumber } from '../numpy/pickled';
import { holdsText } from './booster-answers';
import { compareVersions } from './catalogue';
import { classesOf } from './classes';
import { featureCount } from './columns';
import { attribute, attributesOf, kindOf } from './estimator';
import { isPassage, takesCells } from './inputs';
import { resultStep, steps } from './methods';
import { selectedColumns } from './selectors';

/** What `transform` gives. */
export interface TransformOutput {
  dtype: string;
  shape: (number | null)[];
  meaning?: string;
}

/** Transformers inside transformers that are followed. */
const DEEPEST = 16;

const ONE_COLUMN = new Set(['LabelEncoder', 'IsotonicRegression']);

/** Type and columns of what `transform` gives, where the fitted state tells. */
export function transformOutput(estimator: Instance, version: string | undefined, depth = 0): TransformOutput {
  const kind = kindOf(estimator);
  const dtype = transformType(estimator, kind, version, depth);
  if (ONE_COLUMN.has(kind)) return { dtype, shape: [null] };
  if (
    kind === 'VotingClassifier' &&
    attribute(estimator, 'voting') === 'soft' &&
    attribute(estimator, 'flatten_transform') !== true
  ) {
    const members = asSequence(attribute(estimator, 'estimators_'))?.length ?? null;
    const shape = [members, null, classesOf(estimator)?.[0]?.values.length ?? null];
    return { dtype, shape, meaning: 'probabilities of each estimator' };
  }
  return { dtype, shape: [null, width(estimator, kind, version, depth) ?? null] };
}

// ------------------------------------------------------------------ type

const COUNTS = new Set(['LabelEncoder', 'LabelBinarizer', 'MultiLabelBinarizer']);
/** NumPy's functions that tell of each number whether something holds. */
const TESTS = new Set(['isfinite', 'isnan', 'isinf', 'signbit', 'logical_not']);

function transformType(estimator: Instance, kind: string, version: string | undefined, depth: number): string {
  if (COUNTS.has(kind)) return 'int64';
  switch (kind) {
    case 'CountVectorizer':
    case 'TfidfVectorizer':
    case 'HashingVectorizer':
    case 'OneHotEncoder':
    case 'OrdinalEncoder':
      return wordType(estimator, kind);
    case 'MissingIndicator':
      return 'bool';
    case 'SimpleImputer':
      return holdsText(attribute(estimator, 'statistics_')) ? 'string' : 'float64';
    case 'VotingClassifier':
      return attribute(estimator, 'voting') === 'soft' ? 'float64' : 'int64';
    case 'StackingClassifier':
      return stackedType(estimator);
    case 'FunctionTransformer':
      return testsNumbers(attribute(estimator, 'func')) ? 'bool' : 'float64';
    case 'ColumnTransformer':
    case 'FeatureUnion':
    case 'Pipeline':
      if (passesCells(estimator)) return 'object';
      return depth < DEEPEST && someText(estimator, version, depth) ? 'string' : 'float64';
  }
  return 'float64';
}

function wordType(estimator: Instance, kind: string): string {
  const asked = typeAsked(attribute(estimator, 'dtype'));
  // Weights are floats, whatever the counts are.
  if (kind === 'TfidfVectorizer' && !asked?.startsWith('float')) return 'float64';
  return asked ?? (kind === 'CountVectorizer' ? 'int64' : 'float64');
}

/** `dtype=np.float32`, `"float32"`, a NumPy dtype. */
function typeAsked(value: Value | undefined): string | undefined {
  if (value instanceof Global) return { float: 'float64', int: 'int64', bool: 'bool' }[value.name] ?? value.name;
  return asDType(value as Value)?.type ?? asText(value);
}

function stackedType(estimator: Instance): string {
  const methods = asSequence(attribute(estimator, 'stack_method_')) ?? [];
  const passes = attribute(estimator, 'passthrough') === true;
  return methods.length > 0 && !passes && methods.every((method) => asText(method) === 'predict') ? 'int64' : 'float64';
}

function testsNumbers(value: Value | undefined): boolean {
  const name =
    value instanceof Global ? value.name : value instanceof Instance ? asText(asSequence(value.args)?.at(-1)) : '';
  return TESTS.has(name ?? '');
}

/** Whether columns pass through as they are, beside others that hold text. */
function passesCells(estimator: Instance): boolean {
  const passes = partsOf(estimator).some(({ part, columns }) => isPassage(part) && columns !== 0);
  return passes && kindOf(estimator) === 'ColumnTransformer' && takesCells(estimator);
}

/** Whether a transformer inside passes text on. */
function someText(estimator: Instance, version: string | undefined, depth: number): boolean {
  return partsOf(estimator).some(
    ({ part }) =>
      part instanceof Instance && transformOutput(resultStep(part, 'transform'), version, depth + 1).dtype === 'string',
  );
}

// ------------------------------------------------------------------ width

function width(estimator: Instance, kind: string, version: string | undefined, depth: number): number | undefined {
  const attributes = attributesOf(estimator);
  if (!attributes || depth >= DEEPEST) return undefined;
  const vocabulary = attributes.get('vocabulary_');
  if (isDict(vocabulary)) return vocabulary.size;
  const own = OWN_WIDTHS[kind]?.(estimator, attributes, version, depth);
  if (own !== undefined) return own;
  const selected = selectedColumns(estimator);
  if (selected !== undefined) return selected;
  const components = asArray(attributes.get('components_'));
  if (components?.shape.length === 2) {
    // Positive and negative parts of a code side by side.
    return components.shape[0]! * (attributes.get('split_sign') === true ? 2 : 1);
  }
  const direct = toNumber(
    attributes.get('n_output_features_') ??
      attributes.get('_n_output_features') ??
      attributes.get('n_features_out_') ??
      attributes.get('_n_features_out'),
  );
  if (direct !== undefined) return direct;
  if (KEEPS_COLUMNS.test(kind)) return featureCount(estimator);
  if (kind in OWN_WIDTHS) return undefined;
  const centers = asArray(attributes.get('cluster_centers_') ?? attributes.get('subcluster_centers_'));
  if (centers) return centers.shape[0];
  const rotations = asArray(attributes.get('x_rotations_'));
  if (rotations?.shape.length === 2) return rotations.shape[1];
  return toNumber(attributes.get('n_components')) ?? toNumber(attributes.get('n_features'));
}

/** Transformers that give as many columns as they take. */
const KEEPS_COLUMNS =
  /Scaler$|^TfidfTransformer$|^OrdinalEncoder$|^Normalizer$|^Binarizer$|^(Quantile|Power)Transformer$/;

type Width = (
  estimator: Instance,
  attributes: PyDict,
  version: string | undefined,
  depth: number,
) => number | undefined;

const OWN_WIDTHS: Readonly<Record<string, Width>> = {
  AdditiveChi2Sampler: (estimator, attributes) => {
    const features = featureCount(estimator);
    const steps = toNumber(attributes.get('sample_steps'));
    return features === undefined || steps === undefined ? undefined : features * (2 * steps - 1);
  },
  ColumnTransformer: (estimator, attributes, version, depth) =>
    lastIndex(attributes.get('output_indices_')) ?? sumOfParts(estimator, attributes, version, depth),
  FeatureAgglomeration: (_, attributes) => toNumber(attributes.get('n_clusters_') ?? attributes.get('n_clusters')),
  FeatureUnion: sumOfParts,
  FunctionTransformer: (estimator, attributes) => {
    const elementwise = (attributes.get('func') ?? null) === null || testsNumbers(attributes.get('func'));
    return elementwise ? featureCount(estimator) : undefined;
  },
  Imputer: (_, attributes) => (toNumber(attributes.get('axis')) === 0 ? keptColumns(attributes) : undefined),
  IterativeImputer: (_, attributes) =>
    imputed(attributes, keptColumns(attributesOf(attributes.get('initial_imputer_')))),
  KBinsDiscretizer: (estimator, attributes) => {
    const bins = asArray(attributes.get('n_bins_'))?.toFloat64();
    return attributes.get('encode') === 'ordinal'
      ? featureCount(estimator)
      : bins?.reduce((sum, count) => sum + count, 0);
  },
  KNNImputer: (_, attributes) => {
    const valid = asArray(attributes.get('_valid_mask'));
    const all = attributes.get('keep_empty_features') === true ? valid?.size : countTrue(valid);
    return imputed(attributes, all);
  },
  KNeighborsTransformer: (_, attributes) => asArray(attributes.get('_fit_X'))?.shape[0],
  KernelCenterer: (_, attributes) => asArray(attributes.get('K_fit_rows_'))?.size,
  LabelBinarizer: (_, attributes) => {
    const count = asArray(attributes.get('classes_'))?.size;
    const several = asText(attributes.get('y_type_'))?.startsWith('multilabel') === true;
    return count !== undefined && count <= 2 && !several ? 1 : count;
  },
  LDA: (_, attributes) => toNumber(attributes.get('_max_components')),
  LinearDiscriminantAnalysis: (_, attributes) => toNumber(attributes.get('_max_components')),
  MissingIndicator: (_, attributes) => asArray(attributes.get('features_'))?.size,
  MultiLabelBinarizer: (_, attributes) => asArray(attributes.get('classes_'))?.size,
  OneHotEncoder: (_, attributes, version) => oneHotWidth(attributes, version),
  // Steps that are "passthrough" leave what the one before them gave.
  Pipeline: (estimator, _, version, depth) => {
    const last = steps(estimator)?.at(-1);
    if (last) return transformOutput(resultStep(last, 'transform'), version, depth + 1).shape.at(-1) ?? undefined;
    return featureCount(estimator);
  },
  RadiusNeighborsTransformer: (_, attributes) => asArray(attributes.get('_fit_X'))?.shape[0],
  RandomTreesEmbedding: (_, attributes, version, depth) => {
    const encoder = attributes.get('one_hot_encoder_');
    if (!(encoder instanceof Instance)) return undefined;
    return transformOutput(encoder, version, depth + 1).shape.at(-1) ?? undefined;
  },
  SimpleImputer: (_, attributes) => imputed(attributes, keptColumns(attributes)),
  SparseCoder: (_, attributes) => {
    const atoms = asArray(attributes.get('dictionary') ?? attributes.get('components_'))?.shape[0];
    return atoms === undefined ? undefined : atoms * (attributes.get('split_sign') === true ? 2 : 1);
  },
  StackingClassifier: stackedWidth,
  StackingRegressor: stackedWidth,
  TargetEncoder: (estimator, attributes) => {
    const features = featureCount(estimator);
    const classes = asArray(attributes.get('classes_'))?.size ?? 1;
    if (features === undefined) return undefined;
    return attributes.get('target_type_') === 'multiclass' ? features * classes : features;
  },
  VotingClassifier: (estimator, attributes) => {
    const members = asSequence(attributes.get('estimators_'))?.length;
    const columns = attributes.get('voting') === 'soft' ? classesOf(estimator)?.[0]?.values.length : 1;
    return members === undefined || columns === undefined ? undefined : members * columns;
  },
  VotingRegressor: (_, attributes) => asSequence(attributes.get('estimators_'))?.length,
};

/** Columns that had a value at fit, or all of them. */
function keptColumns(attributes: PyDict | undefined): number | undefined {
  const statistics = asArray(attributes?.get('statistics_'));
  if (!statistics) return undefined;
  if (attributes?.get('keep_empty_features') === true) return statistics.size;
  if (statistics.objects) return statistics.objects.filter((item) => item !== null && !isNaNumber(item)).length;
  return statistics.dtype.kind === 'f'
    ? statistics.toFloat64().reduce((sum, value) => sum + (Number.isNaN(value) ? 0 : 1), 0)
    : statistics.size;
}

function isNaNumber(value: Value): boolean {
  return Number.isNaN(toNumber(value) ?? 0);
}

/** With the columns of an indicator of missing values after the others. */
function imputed(attributes: PyDict, columns: number | undefined): number | undefined {
  const indicator = attributesOf(attributes.get('indicator_'));
  const more = indicator ? asArray(indicator.get('features_'))?.size : 0;
  return columns === undefined || more === undefined ? undefined : columns + more;
}

function countTrue(array: ReturnType<typeof asArray>): number | undefined {
  return array?.toFloat64().reduce((sum, bit) => sum + bit, 0);
}

interface Placed {
  readonly part: Value;
  /** Columns that it gets, where they are listed. */
  readonly columns: number | undefined;
}

/** The transformers inside, `drop` left out. */
function partsOf(estimator: Instance): Placed[] {
  const entries =
    asSequence(attribute(estimator, 'transformers_')) ??
    asSequence(attribute(estimator, 'transformer_list')) ??
    (asSequence(attribute(estimator, 'steps')) ?? []).slice(-1);
  return entries.flatMap((entry) => {
    const [, part, columns] = asSequence(entry) ?? [];
    if (part === undefined || part === 'drop' || (part === null && kindOf(estimator) === 'FeatureUnion')) return [];
    return [{ part, columns: (asSequence(columns) ?? asArray(columns)?.toList())?.length }];
  });
}

function sumOfParts(estimator: Instance, _attributes: unknown, version?: string, depth = 0): number | undefined {
  let sum = 0;
  for (const { part, columns } of partsOf(estimator)) {
    const own =
      part instanceof Instance
        ? transformOutput(resultStep(part, 'transform'), version, depth + 1).shape.at(-1)
        : (columns ?? featureCount(estimator));
    if (own === undefined || own === null) return undefined;
    sum += own;
  }
  return sum;
}

/** `output_indices_`: where in the output the columns of each transformer stand, as slices (1.0 and later). */
function lastIndex(value: Value | undefined): number | undefined {
  if (!isDict(value) || value.size === 0) return undefined;
  const ends = [...value.values()].map((range) =>
    range instanceof Instance ? toNumber(asSequence(range.args)?.[1]) : undefined,
  );
  return ends.every((end) => end !== undefined) ? Math.max(...(ends as number[])) : undefined;
}

/** Columns that the estimators of a stack pass on: one each, or one for each class unless there are two; the input too if asked for. */
function stackedWidth(estimator: Instance): number | undefined {
  const methods = asSequence(attribute(estimator, 'stack_method_'));
  const classes = classesOf(estimator)?.[0]?.values.length ?? 2;
  const columns = (method: Value | undefined): number => (asText(method) === 'predict' || classes <= 2 ? 1 : classes);
  const own = methods
    ? methods.reduce((sum: number, method) => sum + columns(method), 0)
    : asSequence(attribute(estimator, 'estimators_'))?.length;
  if (own === undefined || attribute(estimator, 'passthrough') !== true) return own;
  const input = featureCount(estimator);
  return input === undefined ? undefined : own + input;
}

/** Columns of each feature where the encoder keeps them (1.1 and later), else its categories without the dropped one. */
function oneHotWidth(attributes: PyDict, version: string | undefined): number | undefined {
  const kept = asSequence(attributes.get('_n_features_outs'))?.map(toNumber);
  if (kept?.every((count) => count !== undefined)) return (kept as number[]).reduce((sum, count) => sum + count, 0);
  const categories = asSequence(attributes.get('categories_'));
  if (!categories || attributes.get('_legacy_mode') === true) return undefined;
  if (attributes.get('_infrequent_enabled') === true || (version !== undefined && compareVersions(version, '0.18') < 0))
    return undefined;
  const dropped = attributes.get('drop_idx_');
  const drops = asArray(dropped)?.objects ?? (asArray(dropped)?.data ? asArray(dropped)?.toList() : undefined);
  return categories.reduce(
    (sum: number, list, i) => sum + (asArray(list)?.size ?? 0) - (drops && drops[i] !== null ? 1 : 0),
    0,
  );
}

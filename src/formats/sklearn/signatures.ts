import type { Signature, TensorSpec } from '../../model/model';
import { asNumber, asSequence, asText, Instance, isDict, type Value } from '../../pickle/values';
import { asArray, plain, toNumber } from '../numpy/pickled';
import { compareVersions } from './catalogue';
import { attribute, attributesOf, kindOf, knownClass } from './estimator';
import { lastStep, methodsOf, steps } from './methods';

/** Labels beyond which an output's columns are not named. */
const MAX_LABELS = 10_000;

/** One signature for each method that the estimator answers, with input `X`. */
export function signaturesOf(estimator: Instance, version: string | undefined): Signature[] {
  const input = inputOf(estimator);
  return methodsOf(estimator, version).map((method) => ({
    name: method,
    inputs: [method === 'inverse_transform' ? reversed(estimator) : input],
    outputs: outputsOf(estimator, method, version),
  }));
}

function reversed(estimator: Instance): TensorSpec {
  const [output] = outputsOf(estimator, 'transform', undefined);
  return { ...output, name: 'X' };
}

// ------------------------------------------------------------------ input

/** What the estimator takes: rows of numbers, of mixed cells, texts, or dictionaries. */
export function inputOf(estimator: Instance): TensorSpec {
  const first = firstStep(estimator);
  const kind = kindOf(first);
  const names = featureNames(estimator) ?? featureNames(first);
  const count = featureCount(estimator) ?? featureCount(first) ?? names?.length ?? null;
  const base = { name: 'X', ...(names ? { features: names } : {}) };
  if (kind === 'CountVectorizer' || kind === 'TfidfVectorizer' || kind === 'HashingVectorizer') {
    return { name: 'X', dtype: 'string', shape: [null], meaning: 'one text for each row' };
  }
  if (kind === 'DictVectorizer')
    return {
      name: 'X',
      dtype: 'object',
      shape: [null],
      meaning: 'one dictionary from feature name to value for each row',
    };
  if (kind === 'FeatureHasher')
    return { name: 'X', dtype: 'object', shape: [null], meaning: 'one dictionary, or list of pairs, for each row' };
  if (kind === 'LabelEncoder' || kind === 'LabelBinarizer')
    return { name: 'X', dtype: labelDtype(attribute(first, 'classes_')), shape: [null], meaning: 'labels' };
  if (kind === 'MultiLabelBinarizer')
    return { name: 'X', dtype: 'object', shape: [null], meaning: 'one list of labels for each row' };
  if (kind === 'IsotonicRegression') return { ...base, dtype: 'float64', shape: [null] };
  return { ...base, dtype: takesText(first) ? 'object' : 'float64', shape: [null, count] };
}

/** The estimator that sees the input first. */
function firstStep(estimator: Instance): Instance {
  let current = estimator;
  for (let i = 0; i < 50; i++) {
    const next = steps(current)?.[0] ?? delegate(current);
    if (!next) return current;
    current = next;
  }
  return current;
}

/** The estimator that a wrapper hands its input to unchanged. */
function delegate(estimator: Instance): Instance | undefined {
  for (const name of ['best_estimator_', 'regressor_', 'estimator_', 'transformer_list']) {
    const value = attribute(estimator, name);
    if (value instanceof Instance && attributesOf(value)) return value;
    const [firstEntry] = asSequence(value) ?? [];
    const inner = asSequence(firstEntry)?.find((item) => item instanceof Instance);
    if (inner instanceof Instance) return inner;
  }
  return undefined;
}

/** Whether some column of the input holds text: categories that are strings, or text vectorisers on columns. */
function takesText(estimator: Instance): boolean {
  const queue: { value: Value | undefined; depth: number }[] = [{ value: estimator, depth: 0 }];
  for (let at = 0; at < queue.length && at < 500; at++) {
    const { value, depth } = queue[at];
    if (depth > 6) continue;
    for (const item of asSequence(value) ?? [])
      if (item !== null && typeof item === 'object') queue.push({ value: item, depth: depth + 1 });
    if (!(value instanceof Instance)) continue;
    if (/^(Count|Tfidf|Hashing)Vectorizer$/.test(kindOf(value))) return true;
    for (const categories of asSequence(attribute(value, 'categories_')) ?? []) {
      const array = asArray(categories);
      if (
        array &&
        (array.dtype.kind === 'U' ||
          array.dtype.kind === 'S' ||
          array.objects?.some((item) => typeof item === 'string'))
      )
        return true;
    }
    const statistics = asArray(attribute(value, 'statistics_'));
    if (statistics?.objects?.some((item) => typeof item === 'string')) return true;
    for (const name of ['transformers_', 'transformer_list', 'steps'])
      queue.push({ value: attribute(value, name), depth: depth + 1 });
  }
  return false;
}

/** `feature_names_in_`, or what older versions and other libraries call it. */
export function featureNames(estimator: Instance): string[] | undefined {
  for (const name of ['feature_names_in_', '_feature_names_in', '_df_columns', 'feature_name_', '_feature_name']) {
    const value = attribute(estimator, name);
    const items = asArray(value)?.objects ?? asSequence(value) ?? textItems(value);
    if (items && items.length > 0 && items.every((item) => typeof item === 'string')) return items as string[];
  }
  return undefined;
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

/** Number of input columns, from whatever fitting left that tells. */
export function featureCount(estimator: Instance): number | undefined {
  for (const name of [
    'n_features_in_',
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
  if (categories) return categories.length;
  const trees = asArray(attributes.get('estimators_'))?.objects ?? asSequence(attributes.get('estimators_'));
  const [firstTree] = trees ?? [];
  if (firstTree instanceof Instance && !attributes.has('estimators_features_')) return featureCount(firstTree);
  const inner = steps(estimator)?.[0] ?? delegate(estimator);
  return inner && inner !== estimator ? featureCount(inner) : undefined;
}

// ------------------------------------------------------------------ output

/** Class labels of a classifier, one list for each output. */
export function classesOf(estimator: Instance): Value[][] | undefined {
  const last = resultStep(estimator);
  for (const owner of [estimator, last]) {
    const direct = attribute(owner, 'classes_') ?? attribute(owner, '_classes') ?? encoded(owner);
    const lists = classLists(direct);
    if (lists) return lists;
  }
  const count = toNumber(attribute(last, 'n_classes_') ?? attribute(last, '_n_classes'));
  return count !== undefined && count > 0 && count < MAX_LABELS
    ? [Array.from({ length: count }, (_, i) => i)]
    : undefined;
}

/** Label encoders that voting, stacking, xgboost and ridge classifiers keep their classes in. */
function encoded(owner: Instance): Value | undefined {
  for (const name of ['le_', '_le', '_label_encoder', '_label_binarizer', 'label_binarizer_']) {
    const inner = attribute(attribute(owner, name), 'classes_');
    if (inner !== undefined) return inner;
  }
  return undefined;
}

function classLists(value: Value | undefined): Value[][] | undefined {
  const array = asArray(value);
  if (array) {
    if (array.shape.length !== 1) return undefined;
    try {
      return [array.toList().map(plain)];
    } catch {
      return undefined;
    }
  }
  const items = asSequence(value);
  if (!items || items.length === 0) return undefined;
  if (items.every((item) => asArray(item) !== undefined)) return items.map((item) => classLists(item)?.[0] ?? []);
  return items.every((item) => item === null || typeof item !== 'object' || asNumber(plain(item)) !== undefined)
    ? [items.map(plain)]
    : undefined;
}

function labelDtype(value: Value | undefined): string {
  const array = asArray(value);
  if (!array) {
    const items = asSequence(value);
    if (items?.every((item) => typeof item === 'string')) return 'string';
    return 'int64';
  }
  if (array.dtype.kind === 'U' || array.dtype.kind === 'S') return 'string';
  if (array.objects) return array.objects.every((item) => typeof item === 'string') ? 'string' : 'object';
  return array.dtype.type;
}

/** The estimator whose answer is the whole one's: the last step of a pipeline, the best one of a search. */
function resultStep(estimator: Instance): Instance {
  let current = estimator;
  for (let i = 0; i < 50; i++) {
    const next = lastStep(current);
    if (!next) return current;
    current = next;
  }
  return current;
}

function outputsOf(estimator: Instance, method: string, version: string | undefined): TensorSpec[] {
  const last = resultStep(estimator);
  const kinds = knownClass(last)?.kinds ?? new Set<string>();
  const classes = classesOf(estimator);
  const name = method;
  switch (method) {
    case 'predict':
    case 'fit_predict': {
      const outputs = outputCount(last);
      const shape: (number | null)[] = outputs > 1 ? [null, outputs] : [null];
      if (classes && (kinds.has('classifier') || kinds.size === 0 || kinds.has('meta')) && !kinds.has('regressor')) {
        const multilabel = asText(attribute(last, 'y_type_'))?.startsWith('multilabel') === true;
        const direct =
          attribute(estimator, 'classes_') ??
          attribute(last, 'classes_') ??
          encoded(last) ??
          attribute(last, '_classes');
        const list = asSequence(direct);
        const dtype = labelDtype(list && asArray(list[0]) ? list[0] : direct);
        const labels = classes.length === 1 ? labelTexts(classes[0]) : undefined;
        return [
          {
            name,
            dtype,
            shape: multilabel ? [null, classes[0].length] : shape,
            ...(labels && !multilabel ? { meaning: `one of ${labels.length} classes` } : {}),
          },
        ];
      }
      if (kinds.has('clusterer')) return [{ name, dtype: 'int32', shape: [null], meaning: 'cluster' }];
      if (kinds.has('outlier'))
        return [{ name, dtype: 'int64', shape: [null], meaning: '1 for inliers, -1 for outliers' }];
      if (kinds.has('density')) return [{ name, dtype: 'int64', shape: [null], meaning: 'component' }];
      return [{ name, dtype: 'float64', shape }];
    }
    case 'predict_proba':
    case 'predict_log_proba':
      if (classes && classes.length > 1) {
        return classes.map((list, i) => ({
          name: `${name}_${i}`,
          dtype: 'float64',
          shape: [null, list.length],
          ...labelled(list),
        }));
      }
      if (classes)
        return [{ name, dtype: probabilityDtype(last), shape: [null, classes[0].length], ...labelled(classes[0]) }];
      return [{ name, dtype: 'float64', shape: [null, toNumber(attribute(last, 'n_components')) ?? null] }];
    case 'decision_function':
    case 'score_samples':
      return [{ name, dtype: 'float64', ...decisionShape(last, method, classes?.[0]) }];
    case 'transform':
      if (
        kindOf(last) === 'VotingClassifier' &&
        attribute(last, 'voting') === 'soft' &&
        attribute(last, 'flatten_transform') !== true
      ) {
        const members = asSequence(attribute(last, 'estimators_'))?.length ?? null;
        return [
          {
            name,
            dtype: 'float64',
            shape: [members, null, classes?.[0].length ?? null],
            meaning: 'probabilities of each estimator',
          },
        ];
      }
      return [{ name, dtype: 'float64', shape: [null, transformWidth(last, version) ?? null] }];
    case 'inverse_transform':
      return [{ name, dtype: inputOf(estimator).dtype, shape: [null, featureCount(estimator) ?? null] }];
    case 'apply': {
      const fitted = attribute(last, 'estimators_');
      const array = asArray(fitted);
      const trees = asSequence(fitted) ?? array?.objects;
      // Boosted classifiers keep one tree for each class in each round, boosted regressors one column that `apply` drops.
      if (array?.shape.length === 2 && kinds.has('classifier')) {
        return [
          { name, dtype: 'float64', shape: [null, ...array.shape], meaning: 'leaf of each tree, by round and class' },
        ];
      }
      return [
        {
          name,
          dtype: array ? 'float64' : 'int64',
          shape: trees ? [null, trees.length] : [null],
          meaning: 'leaf of each tree',
        },
      ];
    }
    case 'kneighbors': {
      const k = toNumber(attribute(last, 'n_neighbors')) ?? null;
      return [
        { name: 'distances', dtype: 'float64', shape: [null, k] },
        { name: 'indices', dtype: 'int64', shape: [null, k] },
      ];
    }
  }
  return [{ name, dtype: 'float64', shape: null }];
}

/** xgboost answers in single precision. */
function probabilityDtype(estimator: Instance): string {
  return knownClass(estimator)?.library === 'xgboost' ? 'float32' : 'float64';
}

function labelled(classes: Value[]): { labels?: string[] } {
  const labels = labelTexts(classes);
  return labels ? { labels } : {};
}

function labelTexts(classes: Value[]): string[] | undefined {
  if (classes.length > MAX_LABELS) return undefined;
  return classes.map((label) =>
    typeof label === 'string'
      ? label
      : label === null
        ? 'None'
        : typeof label === 'object'
          ? (asText(label) ?? String(asNumber(label) ?? '?'))
          : typeof label === 'boolean'
            ? label
              ? 'True'
              : 'False'
            : String(label),
  );
}

function outputCount(estimator: Instance): number {
  const direct = toNumber(attribute(estimator, 'n_outputs_'));
  if (direct !== undefined) return direct;
  if (kindOf(estimator).startsWith('MultiOutput') || kindOf(estimator).endsWith('Chain')) {
    return (asSequence(attribute(estimator, 'estimators_')) ?? []).length || 1;
  }
  const coefficients = asArray(attribute(estimator, 'coef_'));
  const kinds = knownClass(estimator)?.kinds;
  if (
    coefficients?.shape.length === 2 &&
    kinds?.has('regressor') &&
    coefficients.shape[0] > 1 &&
    asArray(attribute(estimator, 'intercept_'))?.shape[0] === coefficients.shape[0]
  ) {
    return coefficients.shape[0];
  }
  return 1;
}

function decisionShape(
  estimator: Instance,
  method: string,
  classes: Value[] | undefined,
): { shape: (number | null)[]; labels?: string[] } {
  if (method === 'score_samples' || !classes) return { shape: [null] };
  if (classes.length <= 2) return { shape: [null] };
  if (kindOf(estimator).endsWith('SVC') && attribute(estimator, 'decision_function_shape') === 'ovo')
    return { shape: [null, (classes.length * (classes.length - 1)) / 2] };
  return { shape: [null, classes.length], ...labelled(classes) };
}

/** Columns that `transform` gives, where the fitted state tells. */
function transformWidth(estimator: Instance, version: string | undefined): number | undefined {
  const attributes = attributesOf(estimator);
  if (!attributes) return undefined;
  const kind = kindOf(estimator);
  const vocabulary = attributes.get('vocabulary_');
  if (isDict(vocabulary)) return vocabulary.size;
  const members = asSequence(attributes.get('estimators_'));
  if (members && kind.startsWith('Voting')) {
    const columns =
      kind === 'VotingClassifier' && attributes.get('voting') === 'soft' ? classesOf(estimator)?.[0].length : 1;
    return columns === undefined ? undefined : members.length * columns;
  }
  if (members && kind.startsWith('Stacking')) return stackedWidth(estimator, members.length);
  const direct = toNumber(
    attributes.get('n_output_features_') ??
      attributes.get('_n_output_features') ??
      attributes.get('n_features_out_') ??
      attributes.get('_n_features_out'),
  );
  if (direct !== undefined) return direct;
  if (kind === 'OneHotEncoder') return oneHotWidth(attributes, version);
  if (
    /Scaler$|^Imputer$|^OrdinalEncoder$|^Normalizer$|^Binarizer$|Transformer$|^IterativeImputer$|^KNNImputer$/.test(
      kind,
    ) &&
    !/^(Column|Function|Spline)Transformer$/.test(kind)
  ) {
    return kind === 'SimpleImputer' ? undefined : featureCount(estimator);
  }
  if (kind === 'LinearDiscriminantAnalysis') return toNumber(attributes.get('_max_components'));
  const support = asArray(attributes.get('support_'));
  if (support?.dtype.kind === 'b') return support.toFloat64().reduce((a, b) => a + b, 0);
  const components = asArray(attributes.get('components_'));
  if (components?.shape.length === 2) return components.shape[0];
  const centers = asArray(attributes.get('cluster_centers_') ?? attributes.get('subcluster_centers_'));
  if (centers) return centers.shape[0];
  const rotations = asArray(attributes.get('x_rotations_'));
  if (rotations?.shape.length === 2) return rotations.shape[1];
  return toNumber(attributes.get('n_components')) ?? toNumber(attributes.get('n_features'));
}

/** Columns that the estimators of a stack pass on: one each, or one for each class unless there are two; the input too if asked for. */
function stackedWidth(estimator: Instance, members: number): number | undefined {
  const methods = asSequence(attribute(estimator, 'stack_method_'));
  const classes = classesOf(estimator)?.[0].length ?? 2;
  const columns = (method: Value | undefined): number => (asText(method) === 'predict' || classes <= 2 ? 1 : classes);
  const own = methods ? methods.reduce((sum: number, method) => sum + columns(method), 0) : members;
  if (attribute(estimator, 'passthrough') !== true) return own;
  const input = featureCount(estimator);
  return input === undefined ? undefined : own + input;
}

function oneHotWidth(attributes: Map<Value, Value>, version: string | undefined): number | undefined {
  const categories = asSequence(attributes.get('categories_'));
  if (!categories) return undefined;
  if (attributes.get('_infrequent_enabled') === true || (version !== undefined && compareVersions(version, '0.18') < 0))
    return undefined;
  const dropped = attributes.get('drop_idx_');
  const drops = asArray(dropped)?.objects ?? (asArray(dropped)?.data ? asArray(dropped)?.toList() : undefined);
  return categories.reduce(
    (sum: number, list, i) => sum + (asArray(list)?.size ?? 0) - (drops && drops[i] !== null ? 1 : 0),
    0,
  );
}

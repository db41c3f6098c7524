import type { TensorSpec } from '../../model/model';
import { asSequence, asText, Instance, type Value } from '../../pickle/values';
import { asArray } from '../numpy/pickled';
import { boosterFacts, holdsText } from './booster-answers';
import { featureCount, featureNames } from './columns';
import { attribute, kindOf } from './estimator';
import { labelDtype } from './labels';
import { delegate, steps } from './methods';

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
  if (kind === 'DictVectorizer') {
    return {
      name: 'X',
      dtype: 'object',
      shape: [null],
      features: fieldNames(first),
      meaning: 'one dictionary from feature name to value for each row',
    };
  }
  if (kind === 'FeatureHasher')
    return { name: 'X', dtype: 'object', shape: [null], meaning: 'one dictionary, or list of pairs, for each row' };
  if (kind === 'LabelBinarizer' && asText(attribute(first, 'y_type_'))?.startsWith('multilabel')) {
    const width = asArray(attribute(first, 'classes_'))?.size ?? null;
    return { name: 'X', dtype: 'float64', shape: [null, width], meaning: '1 for each label that a row has' };
  }
  if (kind === 'LabelEncoder' || kind === 'LabelBinarizer')
    return { name: 'X', dtype: labelDtype(attribute(first, 'classes_')), shape: [null], meaning: 'labels' };
  if (kind === 'MultiLabelBinarizer')
    return { name: 'X', dtype: 'object', shape: [null], meaning: 'one list of labels for each row' };
  if (kind === 'IsotonicRegression') return { ...base, dtype: 'float64', shape: [null] };
  return { ...base, dtype: takesText(first) || takesCells(first) ? 'object' : 'float64', shape: [null, count] };
}

/** The fields of a `DictVectorizer`: its features without the values of those that are `field=value`. */
function fieldNames(vectorizer: Instance): string[] {
  const separator = asText(attribute(vectorizer, 'separator')) ?? '=';
  const names = (asSequence(attribute(vectorizer, 'feature_names_')) ?? []).map((name) => asText(name) ?? '');
  return [...new Set(names.map((name) => (name.includes(separator) ? name.slice(0, name.indexOf(separator)) : name)))];
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

/** Whether what stands for a missing value is no number; "NaN" was how NaN was written before 0.20. */
function marksCells(mark: Value | undefined): boolean {
  return mark === null || (typeof mark === 'string' && mark !== 'NaN');
}

/** Whether columns of a data frame pass through a `ColumnTransformer` as they are: they may hold anything. */
export function takesCells(estimator: Instance): boolean {
  const entries = asSequence(attribute(estimator, 'transformers_')) ?? [];
  const passes = entries.some((entry) => {
    const [, part, columns] = asSequence(entry) ?? [];
    return isPassage(part) && asSequence(columns)?.length !== 0;
  });
  return passes && (takesText(estimator) || featureNames(estimator) !== undefined);
}

/** "passthrough", or since 1.4 the function without effect that stands for it. */
export function isPassage(part: Value | undefined): boolean {
  if (!(part instanceof Instance)) return part === 'passthrough';
  return kindOf(part) === 'FunctionTransformer' && (attribute(part, 'func') ?? null) === null;
}

/** Whether some column of the input holds text: categories that are strings, or text vectorisers on columns. */
export function takesText(estimator: Instance): boolean {
  const queue: { value: Value | undefined; depth: number }[] = [{ value: estimator, depth: 0 }];
  for (let at = 0; at < queue.length && at < 500; at++) {
    const { value, depth } = queue[at];
    if (depth > 6) continue;
    for (const item of asSequence(value) ?? [])
      if (item !== null && typeof item === 'object') queue.push({ value: item, depth: depth + 1 });
    if (!(value instanceof Instance)) continue;
    if (/^(Count|Tfidf|Hashing)Vectorizer$/.test(kindOf(value)) || boosterFacts(value)?.text) return true;
    if ((asSequence(attribute(value, 'categories_')) ?? []).some(holdsText)) return true;
    if (holdsText(attribute(value, 'statistics_')) || marksCells(attribute(value, 'missing_values'))) return true;
    for (const name of ['transformers_', 'transformer_list', 'steps', '_preprocessor', 'best_estimator_'])
      queue.push({ value: attribute(value, name), depth: depth + 1 });
  }
  return false;
}

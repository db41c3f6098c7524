import { asSequence, asText, Instance, isDict, type PyDict, PyTuple, type Value } from '../../pickle/values';
import { asArray } from '../numpy/pickled';
import { attributesOf, isEstimator } from './estimator';

/** A part of an estimator that is a model itself. */
export interface Part {
  /** Path below the owner: a step's name, `estimators_[3]`, `best_estimator_`. */
  path: string;
  /** What it is called: the step's name, the attribute. */
  name: string;
  value: Instance;
  /** Words that say what is given to it, e.g. the columns of a transformer. */
  note?: Value;
  /** Attribute that holds a list of them; siblings of one list that are alike are shown as one. */
  list?: string;
}

/** Attributes whose entries are `(name, estimator[, columns])`: shown by their names. */
const NAMED_LISTS = new Set([
  'steps',
  'transformer_list',
  'transformers_',
  'transformers',
  'estimators',
  'named_steps',
]);

/** The names of fitted estimators that are kept in a plain list beside the named templates. */
const NAMES_FROM: Record<string, string> = { estimators_: 'estimators' };

/** Attributes that only repeat what another one holds. */
const COPIES = new Set([
  'named_estimators_',
  'named_transformers_',
  'named_steps',
  '_transformers',
  '_name_to_fitted_passthrough',
]);

/**
 * The sub-estimators of an estimator (or of a helper object that holds some), fitted ones before templates: `X_` hides `X`, a list of fitted
 * ones hides the template they were cloned from. Plain values never count.
 */
export function partsOf(owner: Instance): Part[] {
  const attributes = attributesOf(owner);
  if (!attributes) return [];
  const parts: Part[] = [];
  const seen = new Set<Value>();
  const add = (part: Part): void => {
    if (seen.has(part.value)) return;
    seen.add(part.value);
    parts.push(part);
  };
  for (const [key, value] of attributes) {
    if (value === null || typeof value !== 'object' || typeof key !== 'string') continue;
    if (COPIES.has(key) || isTemplate(key, attributes)) continue;
    if (holdsModel(value)) add({ path: key, name: key, value });
    else if (NAMED_LISTS.has(key)) addNamed(value, key, add);
    else addListed(value, key, attributes, add);
  }
  return parts;
}

/** Whether a fitted counterpart of this constructor argument is there. */
function isTemplate(key: string, attributes: PyDict): boolean {
  if (!key.endsWith('_') && hasModel(attributes.get(`${key}_`))) return true;
  const fitted =
    hasModel(attributes.get('estimators_')) ||
    hasModel(attributes.get('best_estimator_')) ||
    hasModel(attributes.get('calibrated_classifiers_'));
  return fitted && /^_?(base_)?estimator_?$/.test(key);
}

/** Whether a value is, or contains on its first level, a model. */
function hasModel(value: Value | undefined): boolean {
  if (value === undefined || value === null) return false;
  if (holdsModel(value)) return true;
  const items = listOf(value);
  return items?.slice(0, 50).some((item) => holdsModel(item) || asSequence(item)?.some(holdsModel)) ?? false;
}

const holding = new WeakMap<Instance, boolean>();

/** An estimator, or an object of the library that has an estimator among its attributes (`_CalibratedClassifier`). */
export function holdsModel(value: Value | undefined): value is Instance {
  if (!(value instanceof Instance)) return false;
  if (isEstimator(value)) return true;
  const known = holding.get(value);
  if (known !== undefined) return known;
  holding.set(value, false);
  const attributes = attributesOf(value);
  let found = false;
  if (attributes && attributes.size < 200) {
    for (const item of attributes.values()) {
      if (isEstimator(item)) found = true;
      else if (Array.isArray(item) && item.length > 0 && item.length < 1000) {
        found = item.some((part) => isEstimator(part) || (part instanceof PyTuple && part.items.some(isEstimator)));
      }
      if (found) break;
    }
  }
  holding.set(value, found);
  return found;
}

function listOf(value: Value): readonly Value[] | undefined {
  if (isDict(value)) return [...value.values()];
  return asSequence(value) ?? (value instanceof Instance ? asArray(value)?.objects : undefined);
}

function addNamed(value: Value, key: string, add: (part: Part) => void): void {
  (asSequence(value) ?? []).forEach((entry, i) => {
    const items = asSequence(entry);
    if (!items) {
      if (holdsModel(entry)) add({ path: `${key}[${i}]`, name: `${key}[${i}]`, value: entry, list: key });
      return;
    }
    // Weighted unions once put the weight first.
    const at = items.findIndex((item) => item instanceof Instance && holdsOrUnknown(item));
    const name = items.map(asText).find((text) => text !== undefined);
    if (at < 0) return;
    const model = items[at] as Instance;
    const note = items[at + 1];
    add({
      path: name ?? `${key}[${i}]`,
      name: name ?? `${key}[${i}]`,
      value: model,
      ...(note === undefined ? {} : { note }),
    });
  });
}

/** In a named list any object stands for a step, also one of the user's own class. */
function holdsOrUnknown(value: Instance): boolean {
  return holdsModel(value) || (attributesOf(value) !== undefined && asArray(value) === undefined);
}

function addListed(value: Value, key: string, attributes: PyDict, add: (part: Part) => void): void {
  if (isDict(value)) {
    for (const [name, item] of value) {
      const label = asText(name) ?? String(name);
      if (holdsModel(item)) add({ path: `${key}[${JSON.stringify(label)}]`, name: label, value: item, list: key });
    }
    return;
  }
  const array = value instanceof Instance ? asArray(value) : undefined;
  const items = asSequence(value) ?? array?.objects;
  if (!items) return;
  const width = array && array.shape.length === 2 ? array.shape[1] : undefined;
  const names = namesFor(key, attributes, items);
  items.forEach((item, i) => {
    const index = width ? `[${Math.floor(i / width)}][${i % width}]` : `[${i}]`;
    if (holdsModel(item))
      add({ path: names?.[i] ?? `${key}${index}`, name: names?.[i] ?? `${key}${index}`, value: item, list: key });
    else if (item instanceof PyTuple) {
      item.items.forEach((inner, n) => {
        if (holdsModel(inner))
          add({ path: `${key}${index}[${n}]`, name: `${key}${index}[${n}]`, value: inner, list: key });
      });
    } else if (Array.isArray(item)) {
      item.forEach((inner, n) => {
        if (holdsModel(inner))
          add({ path: `${key}${index}[${n}]`, name: `${key}${index}[${n}]`, value: inner, list: key });
      });
    }
  });
}

/** The names that a voting or stacking model gave its estimators; those set to `drop` are not fitted. */
function namesFor(key: string, attributes: PyDict, fitted: readonly Value[]): string[] | undefined {
  const templates = asSequence(attributes.get(NAMES_FROM[key] ?? ''));
  if (!templates) return undefined;
  const names: string[] = [];
  for (const entry of templates) {
    const [name, template] = asSequence(entry) ?? [];
    if (typeof name !== 'string') return undefined;
    if (template instanceof Instance) names.push(name);
  }
  return names.length === fitted.length ? names : undefined;
}

import { classOf, Global, Instance, isDict, type PyDict, stateDict, type Value } from '../../pickle/values';
import { type EstimatorClass, estimatorClass } from './catalogue';
import { derivedFrom } from './derived';

/** Libraries whose models follow scikit-learn's conventions (constructor parameters as attributes, fitted ones with `_`). */
const LIBRARIES: Record<string, string> = {
  sklearn: 'scikit-learn',
  xgboost: 'xgboost',
  lightgbm: 'lightgbm',
  catboost: 'catboost',
  imblearn: 'imbalanced-learn',
};

/** Names under which scikit-learn's parts were or are imported besides `sklearn.…`. */
const ALIASES: Record<string, string> = { scikits: 'sklearn', imbalanced_learn: 'imblearn' };

export function libraryOf(global: Global): string | undefined {
  const root = global.module.split('.')[0];
  const library = ALIASES[root] ?? root;
  return LIBRARIES[library] ? library : undefined;
}

/** Display name of a library: `sklearn` → `scikit-learn`. */
export function libraryName(library: string): string {
  return LIBRARIES[library] ?? library;
}

const states = new WeakMap<Instance, PyDict | null>();

/** An object's attributes by name, as unpickling leaves them; `undefined` if its state is not a dictionary. */
export function attributesOf(value: Value | undefined): PyDict | undefined {
  if (!(value instanceof Instance)) return undefined;
  const known = states.get(value);
  if (known !== undefined) return known ?? undefined;
  const dict = stateDict(value);
  states.set(value, dict ?? null);
  return dict;
}

export function attribute(value: Value | undefined, name: string): Value | undefined {
  return attributesOf(value)?.get(name);
}

/** What the catalogue knows of an instance's class. */
export function knownClass(value: Value | undefined): EstimatorClass | undefined {
  const global = classOf(value);
  if (!global) return undefined;
  const library = libraryOf(global);
  return library ? estimatorClass(library, global.name) : undefined;
}

/** Whether a value is an estimator: its class is in the catalogue, scikit-learn signed its state, or it has all that a known class has. */
export function isEstimator(value: Value | undefined): value is Instance {
  if (!(value instanceof Instance)) return false;
  const global = classOf(value);
  if (!global) return false;
  const attributes = attributesOf(value);
  if (attributes?.has('_sklearn_version')) return true;
  const library = libraryOf(global);
  if (!library) return derivedFrom(value).length > 0;
  if (estimatorClass(library, global.name)) return true;
  return library === 'xgboost' || library === 'lightgbm'
    ? global.name === 'Booster'
    : library === 'catboost' && global.name.startsWith('CatBoost');
}

/** The version of scikit-learn that wrote an estimator, from its own state or the first one inside it that says so. */
export function sklearnVersion(value: Value | undefined): string | undefined {
  const queue: Value[] = value === undefined ? [] : [value];
  const seen = new Set<Value>();
  for (let at = 0; at < queue.length && at < 2000; at++) {
    const current = queue[at];
    if (current === null || typeof current !== 'object' || seen.has(current)) continue;
    seen.add(current);
    const attributes = attributesOf(current);
    const version = attributes?.get('_sklearn_version');
    if (typeof version === 'string') return version;
    const inner = attributes ? [...attributes.values()] : isDict(current) ? [...current.values()] : children(current);
    for (const child of inner.slice(0, 100)) queue.push(child);
  }
  return undefined;
}

function children(value: Value): Value[] {
  if (Array.isArray(value)) return value.slice(0, 20);
  if (value !== null && typeof value === 'object' && 'items' in value && Array.isArray(value.items))
    return value.items.slice(0, 20);
  return [];
}

/** The class as shown: its name, or the constructor's name where the pickle calls a function. */
export function kindOf(value: Instance): string {
  return classOf(value)?.name ?? (value.callable instanceof Global ? value.callable.name : 'object');
}

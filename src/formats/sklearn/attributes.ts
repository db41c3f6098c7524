import type { Attribute } from '../../model/model';
import { printValue } from '../../pickle/print';
import { asText, classOf, Global, Instance, isDict, PyBytes, PyFloat, PyTuple, type Value } from '../../pickle/values';
import { asArray, asScalar } from '../numpy/pickled';
import { describe, describeInstance } from '../pickle/describe';
import { defaultsOf, type EstimatorClass } from './catalogue';
import { attributesOf, isEstimator, kindOf } from './estimator';

/** Bookkeeping that says nothing about the model. */
const HIDDEN = new Set([
  '_sklearn_version',
  '_sklearn_output_config',
  '_repr_html_inner',
  '_doc_link_module',
  '_metadata_request',
]);

/**
 * The attributes of an estimator: constructor parameters first, in the order of the signature and marked when they differ from the
 * default, then what fitting left, then anything else. Large values are described, not written out.
 */
export function estimatorAttributes(
  value: Instance,
  known: EstimatorClass | undefined,
  version: string | undefined,
): Attribute[] {
  const attributes = attributesOf(value);
  if (!attributes) return [];
  const parameters: Attribute[] = [];
  const rest: Attribute[] = [];
  const order = known ? [...known.parameters.keys()] : [];
  for (const name of order) {
    if (!attributes.has(name)) continue;
    const item = attributes.get(name) as Value;
    const made = attributeOf(name, item, 'parameter');
    const defaults = known ? defaultsOf(known, name, version) : [];
    if (defaults.length > 0) made.isDefault = equalsDefault(item, defaults);
    parameters.push(made);
  }
  for (const [key, item] of attributes) {
    const name = asText(key) ?? describe(key, 60);
    if (order.includes(name) || HIDDEN.has(name)) continue;
    const fitted = name.endsWith('_') || name.startsWith('_');
    rest.push(attributeOf(name, item, fitted ? 'fitted' : known ? 'attribute' : 'parameter'));
  }
  return [...parameters, ...rest];
}

/** A value with its name, as a node of the hierarchy shows it. */
export function attributeOf(name: string, item: Value, role: Attribute['role']): Attribute {
  const json = jsonOf(item);
  return { name, text: shortText(item), ...(json === undefined ? {} : { value: json }), role };
}

/** A value of an attribute on one line: estimators as `Name(…)`, long collections by their size. */
export function shortText(item: Value): string {
  if (isEstimator(item)) return `${kindOf(item)}(…)`;
  if (Array.isArray(item) && item.length > 12)
    return `list of ${item.length}: ${describe(item.slice(0, 4), 80).slice(0, -1)}, …]`;
  if (isDict(item) && item.size > 12)
    return `dict of ${item.size}: ${describe(new Map([...item].slice(0, 3)), 80).slice(0, -1)}, …}`;
  return printValue(item, {
    width: 160,
    depth: 3,
    items: 12,
    describe: (inner) => (isEstimator(inner) ? `${kindOf(inner)}(…)` : describeInstance(inner)),
  });
}

/** The JSON form of small plain values; `undefined` for the rest. Non-finite numbers as the command line's strings. */
export function jsonOf(item: Value, depth = 3): unknown {
  if (item === null || typeof item === 'boolean' || typeof item === 'string') return item;
  if (typeof item === 'number') return Number.isFinite(item) ? item : String(item);
  if (typeof item === 'bigint') return String(item);
  if (item instanceof PyFloat) return Number.isFinite(item.value) ? item.value : String(item.value);
  if (item instanceof Instance) {
    const scalar = asScalar(item);
    if (scalar) return scalar.value === item ? undefined : jsonOf(scalar.value, depth);
    const array = asArray(item);
    if (
      array &&
      depth > 0 &&
      array.shape.length === 1 &&
      array.size <= 64 &&
      !array.dtype.fields &&
      !array.dtype.subShape
    ) {
      try {
        return array.toList().map((element) => jsonOf(element, depth - 1));
      } catch {
        return undefined;
      }
    }
    return undefined;
  }
  const items = Array.isArray(item) ? item : item instanceof PyTuple ? item.items : undefined;
  if (items)
    return depth > 0 && items.length <= 64
      ? items.map((element) => jsonOf(element, depth - 1) ?? describe(element, 60))
      : undefined;
  if (isDict(item) && depth > 0 && item.size <= 64) {
    const entries = [...item].map(([key, element]): [string, unknown] => [
      typeof key === 'string' ? key : describe(key, 60),
      jsonOf(element, depth - 1) ?? describe(element, 60),
    ]);
    return Object.fromEntries(entries);
  }
  return undefined;
}

/** Whether a value is one of the defaults, compared as Python text. */
function equalsDefault(item: Value, defaults: readonly string[]): boolean {
  const text = defaultText(item);
  return defaults.some(
    (known) =>
      known === text || (item instanceof Global && known.split('.').pop() === item.name) || sameNumber(known, item),
  );
}

function defaultText(item: Value): string {
  if (item instanceof Global) return item.module === 'builtins' ? item.name : `${item.module}.${item.name}`;
  if (item instanceof Instance) {
    const scalar = asScalar(item);
    if (scalar) return printValue(scalar.value, { width: 400 });
    const global = classOf(item);
    return global ? `${global.module}.${global.name}()` : '';
  }
  if (item instanceof PyBytes) return '';
  return printValue(item, { width: 400, items: 50, depth: 6 });
}

/** `1` and `1.0` are the same default, as Python's `==` has it. */
function sameNumber(known: string, item: Value): boolean {
  const number = item instanceof PyFloat ? item.value : typeof item === 'number' ? item : undefined;
  return number !== undefined && known.trim() !== '' && Number(known) === number;
}

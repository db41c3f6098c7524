import { LargeSet } from './large';
import { PyBytes, type PyDict, PyFloat, PySet, PyTuple, type Value } from './values';

/** Bytes strings longer than this are equal only to themselves here: comparing them would mean reading them. */
const COMPARED_BYTES = 4096;

/** Items of a tuple that are looked at to tell whether two are equal; larger ones are equal only to themselves. */
const COMPARED_ITEMS = 64;

/**
 * A primitive or object that is the same for values that Python holds equal as keys: `1`, `1.0` and `True`, tuples of equal items,
 * equal bytes. Objects of classes are equal only to themselves, as nobody can know better without running them.
 */
export function keyIdentity(value: Value): unknown {
  switch (typeof value) {
    case 'boolean':
      return value ? 1 : 0;
    case 'number':
      return value;
    case 'bigint':
      return Number.isSafeInteger(Number(value)) ? Number(value) : value;
    case 'string':
      return value.charCodeAt(0) === 0 ? `\0s${value}` : value;
  }
  if (value instanceof PyFloat) {
    const number = value.value;
    if (Number.isNaN(number)) return value;
    return Number.isSafeInteger(number) ? number + 0 : Number.isInteger(number) ? BigInt(number) : number;
  }
  if (value instanceof PyBytes && value.length <= COMPARED_BYTES)
    return `\0b${Buffer.from(value.bytes()).toString('latin1')}`;
  if (value instanceof PyTuple || value instanceof PySet) return contentIdentity(value, 0) ?? value;
  return value;
}

/** Text that is the same for tuples of equal items and for frozen sets of equal items. */
function contentIdentity(value: PyTuple | PySet, depth: number): string | undefined {
  if (depth > 8 || value.items.length > COMPARED_ITEMS) return undefined;
  const parts: string[] = [];
  let length = 0;
  for (const item of value.items) {
    const part =
      item instanceof PyTuple || item instanceof PySet ? contentIdentity(item, depth + 1) : keyIdentity(item);
    if (part === undefined || (part !== null && typeof part === 'object')) return undefined;
    const kind = part === null ? 'n' : typeof part === 'string' ? 's' : 'd';
    const shown = String(part);
    parts.push(`${kind}${shown.length}:${shown}`);
    length += shown.length;
    if (length > COMPARED_BYTES) return undefined;
  }
  return value instanceof PyTuple ? `\0(${parts.join('')})` : `\0{${parts.sort().join('')}}`;
}

/** Whether a key of this type can be equal to one of another type or identity, so that a plain Map would not find it. */
function isExotic(key: Value): boolean {
  return (
    typeof key === 'boolean' ||
    (key !== null &&
      typeof key === 'object' &&
      (key instanceof PyFloat || key instanceof PyBytes || key instanceof PyTuple || key instanceof PySet))
  );
}

/**
 * Dictionaries with Python's rule for equal keys: the first key stays, the last value wins. The look-up by equality is only kept for
 * dictionaries that have keys for which it matters, while a pickle is read.
 */
export class DictKeys {
  private readonly indexes = new Map<PyDict, Map<unknown, Value>>();

  set(dict: PyDict, key: Value, value: Value): void {
    const index = this.indexes.get(dict);
    if (!index) {
      if (!isExotic(key)) {
        dict.set(key, value);
        return;
      }
      this.indexed(dict, key, value);
      return;
    }
    const identity = keyIdentity(key);
    const known = index.get(identity);
    if (known === undefined) index.set(identity, key);
    dict.set(known ?? key, value);
  }

  private indexed(dict: PyDict, key: Value, value: Value): void {
    const index = new Map<unknown, Value>();
    for (const existing of dict.keys()) index.set(keyIdentity(existing), existing);
    this.indexes.set(dict, index);
    this.set(dict, key, value);
  }
}

/** Items of a set without those that are equal to an earlier one. */
export function distinct(items: Value[]): Value[] {
  const seen = new LargeSet<unknown>();
  const out: Value[] = [];
  for (const item of items) {
    const identity = keyIdentity(item);
    if (seen.has(identity) && !Number.isNaN(identity)) continue;
    seen.add(identity);
    out.push(item);
  }
  return out;
}

/** What makes a value unhashable: a list, dict, set or bytearray, itself or inside tuples; `undefined` if nothing does. Iterative. */
export function unhashable(value: Value, checked: WeakSet<object>): string | undefined {
  const direct = unhashableItself(value);
  if (direct || !(value instanceof PyTuple) || checked.has(value)) return direct;
  const stack: PyTuple[] = [value];
  checked.add(value);
  for (let tuple = stack.pop(); tuple; tuple = stack.pop()) {
    for (const item of tuple.items) {
      const bad = unhashableItself(item);
      if (bad) return bad;
      if (item instanceof PyTuple && !checked.has(item)) {
        checked.add(item);
        stack.push(item);
      }
    }
  }
  return undefined;
}

function unhashableItself(value: Value): string | undefined {
  if (value === null || typeof value !== 'object') return undefined;
  if (Array.isArray(value)) return 'list';
  if (value instanceof Map) return 'dict';
  if (value instanceof PySet && !value.frozen) return 'set';
  if (value instanceof PyBytes && value.kind === 'bytearray') return 'bytearray';
  return undefined;
}

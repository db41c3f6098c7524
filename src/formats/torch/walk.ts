import { printFloat } from '../../pickle/print';
import {
  asText,
  classOf,
  Global,
  Instance,
  isDict,
  PyFloat,
  PySet,
  PyTuple,
  stateDict,
  type Value,
} from '../../pickle/values';
import type { TensorReader } from './pickled-tensor';

/** A child of a pickled object, by the name Python would reach it under. */
export interface Entry {
  name: string;
  value: Value;
}

/** The named values inside a container or object: dict items, list items, attributes, entries of dict subclasses. */
export function entriesOf(tagged: Value): Entry[] {
  const value = untagged(tagged);
  if (isDict(value)) return fromMap(value);
  if (Array.isArray(value)) return value.map((v, i) => ({ name: String(i), value: v }));
  if (value instanceof PyTuple) return value.items.map((v, i) => ({ name: String(i), value: v }));
  if (value instanceof PySet) return value.items.map((v, i) => ({ name: String(i), value: v }));
  if (!(value instanceof Instance)) return [];
  const entries: Entry[] = [];
  const cls = classOf(value);
  if (cls?.path === 'collections.OrderedDict') {
    // Protocols 0 and 1 of Python 2 give the pairs as an argument.
    const pairs = value.args instanceof PyTuple ? value.args.items[0] : undefined;
    if (Array.isArray(pairs)) {
      for (const pair of pairs) {
        const items = pair instanceof PyTuple ? pair.items : Array.isArray(pair) ? pair : undefined;
        if (items?.length === 2) entries.push({ name: keyText(items[0]) ?? String(entries.length), value: items[1] });
      }
    }
  } else if (
    value.args instanceof PyTuple &&
    !(value.callable instanceof Global && value.callable.name.startsWith('_rebuild'))
  ) {
    const args =
      value.callable instanceof Global && value.callable.module === 'copyreg'
        ? value.args.items.slice(2)
        : value.args.items;
    args.forEach((v, i) => {
      if (v !== null && typeof v === 'object' && !(v instanceof Global)) entries.push({ name: `args.${i}`, value: v });
    });
  }
  if (value.entries) entries.push(...fromMap(value.entries));
  if (value.items) for (const [i, v] of value.items.entries()) entries.push({ name: String(i), value: v });
  const state = stateDict(value);
  if (state) entries.push(...fromMap(state));
  else if (value.state !== undefined && value.state !== null) entries.push({ name: 'state', value: value.state });
  return entries;
}

/** Items by text key, each under a name of its own: `1` and `"1"` are two keys, and objects have no text. */
function fromMap(map: Map<Value, Value>): Entry[] {
  const out: Entry[] = [];
  const taken = new Set<string>();
  for (const [key, value] of map) {
    const text = keyText(key) ?? String(out.length);
    let name = text;
    for (let i = 2; taken.has(name); i++) name = `${text} (${i})`;
    taken.add(name);
    out.push({ name, value });
  }
  return out;
}

/** What TorchScript pickles wrap containers in to keep their type: `restore_type_tag(value, type)`, `build_intlist(list)`. */
function untagged(value: Value): Value {
  let at = value;
  for (let i = 0; i < 16; i++) {
    if (!(at instanceof Instance) || !(at.callable instanceof Global) || at.callable.module !== 'torch.jit._pickle')
      return at;
    const inner = at.args instanceof PyTuple ? at.args.items[0] : undefined;
    if (inner === undefined) return at;
    at = inner;
  }
  return at;
}

/** A dict key as a name: strings as they are, numbers by their digits, classes by their name; `undefined` for objects. */
export function keyText(key: Value, depth = 0): string | undefined {
  if (typeof key === 'string') return key;
  const text = asText(key);
  if (text !== undefined) return text;
  if (typeof key === 'number' || typeof key === 'bigint' || typeof key === 'boolean') return String(key);
  if (key === null) return 'None';
  if (key instanceof PyFloat) return printFloat(key.value);
  if (key instanceof PyTuple)
    return depth > 4 ? '(…)' : `(${key.items.map((item) => keyText(item, depth + 1) ?? '…').join(', ')})`;
  if (key instanceof Global) return key.name;
  return undefined;
}

const mappings = new WeakMap<object, Map<string, Value> | null>();

/**
 * The items of a dict, OrderedDict or other mapping by text key; `undefined` for anything else. The same value gives the same map, which
 * callers must not change.
 */
export function mappingOf(value: Value | undefined): Map<string, Value> | undefined {
  if (!isDict(value) && !(value instanceof Instance)) return undefined;
  const known = mappings.get(value);
  if (known !== undefined) return known ?? undefined;
  const inner = untagged(value);
  const made = isDict(inner) ? textKeys(inner) : inner instanceof Instance ? mappingOfInstance(inner) : undefined;
  mappings.set(value, made ?? null);
  return made;
}

function mappingOfInstance(value: Instance): Map<string, Value> | undefined {
  const cls = classOf(value);
  const { entries } = value;
  if (!entries && cls?.path !== 'collections.OrderedDict' && cls?.path !== 'collections.defaultdict') return undefined;
  // What torch.save writes: entries set one by one on an empty OrderedDict, `_metadata` in its state.
  const plain = entries && !value.items && value.args instanceof PyTuple && value.args.items.length === 0;
  const state = stateDict(value);
  const onlyMetadata = !state || (state.size === 1 && state.has('_metadata'));
  if (plain && onlyMetadata && (value.state === undefined || state)) return textKeys(entries);
  const own = entriesOf(value).filter((e) => !(e.name === '_metadata' && isDict(e.value)));
  return new Map(own.map((e) => [e.name, e.value]));
}

/** The dict itself if its keys are strings, which nearly every dict's are. */
function textKeys(dict: Map<Value, Value>): Map<string, Value> {
  for (const key of dict.keys()) {
    if (typeof key !== 'string') return new Map(fromMap(dict).map((e) => [e.name, e.value]));
  }
  return dict as Map<string, Value>;
}

/**
 * Which containers lead to a tensor, found without recursion: shared objects are looked at once and cycles end.
 * Gives the set of containers and objects that have a tensor somewhere below.
 */
export function leadingToTensors(root: Value, tensors: TensorReader): Set<Value> {
  const leading = new Set<Value>();
  const parents = new Map<Value, Value[]>();
  const found: Value[] = [];
  const seen = new Set<Value>();
  const pending: Value[] = [root];
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    if (!isContainer(value) || seen.has(value)) continue;
    seen.add(value);
    if (tensors.read(value)) {
      found.push(value);
      continue;
    }
    let direct = false;
    for (const child of mappingOf(value)?.values() ?? entriesOf(value).map((e) => e.value)) {
      if (!isContainer(child)) continue;
      if (tensors.read(child)) {
        direct = true;
        continue;
      }
      const known = parents.get(child);
      if (known) known.push(value);
      else parents.set(child, [value]);
      pending.push(child);
    }
    if (direct) {
      leading.add(value);
      found.push(value);
    }
  }
  for (let value = found.pop(); value !== undefined; value = found.pop()) {
    for (const parent of parents.get(value) ?? []) {
      if (leading.has(parent)) continue;
      leading.add(parent);
      found.push(parent);
    }
  }
  return leading;
}

/** Whether a value can hold others or be a tensor. */
export function isContainer(value: Value): boolean {
  return typeof value === 'object' && value !== null && !(value instanceof Global);
}

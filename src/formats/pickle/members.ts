import { printValue } from '../../pickle/print';
import { classOf, Instance, isDict, PersistentId, PySet, PyTuple, stateDict, type Value } from '../../pickle/values';
import { asArray } from '../numpy/pickled';
import { describeInstance } from './describe';
import { codeMembers } from './objects';

/** The parts of a value, as the object tree shows them: read by position, so that a long list costs nothing until it is looked at. */
export interface Members {
  readonly count: number;
  /** Label and value of one member. */
  at(index: number): { label: string; value: Value };
}

const NONE: Members = { count: 0, at: () => ({ label: '', value: null }) };

const cache = new WeakMap<object, Members>();

/** The members of any value: items, entries, attributes, arguments; none for plain data and numeric arrays. */
export function membersOf(value: Value | undefined): Members {
  if (value === null || typeof value !== 'object') return NONE;
  if (!isDict(value) && !(value instanceof Instance)) return freshMembers(value);
  const known = cache.get(value);
  if (known) return known;
  const made = freshMembers(value);
  cache.set(value, made);
  return made;
}

/** Like `membersOf`, but nothing is remembered: for walks that see each object once. */
export function freshMembers(value: Value): Members {
  if (value === null || typeof value !== 'object') return NONE;
  if (Array.isArray(value)) return list(value);
  if (value instanceof PyTuple || value instanceof PySet) return list(value.items);
  if (value instanceof PersistentId) return named([['id', value.id]]);
  if (isDict(value)) return dict([...value]);
  return value instanceof Instance ? ofInstance(value) : NONE;
}

function list(items: readonly Value[]): Members {
  return { count: items.length, at: (i) => ({ label: `[${i}]`, value: items[i] }) };
}

function dict(entries: readonly [Value, Value][]): Members {
  return { count: entries.length, at: (i) => ({ label: keyText(entries[i][0]), value: entries[i][1] }) };
}

function named(entries: readonly [string, Value][]): Members {
  return { count: entries.length, at: (i) => ({ label: entries[i][0], value: entries[i][1] }) };
}

function keyText(key: Value): string {
  return printValue(key, { width: 80, depth: 2, items: 6, describe: describeInstance });
}

/** Attributes first, as people look for them; then what was put into the object, then how it was made. */
function ofInstance(value: Instance): Members {
  const array = asArray(value);
  if (array) return array.objects ? list(array.objects) : NONE;
  const entries: [string, Value][] = [...(codeMembers(value) ?? [])];
  const attributes = stateDict(value);
  if (attributes)
    for (const [key, item] of attributes) entries.push([typeof key === 'string' ? key : keyText(key), item]);
  else if (value.state !== undefined && value.state !== null) entries.push(['(state)', value.state]);
  if (value.entries) for (const [key, item] of value.entries) entries.push([`[${keyText(key)}]`, item]);
  value.items?.forEach((item, i) => {
    entries.push([`[${i}]`, item]);
  });
  for (const earlier of value.earlierStates ?? []) entries.push(['(earlier state)', earlier.value]);
  const args = value.args instanceof PyTuple ? value.args.items : undefined;
  if (!args) entries.push(['(arguments)', value.args]);
  else if (!isBareConstruction(value)) {
    args.forEach((item, i) => {
      entries.push([`(argument ${i})`, item]);
    });
  }
  if (isDict(value.kwargs)) for (const [key, item] of value.kwargs) entries.push([`(argument ${keyText(key)})`, item]);
  else if (value.kwargs !== undefined) entries.push(['(keyword arguments)', value.kwargs]);
  if (value.callable instanceof Instance) entries.push(['(called)', value.callable]);
  return named(entries);
}

/** `copyreg._reconstructor(cls, object, None)` and `cls.__new__(cls)`: nothing worth a row. */
function isBareConstruction(value: Instance): boolean {
  const global = classOf(value);
  return (
    global !== undefined && global !== value.callable && value.args instanceof PyTuple && value.args.items.length <= 3
  );
}

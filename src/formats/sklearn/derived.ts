import { classOf, Instance, stateDict, type Value } from '../../pickle/values';
import { estimatorClasses } from './catalogue';

/** A known class has at least so many parameters before sharing them means anything. */
const FEWEST = 3;

const known = new WeakMap<Instance, readonly string[]>();

/**
 * The classes of scikit-learn (or a library like it) that an object of somebody's own class derives from, most likely: fitting left
 * attributes, and every constructor parameter of theirs is among its attributes, as scikit-learn's conventions ask. Of several the ones
 * with the most parameters; empty for anything else.
 */
export function derivedFrom(value: Value | undefined): readonly string[] {
  if (!(value instanceof Instance)) return [];
  let found = known.get(value);
  if (!found) {
    found = search(value);
    known.set(value, found);
  }
  return found;
}

function search(value: Instance): string[] {
  const state = stateDict(value);
  if (!state || !classOf(value)) return [];
  const names = new Set<string>();
  let fitted = false;
  for (const key of state.keys()) {
    if (typeof key !== 'string') continue;
    names.add(key);
    fitted ||= /^[a-z]\w*[^_]_$/i.test(key);
  }
  if (!fitted || names.size < FEWEST) return [];
  let most = FEWEST;
  let best: string[] = [];
  for (const { name, parameters } of estimatorClasses('sklearn')) {
    if (name.startsWith('_') || name.startsWith('Base')) continue;
    // Parameters that the newest version has no more need not be there.
    const current = [...parameters]
      .filter(([, changes]) => changes.at(-1)?.text !== '-')
      .map(([parameter]) => parameter);
    if (current.length < most || !current.every((parameter) => names.has(parameter))) continue;
    if (current.length > most) best = [];
    most = current.length;
    best.push(name);
  }
  return best;
}

import { holdsMoreThan } from '../../pickle/dict';
import { asSequence, Instance, isDict, type Value } from '../../pickle/values';
import { attributesOf, isEstimator } from './estimator';

/** An estimator inside plain containers, and where it stands. */
export interface PlacedEstimator {
  path: string;
  estimator: Instance;
}

/** Attributes of one object that are searched for estimators; larger ones are data. */
const SEARCHED = 1000;

/** Levels that are searched below the value of the file. */
const LEVELS = 3;

/** How a step from a container to what it holds is written. */
export type Step = (key: Value, attribute: boolean) => string;

/**
 * Estimators at the top of a file: the value itself, or inside containers and objects of other classes (a wrapper of the user's own), at
 * most three levels deep.
 */
export function estimatorsIn(value: Value, step: Step): PlacedEstimator[] {
  const found: PlacedEstimator[] = [];
  search(value, step, (path, estimator) => {
    found.push({ path, estimator });
    return false;
  });
  return found;
}

/** Whether there is one. */
export function holdsEstimator(value: Value): boolean {
  let found = false;
  search(value, undefined, () => {
    found = true;
    return true;
  });
  return found;
}

/** Calls `visit` for each, until it returns true. */
function search(root: Value, step: Step | undefined, visit: (path: string, found: Instance) => boolean): void {
  const seen = new Set<Value>();
  const look = (item: Value, path: string, depth: number): boolean => {
    if (item === null || typeof item !== 'object' || seen.has(item)) return false;
    seen.add(item);
    if (isEstimator(item)) return visit(path, item);
    if (depth >= LEVELS) return false;
    const attributes = attributesOf(item);
    const entries = attributes ?? (isDict(item) ? item : undefined);
    if (entries) {
      if (holdsMoreThan(entries, SEARCHED)) return false;
      for (const [key, inner] of entries) {
        if (inner === null || typeof inner !== 'object') continue;
        const named = attributes !== undefined && typeof key === 'string';
        const next = step ? `${path}${named && path !== '' ? '.' : ''}${step(key, named)}` : '';
        if (look(inner, next, depth + 1)) return true;
      }
    } else if (!(item instanceof Instance)) {
      const items = asSequence(item);
      const end = Math.min(items?.length ?? 0, SEARCHED);
      for (let i = 0; i < end; i++) {
        const inner = (items as Value[])[i];
        if (inner === null || typeof inner !== 'object') continue;
        if (look(inner, step ? `${path}[${i}]` : '', depth + 1)) return true;
      }
    }
    return false;
  };
  look(root, '', 0);
}

import { asArray, plain } from '../../formats/numpy/pickled';
import { asSequence, asText, Global, Instance, isDict, type Value as Pickled, stateDict } from '../../pickle/values';
import type { Estimator } from './estimator';

/** A specification of columns as positions; `single` where one column is handed on as a vector. */
export interface ColumnChoice {
  readonly indices: readonly number[];
  readonly single: boolean;
}

/**
 * The columns that a specification chooses, as `sklearn.utils._get_column_indices` does: a position, a name, a list of either, a
 * slice of either (names: the last one included), a mask. Negative positions count from the end.
 * @param names names of the columns, where they are known; `count` their number
 */
export function chooseColumns(
  estimator: Estimator,
  spec: Pickled,
  names: readonly string[] | undefined,
  count: number | undefined,
): ColumnChoice {
  const value = plain(spec);
  const one = (item: Pickled): number => position(estimator, item, names, count);
  if (typeof value === 'string' || (typeof value === 'number' && typeof spec !== 'boolean'))
    return { indices: [one(value)], single: true };
  const range = sliceOf(spec);
  if (range) return { indices: sliceIndices(estimator, range, names, count), single: false };
  const items = asSequence(spec) ?? asArray(spec)?.toList() ?? remainderList(spec) ?? indexValues(spec);
  if (spec === null) return { indices: [], single: false };
  if (!items)
    throw estimator.unsupported('its columns are given in a way that is not known (a function that was not resolved)');
  const flat = items.map(plain);
  if (flat.length > 0 && flat.every((item) => typeof item === 'boolean'))
    return { indices: flat.flatMap((chosen, i) => (chosen ? [i] : [])), single: false };
  return { indices: flat.map(one), single: false };
}

/** Every name that occurs in a specification, for models that did not keep the names of their columns. */
export function namesIn(spec: Pickled): string[] {
  const value = plain(spec);
  if (typeof value === 'string') return [value];
  const range = sliceOf(spec);
  const items = range ?? asSequence(spec) ?? asArray(spec)?.toList() ?? remainderList(spec) ?? indexValues(spec) ?? [];
  return items.map(plain).filter((item): item is string => typeof item === 'string');
}

/** Values of a pickled pandas Index: `_new_Index(Index, {data, name})`. */
export function indexValues(value: Pickled | undefined): Pickled[] | undefined {
  if (!(value instanceof Instance) || !(value.callable instanceof Global)) return undefined;
  if (value.callable.name !== '_new_Index') return undefined;
  const given = asSequence(value.args)?.[1];
  if (!isDict(given)) return undefined;
  const data = given.get('data');
  const array = asArray(data);
  if (array) return array.toList();
  const [start, stop, step] = ['start', 'stop', 'step'].map((key) => plain(given.get(key) ?? null));
  if (typeof start === 'number' && typeof stop === 'number' && typeof step === 'number' && step !== 0)
    return Array.from(
      { length: Math.min(1e6, Math.max(0, Math.ceil((stop - start) / step))) },
      (_, i) => start + i * step,
    );
  // Newer pandas wraps the array: StringArray and the like keep it in their state.
  const state = stateDict(data);
  return asArray(state?.get('_ndarray'))?.toList();
}

/** scikit-learn 1.5 to 1.7 keep the remaining columns in `_RemainderColsList`, a list in its attribute `data`. */
function remainderList(value: Pickled): Pickled[] | undefined {
  return asSequence(stateDict(value)?.get('data'));
}

function sliceOf(value: Pickled): Pickled[] | undefined {
  if (!(value instanceof Instance) || !(value.callable instanceof Global) || value.callable.name !== 'slice')
    return undefined;
  return asSequence(value.args);
}

function sliceIndices(
  estimator: Estimator,
  range: readonly Pickled[],
  names: readonly string[] | undefined,
  count: number | undefined,
): number[] {
  const [start = null, stop = null, step = null] = range.map(plain);
  const total = count ?? names?.length;
  if (total === undefined)
    throw estimator.unsupported('the number of its columns, which a slice counts in, is not kept');
  const by = typeof step === 'number' ? step : 1;
  if (by === 0) throw estimator.unsupported('a slice of its columns has the step 0');
  const bound = (value: Pickled, byDefault: number, add: number): number => {
    if (value === null) return byDefault;
    if (typeof value === 'string') return position(estimator, value, names, count) + add;
    const number = Number(value);
    const low = by < 0 ? -1 : 0;
    return Math.min(Math.max(number < 0 ? number + total : number, low), by < 0 ? total - 1 : total);
  };
  const from = bound(start, by < 0 ? total - 1 : 0, 0);
  const to = bound(stop, by < 0 ? -1 : total, 1);
  const indices: number[] = [];
  for (let i = from; by > 0 ? i < to : i > to; i += by) indices.push(i);
  return indices;
}

function position(
  estimator: Estimator,
  item: Pickled,
  names: readonly string[] | undefined,
  count: number | undefined,
): number {
  const value = plain(item);
  if (typeof value === 'number' && Number.isInteger(value)) {
    if (value >= 0) return value;
    if (count === undefined)
      throw estimator.unsupported('it counts columns from the end, and their number is not kept');
    return value + count;
  }
  const text = asText(value);
  const index = text === undefined ? -1 : (names?.indexOf(text) ?? -1);
  if (index < 0)
    throw estimator.unsupported(`its column ${text ?? 'of an unknown kind'} is not among the names of its columns`);
  return index;
}

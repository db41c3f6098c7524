import { asArray, plain } from '../../formats/numpy/pickled';
import { indexValues, remainderList, sliceOf } from '../../formats/sklearn/column-names';
import { asSequence, asText, type Value as Pickled } from '../../pickle/values';
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

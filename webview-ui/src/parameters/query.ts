import { computed, signal } from '@preact/signals';
import type { ParameterQuery } from '../../../src/engine/contract';
import { persisted } from '../vscode';

/** Pixels of a row of the table. */
export const ROW_HEIGHT = 22;

export type SortKey = NonNullable<ParameterQuery['sort']>;

export const filter = persisted('parameters.filter', '');
export const dtype = persisted('parameters.dtype', '');
/** Only rows below this module path; '' for all. */
export const under = persisted('parameters.under', '');
export const sort = persisted<string>('parameters.sort', 'file');
export const descending = persisted('parameters.descending', false);
export const scroll = persisted('parameters.scroll', 0);

/** Row whose detail is open, by its position in the unsorted table; -1 for none. */
export const openRow = persisted('parameters.open', -1);

/** Counts up when the table should be seen from its first row. */
export const rewind = signal(0);

/** What the table asks for, without the slice. */
export const query = computed<Omit<ParameterQuery, 'start' | 'count'>>(() => ({
  ...(filter.value.trim() ? { filter: filter.value.trim() } : {}),
  ...(dtype.value ? { dtype: dtype.value } : {}),
  ...(under.value ? { under: under.value } : {}),
  ...(sort.value === 'file' ? {} : { sort: sort.value as SortKey }),
  ...(descending.value ? { descending: true } : {}),
}));

/** Shows some of the rows, from elsewhere in the view. */
export function showParameters(wanted: { filter: string; under: string; open?: number }): void {
  filter.value = wanted.filter;
  under.value = wanted.under;
  dtype.value = '';
  openRow.value = wanted.open ?? -1;
  if (wanted.open !== undefined) {
    sort.value = 'file';
    descending.value = false;
  }
  scroll.value = Math.max(0, ((wanted.open ?? 0) - 4) * ROW_HEIGHT);
  rewind.value++;
}

/** First click sorts (numbers from the largest), the second reverses, the third gives back the file's order. */
export function sortBy(key: SortKey): void {
  const largestFirst = key === 'count' || key === 'bytes';
  if (sort.value !== key) {
    sort.value = key;
    descending.value = largestFirst;
  } else if (descending.value === largestFirst) {
    descending.value = !largestFirst;
  } else {
    sort.value = 'file';
    descending.value = false;
  }
  scroll.value = 0;
  rewind.value++;
}

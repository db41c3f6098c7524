import { lightgbmIn } from '../../formats/boosters/fitted';
import type { ColumnInfo, LightGbmModel, LightGbmTree } from '../../formats/lightgbm/model';
import { plain } from '../../formats/numpy/pickled';
import { asSequence, type Value as Pickled } from '../../pickle/values';
import type { Cell } from '../predictor';
import type { CategoryLists } from './category-codes';
import type { Estimator } from './estimator';

function boosterOf(estimator: Estimator): Estimator {
  return estimator.optionalChild('_Booster') ?? estimator;
}

/** The model in the pickled `Booster`: of a wrapper, or the object itself. */
export function modelOf(estimator: Estimator): LightGbmModel {
  const model = lightgbmIn(estimator.instance);
  if (!model) throw estimator.unsupported('it holds no fitted booster');
  return model;
}

/** Early stopping leaves `best_iteration` (0 or less: all count). */
export function usedTrees(estimator: Estimator, model: LightGbmModel): readonly LightGbmTree[] {
  const best = boosterOf(estimator).optionalNumber('best_iteration') ?? 0;
  return best > 0 ? model.trees.slice(0, best * model.treesPerIteration) : model.trees;
}

/**
 * Columns of the training frame that were categories, with the categories of each. The model keeps the lists (`pandas_categorical`), in
 * the order of the columns, but not which columns; what was seen in each column tells.
 * @throws ModelError `unsupported` where several columns could be meant
 */
export function pandasCategories(estimator: Estimator): CategoryLists {
  const lists = (asSequence(boosterOf(estimator).value('pandas_categorical')) ?? []).map((list) =>
    (asSequence(list) ?? []).map((item) => asCell(estimator, plain(item))),
  );
  if (lists.length === 0) return new Map();
  const { columnInfos } = modelOf(estimator);
  const place = placesOf(
    lists.map((list) => list.length),
    columnInfos,
  );
  if (!place)
    throw estimator.unsupported(
      'it was fitted with the categories of a data frame, and does not say of which of its columns',
    );
  return new Map(place.map((column, i) => [column, { items: lists[i]! }]));
}

function asCell(estimator: Estimator, value: Pickled): Cell {
  if (value === null || ['number', 'string', 'boolean', 'bigint'].includes(typeof value)) return value as Cell;
  throw estimator.unsupported('it was fitted with categories that are neither text nor numbers');
}

/** Increasing columns for lists of the given lengths: the columns of categories if they are as many, else the only ones that fit. */
function placesOf(lengths: readonly number[], infos: readonly ColumnInfo[]): number[] | undefined {
  const fits = (list: number, column: number) => fitsColumn(lengths[list]!, infos[column]!);
  const categories = infos.flatMap(({ kind }, column) => (kind === 'categories' ? [column] : []));
  if (categories.length === lengths.length && categories.every((column, list) => fits(list, column))) return categories;
  // The first places that fit and the last ones: the same only if there is one way.
  const first: number[] = [];
  for (let column = 0; column < infos.length && first.length < lengths.length; column++)
    if (fits(first.length, column)) first.push(column);
  const last: number[] = [];
  for (let column = infos.length - 1; column >= 0 && last.length < lengths.length; column--)
    if (fits(lengths.length - 1 - last.length, column)) last.push(column);
  last.reverse();
  return first.length === lengths.length && first.every((column, list) => column === last[list]) ? first : undefined;
}

/** Whether what was seen in a column may be the codes of so many categories. */
function fitsColumn(length: number, { kind, low, high }: ColumnInfo): boolean {
  if (kind === 'unused') return true;
  return Number.isInteger(low) && Number.isInteger(high) && low >= -1 && high < length;
}

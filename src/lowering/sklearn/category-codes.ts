import { ModelError } from '../../bytes/errors';
import type { Value } from '../../onnx/graph';
import { float64 } from '../../onnx/tensor';
import type { PlanValue } from '../plan';
import type { Cell } from '../predictor';
import { Grid, isMissing } from './cells';
import { type Context, cellNumber } from './context';

/** What each code of a column stood for. */
export interface CategoryList {
  /** Undefined where the model does not say. */
  readonly items: readonly (Cell | undefined)[];
  /** More names of codes. */
  readonly aliases?: ReadonlyMap<string, number>;
  /** A name of which only the beginning is known, and its length in characters. */
  readonly cut?: { readonly beginning: string; readonly length: number; readonly code: number };
}

/** Columns of a data frame that were categories when a model was fitted. */
export type CategoryLists = ReadonlyMap<number, CategoryList>;

export interface CategoryRules {
  /** What the library does with a value that was not among the categories. */
  readonly unknown: 'missing' | 'refuse';
  /** Name of a column, for messages. */
  readonly nameOf: (column: number) => string;
}

/** Whether rows are a matrix of numbers in spite of the categories. */
export function areNumbers(lists: CategoryLists): boolean {
  return [...lists.values()].every(({ items }) => items.every((item) => typeof item === 'number'));
}

/**
 * The rows as a float64 matrix in which a category is its code, its place in the column's list; a missing one is NaN. pandas does
 * this with a categorical column (`cat.set_categories(list).codes`); values compare as Python's do, so text never equals a number.
 */
export function categoryCodes(context: Context, lists: CategoryLists, rules: CategoryRules, x: PlanValue): Value {
  if (lists.size === 0) return context.numeric(x);
  const codes = new Map([...lists].map(([column, list]) => [column, new Codes(list)]));
  const [coded] = context.plan.step('category_codes', [x], [{ name: 'codes', dtype: 'float64' }], ([rows]) => {
    const grid = new Grid(rows!);
    const data = new Float64Array(grid.rows * grid.columns);
    for (let row = 0; row < grid.rows; row++) {
      for (let column = 0; column < grid.columns; column++) {
        const cell = grid.at(row, column);
        const known = codes.get(column);
        const number = known ? known.of(cell) : cellNumber(cell);
        if (number === undefined && (!known || rules.unknown === 'refuse'))
          throw unfit(cell, row, column, rules, known);
        data[row * grid.columns + column] = number ?? Number.NaN;
      }
    }
    return [float64(data, [grid.rows, grid.columns])];
  });
  return coded;
}

/** Codes by the values that they stand for. */
class Codes {
  readonly names: readonly string[];
  private readonly codes = new Map<string, number>();

  constructor(private readonly list: CategoryList) {
    const known = list.items.filter((item) => item !== undefined);
    this.names = known.map(String);
    for (const [name, code] of list.aliases ?? []) this.codes.set(key(name), code);
    list.items.forEach((item, code) => {
      if (item !== undefined) this.codes.set(key(item), code);
    });
  }

  of(cell: Cell): number | undefined {
    if (isMissing(cell)) return Number.NaN;
    const { cut } = this.list;
    const isCut = typeof cell === 'string' && cut && cell.startsWith(cut.beginning) && [...cell].length === cut.length;
    return this.codes.get(key(cell)) ?? (isCut ? cut.code : undefined);
  }
}

function key(cell: Cell): string {
  return typeof cell === 'string' ? `s${cell}` : `n${Number(cell)}`;
}

function unfit(
  cell: Cell,
  row: number,
  column: number,
  { nameOf }: CategoryRules,
  known: Codes | undefined,
): ModelError {
  const where = `Row ${row + 1} holds ${typeof cell === 'string' ? `the text "${cell}"` : String(cell)} in ${nameOf(column)}`;
  if (!known) return new ModelError('usage', `${where}, where the model takes a number.`);
  const more = known.names.length > 12 ? `, … (${known.names.length})` : '';
  const names = known.names.slice(0, 12).join(', ');
  return new ModelError('usage', `${where}, which is none of its categories (${names}${more}).`);
}

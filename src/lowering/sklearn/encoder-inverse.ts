import { ModelError } from '../../bytes/errors';
import { asArray } from '../../formats/numpy/pickled';
import type { PlanValue } from '../plan';
import type { Cell, HostValue, Table } from '../predictor';
import { categoriesOf } from './categories';
import { Grid, makeTable } from './cells';
import type { Context, Method } from './context';
import type { Estimator } from './estimator';

/** What stands for all rare categories of a column together. */
const RARE = 'infrequent_sklearn';

/** One column of an encoder as `inverse_transform` sees it. */
interface Column {
  /** Labels by code: the categories, or those that are not rare and one for the rest. */
  readonly labels: readonly Cell[];
  /** All categories, rare ones included. */
  readonly categories: readonly Cell[];
  readonly hasRare: boolean;
}

function columnsOf(estimator: Estimator): Column[] {
  const enabled = estimator.flag('_infrequent_enabled', false);
  const rare = enabled ? (estimator.items('_infrequent_indices') ?? []) : [];
  return categoriesOf(estimator).map(({ values }, i) => {
    const categories = values as readonly Cell[];
    const indices = asArray(rare[i])?.toFloat64();
    if (!indices) return { labels: categories, categories, hasRare: false };
    const together = new Set(indices);
    return { labels: [...categories.filter((_, k) => !together.has(k)), RARE], categories, hasRare: true };
  });
}

function cellsStep(
  context: Context,
  width: number,
  columns: number,
  cell: (grid: Grid, row: number, column: number) => Cell,
): Method {
  return (x: PlanValue) =>
    context.cellsOutput(
      context.plan.step('categories', [x], [{ name: 'categories', dtype: 'mixed' }], ([value]): Table[] => {
        const grid = new Grid(value as HostValue);
        if (grid.columns !== width)
          throw new ModelError('usage', `The codes have ${grid.columns} columns; this encoder makes ${width}.`);
        return [makeTable(grid.rows, columns, (row, column) => cell(grid, row, column))];
      })[0],
    );
}

/**
 * The category with the largest code of its columns. A row of zeros is the dropped category; without one it is `None` where unknown
 * categories are ignored, and refused elsewhere. Source: sklearn `preprocessing/_encoders.py`, `OneHotEncoder.inverse_transform`.
 * @param dropped position of the dropped category of each column, after rare ones were put together
 */
export function oneHotInverse(
  estimator: Estimator,
  context: Context,
  dropped: readonly (number | undefined)[],
): { readonly width: number; readonly method: Method } {
  const columns = columnsOf(estimator).map((column, i) => ({
    ...column,
    kept: column.labels.filter((_, code) => code !== dropped[i]),
  }));
  const starts = [0];
  for (const { kept } of columns) starts.push(starts.at(-1)! + kept.length);
  const handling = estimator.optionalText('handle_unknown') ?? 'error';
  const cell = (grid: Grid, row: number, i: number): Cell => {
    const { kept, categories, labels, hasRare } = columns[i]!;
    const drop = dropped[i];
    if (kept.length === 0) return categories[drop ?? 0] ?? null;
    let [best, sum] = [0, 0];
    for (let k = 0; k < kept.length; k++) {
      const value = Number(grid.at(row, starts[i]! + k));
      sum += value;
      if (value > Number(grid.at(row, starts[i]! + best))) best = k;
    }
    if (sum !== 0) return kept[best]!;
    const ignored = handling === 'ignore' || (/^(infrequent_if_exist|warn)$/.test(handling) && !hasRare);
    if (ignored) return drop === undefined ? null : categories[drop]!;
    if (drop !== undefined) return labels[drop]!;
    // Nothing was dropped anywhere: the framework refuses such rows only where it drops none at all.
    if (estimator.since('0.21') && !estimator.has('drop'))
      throw new ModelError(
        'usage',
        `Row ${row + 1} has no category in column ${i + 1} (all zeros), which stands for none.`,
      );
    return kept[best]!;
  };
  const width = starts.at(-1)!;
  return { width, method: cellsStep(context, width, columns.length, cell) };
}

/**
 * The category of each code: `None` for `unknown_value`. Source: sklearn `preprocessing/_encoders.py`, `OrdinalEncoder.inverse_transform`.
 * @param missing where the missing value stands among the categories, by column
 */
export function ordinalInverse(
  estimator: Estimator,
  context: Context,
  missing: ReadonlyMap<number, number>,
  unknown: number,
  forMissing: number,
): Method {
  const columns = columnsOf(estimator);
  const ignores = estimator.optionalText('handle_unknown') === 'use_encoded_value';
  const same = (a: number, b: number) => a === b || (Number.isNaN(a) && Number.isNaN(b));
  const cell = (grid: Grid, row: number, i: number): Cell => {
    const { labels, categories } = columns[i]!;
    let code = Number(grid.at(row, i));
    const at = missing.get(i);
    if (at !== undefined && same(code, forMissing)) code = at;
    else if (ignores && same(code, unknown)) return null;
    const index = Math.trunc(code);
    // Python counts negative positions from the end.
    const label = labels[index < 0 ? index + labels.length : index];
    if (label !== undefined && index < labels.length) return label;
    throw new ModelError(
      'usage',
      `Row ${row + 1}, value ${i + 1} is ${code}; the codes of this column go from 0 to ${categories.length - 1}.`,
    );
  };
  return cellsStep(context, columns.length, columns.length, cell);
}

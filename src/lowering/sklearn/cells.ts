import type { Value } from '../../onnx/graph';
import { isStringData } from '../../onnx/tensor';
import type { PlanValue } from '../plan';
import type { Cell, HostValue, Table } from '../predictor';
import { type Context, isCells } from './context';

/** Rows and columns of any value as cells, so that code treats matrices, text and tables alike. A vector is one column. */
export class Grid {
  readonly rows: number;
  readonly columns: number;
  private readonly cells: ArrayLike<Cell>;
  private readonly bool: boolean;

  constructor(value: HostValue) {
    this.rows = value.shape[0] ?? 1;
    this.columns = value.shape[1] ?? 1;
    this.cells = value.data as ArrayLike<Cell>;
    this.bool = value.dtype === 'bool';
  }

  at(row: number, column: number): Cell {
    const cell = this.cells[row * this.columns + column] ?? null;
    return this.bool ? cell !== 0 : cell;
  }

  column(column: number): Cell[] {
    return Array.from({ length: this.rows }, (_, row) => this.at(row, column));
  }
}

/** A table of `columns` columns from a function of row and column. */
export function makeTable(rows: number, columns: number, cell: (row: number, column: number) => Cell): Table {
  const data: Cell[] = [];
  for (let row = 0; row < rows; row++) for (let column = 0; column < columns; column++) data.push(cell(row, column));
  return { dtype: 'mixed', shape: [rows, columns], data };
}

/** The columns at `indices`, in that order: a matrix of a matrix, cells of cells. */
export function selectColumns(context: Context, x: PlanValue, indices: readonly number[]): PlanValue {
  if (!isCells(x)) return context.plan.columns(x, indices);
  return context.plan.step('columns', [x], [{ name: 'columns', dtype: 'mixed' }], ([value]) => {
    const grid = new Grid(value!);
    return [makeTable(grid.rows, indices.length, (row, i) => grid.at(row, indices[i]!))];
  })[0];
}

/** One column as a list of texts, which vectorizers take. */
export function textColumn(context: Context, x: PlanValue, index: number): Value {
  return context.plan.step('text', [x], [{ name: 'text', dtype: 'string' }], ([value]) => {
    const texts = new Grid(value!).column(index).map((cell) => (cell === null ? '' : String(cell)));
    return [{ dtype: 'string', shape: [texts.length], data: texts }];
  })[0];
}

/** Parts side by side: a matrix if all are matrices of numbers, otherwise cells. */
export function sideBySide(context: Context, parts: readonly PlanValue[]): PlanValue {
  const { plan } = context;
  if (parts.every((part) => !isCells(part) && part.dtype !== 'string')) {
    return plan.concat(
      parts.map((part) => context.numeric(part)),
      1,
    );
  }
  return plan.step('side_by_side', parts, [{ name: 'columns', dtype: 'mixed' }], (values) => {
    const grids = values.map((value) => new Grid(value));
    // NumPy stacks a part of truth values beside numbers as 0 and 1; among other cells they stay what they are.
    const truths = new Set(grids.every(withoutText) ? grids.filter(allTruths) : []);
    const places = grids.flatMap((grid) => Array.from({ length: grid.columns }, (_, column) => ({ grid, column })));
    return [
      makeTable(grids[0]!.rows, places.length, (row, i) => {
        const { grid, column } = places[i]!;
        const cell = grid.at(row, column);
        return truths.has(grid) && truths.size < grids.length ? Number(cell) : cell;
      }),
    ];
  })[0];
}

function withoutText(grid: Grid): boolean {
  for (let column = 0; column < grid.columns; column++)
    if (grid.column(column).some((cell) => typeof cell === 'string')) return false;
  return true;
}

function allTruths(grid: Grid): boolean {
  for (let column = 0; column < grid.columns; column++)
    if (!grid.column(column).every((cell) => typeof cell === 'boolean')) return false;
  return grid.rows > 0 && grid.columns > 0;
}

/** Texts of a value made of strings; undefined for anything else. */
export function textsOf(value: HostValue): readonly string[] | undefined {
  return value.dtype !== 'mixed' && isStringData(value.data) ? value.data : undefined;
}

/** `None`, and a number that is not one. */
export function isMissing(cell: Cell): boolean {
  return cell === null || (typeof cell === 'number' && Number.isNaN(cell));
}

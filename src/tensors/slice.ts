import { ModelError } from '../bytes/errors';
import type { TensorRef } from './tensor';
import { elementTexts } from './text';

/** A window of a tensor as a grid: the last two dimensions are rows and columns, the others are fixed. */
export interface SliceWindow {
  /** Fixed indexes of the leading dimensions; missing ones are 0. */
  leading: readonly number[];
  rowStart: number;
  rowCount: number;
  columnStart: number;
  columnCount: number;
}

export interface Slice {
  rows: string[][];
  rowStart: number;
  columnStart: number;
  totalRows: number;
  totalColumns: number;
  leading: number[];
}

/** Cells of one answer; the view asks for what it shows. */
const MAX_CELLS = 100_000;

/**
 * Texts of a window of a tensor; only that part is read. A vector is one column, a scalar one cell.
 * @throws ModelError `usage` for leading indexes that do not exist, `truncated` if the bytes are not there.
 */
export function tensorSlice(ref: TensorRef, window: SliceWindow): Slice {
  const { shape } = ref;
  const totalColumns = shape.length >= 2 ? shape[shape.length - 1] : 1;
  const totalRows = shape.length >= 2 ? shape[shape.length - 2] : shape.length === 1 ? shape[0] : 1;
  const leadingShape = shape.slice(0, Math.max(0, shape.length - 2));
  const leading = leadingShape.map((size, d) => {
    const index = window.leading[d] ?? 0;
    if (!(Number.isInteger(index) && index >= 0 && (index < size || size === 0))) {
      throw new ModelError('usage', `Index ${index} of dimension ${d} does not exist; the tensor has ${size} there.`);
    }
    return index;
  });
  const rowStart = clamp(window.rowStart, totalRows);
  const columnStart = clamp(window.columnStart, totalColumns);
  const columnCount = Math.min(clamp(window.columnCount, MAX_CELLS), totalColumns - columnStart);
  const mostRows = columnCount > 0 ? Math.floor(MAX_CELLS / columnCount) : 0;
  const rowCount = Math.min(clamp(window.rowCount, MAX_CELLS), totalRows - rowStart, mostRows);
  const slice: Slice = { rows: [], rowStart, columnStart, totalRows, totalColumns, leading };
  if (shape.includes(0)) return slice;
  let base = 0;
  for (let d = 0; d < leading.length; d++) base = base * leadingShape[d] + leading[d];
  base *= totalRows * totalColumns;
  if (columnCount === totalColumns) {
    const cells = elementTexts(ref, base + rowStart * totalColumns, rowCount * totalColumns);
    for (let r = 0; r < rowCount; r++) slice.rows.push(cells.slice(r * totalColumns, (r + 1) * totalColumns));
  } else {
    for (let r = 0; r < rowCount; r++)
      slice.rows.push(elementTexts(ref, base + (rowStart + r) * totalColumns + columnStart, columnCount));
  }
  return slice;
}

function clamp(value: number, most: number): number {
  return Number.isFinite(value) ? Math.max(0, Math.min(Math.floor(value), most)) : 0;
}

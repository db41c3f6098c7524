import { ModelError } from '../bytes/errors';
import type { Parameter, TableSource } from '../model/model';
import { tensorSlice as sliceOf } from '../tensors/slice';
import { tensorStatistics as statisticsOf } from '../tensors/statistics';
import type { TensorRef } from '../tensors/tensor';
import type { TensorSlice, TensorStatistics } from './contract';
import { dtypeText } from './parameter-table';

/** Statistics of one row of the parameter table. @throws ModelError `unsupported` for values that are no numbers. */
export async function tensorStatistics(parameter: Parameter, exact: boolean): Promise<TensorStatistics> {
  return statisticsOf(tensorOf(parameter), { exact });
}

/** A window of the values of one row of the parameter table. */
export function tensorSlice(
  parameter: Parameter,
  window: { leading: number[]; rowStart: number; rowCount: number; columnStart: number; columnCount: number },
): TensorSlice {
  if (!parameter.tensor && parameter.table) return tableSlice(parameter, parameter.table, window);
  const ref = tensorOf(parameter);
  return { ...sliceOf(ref, window), shape: [...ref.shape], dtype: dtypeText(parameter) };
}

/** Cells of one answer; the view asks for what it shows. */
const MAX_CELLS = 100_000;

/** A window of a table whose columns have types of their own. */
function tableSlice(
  parameter: Parameter,
  table: TableSource,
  window: { rowStart: number; rowCount: number; columnStart: number; columnCount: number },
): TensorSlice {
  const columnStart = clamp(window.columnStart, table.columns.length);
  const columnCount = Math.min(clamp(window.columnCount, MAX_CELLS), table.columns.length - columnStart);
  const rowStart = clamp(window.rowStart, table.rowCount);
  const most = columnCount > 0 ? Math.floor(MAX_CELLS / columnCount) : 0;
  const rowCount = Math.min(clamp(window.rowCount, MAX_CELLS), table.rowCount - rowStart, most);
  return {
    shape: [...parameter.shape],
    dtype: dtypeText(parameter),
    rows: table.cells(rowStart, rowCount, columnStart, columnCount),
    rowStart,
    columnStart,
    totalRows: table.rowCount,
    totalColumns: table.columns.length,
    leading: [],
    columnNames: table.columns.slice(columnStart, columnStart + columnCount),
  };
}

function clamp(value: number, most: number): number {
  return Number.isFinite(value) ? Math.max(0, Math.min(Math.floor(value), most)) : 0;
}

function tensorOf(parameter: Parameter): TensorRef {
  if (parameter.tensor) return parameter.tensor;
  const why = parameter.note ? `: ${parameter.note}` : '; they are not plain values in this file';
  throw new ModelError(
    'unsupported',
    `The values of ${parameter.name} (${dtypeText(parameter)}) cannot be shown${why}.`,
  );
}

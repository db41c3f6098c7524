import type { ParameterRow } from '../../../src/engine/contract';
import { host } from '../rpc';

/** Most rows and columns that one copy takes; a clipboard and a spreadsheet hold no more with comfort. */
export const COPY_ROWS = 5000;
export const COPY_COLUMNS = 200;

/** Rows asked for at once. */
const CHUNK = 500;

/** The shown values as CSV, up to the limits above. */
export async function tensorCsv(row: ParameterRow, leading: number[]): Promise<string> {
  const lines: string[] = [];
  for (let rowStart = 0; rowStart < COPY_ROWS; ) {
    const slice = await host.tensor(row.index, {
      leading,
      rowStart,
      rowCount: CHUNK,
      columnStart: 0,
      columnCount: COPY_COLUMNS,
    });
    if (rowStart === 0 && slice.columnNames)
      lines.push(slice.columnNames.slice(0, COPY_COLUMNS).map(csvCell).join(','));
    for (const cells of slice.rows) lines.push(cells.map(csvCell).join(','));
    rowStart += slice.rows.length;
    if (slice.rows.length === 0 || rowStart >= slice.totalRows) break;
  }
  return `${lines.join('\n')}\n`;
}

/** A cell, quoted where needed; text that a spreadsheet would run as a formula gets an apostrophe. */
export function csvCell(text: string): string {
  const formula = /^[=+\-@\t\r]/.test(text) && !/^[+-]?(\d|\.\d|inf|nan|Infinity)/i.test(text);
  const safe = formula ? `'${text}` : text;
  return /[",\n\r]/.test(safe) || formula ? `"${safe.replace(/"/g, '""')}"` : safe;
}

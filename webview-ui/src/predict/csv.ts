import { t, tn } from '../l10n';

/** Tables pasted as text: comma, semicolon or tab between cells, quotes as in RFC 4180. */

export interface Table {
  header?: string[];
  rows: (string | number | boolean | null)[][];
}

/**
 * Reads a pasted table. The first line is a header if `columns` names it, or if it holds no number while the next one does.
 * @throws Error with a sentence for the user
 */
export function parseTable(text: string, columns: readonly string[] = []): Table {
  const delimiter = delimiterOf(text);
  const lines = splitCells(text, delimiter);
  if (lines.length === 0) throw new Error(t('There is no row.'));
  const [first, second] = lines;
  const named = first.some((cell) => columns.includes(cell.trim()));
  const isNumber = (cell: string): boolean => cell.trim() !== '' && Number.isFinite(Number(cell));
  const worded = second !== undefined && !first.some(isNumber) && second.some(isNumber);
  const header = named || worded ? first.map((cell) => cell.trim()) : undefined;
  const body = header ? lines.slice(1) : lines;
  if (body.length === 0) throw new Error(t('There is a header but no row.'));
  const width = (header ?? body[0]).length;
  body.forEach((cells, i) => {
    if (cells.length !== width) {
      throw new Error(
        tn(cells.length, 'Row {1} has {0} cell, expected {2}.', 'Row {1} has {0} cells, expected {2}.', i + 1, width),
      );
    }
  });
  return {
    ...(header ? { header } : {}),
    rows: body.map((cells) => cells.map((cell) => cellValue(delimiter === ';' ? decimalPoint(cell) : cell))),
  };
}

/** `2,5` as `2.5`; anything else as it is. */
function decimalPoint(cell: string): string {
  return /^\s*[+-]?\d+,\d+(e[+-]?\d+)?\s*$/i.test(cell) ? cell.replace(',', '.') : cell;
}

/** A cell as the value it reads as: number, true, false, missing, or text. */
export function cellValue(cell: string): string | number | boolean | null {
  const text = cell.trim();
  if (text === '' || /^(null|none|na|n\/a)$/i.test(text)) return null;
  if (/^nan$/i.test(text)) return 'NaN';
  if (/^[+-]?inf(inity)?$/i.test(text)) return text.startsWith('-') ? '-Infinity' : 'Infinity';
  if (/^true$/i.test(text)) return true;
  if (/^false$/i.test(text)) return false;
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) {
    const value = Number(text);
    // A whole number beyond 2^53 would change; as text it stays what it is.
    return Number.isInteger(value) && !Number.isSafeInteger(value) && /^[+-]?\d+$/.test(text) ? text : value;
  }
  return text;
}

/** The separator of the first line, outside quotes. */
function delimiterOf(text: string): string {
  const line = (/^[^\r\n]*/.exec(text.trimStart())?.[0] ?? '').replace(/"[^"]*"/g, '');
  const count = (separator: string): number => line.split(separator).length - 1;
  if (count('\t') > 0) return '\t';
  // Where semicolons separate, commas are decimal points.
  return count(';') > 0 ? ';' : ',';
}

function splitCells(text: string, delimiter: string): string[][] {
  const lines: string[][] = [];
  let cells: string[] = [];
  let cell = '';
  let quoted = false;
  const endLine = (): void => {
    cells.push(cell);
    if (cells.length > 1 || cell.trim() !== '') lines.push(cells);
    cells = [];
    cell = '';
  };
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (quoted) {
      if (character !== '"') cell += character;
      else if (text[i + 1] === '"') {
        cell += '"';
        i++;
      } else quoted = false;
    } else if (character === '"' && cell.trim() === '') {
      quoted = true;
      cell = '';
    } else if (character === delimiter) {
      cells.push(cell);
      cell = '';
    } else if (character === '\n' || character === '\r') {
      if (character === '\r' && text[i + 1] === '\n') i++;
      endLine();
    } else cell += character;
  }
  if (quoted) throw new Error(t('A quote is opened but not closed.'));
  endLine();
  return lines;
}

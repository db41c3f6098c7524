import { ModelError } from '../bytes/errors';

/** A table of text cells; `header` is set when the first line names the columns. */
export interface CsvTable {
  readonly header?: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/**
 * Reads comma, semicolon or tab separated values (RFC 4180 quoting, any line ending). The first line is a header when one of
 * its cells is not a number while the line below has a number in that place, when it repeats a name from `features`, or when
 * none of its cells is a number in a table that must hold numbers.
 */
export function parseCsv(text: string, features: readonly string[] | undefined, numeric: boolean): CsvTable {
  const content = text.replace(/^\ufeff/, '');
  const rows = split(content, separator(content));
  const [first, second] = rows;
  if (!first) throw new ModelError('usage', 'The CSV input is empty.');
  if (!isHeader(first, second, features, numeric)) return { rows };
  return { header: first.map((cell) => cell.trim()), rows: rows.slice(1) };
}

function isHeader(
  first: readonly string[],
  second: readonly string[] | undefined,
  features: readonly string[] | undefined,
  numeric: boolean,
): boolean {
  if (features && first.some((cell) => features.includes(cell.trim()))) return true;
  if (numeric) return first.every((cell) => cell.trim() === '' || !isNumber(cell));
  return (
    second !== undefined && first.some((cell, i) => !isNumber(cell) && second[i] !== undefined && isNumber(second[i]))
  );
}

function isNumber(cell: string): boolean {
  const text = cell.trim();
  return text !== '' && (Number.isFinite(Number(text)) || /^[+-]?(inf|infinity|nan)$/i.test(text));
}

/** The separator of the first line: the one of `,` `;` tab that stands outside quotes most often there. */
function separator(text: string): string {
  const line = /^(?:"(?:[^"]|"")*"|[^"\r\n])*/.exec(text)?.[0].replace(/"(?:[^"]|"")*"/g, '') ?? '';
  const counts = [',', ';', '\t'].map((mark) => [mark, line.split(mark).length] as const);
  return counts.reduce((best, next) => (next[1] > best[1] ? next : best))[0];
}

function split(text: string, mark: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let quoted = false;
  const endRow = () => {
    row.push(cell);
    if (row.length > 1 || row[0] !== '') rows.push(row);
    row = [];
    cell = '';
  };
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (quoted) {
      if (char !== '"') cell += char;
      else if (text[i + 1] === '"') {
        cell += '"';
        i++;
      } else quoted = false;
    } else if (char === '"' && cell === '') quoted = true;
    else if (char === mark) {
      row.push(cell);
      cell = '';
    } else if (char === '\n' || char === '\r') {
      if (char === '\r' && text[i + 1] === '\n') i++;
      endRow();
    } else cell += char;
  }
  if (quoted) throw new ModelError('usage', `The CSV input has a quote that is never closed (row ${rows.length + 1}).`);
  if (cell !== '' || row.length > 0) endRow();
  return rows;
}

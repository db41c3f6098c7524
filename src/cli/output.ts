import { asModelError } from '../bytes/errors';
import { failureOf } from '../engine/failure';
import { toJson } from '../engine/plain';

/** Writes the one JSON document of a command. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(toJson(value), null, 2)}\n`);
}

/** Reports a failure: as JSON on standard output where JSON was asked for, else as a sentence on standard error. Returns exit code 2. */
export function reportFailure(thrown: unknown, json: boolean, file?: string): number {
  const { code, message, offset, member, reason } = failureOf(asModelError(thrown, file ?? 'The file'));
  if (json) printJson({ error: { code, message, file, offset, member, reason } });
  else process.stderr.write(`modelglass: ${message}\n`);
  return 2;
}

/** Names and texts from a file may hold control characters that would drive the terminal; they are shown as escapes. */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (char) => {
    const code = char.charCodeAt(0);
    return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** `1234567` → `1.23 M`; exact below 10,000. */
export function humanCount(count: number): string {
  for (const [unit, size] of [
    ['T', 1e12],
    ['G', 1e9],
    ['M', 1e6],
    ['k', 1e4],
  ] as const) {
    if (count >= size) return `${(count / (unit === 'k' ? 1e3 : size)).toPrecision(3)} ${unit}`;
  }
  return String(count);
}

/** Bytes in binary units: `1.5 MiB`. */
export function humanBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = '';
  for (const next of units) {
    if (value < 1024) break;
    value /= 1024;
    unit = next;
  }
  return `${value.toPrecision(3)} ${unit}`;
}

/** Columns padded to their widest cell; numbers are right-aligned where `right` says so. */
export function columns(rows: string[][], right: number[] = [], indent = '  '): string {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length);
    });
  return rows
    .map((row) =>
      (
        indent +
        row.map((cell, i) => (right.includes(i) ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join('  ')
      ).trimEnd(),
    )
    .join('\n');
}

import { MAX_INTEGER_DIGITS } from '../bytes/limits';
import { narrow, parsePythonFloat, parsePythonInteger } from './text';

/**
 * The text arguments of INT, LONG and FLOAT as CPython's two loaders read them. They differ: the C loader calls `strtol`, takes C strings
 * (up to a NUL) and decides by length whether an INT is a boolean; the pure-Python one calls `int(text, 0)` and `float(text)`.
 * Sources: CPython `Modules/_pickle.c` (`load_int`, `load_long`, `load_float`), `Lib/pickle.py`.
 */
export interface Literal {
  value: boolean | number | bigint;
  /** How other loaders or versions read it, if they do not agree. */
  differs?: string;
}

/** Decimal digits that Python since 3.11 (and security releases before it) turns into an integer. */
const PYTHON_DIGITS = 4300;

type Read = boolean | number | bigint | undefined;

/** INT. `undefined` where every loader refuses it. @throws RangeError never; more than `MAX_INTEGER_DIGITS` digits count as refused. */
export function readIntLine(text: string): Literal | undefined {
  if (/^-?(0|[1-9]\d{0,14})$/.test(text) && text !== '-0') return { value: Number(text) };
  if (text === '00') return { value: false };
  if (text === '01') return { value: true };
  const c = intByC(text);
  const python = parsePythonInteger(text)?.value;
  return choose(c, python, newest(text), 'INT', text);
}

/** LONG: the trailing `L` is optional. */
export function readLongLine(text: string): Literal | undefined {
  const digits = text.endsWith('L') ? text.slice(0, -1) : text;
  if (/^-?(0|[1-9]\d{0,14})$/.test(digits) && digits !== '-0') return { value: Number(digits) };
  const c = text === '' ? undefined : parsePythonInteger(cString(digits))?.value;
  const python = parsePythonInteger(digits)?.value;
  return choose(c, python, newest(digits), 'LONG', text);
}

/** FLOAT. The C loader takes no white space and no underscores and refuses what overflows. */
export function readFloatLine(text: string): { value: number; differs?: string } | undefined {
  const head = cString(text);
  const python = parsePythonFloat(text);
  const forC = /^[^_\s]+$/.test(head) ? parsePythonFloat(head)?.value : undefined;
  const c = forC !== undefined && !Number.isFinite(forC) && /\d/.test(head) ? undefined : forC;
  if (c === undefined && python === undefined) return undefined;
  if (c !== undefined && python !== undefined && Object.is(c, python.value)) return { value: c };
  return {
    value: (c ?? python?.value) as number,
    differs: `FLOAT has ${quoted(text)}, which only one of CPython's loaders accepts.`,
  };
}

/** PUT and GET: `int(text)` in base 10; the C loader stops at a NUL. */
export function readIndexLine(text: string): { value: number | bigint; differs?: string } | undefined {
  if (/^\d{1,15}$/.test(text)) return { value: Number(text) };
  const c = text === '' ? undefined : decimal(cString(text));
  const python = decimal(text);
  if (c === undefined && python === undefined) return undefined;
  const value = (c ?? python) as bigint;
  return {
    value: narrow(value),
    ...(c === python
      ? {}
      : { differs: `A memo index is written ${quoted(text)}, which only one of CPython's loaders accepts.` }),
  };
}

function decimal(text: string): bigint | undefined {
  if (text.length > 400 || !/^[ \t\n\r\f\v]*[+-]?\d+(_\d+)*[ \t\n\r\f\v]*$/.test(text)) return undefined;
  const digits = text.replace(/[_\s+]/g, '');
  return digits.startsWith('-') ? -BigInt(digits.slice(1)) : BigInt(digits);
}

/** What a C function sees of a line. */
function cString(text: string): string {
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}

function intByC(text: string): Read {
  if (text === '') return undefined;
  const head = cString(text);
  const found = strtol(head);
  if (found === undefined) return parsePythonInteger(head)?.value;
  // The length that decides counts the newline, so `+1` and ` 0` are booleans as well.
  if (text.length === 2 && (found === 0n || found === 1n)) return found === 1n;
  return narrow(found);
}

/** `strtol(text, …, 0)` if it takes the whole text and does not overflow 64 bits; an empty text is 0. */
function strtol(text: string): bigint | undefined {
  if (text === '') return 0n;
  const match = /^[ \t\n\v\f\r]*([+-]?)(?:0[xX]([0-9a-fA-F]+)|0([0-7]*)|([1-9]\d*))$/.exec(text);
  if (!match) return undefined;
  const [, sign, hex, octal, plain] = match;
  if (Math.max(hex?.length ?? 0, octal?.length ?? 0, plain?.length ?? 0) > 400) return undefined;
  const size =
    hex !== undefined ? BigInt(`0x${hex}`) : octal !== undefined ? BigInt(`0o${octal || '0'}`) : BigInt(plain);
  const value = sign === '-' ? -size : size;
  return value >= -(1n << 63n) && value < 1n << 63n ? value : undefined;
}

/** The newest CPython reads base 10 only. */
function newest(text: string): Read {
  if (text === '00' || text === '01') return text === '01';
  if (!/^[ \t\n\r\f\v]*[+-]?\d+(_\d+)*[ \t\n\r\f\v]*$/.test(text) || text.length > MAX_INTEGER_DIGITS) return undefined;
  const digits = text.replace(/[_\s+]/g, '');
  return narrow(digits.startsWith('-') ? -BigInt(digits.slice(1)) : BigInt(digits));
}

function choose(c: Read, python: Read, latest: Read, opcode: string, text: string): Literal | undefined {
  const value = c ?? python ?? latest;
  if (value === undefined) return undefined;
  const long = text.length > PYTHON_DIGITS && /\d{4301}/.test(text) && !/^[ \t]*[+-]?0[xXoObB]/.test(text);
  const same = c === python && python === latest;
  if (same && !long) return { value };
  const why = long
    ? `has more than ${PYTHON_DIGITS} digits, which newer versions of Python refuse`
    : `is written ${quoted(text)}, which loaders and versions read differently`;
  return { value, differs: `An integer (${opcode}) ${why}.` };
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 40));
}

import { ModelError } from '../bytes/errors';
import type { Cell, HostValue, PredictorInput } from '../lowering/predictor';
import { counted } from '../model/counted';
import { allocate, type Dtype, type NumericData } from '../onnx/tensor';

type Json = unknown;

/** Rows of cells: what most estimators take. Everything else is a tensor. */
export function isTabular(input: PredictorInput): boolean {
  return (
    input.dtype === 'mixed' ||
    (input.shape.length === 2 && input.shape[0] === null && input.features !== undefined) ||
    (input.shape.length === 2 && input.shape[0] === null && input.dtype === 'float64')
  );
}

export function requireShape(input: PredictorInput, shape: readonly number[]): void {
  const fits =
    shape.length === input.shape.length && input.shape.every((size, i) => size === null || size === shape[i]);
  if (!fits) throw wrong(`${input.name} has the shape [${shape.join(', ')}], the model takes ${describe(input)}.`);
}

/** Converts cells to the dtype of the input; `where` names the place of a cell for messages. */
export function build(
  input: PredictorInput,
  cells: readonly Cell[],
  shape: readonly number[],
  where: (i: number) => string,
): HostValue {
  const { dtype } = input;
  if (dtype === 'mixed') return { dtype, shape, data: cells };
  if (dtype === 'string') {
    return {
      dtype,
      shape,
      data: cells.map((cell, i) => {
        if (typeof cell === 'string') return cell;
        throw wrong(`${where(i)} is ${kind(cell)}, the model takes text there.`);
      }),
    };
  }
  const data = allocate(dtype, cells.length) as NumericData;
  const convert = converter(dtype);
  cells.forEach((cell, i) => {
    const value = convert(cell);
    if (value === undefined) throw wrong(`${where(i)} is ${kind(cell)}, the model takes ${noun(dtype)} there.`);
    data[i] = value;
  });
  return { dtype, shape, data };
}

function converter(dtype: Exclude<Dtype, 'string'>): (cell: Cell) => number | bigint | undefined {
  if (dtype === 'int64' || dtype === 'uint64') {
    return (cell) => {
      if (typeof cell === 'bigint') return cell;
      const number = asNumber(cell);
      if (typeof cell === 'string' && /^\s*[+-]?\d+\s*$/.test(cell)) return BigInt(cell.trim());
      return number !== undefined && Number.isInteger(number) ? BigInt(number) : undefined;
    };
  }
  if (dtype === 'float64' || dtype === 'float32') return asNumber;
  if (dtype === 'bool') {
    return (cell) => {
      if (typeof cell === 'string' && /^(true|false)$/i.test(cell)) return cell.toLowerCase() === 'true' ? 1 : 0;
      const number = asNumber(cell);
      return number === 0 || number === 1 ? number : undefined;
    };
  }
  if (dtype === 'float16' || dtype === 'bfloat16')
    throw new ModelError('unsupported', `Inputs of dtype ${dtype} are not supported yet.`);
  const size = (allocate(dtype, 1) as NumericData).BYTES_PER_ELEMENT * 8;
  const [low, high] = dtype.startsWith('u') ? [0, 2 ** size - 1] : [-(2 ** (size - 1)), 2 ** (size - 1) - 1];
  return (cell) => {
    const number = asNumber(cell);
    return number !== undefined && Number.isInteger(number) && number >= low && number <= high ? number : undefined;
  };
}

/** The number that a cell stands for: missing values and empty text are NaN, text is read as a number. */
export function asNumber(cell: Cell): number | undefined {
  if (typeof cell === 'number') return cell;
  if (cell === null) return Number.NaN;
  if (typeof cell === 'boolean' || typeof cell === 'bigint') return Number(cell);
  const text = cell.trim();
  if (text === '' || /^(nan|na|n\/a|null|none)$/i.test(text)) return Number.NaN;
  const infinite = /^([+-]?)inf(inity)?$/i.exec(text);
  if (infinite) return infinite[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  // Number() also takes 0x10 and 1e3; Python's float() takes the second only.
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
}

/** Refuses what the framework itself refuses: missing and infinite values where the model does not take them. */
export function checked(input: PredictorInput, value: HostValue): HostValue {
  if (value.dtype !== 'float64' && value.dtype !== 'float32') return value;
  if (input.missing && input.infinite) return value;
  const data = value.data as Float64Array;
  for (let i = 0; i < data.length; i++) {
    const number = data[i]!;
    if (Number.isFinite(number)) continue;
    if (Number.isNaN(number) ? input.missing : input.infinite) continue;
    const problem = Number.isNaN(number)
      ? 'missing (NaN), and this model does not take missing values'
      : 'infinite, which this model does not take';
    throw wrong(`${position(input, i, value.shape)} is ${problem}.`);
  }
  return value;
}

export function asCell(value: Json, where: () => string): Cell {
  if (value === null || value === undefined) return null;
  if (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint')
    return value;
  throw wrong(`${where()} is ${kind(value)}; a single value belongs there.`);
}

export function position(input: PredictorInput, index: number, shape: readonly number[]): string {
  if (isTabular(input) && shape.length === 2) return place(input, Math.floor(index / shape[1]!), index % shape[1]!);
  const at: number[] = [];
  let rest = index;
  for (const size of [...shape].reverse()) {
    at.unshift(rest % Math.max(1, size));
    rest = Math.floor(rest / Math.max(1, size));
  }
  return `${input.name}[${at.join(', ')}]`;
}

export function place(input: PredictorInput, row: number, column: number): string {
  const name = input.features?.[column];
  return `Row ${row + 1}, ${name === undefined ? `value ${column + 1}` : `"${name}"`} of ${input.name}`;
}

/** The input in words: "float32 [*, 3, 224, 224]", "rows of 4 numbers". */
export function describe(input: PredictorInput): string {
  if (isTabular(input)) {
    const width = input.shape[1] ?? undefined;
    const what = input.dtype === 'mixed' ? 'value' : 'number';
    return width === undefined ? `rows of ${what}s` : `rows of ${counted(width, what)}`;
  }
  if (input.records) return 'a list of records (objects or lists)';
  if (input.dtype === 'string' && input.shape.length === 1) return 'a list of texts';
  return `${input.dtype} [${input.shape.map((size) => size ?? '*').join(', ')}]`;
}

function noun(dtype: Dtype): string {
  if (dtype.startsWith('float')) return 'a number';
  if (dtype === 'bool') return 'true or false';
  return `a whole number (${dtype})`;
}

export function kind(value: Json): string {
  if (value === null) return 'missing';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'string') return value.length > 40 ? `the text "${value.slice(0, 40)}…"` : `the text "${value}"`;
  if (typeof value === 'object') return 'an object';
  return `the ${typeof value === 'bigint' ? 'number' : typeof value} ${String(value)}`;
}

export function list(names: readonly string[]): string {
  const quoted = names.slice(0, 8).map((name) => `"${name}"`);
  if (names.length > 8) quoted.push(`${names.length - 8} more`);
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} and ${quoted.at(-1)}`;
}

export function isRecord(value: Json): value is Record<string, Json> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function wrong(message: string): ModelError {
  return new ModelError('usage', message);
}

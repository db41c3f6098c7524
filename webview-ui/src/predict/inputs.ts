import type { InputColumn, Signature, TensorSpec } from '../../../src/model/model';
import { t } from '../l10n';
import { cellValue, parseTable } from './csv';
import { mistakeIn } from './json-mistake';

/** Most fields that a form shows; wider tables are pasted. */
export const MOST_FIELDS = 60;
/** Most elements that `zeros(…)` and `random(…)` make. */
const MOST_GENERATED = 4_000_000;

/** What is wrong with an input, and with which. */
export class InputProblem extends Error {
  constructor(
    readonly field: string,
    message: string,
  ) {
    super(message);
  }
}

/** One value a user fills in. */
export interface Field {
  /** Unique in the form: the feature or input that it is for. */
  name: string;
  input: string;
  dtype: string;
  /** Values to choose from. */
  choices?: InputColumn['choices'];
  /** Values are text, also where they read as numbers. */
  text?: boolean;
}

export type FormKind =
  /** One table-like input whose columns are fields; `records` where a row is an object that may leave fields out. */
  | { kind: 'columns'; input: TensorSpec; fields: Field[]; records?: boolean }
  /** Several inputs of one value a row each. */
  | { kind: 'scalars'; fields: Field[] }
  /** One column of texts. */
  | { kind: 'text'; input: TensorSpec }
  | { kind: 'tensors' };

const isText = (dtype: string): boolean => /^(string|str|object|bytes|<U|\|S|utf8)/i.test(dtype);

/**
 * Which form suits a signature.
 * @param known what the model tells about the columns of its only input
 */
export function formFor(signature: Signature, known?: readonly InputColumn[]): FormKind {
  const { inputs } = signature;
  if (inputs.length === 1) {
    const [input] = inputs;
    if (known && known.length <= MOST_FIELDS && input.dtype === 'object' && input.shape?.length === 1) {
      const fields = known.map((column) => fieldOf(column.name, input, column));
      return { kind: 'columns', input, fields, records: true };
    }
    const columns = input.features?.length ?? (input.shape?.length === 2 ? (input.shape[1] ?? undefined) : undefined);
    const batched = input.shape === null || input.shape.length === 2;
    if (batched && columns !== undefined && columns > 0 && columns <= MOST_FIELDS) {
      const names = input.features ?? Array.from({ length: columns }, (_, i) => `x${i}`);
      return {
        kind: 'columns',
        input,
        fields: unique(names).map((name, i) => fieldOf(name, input, known?.length === columns ? known[i] : undefined)),
      };
    }
    if (isText(input.dtype) && input.shape?.length === 1) return { kind: 'text', input };
  }
  const scalar = (spec: TensorSpec): boolean =>
    spec.shape !== null &&
    (spec.shape.length === 0 ||
      (spec.shape.length === 1 && spec.shape[0] === null) ||
      (spec.shape.length === 2 && spec.shape[1] === 1));
  if (inputs.length > 0 && inputs.length <= MOST_FIELDS && inputs.every(scalar)) {
    return {
      kind: 'scalars',
      fields: inputs.map((spec) => ({ name: spec.name, input: spec.name, dtype: spec.dtype })),
    };
  }
  return { kind: 'tensors' };
}

function fieldOf(name: string, input: TensorSpec, column: InputColumn | undefined): Field {
  return {
    name,
    input: input.name,
    dtype: input.dtype,
    ...(column?.choices ? { choices: column.choices } : {}),
    ...(column?.text ? { text: true } : {}),
  };
}

/** A choice as the text that stands for it in a form; a missing value is empty. */
export function choiceText(choice: string | number | boolean | null): string {
  return choice === null ? '' : String(choice);
}

/** Whether a signature's input reads as a table, so that CSV makes sense. */
export function takesTable(signature: Signature): TensorSpec | undefined {
  const [input] = signature.inputs;
  if (signature.inputs.length !== 1) return undefined;
  return input.features || input.shape === null || input.shape.length === 2 ? input : undefined;
}

/** Columns may have the same name twice; fields may not. */
function unique(names: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return names.map((name) => {
    const times = (seen.get(name) ?? 0) + 1;
    seen.set(name, times);
    return times === 1 ? name : `${name} (${times})`;
  });
}

const wantsNumber = (dtype: string): boolean => /^(float|int|uint|bfloat|double|complex|bool)/.test(dtype);

/** The value that a field's text stands for. @throws InputProblem */
export function fieldValue(field: Field, text: string): unknown {
  const choice = field.choices?.find((one) => choiceText(one) === text);
  if (choice !== undefined) return choice;
  if (field.text) return text === '' ? null : text;
  const value = cellValue(text);
  if (!wantsNumber(field.dtype)) return isText(field.dtype) && field.dtype !== 'object' ? text : value;
  if (value === null) {
    if (!/^(float|bfloat|double)/.test(field.dtype)) throw new InputProblem(field.name, t('A value is missing.'));
    return null;
  }
  const special = value === 'NaN' || value === 'Infinity' || value === '-Infinity';
  const bigInteger = typeof value === 'string' && /^[+-]?\d+$/.test(value);
  // A categorical column of a model that takes numbers elsewhere arrives as text only where the type says so.
  if (typeof value === 'string' && !special && !bigInteger)
    throw new InputProblem(field.name, t('“{0}” is not a number.', text.trim()));
  if (/^u?int/.test(field.dtype) && (special || (typeof value === 'number' && !Number.isInteger(value)))) {
    throw new InputProblem(field.name, t('A whole number is expected.'));
  }
  return value;
}

/** Inputs from a filled form, a batch of one row. @throws InputProblem for the first field that is wrong */
export function fromForm(form: FormKind, texts: Record<string, string>): Record<string, unknown> {
  if (form.kind === 'columns') {
    const { fields, input } = form;
    const cells = fields.map((field) => fieldValue(field, texts[field.name] ?? ''));
    if (!form.records) return { [input.name]: [cells] };
    const given = fields.flatMap((field, i) => (cells[i] === null ? [] : [[field.name, cells[i]]]));
    return { [input.name]: [Object.fromEntries(given)] };
  }
  if (form.kind === 'scalars') {
    return Object.fromEntries(form.fields.map((field) => [field.input, [fieldValue(field, texts[field.name] ?? '')]]));
  }
  if (form.kind === 'text') return { [form.input.name]: [texts[form.input.name] ?? ''] };
  throw new InputProblem('', t('This signature has no form.'));
}

/** Inputs from a pasted table. @throws InputProblem */
export function fromTable(input: TensorSpec, text: string): Record<string, unknown> {
  try {
    const { header, rows } = parseTable(text, input.features ?? []);
    // Named columns may stand in any order; rows by name say which is which.
    if (header && input.features) {
      const missing = input.features.filter((name) => !header.includes(name));
      if (missing.length > 0)
        throw new Error(
          t('These columns are missing: {0}', `${missing.slice(0, 5).join(', ')}${missing.length > 5 ? '…' : ''}`),
        );
      return { [input.name]: rows.map((cells) => input.features?.map((name) => cells[header.indexOf(name)])) };
    }
    return { [input.name]: rows };
  } catch (error) {
    throw new InputProblem(input.name, (error as Error).message);
  }
}

/** One tensor from its box: JSON, or `zeros(1, 3, 224, 224)`, `ones(…)`, `random(…)`. @throws InputProblem */
export function fromBox(spec: TensorSpec, text: string): unknown {
  const made = /^\s*(zeros|ones|random)\s*\(([\d\s,×x]*)\)\s*$/i.exec(text);
  if (made) {
    const shape = (made[2].match(/\d+/g) ?? []).map(Number);
    const count = shape.reduce((product, size) => product * size, 1);
    if (count > MOST_GENERATED) {
      throw new InputProblem(
        spec.name,
        t(
          '{0} values are too many to make here; at most {1}.',
          count.toLocaleString('en-US'),
          MOST_GENERATED.toLocaleString('en-US'),
        ),
      );
    }
    const whole = /^u?int|^bool/.test(spec.dtype);
    const fill = made[1].toLowerCase();
    const value = (): number =>
      fill === 'zeros'
        ? 0
        : fill === 'ones'
          ? 1
          : whole
            ? Math.round(Math.random())
            : Number((Math.random() * 2 - 1).toFixed(4));
    return { dtype: spec.dtype, shape, data: Array.from({ length: count }, value) };
  }
  return parseJson(spec.name, text);
}

/** JSON with the place of a mistake. Python's literals for missing values are understood. @throws InputProblem */
export function parseJson(field: string, text: string): unknown {
  if (text.trim() === '') throw new InputProblem(field, t('There is nothing here yet.'));
  const quoted = quoteNonFinite(text);
  try {
    return JSON.parse(quoted);
  } catch {
    const before = quoted.slice(0, mistakeIn(quoted));
    const line = before.split('\n').length;
    const column = before.length - before.lastIndexOf('\n');
    throw new InputProblem(field, t('This is not JSON; the mistake is at line {0}, column {1}.', line, column));
  }
}

/** `NaN`, `Infinity` and `-Infinity` outside strings, which JSON lacks, as the texts that the engine takes for them. */
function quoteNonFinite(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g, (found) =>
    found.startsWith('"') ? found : `"${found}"`,
  );
}

/** Inputs from one JSON text for the whole signature: an object by input name, or the data of the only input. @throws InputProblem */
export function fromJson(signature: Signature, text: string): Record<string, unknown> {
  const value = parseJson('', text);
  const names = signature.inputs.map((spec) => spec.name);
  const isObject = value !== null && typeof value === 'object' && !Array.isArray(value);
  if (isObject && Object.keys(value).some((key) => names.includes(key))) return value as Record<string, unknown>;
  if (names.length === 1) {
    // A single row, by name or as a list, is a batch of one.
    const [input] = signature.inputs;
    const tableLike = takesTable(signature) !== undefined;
    if (tableLike && isObject && !('data' in value)) return { [input.name]: [value] };
    if (tableLike && Array.isArray(value) && !value.some((row) => row !== null && typeof row === 'object'))
      return { [input.name]: [value] };
    return { [input.name]: value };
  }
  throw new InputProblem('', t('Expected an object with {0}.', names.map((name) => JSON.stringify(name)).join(', ')));
}

/** What a box for a tensor starts with. */
export function boxExample(spec: TensorSpec): string {
  if (spec.example !== undefined) return JSON.stringify(spec.example);
  if (spec.shape === null) return '';
  if (isText(spec.dtype)) return spec.shape.length === 0 ? '""' : `[${spec.shape.length > 1 ? '[""]' : '""'}]`;
  return `zeros(${spec.shape.map((size) => size ?? 1).join(', ')})`;
}

import type { PredictForm } from '../../../src/engine/contract';
import type { InputColumn, Signature } from '../../../src/model/model';
import type { Mode } from './input-form';
import { boxExample, formFor } from './inputs';

/** Whether a signature takes the input that the form's example and columns describe: all methods of an estimator do, but the inverse ones. */
export function sharesInput(form: PredictForm, signature: Signature): boolean {
  return form.signatures[0] === signature || form.methods.includes(signature.name);
}

/** What a field holds before anything was typed: the example row that the engine made. */
export function startingText(form: PredictForm, signature: Signature, mode: Mode, field: string): string {
  const { example, columns } = sharesInput(form, signature) ? form : { example: undefined, columns: undefined };
  switch (mode) {
    case 'json':
      return example ?? '';
    case 'csv':
      return columns ? tableOf(columns, signature.inputs[0]?.features !== undefined) : '';
    case 'tensors': {
      const spec = signature.inputs.find((input) => input.name === field);
      return spec ? boxExample(spec) : '';
    }
    case 'form': {
      const at = formFields(signature, columns).indexOf(field);
      if (columns && at >= 0) return String(columns[at]?.example ?? '');
      return example === undefined ? '' : exampleField(example, signature.inputs[0]?.name ?? '', field, at);
    }
  }
}

function formFields(signature: Signature, columns: readonly InputColumn[] | undefined): string[] {
  const form = formFor(signature, columns);
  return form.kind === 'columns' ? form.fields.map(({ name }) => name) : [];
}

/** The example row as CSV, below a header if the columns have names. */
function tableOf(columns: readonly InputColumn[], named: boolean): string {
  const line = (cells: string[]): string => cells.map(quoted).join(',');
  const row = line(columns.map(({ example }) => String(example)));
  return named ? `${line(columns.map(({ name }) => name))}\n${row}` : row;
}

function quoted(cell: string): string {
  return /[",;\t\r\n]/.test(cell) ? `"${cell.replace(/"/g, '""')}"` : cell;
}

/** A field's value out of the first row of the example: by its name, or by its position among the columns (-1 for none). */
function exampleField(example: string, input: string, field: string, column: number): string {
  let value: unknown;
  try {
    value = JSON.parse(example);
  } catch {
    return '';
  }
  if (isRecord(value)) value = field in value ? value[field] : (value[input] ?? value);
  while (Array.isArray(value) && (Array.isArray(value[0]) || isRecord(value[0]))) value = value[0];
  if (isRecord(value)) value = value[field];
  else if (Array.isArray(value)) value = value[Math.max(0, column)];
  return value === null || value === undefined || typeof value === 'object' ? '' : String(value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

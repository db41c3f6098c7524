import { BufferSource } from '../bytes/byte-source';
import { ModelError } from '../bytes/errors';
import { openNpy } from '../formats/numpy/npy';
import type { Predictor } from '../lowering/predictor';
import { parseCsv } from '../prediction/csv';

/**
 * Inputs of a prediction from files: `-` or `FILE` (JSON for all inputs, or one input's CSV or .npy), `NAME=FILE` for one input.
 * @param read gives the bytes of a file, or of standard input for `-`
 * @throws ModelError `usage` for a file that is in no format an input can have
 */
export function readPredictionInputs(
  predictor: Predictor,
  given: string[],
  read: (file: string) => Uint8Array,
): Record<string, unknown> {
  const names = predictor.inputs.map((input) => input.name);
  const inputs: Record<string, unknown> = {};
  for (const word of given) {
    const equals = word.indexOf('=');
    const name = equals > 0 && names.includes(word.slice(0, equals)) ? word.slice(0, equals) : undefined;
    const file = name === undefined ? word : word.slice(equals + 1);
    const target = name ?? (names.length === 1 ? names[0] : undefined);
    const content = parseContent(predictor, target, file, read(file));
    if (name !== undefined) inputs[name] = content;
    else if (isInputs(content, names)) Object.assign(inputs, content);
    else if (names.length === 1) inputs[names[0]] = content;
    else throw new ModelError('usage', `${file} must hold an object with the inputs ${names.join(', ')}.`);
  }
  return inputs;
}

function isInputs(content: unknown, names: string[]): content is Record<string, unknown> {
  return (
    typeof content === 'object' &&
    content !== null &&
    !Array.isArray(content) &&
    names.some((name) => Object.hasOwn(content, name))
  );
}

function parseContent(predictor: Predictor, target: string | undefined, file: string, bytes: Uint8Array): unknown {
  if (bytes[0] === 0x93 && Buffer.from(bytes.subarray(1, 6)).toString('latin1') === 'NUMPY') {
    const array = openNpy(new BufferSource(bytes, file));
    return { dtype: array.dtype.type, shape: [...array.shape], data: array.toList() };
  }
  if (/\.(png|jpe?g)$/i.test(file)) {
    throw new ModelError(
      'unsupported',
      `${file} is an image; image inputs are not supported for this model yet. Give its pixels as .npy or JSON.`,
    );
  }
  const text = Buffer.from(bytes)
    .toString('utf8')
    .replace(/^\ufeff/, '');
  const csv = /\.csv$/i.test(file);
  if (!csv) {
    try {
      return JSON.parse(text);
    } catch (error) {
      if (/\.json$/i.test(file) || /^\s*[[{"]/.test(text)) {
        throw new ModelError(
          'usage',
          `${file === '-' ? 'Standard input' : file} is not JSON: ${(error as Error).message}`,
        );
      }
    }
  }
  const input = predictor.inputs.find((i) => i.name === target);
  if (!input)
    throw new ModelError(
      'usage',
      `${file} holds a table, but the model has several inputs: say which with NAME=${file}.`,
    );
  const { header, rows } = parseCsv(text, input.features, input.dtype !== 'mixed' && input.dtype !== 'string');
  if (input.records && header)
    return rows.map((row) => Object.fromEntries(header.map((name, i) => [name, cellOf(row[i] ?? '')])));
  const cells = rows.map((row) => (input.dtype === 'string' ? [...row] : row.map(cellOf)));
  if (input.dtype === 'string' && input.shape.length === 1) return cells.map((row) => row[0]);
  if (header && input.features?.every((feature) => header.includes(feature))) {
    return cells.map((row) =>
      Object.fromEntries(
        header.map((column, i) => [column, row[i]]).filter(([column]) => input.features?.includes(column as string)),
      ),
    );
  }
  return cells;
}

/** A CSV cell as a data frame would read it: empty is missing, what reads as a number is one. */
function cellOf(text: string): string | number | null {
  const cell = text.trim();
  if (cell === '') return null;
  if (/^[+-]?(inf|infinity)$/i.test(cell))
    return cell.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (/^nan$/i.test(cell)) return null;
  return Number.isFinite(Number(cell)) ? Number(cell) : text;
}

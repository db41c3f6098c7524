import type { Predictor, PredictorInput } from '../lowering/predictor';
import type { InputColumn } from '../model/model';

/** Elements of an example that are written as rows; more stand in one flat list, and still more are asked for as files. */
const MAX_ELEMENTS = 4096;
const MAX_FLAT = 65_536;

/**
 * A first input of one row: typical values where the model tells them, otherwise zeros of the right shape, and text where text is expected.
 * @param columns what is known of the columns of the only input; `item`: a row of it, where rows are not made of columns
 */
export function exampleInput(predictor: Predictor, columns?: readonly InputColumn[], item?: unknown): unknown {
  if (item !== undefined) return [item];
  const entries = predictor.inputs.map((input) => [input.name, exampleOf(input, columns)] as const);
  return entries.length === 1 ? entries[0][1] : Object.fromEntries(entries);
}

function exampleOf(input: PredictorInput, columns: readonly InputColumn[] | undefined): unknown {
  if (columns && (input.records || input.features))
    return [Object.fromEntries(columns.map(({ name, example }) => [name, example]))];
  if (columns) return [columns.map(({ example }) => example)];
  if (input.records) return [{}];
  const shape = input.shape.map((size) => size ?? 1);
  const count = shape.reduce((a, b) => a * b, 1);
  if (count > MAX_ELEMENTS) {
    const flat = count <= MAX_FLAT && input.dtype !== 'string' && input.dtype !== 'mixed';
    return { dtype: input.dtype, shape, data: flat ? new Array(count).fill(input.dtype === 'bool' ? false : 0) : [] };
  }
  if (input.features && shape.length === 2)
    return [Object.fromEntries(input.features.map((name) => [name, input.dtype === 'string' ? '' : 0]))];
  const leaf =
    input.dtype === 'string' || (input.dtype === 'mixed' && shape.length === 1)
      ? 'text'
      : input.dtype === 'bool'
        ? false
        : 0;
  return nest(shape, leaf);
}

function nest(shape: readonly number[], leaf: unknown): unknown {
  if (shape.length === 0) return leaf;
  return Array.from({ length: shape[0] }, () => nest(shape.slice(1), leaf));
}

import type { Predictor, PredictorInput } from '../lowering/predictor';

/** Elements of an example; larger inputs are asked for as files. */
const MAX_ELEMENTS = 4096;

/** A first input that has the right shape and types: zeros, one row, text where text is expected. Not a plausible one, and not meant to be. */
export function exampleInput(predictor: Predictor): unknown {
  const entries = predictor.inputs.map((input) => [input.name, exampleOf(input)] as const);
  return entries.length === 1 && predictor.rowwise ? entries[0][1] : Object.fromEntries(entries);
}

function exampleOf(input: PredictorInput): unknown {
  if (input.records)
    return [Object.fromEntries((input.features ?? []).slice(0, MAX_ELEMENTS).map((name) => [name, 0]))];
  const shape = input.shape.map((size) => size ?? 1);
  const count = shape.reduce((a, b) => a * b, 1);
  if (count > MAX_ELEMENTS) return { dtype: input.dtype, shape, data: [] };
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

import { classOf, stateDict, type Value } from '../../pickle/values';
import { asArray, shapeOf } from '../numpy/pickled';

/** Shape and storage of a scipy.sparse matrix. */
export interface SparseMatrix {
  format: string;
  shape: number[];
  stored: number;
  dtype: string;
}

export function asSparse(value: Value | undefined): SparseMatrix | undefined {
  const global = classOf(value);
  if (!global?.module.startsWith('scipy.sparse')) return undefined;
  const match = /^(csr|csc|coo|bsr|dia|lil|dok)_(matrix|array)$/.exec(global.name);
  const state = stateDict(value);
  if (!match || !state) return undefined;
  const shape = shapeOf(state.get('_shape') ?? state.get('shape'));
  const data = asArray(state.get('data'));
  if (!shape) return undefined;
  return { format: match[1], shape, stored: data?.size ?? 0, dtype: data?.dtype.text ?? '' };
}

import { asSequence, asText, Global, Instance, isDict, type Value } from '../../pickle/values';
import { sizes } from './described';
import type { TensorReader } from './pickled-tensor';
import type { TorchLayout, TorchTensor } from './tensor';

/** The layout that `torch.serialization._get_layout` is asked for, or that an old file names. */
export function layoutName(value: Value | undefined): TorchLayout {
  const name =
    value instanceof Global
      ? value.name
      : (asText(value)?.replace(/^torch\./, '') ??
        asText(asSequence(value instanceof Instance ? value.args : null)?.[0])?.replace(/^torch\./, ''));
  return name !== undefined && /^sparse_(coo|csr|csc|bsr|bsc)$/.test(name) ? (name as TorchLayout) : 'sparse_coo';
}

/** A sparse tensor by its components. Source: torch `_utils.py`, `_rebuild_sparse_tensor`. */
export function sparse(layout: TorchLayout, data: Value[], reader: TensorReader): TorchTensor | undefined {
  const names =
    layout === 'sparse_coo'
      ? ['indices', 'values']
      : layout === 'sparse_csc' || layout === 'sparse_bsc'
        ? ['ccol_indices', 'row_indices', 'values']
        : ['crow_indices', 'col_indices', 'values'];
  const parts: [string, TorchTensor][] = [];
  names.forEach((name, i) => {
    const part = reader.read(data[i]);
    if (part) parts.push([name, part]);
  });
  const values = parts.find(([name]) => name === 'values')?.[1];
  const shape = sizes(data[names.length]);
  if (!values || !shape) return undefined;
  const tensor: TorchTensor = { dtype: values.dtype, shape: shape.sizes, offset: 0, isParameter: false, layout, parts };
  if (values.device !== undefined) tensor.device = values.device;
  if (shape.problem) tensor.problem = shape.problem;
  return tensor;
}

/** (buffer, sizes, strides, storage offsets) */
export function nested(args: Value[], reader: TensorReader): TorchTensor | undefined {
  const buffer = reader.read(args[0]);
  if (!buffer) return undefined;
  const parts: [string, TorchTensor][] = [['buffer', buffer]];
  for (const [name, value] of [
    ['sizes', args[1]],
    ['strides', args[2]],
    ['offsets', args[3]],
  ] as const) {
    const part = reader.read(value);
    if (part) parts.push([name, part]);
  }
  return { ...buffer, layout: 'nested', parts, notes: ['nested tensor: its buffer is shown'] };
}

/** A nested tensor of jagged layout: all rows in `values`, where they begin in `offsets`. Source: torch `nested/_internal/nested_tensor.py`. */
export function jagged(inner: Value | undefined, reader: TensorReader): TorchTensor | undefined {
  if (!isDict(inner)) return undefined;
  const values = reader.read(inner.get('_values') ?? inner.get('values'));
  if (!values) return undefined;
  const parts: [string, TorchTensor][] = [['values', values]];
  for (const name of ['offsets', 'lengths']) {
    const part = reader.read(inner.get(`_${name}`) ?? inner.get(name));
    if (part) parts.push([name, part]);
  }
  return { ...values, layout: 'nested', parts, notes: ['jagged nested tensor: its values are shown'] };
}

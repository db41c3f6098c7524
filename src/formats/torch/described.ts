import { asNumber, asSequence, asText, classOf, Instance, isDict, type Value } from '../../pickle/values';
import { elementCount } from '../../tensors/dtype';
import { dtypeOf } from './dtypes';
import type { TorchLayout, TorchTensor } from './tensor';

/** Integers of a `torch.Size`, tuple or list. Negative and astronomical ones are kept and reported. */
export function sizes(value: Value | undefined): { sizes: number[]; problem?: string } | undefined {
  let items = asSequence(value);
  if (!items && value instanceof Instance && classOf(value)?.path === 'torch.Size')
    items = asSequence(asSequence(value.args)?.[0]) ?? [];
  if (!items || items.length > 1024) return undefined;
  if (isPlainSizes(items)) return { sizes: items };
  const out: number[] = [];
  let problem: string | undefined;
  for (const item of items) {
    const n = asNumber(item);
    if (n === undefined) return undefined;
    if (!Number.isSafeInteger(n))
      problem ??= `one dimension is ${String(typeof item === 'bigint' ? item : n)}, more than any file can hold`;
    else if (n < 0) problem ??= `one dimension is ${n}`;
    out.push(n);
  }
  if (!problem && elementCount(out) === Number.POSITIVE_INFINITY)
    problem = `its shape (${out.join(', ')}) has more elements than any file can hold`;
  return problem === undefined ? { sizes: out } : { sizes: out, problem };
}

/** Whether the items are sizes as nearly every file has them, so that the array itself serves: nobody changes it. */
function isPlainSizes(items: readonly Value[]): items is number[] {
  let count = 1;
  for (let i = 0; i < items.length; i++) {
    const item = items[i];
    if (typeof item !== 'number' || !(item >= 0) || !Number.isSafeInteger(item)) return false;
    count *= item;
  }
  return count <= Number.MAX_SAFE_INTEGER;
}

/** Sets what a rebuild call says of gradients. */
export function withGrad(tensor: TorchTensor | undefined, requiresGrad: Value | undefined): TorchTensor | undefined {
  if (tensor && typeof requiresGrad === 'boolean') tensor.requiresGrad = requiresGrad;
  return tensor;
}

/** Sets the conjugate and negative bits that the metadata of a rebuild call tell. */
export function withMetadata(tensor: TorchTensor | undefined, metadata: Value | undefined): TorchTensor | undefined {
  if (!tensor || !isDict(metadata)) return tensor;
  const conjugate = metadata.get('conj') === true;
  const negative = metadata.get('neg') === true;
  if (!conjugate && !negative) return tensor;
  tensor.flips = { conjugate, negative };
  if (conjugate) addNote(tensor, 'conjugate of what is stored');
  if (negative) addNote(tensor, 'negative of what is stored');
  return tensor;
}

/** Something said about a tensor that has no place of its own. */
export function addNote(tensor: TorchTensor, note: string): void {
  tensor.notes ??= [];
  tensor.notes.push(note);
}

/** A tensor without a storage: meta tensors and wrappers. */
export function described(
  dtype: Value | undefined,
  size: Value | undefined,
  stride: Value | undefined,
  offset: Value | undefined,
  requiresGrad: Value | undefined,
  layout: TorchLayout,
  device: string | undefined,
): TorchTensor | undefined {
  const type = dtypeOf(dtype);
  const shape = sizes(size);
  if (!type || !shape) return undefined;
  const tensor: TorchTensor = {
    dtype: type,
    shape: shape.sizes,
    offset: asNumber(offset) ?? 0,
    isParameter: false,
    layout,
  };
  const strides = sizes(stride);
  if (strides && strides.sizes.length === shape.sizes.length) tensor.strides = strides.sizes;
  if (device !== undefined) tensor.device = device;
  if (shape.problem) tensor.problem = shape.problem;
  return withGrad(tensor, requiresGrad);
}

/** Text of a `torch.device(type, index)` call, or of a device string. */
export function deviceName(value: Value | undefined): string | undefined {
  const text = asText(value);
  if (text !== undefined) return text;
  if (!(value instanceof Instance) || classOf(value)?.path !== 'torch.device') return undefined;
  const args = asSequence(value.args) ?? [];
  const index = asNumber(args[1]);
  const type = asText(args[0]);
  return type === undefined ? undefined : index === undefined ? type : `${type}:${index}`;
}

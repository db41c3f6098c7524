import type { CallForm, FormNode, PackedArguments } from '../../pickle/packed';
import type { StorageId } from './container';
import { packedStorage, storageForm } from './packed-storage';
import type { TorchStorage } from './storage';
import { StridedTensor } from './tensor';

/** Where calls of one form have `(storage, storage_offset, size, stride[, requires_grad, backward_hooks])`. */
interface TensorForm {
  offset: number;
  /** The first dimension and the first stride among the numbers of the call, and how many there are of each. */
  shape: number;
  strides: number;
  rank: number;
  requiresGrad: boolean | undefined;
}

const forms = new WeakMap<CallForm, TensorForm | null>();

/**
 * The tensor of a packed call of `_rebuild_tensor` or `_rebuild_tensor_v2`, made without its arguments becoming values; `undefined` where
 * anything about it is not as in nearly every file, so that the values have to be looked at.
 */
export function packedTensor(
  args: PackedArguments,
  storage: (id: StorageId) => TorchStorage | undefined,
  ofVersion2: boolean,
): StridedTensor | undefined {
  let form = forms.get(args.form);
  if (form === undefined) {
    form = tensorForm(args.form) ?? null;
    forms.set(args.form, form);
  }
  if (!form) return undefined;
  const offset = args.number(form.offset);
  const shape = sizesAt(args, form.shape, form.rank);
  const strides = sizesAt(args, form.strides, form.rank);
  const id = shape && strides && offset >= 0 ? packedStorage(args) : undefined;
  const found = id && storage(id);
  if (!shape || !strides || !found) return undefined;
  const tensor = new StridedTensor(found.dtype, shape, strides, offset, found);
  if (ofVersion2) tensor.requiresGrad = form.requiresGrad;
  return tensor;
}

function tensorForm(form: CallForm): TensorForm | undefined {
  const args = form.arguments;
  if (args.is !== 'tuple' || args.items.length < 4 || args.items.length > 6 || !storageForm(form)) return undefined;
  const [storage, offset, size, stride, grad] = args.items;
  if (storage.is !== 'persistent' || offset.is !== 'integer') return undefined;
  const shape = integersOf(size);
  const strides = integersOf(stride);
  if (!shape || !strides || shape.rank !== strides.rank) return undefined;
  const requiresGrad = grad?.is === 'constant' && typeof grad.value === 'boolean' ? grad.value : undefined;
  return { offset: offset.at, shape: shape.at, strides: strides.at, rank: shape.rank, requiresGrad };
}

/** A tuple of nothing but integers, which then stand one behind the other. */
function integersOf(node: FormNode): { at: number; rank: number } | undefined {
  if (node.is !== 'tuple') return undefined;
  let at = 0;
  for (const [i, item] of node.items.entries()) {
    if (item.is !== 'integer') return undefined;
    if (i === 0) at = item.at;
  }
  return { at, rank: node.items.length };
}

/** Sizes as nearly every file has them; `undefined` where there is something to say about them. */
function sizesAt(args: PackedArguments, at: number, rank: number): number[] | undefined {
  const sizes: number[] = new Array(rank);
  let count = 1;
  for (let i = 0; i < rank; i++) {
    const size = args.number(at + i);
    if (size < 0) return undefined;
    sizes[i] = size;
    count *= size;
  }
  return count <= Number.MAX_SAFE_INTEGER ? sizes : undefined;
}

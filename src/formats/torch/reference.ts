import type { ByteRange } from '../../bytes/byte-range';
import { ModelError } from '../../bytes/errors';
import { bitsOf, byteLengthOf, elementCount } from '../../tensors/dtype';
import { readNumbers } from '../../tensors/elements';
import { contiguousStrides, extentOf, isContiguous } from '../../tensors/strides';
import type { TensorRef } from '../../tensors/tensor';
import { storedAs } from './dtypes';
import { FlippedSigns } from './flipped-signs';
import { declaredBytes } from './storage';
import type { TorchTensor } from './tensor';

type ByteOrder = 'little' | 'big';

/** First element of a tensor in the bytes of its storage. */
export function firstElement(tensor: TorchTensor): number {
  return tensor.offset + (tensor.storage?.viewOffset ?? 0);
}

/** Whether the elements lie in a storage or an array of the file, as far as the description says. */
export function hasElements(tensor: TorchTensor): boolean {
  if (tensor.array) return true;
  return (tensor.layout === 'strided' || tensor.layout === 'nested') && tensor.storage?.data !== undefined;
}

/** Why the elements of a tensor cannot be read where its description puts them; `undefined` if nothing speaks against it. */
export function placementProblem(tensor: TorchTensor, count: number): string | undefined {
  if (tensor.array || (tensor.layout !== 'strided' && tensor.layout !== 'nested')) return undefined;
  const { storage } = tensor;
  if (!storage) return undefined;
  if (!storage.data)
    return storage.elements === 0 && count === 0 ? undefined : `storage ${storage.key} is not in the file`;
  const strides = tensor.strides ?? contiguousStrides(tensor.shape);
  for (let i = 0; i < strides.length; i++) if (strides[i] < 0) return 'it has a negative stride';
  const need = byteLengthOf(storedAs(tensor.dtype), extentOf(tensor.shape, strides, firstElement(tensor))) ?? 0;
  const there = storage.data.length;
  if (need <= there) return undefined;
  const declared = declaredBytes(storage) + (byteLengthOf(storage.dtype, storage.viewOffset) ?? 0);
  const whose =
    need > declared
      ? `storage ${storage.key} has room for ${declared} bytes only`
      : `storage ${storage.key} has ${there} of ${declared} bytes`;
  return `its elements reach byte ${need}, but ${whose}`;
}

/** The reference to the elements of a tensor against whose placement nothing speaks; `undefined` if they are not in the file. */
export function referenceTo(tensor: TorchTensor, byteOrder: ByteOrder): TensorRef | undefined {
  const dtype = storedAs(tensor.dtype);
  if (tensor.array) return tensor.array.dtype === dtype ? tensor.array : { ...tensor.array, dtype };
  const data = tensor.storage?.data;
  if (!data || !hasElements(tensor)) return undefined;
  const ref: TensorRef = { dtype, shape: tensor.shape, data: flipped(data, tensor, byteOrder) };
  if (tensor.strides && !isContiguous(tensor.shape, tensor.strides)) ref.strides = tensor.strides;
  const offset = firstElement(tensor);
  if (offset !== 0) ref.offset = offset;
  if (byteOrder === 'big') ref.byteOrder = 'big';
  const quantization = quantizationOf(tensor, byteOrder);
  if (quantization) ref.quantization = quantization;
  return ref;
}

/** The reference to the elements of any tensor; `undefined` if they are not in the file, or not where its description puts them. */
export function readableReference(tensor: TorchTensor, byteOrder: ByteOrder): TensorRef | undefined {
  if (tensor.problem !== undefined || placementProblem(tensor, elementCount(tensor.shape)) !== undefined)
    return undefined;
  return referenceTo(tensor, byteOrder);
}

/** Values of a small tensor of the file. @throws ModelError `truncated` if they are not there. */
export function numbersOf(tensor: TorchTensor | number[], byteOrder: ByteOrder): number[] {
  if (Array.isArray(tensor)) return tensor;
  const ref = readableReference(tensor, byteOrder);
  if (!ref)
    throw new ModelError(
      'truncated',
      'The scales of a quantised tensor are not in the file, so its values cannot be shown.',
    );
  return [...readNumbers(ref, 0, elementCount(ref.shape))];
}

/** The storage's bytes as a tensor with a conjugate or negative bit sees them. */
function flipped(data: ByteRange, tensor: TorchTensor, byteOrder: ByteOrder): ByteRange {
  if (!tensor.flips) return data;
  const parts = tensor.dtype.startsWith('complex') ? 2 : 1;
  const width = (bitsOf(tensor.dtype) ?? 8) / 8 / parts;
  return new FlippedSigns(data, parts, width, tensor.flips, byteOrder);
}

/** The quantisation of a tensor view. Per-channel scales are tensors in the file, read when somebody asks for values. */
function quantizationOf(tensor: TorchTensor, byteOrder: ByteOrder): TensorRef['quantization'] | undefined {
  const q = tensor.quantizer;
  if (!q) return undefined;
  if (q.scale !== undefined) return { scale: q.scale, zeroPoint: q.zeroPoint ?? 0 };
  const { scales, zeroPoints } = q;
  if (!scales) return undefined;
  return {
    get scale() {
      return numbersOf(scales, byteOrder);
    },
    get zeroPoint() {
      return zeroPoints ? numbersOf(zeroPoints, byteOrder) : 0;
    },
    ...(q.axis === undefined ? {} : { axis: q.axis }),
  };
}

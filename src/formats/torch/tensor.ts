import type { Value } from '../../pickle/values';
import type { DType } from '../../tensors/dtype';
import type { TensorRef } from '../../tensors/tensor';
import type { Flips } from './flipped-signs';
import type { TorchStorage } from './storage';

/** How a tensor's elements are laid out. `meta` tensors have no elements; `wrapper` subclasses keep theirs in `parts`. */
export type TorchLayout =
  | 'strided'
  | 'sparse_coo'
  | 'sparse_csr'
  | 'sparse_csc'
  | 'sparse_bsr'
  | 'sparse_bsc'
  | 'nested'
  | 'meta'
  | 'wrapper'
  | 'unknown';

/** Affine quantisation of a `torch.qint8`-like tensor. Per-channel scales are tensors of their own (lists until 1.4). */
export interface Quantizer {
  scheme: string;
  scale?: number;
  zeroPoint?: number;
  scales?: TorchTensor | number[];
  zeroPoints?: TorchTensor | number[];
  axis?: number;
}

/** A tensor as the file describes it. Nothing of its data has been read. */
export interface TorchTensor {
  dtype: DType;
  shape: number[];
  strides?: number[];
  /** In elements from the start of the storage. */
  offset: number;
  storage?: TorchStorage;
  /** Elements that lie in the file as NumPy data instead of a storage (tensors of XLA and other devices). */
  array?: TensorRef;
  device?: string;
  requiresGrad?: boolean;
  /** `torch.nn.Parameter`, a plain tensor, or unknown. */
  isParameter: boolean;
  layout: TorchLayout;
  /** Class name when it is a subclass: `DTensor`, `AffineQuantizedTensor`. */
  subclass?: string;
  quantizer?: Quantizer;
  /** Conjugate and negative bits: the stored numbers are seen with other signs. */
  flips?: Flips;
  /** Component tensors of sparse, nested and wrapper tensors: `indices`, `values`, `_local_tensor`. */
  parts?: [string, TorchTensor][];
  /** Anything said about it that does not fit elsewhere: placements of a DTensor, conjugate bits. */
  notes?: string[];
  /** What is wrong with its description; the tensor is shown, but cannot be read. */
  problem?: string;
  /** Attributes of a subclass or of a parameter with state, for the object view. */
  state?: Value;
}

/** A view of a storage, as nearly every tensor is one: the fields of all of them stand in the same order. */
export class StridedTensor {
  readonly device: string;
  isParameter = false;
  readonly layout: TorchLayout;
  requiresGrad: boolean | undefined = undefined;
  constructor(
    public dtype: DType,
    readonly shape: number[],
    readonly strides: number[] | undefined,
    readonly offset: number,
    readonly storage: TorchStorage,
  ) {
    this.device = storage.device;
    this.layout = storage.device === 'meta' ? 'meta' : 'strided';
  }
}

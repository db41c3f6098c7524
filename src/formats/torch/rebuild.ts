import { asNumber, asSequence, asText, Global, type Instance, type Value } from '../../pickle/values';
import { contiguousStrides } from '../../tensors/strides';
import { asArray } from '../numpy/pickled';
import { described, deviceName, withGrad, withMetadata } from './described';
import { dtypeOf } from './dtypes';
import type { TensorReader } from './pickled-tensor';
import { jagged, layoutName, nested, sparse } from './sparse-nested';
import { fromType } from './subclasses';
import type { Quantizer, TorchTensor } from './tensor';

/** Makes the tensor of a rebuild call from its arguments. */
export type Rebuild = (args: Value[], reader: TensorReader, instance: Instance) => TorchTensor | undefined;

/**
 * Torch's rebuild functions by name, and what their arguments say. Source: torch `_utils.py`, `_tensor.py`, `nn/parameter.py` (0.1 to 2.13).
 */
export const REBUILD: Record<string, Rebuild> = {
  _rebuild_tensor: (a, r) => r.strided(a[0], a[1], a[2], a[3]),
  _rebuild_tensor_v2: (a, r) => withMetadata(withGrad(r.strided(a[0], a[1], a[2], a[3]), a[4]), a[6]),
  _rebuild_tensor_v3: (a, r) => {
    const tensor = withMetadata(withGrad(r.strided(a[0], a[1], a[2], a[3]), a[4]), a[7]);
    const dtype = dtypeOf(a[6]);
    if (tensor && dtype) tensor.dtype = dtype;
    return tensor;
  },
  _rebuild_parameter: (a, r) => parameter(r.read(a[0]), a[1]),
  _rebuild_parameter_with_state: (a, r) => withState(parameter(r.read(a[0]), a[1]), a[3]),
  _rebuild_qtensor: (a, r) => {
    const tensor = withGrad(r.strided(a[0], a[1], a[2], a[3]), a[5]);
    const quantizer = tensor && quantizerOf(asSequence(a[4]) ?? [], r);
    if (tensor && quantizer) tensor.quantizer = quantizer;
    return tensor;
  },
  _rebuild_sparse_tensor: (a, r) => sparse(layoutName(a[0]), asSequence(a[1]) ?? [], r),
  _rebuild_sparse_csr_tensor: (a, r) => sparse('sparse_csr', asSequence(a[1]) ?? asSequence(a[0]) ?? [], r),
  _rebuild_nested_tensor: (a, r) => nested(a, r),
  _rebuild_njt: (a, r) => jagged(a[0], r),
  _rebuild_meta_tensor_no_storage: (a) => described(a[0], a[1], a[2], 0, a[3], 'meta', 'meta'),
  _rebuild_wrapper_subclass: (a) => {
    const tensor = described(a[1], a[2], a[3], a[4], a[7], 'wrapper', deviceName(a[6]));
    if (tensor && a[0] instanceof Global) tensor.subclass = a[0].name;
    return tensor;
  },
  _rebuild_device_tensor_from_numpy: (a, r) => fromNumpy(a, r),
  _rebuild_xla_tensor: (a, r) => fromNumpy(a, r),
  _rebuild_mlc_tensor: (a, r) => fromNumpy(a, r),
  _rebuild_hpu_tensor: (a, r) => fromNumpy(a, r),
  _rebuild_device_tensor_from_cpu_tensor: (a, r) => {
    const tensor = r.read(a[0]);
    if (!tensor) return undefined;
    const copy: TorchTensor = { ...tensor };
    const dtype = dtypeOf(a[1]);
    if (dtype) copy.dtype = dtype;
    const device = deviceName(a[2]);
    if (device) copy.device = device;
    return withGrad(copy, a[3]);
  },
  // (func, type, args, state): the inner call is made with its arguments, then the type and the state are set.
  _rebuild_from_type: (a, r, i) => fromType(a, r, i),
  _rebuild_from_type_v2: (a, r, i) => fromType(a, r, i),
  restore_type_tag: (a, r) => r.read(a[0]),
};

/** A NumPy array beside the tensors, as a row of its own; arrays of Python objects are none. */
export function numpyArray(instance: Instance): TorchTensor | undefined {
  const array = asArray(instance);
  const ref = array?.tensor();
  if (!array || !ref) return undefined;
  return {
    dtype: array.dtype.type,
    shape: [...ref.shape],
    offset: 0,
    array: ref,
    isParameter: false,
    layout: 'strided',
    subclass: 'ndarray',
    ...(ref.strides ? { strides: [...ref.strides] } : {}),
  };
}

function parameter(data: TorchTensor | undefined, requiresGrad: Value | undefined): TorchTensor | undefined {
  return data && withGrad({ ...data, isParameter: true }, requiresGrad);
}

function withState(tensor: TorchTensor | undefined, state: Value | undefined): TorchTensor | undefined {
  if (tensor && state !== undefined) tensor.state = state;
  return tensor;
}

function quantizerOf(params: Value[], reader: TensorReader): Quantizer | undefined {
  const scheme = params[0] instanceof Global ? params[0].name : asText(params[0]);
  if (scheme === undefined) return undefined;
  const quantizer: Quantizer = { scheme };
  if (scheme.startsWith('per_tensor')) {
    const scale = asNumber(params[1]);
    const zeroPoint = asNumber(params[2]);
    if (scale !== undefined) quantizer.scale = scale;
    if (zeroPoint !== undefined) quantizer.zeroPoint = zeroPoint;
  } else {
    const numbers = (value: Value | undefined) =>
      reader.read(value) ?? asSequence(value)?.map((x) => asNumber(x) ?? Number.NaN);
    const scales = numbers(params[1]);
    const zeroPoints = numbers(params[2]);
    const axis = asNumber(params[3]);
    if (scales) quantizer.scales = scales;
    if (zeroPoints) quantizer.zeroPoints = zeroPoints;
    if (axis !== undefined) quantizer.axis = axis;
  }
  return quantizer;
}

function fromNumpy(args: Value[], reader: TensorReader): TorchTensor | undefined {
  const array = asArray(args[0]);
  if (!array) return reader.read(args[0]);
  const dtype = dtypeOf(args[1]) ?? array.dtype.type;
  const tensor: TorchTensor = {
    dtype,
    shape: [...array.shape],
    strides: contiguousStrides(array.shape),
    offset: 0,
    isParameter: false,
    layout: 'strided',
  };
  const ref = array.tensor();
  if (ref) tensor.array = ref;
  const device = deviceName(args[2]);
  if (device !== undefined) tensor.device = device;
  return withGrad(tensor, args[3]);
}

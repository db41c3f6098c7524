import {
  asNumber,
  asSequence,
  asText,
  classOf,
  Global,
  Instance,
  isDict,
  PersistentId,
  type PyDict,
  type Value,
} from '../../pickle/values';
import { elementCount } from '../../tensors/dtype';
import { contiguousStrides } from '../../tensors/strides';
import { asArray } from '../numpy/pickled';
import { dtypeOf, dtypeOfClass } from './dtypes';
import type { TorchStorage } from './storage';
import type { Quantizer, TorchLayout, TorchTensor } from './tensor';

/** What a container knows of the storages behind persistent ids and other storage values. */
export interface StorageResolver {
  storage(value: Value): TorchStorage | undefined;
  /** A tensor that a persistent id names outright (the tar of 2016–2017). */
  tensor?(value: PersistentId): TorchTensor | undefined;
}

type Rebuild = (args: Value[], reader: TensorReader, instance: Instance) => TorchTensor | undefined;

/**
 * Recognises the tensors of a pickle: the results of torch's rebuild functions, parameters, and tensors inside subclasses.
 * Source of the argument lists: torch `_utils.py`, `_tensor.py`, `nn/parameter.py` (0.1 to 2.13).
 */
export class TensorReader {
  private readonly known = new Map<object, TorchTensor | null>();
  /** Values whose tensor is being made: one that contains itself ends there instead of recursing. */
  private readonly making: Instance[] = [];
  constructor(readonly resolver: StorageResolver) {}

  /** The tensor that a value stands for, `undefined` if it is none. The same value gives the same object. */
  read(value: Value | undefined): TorchTensor | undefined {
    if (value instanceof PersistentId) return this.resolver.tensor?.(value);
    if (!(value instanceof Instance)) return undefined;
    const known = this.known.get(value);
    if (known !== undefined) return known ?? undefined;
    const { making } = this;
    if (making.length >= MAX_NESTING || making.includes(value)) {
      this.known.set(value, null);
      return undefined;
    }
    making.push(value);
    try {
      const tensor = this.build(value);
      this.known.set(value, tensor ?? null);
      return tensor;
    } finally {
      making.pop();
    }
  }

  private build(instance: Instance): TorchTensor | undefined {
    const { callable } = instance;
    if (!(callable instanceof Global)) return undefined;
    const maker = this.makerOf(callable);
    if (maker === 'numpy') return numpyArray(instance);
    if (typeof maker === 'function') return maker(asSequence(instance.args) ?? [], this, instance);
    return maker === 'class' ? this.oldTensor(instance, callable) : undefined;
  }

  private lastCallable: Global | undefined;
  private lastMaker: Maker;

  /** What makes a tensor of a call, decided once for each of the few callables of a file. */
  private makerOf(callable: Global): Maker {
    if (callable !== this.lastCallable) {
      this.lastMaker = makerOf(callable);
      this.lastCallable = callable;
    }
    return this.lastMaker;
  }

  /** Tensors that were pickled by class and state: `torch.FloatTensor` and `Variable` of torch 0.1 to 0.3, `Parameter` of any. */
  private oldTensor(instance: Instance, callable: Global): TorchTensor | undefined {
    const cls = classOf(instance) ?? callable;
    const args = asSequence(instance.args) ?? [];
    const state = asSequence(instance.state);
    if (
      cls.name === 'Parameter' ||
      cls.name === 'Variable' ||
      cls.name === 'Buffer' ||
      cls.name === 'UninitializedParameter'
    ) {
      const inner = [...args, ...(state ?? []), ...(isDict(instance.state) ? instance.state.values() : [])];
      for (const value of inner) {
        const data = this.read(value);
        if (!data) continue;
        const tensor: TorchTensor = { ...data, isParameter: cls.name.endsWith('Parameter') || data.isParameter };
        const requiresGrad = [...(state ?? []), ...args].find((v) => typeof v === 'boolean');
        if (typeof requiresGrad === 'boolean') tensor.requiresGrad = requiresGrad;
        return tensor;
      }
      return undefined;
    }
    const type = dtypeOfClass(cls);
    if (type && cls.name.endsWith('Tensor') && state && state.length >= 4) {
      // (storage, storage_offset, size, stride)
      return this.strided(state[0], state[1], state[2], state[3]);
    }
    if (type && cls.name.endsWith('Tensor') && args.length === 0 && state === undefined) {
      return { dtype: type.dtype, shape: [0], offset: 0, isParameter: false, layout: 'strided' };
    }
    return undefined;
  }

  /** A strided view of a storage, checked for what its description says; its bytes are checked where they are read. */
  strided(
    storageValue: Value | undefined,
    offset: Value | undefined,
    size: Value | undefined,
    stride: Value | undefined,
  ): TorchTensor | undefined {
    const storage = storageValue === undefined ? undefined : this.resolver.storage(storageValue);
    const shape = sizes(size);
    if (!storage || !shape) return undefined;
    const tensor: TorchTensor = {
      dtype: storage.dtype,
      shape: shape.sizes,
      offset: asNumber(offset) ?? 0,
      storage,
      device: storage.device,
      isParameter: false,
      layout: storage.device === 'meta' ? 'meta' : 'strided',
    };
    const strides = sizes(stride);
    if (strides) tensor.strides = strides.sizes;
    if (shape.problem) tensor.problem = shape.problem;
    else if (strides && strides.sizes.length !== shape.sizes.length) {
      tensor.problem = `it has ${shape.sizes.length} dimensions but ${strides.sizes.length} strides`;
      delete tensor.strides;
    } else if (strides?.problem) tensor.problem = strides.problem.replace('dimension', 'stride');
    else if (!Number.isSafeInteger(tensor.offset) || tensor.offset < 0)
      tensor.problem = `its storage offset is ${tensor.offset}`;
    return tensor;
  }
}

/** A rebuild function, or how else a tensor is made: NumPy's arrays, and classes with a state. */
type Maker = Rebuild | 'numpy' | 'class' | undefined;

/** A class outside torch whose state wraps tensors is an object, not a tensor; only rebuild calls make tensors there. */
function makerOf({ module, name }: Global): Maker {
  if (/^numpy(\.|$)/.test(module)) return 'numpy';
  const rebuild = Object.hasOwn(REBUILD, name) ? REBUILD[name] : undefined;
  if (!/^torch(\.|$|ao|vision)/.test(module)) return name.startsWith('_rebuild') ? rebuild : undefined;
  return rebuild ?? 'class';
}

/** Tensors inside tensors: a parameter of a subclass of a sparse tensor is four deep. */
const MAX_NESTING = 64;

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

function withGrad(tensor: TorchTensor | undefined, requiresGrad: Value | undefined): TorchTensor | undefined {
  if (tensor && typeof requiresGrad === 'boolean') tensor.requiresGrad = requiresGrad;
  return tensor;
}

function withMetadata(tensor: TorchTensor | undefined, metadata: Value | undefined): TorchTensor | undefined {
  if (!tensor || !isDict(metadata)) return tensor;
  const conjugate = metadata.get('conj') === true;
  const negative = metadata.get('neg') === true;
  if (!conjugate && !negative) return tensor;
  tensor.flips = { conjugate, negative };
  if (conjugate) addNote(tensor, 'conjugate of what is stored');
  if (negative) addNote(tensor, 'negative of what is stored');
  return tensor;
}

function addNote(tensor: TorchTensor, note: string): void {
  tensor.notes ??= [];
  tensor.notes.push(note);
}

const REBUILD: Record<string, Rebuild> = {
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
function numpyArray(instance: Instance): TorchTensor | undefined {
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

function fromType(args: Value[], reader: TensorReader, instance: Instance): TorchTensor | undefined {
  const [func, type, inner, state] = args;
  const call = new Instance(func ?? null, inner ?? null, 'REDUCE', instance.offset);
  const base = reader.read(call);
  if (!base) return undefined;
  const tensor: TorchTensor = { ...base };
  if (type instanceof Global && !['Tensor', 'Parameter'].includes(type.name)) tensor.subclass = type.name;
  if (type instanceof Global && type.name.endsWith('Parameter')) tensor.isParameter = true;
  if (state !== undefined && state !== null) {
    tensor.state = state;
    describeState(tensor, state, reader);
  }
  return tensor;
}

/** Component tensors and placements that a subclass keeps in its `__dict__`. */
function describeState(tensor: TorchTensor, state: Value, reader: TensorReader): void {
  const dict = stateOf(state);
  if (!dict) return;
  const parts: [string, TorchTensor][] = [];
  for (const [key, value] of dict) {
    const name = asText(key);
    const part = reader.read(value);
    if (name !== undefined && part) parts.push([name, part]);
    if (name === '_spec' && value instanceof Instance) {
      const spec = stateOf(value.state) ?? new Map();
      const placements = asSequence(spec.get('placements'))?.map(placementText);
      if (placements?.length) addNote(tensor, `placements ${placements.join(', ')}`);
    }
  }
  if (parts.length > 0) tensor.parts = parts;
}

function stateOf(state: Value | undefined): PyDict | undefined {
  if (isDict(state)) return state;
  const items = asSequence(state);
  return items?.find(isDict);
}

/** `Shard(dim=0)` and `Replicate()` of a DTensor. */
function placementText(value: Value): string {
  const cls = classOf(value);
  if (!cls || !(value instanceof Instance)) return '?';
  const dim = asNumber(stateOf(value.state)?.get('dim')) ?? asNumber(asSequence(value.args)?.[0]);
  return dim === undefined ? `${cls.name}()` : `${cls.name}(dim=${dim})`;
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

function layoutName(value: Value | undefined): TorchLayout {
  const name =
    value instanceof Global
      ? value.name
      : (asText(value)?.replace(/^torch\./, '') ??
        asText(asSequence(value instanceof Instance ? value.args : null)?.[0])?.replace(/^torch\./, ''));
  return name !== undefined && /^sparse_(coo|csr|csc|bsr|bsc)$/.test(name) ? (name as TorchLayout) : 'sparse_coo';
}

function sparse(layout: TorchLayout, data: Value[], reader: TensorReader): TorchTensor | undefined {
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
function nested(args: Value[], reader: TensorReader): TorchTensor | undefined {
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

function described(
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

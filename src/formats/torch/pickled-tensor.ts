import { packedArguments } from '../../pickle/packed';
import { asNumber, asSequence, classOf, Global, Instance, isDict, PersistentId, type Value } from '../../pickle/values';
import type { StorageId } from './container';
import { sizes } from './described';
import { dtypeOfClass } from './dtypes';
import { packedTensor } from './packed-tensor';
import { numpyArray, REBUILD, type Rebuild } from './rebuild';
import type { TorchStorage } from './storage';
import { StridedTensor, type TorchTensor } from './tensor';

/** What a container knows of the storages behind persistent ids and other storage values. */
export interface StorageResolver {
  storage(value: Value): TorchStorage | undefined;
  /** A tensor that a persistent id names outright (the tar of 2016–2017). */
  tensor?(value: PersistentId): TorchTensor | undefined;
  /** The storage of an id that says nothing of a view; absent where the persistent id itself has to be seen. */
  plain?(id: StorageId): TorchStorage | undefined;
}

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
    if (value instanceof PersistentId) return this.resolver.tensor?.(value) ?? this.bareStorage(value);
    if (!(value instanceof Instance)) return undefined;
    if (value.attachment instanceof StridedTensor) return value.attachment;
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
      // A table of all of them would take more memory than the tensors.
      if (tensor instanceof StridedTensor && value.attachment === undefined) value.attachment = tensor;
      else this.known.set(value, tensor ?? null);
      return tensor;
    } finally {
      making.pop();
    }
  }

  /** A storage that was saved by itself, without a tensor around it. */
  private bareStorage(value: PersistentId): TorchTensor | undefined {
    const known = this.known.get(value);
    if (known !== undefined) return known ?? undefined;
    const storage = this.resolver.storage(value);
    const tensor: TorchTensor | null = storage
      ? {
          dtype: storage.dtype,
          shape: [storage.elements],
          offset: 0,
          storage,
          device: storage.device,
          isParameter: false,
          layout: storage.device === 'meta' ? 'meta' : 'strided',
          subclass: 'Storage',
        }
      : null;
    if (tensor && (!Number.isSafeInteger(storage?.elements) || (storage?.elements ?? 0) < 0))
      tensor.problem = `its storage declares ${storage?.elements} elements`;
    this.known.set(value, tensor);
    return tensor ?? undefined;
  }

  private build(instance: Instance): TorchTensor | undefined {
    const { callable } = instance;
    if (!(callable instanceof Global)) return undefined;
    const maker = this.makerOf(callable);
    if (maker === 'numpy') return numpyArray(instance);
    if (typeof maker === 'function') {
      const { plain } = this.resolver;
      const ofVersion2 = maker === REBUILD._rebuild_tensor_v2;
      const packed = ofVersion2 || maker === REBUILD._rebuild_tensor ? packedArguments(instance) : undefined;
      const tensor = packed && plain ? packedTensor(packed, plain, ofVersion2) : undefined;
      return tensor ?? maker(asSequence(instance.args) ?? [], this, instance);
    }
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
    const strides = sizes(stride);
    const whole = strides === undefined || strides.sizes.length === shape.sizes.length;
    const tensor: TorchTensor = new StridedTensor(
      storage.dtype,
      shape.sizes,
      whole ? strides?.sizes : undefined,
      asNumber(offset) ?? 0,
      storage,
    );
    if (shape.problem) tensor.problem = shape.problem;
    else if (!whole) tensor.problem = `it has ${shape.sizes.length} dimensions but ${strides.sizes.length} strides`;
    else if (strides?.problem) tensor.problem = strides.problem.replace('dimension', 'stride');
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

import { type ByteRange, SourceRange } from '../../bytes/byte-range';
import type { ByteSource } from '../../bytes/byte-source';
import { decompress, requireComplete } from '../../bytes/decompress';
import { ModelError } from '../../bytes/errors';
import type { Window } from '../../bytes/window';
import type { MachineHooks, Pickle } from '../../pickle/machine';
import {
  asNumber,
  asSequence,
  asText,
  classOf,
  Global,
  type Instance,
  stateDict,
  type Value,
} from '../../pickle/values';
import { elementCount } from '../../tensors/dtype';
import { asDType, hasObjects } from '../numpy/dtype';
import { NdArray } from '../numpy/ndarray';
import { readNpy } from '../numpy/npy';
import { asArray, shapeOf } from '../numpy/pickled';

/** What reading a joblib file found besides the object. */
export interface JoblibFindings {
  /** Arrays that lie in the stream behind their wrapper. */
  arrays: number;
  /** Side files that were read, and those that are not there. */
  sideFiles: string[];
  missing: string[];
}

export interface JoblibHooks extends MachineHooks {
  readonly found: JoblibFindings;
}

/**
 * The part of joblib's own unpickler that reads beyond the pickle: array data behind a `NumpyArrayWrapper`, and the side files of
 * `NDArrayWrapper` and `ZNDArrayWrapper` (before joblib 0.10), which are looked for beside the file only.
 * Source: joblib `numpy_pickle.py`, `numpy_pickle_compat.py`.
 */
export function joblibHooks(neighbour?: (name: string) => ByteSource | undefined): JoblibHooks {
  const found: JoblibFindings = { arrays: 0, sideFiles: [], missing: [] };
  return {
    found,
    afterBuild(instance, window, nested) {
      const made = classOf(instance);
      // The names first: this is asked for every object in the file.
      if (!made?.name.endsWith('ArrayWrapper') || !isJoblib(made)) return undefined;
      switch (made.name) {
        case 'NumpyArrayWrapper':
          return inlineArray(instance, window, nested, found);
        case 'NDArrayWrapper':
        case 'ZNDArrayWrapper':
          instance.attachment = sideArray(instance, made.name === 'ZNDArrayWrapper', neighbour, found);
          return undefined;
      }
      return undefined;
    },
  };
}

/** `joblib.numpy_pickle`, the copy that scikit-learn carried until 0.22, and others that carry one. */
function isJoblib(made: Global): boolean {
  return /(^|\.)joblib\.numpy_pickle(_compat)?$/.test(made.module);
}

function inlineArray(
  instance: Instance,
  window: Window,
  nested: () => Pickle,
  found: JoblibFindings,
): Value | undefined {
  const state = stateDict(instance);
  const dtype = asDType(state?.get('dtype'));
  const shape = shapeOf(state?.get('shape'));
  const { offset } = window;
  if (!state || !dtype || !shape) {
    throw new ModelError(
      'malformed',
      `An array in ${window.source.name} is announced at byte ${offset} without a readable dtype and shape.`,
      { offset },
    );
  }
  found.arrays++;
  const subclass = subclassOf(state.get('subclass'));
  if (hasObjects(dtype)) {
    const { value } = nested();
    const array = asArray(value);
    if (!array) return value;
    instance.attachment = subclass
      ? new NdArray(array.dtype, array.shape, array.fortran, array.data, array.objects, subclass)
      : array;
    return undefined;
  }
  if (asNumber(state.get('numpy_array_alignment_bytes')) !== undefined) skipPadding(window);
  const length = elementCount(shape) * dtype.itemsize;
  const start = window.offset;
  const left = window.source.size - start;
  if (!(length <= left)) {
    instance.attachment = new NdArray(
      dtype,
      shape,
      false,
      undefined,
      undefined,
      subclass,
      undefined,
      'its data is cut off',
    );
    throw new ModelError(
      'truncated',
      `An array of shape (${shape.join(', ')}) and dtype ${dtype.text} needs ${length} bytes at byte ${start} of ${window.source.name}, but only ${left} are left.`,
      { offset: start },
    );
  }
  const data: ByteRange = new SourceRange(window.source, start, length);
  instance.attachment = new NdArray(dtype, shape, asText(state.get('order')) === 'F', data, undefined, subclass);
  window.seek(start + length);
  return undefined;
}

/** joblib 1.2 and later align array data: one byte says how many bytes of padding follow it. */
function skipPadding(window: Window): void {
  const { offset } = window;
  if (window.take(1)) {
    const padding = window.bytes[window.pos++];
    if (padding <= window.remaining) {
      window.seek(window.offset + padding);
      return;
    }
  }
  throw new ModelError(
    'truncated',
    `${window.source.name} ends at byte ${window.source.size}, inside the padding before an array.`,
    { offset },
  );
}

function subclassOf(value: Value | undefined): string | undefined {
  return value instanceof Global && value.name !== 'ndarray' ? value.name : undefined;
}

/** An array of its own file. What is missing or damaged becomes an array without data, and a note that says why. */
function sideArray(
  instance: Instance,
  compressed: boolean,
  neighbour: ((name: string) => ByteSource | undefined) | undefined,
  found: JoblibFindings,
): NdArray | undefined {
  const state = stateDict(instance);
  const name = asText(state?.get('filename'));
  if (!state || name === undefined) return undefined;
  // joblib joins the name to the folder of the file; anything that leaves it is not followed.
  const plainName = /^[^/\\]+$/.test(name) && name !== '..' && name !== '.';
  const source = plainName ? neighbour?.(name) : undefined;
  const subclass = subclassOf(state.get('subclass'));
  if (!source) found.missing.push(name);
  else found.sideFiles.push(name);
  try {
    if (compressed) return zippedArray(state, source, name);
    if (!source) return absent(undefined, undefined, subclass, name);
    const { array } = readNpy(source);
    return new NdArray(
      array.dtype,
      array.shape,
      array.fortran,
      array.data,
      array.objects,
      subclass,
      undefined,
      `from ${name}`,
    );
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    return new NdArray(UNKNOWN, [], false, undefined, undefined, subclass, undefined, error.message);
  }
}

const UNKNOWN = { type: 'object', kind: 'O', itemsize: 0, byteOrder: 'little', text: 'unknown' } as const;

function absent(
  dtype: NdArray['dtype'] | undefined,
  shape: number[] | undefined,
  subclass: string | undefined,
  name: string,
): NdArray {
  return new NdArray(
    dtype ?? UNKNOWN,
    shape ?? [],
    false,
    undefined,
    undefined,
    subclass,
    undefined,
    `its data is in ${name}, which is not beside this file`,
  );
}

/** `state` is that of `ndarray.__setstate__` without the data: `(version, shape, dtype, fortran)`. */
function zippedArray(state: Map<Value, Value>, source: ByteSource | undefined, name: string): NdArray | undefined {
  const parts = asSequence(state.get('state')) ?? [];
  const [shape, dtype, fortran] = [shapeOf(parts[1]), asDType(parts[2]), parts[3]];
  if (!shape || !dtype) return undefined;
  if (!source) return absent(dtype, shape, undefined, name);
  const bytes = requireComplete(decompress(source, 'zfile'));
  const need = elementCount(shape) * dtype.itemsize;
  if (!(need <= bytes.size))
    throw new ModelError('truncated', `${name} holds ${bytes.size} bytes, but its array needs ${need}.`);
  return new NdArray(
    dtype,
    shape,
    fortran === true || asNumber(fortran) === 1,
    new SourceRange(bytes, 0, need),
    undefined,
    undefined,
    undefined,
    `from ${name}`,
  );
}

import {
  asNumber,
  asSequence,
  asText,
  calleeOf,
  Global,
  Instance,
  PyFloat,
  pyFloat,
  type Value,
} from '../../pickle/values';
import { elementCount } from '../../tensors/dtype';
import { asBytes } from './bytes';
import { asDType, type NumpyDType } from './dtype';
import { NdArray, numberReader } from './ndarray';

export { asBytes } from './bytes';

const cache = new WeakMap<object, NdArray | null>();

/** The functions that make arrays; anything else is told apart without remembering it. */
const RECONSTRUCTORS = new Set(['_reconstruct', '_frombuffer', '_mareconstruct']);

/**
 * The array a pickled value stands for: `_reconstruct` + state, protocol 5's `_frombuffer`, masked arrays and matrices, joblib's
 * wrapped arrays (`attachment`). `undefined` for anything else. Source: numpy `multiarray/methods.c` (`array_reduce`, `array_setstate`).
 */
export function asArray(value: Value | undefined): NdArray | undefined {
  if (!(value instanceof Instance)) return undefined;
  if (value.attachment instanceof NdArray) return value.attachment;
  const callee = calleeOf(value);
  if (!callee || !RECONSTRUCTORS.has(callee.name)) return undefined;
  const known = cache.get(value);
  if (known !== undefined) return known ?? undefined;
  const made = build(value);
  cache.set(value, made ?? null);
  return made;
}

function build(value: Instance): NdArray | undefined {
  const callable = calleeOf(value);
  if (!callable) return undefined;
  const args = asSequence(value.args) ?? [];
  const state = asSequence(value.state);
  if (callable.name === '_reconstruct' && callable.module.startsWith('numpy') && state) {
    const subclass = args[0] instanceof Global && args[0].name !== 'ndarray' ? args[0].name : undefined;
    return fromState(state.length >= 5 ? state.slice(state.length - 5) : [null, ...state], subclass);
  }
  if (callable.name === '_frombuffer' && callable.module.startsWith('numpy')) {
    const dtype = asDType(args[1]);
    const shape = shapeOf(args[2]);
    const data = asBytes(args[0]);
    if (!dtype || !shape) return undefined;
    return new NdArray(dtype, shape, asText(args[3]) === 'F', data, undefined);
  }
  if (callable.name === '_mareconstruct' && callable.module.startsWith('numpy.ma') && state) {
    const base = fromState(state.slice(0, 5), 'MaskedArray');
    return (
      base &&
      new NdArray(base.dtype, base.shape, base.fortran, base.data, base.objects, 'MaskedArray', asBytes(state[5]))
    );
  }
  return undefined;
}

/** `(version, shape, dtype, is_fortran, data)` where data is bytes or the list of an object array. */
function fromState(state: Value[], subclass?: string): NdArray | undefined {
  const shape = shapeOf(state[1]);
  const dtype = asDType(state[2]);
  if (!shape || !dtype) return undefined;
  const fortran = state[3] === true || asNumber(state[3]) === 1;
  const raw = state[4];
  // The list of an object array is in row-major order whatever the array's own order is.
  if (Array.isArray(raw)) return new NdArray(dtype, shape, false, undefined, raw, subclass);
  return new NdArray(dtype, shape, fortran, asBytes(raw), undefined, subclass);
}

export function shapeOf(value: Value | undefined): number[] | undefined {
  const items = asSequence(value) ?? (typeof value === 'number' ? [value] : undefined);
  const shape = items?.map((n) => asNumber(n) ?? -1);
  return shape?.every((n) => n >= 0) && elementCount(shape) !== Number.POSITIVE_INFINITY ? shape : undefined;
}

/** A pickled NumPy scalar (`numpy.core.multiarray.scalar(dtype, bytes)`): its dtype and plain value. */
export function asScalar(value: Value | undefined): { dtype: NumpyDType; value: Value } | undefined {
  if (!(value instanceof Instance)) return undefined;
  const callee = calleeOf(value);
  if (callee?.name !== 'scalar' || !callee.module.startsWith('numpy')) return undefined;
  const args = asSequence(value.args) ?? [];
  const dtype = asDType(args[0]);
  if (!dtype) return undefined;
  if (dtype.kind === 'O') return { dtype, value: args[1] ?? null };
  const data = asBytes(args[1]);
  if (!data || data.length < dtype.itemsize) return undefined;
  const [only] = new NdArray(dtype, [], false, data, undefined).toList();
  return { dtype, value: dtype.kind === 'f' && typeof only === 'number' ? pyFloat(only) : only };
}

/** A Python or NumPy number (0-dimensional and one-element arrays included) as a JavaScript number. */
export function toNumber(value: Value | undefined): number | undefined {
  const plain = asNumber(value);
  if (plain !== undefined) return plain;
  const scalar = asScalar(value);
  if (scalar) return asNumber(scalar.value);
  const array = asArray(value);
  if (array && array.size === 1 && array.data && numberReader(array.dtype.kind, array.dtype.itemsize, true))
    return array.toFloat64()[0];
  return undefined;
}

/** Python scalars and NumPy scalars as a plain value (`PyFloat` unwrapped); everything else unchanged. */
export function plain(value: Value): Value {
  if (value instanceof PyFloat) return value.value;
  const scalar = asScalar(value);
  if (!scalar) return value;
  return scalar.value instanceof PyFloat ? scalar.value.value : scalar.value;
}

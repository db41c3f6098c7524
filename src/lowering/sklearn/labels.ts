import { ModelError } from '../../bytes/errors';
import type { NdArray } from '../../formats/numpy/ndarray';
import { plain } from '../../formats/numpy/pickled';
import {
  DTYPE_CODES,
  type Dtype,
  float64,
  isStringData,
  type NumericData,
  type Tensor,
  viewBytes,
} from '../../onnx/tensor';
import { isFloat, isInt, type Value } from '../../pickle/values';

/**
 * Class labels as a tensor of their own type: strings stay strings, bools bools, integers keep their width. An object
 * array becomes strings, int64, bool or float64 by what it holds.
 */
export function labelTensor(array: NdArray): Tensor {
  const { shape } = array;
  const { type, kind } = array.dtype;
  if (kind === 'U' || kind === 'S') return { dtype: 'string', shape, data: array.toList().map(String) };
  if (!array.objects && type in DTYPE_CODES && kind !== 'O') return typed(array, type as Exclude<Dtype, 'string'>);
  return objectLabels(array.toList(), shape);
}

function typed(array: NdArray, dtype: Exclude<Dtype, 'string'>): Tensor {
  const { shape } = array;
  if (dtype === 'int64' || dtype === 'uint64') {
    const data = array.toBigInt64();
    return { dtype, shape, data: dtype === 'int64' ? data : new BigUint64Array(data.buffer) };
  }
  const numbers = array.toFloat64();
  if (dtype === 'float64' || dtype === 'float16' || dtype === 'bfloat16') return float64(numbers, shape);
  const data = viewBytes(dtype, new Uint8Array(numbers.length * array.dtype.itemsize)) as Exclude<
    NumericData,
    BigInt64Array | BigUint64Array
  >;
  data.set(numbers);
  return { dtype, shape, data };
}

/** Labels that are Python objects. */
export function objectLabels(values: readonly Value[], shape: readonly number[] = [values.length]): Tensor {
  const items = values.map(plain);
  if (values.every((value) => typeof value === 'boolean')) {
    return { dtype: 'bool', shape, data: Uint8Array.from(values, Number) };
  }
  if (values.every((value) => isInt(value) || (isInt(plain(value)) && !isFloat(value)))) {
    return { dtype: 'int64', shape, data: BigInt64Array.from(items, (item) => BigInt(item as number | bigint)) };
  }
  if (items.every((item) => typeof item === 'number')) return float64(items as number[], shape);
  return { dtype: 'string', shape, data: items.map(pythonText) };
}

/** Labels as Python prints them, for showing beside numbers. */
export function labelTexts({ dtype, data }: Tensor): string[] {
  if (isStringData(data)) return data;
  if (dtype === 'bool') return Array.from(data as Uint8Array, (bit) => (bit ? 'True' : 'False'));
  const float = dtype.startsWith('float');
  return Array.from(data as ArrayLike<number | bigint>, (value) =>
    float && Number.isInteger(value) ? `${value}.0` : String(value),
  );
}

/** Labels `0 … count - 1`. */
export function rangeLabels(count: number): Tensor {
  return { dtype: 'int64', shape: [count], data: BigInt64Array.from({ length: count }, (_, i) => BigInt(i)) };
}

function pythonText(value: Value): string {
  if (typeof value === 'string') return value;
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  throw new ModelError('unsupported', 'The class labels of this model are objects that are neither text nor numbers.');
}

/**
 * Tensors in memory, as they go into and come out of a graph, and the dtypes of ONNX.
 *
 * | dtype | code | element in `data` |
 * | --- | --- | --- |
 * | float32, float64 | 1, 11 | number |
 * | int8, int16, int32, uint8, uint16, uint32 | 3, 5, 6, 2, 4, 12 | number |
 * | int64, uint64 | 7, 13 | bigint |
 * | bool | 9 | 0 or 1 in a Uint8Array |
 * | float16, bfloat16 | 10, 16 | the 16 bits in a Uint16Array |
 * | string | 8 | string |
 *
 * Multi-byte elements of an initializer are little-endian, as is every platform the runtime supports.
 */
export const DTYPE_CODES = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
} as const;

export type Dtype = keyof typeof DTYPE_CODES;

export type NumericData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

export type TensorData = NumericData | string[];

/** A dense tensor; `data` is row-major and holds exactly the product of `shape` elements. */
export interface Tensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

const ARRAYS = {
  float32: Float32Array,
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  bool: Uint8Array,
  float16: Uint16Array,
  float64: Float64Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  bfloat16: Uint16Array,
} as const;

/** Bytes of one element; strings have none. */
export function dtypeSize(dtype: Dtype): number {
  return dtype === 'string' ? 0 : ARRAYS[dtype].BYTES_PER_ELEMENT;
}

/** The dtype of an ONNX `data_type` code, or undefined for those that are not handled (complex, float8, 4-bit). */
export function dtypeOfCode(code: number): Dtype | undefined {
  return (Object.keys(DTYPE_CODES) as Dtype[]).find((dtype) => DTYPE_CODES[dtype] === code);
}

/** Number of elements of a shape; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((count, size) => count * size, 1);
}

/** An array of zeros (empty strings) for `count` elements of `dtype`. */
export function allocate(dtype: Dtype, count: number): TensorData {
  return dtype === 'string' ? new Array<string>(count).fill('') : new ARRAYS[dtype](count);
}

/** Elements of `bytes` as an array of `dtype`: a view where alignment allows, otherwise a copy. */
export function viewBytes(dtype: Exclude<Dtype, 'string'>, bytes: Uint8Array): NumericData {
  const type = ARRAYS[dtype];
  const count = Math.floor(bytes.byteLength / type.BYTES_PER_ELEMENT);
  if (bytes.byteOffset % type.BYTES_PER_ELEMENT === 0)
    return new type(bytes.buffer as ArrayBuffer, bytes.byteOffset, count);
  return new type(bytes.slice(0, count * type.BYTES_PER_ELEMENT).buffer, 0, count);
}

/** The bytes of numeric data, without a copy. */
export function bytesOf(data: NumericData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

export function isStringData(data: TensorData): data is string[] {
  return Array.isArray(data);
}

/** Shorthand for a float64 tensor. */
export function float64(data: ArrayLike<number>, shape: readonly number[] = [data.length]): Tensor {
  return { dtype: 'float64', shape, data: data instanceof Float64Array ? data : Float64Array.from(data) };
}

/** Shorthand for an int64 tensor. */
export function int64(data: ArrayLike<number>, shape: readonly number[] = [data.length]): Tensor {
  return { dtype: 'int64', shape, data: BigInt64Array.from(Array.from(data, BigInt)) };
}

/** Shorthand for a tensor of strings. */
export function strings(data: readonly string[], shape: readonly number[] = [data.length]): Tensor {
  return { dtype: 'string', shape, data: [...data] };
}

/** Numbers of a tensor that holds numbers, bits or 64-bit integers (which may lose precision beyond 2^53). */
export function toNumbers(tensor: Tensor): Float64Array {
  const { data } = tensor;
  if (data instanceof Float64Array) return data;
  if (isStringData(data)) throw new TypeError('a tensor of strings has no numbers');
  return Float64Array.from(data as ArrayLike<number | bigint>, Number);
}

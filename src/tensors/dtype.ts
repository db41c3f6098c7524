/**
 * Element types in one vocabulary for all readers: NumPy's and torch's names. `string` and `object` have no fixed size.
 * Quantised types (`qint8`, …) count their stored integers.
 */
export type DType =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'float16'
  | 'bfloat16'
  | 'float32'
  | 'float64'
  | 'longdouble'
  | 'float8_e4m3fn'
  | 'float8_e4m3fnuz'
  | 'float8_e5m2'
  | 'float8_e5m2fnuz'
  | 'float8_e8m0fnu'
  | 'float4_e2m1fn_x2'
  | 'complex32'
  | 'complex64'
  | 'complex128'
  | 'qint8'
  | 'quint8'
  | 'qint32'
  | 'quint4x2'
  | 'quint2x4'
  | 'int4'
  | 'uint4'
  | 'int2'
  | 'uint2'
  | 'int1'
  | 'uint1'
  | 'int3'
  | 'int5'
  | 'int6'
  | 'int7'
  | 'uint3'
  | 'uint5'
  | 'uint6'
  | 'uint7'
  | 'bits8'
  | 'bits16'
  | 'bits1x8'
  | 'bits2x4'
  | 'bits4x2'
  | 'datetime64'
  | 'timedelta64'
  | 'string'
  | 'bytes'
  | 'object'
  | 'structured'
  | 'void';

const BITS: Partial<Record<DType, number>> = {
  bool: 8,
  int8: 8,
  int16: 16,
  int32: 32,
  int64: 64,
  uint8: 8,
  uint16: 16,
  uint32: 32,
  uint64: 64,
  float16: 16,
  bfloat16: 16,
  float32: 32,
  float64: 64,
  longdouble: 128,
  float8_e4m3fn: 8,
  float8_e4m3fnuz: 8,
  float8_e5m2: 8,
  float8_e5m2fnuz: 8,
  float8_e8m0fnu: 8,
  float4_e2m1fn_x2: 8,
  complex32: 32,
  complex64: 64,
  complex128: 128,
  qint8: 8,
  quint8: 8,
  qint32: 32,
  quint4x2: 4,
  quint2x4: 2,
  int4: 4,
  uint4: 4,
  int2: 2,
  uint2: 2,
  int1: 1,
  uint1: 1,
  // Types that only torch has: a byte each, whatever their name says of the bits that are used.
  int3: 8,
  int5: 8,
  int6: 8,
  int7: 8,
  uint3: 8,
  uint5: 8,
  uint6: 8,
  uint7: 8,
  bits8: 8,
  bits16: 16,
  bits1x8: 8,
  bits2x4: 8,
  bits4x2: 8,
  datetime64: 64,
  timedelta64: 64,
};

/** Bits of one element; `undefined` where the type alone does not tell (strings, objects, structures). */
export function bitsOf(dtype: DType): number | undefined {
  return BITS[dtype];
}

/** Bytes that `count` elements take, rounded up; `undefined` where the type alone does not tell. */
export function byteLengthOf(dtype: DType, count: number): number | undefined {
  const bits = BITS[dtype];
  return bits === undefined ? undefined : Math.ceil((bits * count) / 8);
}

/** Number of elements of a shape; 1 for a scalar. A product beyond 2^53 is `Infinity`, so that no check is passed by rounding. */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const size of shape) count *= size;
  return count > Number.MAX_SAFE_INTEGER ? Number.POSITIVE_INFINITY : count;
}

import type { DType } from '../../tensors/dtype';

/** TensorFlow's `DataType` numbers (types.proto) in our vocabulary; what has no elements to show is left out. */
const DTYPES: Record<number, DType> = {
  1: 'float32',
  2: 'float64',
  3: 'int32',
  4: 'uint8',
  5: 'int16',
  6: 'int8',
  7: 'string',
  8: 'complex64',
  9: 'int64',
  10: 'bool',
  11: 'qint8',
  12: 'quint8',
  13: 'qint32',
  14: 'bfloat16',
  15: 'int16',
  16: 'uint16',
  17: 'uint16',
  18: 'complex128',
  19: 'float16',
  22: 'uint32',
  23: 'uint64',
  24: 'float8_e5m2',
  25: 'float8_e4m3fn',
  29: 'int4',
  30: 'uint4',
  31: 'float8_e4m3fnuz',
  32: 'float8_e5m2fnuz',
};

/** TensorFlow's own names where they differ from ours or have no counterpart. */
const NAMES: Record<number, string> = { 15: 'qint16', 16: 'quint16', 20: 'resource', 21: 'variant' };

/** The dtype of a number, references (number + 100) as what they refer to; `object` for resources, variants and unknown numbers. */
export function dtypeOf(type: number | null | undefined): DType {
  return DTYPES[plainType(type ?? 0)] ?? 'object';
}

/** The name users know: ours for element types, TensorFlow's for `resource` and `variant`. */
export function dtypeName(type: number | null | undefined): string {
  const plain = plainType(type ?? 0);
  return NAMES[plain] ?? DTYPES[plain] ?? (plain === 0 ? 'unknown' : `dtype ${plain}`);
}

/** DT_FLOAT_REF = 101 and so on. */
export function plainType(type: number): number {
  return type > 100 ? type - 100 : type;
}

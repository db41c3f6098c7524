import type { Value } from '../../pickle/values';
import { Global } from '../../pickle/values';
import type { DType } from '../../tensors/dtype';

/** Element types by the class names of typed storages (`torch.FloatStorage`) and tensors (`torch.cuda.FloatTensor`). */
const BY_CLASS: Record<string, DType> = {
  Double: 'float64',
  Float: 'float32',
  Half: 'float16',
  BFloat16: 'bfloat16',
  Long: 'int64',
  Int: 'int32',
  Short: 'int16',
  Char: 'int8',
  Byte: 'uint8',
  Bool: 'bool',
  ComplexHalf: 'complex32',
  ComplexFloat: 'complex64',
  ComplexDouble: 'complex128',
  QInt8: 'qint8',
  QUInt8: 'quint8',
  QInt32: 'qint32',
  QUInt4x2: 'quint4x2',
  QUInt2x4: 'quint2x4',
};

/** Element types by the names of `torch.dtype` objects and their aliases. */
const BY_NAME: Record<string, DType> = {
  double: 'float64',
  float: 'float32',
  half: 'float16',
  long: 'int64',
  int: 'int32',
  short: 'int16',
  cfloat: 'complex64',
  cdouble: 'complex128',
  chalf: 'complex32',
};
for (const name of [
  'bool',
  'int8',
  'int16',
  'int32',
  'int64',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
  'float16',
  'bfloat16',
  'float32',
  'float64',
  'float8_e4m3fn',
  'float8_e4m3fnuz',
  'float8_e5m2',
  'float8_e5m2fnuz',
  'float8_e8m0fnu',
  'float4_e2m1fn_x2',
  'complex32',
  'complex64',
  'complex128',
  'qint8',
  'quint8',
  'qint32',
  'quint4x2',
  'quint2x4',
  'int4',
  'uint4',
  'int2',
  'uint2',
  'int1',
  'uint1',
  'int3',
  'int5',
  'int6',
  'int7',
  'uint3',
  'uint5',
  'uint6',
  'uint7',
  'bits8',
  'bits16',
  'bits1x8',
  'bits2x4',
  'bits4x2',
] as const) {
  BY_NAME[name] = name;
}

/**
 * The bits of one element as torch stores it. The sub-byte `int1`…`uint7` of torch occupy a whole byte each in torch (they are
 * placeholders that subclasses pack), and the `x2`, `x4` quantised types count their packed elements.
 */
const SHELL_TYPES = /^(u?int[1-7]|bits(8|16|1x8|2x4|4x2))$/;

/** The type that a tensor's bytes are read as: torch's shell types hold one value a byte, its `bits` types are bare bytes. */
export function storedAs(dtype: DType): DType {
  return SHELL_TYPES.test(dtype) ? (dtype === 'bits16' ? 'uint16' : 'uint8') : dtype;
}

/** dtype of `torch.<name>`; `undefined` if this is no known dtype. */
export function dtypeByName(name: string): DType | undefined {
  return Object.hasOwn(BY_NAME, name) ? BY_NAME[name] : undefined;
}

/** dtype that a pickled `torch.dtype` stands for. */
export function dtypeOf(value: Value | undefined): DType | undefined {
  return value instanceof Global && value.module === 'torch' ? dtypeByName(value.name) : undefined;
}

interface StorageClass {
  dtype: DType;
  untyped: boolean;
}

const storageClasses = new WeakMap<Global, StorageClass | null>();

/** What a class such as `torch.FloatStorage`, `torch.cuda.HalfTensor` or `torch.storage.UntypedStorage` says about its elements. */
export function dtypeOfClass(value: Value | undefined): StorageClass | undefined {
  if (!(value instanceof Global)) return undefined;
  let known = storageClasses.get(value);
  if (known === undefined) {
    known = readClass(value) ?? null;
    storageClasses.set(value, known);
  }
  return known ?? undefined;
}

function readClass(value: Global): StorageClass | undefined {
  if (!/^torch(\.|$)/.test(value.module)) return undefined;
  if (value.name === 'UntypedStorage' || value.name === '_UntypedStorage') return { dtype: 'uint8', untyped: true };
  const base = /^(\w+?)(Storage|Tensor)$/.exec(value.name)?.[1];
  if (base === undefined || !Object.hasOwn(BY_CLASS, base)) return undefined;
  return { dtype: BY_CLASS[base], untyped: false };
}

/** `c10::ScalarType` numbers, as TorchScript code and old archives write them. */
const SCALAR_TYPES: DType[] = [
  'uint8',
  'int8',
  'int16',
  'int32',
  'int64',
  'float16',
  'float32',
  'float64',
  'complex32',
  'complex64',
  'complex128',
  'bool',
  'qint8',
  'quint8',
  'qint32',
  'bfloat16',
  'quint4x2',
  'quint2x4',
];
SCALAR_TYPES[23] = 'float8_e5m2';
SCALAR_TYPES[24] = 'float8_e4m3fn';
SCALAR_TYPES[25] = 'float8_e5m2fnuz';
SCALAR_TYPES[26] = 'float8_e4m3fnuz';
SCALAR_TYPES[27] = 'uint16';
SCALAR_TYPES[28] = 'uint32';
SCALAR_TYPES[29] = 'uint64';

/** dtype of a `c10::ScalarType` number (`6` is float32). */
export function dtypeByScalarType(code: number): DType | undefined {
  return SCALAR_TYPES[code];
}

import { asNumber, asSequence, asText, Global, Instance, isDict, type Value } from '../../pickle/values';
import type { DType } from '../../tensors/dtype';
import { asBytes } from './bytes';

/** A field of a structured dtype; `offset` in bytes inside one element (fields may be padded, so never go by position). */
export interface NumpyField {
  name: string;
  dtype: NumpyDType;
  offset: number;
}

/** A NumPy dtype as a pickle or a .npy header describes it. Source: numpy `descriptor.c`, `arraydescr_reduce` and `_setstate`. */
export interface NumpyDType {
  type: DType;
  /** NumPy's kind letter: b i u f c m M O S U V. */
  kind: string;
  /** Bytes of one element (for a sub-array dtype, of the whole sub-array). */
  itemsize: number;
  byteOrder: 'little' | 'big';
  fields?: NumpyField[];
  /** Sub-array shape of a field such as `('f8', (3,))`. */
  subShape?: number[];
  /** Unit of datetime64 and timedelta64, e.g. `ns`, `25s`. */
  unit?: string;
  /** NumPy's own spelling: `<f8`, `|O`, `<U12`, `datetime64[ns]`. */
  text: string;
}

const NUMBERS: Record<string, DType> = {
  b1: 'bool',
  i1: 'int8',
  i2: 'int16',
  i4: 'int32',
  i8: 'int64',
  u1: 'uint8',
  u2: 'uint16',
  u4: 'uint32',
  u8: 'uint64',
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
  f16: 'longdouble',
  f12: 'longdouble',
  c8: 'complex64',
  c16: 'complex128',
  '?': 'bool',
};

/** Builds a dtype from its array-protocol string: `f8`, `<i4`, `|O`, `U12`, `M8[ns]`, `V56`. `undefined` if it is none. */
export function dtypeFromString(text: string, order?: string): NumpyDType | undefined {
  const match = /^([<>=|]?)([a-zA-Z?])([0-9]*)(?:\[(.*)\])?$/.exec(text);
  if (!match) return undefined;
  const [, mark, letter, digits, unit] = match;
  const big = (order && order !== '|' ? order : mark) === '>';
  const byteOrder = big ? 'big' : 'little';
  const size = digits === '' ? undefined : Number(digits);
  const sign = big ? '>' : '<';
  switch (letter) {
    case 'O':
      return { type: 'object', kind: 'O', itemsize: size ?? 8, byteOrder, text: '|O' };
    case 'S':
    case 'a':
      return { type: 'bytes', kind: 'S', itemsize: size ?? 0, byteOrder, text: `|S${size ?? 0}` };
    case 'U':
      return { type: 'string', kind: 'U', itemsize: (size ?? 0) * 4, byteOrder, text: `${sign}U${size ?? 0}` };
    case 'V':
      return { type: 'void', kind: 'V', itemsize: size ?? 0, byteOrder, text: `|V${size ?? 0}` };
    case 'M':
    case 'm': {
      const name: DType = letter === 'M' ? 'datetime64' : 'timedelta64';
      return {
        type: name,
        kind: letter,
        itemsize: 8,
        byteOrder,
        ...(unit ? { unit } : {}),
        text: unit ? `${name}[${unit}]` : name,
      };
    }
  }
  const type = NUMBERS[`${letter}${digits}`];
  if (!type) return undefined;
  const itemsize = letter === '?' ? 1 : Number(digits);
  return {
    type,
    kind: letter === '?' ? 'b' : letter,
    itemsize,
    byteOrder,
    text: itemsize === 1 ? `|${letter}${itemsize}` : `${sign}${letter}${itemsize}`,
  };
}

/** A dtype as `str(dtype)` says it: `float64`, `object`, `<U12`, `>f8` where the byte order is not this machine's. */
export function dtypeLabel(dtype: NumpyDType): string {
  if (dtype.kind === 'O') return 'object';
  const named = /^[biufc]$/.test(dtype.kind) && dtype.fields === undefined && dtype.subShape === undefined;
  return named && !dtype.text.startsWith('>') ? dtype.type : dtype.text;
}

/** Names under which scalar types are imported as dtypes: `numpy.float64`, `builtins.float`. */
const BY_NAME: Record<string, string> = {
  float64: 'f8',
  float32: 'f4',
  float16: 'f2',
  longdouble: 'f16',
  float_: 'f8',
  double: 'f8',
  single: 'f4',
  half: 'f2',
  int8: 'i1',
  int16: 'i2',
  int32: 'i4',
  int64: 'i8',
  int_: 'i8',
  intp: 'i8',
  longlong: 'i8',
  intc: 'i4',
  uint8: 'u1',
  uint16: 'u2',
  uint32: 'u4',
  uint64: 'u8',
  uint: 'u8',
  uintp: 'u8',
  ulonglong: 'u8',
  uintc: 'u4',
  bool_: 'b1',
  bool: 'b1',
  complex64: 'c8',
  complex128: 'c16',
  object_: 'O',
  object: 'O',
  str_: 'U',
  str: 'U',
  bytes_: 'S',
  bytes: 'S',
  void: 'V',
  datetime64: 'M8',
  timedelta64: 'm8',
  float: 'f8',
  int: 'i8',
  complex: 'c16',
  Float64DType: 'f8',
  Float32DType: 'f4',
  Float16DType: 'f2',
  Int8DType: 'i1',
  Int16DType: 'i2',
  Int32DType: 'i4',
  Int64DType: 'i8',
  UInt8DType: 'u1',
  UInt16DType: 'u2',
  UInt32DType: 'u4',
  UInt64DType: 'u8',
  BoolDType: 'b1',
  ObjectDType: 'O',
  LongDType: 'i8',
  ULongDType: 'u8',
  LongLongDType: 'i8',
  ULongLongDType: 'u8',
  IntDType: 'i4',
  UIntDType: 'u4',
  Complex64DType: 'c8',
  Complex128DType: 'c16',
};

/** Reads a pickled dtype (`numpy.dtype(…)` + state), a scalar type, or its string. Results are shared per object. */
export function asDType(value: Value | undefined): NumpyDType | undefined {
  if (typeof value === 'string') return dtypeFromString(value);
  if (value instanceof Global) {
    const code = BY_NAME[value.name];
    return code && (value.module.startsWith('numpy') || value.module === 'builtins')
      ? dtypeFromString(code)
      : undefined;
  }
  if (!(value instanceof Instance)) return undefined;
  const known = cache.get(value);
  if (known) return known;
  if (building.has(value)) return undefined;
  building.add(value);
  try {
    const made = build(value);
    if (made) cache.set(value, made);
    return made;
  } finally {
    building.delete(value);
  }
}

const cache = new WeakMap<Instance, NumpyDType>();
const building = new WeakSet<Instance>();

function build(value: Instance): NumpyDType | undefined {
  const { callable } = value;
  if (!(callable instanceof Global) || !callable.module.startsWith('numpy')) return undefined;
  if (callable.name.endsWith('DType') && BY_NAME[callable.name]) return dtypeFromString(BY_NAME[callable.name]);
  // NumPy 2's strings of any length; their elements are pickled as objects.
  if (callable.name === '_convert_to_stringdtype_kwargs' || callable.name === 'StringDType') {
    return { type: 'string', kind: 'T', itemsize: 16, byteOrder: 'little', text: 'StringDType' };
  }
  if (callable.name !== 'dtype') return undefined;
  const first = asSequence(value.args)?.[0];
  const state = asSequence(value.state);
  const order = asText(state?.[1]);
  const base =
    first instanceof Instance || first instanceof Global ? asDType(first) : dtypeFromString(asText(first) ?? '', order);
  if (!base || !state) return base;
  const [, , sub, names, fields, itemsize, , , metadata] = state;
  const made: NumpyDType = { ...base };
  const size = asNumber(itemsize);
  if (size !== undefined && size >= 0) made.itemsize = size;
  const unit = dateUnit(metadata);
  if (unit && (made.type === 'datetime64' || made.type === 'timedelta64')) {
    made.unit = unit;
    made.text = `${made.type}[${unit}]`;
  }
  const subPair = asSequence(sub);
  if (subPair?.length === 2) {
    const element = asDType(subPair[0]);
    const shape = asSequence(subPair[1])?.map((n) => asNumber(n) ?? 0) ?? [asNumber(subPair[1]) ?? 0];
    if (element)
      return {
        ...element,
        subShape: shape,
        itemsize: made.itemsize || element.itemsize * shape.reduce((a, b) => a * b, 1),
      };
  }
  const order2 = asSequence(names);
  if (order2 && isDict(fields)) {
    made.type = 'structured';
    made.fields = [];
    for (const name of order2) {
      const entry = asSequence(fields.get(name));
      const dtype = asDType(entry?.[0]);
      const offset = asNumber(entry?.[1]);
      if (dtype && offset !== undefined) made.fields.push({ name: asText(name) ?? '', dtype, offset });
    }
    made.text = `{${made.fields.map((f) => `${f.name}: ${f.dtype.text}`).join(', ')}}`;
  }
  return made;
}

/** `((…), (b'ns', 1, 1, 1))` → `ns`; `(b's', 25, 1, 1)` → `25s`. */
function dateUnit(metadata: Value | undefined): string | undefined {
  const pair = asSequence(metadata);
  const parts = asSequence(pair?.[1]);
  const raw = asBytes(parts?.[0]);
  const unit = asText(parts?.[0]) ?? (raw ? Buffer.from(raw.bytes()).toString('latin1') : undefined);
  if (!unit) return undefined;
  const count = asNumber(parts?.[1]) ?? 1;
  return count === 1 ? unit : `${count}${unit}`;
}

/** Whether elements hold references to Python objects, at any depth of a structure. */
export function hasObjects(dtype: NumpyDType): boolean {
  return dtype.kind === 'O' || dtype.kind === 'T' || (dtype.fields?.some((field) => hasObjects(field.dtype)) ?? false);
}

/** A dtype whose elements are arrays of their own. */
export function withSubShape(base: NumpyDType, shape: Value | undefined): NumpyDType | undefined {
  const sizes = asSequence(shape)?.map((n) => asNumber(n) ?? -1) ?? [asNumber(shape) ?? -1];
  if (!sizes.every((n) => Number.isInteger(n) && n >= 0)) return undefined;
  return {
    ...base,
    subShape: [...sizes, ...(base.subShape ?? [])],
    itemsize: base.itemsize * sizes.reduce((a, b) => a * b, 1),
  };
}

/** A structure of named fields. */
export function structured(fields: NumpyField[], itemsize: number): NumpyDType {
  return {
    type: 'structured',
    kind: 'V',
    itemsize,
    byteOrder: 'little',
    fields,
    text: `{${fields.map((field) => `${field.name}: ${field.dtype.text}`).join(', ')}}`,
  };
}

import { byteLengthOf, type DType } from '../../tensors/dtype';

export type AttributeValue = string | number | boolean | string[] | number[] | undefined;

export interface Hdf5Dataset {
  shape: number[];
  dtype: DType;
  itemsize: number;
  byteOrder: 'little' | 'big';
  /** Text of variable length. */
  variableText: boolean;
  /** Name of the type where ours says less. */
  detail?: string;
}

interface Described {
  attrs: Record<string, { value: unknown }>;
}

export function attributesOf(entity: Described): Map<string, AttributeValue> {
  const out = new Map<string, AttributeValue>();
  for (const [name, attribute] of Object.entries(entity.attrs)) {
    try {
      out.set(name, plain(attribute.value));
    } catch {
      out.set(name, undefined);
    }
  }
  return out;
}

function plain(value: unknown): AttributeValue {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number | bigint>, Number);
  if (Array.isArray(value))
    return value.map((item) => (item instanceof Uint8Array ? new TextDecoder().decode(item) : String(item)));
  return undefined;
}

/** Other files that a dataset with this metadata is put together from; `.` is the file itself. */
export function virtualSources(metadata: unknown): string[] {
  const { virtual_sources: sources = [] } = metadata as { virtual_sources?: { file_name: string }[] };
  return [...new Set(sources.map((source) => source.file_name))].filter((name) => name !== '.' && name !== '');
}

interface Metadata {
  type: number;
  size: number;
  signed: boolean;
  littleEndian: boolean;
  vlen: boolean;
  shape: number[] | null;
  enum_type?: { type: number; members: Record<string, number> };
}

const INTEGER = 0;
const FLOAT = 1;
const STRING = 3;
const OPAQUE = 5;
const COMPOUND = 6;
const ENUM = 8;

/** Shape and type of a dataset by its metadata (H5T class numbers of the HDF5 specification). */
export function datasetOf(metadata: unknown, attributes: ReadonlyMap<string, AttributeValue>): Hdf5Dataset {
  const m = metadata as Metadata;
  const out: Hdf5Dataset = {
    shape: [...(m.shape ?? [])].map(Number),
    dtype: 'object',
    itemsize: m.size,
    byteOrder: m.littleEndian ? 'little' : 'big',
    variableText: m.type === STRING && m.vlen,
  };
  if (m.type === INTEGER) out.dtype = `${m.signed ? 'int' : 'uint'}${m.size * 8}` as DType;
  else if (m.type === FLOAT)
    out.dtype = m.size === 2 ? 'float16' : m.size === 4 ? 'float32' : m.size === 8 ? 'float64' : 'longdouble';
  else if (m.type === STRING) out.dtype = m.vlen ? 'string' : 'bytes';
  else if (m.type === ENUM) {
    const names = Object.keys(m.enum_type?.members ?? {});
    out.dtype =
      m.size === 1 && names.length === 2 && names.includes('TRUE') && names.includes('FALSE')
        ? 'bool'
        : (`int${m.size * 8}` as DType);
  } else if (m.type === OPAQUE) {
    // Keras 3 stores what NumPy has no type for as raw bytes and says the type in an attribute.
    const named = attributes.get('dtype');
    out.dtype = named === 'bfloat16' && m.size === 2 ? 'bfloat16' : 'void';
  } else if (m.type === COMPOUND) out.dtype = 'structured';
  if (byteLengthOf(out.dtype, 1) === undefined && out.dtype !== 'bytes' && out.dtype !== 'string')
    out.detail = `HDF5 type class ${m.type}`;
  return out;
}

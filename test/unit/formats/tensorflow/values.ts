import type { Parameter } from '../../../../src/model/model';

type Value = number | string | boolean;

/** All elements of a row as the golden files write them: non-finite numbers as text, text as Latin-1. */
export function valuesOf(row: Parameter): Value[] {
  const tensor = row.tensor;
  if (!tensor) throw new Error(`${row.name} has no values: ${row.note}`);
  const bytes = tensor.data.bytes();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out: Value[] = [];
  for (let i = 0; i < row.count; i++) out.push(element(tensor.dtype, view, i, bytes, tensor.itemsize ?? 0));
  return out;
}

function element(dtype: string, view: DataView, i: number, bytes: Uint8Array, itemsize: number): Value {
  switch (dtype) {
    case 'float32':
      return finite(view.getFloat32(4 * i, true));
    case 'float64':
      return finite(view.getFloat64(8 * i, true));
    case 'float16':
      return finite(half(view.getUint16(2 * i, true)));
    case 'bfloat16': {
      const wide = new DataView(new ArrayBuffer(4));
      wide.setUint32(0, view.getUint16(2 * i, true) << 16);
      return finite(wide.getFloat32(0));
    }
    case 'int32':
      return view.getInt32(4 * i, true);
    case 'uint32':
      return view.getUint32(4 * i, true);
    case 'int64':
      return Number(view.getBigInt64(8 * i, true));
    case 'int16':
      return view.getInt16(2 * i, true);
    case 'uint16':
      return view.getUint16(2 * i, true);
    case 'uint64':
      return Number(view.getBigUint64(8 * i, true));
    case 'uint8':
      return view.getUint8(i);
    case 'int8':
      return view.getInt8(i);
    case 'bool':
      return view.getUint8(i) !== 0;
    case 'bytes':
      return Buffer.from(bytes.subarray(i * itemsize, (i + 1) * itemsize))
        .toString('latin1')
        .replace(/\0+$/, '');
    default:
      throw new Error(`no reader for ${dtype}`);
  }
}

function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function finite(value: number): Value {
  return Number.isFinite(value) ? value : String(value);
}

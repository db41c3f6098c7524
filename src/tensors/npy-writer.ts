import { ModelError } from '../bytes/errors';
import { bitsOf, type DType, elementCount } from './dtype';
import { readBytes, readNumbers } from './elements';
import type { NamedTensor } from './named';
import { dequantiser } from './quantization';
import type { TensorRef } from './tensor';

/** NumPy's type strings, without byte order. Types that NumPy lacks are widened to one that holds every value. */
const DESCRIPTIONS: Partial<Record<DType, string>> = {
  bool: 'b1',
  int8: 'i1',
  int16: 'i2',
  int32: 'i4',
  int64: 'i8',
  uint8: 'u1',
  uint16: 'u2',
  uint32: 'u4',
  uint64: 'u8',
  float16: 'f2',
  float32: 'f4',
  float64: 'f8',
  longdouble: 'f16',
  complex64: 'c8',
  complex128: 'c16',
};

/** Elements written at once. */
const CHUNK = 1 << 18;

/**
 * The chunks of a .npy file (version 1.0 or 2.0, row-major, little-endian) with the values of a parameter, streamed from its file.
 * Types that NumPy does not have (bfloat16, float8, packed integers) become float32, quantised types their real values, complex32
 * complex64. Source: NumPy `lib/format.py`.
 * @throws ModelError `unsupported` for a parameter without values in the file, `truncated`, `io`.
 */
export function* writeNpy(parameter: NamedTensor): Generator<Uint8Array> {
  const ref = parameter.tensor;
  if (!ref) {
    throw new ModelError(
      'unsupported',
      `${parameter.name} has no values in this file${parameter.note ? ` (${parameter.note})` : ''}.`,
    );
  }
  const pairs = ref.dtype === 'float4_e2m1fn_x2';
  const shape = pairs ? [...ref.shape.slice(0, -1), (ref.shape.at(-1) ?? 1) * 2] : ref.shape;
  const plain = ref.quantization ? undefined : DESCRIPTIONS[ref.dtype];
  const text =
    ref.dtype === 'string'
      ? `U${(ref.itemsize ?? 4) / 4}`
      : ref.dtype === 'bytes'
        ? `S${ref.itemsize ?? 1}`
        : ref.dtype === 'datetime64'
          ? 'M8'
          : ref.dtype === 'timedelta64'
            ? 'm8'
            : undefined;
  const description = text ?? plain ?? (ref.dtype === 'complex32' ? 'c8' : 'f4');
  const single = (plain !== undefined && bitsOf(ref.dtype) === 8) || description.startsWith('S');
  yield npyHeader(`${single ? '|' : ref.byteOrder === 'big' && (plain || text) ? '>' : '<'}${description}`, shape);
  const total = elementCount(ref.shape);
  for (let at = 0; at < total; at += CHUNK) {
    const count = Math.min(CHUNK, total - at);
    if (plain || text) yield readBytes(ref, at, count);
    else yield widened(ref, at, count);
  }
}

/** The values of a stretch as float32, or as pairs of float32 for complex32 and packed 4-bit floats. */
function widened(ref: TensorRef, at: number, count: number): Uint8Array {
  const values = readNumbers(ref, at, count);
  dequantiser(ref)?.(values, at);
  const second =
    ref.dtype === 'complex32'
      ? readNumbers(ref, at, count, 'imaginary')
      : ref.dtype === 'float4_e2m1fn_x2'
        ? readNumbers(ref, at, count, 'second')
        : undefined;
  const out = new Float32Array(second ? count * 2 : count);
  if (!second) out.set(values);
  else {
    for (let i = 0; i < count; i++) {
      out[2 * i] = values[i];
      out[2 * i + 1] = second[i];
    }
  }
  return new Uint8Array(out.buffer);
}

/** Magic, version, length and the Python dict that describes an array, padded so that the data begin at a multiple of 64. */
export function npyHeader(description: string, shape: readonly number[]): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const dict = `{'descr': '${description}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const long = dict.length + 11 > 0xffff;
  const prefix = long ? 12 : 10;
  const size = Math.ceil((prefix + dict.length + 1) / 64) * 64;
  const out = Buffer.alloc(size, ' ');
  out.write('\x93NUMPY', 0, 'latin1');
  out[6] = long ? 2 : 1;
  out[7] = 0;
  if (long) out.writeUInt32LE(size - prefix, 8);
  else out.writeUInt16LE(size - prefix, 8);
  out.write(dict, prefix, 'latin1');
  out[size - 1] = 0x0a;
  return out;
}

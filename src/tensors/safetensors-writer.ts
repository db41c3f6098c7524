import { ModelError } from '../bytes/errors';
import { bitsOf, type DType, elementCount } from './dtype';
import { readBytes, readNumbers } from './elements';
import type { NamedTensor } from './named';
import { dequantiser } from './quantization';
import type { TensorRef } from './tensor';

/** Type names of the format. Source: safetensors `tensor.rs`, `Dtype`. */
const NAMES: Partial<Record<DType, string>> = {
  bool: 'BOOL',
  uint8: 'U8',
  int8: 'I8',
  uint16: 'U16',
  int16: 'I16',
  uint32: 'U32',
  int32: 'I32',
  uint64: 'U64',
  int64: 'I64',
  float16: 'F16',
  bfloat16: 'BF16',
  float32: 'F32',
  float64: 'F64',
  complex64: 'C64',
  float8_e4m3fn: 'F8_E4M3',
  float8_e5m2: 'F8_E5M2',
  float8_e8m0fnu: 'F8_E8M0',
  datetime64: 'I64',
  timedelta64: 'I64',
};

const CHUNK = 1 << 18;

/**
 * The chunks of a .safetensors file with these parameters, streamed. Every row is written, tied ones too, as the format has no sharing.
 * Types that the format lacks become float32 (quantised tensors their real values) or float64; complex numbers other than complex64 get
 * a last dimension of two. Parameters without values in the file are named
 * in the metadata under `skipped`.
 * @throws ModelError `unsupported` if no parameter has values, `truncated`, `io`.
 */
export function* planSafetensors(parameters: readonly NamedTensor[]): Generator<Uint8Array> {
  const entries = new Map<string, unknown>();
  const skipped: string[] = [];
  const plan: { ref: TensorRef; name: string | undefined }[] = [];
  let offset = 0;
  for (const parameter of parameters) {
    const ref = parameter.tensor;
    if (!ref || (bitsOf(ref.dtype) === undefined && !ref.quantization)) {
      skipped.push(parameter.name);
      continue;
    }
    const name = ref.quantization ? undefined : NAMES[ref.dtype];
    const wide = !name && (ref.dtype === 'complex128' || ref.dtype === 'longdouble');
    const width = name ? (bitsOf(ref.dtype) as number) / 8 : wide ? 8 : 4;
    const pairs = !name && (ref.dtype.startsWith('complex') || ref.dtype === 'float4_e2m1fn_x2');
    const shape = pairs ? [...ref.shape, 2] : [...ref.shape];
    const length = elementCount(shape) * width;
    entries.set(parameter.name, {
      dtype: name ?? (wide ? 'F64' : 'F32'),
      shape,
      data_offsets: [offset, offset + length],
    });
    offset += length;
    plan.push({ ref, name });
  }
  if (plan.length === 0)
    throw new ModelError(
      'unsupported',
      'None of these parameters has values in the file, so there is nothing to export.',
    );
  const metadata: Record<string, string> = { format: 'pt' };
  if (skipped.length > 0) metadata['skipped'] = skipped.join(' ');
  const header = Buffer.from(
    `{"__metadata__":${JSON.stringify(metadata)}${[...entries].map(([k, v]) => `,${JSON.stringify(k)}:${JSON.stringify(v)}`).join('')}}`,
  );
  const padded = Math.ceil(header.length / 8) * 8;
  const head = Buffer.alloc(8 + padded, ' ');
  head.writeBigUInt64LE(BigInt(padded), 0);
  header.copy(head, 8);
  yield head;
  for (const { ref, name } of plan) {
    const total = elementCount(ref.shape);
    for (let at = 0; at < total; at += CHUNK) {
      const count = Math.min(CHUNK, total - at);
      yield name ? littleEndian(readBytes(ref, at, count), ref) : widened(ref, at, count);
    }
  }
}

/** Bytes in the order that the format wants. */
function littleEndian(bytes: Uint8Array, ref: TensorRef): Uint8Array {
  const width = (bitsOf(ref.dtype) ?? 8) / (ref.dtype === 'complex64' ? 16 : 8);
  if (ref.byteOrder !== 'big' || width === 1) return bytes;
  const out = Uint8Array.from(bytes);
  for (let i = 0; i < out.length; i += width) out.subarray(i, i + width).reverse();
  return out;
}

function widened(ref: TensorRef, at: number, count: number): Uint8Array {
  const Target = ref.dtype === 'complex128' || ref.dtype === 'longdouble' ? Float64Array : Float32Array;
  const values = readNumbers(ref, at, count);
  dequantiser(ref)?.(values, at);
  const part = ref.dtype.startsWith('complex') ? 'imaginary' : ref.dtype === 'float4_e2m1fn_x2' ? 'second' : undefined;
  if (!part) return new Uint8Array(Target.from(values).buffer);
  const second = readNumbers(ref, at, count, part);
  const out = new Target(count * 2);
  for (let i = 0; i < count; i++) {
    out[2 * i] = values[i];
    out[2 * i + 1] = second[i];
  }
  return new Uint8Array(out.buffer);
}

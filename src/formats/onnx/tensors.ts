import type { onnx } from '../../../generated/onnx';
import { type ByteRange, MemoryRange, SourceRange } from '../../bytes/byte-range';
import type { ByteSource } from '../../bytes/byte-source';
import type { Int64 } from '../../bytes/protobuf';
import { bulkRange } from '../../bytes/skim';
import { byteLengthOf, type DType, elementCount } from '../../tensors/dtype';
import type { TensorRef } from '../../tensors/tensor';
import { stringsTensor } from '../tensorflow/string-tensor';
import { dtypeOf } from './dtypes';

type TensorProto = onnx.TensorProto.$Properties;

/** Where a tensor's elements are, or why they cannot be had. */
export interface Located {
  tensor?: TensorRef;
  problem?: string;
  /** Name of the file beside the model that holds them. */
  external?: string;
}

export function tensorShape(proto: TensorProto): number[] {
  return (proto.dims ?? []).map((dim) => Math.max(0, Number(dim)));
}

/**
 * The elements of an initializer: in `raw_data`, in a file beside the model (`external_data`), or in the typed fields (onnx.proto).
 * @param neighbour opens a file in the model's folder; names that leave it give `undefined`.
 */
export function locate(proto: TensorProto, neighbour: (name: string) => ByteSource | undefined): Located {
  const dtype = dtypeOf(proto.dataType);
  const shape = tensorShape(proto);
  const count = elementCount(shape);
  const size = byteLengthOf(dtype, count);
  if (proto.dataLocation === 1) return external(proto, dtype, shape, size, neighbour);
  if (dtype === 'string') {
    const strings = proto.stringData ?? [];
    if (strings.length !== count)
      return { problem: `The tensor holds ${strings.length} strings, but its shape asks for ${count}.` };
    return { tensor: stringsTensor(strings, shape, proto.name ?? 'The tensor') };
  }
  if (size === undefined || !Number.isFinite(size)) return { problem: 'Values of this type are not shown.' };
  const raw = proto.rawData && proto.rawData.length > 0 ? bulkRange(proto.rawData) : undefined;
  const range = raw ?? typed(proto, dtype, count, size);
  if (!range)
    return count === 0
      ? { tensor: { dtype, shape, data: new MemoryRange(new Uint8Array(0)) } }
      : { problem: 'The tensor holds fewer values than its shape asks for.' };
  if (range.length < size)
    return { problem: `The tensor holds ${range.length} bytes, but its shape asks for ${size}.` };
  return { tensor: { dtype, shape, data: range } };
}

function external(
  proto: TensorProto,
  dtype: DType,
  shape: number[],
  size: number | undefined,
  neighbour: (name: string) => ByteSource | undefined,
): Located {
  const entries = new Map((proto.externalData ?? []).map((e) => [e.key ?? '', e.value ?? '']));
  const location = entries.get('location') ?? '';
  const offset = Number(entries.get('offset') ?? 0);
  if (location === '') return { problem: 'The tensor is said to be in another file, which is not named.' };
  const file = neighbour(location.replace(/^\.\//, ''));
  if (!file) return { external: location, problem: `The values are in ${location}, which is not beside the model.` };
  const length = Number(entries.get('length') ?? size ?? file.size - offset);
  if (size === undefined) return { external: location, problem: 'Values of this type are not shown.' };
  if (!(offset >= 0 && length >= size && offset + size <= file.size)) {
    return {
      external: location,
      problem: `${location} has ${file.size} bytes, but the values take ${size} from byte ${offset} on (${length} are declared).`,
    };
  }
  return { external: location, tensor: { dtype, shape, data: new SourceRange(file, offset, size) } };
}

/** Typed fields, one element each; narrow types travel in `int32_data`. */
function typed(proto: TensorProto, dtype: DType, count: number, size: number): ByteRange | undefined {
  const lists: (readonly Int64[] | null | undefined)[] = [
    proto.floatData,
    proto.doubleData,
    proto.int32Data,
    proto.int64Data,
    proto.uint64Data,
  ];
  const held = lists.reduce((most, list) => Math.max(most, list?.length ?? 0), 0);
  // Never laid out from the shape alone: there must be a value for each element (or byte, for packed types).
  if (held === 0) return undefined;
  const out = new Uint8Array(size);
  const view = new DataView(out.buffer);
  const put = <T>(
    values: readonly T[] | null | undefined,
    need: number,
    write: (i: number, value: T) => void,
  ): ByteRange | undefined => {
    if (!values || values.length < need) return undefined;
    for (let i = 0; i < need; i++) write(i, values[i]!);
    return new MemoryRange(out);
  };
  const int32 = proto.int32Data;
  switch (dtype) {
    case 'float32':
      return put(proto.floatData, count, (i, v) => view.setFloat32(4 * i, v, true));
    case 'complex64':
      return put(proto.floatData, 2 * count, (i, v) => view.setFloat32(4 * i, v, true));
    case 'float64':
      return put(proto.doubleData, count, (i, v) => view.setFloat64(8 * i, v, true));
    case 'complex128':
      return put(proto.doubleData, 2 * count, (i, v) => view.setFloat64(8 * i, v, true));
    case 'int64':
      return put(proto.int64Data as Int64[], count, (i, v) => view.setBigInt64(8 * i, BigInt(v), true));
    case 'uint64':
      return put(proto.uint64Data as Int64[], count, (i, v) =>
        view.setBigUint64(8 * i, BigInt.asUintN(64, BigInt(v)), true),
      );
    case 'uint32':
      return put(proto.uint64Data as Int64[], count, (i, v) => view.setUint32(4 * i, Number(v), true));
    case 'int32':
      return put(int32, count, (i, v) => view.setInt32(4 * i, v, true));
    case 'int16':
    case 'uint16':
    case 'float16':
    case 'bfloat16':
      return put(int32, count, (i, v) => view.setUint16(2 * i, v & 0xffff, true));
    default:
      return put(int32, size, (i, v) => view.setUint8(i, v & 0xff));
  }
}

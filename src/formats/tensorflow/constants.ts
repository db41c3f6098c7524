import type { tensorflow } from '../../../generated/tensorflow';
import { MemoryRange } from '../../bytes/byte-range';
import type { Int64 } from '../../bytes/protobuf';
import { bulkRange } from '../../bytes/skim';
import { byteLengthOf, type DType, elementCount } from '../../tensors/dtype';
import type { TensorRef } from '../../tensors/tensor';
import { dtypeName, dtypeOf } from './dtypes';
import { stringsTensor } from './string-tensor';

type TensorProto = tensorflow.TensorProto.$Properties;

/** A constant that repeats one value is not laid out beyond this. */
const MAX_FILLED_BYTES = 256 * 1024 * 1024;

/** Shape of a constant; constants are never of unknown size. */
export function constantShape(tensor: TensorProto): number[] {
  return (tensor.tensorShape?.dim ?? []).map((dim) => Math.max(0, Number(dim.size ?? 0)));
}

/**
 * The elements of a constant. `tensor_content` is used as it is; lists of values may be shorter than the tensor, whose rest then repeats the
 * last of them (tensor.proto). `undefined` when the proto holds fewer bytes than its shape asks for or a dtype without elements.
 */
export function constantTensor(tensor: TensorProto): TensorRef | undefined {
  const dtype = dtypeOf(tensor.dtype);
  const shape = constantShape(tensor);
  const count = elementCount(shape);
  if (dtype === 'string') {
    const values = tensor.stringVal ?? [];
    if (count > 1_000_000 || (values.length === 0 && count > 0)) return undefined;
    const filled = Array.from({ length: count }, (_, i) => values[Math.min(i, values.length - 1)]!);
    return stringsTensor(filled, shape, 'The constant');
  }
  const size = byteLengthOf(dtype, count);
  if (size === undefined || !Number.isFinite(size)) return undefined;
  const content = tensor.tensorContent;
  if (content && content.length > 0) {
    const range = bulkRange(content);
    return range.length >= size ? { dtype, shape, data: range } : undefined;
  }
  if (size > MAX_FILLED_BYTES) return undefined;
  const bytes = fill(tensor, dtype, count, size);
  return bytes ? { dtype, shape, data: new MemoryRange(bytes) } : undefined;
}

function fill(tensor: TensorProto, dtype: DType, count: number, size: number): Uint8Array | undefined {
  const out = new Uint8Array(size);
  const view = new DataView(out.buffer);
  const put = <T>(
    values: readonly T[] | null | undefined,
    write: (i: number, value: T) => void,
  ): Uint8Array | undefined => {
    if (count === 0) return out;
    // A proto without any value means zeros.
    if (!values || values.length === 0) return out;
    for (let i = 0; i < count; i++) write(i, values[Math.min(i, values.length - 1)]!);
    return out;
  };
  const pairs = (values: readonly number[] | null | undefined): [number, number][] => {
    const list: [number, number][] = [];
    for (let i = 0; i + 1 < (values?.length ?? 0); i += 2) list.push([values![i]!, values![i + 1]!]);
    return list;
  };
  switch (dtype) {
    case 'float32':
      return put(tensor.floatVal, (i, v) => view.setFloat32(4 * i, v, true));
    case 'float64':
      return put(tensor.doubleVal, (i, v) => view.setFloat64(8 * i, v, true));
    case 'int32':
    case 'qint32':
      return put(tensor.intVal, (i, v) => view.setInt32(4 * i, v, true));
    case 'int16':
    case 'uint16':
      return put(tensor.intVal, (i, v) => view.setInt16(2 * i, v, true));
    case 'int8':
    case 'uint8':
    case 'qint8':
    case 'quint8':
      return put(tensor.intVal, (i, v) => view.setInt8(i, v));
    case 'float16':
    case 'bfloat16':
      return put(tensor.halfVal, (i, v) => view.setUint16(2 * i, v, true));
    case 'bool':
      return put(tensor.boolVal, (i, v) => view.setUint8(i, v ? 1 : 0));
    case 'int64':
      return put(tensor.int64Val as Int64[], (i, v) => view.setBigInt64(8 * i, BigInt(v), true));
    case 'uint32':
      return put(tensor.uint32Val, (i, v) => view.setUint32(4 * i, v, true));
    case 'uint64':
      return put(tensor.uint64Val as Int64[], (i, v) => view.setBigUint64(8 * i, BigInt.asUintN(64, BigInt(v)), true));
    case 'complex64':
      return put(pairs(tensor.scomplexVal), (i, [re, im]) => {
        view.setFloat32(8 * i, re, true);
        view.setFloat32(8 * i + 4, im, true);
      });
    case 'complex128':
      return put(pairs(tensor.dcomplexVal), (i, [re, im]) => {
        view.setFloat64(16 * i, re, true);
        view.setFloat64(16 * i + 8, im, true);
      });
    default:
      return undefined;
  }
}

/** Elements of a constant that a preview shows. */
const PREVIEW = 12;

/** One line for a constant: its values when they are few, its dtype and shape otherwise. */
export function constantText(tensor: TensorProto): string {
  const shape = constantShape(tensor);
  const count = elementCount(shape);
  const head = `${dtypeName(tensor.dtype)}[${shape.join(', ')}]`;
  if (count > PREVIEW) return head;
  if (dtypeOf(tensor.dtype) === 'string') {
    const texts = (tensor.stringVal ?? [])
      .slice(0, PREVIEW)
      .map((s) => JSON.stringify(new TextDecoder().decode(s.subarray(0, 80))));
    return shape.length === 0 ? (texts[0] ?? '""') : `[${texts.join(', ')}]`;
  }
  const values = numbers(tensor, count);
  if (!values) return head;
  return shape.length === 0 ? (values[0] ?? '') : `[${values.join(', ')}]${shape.length > 1 ? ` as ${head}` : ''}`;
}

function numbers(tensor: TensorProto, count: number): string[] | undefined {
  const ref = constantTensor(tensor);
  if (!ref) return undefined;
  const bytes = ref.data.bytes();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read: Partial<Record<DType, (i: number) => number | bigint | boolean>> = {
    float32: (i) => Number(view.getFloat32(4 * i, true).toPrecision(7)),
    float64: (i) => view.getFloat64(8 * i, true),
    int32: (i) => view.getInt32(4 * i, true),
    int16: (i) => view.getInt16(2 * i, true),
    uint16: (i) => view.getUint16(2 * i, true),
    int8: (i) => view.getInt8(i),
    uint8: (i) => view.getUint8(i),
    bool: (i) => view.getUint8(i) !== 0,
    int64: (i) => view.getBigInt64(8 * i, true),
    uint32: (i) => view.getUint32(4 * i, true),
    uint64: (i) => view.getBigUint64(8 * i, true),
  };
  const one = read[ref.dtype];
  return one ? Array.from({ length: count }, (_, i) => String(one(i))) : undefined;
}

import { SourceRange } from '../../bytes/byte-range';
import { type ByteSource, readUpTo } from '../../bytes/byte-source';
import { ModelError } from '../../bytes/errors';
import type { Pickle } from '../../pickle/machine';
import { readPickle } from '../../pickle/machine';
import { asSequence, isDict, PyTuple, type Value } from '../../pickle/values';
import { elementCount } from '../../tensors/dtype';
import { hasObjects, type NumpyDType } from './dtype';
import { dtypeFromDescription } from './dtype-description';
import { parseLiteral } from './literal';
import { NdArray } from './ndarray';
import { asArray } from './pickled';

/** Headers are some hundred bytes; the largest structured dtype seen takes 60 kB. NumPy refuses 10,000 unless told otherwise. */
const MAX_HEADER = 1 << 20;

export interface NpyFile {
  array: NdArray;
  version: [number, number];
  /** The pickle that holds the elements of an object array. */
  pickle?: Pickle;
  /** Offset of the first byte after the array. */
  end: number;
}

export function isNpy(head: Uint8Array): boolean {
  return (
    head.length >= 8 &&
    head[0] === 0x93 &&
    head[1] === 0x4e &&
    head[2] === 0x55 &&
    head[3] === 0x4d &&
    head[4] === 0x50 &&
    head[5] === 0x59
  );
}

/** The array of a .npy file. @throws ModelError */
export function openNpy(source: ByteSource): NdArray {
  return readNpy(source).array;
}

/** Where the data of an array begin by the length that its header declares; the size of the source when it ends before. */
export function dataOffset(source: ByteSource, start: number): number {
  const head = readUpTo(source, start, 12);
  if (head.length < 12) return source.size;
  const wide = head[6] > 1;
  const length = head[8] | (head[9] << 8) | (wide ? (head[10] << 16) + head[11] * 0x1000000 : 0);
  return Math.min(start + (wide ? 12 : 10) + length, source.size);
}

/**
 * Reads the header of a .npy file (versions 1.0 to 3.0) and locates its data. The header is a Python literal, parsed and never evaluated.
 * Source: numpy `lib/format.py`.
 * @throws ModelError `malformed`, `truncated`, or `unsupported` for other versions.
 */
export function readNpy(source: ByteSource, start = 0): NpyFile {
  const head = readUpTo(source, start, 12);
  if (!isNpy(head)) {
    throw new ModelError('malformed', `${source.name} does not start with the magic bytes of a .npy file.`, {
      offset: start,
    });
  }
  const [major, minor] = [head[6], head[7]];
  if (major < 1 || major > 3) {
    throw new ModelError(
      'unsupported',
      `${source.name} is a .npy file of version ${major}.${minor}; versions 1.0 to 3.0 are known.`,
      { offset: start + 6 },
    );
  }
  const wide = major > 1;
  if (head.length < (wide ? 12 : 10))
    throw new ModelError('truncated', `${source.name} ends inside the header of its array.`, { offset: start });
  const length = wide ? (head[8] | (head[9] << 8) | (head[10] << 16)) + head[11] * 0x1000000 : head[8] | (head[9] << 8);
  const at = start + (wide ? 12 : 10);
  if (length > source.size - at) {
    throw new ModelError(
      'truncated',
      `${source.name} declares an array header of ${length} bytes, but only ${source.size - at} are left.`,
      { offset: at },
    );
  }
  if (length > MAX_HEADER)
    throw new ModelError(
      'limit',
      `${source.name} declares an array header of ${length} bytes; more than ${MAX_HEADER} are not read.`,
      { offset: at },
    );
  const text = Buffer.from(source.read(at, length)).toString(major === 3 ? 'utf8' : 'latin1');
  const header = parseLiteral(text);
  const found = isDict(header) ? describeHeader(header) : undefined;
  if (!found) {
    throw new ModelError(
      'malformed',
      `The header of the array in ${source.name} is not a dictionary of descr, fortran_order and shape.`,
      { offset: at },
    );
  }
  return locate(source, found, at + length, [major, minor]);
}

interface Header {
  dtype: NumpyDType;
  fortran: boolean;
  shape: number[];
}

function describeHeader(header: Map<Value, Value>): Header | undefined {
  const dtype = dtypeFromDescription(header.get('descr'));
  const shape = header.get('shape') instanceof PyTuple ? asSequence(header.get('shape')) : undefined;
  const fortran = header.get('fortran_order');
  if (!dtype || !shape || typeof fortran !== 'boolean') return undefined;
  if (!shape.every((size) => typeof size === 'number' && Number.isInteger(size) && size >= 0)) return undefined;
  return { dtype, fortran, shape: shape as number[] };
}

function locate(
  source: ByteSource,
  { dtype, fortran, shape }: Header,
  data: number,
  version: [number, number],
): NpyFile {
  const count = elementCount(shape);
  if (hasObjects(dtype)) {
    const pickle = readPickle(source, data, { name: source.name });
    const inner = asArray(pickle.value);
    const objects = inner?.objects ?? asSequence(pickle.value);
    const array = new NdArray(dtype, shape, inner ? inner.fortran : false, undefined, objects ?? [pickle.value]);
    return { array, version, pickle, end: pickle.end };
  }
  const bytes = count * dtype.itemsize;
  if (!(bytes <= source.size - data)) {
    throw new ModelError(
      'truncated',
      `${source.name} holds an array of shape (${shape.join(', ')}) and dtype ${dtype.text}, which needs ${bytes} bytes, but only ${source.size - data} follow its header.`,
      { offset: data },
    );
  }
  return {
    array: new NdArray(dtype, shape, fortran, new SourceRange(source, data, bytes), undefined),
    version,
    end: data + bytes,
  };
}

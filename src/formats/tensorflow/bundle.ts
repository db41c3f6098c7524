import { tensorflow } from '../../../generated/tensorflow';
import { readTable } from '../../archives/sstable';
import { type ByteRange, SourceRange } from '../../bytes/byte-range';
import type { ByteSource } from '../../bytes/byte-source';
import { asModelError, ModelError } from '../../bytes/errors';
import { latin1 } from '../../bytes/latin1';
import { decodeMessage } from '../../bytes/protobuf';
import { utf8 } from '../../bytes/wire';
import type { Finding } from '../../model/model';
import { bitsOf, byteLengthOf, type DType, elementCount } from '../../tensors/dtype';
import type { TensorRef } from '../../tensors/tensor';
import { CheckedRange } from './checked-range';
import { dtypeName, dtypeOf, plainType } from './dtypes';
import { type Extent, joinSlices, type Slice, sliceKey } from './slices';
import { splitStrings, stringTensor } from './string-tensor';

/** Key of the object graph that a TensorFlow 2 checkpoint keeps of itself. */
export const OBJECT_GRAPH_KEY = '_CHECKPOINTABLE_OBJECT_GRAPH';

const DT_VARIANT = 21;

export interface BundleEntry {
  key: string;
  shape: number[];
  dtype: DType;
  /** TensorFlow's number of the dtype. */
  type: number;
  /** TensorFlow's name of the dtype. */
  dtypeName: string;
  count: number;
  bytes: number;
  shard: number;
  offset: number;
  crc32c?: number;
  /** Parts of a partitioned variable, in the order of the file. */
  slices: Slice[];
}

/**
 * A tensor bundle: TensorFlow's checkpoint of the second version, also the `variables/` folder of a SavedModel. The index is read at once,
 * values are read when asked for (formats: `tensor_bundle.proto`, `tensor_bundle.cc`).
 */
export class TensorBundle {
  /** Whole variables by name, sorted; a partitioned variable is one entry. */
  readonly entries = new Map<string, BundleEntry>();
  readonly findings: Finding[] = [];
  readonly shards: number;
  readonly bigEndian: boolean;
  /** Entries of the parts of partitioned variables, by their binary key. */
  private readonly parts = new Map<string, BundleEntry>();
  private readonly open = new Map<number, ByteSource | undefined>();

  /**
   * @param shard opens the file of a shard, `undefined` when it is not there.
   * @throws ModelError when the index cannot be read at all.
   */
  constructor(
    private readonly index: ByteSource,
    private readonly shard: (number: number, of: number) => ByteSource | undefined,
  ) {
    const table = readTable(index);
    for (const problem of table.problems) this.find(problem);
    const first = table.entries[0];
    if (first?.key.length !== 0) {
      throw new ModelError(
        'malformed',
        `${index.name} is a sorted table without the header of a TensorFlow checkpoint.`,
        { offset: 0 },
      );
    }
    const header = decodeMessage(tensorflow.BundleHeaderProto, first.value, `The header of ${index.name}`);
    this.shards = header.numShards ?? 1;
    this.bigEndian = header.endianness === tensorflow.BundleHeaderProto.Endianness.BIG;
    for (const { key, value } of table.entries.slice(1)) {
      try {
        this.add(key, value);
      } catch (error) {
        this.find(asModelError(error, index.name));
      }
    }
  }

  /** Whether there is a data file at all; a bundle without any shows structure only. */
  get hasData(): boolean {
    for (let i = 0; i < Math.min(this.shards, 1024); i++) if (this.shardSource(i)) return true;
    return false;
  }

  /**
   * The values of an entry, or a sentence that says why there are none.
   * The range is checked against the shard now, its content when it is read.
   */
  tensor(entry: BundleEntry): { tensor: TensorRef } | { problem: string } {
    try {
      if (entry.slices.length > 0) return { tensor: this.joined(entry) };
      const range = this.range(entry);
      if (entry.dtype === 'string')
        return { tensor: stringTensor(range, entry.shape, entry.count, entry.key, entry.crc32c) };
      if (bitsOf(entry.dtype) === undefined) return { problem: `Values of dtype ${entry.dtypeName} are not shown.` };
      return { tensor: this.ref(entry, range) };
    } catch (error) {
      return { problem: asModelError(error, entry.key).message };
    }
  }

  /** The stored bytes of a scalar string, such as the object graph. @throws ModelError */
  scalarString(key: string): Uint8Array | undefined {
    const entry = this.entries.get(key);
    if (entry?.dtype !== 'string') return undefined;
    return splitStrings(this.range(entry).bytes(), 1, key, entry.crc32c)[0];
  }

  /** Where the bytes of an entry lie. @throws ModelError when the shard is missing or too short. */
  range(entry: BundleEntry): ByteRange {
    const source = this.shardSource(entry.shard);
    if (!source) {
      throw new ModelError(
        'io',
        `The data file ${shardName(entry.shard, this.shards)} is not beside ${this.index.name}.`,
        { reason: 'missing' },
      );
    }
    if (entry.offset + entry.bytes > source.size) {
      throw new ModelError(
        'truncated',
        `${source.name} ends at byte ${source.size}, but ${entry.key} has ${entry.bytes} bytes at ${entry.offset}: the file was cut off.`,
        { offset: entry.offset, member: source.name },
      );
    }
    // The checksum of text runs over more than its bytes (string-tensor.ts); that of a variant is not one of its bytes either.
    if (entry.dtype === 'string' || entry.type === DT_VARIANT)
      return new SourceRange(source, entry.offset, entry.bytes);
    return new CheckedRange(source, entry.offset, entry.bytes, entry.crc32c, entry.key);
  }

  private ref(entry: BundleEntry, data: ByteRange): TensorRef {
    return { dtype: entry.dtype, shape: entry.shape, data, ...(this.bigEndian ? { byteOrder: 'big' as const } : {}) };
  }

  private joined(entry: BundleEntry): TensorRef {
    const parts = entry.slices.map((slice) => {
      const part = this.parts.get(latin1(sliceKey(entry.key, slice)));
      if (!part)
        throw new ModelError(
          'malformed',
          `A part of the partitioned variable ${entry.key} is not in ${this.index.name}.`,
        );
      return { slice, range: this.range(part) };
    });
    return this.ref(entry, joinSlices(parts, entry.shape, bitsOf(entry.dtype) ?? 0, entry.key));
  }

  private add(key: Uint8Array, value: Uint8Array): void {
    const name = utf8(key, 0, key.length);
    const proto = decodeMessage(
      tensorflow.BundleEntryProto,
      value,
      `The entry ${JSON.stringify(name)} of ${this.index.name}`,
    );
    const shape = (proto.shape?.dim ?? []).map((dim) => Number(dim.size ?? 0));
    const type = plainType(proto.dtype ?? 0);
    const dtype = dtypeOf(type);
    const count = elementCount(shape);
    const bytes = Number(proto.size ?? 0);
    const offset = Number(proto.offset ?? 0);
    const slices = (proto.slices ?? []).map((s) => readSlice(s, shape));
    if (shape.some((size) => size < 0) || bytes < 0 || offset < 0 || !Number.isFinite(count)) {
      throw new ModelError('malformed', `The entry ${name} of ${this.index.name} has an impossible shape or place.`);
    }
    const expected = type === DT_VARIANT ? undefined : byteLengthOf(dtype, count);
    if (slices.length === 0 && expected !== undefined && expected !== bytes) {
      this.findings.push({
        rule: 'checkpoint-size',
        severity: 'info',
        message: `${name} has the shape (${shape.join(', ')}) of ${dtype}, which takes ${expected} bytes, but ${bytes} are stored.`,
      });
      if (expected > bytes) {
        throw new ModelError(
          'malformed',
          `${name} of ${this.index.name} is left out: its shape asks for more bytes than it has.`,
        );
      }
    }
    const entry: BundleEntry = {
      key: name,
      shape,
      dtype,
      type,
      dtypeName: dtypeName(type),
      count,
      bytes,
      shard: proto.shardId ?? 0,
      offset,
      slices,
    };
    if (slices.length > 0) entry.bytes = expected ?? 0;
    // TensorFlow always writes a checksum; 0 stands for one that was not.
    if (proto.crc32c) entry.crc32c = proto.crc32c;
    // The key of a part starts with a number and a separator that no name has.
    if (key[0] === 0) this.parts.set(latin1(key), entry);
    else this.entries.set(name, entry);
  }

  private shardSource(number: number): ByteSource | undefined {
    if (!this.open.has(number))
      this.open.set(number, number >= 0 && number < this.shards ? this.shard(number, this.shards) : undefined);
    return this.open.get(number);
  }

  private find(error: ModelError): void {
    this.findings.push({
      rule: 'checkpoint-damaged',
      severity: 'info',
      message: error.message,
      member: this.index.name,
      offset: error.offset,
    });
  }
}

function readSlice(proto: tensorflow.TensorSliceProto.$Properties, shape: readonly number[]): Slice {
  return (proto.extent ?? []).map((extent, axis): Extent => {
    const start = Number(extent.start ?? 0);
    // A dimension that is not cut has no length.
    return extent.length == null
      ? { start: 0, length: shape[axis] ?? 0, full: true }
      : { start, length: Number(extent.length), full: false };
  });
}

/** `data-00000-of-00001` of a shard. */
export function shardName(number: number, of: number): string {
  return `data-${String(number).padStart(5, '0')}-of-${String(of).padStart(5, '0')}`;
}

import * as zlib from 'node:zlib';
import { crc32 } from '../../../src/bytes/checksums/crc32';

/** One member of a crafted zip; everything that a header says can be made to say something else. */
export interface Member {
  name: string | Uint8Array;
  data?: string | Uint8Array;
  method?: number;
  flags?: number;
  /** Overrides for one of the two records. */
  local?: Partial<Fields>;
  central?: Partial<Fields>;
  /** Leaves the member out of the central directory. */
  hidden?: boolean;
  /** Adds no local header and no data: the central record points at `central.offset`. */
  phantom?: boolean;
  /** Writes zeros into the local header and a data descriptor behind the data. */
  descriptor?: 'signed' | 'unsigned' | 'wide';
  externalAttributes?: number;
}

interface Fields {
  name: string | Uint8Array;
  flags: number;
  method: number;
  crc: number;
  compressedSize: number;
  size: number;
  offset: number;
  extra: Uint8Array;
}

export interface Options {
  prepend?: Uint8Array | string;
  /** Whether offsets count what is prepended. */
  shiftOffsets?: boolean;
  comment?: Uint8Array | string;
  commentLength?: number;
  append?: Uint8Array | string;
  entries?: number;
  directorySize?: number;
  directoryOffset?: number;
  zip64?: boolean;
  /** Bytes between the central directory and the end record. */
  beforeEnd?: Uint8Array;
}

const bytesOf = (value: string | Uint8Array | undefined): Uint8Array =>
  typeof value === 'string' ? Buffer.from(value) : (value ?? new Uint8Array(0));

function record(signature: number, fields: readonly [number, number][]): Buffer {
  const out = Buffer.alloc(4 + fields.reduce((sum, [size]) => sum + size, 0));
  out.writeUInt32LE(signature, 0);
  let at = 4;
  for (const [size, value] of fields) {
    if (size === 8) out.writeBigUInt64LE(BigInt(value), at);
    else out.writeUIntLE(value, at, size);
    at += size;
  }
  return out;
}

/** Writes a zip, well formed unless told otherwise. */
export function buildZip(members: readonly Member[], options: Options = {}): Buffer {
  const parts: Uint8Array[] = [bytesOf(options.prepend)];
  let length = parts[0]!.length;
  const push = (bytes: Uint8Array): void => {
    parts.push(bytes);
    length += bytes.length;
  };
  const shift = options.shiftOffsets === false ? length : 0;
  const central: Uint8Array[] = [];
  for (const member of members) {
    const data = bytesOf(member.data);
    const method = member.method ?? 0;
    const packed = method === 8 ? zlib.deflateRawSync(data) : data;
    const base: Fields = {
      name: member.name,
      flags: (member.flags ?? 0) | (member.descriptor ? 8 : 0),
      method,
      crc: crc32(data),
      compressedSize: packed.length,
      size: data.length,
      offset: length - shift,
      extra: new Uint8Array(0),
    };
    if (!member.phantom) {
      const local = { ...base, ...(member.descriptor && { crc: 0, compressedSize: 0, size: 0 }), ...member.local };
      const name = bytesOf(local.name);
      push(
        record(0x04034b50, [
          [2, 20],
          [2, local.flags],
          [2, local.method],
          [4, 0x5a5d6000],
          [4, local.crc],
          [4, local.compressedSize],
          [4, local.size],
          [2, name.length],
          [2, local.extra.length],
        ]),
      );
      push(name);
      push(local.extra);
      push(packed);
      if (member.descriptor) {
        const width = member.descriptor === 'wide' ? 8 : 4;
        const descriptor = record(0x08074b50, [
          [4, base.crc],
          [width, packed.length],
          [width, data.length],
        ]);
        push(member.descriptor === 'unsigned' ? descriptor.subarray(4) : descriptor);
      }
    }
    if (member.hidden) continue;
    const entry = { ...base, ...member.central };
    const name = bytesOf(entry.name);
    central.push(
      record(0x02014b50, [
        [2, 0x031e],
        [2, 20],
        [2, entry.flags],
        [2, entry.method],
        [4, 0x5a5d6000],
        [4, entry.crc],
        [4, entry.compressedSize],
        [4, entry.size],
        [2, name.length],
        [2, entry.extra.length],
        [2, 0],
        [2, 0],
        [2, 0],
        [4, member.externalAttributes ?? 0],
        [4, entry.offset],
      ]),
      name,
      entry.extra,
    );
  }
  const directoryStart = length;
  for (const part of central) push(part);
  const size = options.directorySize ?? length - directoryStart;
  const offset = options.directoryOffset ?? directoryStart - shift;
  const entries = options.entries ?? members.filter((member) => !member.hidden).length;
  if (options.beforeEnd) push(options.beforeEnd);
  if (options.zip64) {
    const at = length;
    push(
      record(0x06064b50, [
        [8, 44],
        [2, 45],
        [2, 45],
        [4, 0],
        [4, 0],
        [8, entries],
        [8, entries],
        [8, size],
        [8, offset],
      ]),
    );
    push(
      record(0x07064b50, [
        [4, 0],
        [8, at - shift],
        [4, 1],
      ]),
    );
  }
  const comment = bytesOf(options.comment);
  push(
    record(0x06054b50, [
      [2, 0],
      [2, 0],
      [2, options.zip64 ? 0xffff : entries],
      [2, options.zip64 ? 0xffff : entries],
      [4, options.zip64 ? 0xffffffff : size],
      [4, options.zip64 ? 0xffffffff : offset],
      [2, options.commentLength ?? comment.length],
    ]),
  );
  push(comment);
  push(bytesOf(options.append));
  return Buffer.concat(parts);
}

import { ModelError } from '../../bytes/errors';

/** The records of a zip file (APPNOTE.TXT 6.3.10, section 4.3), read from bytes that hold them whole. */

export const LOCAL_HEADER = 0x04034b50;
export const CENTRAL_HEADER = 0x02014b50;
export const END_RECORD = 0x06054b50;
export const END64_RECORD = 0x06064b50;
export const END64_LOCATOR = 0x07064b50;
export const DESCRIPTOR = 0x08074b50;
export const ARCHIVE_EXTRA = 0x08064b50;

export const LOCAL_HEADER_BYTES = 30;
export const CENTRAL_HEADER_BYTES = 46;
export const END_RECORD_BYTES = 22;
export const END64_RECORD_BYTES = 56;
export const END64_LOCATOR_BYTES = 20;

/** Bits of the general purpose flags that change how a member is read. */
export const Flag = {
  encrypted: 0x1,
  /** Sizes and checksum follow the data. For LZMA, 0x2 says that an end marker is used. */
  lzmaEndMarker: 0x2,
  descriptor: 0x8,
  patched: 0x20,
  strongEncryption: 0x40,
  utf8: 0x800,
  masked: 0x2000,
} as const;

/** What local header and central directory both say about a member. */
export interface EntryFields {
  versionNeeded: number;
  flags: number;
  method: number;
  crc: number;
  compressedSize: number;
  size: number;
  extra: Uint8Array;
}

export interface CentralEntry extends EntryFields {
  /** Bytes that hold the record, and where in them the name stands: a view for each of 100,000 names would take more than the names. */
  bytes: Uint8Array;
  nameAt: number;
  nameLength: number;
  /** Where this record lies in the file. */
  recordOffset: number;
  recordSize: number;
  /** As stored, before a reader adds what it believes to be in front of the archive. */
  localHeaderOffset: number;
  /** Upper byte: operating system whose attributes these are; 3 is Unix. */
  madeBy: number;
  externalAttributes: number;
}

export interface LocalHeader extends EntryFields {
  nameBytes: Uint8Array;
  offset: number;
  /** Where the member's data begin. */
  dataOffset: number;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Unsigned numbers straight from bytes: a view for each of 100,000 records would cost more than reading them. */
export function uint16(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8);
}

export function uint32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

const NOTHING = new Uint8Array(0);

function part(bytes: Uint8Array, start: number, length: number): Uint8Array {
  return length === 0 ? NOTHING : bytes.subarray(start, start + length);
}

/** A 64-bit unsigned number; beyond 2^53 it is not exact, which no file size is. */
export function uint64(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 0x100000000;
}

/** The data of an extra field with this id, if there is one. */
export function extraField(extra: Uint8Array, id: number): Uint8Array | undefined {
  for (let at = 0; at + 4 <= extra.length; ) {
    const size = extra[at + 2]! | (extra[at + 3]! << 8);
    if ((extra[at]! | (extra[at + 1]! << 8)) === id) return extra.subarray(at + 4, at + 4 + size);
    at += 4 + size;
  }
  return undefined;
}

/** In a field of 4 bytes: the value is in the ZIP64 extra field. */
export const SATURATED = 0xffffffff;

/** The values with those that are saturated replaced by the fields of the ZIP64 extra field, in its order. */
function widened<T extends number[]>(values: T, extra: Uint8Array): T {
  const field = extraField(extra, 1);
  if (!field) return values;
  const view = viewOf(field);
  let at = 0;
  for (let i = 0; i < values.length; i++) {
    if (values[i] !== SATURATED) continue;
    if (at + 8 > field.length) break;
    values[i] = uint64(view, at);
    at += 8;
  }
  return values;
}

/**
 * The central directory record at `at` of `bytes`, which lies at `offset` of the file; undefined if the bytes end before the record does.
 * @throws ModelError `malformed` when there is no record.
 */
export function parseCentralHeader(
  bytes: Uint8Array,
  at: number,
  offset: number,
  name: string,
): CentralEntry | undefined {
  if (at + CENTRAL_HEADER_BYTES > bytes.length) return undefined;
  if (uint32(bytes, at) !== CENTRAL_HEADER) {
    throw new ModelError('malformed', `${name}: the central directory has no valid record at byte ${offset}.`, {
      offset,
    });
  }
  const nameLength = uint16(bytes, at + 28);
  const extraLength = uint16(bytes, at + 30);
  const recordSize = CENTRAL_HEADER_BYTES + nameLength + extraLength + uint16(bytes, at + 32);
  if (at + recordSize > bytes.length) return undefined;
  const nameAt = at + CENTRAL_HEADER_BYTES;
  const extra = part(bytes, nameAt + nameLength, extraLength);
  let size = uint32(bytes, at + 24);
  let compressedSize = uint32(bytes, at + 20);
  let localHeaderOffset = uint32(bytes, at + 42);
  if (size === SATURATED || compressedSize === SATURATED || localHeaderOffset === SATURATED)
    [size, compressedSize, localHeaderOffset] = widened([size, compressedSize, localHeaderOffset], extra);
  return {
    madeBy: uint16(bytes, at + 4),
    versionNeeded: uint16(bytes, at + 6),
    flags: uint16(bytes, at + 8),
    method: uint16(bytes, at + 10),
    crc: uint32(bytes, at + 16),
    size,
    compressedSize,
    localHeaderOffset,
    externalAttributes: uint32(bytes, at + 38),
    bytes,
    nameAt,
    nameLength,
    extra,
    recordOffset: offset,
    recordSize,
  };
}

/** Length of a local header with name and extra field, from its first 30 bytes; undefined if this is none. */
export function localHeaderSize(bytes: Uint8Array): number | undefined {
  if (bytes.length < LOCAL_HEADER_BYTES) return undefined;
  if (uint32(bytes, 0) !== LOCAL_HEADER) return undefined;
  return LOCAL_HEADER_BYTES + uint16(bytes, 26) + uint16(bytes, 28);
}

/** The local header that `bytes`, whole, hold and that lies at `offset` of the file. */
export function parseLocalHeader(bytes: Uint8Array, offset: number): LocalHeader {
  const nameLength = uint16(bytes, 26);
  const extra = part(bytes, LOCAL_HEADER_BYTES + nameLength, uint16(bytes, 28));
  const [size, compressedSize] = widened<[number, number]>([uint32(bytes, 22), uint32(bytes, 18)], extra);
  return {
    versionNeeded: uint16(bytes, 4),
    flags: uint16(bytes, 6),
    method: uint16(bytes, 8),
    crc: uint32(bytes, 14),
    size,
    compressedSize,
    nameBytes: part(bytes, LOCAL_HEADER_BYTES, nameLength),
    extra,
    offset,
    dataOffset: offset + LOCAL_HEADER_BYTES + nameLength + extra.length,
  };
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** Upper half of code page 437, in which names without the UTF-8 flag are written. */
const CP437 =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0';

/** A name as text: UTF-8 where it is valid (PyTorch writes it without the flag, too), else code page 437, as Python reads it. */
export function decodeName(bytes: Uint8Array): string {
  return asciiName(bytes, 0, bytes.length) ?? decodeOther(bytes);
}

/** A name of plain ASCII inside larger bytes; `undefined` for any other. */
export function asciiName(bytes: Uint8Array, start: number, length: number): string | undefined {
  const end = start + length;
  for (let i = start; i < end; i++) if (bytes[i]! >= 0x80) return undefined;
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString('latin1');
}

function decodeOther(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    return Array.from(bytes, (b) => (b < 0x80 ? String.fromCharCode(b) : CP437[b - 0x80])).join('');
  }
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

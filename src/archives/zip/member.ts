import { type ByteSource, readUpTo, SliceSource } from '../../bytes/byte-source';
import { crc32 } from '../../bytes/checksums/crc32';
import { type Compression, decompress, decompressHead } from '../../bytes/decompress';
import { ModelError } from '../../bytes/errors';
import { BOMB_BYTES, MAX_DECOMPRESSED_IN_MEMORY, WINDOW_BYTES } from '../../bytes/limits';
import { hashOfAscii } from '../../bytes/name-hash';
import {
  asciiName,
  DESCRIPTOR,
  decodeName,
  type EntryFields,
  Flag,
  LOCAL_HEADER,
  LOCAL_HEADER_BYTES,
  type LocalHeader,
  localHeaderSize,
  parseLocalHeader,
  SATURATED,
  uint16,
  uint32,
} from './records';

/** Compression methods by their number; the decoders of all but `stored` are in bytes/decompress. */
const METHODS: Readonly<Record<number, Compression>> = {
  8: 'deflate',
  12: 'bzip2',
  14: 'lzma-zip',
  93: 'zstd',
  95: 'xz',
};

/** Names of methods that are not read, for messages. */
const METHOD_NAMES: Readonly<Record<number, string>> = {
  1: 'shrink',
  6: 'implode',
  9: 'Deflate64',
  10: 'DCL implode',
  96: 'JPEG',
  97: 'WavPack',
  98: 'PPMd',
  99: 'AES encryption',
};

/** Flags with which a member is never taken as it is: encryption, patches. */
const UNUSUAL_FLAGS = Flag.encrypted | Flag.patched | Flag.strongEncryption | Flag.masked;

/** The bytes of a member as far as they can be had. */
export interface MemberBytes {
  source: ByteSource;
  /** Why they are not all there, or not what the archive says. */
  error?: ModelError;
}

/** What a member is made from: a record of the central directory, or only a local header. */
export interface MemberFields extends EntryFields {
  /** Bytes in which the name stands, and where. */
  bytes: Uint8Array;
  nameAt: number;
  nameLength: number;
  localHeaderOffset: number;
  madeBy?: number;
  externalAttributes?: number;
}

/** A member of a zip as one reader sees it. Nothing of its data is read before it is asked for, and nothing is kept. */
export class ZipMember {
  private readonly bytes: Uint8Array;
  private readonly nameAt: number;
  readonly nameLength: number;
  /** Where its local header lies in the file. */
  readonly localHeaderOffset: number;
  /** Bytes in the archive and bytes when unpacked, as declared. */
  readonly compressedSize: number;
  readonly size: number;
  /** 0 stored, 8 deflate, others in METHODS. */
  readonly method: number;
  /** CRC-32 of the unpacked bytes, as declared. */
  readonly crc: number;
  readonly flags: number;
  readonly extra: Uint8Array;
  private readonly madeBy: number;
  private readonly externalAttributes: number;
  private dataOffset: number | undefined;
  private header: LocalHeader | undefined;
  private decodedName: string | undefined;
  private agrees = false;

  constructor(
    private readonly archive: ByteSource,
    fields: MemberFields,
    header?: LocalHeader,
  ) {
    this.bytes = fields.bytes;
    this.nameAt = fields.nameAt;
    this.nameLength = fields.nameLength;
    this.localHeaderOffset = fields.localHeaderOffset;
    this.compressedSize = fields.compressedSize;
    this.size = fields.size;
    this.method = fields.method;
    this.crc = fields.crc;
    this.flags = fields.flags;
    this.extra = fields.extra;
    this.madeBy = fields.madeBy ?? 0;
    this.externalAttributes = fields.externalAttributes ?? 0;
    if (header) this.useHeader(header);
  }

  get name(): string {
    this.decodedName ??= asciiName(this.bytes, this.nameAt, this.nameLength) ?? decodeName(this.nameBytes);
    return this.decodedName;
  }

  get nameBytes(): Uint8Array {
    return this.bytes.subarray(this.nameAt, this.nameAt + this.nameLength);
  }

  /** Whether nothing in the name could be unsafe, by its bytes: no root, no drive, no two dots in a row, no NUL, nothing but ASCII. */
  get hasOrdinaryName(): boolean {
    const { bytes, nameAt, nameLength } = this;
    const end = nameAt + nameLength;
    if (nameLength === 0) return true;
    if (bytes[nameAt] === SLASH || bytes[nameAt] === BACKSLASH || (nameLength > 1 && bytes[nameAt + 1] === COLON))
      return false;
    for (let i = nameAt; i < end; i++) {
      const byte = bytes[i]!;
      if (byte === 0 || byte >= 0x80 || (byte === DOT && i + 1 < end && bytes[i + 1] === DOT)) return false;
    }
    return true;
  }

  /** A number that equal names share; `undefined` for a name that is not plain ASCII. */
  nameHash(): number | undefined {
    return hashOfAscii(this.bytes, this.nameAt, this.nameLength);
  }

  /** Whether the names are the same bytes. */
  hasSameName(other: ZipMember): boolean {
    if (this.nameLength !== other.nameLength) return false;
    for (let i = 0; i < this.nameLength; i++)
      if (this.bytes[this.nameAt + i] !== other.bytes[other.nameAt + i]) return false;
    return true;
  }

  /** Whether the bytes of the name are the characters of this text. */
  isCalled(name: string): boolean {
    if (this.nameLength !== name.length) return false;
    for (let i = 0; i < name.length; i++) if (this.bytes[this.nameAt + i] !== name.charCodeAt(i)) return false;
    return true;
  }

  /** Whether the name is the first `length` bytes of another one's, which is longer, and then this text of plain ASCII. */
  isBeside(other: ZipMember, length: number, text: string): boolean {
    const { bytes, nameAt } = this;
    if (this.nameLength !== length + text.length || other.nameLength <= length) return false;
    for (let i = 0; i < text.length; i++) if (bytes[nameAt + length + i] !== text.charCodeAt(i)) return false;
    for (let i = 0; i < length; i++) if (bytes[nameAt + i] !== other.bytes[other.nameAt + i]) return false;
    return true;
  }

  /** The last byte of the name, 0 if it is empty. */
  get lastNameByte(): number {
    return this.nameLength === 0 ? 0 : this.bytes[this.nameAt + this.nameLength - 1]!;
  }

  get isDirectory(): boolean {
    return this.lastNameByte === SLASH;
  }

  /** The mode of a Unix archiver says that the content is the target of a symbolic link. */
  get isSymlink(): boolean {
    return this.madeBy >> 8 === 3 && this.externalAttributes >>> 28 === 0xa;
  }

  /** Stored without compression and encryption: `offset` and `size` then say where its bytes lie in the archive. */
  get isPlain(): boolean {
    return this.method === 0 && (this.flags & Flag.encrypted) === 0;
  }

  /**
   * Where its data begin: behind the local header, whose length only that header knows (30 bytes are read for it).
   * @throws ModelError `truncated` or `malformed` if there is no local header.
   */
  get offset(): number {
    if (this.dataOffset === undefined) {
      const size = localHeaderSize(readUpTo(this.archive, this.localHeaderOffset, LOCAL_HEADER_BYTES));
      if (size === undefined) throw this.noHeader();
      this.dataOffset = this.localHeaderOffset + size;
    }
    return this.dataOffset;
  }

  /** @throws ModelError `truncated` or `malformed` if there is none. */
  localHeader(): LocalHeader {
    if (!this.header) {
      const bytes = readUpTo(this.archive, this.localHeaderOffset, this.offset - this.localHeaderOffset);
      if (bytes.length < this.offset - this.localHeaderOffset) throw this.noHeader();
      this.header = parseLocalHeader(bytes, this.localHeaderOffset);
    }
    return this.header;
  }

  /**
   * Length of the extra field of the local header at `at` of `bytes`, if the header says what the directory says, with nothing that would
   * have to be told; `undefined` if not. Sizes and checksum that follow the data are zeros there.
   */
  agreesWith(bytes: Uint8Array, at: number): number | undefined {
    const { bytes: own, nameAt, nameLength, flags } = this;
    if (
      at + LOCAL_HEADER_BYTES + nameLength > bytes.length ||
      uint32(bytes, at) !== LOCAL_HEADER ||
      uint16(bytes, at + 6) !== flags ||
      (flags & UNUSUAL_FLAGS) !== 0 ||
      uint16(bytes, at + 8) !== this.method ||
      this.size >= SATURATED ||
      this.compressedSize >= SATURATED ||
      uint16(bytes, at + 26) !== nameLength
    )
      return undefined;
    const later = (flags & Flag.descriptor) !== 0;
    if (
      uint32(bytes, at + 14) !== (later ? 0 : this.crc) ||
      uint32(bytes, at + 18) !== (later ? 0 : this.compressedSize) ||
      uint32(bytes, at + 22) !== (later ? 0 : this.size)
    )
      return undefined;
    const name = at + LOCAL_HEADER_BYTES;
    for (let i = 0; i < nameLength; i++) if (bytes[name + i] !== own[nameAt + i]) return undefined;
    return uint16(bytes, at + 28);
  }

  /** Whether the signed data descriptor at `at` of `bytes` says what the directory says. */
  describedBy(bytes: Uint8Array, at: number): boolean {
    return (
      at + 16 <= bytes.length &&
      uint32(bytes, at) === DESCRIPTOR &&
      uint32(bytes, at + 4) === this.crc &&
      uint32(bytes, at + 8) === this.compressedSize &&
      uint32(bytes, at + 12) === this.size
    );
  }

  /** Takes note that the local header agrees, and where the data begin: its fields need no object of their own. */
  confirm(dataOffset: number): void {
    this.dataOffset = dataOffset;
    this.agrees = true;
  }

  /** Whether the local header was found to say what the directory says. */
  get headerAgrees(): boolean {
    return this.agrees;
  }

  /** Takes over a local header that was read already. */
  useHeader(header: LocalHeader): void {
    this.header = header;
    this.dataOffset = header.dataOffset;
  }

  /**
   * The unpacked bytes: a window of the archive if stored, in memory if compressed (so keep the result).
   * @throws ModelError `truncated`, `malformed`, `unsupported` (method, encryption) or `limit`.
   */
  source(): ByteSource {
    const { source, error } = this.open();
    if (error) throw error;
    return source;
  }

  /**
   * Like `source`, but gives what there is along with the error. Encrypted data come as if they were not. Throws nothing.
   * @param maximum most bytes to unpack.
   */
  open(maximum = MAX_DECOMPRESSED_IN_MEMORY): MemberBytes {
    const packed = this.packed();
    let { error } = packed;
    let source = packed.source;
    if (this.method !== 0) {
      const kind = METHODS[this.method];
      if (!kind) return { source, error: error ?? this.unsupportedMethod() };
      // What is declared small is not unpacked without end: nobody reads beyond the declared size, but a scan wants to see some of it.
      const bound = Math.min(maximum, MAX_DECOMPRESSED_IN_MEMORY, Math.max(this.size, BOMB_BYTES));
      const result = decompress(source, kind, { maximum: bound });
      source = result.source;
      error = (packed.error?.code === 'unsupported' ? packed.error : undefined) ?? result.error ?? packed.error;
    }
    if (source.size !== this.size) {
      error ??= this.problem('malformed', `has ${source.size} bytes, but ${this.size} are declared`, 'size');
    }
    return { source, ...(error && { error }) };
  }

  /** The first bytes, unpacked, as far as they can be had; for recognising what the member is. Throws nothing. */
  head(length: number): Uint8Array {
    const { source } = this.packed();
    if (this.method === 0) return readUpTo(source, 0, length);
    const kind = METHODS[this.method];
    return kind ? decompressHead(source, kind, length) : new Uint8Array(0);
  }

  /** Reads all of the member: does its checksum match? Undefined if its bytes cannot be had whole. */
  checkCrc(): boolean | undefined {
    const { source, error } = this.open();
    if (error) return undefined;
    return checksum(source) === this.crc;
  }

  /** The bytes in the archive. */
  private packed(): MemberBytes {
    const name = `${this.archive.name}!${this.name}`;
    let start: number;
    try {
      start = this.offset;
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      return { source: new SliceSource(this.archive, 0, 0, name), error };
    }
    const available = Math.max(0, Math.min(this.compressedSize, this.archive.size - start));
    const source = new SliceSource(this.archive, Math.min(start, this.archive.size), available, name);
    let error: ModelError | undefined;
    if (this.flags & Flag.encrypted) {
      error = this.problem('unsupported', 'is encrypted, so its content cannot be read', 'encrypted');
    } else if (available < this.compressedSize) {
      error = this.problem(
        'truncated',
        `should have ${this.compressedSize} bytes, but the file ends after ${available} of them`,
        'cut',
      );
    }
    return { source, ...(error && { error }) };
  }

  private noHeader(): ModelError {
    const outside = this.localHeaderOffset + LOCAL_HEADER_BYTES > this.archive.size;
    return this.problem(
      outside ? 'truncated' : 'malformed',
      `has no local header at byte ${this.localHeaderOffset}${outside ? ', which is outside the file' : ''}`,
      'local-header',
    );
  }

  private unsupportedMethod(): ModelError {
    const name = METHOD_NAMES[this.method];
    return this.problem(
      'unsupported',
      `is compressed with method ${this.method}${name ? ` (${name})` : ''}, which is not read; unpack the archive first`,
      'method',
    );
  }

  private problem(code: 'malformed' | 'truncated' | 'unsupported', what: string, reason: string): ModelError {
    return new ModelError(code, `Member “${this.name}” of ${this.archive.name} ${what}.`, {
      offset: this.localHeaderOffset,
      member: this.name,
      reason,
    });
  }
}

const [SLASH, BACKSLASH, COLON, DOT] = [0x2f, 0x5c, 0x3a, 0x2e];

/** CRC-32 of a whole source, read a window at a time. */
export function checksum(source: ByteSource): number {
  let crc = 0;
  for (let at = 0; at < source.size; at += WINDOW_BYTES) crc = crc32(readUpTo(source, at, WINDOW_BYTES), crc);
  return crc;
}

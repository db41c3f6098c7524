import { type ByteSource, readUpTo, SliceSource } from '../../bytes/byte-source';
import { decompress } from '../../bytes/decompress';
import { MAX_ARCHIVE_MEMBERS, MAX_GAP_SEARCH, WINDOW_BYTES } from '../../bytes/limits';
import { Peek } from '../../bytes/peek';
import { type MembersByOffset, membersByOffset } from './by-offset';
import { ZipMember } from './member';
import {
  ARCHIVE_EXTRA,
  CENTRAL_HEADER,
  CENTRAL_HEADER_BYTES,
  DESCRIPTOR,
  decodeName,
  END_RECORD,
  END_RECORD_BYTES,
  END64_LOCATOR,
  END64_LOCATOR_BYTES,
  END64_RECORD,
  Flag,
  LOCAL_HEADER,
  LOCAL_HEADER_BYTES,
  type LocalHeader,
  localHeaderSize,
  parseLocalHeader,
  uint16,
  uint32,
  uint64,
  viewOf,
} from './records';

/** Bytes that no record accounts for. */
export interface Gap {
  offset: number;
  size: number;
}

/** What a walk from record to record finds. */
export interface Walk {
  /** A member for every local header. Sizes that stand behind the data are taken from there. */
  members: ZipMember[];
  /** Local headers by offset, of members that no directory lists or that their directory describes otherwise. */
  headers: Map<number, LocalHeader>;
  gaps: Gap[];
  /** Offsets of the end records on the way. */
  ends: number[];
  centralRecords: number;
  /** Bytes of gaps that were not searched for members, because there were too many. */
  unsearched: Gap[];
  /** The limit on members was reached. */
  incomplete: boolean;
}

/**
 * Walks a zip from its first byte, as a reader does that gets it as a stream: from local header to local header, whatever the central
 * directory says. Of the members' data only what is needed to find their ends is read.
 * @param directory members of the central directory by local header offset: one whose header says the same is given again, and tells the
 * compressed size where the header does not.
 */
export function walkLocalHeaders(source: ByteSource, directory: MembersByOffset = membersByOffset([])): Walk {
  return new Walker(source, directory).run();
}

/** Bytes that a search for the next record reads first. */
const FIRST_WINDOW = 2048;

const SIGNED_DESCRIPTOR_BYTES = 16;
/** The two letters that begin every record. */
const PK = 0x4b50;

class Walker {
  private readonly walk: Walk = {
    members: [],
    headers: new Map(),
    gaps: [],
    ends: [],
    centralRecords: 0,
    unsearched: [],
    incomplete: false,
  };
  private readonly peek: Peek;
  /** Offsets where the central directory knows of local headers, ascending; a search may jump there when it has become too long. */
  private places: readonly number[] | undefined;
  private searched = 0;

  constructor(
    private readonly source: ByteSource,
    private readonly directory: MembersByOffset,
  ) {
    this.peek = new Peek(source);
  }

  run(): Walk {
    const { source, walk } = this;
    let at = 0;
    while (at < source.size) {
      if (walk.members.length >= MAX_ARCHIVE_MEMBERS) {
        walk.incomplete = true;
        break;
      }
      const size = this.record(at);
      if (size > 0) {
        at += size;
        continue;
      }
      const next = this.search(at);
      walk.gaps.push({ offset: at, size: next - at });
      at = next;
    }
    return walk;
  }

  /** Takes the record at `at` in; its size, with a member's data, or 0 if there is none. */
  private record(at: number): number {
    const { walk, peek } = this;
    const listed = this.directory.get(at);
    const known = listed ? this.known(listed) : 0;
    if (known > 0) return known;
    const head = peek.read(at, CENTRAL_HEADER_BYTES);
    if (head.length < 4) return 0;
    const signature = uint32(head, 0);
    if (signature === LOCAL_HEADER) return this.member(at);
    if (signature === CENTRAL_HEADER && head.length === CENTRAL_HEADER_BYTES) {
      walk.centralRecords++;
      return CENTRAL_HEADER_BYTES + uint16(head, 28) + uint16(head, 30) + uint16(head, 32);
    }
    if (signature === END_RECORD && head.length >= END_RECORD_BYTES) {
      walk.ends.push(at);
      return END_RECORD_BYTES + uint16(head, 20);
    }
    if (signature === END64_RECORD && head.length >= 12) return 12 + uint64(viewOf(head), 4);
    if (signature === END64_LOCATOR) return END64_LOCATOR_BYTES;
    if (signature === ARCHIVE_EXTRA && head.length >= 8) return 8 + uint32(head, 4);
    return 0;
  }

  /** Size of a member's record and data if all that is written around the data says what the directory says; 0 if not. */
  private known(listed: ZipMember): number {
    const { source, peek } = this;
    const at = listed.localHeaderOffset;
    const size = LOCAL_HEADER_BYTES + listed.nameLength;
    const from = peek.load(at, size);
    const extra = listed.agreesWith(peek.bytes, from);
    if (extra === undefined) return 0;
    const dataOffset = at + size + extra;
    const end = dataOffset + listed.compressedSize;
    if (end > source.size) return 0;
    let tail = 0;
    if (listed.flags & Flag.descriptor) {
      // Signed, with sizes of 4 bytes, and followed by another record: the only form that needs no thought.
      const start = peek.load(end, SIGNED_DESCRIPTOR_BYTES + 2);
      if (listed.compressedSize === 0 || !listed.describedBy(peek.bytes, start)) return 0;
      if (uint16(peek.bytes, start + SIGNED_DESCRIPTOR_BYTES) !== PK) return 0;
      tail = SIGNED_DESCRIPTOR_BYTES;
    }
    listed.confirm(dataOffset);
    this.walk.members.push(listed);
    return end + tail - at;
  }

  private member(at: number): number {
    const { source, walk, peek } = this;
    const size = localHeaderSize(peek.read(at, LOCAL_HEADER_BYTES));
    if (size === undefined || at + size > source.size) return 0;
    const header = parseLocalHeader(new Uint8Array(peek.read(at, size)), at);
    const { nameBytes } = header;
    const fields = {
      ...header,
      bytes: nameBytes,
      nameAt: 0,
      nameLength: nameBytes.length,
      localHeaderOffset: at,
    };
    let descriptorSize = 0;
    if (header.flags & Flag.descriptor) {
      if (header.compressedSize === 0)
        fields.compressedSize = this.directory.get(at)?.compressedSize ?? this.findEnd(header);
      const descriptor = this.descriptor(header.dataOffset + fields.compressedSize, fields.compressedSize);
      if (descriptor) {
        descriptorSize = descriptor.length;
        if (header.compressedSize === 0) {
          fields.size = descriptor.size;
          fields.crc = descriptor.crc;
        }
      } else if (header.compressedSize === 0 && header.method === 0) {
        fields.size = fields.compressedSize;
      }
    }
    walk.headers.set(at, header);
    walk.members.push(new ZipMember(source, fields, header));
    return size + Math.min(fields.compressedSize + descriptorSize, source.size - header.dataOffset);
  }

  /** Compressed size of a member that no directory and no header tells: where its stream or its bytes end. */
  private findEnd(header: LocalHeader): number {
    const { source } = this;
    const left = source.size - header.dataOffset;
    if (header.method === 8 && this.searched < MAX_GAP_SEARCH) {
      const stream = new SliceSource(source, header.dataOffset, left, decodeName(header.nameBytes));
      const result = decompress(stream, 'deflate', { maximum: MAX_GAP_SEARCH });
      // Streams made to be unpacked again and again use up what the search for stray members may cost.
      this.searched += result.consumed + result.source.size;
      if (result.complete) return result.consumed;
    }
    let at = header.dataOffset;
    for (;;) {
      const found = this.find(at, ['PK\x07\x08', 'PK\x03\x04', 'PK\x01\x02']);
      const size = found - header.dataOffset;
      const view = viewOf(this.peek.read(found, 16));
      // A descriptor repeats the size that lies before it; another signature ends the data by itself.
      if (view.byteLength < 16 || view.getUint32(0, true) !== DESCRIPTOR || view.getUint32(8, true) === size)
        return size;
      at = found + 4;
    }
  }

  /** The data descriptor at `at`: with or without signature, with sizes of 4 or 8 bytes. */
  private descriptor(at: number, compressedSize: number): { length: number; crc: number; size: number } | undefined {
    const bytes = this.peek.read(at, 26);
    const signed = bytes.length >= 4 && uint32(bytes, 0) === DESCRIPTOR;
    let fallback: { length: number; crc: number; size: number } | undefined;
    for (const start of signed ? [4, 0] : [0]) {
      const after = start + 4;
      for (const wide of [true, false]) {
        const length = start + (wide ? 20 : 12);
        if (length > bytes.length) continue;
        if ((wide ? uint64(viewOf(bytes), after) : uint32(bytes, after)) !== compressedSize) continue;
        const found = {
          length,
          crc: uint32(bytes, start),
          size: wide ? uint64(viewOf(bytes), after + 8) : uint32(bytes, after + 4),
        };
        // Several forms can fit by chance; the true one is followed by the next record.
        const next = bytes.subarray(length, length + 2);
        if (next.length === 0 || (next[0] === 0x50 && next[1] === 0x4b)) return found;
        fallback = found;
      }
    }
    return fallback;
  }

  /** Where the next record after `at` begins, or the end of the file. */
  private search(at: number): number {
    let from = at + 1;
    for (;;) {
      const found = this.find(from, ['PK\x03\x04', 'PK\x01\x02', 'PK\x05\x06', 'PK\x06\x06']);
      if (found >= this.source.size || this.isPlausible(found)) return found;
      from = found + 4;
    }
  }

  /** Four bytes are found by chance in a large gap; what follows them must make sense for a local header. */
  private isPlausible(at: number): boolean {
    const head = this.peek.read(at, 30);
    if (head.length < 4 || viewOf(head).getUint32(0, true) !== LOCAL_HEADER) return true;
    const size = localHeaderSize(head);
    return size !== undefined && at + size <= this.source.size && viewOf(head).getUint16(4, true) < 256;
  }

  /** Offset of the first of the signatures at or after `from`, or the end of the file. Jumps ahead when the budget is used up. */
  private find(from: number, signatures: readonly string[]): number {
    const { source } = this;
    let at = from;
    // Most searches are short: the windows grow, so that what is read is in proportion to what is passed.
    for (let length = FIRST_WINDOW; at < source.size; length = Math.min(length * 2, WINDOW_BYTES)) {
      if (this.searched > MAX_GAP_SEARCH) {
        const next = this.nextKnown(at);
        this.walk.unsearched.push({ offset: at, size: next - at });
        return next;
      }
      const bytes = readUpTo(source, at, length);
      if (bytes.length < 4) break;
      const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
      for (
        let i = buffer.indexOf('PK', 0, 'latin1');
        i >= 0 && i + 4 <= buffer.length;
        i = buffer.indexOf('PK', i + 1, 'latin1')
      ) {
        if (!signatures.includes(buffer.toString('latin1', i, i + 4))) continue;
        this.searched += i;
        return at + i;
      }
      // A signature may lie across two windows.
      this.searched += bytes.length - 3;
      at += bytes.length - 3;
    }
    return source.size;
  }

  private nextKnown(at: number): number {
    this.places ??= this.directory.offsets();
    const known = this.places;
    let low = 0;
    let high = known.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (known[middle]! < at) low = middle + 1;
      else high = middle;
    }
    return known[low] ?? this.source.size;
  }
}

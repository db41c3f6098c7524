import { type ByteSource, readUpTo } from '../../bytes/byte-source';
import { asModelError } from '../../bytes/errors';
import { WINDOW_BYTES } from '../../bytes/limits';
import { memberDiscrepancies, unsafeName } from './compare-member';
import { endRecordCandidates } from './end-record';
import type { ZipMember } from './member';
import type { ZipReading } from './readings';
import { END_RECORD_BYTES } from './records';
import type { Walk } from './walk';

export type DiscrepancyKind =
  | 'name-differs' // local header and central directory name the member differently
  | 'duplicate-name'
  | 'unsafe-name' // absolute, with `..`, with a NUL byte, a drive letter
  | 'alternative-name' // a Unicode path field names it differently
  | 'encrypted'
  | 'patched'
  | 'strong-encryption'
  | 'masked'
  | 'flags-differ'
  | 'method-differs'
  | 'method-unsupported'
  | 'size-differs'
  | 'crc-differs' // between the two records
  | 'crc-mismatch' // between record and data
  | 'unreadable' // the data cannot be unpacked
  | 'overlap'
  | 'outside-file'
  | 'local-header-missing'
  | 'symlink'
  | 'hidden-member' // in no central directory
  | 'prepended'
  | 'appended'
  | 'gap'
  | 'not-searched'
  | 'multiple-ends'
  | 'entry-count'
  | 'zip64-differs'
  | 'several-disks'
  | 'readings-differ'
  | 'no-central-directory'
  | 'directory-damaged';

/** One thing in an archive that readers may take differently, or that no honest archiver writes. */
export interface Discrepancy {
  kind: DiscrepancyKind;
  /** Name of the member, if it is about one. */
  member?: string;
  /** Where in the file. */
  offset: number;
  message: string;
}

interface Comparison {
  source: ByteSource;
  /** The readings by central directory: absolute, adjacent. */
  directories: readonly ZipReading[];
  walk: Walk;
  checkCrc: boolean;
}

/** Everything odd about an archive. Of several findings of a kind about one member the first is kept. */
export function compareReadings(comparison: Comparison): Discrepancy[] {
  const found: Discrepancy[] = [];
  const seen = new Set<string>();
  const add = (discrepancy: Discrepancy): void => {
    const key = `${discrepancy.kind} ${discrepancy.offset} ${discrepancy.member ?? ''}`;
    if (!seen.has(key)) found.push(discrepancy);
    seen.add(key);
  };
  directoryDiscrepancies(comparison, add);
  const known = new Set<number>();
  const compared = new Set<string>();
  for (const { members } of comparison.directories) {
    duplicates(members, add);
    for (const member of members) {
      known.add(member.localHeaderOffset);
      // Both rules usually see the same records.
      const { localHeaderOffset, compressedSize, size, method, flags, name } = member;
      const key = [localHeaderOffset, compressedSize, size, method, flags, name].join(' ');
      if (compared.has(key)) continue;
      compared.add(key);
      memberDiscrepancies(comparison.source, member, comparison.checkCrc, add);
    }
  }
  hiddenMembers(comparison, known, add);
  overlaps(comparison, add);
  strayBytes(comparison, add);
  return found;
}

type Add = (discrepancy: Discrepancy) => void;

function directoryDiscrepancies({ source, directories, walk }: Comparison, add: Add): void {
  const [absolute, adjacent] = directories as [ZipReading, ZipReading];
  const offset = absolute.end?.offset ?? adjacent.end?.offset;
  if (offset === undefined) {
    const damaged = absolute.error?.reason !== 'no-central-directory';
    add({
      kind: damaged ? 'directory-damaged' : 'no-central-directory',
      offset: absolute.error?.offset ?? source.size,
      message: damaged
        ? absolute.error!.message
        : `${source.name} has no central directory: it is cut off, and what is listed comes from the members' own headers.`,
    });
    return;
  }
  const sees = ({ members }: ZipReading): string => `${members.length} member${members.length === 1 ? '' : 's'}`;
  if (differ(absolute, adjacent)) {
    add({
      kind: 'readings-differ',
      offset,
      message:
        `PyTorch finds the central directory at byte ${absolute.end?.directoryStart ?? '?'} (${sees(absolute)}), ` +
        `Python's zipfile at byte ${adjacent.end?.directoryStart ?? '?'} (${sees(adjacent)}).`,
    });
  }
  for (const { end, directory, error, rule } of directories) {
    if (!end || !directory) continue;
    // A rule that finds no directory at all where it looks is an archive with bytes in front, and told as such.
    if (error && directory.members.length > 0)
      add({ kind: 'directory-damaged', offset: error.offset ?? offset, message: error.message });
    if (end.disk !== 0)
      add({ kind: 'several-disks', offset, message: `The archive says that it is part ${end.disk + 1} of several.` });
    const bySize = directory.endOffset - end.directoryStart !== end.directorySize;
    if (!error && (bySize || directory.members.length !== end.entries)) {
      add({
        kind: 'entry-count',
        offset,
        message:
          rule === 'absolute'
            ? `The end record declares ${end.directorySize} bytes of central directory; its ${end.entries} records take ${directory.endOffset - end.directoryStart}.`
            : `The end record declares ${end.entries} members; the central directory holds ${directory.members.length}.`,
      });
    }
    const { plain } = end;
    const same = (value: number, all: number, saturated: number): boolean => value === all || value === saturated;
    if (
      !same(plain.entries, end.entries, 0xffff) ||
      !same(plain.directorySize, end.directorySize, 0xffffffff) ||
      !same(plain.directoryOffset, end.directoryOffset, 0xffffffff)
    ) {
      add({
        kind: 'zip64-differs',
        offset,
        message: 'The ZIP64 end record and the plain one place the central directory differently.',
      });
    }
    for (const other of walk.ends) if (other !== offset) add(anotherEnd(other));
    for (const other of endRecordCandidates(source)) {
      if (other !== offset && other >= Math.min(offset, directory.endOffset)) add(anotherEnd(other));
    }
  }
}

function anotherEnd(offset: number): Discrepancy {
  return {
    kind: 'multiple-ends',
    offset,
    message: `There is another end-of-directory record at byte ${offset}: readers may start from either.`,
  };
}

/** Whether two readers that both find a directory see other members. */
function differ(a: ZipReading, b: ZipReading): boolean {
  if (!a.end || !b.end) return a.members.length > 0 || b.members.length > 0;
  // One rule that finds nothing is usual for archives with bytes in front; those are told as prepended bytes.
  if (a.members.length === 0 || b.members.length === 0) return false;
  if (a.end.directoryStart !== b.end.directoryStart) return true;
  return a.members.length !== b.members.length;
}

function duplicates(members: readonly ZipMember[], add: Add): void {
  const names = new Map<string, ZipMember>();
  for (const member of members) {
    const key = Buffer.from(member.nameBytes).toString('latin1');
    const other = names.get(key);
    if (other) {
      add({
        kind: 'duplicate-name',
        member: member.name,
        offset: member.localHeaderOffset,
        message: `“${member.name}” is there twice, at bytes ${other.localHeaderOffset} and ${member.localHeaderOffset}: readers take the last or the first.`,
      });
    }
    names.set(key, member);
  }
}

function hiddenMembers({ directories, walk }: Comparison, known: ReadonlySet<number>, add: Add): void {
  if (directories.every(({ members }) => members.length === 0)) {
    for (const member of walk.members) unsafeName(member, add);
    return;
  }
  for (const member of walk.members) {
    if (known.has(member.localHeaderOffset)) continue;
    unsafeName(member, add);
    add({
      kind: 'hidden-member',
      member: member.name,
      offset: member.localHeaderOffset,
      message: `“${member.name}” at byte ${member.localHeaderOffset} is not in the central directory; readers of streams find it all the same.`,
    });
  }
}

/** Members of one reading whose bytes overlap, or that reach into the central directory. */
function overlaps({ directories }: Comparison, add: Add): void {
  for (const { members, end } of directories) {
    const spans: { start: number; end: number; member: ZipMember }[] = [];
    for (const member of members) {
      try {
        spans.push({ start: member.localHeaderOffset, end: member.offset + member.compressedSize, member });
      } catch (error) {
        // Reported as a missing local header.
        asModelError(error);
      }
    }
    spans.sort((a, b) => a.start - b.start);
    let reach = 0;
    let before: ZipMember | undefined;
    for (const span of spans) {
      const other = before;
      if (other && span.start < reach) {
        const { member } = span;
        add({
          kind: 'overlap',
          member: member.name,
          offset: span.start,
          message: `“${member.name}” begins at byte ${span.start}, inside “${other.name}”, which ends at byte ${reach}.`,
        });
      }
      if (end && span.start < end.directoryStart && span.end > end.directoryStart) {
        add({
          kind: 'overlap',
          member: span.member.name,
          offset: span.start,
          message: `“${span.member.name}” reaches into the central directory at byte ${end.directoryStart}.`,
        });
      }
      if (span.end > reach) {
        reach = span.end;
        before = span.member;
      }
    }
  }
}

/** Bytes before, between and after the records. */
function strayBytes({ source, walk, directories }: Comparison, add: Add): void {
  const lastEnd = Math.max(-1, ...walk.ends.slice(-1), ...directories.map(({ end }) => end?.offset ?? -1));
  for (const { offset, size } of walk.gaps) {
    if (offset === 0) {
      add({
        kind: 'prepended',
        offset,
        message: `${size} bytes lie before the first record of the archive: the file may be something else as well.`,
      });
    } else if (lastEnd >= 0 && offset > lastEnd) {
      add({ kind: 'appended', offset, message: `${size} bytes follow the end of the archive.` });
    } else if (!isZero(source, offset, size)) {
      add({ kind: 'gap', offset, message: `${size} bytes at byte ${offset} belong to no member.` });
    }
  }
  const end = directories.find((reading) => reading.end)?.end;
  if (end) {
    const after = end.offset + END_RECORD_BYTES + end.commentLength;
    if (after > source.size) {
      add({
        kind: 'appended',
        offset: end.offset,
        message: `The archive comment should have ${end.commentLength} bytes, but the file ends before.`,
      });
    }
  }
  for (const { offset, size } of walk.unsearched) {
    add({
      kind: 'not-searched',
      offset,
      message: `${size} bytes at byte ${offset} belong to no member and were not searched for more.`,
    });
  }
}

/** Zero bytes between members are alignment. */
function isZero(source: ByteSource, offset: number, size: number): boolean {
  for (let at = offset; at < offset + size; at += WINDOW_BYTES) {
    if (readUpTo(source, at, Math.min(WINDOW_BYTES, offset + size - at)).some((byte) => byte !== 0)) return false;
  }
  return true;
}

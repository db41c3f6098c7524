import { type ByteSource, readUpTo } from '../../bytes/byte-source';
import { asModelError } from '../../bytes/errors';
import { WINDOW_BYTES } from '../../bytes/limits';
import { membersByName } from './archive';
import { type CrcBudget, memberDiscrepancies, unsafeName } from './compare-member';
import { endRecordCandidates } from './end-record';
import type { ZipMember } from './member';
import type { ZipReading } from './readings';
import { END_RECORD_BYTES, sameBytes } from './records';
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
  /** Bytes to read at most for comparing checksums; undefined if that is not asked for. */
  checkBytes: number | undefined;
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
  const { checkBytes } = comparison;
  const budget: CrcBudget | undefined = checkBytes === undefined ? undefined : { left: checkBytes, skipped: 0 };
  for (const members of new Set(comparison.directories.map((reading) => reading.members))) {
    duplicates(members, add);
    for (const member of members) {
      memberDiscrepancies(comparison.source, member, budget, add);
    }
  }
  if (budget && budget.skipped > 0) {
    const message = `The checksums of ${budget.skipped} members were not compared: the members before them unpack to too much.`;
    add({ kind: 'not-searched', offset: 0, message });
  }
  hiddenMembers(comparison, add);
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
  const sees = ({ members, end, error }: ZipReading): string =>
    error && members.length === 0
      ? 'finds no central directory'
      : `finds it at byte ${end?.directoryStart} (${members.length} member${members.length === 1 ? '' : 's'}${error ? ', then damage' : ''})`;
  if (differ(absolute, adjacent)) {
    const message = `Where the end record at byte ${offset} puts the central directory, readers differ: PyTorch ${sees(absolute)}, Python's zipfile ${sees(adjacent)}.`;
    add({ kind: 'readings-differ', offset, message });
  }
  const candidates = endRecordCandidates(source);
  for (const { end, directory, error, rule } of directories) {
    if (!end || !directory) continue;
    // A rule by which there is no directory at all is told above, if the other finds one.
    if (error && (directory.members.length > 0 || (absolute.error && adjacent.error)))
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
    for (const other of candidates) {
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

/** Whether the two rules for the directory come to other members; sound archives give both the same list. */
function differ(a: ZipReading, b: ZipReading): boolean {
  if (a.members === b.members) return false;
  // Both fail, or one: then the other is the only one that opens the archive.
  if (a.error && b.error) return a.members.length !== b.members.length;
  return true;
}

function duplicates(members: readonly ZipMember[], add: Add): void {
  if (membersByName(members).size === members.length) return;
  const names = new Map<string, ZipMember>();
  for (const member of members) {
    const other = names.get(member.name);
    names.set(member.name, member);
    // Two spellings in bytes can be the same text.
    if (!other || !sameBytes(member.nameBytes, other.nameBytes)) continue;
    add({
      kind: 'duplicate-name',
      member: member.name,
      offset: member.localHeaderOffset,
      message: `“${member.name}” is there twice, at bytes ${other.localHeaderOffset} and ${member.localHeaderOffset}: readers take the last or the first.`,
    });
  }
}

function hiddenMembers({ directories, walk }: Comparison, add: Add): void {
  if (directories.every(({ members }) => members.length === 0)) {
    for (const member of walk.members) unsafeName(member, add);
    return;
  }
  if (directories.some(({ members }) => isSameList(members, walk.members))) return;
  const known = new Set<number>();
  for (const { members } of directories) for (const member of members) known.add(member.localHeaderOffset);
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

function isSameList(a: readonly ZipMember[], b: readonly ZipMember[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Members of one reading whose bytes overlap, or that reach into the central directory. */
function overlaps({ directories }: Comparison, add: Add): void {
  const [absolute, adjacent] = directories;
  for (const { members, end } of absolute?.members === adjacent?.members ? [absolute!] : directories) {
    let reach = 0;
    let before: ZipMember | undefined;
    for (const member of byPlace(members)) {
      const start = member.localHeaderOffset;
      let stop: number;
      try {
        stop = member.offset + member.compressedSize;
      } catch (error) {
        // Reported as a missing local header.
        asModelError(error);
        continue;
      }
      const other = before;
      if (other && start < reach) {
        add({
          kind: 'overlap',
          member: member.name,
          offset: start,
          message: `“${member.name}” begins at byte ${start}, inside “${other.name}”, which ends at byte ${reach}.`,
        });
      }
      if (end && start < end.directoryStart && stop > end.directoryStart) {
        add({
          kind: 'overlap',
          member: member.name,
          offset: start,
          message: `“${member.name}” reaches into the central directory at byte ${end.directoryStart}.`,
        });
      }
      if (stop > reach) {
        reach = stop;
        before = member;
      }
    }
  }
}

/** Members in the order of their local headers, in which archivers list them anyway. */
export function byPlace(members: readonly ZipMember[]): readonly ZipMember[] {
  for (let i = 1; i < members.length; i++) {
    if (members[i]!.localHeaderOffset < members[i - 1]!.localHeaderOffset)
      return [...members].sort((a, b) => a.localHeaderOffset - b.localHeaderOffset);
  }
  return members;
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

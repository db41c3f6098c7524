import type { ByteSource } from '../../bytes/byte-source';
import { asModelError, ModelError } from '../../bytes/errors';
import { MAX_DECOMPRESSED_BYTES } from '../../bytes/limits';
import { type Directory, readDirectory } from './archive';
import { membersByOffset } from './by-offset';
import { compareReadings, type Discrepancy } from './compare';
import { type DirectoryRule, type EndOfDirectory, findEndRecord, readEndRecord } from './end-record';
import type { ZipMember } from './member';
import { type Walk, walkLocalHeaders } from './walk';

export type { Discrepancy, DiscrepancyKind } from './compare';

/** How a reader comes to its members: by a rule for the central directory, or from local header to local header. */
export type ReadingRule = DirectoryRule | 'local-headers';

/** Who reads that way, for sentences. */
export const readers: Readonly<Record<ReadingRule, string>> = {
  absolute: 'PyTorch (miniz)',
  adjacent: "Python's zipfile",
  'local-headers': 'readers that go from header to header',
};

/** What one kind of reader sees. */
export interface ZipReading {
  rule: ReadingRule;
  members: ZipMember[];
  /** The end record it starts from; a walk has none. */
  end?: EndOfDirectory;
  directory?: Directory;
  /** Why it sees nothing, or not everything. */
  error?: ModelError;
}

/** A member, with those that see it. Two readings share one if they find the same bytes and unpack them the same way. */
export class SeenMember {
  private others: Set<string> | undefined;
  constructor(
    readonly member: ZipMember,
    public seenBy: readonly ReadingRule[],
  ) {}

  /** All names under which it is seen. */
  get names(): ReadonlySet<string> {
    return this.others ?? new Set([this.member.name]);
  }

  get hasOneName(): boolean {
    return this.others === undefined;
  }

  see(member: ZipMember, rules: readonly ReadingRule[]): void {
    if (rules.some((rule) => !this.seenBy.includes(rule))) this.seenBy = [...new Set([...this.seenBy, ...rules])];
    if (member === this.member || member.name === this.member.name) return;
    this.others ??= new Set([this.member.name]);
    this.others.add(member.name);
  }
}

export interface ZipReadings {
  readings: ZipReading[];
  /** The union over all readings, in the order of the file; a scan must look at each. */
  members: SeenMember[];
  /** Everything in which the readings, or two records about one member, differ, and what is odd in itself. */
  discrepancies: Discrepancy[];
}

export interface ReadingsOptions {
  /** Also reads every member whole and compares its checksum. */
  checkCrc?: boolean;
  /** Most bytes to unpack for that; `MAX_DECOMPRESSED_BYTES` or the size of the file, whichever is more, if not given. */
  checkBytes?: number;
}

/**
 * Reads a zip in every way in which it is read in the wild, and says where they differ: a file made so that the scanner sees one thing and
 * the loader another is an attack. Works on damaged and cut archives, and never throws for what is in them.
 */
export function readings(source: ByteSource, options: ReadingsOptions = {}): ZipReadings {
  const end = findEndRecord(source);
  const absolute = readByDirectory(source, end, 'absolute');
  const directories = [absolute, readByDirectory(source, end, 'adjacent', absolute)];
  const walk = walkLocalHeaders(source, membersByOffset(distinct(directories)));
  const walked: ZipReading = { rule: 'local-headers', members: walk.members };
  if (walk.incomplete) {
    walked.error = new ModelError('limit', `${source.name} has too many members; the rest was not read.`, {
      offset: 0,
    });
  }
  shareHeaders(directories, walk);
  const all = [...directories, walked];
  return {
    readings: all,
    members: union(all),
    discrepancies: compareReadings({
      source,
      directories,
      walk,
      checkBytes: options.checkCrc ? (options.checkBytes ?? Math.max(MAX_DECOMPRESSED_BYTES, source.size)) : undefined,
    }),
  };
}

/** @param other a reading whose members are the same if both find the same directory, as in nearly every archive. */
function readByDirectory(
  source: ByteSource,
  offset: number | undefined,
  rule: DirectoryRule,
  other?: ZipReading,
): ZipReading {
  if (offset === undefined) {
    return {
      rule,
      members: [],
      error: new ModelError('truncated', `${source.name} has no end-of-directory record.`, {
        offset: source.size,
        reason: 'no-central-directory',
      }),
    };
  }
  try {
    const end = readEndRecord(source, offset, rule);
    const shift = end.directoryStart - end.directoryOffset;
    const size = end.directorySize;
    const known = other?.error ? undefined : other?.directory;
    if (
      known &&
      shift === 0 &&
      end.directoryStart === other?.end?.directoryStart &&
      known.endOffset === end.directoryStart + size
    ) {
      return { rule, members: known.members, end, directory: known };
    }
    const directory = readDirectory(
      source,
      end.directoryStart,
      rule === 'absolute' ? { count: end.entries, size } : { size },
      shift,
    );
    return { rule, members: directory.members, end, directory, ...(directory.error && { error: directory.error }) };
  } catch (error) {
    return { rule, members: [], error: asModelError(error, source.name) };
  }
}

/** The member lists of the readings, each once. */
function distinct(all: readonly ZipReading[]): ZipMember[][] {
  return [...new Set(all.map(({ members }) => members))];
}

/** The walk has read most local headers already. */
function shareHeaders(directories: readonly ZipReading[], walk: Walk): void {
  if (walk.headers.size === 0) return;
  for (const members of distinct(directories)) {
    for (const member of members) {
      const header = walk.headers.get(member.localHeaderOffset);
      if (header) member.useHeader(header);
    }
  }
}

function union(all: readonly ZipReading[]): SeenMember[] {
  // Nearly always every reading sees the same members, and the walk has them in the order of the file.
  const lists = distinct(all);
  const shared = lists.at(-1) ?? [];
  const everyone = all.map(({ rule }) => rule);
  if (lists.every((members) => isSameInOrder(members, shared))) {
    return shared.map((member) => new SeenMember(member, everyone));
  }
  // There is one member for most local headers; only others need the dearer key.
  const first = new Map<number, SeenMember>();
  const others = new Map<string, SeenMember>();
  const result: SeenMember[] = [];
  for (const members of lists) {
    const rules = all.filter((reading) => reading.members === members).map(({ rule }) => rule);
    for (const member of members) {
      const { localHeaderOffset, compressedSize, size, method } = member;
      const here = first.get(localHeaderOffset);
      const key =
        here && !sameContent(here.member, member) ? `${localHeaderOffset} ${compressedSize} ${size} ${method}` : '';
      const known = key === '' ? here : others.get(key);
      if (known) {
        known.see(member, rules);
        continue;
      }
      const seen = new SeenMember(member, rules);
      result.push(seen);
      if (key === '') first.set(localHeaderOffset, seen);
      else others.set(key, seen);
    }
  }
  return result.sort((a, b) => a.member.localHeaderOffset - b.member.localHeaderOffset);
}

/** Whether two lists hold the same members, with the places of their headers ascending. */
function isSameInOrder(a: readonly ZipMember[], b: readonly ZipMember[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i] || (i > 0 && a[i]!.localHeaderOffset <= a[i - 1]!.localHeaderOffset)) return false;
  }
  return true;
}

/** Two members with the same local header are the same bytes if these agree. */
function sameContent(a: ZipMember, b: ZipMember): boolean {
  return a.compressedSize === b.compressedSize && a.size === b.size && a.method === b.method;
}

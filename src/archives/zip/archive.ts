import { type ByteSource, readUpTo } from '../../bytes/byte-source';
import { asModelError, ModelError } from '../../bytes/errors';
import { MAX_ARCHIVE_MEMBERS } from '../../bytes/limits';
import { type EndOfDirectory, findEndRecord, readEndRecord } from './end-record';
import { ZipMember } from './member';
import { NameIndex } from './name-index';
import { CENTRAL_HEADER_BYTES, LOCAL_HEADER, parseCentralHeader } from './records';

/** Central directory bytes read at once. The largest record has 196,651. */
const DIRECTORY_WINDOW = 512 * 1024;

/** A zip as PyTorch and other ordinary readers see it: by its central directory. */
export interface ZipArchive {
  readonly source: ByteSource;
  /** In the order of the directory. */
  readonly members: readonly ZipMember[];
  readonly end: EndOfDirectory;
  /** The member of that name; of several the last, as in Python and miniz. */
  get(name: string): ZipMember | undefined;
  /** The members by name. */
  readonly names: NameIndex;
}

/** Whether a source can be opened as a zip: it begins with a local header or has an end record. */
export function isZip(source: ByteSource): boolean {
  const head = readUpTo(source, 0, 4);
  if (head.length === 4 && (head[0]! | (head[1]! << 8) | (head[2]! << 16) | (head[3]! << 24)) >>> 0 === LOCAL_HEADER)
    return true;
  return findEndRecord(source) !== undefined;
}

/**
 * Opens a zip by its central directory: of members, only names and places are read. The directory is looked for where the file says;
 * if it is not there, right before the end record (bytes were put in front of the archive). What other readers would see, and
 * damaged archives, are the business of `readings`.
 * @throws ModelError `truncated` (reason `no-central-directory`) or `malformed`.
 */
export function openZip(source: ByteSource): ZipArchive {
  const offset = findEndRecord(source);
  if (offset === undefined) {
    throw new ModelError(
      'truncated',
      `${source.name} has no end-of-directory record, so it is not a whole zip archive. It was probably not copied or downloaded completely.`,
      { offset: source.size, reason: 'no-central-directory' },
    );
  }
  let failure: ModelError | undefined;
  for (const rule of ['absolute', 'adjacent'] as const) {
    try {
      const end = readEndRecord(source, offset, rule);
      const shift = end.directoryStart - end.directoryOffset;
      const directory = readDirectory(
        source,
        end.directoryStart,
        { count: end.entries, size: end.directorySize },
        shift,
      );
      if (directory.error) throw directory.error;
      return new DirectoryArchive(source, directory.members, end);
    } catch (error) {
      failure ??= asModelError(error, source.name);
    }
  }
  throw failure!;
}

class DirectoryArchive implements ZipArchive {
  constructor(
    readonly source: ByteSource,
    readonly members: readonly ZipMember[],
    readonly end: EndOfDirectory,
  ) {}

  private index: NameIndex | undefined;

  get names(): NameIndex {
    this.index ??= membersByName(this.members);
    return this.index;
  }

  get(name: string): ZipMember | undefined {
    return this.names.get(name);
  }
}

/** The members of a list by name, of several with one name the last; made once for a list. */
export function membersByName(members: readonly ZipMember[]): NameIndex {
  let index = indexes.get(members);
  if (!index) {
    index = new NameIndex(members);
    indexes.set(members, index);
  }
  return index;
}

const indexes = new WeakMap<readonly ZipMember[], NameIndex>();

export interface Directory {
  members: ZipMember[];
  /** Where the bytes after the last record lie. */
  endOffset: number;
  /** Why reading stopped before its time; the members before it are there. */
  error?: ModelError;
}

/**
 * Reads central directory records from `start`; the same list for the same question.
 * @param extent by which a reader knows the end: a number of records (miniz), or a number of bytes (Python) when `count` is undefined.
 * @param shift what the reader adds to the local header offsets.
 */
export function readDirectory(
  source: ByteSource,
  start: number,
  extent: { count?: number; size: number },
  shift: number,
): Directory {
  // Several readers ask for the directory of one file, one after the other.
  const key = `${start} ${extent.count} ${extent.size} ${shift}`;
  const known = directories.get(source);
  if (known?.key === key) return known.directory;
  const directory = readRecords(source, start, extent, shift);
  directories.set(source, { key, directory });
  return directory;
}

/** The directory that was read last of a file, and how. */
const directories = new WeakMap<ByteSource, { key: string; directory: Directory }>();

function readRecords(
  source: ByteSource,
  start: number,
  extent: { count?: number; size: number },
  shift: number,
): Directory {
  const members: ZipMember[] = [];
  const limit = extent.count === undefined ? start + extent.size : source.size;
  let window: Uint8Array = new Uint8Array(0);
  let base = start;
  let at = 0;
  try {
    while (extent.count === undefined ? base + at < limit : members.length < extent.count) {
      if (members.length >= MAX_ARCHIVE_MEMBERS) {
        throw new ModelError(
          'limit',
          `${source.name} has more than ${MAX_ARCHIVE_MEMBERS} members; the rest was not read.`,
          {
            offset: base + at,
          },
        );
      }
      let entry = parseCentralHeader(window, at, base + at, source.name);
      if (!entry) {
        base += at;
        at = 0;
        // Not beyond the declared size if that holds, so that an honest archive is read without a byte too many.
        const declared = start + extent.size - base;
        window = readUpTo(
          source,
          base,
          declared >= CENTRAL_HEADER_BYTES ? Math.min(DIRECTORY_WINDOW, declared) : DIRECTORY_WINDOW,
        );
        entry = parseCentralHeader(window, 0, base, source.name);
        if (!entry) {
          window = readUpTo(source, base, DIRECTORY_WINDOW);
          entry = parseCentralHeader(window, 0, base, source.name);
        }
        if (!entry) {
          throw new ModelError(
            'truncated',
            `${source.name} ends inside its central directory, at the record at byte ${base}.`,
            {
              offset: base,
            },
          );
        }
      }
      entry.localHeaderOffset += shift;
      members.push(new ZipMember(source, entry));
      at += entry.recordSize;
    }
  } catch (error) {
    return { members, endOffset: base + at, error: asModelError(error, source.name) };
  }
  return { members, endOffset: base + at };
}

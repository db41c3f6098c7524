import { openZip, type ZipArchive } from '../../archives/zip/archive';
import type { ZipMember } from '../../archives/zip/member';
import { walkLocalHeaders } from '../../archives/zip/walk';
import type { ByteRange } from '../../bytes/byte-range';
import { type ByteSource, readInto } from '../../bytes/byte-source';
import { asModelError, ModelError } from '../../bytes/errors';
import type { Finding } from '../../model/model';

/** The members of a zip, by its directory or, where that is lost, by what is left of it. */
export interface ZipView extends Pick<ZipArchive, 'source' | 'members' | 'get'> {
  names?: ZipArchive['names'];
  /** Why the directory could not be read; the members are then those whose local headers were found. */
  damage?: ModelError;
}

const archives = new WeakMap<ByteSource, ZipView | ModelError>();

/**
 * The zip of a source, its directory read once for recognising and opening alike. A zip without directory (cut off while it was copied)
 * gives the members that local headers tell of.
 * @throws ModelError if it is none, or nothing is left of it.
 */
export function zipOf(source: ByteSource): ZipView {
  let known = archives.get(source);
  if (!known) {
    try {
      known = wholeOf(openZip(source));
    } catch (error) {
      known = salvage(source, asModelError(error, source.name));
    }
    archives.set(source, known);
  }
  if (known instanceof ModelError) throw known;
  return known;
}

/**
 * An archive whose directory explains the beginning of the file. Where it does not, although the file begins with a member, the file was cut
 * off inside an archive that it holds, or archives were put one behind the other: then the local headers tell more.
 */
function wholeOf(zip: ZipArchive): ZipView {
  const { source, members } = zip;
  if (members.length === 0 || members.some((member) => member.localHeaderOffset === 0)) return zip;
  const head = source.read(0, Math.min(4, source.size));
  if (head.length < 4 || head[0] !== 0x50 || head[1] !== 0x4b || head[2] !== 3 || head[3] !== 4) return zip;
  const first = members.reduce((least, member) => Math.min(least, member.localHeaderOffset), source.size);
  const found = salvage(
    source,
    new ModelError(
      'malformed',
      `The directory of ${source.name} describes only what begins at byte ${first}, not the members before: the file was cut off inside an archive that it holds, or several archives follow each other.`,
      { offset: first },
    ),
  );
  return found instanceof ModelError ? zip : found;
}

function salvage(source: ByteSource, damage: ModelError): ZipView | ModelError {
  if (damage.code !== 'truncated' && damage.code !== 'malformed') return damage;
  try {
    const { members } = walkLocalHeaders(source);
    if (members.length === 0) return damage;
    const byName = new Map(members.map((member) => [member.name, member]));
    return { source, members, get: (name) => byName.get(name), damage };
  } catch {
    return damage;
  }
}

/** Bytes of a member that are looked for only when they are read: its local header is not touched before. */
class MemberRange implements ByteRange {
  private opened: ByteSource | undefined;
  readonly length: number;
  constructor(
    private readonly member: ZipMember,
    available: number,
  ) {
    this.length = available;
  }
  bytes(start = 0, end = this.length): Uint8Array {
    this.opened ??= this.member.open().source;
    const to = Math.min(end, this.length, this.opened.size);
    return this.opened.read(Math.min(start, to), Math.max(0, to - start));
  }
  into(start: number, target: Uint8Array): void {
    this.opened ??= this.member.open().source;
    readInto(this.opened, start, target);
  }
}

/** The members of a PyTorch archive by their path below its top folder (`archive/data.pkl` is `data.pkl`). */
export class TorchArchive {
  private readonly sources = new Map<string, ByteSource>();
  readonly warnings: Finding[] = [];
  /** The storage that was asked for last, and its folder. */
  private last = { folder: '', place: -1 };

  constructor(
    readonly zip: ZipView,
    /** Top folder with its `/`, or ''. */
    readonly prefix: string,
  ) {}

  has(path: string): boolean {
    return this.zip.get(this.prefix + path) !== undefined;
  }

  size(path: string): number {
    return this.zip.get(this.prefix + path)?.size ?? 0;
  }

  /** Paths below the top folder that start with `folder`. */
  paths(folder = ''): string[] {
    const start = this.prefix + folder;
    return this.zip.members
      .filter((m) => m.name.startsWith(start) && !m.isDirectory)
      .map((m) => m.name.slice(this.prefix.length));
  }

  memberName(path: string): string {
    return this.prefix + path;
  }

  /** A member as a source, the same object each time. `undefined` if there is none; damage is noted and what is there is given. */
  source(path: string): ByteSource | undefined {
    const known = this.sources.get(path);
    if (known) return known;
    const member = this.zip.get(this.prefix + path);
    if (!member) return undefined;
    const { source, error } = member.open();
    if (error) {
      const finding: Finding = { rule: 'zip-member', severity: 'info', message: error.message, member: member.name };
      if (error.offset !== undefined) finding.offset = error.offset;
      this.warnings.push(finding);
    }
    this.sources.set(path, source);
    return source;
  }

  /** Text of a member, `undefined` if there is none. */
  text(path: string): string | undefined {
    const source = this.source(path);
    if (!source || source.size > MAX_TEXT_BYTES) return undefined;
    return Buffer.from(source.read(0, source.size)).toString('utf8');
  }

  /** The bytes of a storage, found without reading anything; shorter than declared if the file ends before. */
  range(path: string): ByteRange | undefined {
    return this.rangeOf(this.zip.get(this.prefix + path));
  }

  /**
   * The bytes of the storage `key` in a folder, as `range` gives them. Storages are asked for in the order in which they lie in the archive,
   * mostly: then the member behind the last one is it, and nothing has to be looked up.
   */
  storage(folder: string, key: string): ByteRange | undefined {
    const { members, names } = this.zip;
    const { last } = this;
    const next = members[last.place + 1];
    const before = members[last.place];
    if (
      names?.isPlain &&
      last.folder === folder &&
      before &&
      next?.isBeside(before, this.prefix.length + folder.length, key)
    ) {
      last.place++;
      return this.rangeOf(next);
    }
    const name = this.prefix + folder + key;
    if (!names) return this.rangeOf(this.zip.get(name));
    const place = names.placeOf(name);
    if (place >= 0) this.last = { folder, place };
    return this.rangeOf(members[place]);
  }

  private rangeOf(member: ZipMember | undefined): ByteRange | undefined {
    if (!member) return undefined;
    if (!member.isPlain) return new MemberRange(member, member.size);
    const room = this.zip.source.size - member.localHeaderOffset - 30;
    return new MemberRange(member, Math.max(0, Math.min(member.size, member.compressedSize, room)));
  }
}

/** The largest text member that is read whole: code and JSON of real models stay far below. */
const MAX_TEXT_BYTES = 512 * 1024 * 1024;

const named = new WeakMap<object, readonly string[]>();

/** The names that can say what an archive is: all but those that end with a digit, as the many storages do. */
export function landmarks({ members }: Pick<ZipView, 'members'>): readonly string[] {
  let names = named.get(members);
  if (!names) {
    names = members.filter((member) => !isDigit(member.lastNameByte)).map(({ name }) => name);
    named.set(members, names);
  }
  return names;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** Finds the top folder of an archive by a member that must be in it. The shallowest match wins. */
export function findPrefix(zip: Pick<ZipView, 'members'>, marker: string): string | undefined {
  let best: string | undefined;
  for (const name of landmarks(zip)) {
    if (name !== marker && !name.endsWith(`/${marker}`)) continue;
    const prefix = name.slice(0, name.length - marker.length);
    if (best === undefined || depth(prefix) < depth(best)) best = prefix;
    if (best === '') break;
  }
  return best;
}

function depth(prefix: string): number {
  return prefix.split('/').length;
}

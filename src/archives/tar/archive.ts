import { type ByteSource, readUpTo } from '../../bytes/byte-source';
import { ModelError } from '../../bytes/errors';
import { asBuffer } from '../../bytes/latin1';
import { MAX_ARCHIVE_MEMBERS, MAX_GAP_SEARCH, WINDOW_BYTES } from '../../bytes/limits';
import { BLOCK, parseTarHeader, type TarHeader } from './header';
import { TarMember, type TarMemberKind } from './member';
import { parsePax } from './pax';

/** Long names and pax headers larger than this have no honest use; they are reported and passed over. */
const MAX_EXTENSION_BYTES = 1024 * 1024;

export type TarDiscrepancyKind =
  | 'damaged-header' // a block that should be a header is none; reading goes on at the next that is
  | 'duplicate-name'
  | 'unsafe-name'
  | 'symlink'
  | 'hardlink'
  | 'outside-file'
  | 'damaged-extension' // a pax header or long name that cannot be read
  | 'hidden-member' // after the end-of-archive mark
  | 'appended' // other bytes after the end-of-archive mark
  | 'no-end' // the archive just stops
  | 'limit';

/** One thing in a tar that readers may take differently, or that is damaged. */
export interface TarDiscrepancy {
  kind: TarDiscrepancyKind;
  member?: string;
  offset: number;
  message: string;
}

export interface TarArchive {
  readonly source: ByteSource;
  /** In the order of the file, also those after damage and after the end mark. */
  readonly members: readonly TarMember[];
  readonly discrepancies: readonly TarDiscrepancy[];
  /** The last member of that name before the end mark, as Python's `tarfile` gives it. */
  get(name: string): TarMember | undefined;
}

/**
 * Lists a tar archive: ustar, GNU long names, pax headers, sizes in base 256. Only headers are read. Damage does not end the list: the next
 * block that is a header carries on, as in GNU tar.
 * @throws ModelError `malformed` or `truncated` when the file does not begin with a header.
 */
export function openTar(source: ByteSource): TarArchive {
  const first = readUpTo(source, 0, BLOCK);
  if (first.length < BLOCK) {
    throw new ModelError('truncated', `${source.name} has only ${source.size} bytes; a tar archive has at least 512.`, {
      offset: source.size,
    });
  }
  const header = isZero(first) ? undefined : parseTarHeader(first);
  if (typeof header === 'string') {
    const message = `${source.name} does not begin with a tar header: ${PROBLEMS[header]}.`;
    throw new ModelError('malformed', message, { offset: 0 });
  }
  return new Reader(source).read();
}

const PROBLEMS = { checksum: 'its checksum does not match', number: 'its size is not a number' } as const;

class Reader {
  private readonly members: TarMember[] = [];
  private readonly discrepancies: TarDiscrepancy[] = [];
  private readonly names = new Map<string, TarMember>();
  private ended = false;
  /** What long-name and pax headers say about the next member, and about all that follow. */
  private longName: Uint8Array | undefined;
  private longLink: Uint8Array | undefined;
  private pax = new Map<string, Uint8Array>();
  private readonly globalPax = new Map<string, Uint8Array>();
  private extensionOffset: number | undefined;

  constructor(private readonly source: ByteSource) {}

  read(): TarArchive {
    const { source, members, discrepancies, names } = this;
    let at = 0;
    while (at < source.size) {
      const block = readUpTo(source, at, BLOCK);
      if (isZero(block)) {
        this.ended = true;
        at = this.skipZeros(at);
        continue;
      }
      if (members.length >= MAX_ARCHIVE_MEMBERS) {
        this.report('limit', at, `${source.name} has more than ${MAX_ARCHIVE_MEMBERS} members; the rest was not read.`);
        break;
      }
      const header = block.length === BLOCK ? parseTarHeader(block) : 'checksum';
      at = typeof header === 'string' ? this.damaged(at, header) : this.member(at, header);
    }
    if (!this.ended)
      this.report('no-end', source.size, `${source.name} stops without the end-of-archive mark; it may be cut off.`);
    return { source, members, discrepancies, get: (name) => names.get(name) };
  }

  private report(kind: TarDiscrepancyKind, offset: number, message: string, member?: string): void {
    this.discrepancies.push({ kind, offset, message, ...(member !== undefined && { member }) });
  }

  /** Takes the header at `at` in; returns where the next is. */
  private member(at: number, header: TarHeader): number {
    const { source } = this;
    const dataOffset = at + BLOCK;
    if ('LKxgX'.includes(header.type)) {
      this.extension(at, header);
      return dataOffset + blocks(header.size);
    }
    const pax = (key: string): Uint8Array | undefined => this.pax.get(key) ?? this.globalPax.get(key);
    const paxSize = Buffer.from(pax('size') ?? []).toString('latin1');
    if (paxSize !== '' && !/^\d{1,15}$/.test(paxSize))
      this.report('damaged-extension', at, `A pax header declares the size “${paxSize}”.`);
    const isSparsePax = [...this.pax.keys()].some((key) => key.startsWith('GNU.sparse.'));
    const nameBytes = pax('GNU.sparse.name') ?? pax('path') ?? this.longName ?? header.nameBytes;
    const written = decode(nameBytes);
    const kind = isSparsePax ? 'sparse' : kindOf(header, written);
    // Writers end the names of folders with a slash or not; readers take it off.
    const name = kind === 'directory' && written.length > 1 ? written.replace(/\/+$/, '') : written;
    const hasData = kind === 'file' || kind === 'sparse' || kind === 'other';
    const size = !hasData ? 0 : /^\d{1,15}$/.test(paxSize) ? Number(paxSize) : header.size;
    const offset = kind === 'sparse' && header.type === 'S' ? this.afterSparseMaps(at) : dataOffset;
    const isLink = kind === 'symlink' || kind === 'hardlink';
    const target = isLink ? decode(pax('linkpath') ?? this.longLink ?? header.linkBytes) : undefined;
    const member = new TarMember(source, {
      name,
      nameBytes,
      kind,
      headerOffset: this.extensionOffset ?? at,
      offset,
      size,
      afterEnd: this.ended,
      ...(target !== undefined && { target }),
    });
    this.longName = this.longLink = this.extensionOffset = undefined;
    this.pax = new Map();
    this.add(member);
    return offset + blocks(size);
  }

  private add(member: TarMember): void {
    const { name, headerOffset: offset, target } = member;
    this.members.push(member);
    if (member.afterEnd) {
      this.report(
        'hidden-member',
        offset,
        `“${name}” comes after the end-of-archive mark, which some readers ignore.`,
        name,
      );
    } else {
      if (this.names.has(name) && member.kind !== 'directory') {
        this.report(
          'duplicate-name',
          offset,
          `“${name}” is there twice; the later replaces the earlier when unpacked.`,
          name,
        );
      }
      this.names.set(name, member);
    }
    if (/^[/\\]|^[a-z]:/i.test(name))
      this.report('unsafe-name', offset, `The name “${name}” is an absolute path.`, name);
    else if (name.split(/[/\\]/).includes('..'))
      this.report('unsafe-name', offset, `The name “${name}” leads out of the archive.`, name);
    if (member.kind === 'symlink') this.report('symlink', offset, `“${name}” is a symbolic link to “${target}”.`, name);
    if (member.kind === 'hardlink') this.report('hardlink', offset, `“${name}” is a hard link to “${target}”.`, name);
    if (member.offset + member.size > this.source.size) {
      this.report(
        'outside-file',
        offset,
        `“${name}” should have ${member.size} bytes, but the file ends before.`,
        name,
      );
    }
  }

  /** A header that says something about the next one. */
  private extension(at: number, header: TarHeader): void {
    this.extensionOffset ??= at;
    const available = Math.min(header.size, this.source.size - at - BLOCK);
    if (header.size > MAX_EXTENSION_BYTES || available < header.size) {
      const message = `The extended header at byte ${at} declares ${header.size} bytes, which ${available < header.size ? 'the file does not have' : 'is too much'}.`;
      this.report('damaged-extension', at, message);
      return;
    }
    const data = this.source.read(at + BLOCK, header.size);
    if (header.type === 'L' || header.type === 'K') {
      const end = data.indexOf(0);
      const value = end < 0 ? data : data.subarray(0, end);
      if (header.type === 'L') this.longName = value;
      else this.longLink = value;
      return;
    }
    const values = parsePax(data);
    if (!values)
      this.report('damaged-extension', at, `The pax header at byte ${at} is not made of “length keyword=value” lines.`);
    for (const [key, value] of values ?? []) (header.type === 'g' ? this.globalPax : this.pax).set(key, value);
  }

  /** Old GNU sparse files have more map blocks after the header, each of which says whether another follows. */
  private afterSparseMaps(at: number): number {
    const { source } = this;
    let next = at + BLOCK;
    let more = readUpTo(source, at + 482, 1)[0] === 1;
    while (more && next + BLOCK <= source.size) {
      more = source.read(next + 504, 1)[0] === 1;
      next += BLOCK;
    }
    return next;
  }

  /** Reports a block that is no header, and finds the next that is. */
  private damaged(at: number, problem: 'checksum' | 'number'): number {
    const { source } = this;
    const next = this.search(
      at + BLOCK,
      (block) => block.length === BLOCK && typeof parseTarHeader(block) !== 'string',
    );
    if (this.ended) {
      this.report(
        'appended',
        at,
        `${Math.min(next, source.size) - at} bytes after the end of the archive belong to no member.`,
      );
    } else {
      // A damaged last member does not take the end mark away.
      if (next >= source.size)
        this.ended = source.size >= 2 * BLOCK && isZero(source.read(source.size - 2 * BLOCK, 2 * BLOCK));
      const rest = next < source.size ? `reading goes on at byte ${next}` : 'no other header follows';
      this.report('damaged-header', at, `The tar header at byte ${at} is damaged (${PROBLEMS[problem]}); ${rest}.`);
    }
    this.longName = this.longLink = this.extensionOffset = undefined;
    this.pax = new Map();
    return next;
  }

  private skipZeros(at: number): number {
    return this.search(at, (block) => !isZero(block));
  }

  /** Offset of the first block from `at` on that is wanted; the end of the file if there is none. */
  private search(at: number, wanted: (block: Uint8Array) => boolean): number {
    const { source } = this;
    const limit = at + MAX_GAP_SEARCH;
    while (at < source.size) {
      if (at > limit) {
        this.report('limit', at, `The bytes from ${at} on belong to no member and were not searched for more.`);
        return source.size;
      }
      const window = readUpTo(source, at, WINDOW_BYTES);
      for (let i = 0; i < window.length; i += BLOCK) if (wanted(window.subarray(i, i + BLOCK))) return at + i;
      at += window.length;
    }
    return source.size;
  }
}

function blocks(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}

function isZero(block: Uint8Array): boolean {
  for (let i = 0; i < block.length; i++) if (block[i] !== 0) return false;
  return true;
}

/** Names are UTF-8 in pax headers and nearly everywhere else; a byte that is not stays visible as U+FFFD. */
function decode(bytes: Uint8Array): string {
  return asBuffer(bytes).toString('utf8');
}

function kindOf(header: TarHeader, name: string): TarMemberKind {
  switch (header.type) {
    case '0':
    case '7':
      // The oldest format marks folders by the slash only.
      return name.endsWith('/') ? 'directory' : 'file';
    case '1':
      return 'hardlink';
    case '2':
      return 'symlink';
    case '3':
    case '4':
    case '6':
      return 'device';
    case '5':
    case 'D':
      return 'directory';
    case 'S':
      return 'sparse';
    default:
      return 'other';
  }
}

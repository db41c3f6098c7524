import { isTorchTar, openTar, type TarArchive } from '../../archives/tar';
import { type ByteSource, readUpTo, SliceSource } from '../../bytes/byte-source';
import { asModelError } from '../../bytes/errors';
import type { Scanner } from '../scanner';
import { scanStray } from './stray';

/**
 * Judges a tar: every member that has content by that content, whatever its kind (readers take unknown kinds for files), and bytes that
 * belong to no member; links and damage are findings.
 */
export function scanTar(scanner: Scanner, source: ByteSource, member: string, depth: number): void {
  const archive = openTar(source);
  // In the tars of torch 0.1 the members "tensors" and "storages" are pickles with raw data between them; the reader of that format knows them.
  const torch = isTorchTar(archive);
  for (const { message, offset } of archive.discrepancies) {
    scanner.finding({ rule: 'tar-damaged', severity: 'suspicious', member, offset, message });
  }
  for (const entry of archive.members) {
    if (entry.size === 0) continue;
    const path = member === '' ? entry.name : `${member}!${entry.name}`;
    try {
      const opened = entry.open();
      if (torch && (entry.name === 'storages' || entry.name === 'tensors'))
        scanner.torchTarMember(opened.source, path, depth + 1);
      else scanner.content(opened.source, path, depth + 1, false);
      if (opened.error) throw opened.error;
    } catch (error) {
      const { message } = asModelError(error, entry.name);
      scanner.cover(path, entry.size, 'member', message);
      scanner.finding({ rule: 'not-scanned', severity: 'suspicious', member: path, message });
    }
  }
  for (const { from, to, content } of gaps(source, archive)) {
    scanner.finding({
      rule: 'tar-damaged',
      severity: 'suspicious',
      member,
      offset: from,
      message: `${to - from} bytes at byte ${from} belong to no member, and are not only zeros.`,
    });
    // A reader that goes by another size takes them for the rest of the member before.
    scanStray(scanner, source, content ?? from, to, member, depth);
  }
  scanner.cover(member, source.size, `tar archive with ${archive.members.length} members`);
}

interface Gap {
  from: number;
  to: number;
  /** Where the content of the member begins that ends where the gap begins. */
  content?: number;
}

/** Ranges that are neither header nor content of a member, and not only zeros. */
function* gaps(source: ByteSource, { members }: TarArchive): Generator<Gap> {
  const spans = members
    .map((entry) => ({
      from: entry.headerOffset,
      to: Math.min(source.size, entry.offset + entry.size),
      content: entry.offset,
    }))
    .sort((a, b) => a.from - b.from);
  let at = 0;
  let content: number | undefined;
  for (const span of [...spans, { from: source.size, to: source.size, content: undefined }]) {
    if (span.from > at && !isZero(source, at, span.from)) {
      yield { from: at, to: span.from, ...(content !== undefined && { content }) };
    }
    if (span.to >= at) content = span.content;
    at = Math.max(at, span.to);
  }
}

/** Bytes compared at once. */
const STEP = 65_536;

function isZero(source: ByteSource, from: number, to: number): boolean {
  for (let at = from; at < to; at += STEP) {
    if (readUpTo(new SliceSource(source, at, Math.min(STEP, to - at)), 0, STEP).some((byte) => byte !== 0))
      return false;
  }
  return true;
}

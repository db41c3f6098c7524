import {
  type DiscrepancyKind,
  type MemberBytes,
  readings,
  type SeenMember,
  type ZipMember,
  type ZipReadings,
} from '../../archives/zip';
import { END_RECORD_BYTES } from '../../archives/zip/records';
import { BufferSource, type ByteSource, HeldSource, SliceSource } from '../../bytes/byte-source';
import { crc32 } from '../../bytes/checksums/crc32';
import { asModelError } from '../../bytes/errors';
import { persistentIdsOf } from '../../formats/torch/packed-storage';
import type { Pickle } from '../../pickle/machine';
import { PersistentId } from '../../pickle/values';
import type { SecurityFinding } from '../report';
import type { Scanner } from '../scanner';
import { scanHooks, searchPickles } from './pickles';
import { scanStray, strayName } from './stray';
import { MOBILE_FILE_OPERATORS } from './texts';

/**
 * How much a discrepancy says. Honest writers leave gaps (alignment) and data descriptors; two readers that see different members, or a
 * name that is written twice in different ways, have no honest use.
 */
const SEVERITY: Partial<Record<DiscrepancyKind, SecurityFinding['severity'] | 'none'>> = {
  gap: 'info',
  'zip64-differs': 'info',
  appended: 'suspicious',
  prepended: 'suspicious',
  'not-searched': 'suspicious',
  'duplicate-name': 'suspicious',
  'alternative-name': 'suspicious',
};

/** Folders of raw tensor data in torch archives: `archive/data/12`, `constants/0`, `weights/weight_3`. */
const STORAGE_FOLDER = /(^|\/)(data|constants|tensors|storages|weights|traced_inputs)$/;

/** Tells the storages that the pickles of an archive name from its other members. */
class Storages {
  private readonly keys = new Set<string>();
  private folder = '';
  private holdsStorages = false;

  add(pickle: Pickle): void {
    for (const id of persistentIdsOf(pickle.outerEvents)) if (!(id instanceof PersistentId)) this.keys.add(id.key);
  }

  has(name: string): boolean {
    if (this.keys.size === 0) return false;
    const slash = name.lastIndexOf('/');
    if (slash < 0) return false;
    // Storages follow each other in one folder.
    if (this.folder.length !== slash || !name.startsWith(this.folder)) {
      this.folder = name.slice(0, slash);
      this.holdsStorages = STORAGE_FOLDER.test(this.folder);
    }
    return this.holdsStorages && this.keys.has(name.slice(slash + 1));
  }
}

/** The last letter of `.pkl`, and what is taken off for its capital. */
const LETTER_L = 0x6c;
const CASE = 0x20;

/** Members up to this size are compared with their checksum; larger ones are data, and reading them would be all that a scan does. */
const MAX_CHECKED = 16 * 1024 * 1024;

/** Members whose checksum is compared are read whole for it, and then not again. */
function resident(opened: MemberBytes): MemberBytes {
  const { source, error } = opened;
  if (error || source.size > MAX_CHECKED || source instanceof BufferSource) return opened;
  return { source: new HeldSource(source) };
}

/** Storages of one archive that are listed one by one as tensor data. */
const MAX_LISTED = 1000;

/** The bytecode of a mobile TorchScript module names the operators that it runs. */
function mobileOperators(scanner: Scanner, source: ByteSource, member: string): void {
  const text = Buffer.from(source.read(0, Math.min(source.size, MAX_CHECKED))).toString('latin1');
  const found = MOBILE_FILE_OPERATORS.exec(text);
  if (!found) return;
  scanner.finding({
    rule: 'torchscript-file',
    severity: 'dangerous',
    member,
    offset: found.index,
    name: found[0],
    message: `The bytecode of the module names the operator ${found[0]}, which reaches files of this computer when the model runs.`,
    advice: 'Do not run this model; a model for prediction needs no files.',
    advisory: 'CVE-2025-32434',
  });
}

/** A comment in which no pickle has room that names something. */
const SHORT_COMMENT = 8;

function checksumOf(source: ByteSource): number {
  return crc32(source.read(0, source.size), 0);
}

/** Judges a zip by what every reader sees in it: the union of members, each by its content. */
export function scanZip(scanner: Scanner, source: ByteSource, member: string, depth: number): void {
  const seen = readings(source);
  reportDiscrepancies(scanner, seen, member);
  // Pickles first: they name the storages, which are then known to be array data.
  const storages = new Storages();
  const judged = new Set<ZipMember>();
  const isPickle = ({ member: m }: SeenMember): boolean =>
    (m.lastNameByte === LETTER_L || m.lastNameByte === LETTER_L - CASE) && /\.pkl$/i.test(m.name);
  const pickles = seen.members.filter(isPickle);
  const data = { members: 0, bytes: 0 };
  for (const each of pickles.length === 0 ? seen.members : [...pickles, ...seen.members]) {
    const { member: entry } = each;
    if (entry.isDirectory || entry.size === 0 || judged.has(entry)) continue;
    const isStorage = each.hasOneName && storages.has(entry.name);
    if (isStorage && ++data.members > MAX_LISTED) {
      data.bytes += entry.size;
      continue;
    }
    const path = member === '' ? entry.name : `${member}!${entry.name}`;
    if (isStorage) {
      scanner.cover(path, entry.size, 'tensor data, not read');
      continue;
    }
    judged.add(entry);
    try {
      const opened = resident(entry.open());
      if (opened.error) {
        scanner.cover(path, entry.size, 'member', opened.error.message);
        scanner.finding({
          rule: 'not-scanned',
          severity: 'suspicious',
          member: path,
          message: `${entry.name} cannot be unpacked: ${opened.error.message}`,
        });
      } else if (opened.source.size <= MAX_CHECKED && checksumOf(opened.source) !== entry.crc) {
        scanner.finding({
          rule: 'zip-crc-mismatch',
          severity: 'suspicious',
          member: path,
          message: `${entry.name} does not have the checksum that the archive declares; some loaders refuse it, PyTorch does not.`,
          advice: 'Get the archive again from its source.',
        });
      }
      const before = scanner.judged.length;
      scanner.content(opened.source, path, depth + 1, false);
      if (/(^|\/)bytecode\.pkl$/.test(entry.name)) mobileOperators(scanner, opened.source, path);
      for (const pickle of scanner.judged.slice(before)) storages.add(pickle);
    } catch (error) {
      const { message } = asModelError(error, entry.name);
      scanner.cover(path, entry.size, 'member', message);
      scanner.finding({ rule: 'not-scanned', severity: 'suspicious', member: path, message });
    }
  }
  if (data.members > MAX_LISTED) {
    const rest = `${data.members - MAX_LISTED} more members`;
    scanner.cover(member === '' ? rest : `${member}!${rest}`, data.bytes, 'tensor data, not read');
  }
  strayBytes(scanner, source, seen, member, depth);
  const comments = new Map(seen.readings.map(({ end }) => [end?.offset ?? 0, end?.comment.length ?? 0]));
  for (const [at, length] of comments) {
    const from = at + END_RECORD_BYTES;
    if (length >= SHORT_COMMENT) scanStray(scanner, source, from, Math.min(source.size, from + length), member, depth);
  }
  scanner.cover(member, source.size, `zip archive with ${seen.members.length} members`);
}

function reportDiscrepancies(scanner: Scanner, seen: ZipReadings, member: string): void {
  for (const { kind, member: name, offset, message } of seen.discrepancies) {
    const severity = SEVERITY[kind] ?? 'suspicious';
    if (severity === 'none') continue;
    scanner.finding({
      rule: `zip-${kind}`,
      severity,
      member: name === undefined ? member : member === '' ? name : `${member}!${name}`,
      offset,
      message,
      ...(severity === 'suspicious'
        ? {
            advice:
              'Two programs may see different content in this archive. Get it again from its source, or repack it from what you trust.',
          }
        : {}),
    });
  }
}

/** Bytes that belong to no record may be a file of another kind: they are judged by content, and searched. */
function strayBytes(scanner: Scanner, source: ByteSource, seen: ZipReadings, member: string, depth: number): void {
  const stray = seen.discrepancies.filter(({ kind }) => kind === 'appended' || kind === 'gap' || kind === 'prepended');
  if (stray.length === 0) return;
  const starts = [
    ...seen.members.map(({ member: entry }) => entry.localHeaderOffset),
    ...seen.readings.flatMap(({ end }) => (end ? [end.directoryStart, end.offset] : [])),
  ].sort((a, b) => a - b);
  for (const { kind, offset } of stray) {
    const end = kind === 'appended' ? source.size : (starts.find((start) => start > offset) ?? source.size);
    // What stands at the start of the file was judged as the file's own beginning.
    if (end <= offset || (kind === 'prepended' && offset === 0 && end >= source.size)) continue;
    if (kind !== 'prepended') scanStray(scanner, source, offset, end, member, depth);
    else {
      const piece = new SliceSource(source, offset, end - offset, source.name);
      searchPickles(scanner, piece, 0, strayName(member, offset), depth + 1, scanHooks());
    }
  }
}

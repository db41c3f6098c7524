import type { ByteSource } from '../../bytes/byte-source';
import { asModelError } from '../../bytes/errors';
import type { Discrepancy, DiscrepancyKind } from './compare';
import { checksum, type ZipMember } from './member';
import { decodeName, extraField, Flag, type LocalHeader, sameBytes } from './records';

type Add = (discrepancy: Discrepancy) => void;

const FLAG_KINDS: readonly [number, DiscrepancyKind, string][] = [
  [Flag.encrypted, 'encrypted', 'is marked as encrypted'],
  [Flag.patched, 'patched', 'is marked as compressed patch data, which Python refuses and PyTorch ignores'],
  [Flag.strongEncryption, 'strong-encryption', 'is marked as strongly encrypted'],
  [Flag.masked, 'masked', 'is marked as having masked header values'],
];

/** Flags that both records must agree on. Writers differ in the others (deflate level, UTF-8 in one of them only). */
const COMPARED_FLAGS = Flag.encrypted | Flag.patched | Flag.strongEncryption | Flag.masked;

/** Methods that the readers here unpack. */
const METHODS = new Set([0, 8, 12, 14, 93, 95]);

/** Bytes that may still be read to compare checksums: members that overlap could otherwise make a small file endless. */
export interface CrcBudget {
  left: number;
  /** Members whose checksum was not compared for want of it. */
  skipped: number;
}

/** What is odd about one member of a central directory, and in what its local header contradicts it. */
export function memberDiscrepancies(
  source: ByteSource,
  member: ZipMember,
  budget: CrcBudget | undefined,
  add: Add,
): void {
  unsafeName(member, add);
  const fits = member.isPlain && member.headerAgrees && member.offset + member.compressedSize <= source.size;
  if (fits && !budget && !member.isSymlink && member.size === member.compressedSize) return;
  const report = (kind: DiscrepancyKind, what: string): void =>
    add({ kind, member: member.name, offset: member.localHeaderOffset, message: `“${member.name}” ${what}.` });
  if (member.isSymlink) report('symlink', 'is a symbolic link');
  if (!METHODS.has(member.method))
    report('method-unsupported', `is compressed with method ${member.method}, which is not read`);
  let header: LocalHeader;
  try {
    header = member.localHeader();
  } catch (error) {
    flags(member.flags, report);
    report(
      member.localHeaderOffset > source.size ? 'outside-file' : 'local-header-missing',
      `has no local header at byte ${member.localHeaderOffset} (${asModelError(error).code})`,
    );
    return;
  }
  flags(member.flags | header.flags, report);
  if ((member.flags ^ header.flags) & COMPARED_FLAGS)
    report('flags-differ', 'has other flags in its local header than in the central directory');
  if (!sameBytes(member.nameBytes, header.nameBytes)) {
    report('name-differs', `is called “${decodeName(header.nameBytes)}” in its local header`);
  }
  if (member.method !== header.method) {
    report(
      'method-differs',
      `has compression method ${member.method} in the central directory and ${header.method} in its local header`,
    );
  }
  sizes(member, header, report);
  if (member.offset + member.compressedSize > source.size) report('outside-file', 'reaches beyond the end of the file');
  else if (budget) content(member, budget, report);
}

type Report = (kind: DiscrepancyKind, what: string) => void;

function flags(value: number, report: Report): void {
  for (const [flag, kind, what] of FLAG_KINDS) if (value & flag) report(kind, what);
}

/** With a data descriptor the local header holds zeros, or the true values all the same. */
function sizes(member: ZipMember, header: LocalHeader, report: Report): void {
  const later = (header.flags & Flag.descriptor) !== 0;
  const agrees = (central: number, local: number): boolean => central === local || (later && local === 0);
  if (!agrees(member.compressedSize, header.compressedSize) || !agrees(member.size, header.size)) {
    report(
      'size-differs',
      `has ${member.compressedSize} bytes (${member.size} unpacked) by the central directory and ` +
        `${header.compressedSize} (${header.size}) by its local header`,
    );
  } else if (member.isPlain && member.size !== member.compressedSize) {
    report('size-differs', `is stored, but its two sizes are ${member.compressedSize} and ${member.size}`);
  }
  if (!agrees(member.crc, header.crc))
    report('crc-differs', 'has another checksum in its local header than in the central directory');
}

function content(member: ZipMember, budget: CrcBudget, report: Report): void {
  if (budget.left <= 0) {
    budget.skipped++;
    return;
  }
  const { source, error } = member.open(budget.left);
  budget.left -= Math.max(source.size, 1);
  if (error) {
    if (error.reason === 'method' || error.reason === 'encrypted') return;
    report(error.reason === 'size' ? 'size-differs' : 'unreadable', `cannot be unpacked as declared: ${error.message}`);
  } else if (checksum(source) !== member.crc) {
    report('crc-mismatch', 'does not have the checksum that the archive declares; PyTorch loads it all the same');
  }
}

/** Names that lead out of the folder that an archive is unpacked into, or that readers take differently. */
export function unsafeName(member: ZipMember, add: Add): void {
  if (member.extra.length === 0 && member.hasOrdinaryName) return;
  const { name } = member;
  const report = (kind: DiscrepancyKind, what: string): void =>
    add({ kind, member: name, offset: member.localHeaderOffset, message: `The name “${name}” ${what}.` });
  if (/^[/\\]/.test(name) || /^[a-z]:/i.test(name)) report('unsafe-name', 'is an absolute path');
  else if (name.split(/[/\\]/).includes('..')) report('unsafe-name', 'leads out of the archive');
  if (name.includes('\0')) report('unsafe-name', 'contains a NUL byte, where some readers cut it off');
  // Info-ZIP Unicode Path: version, checksum of the other name, this name in UTF-8.
  const path = extraField(member.extra, 0x7075)?.subarray(5);
  if (path && path.length > 0 && decodeName(path) !== name) {
    report('alternative-name', `is “${decodeName(path)}” for readers that heed the Unicode path field`);
  }
}

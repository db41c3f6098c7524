import { isTorchTar, openTar } from '../../archives/tar';
import type { ByteSource } from '../../bytes/byte-source';
import { asModelError } from '../../bytes/errors';
import type { Scanner } from '../scanner';

/** Judges a tar: every member by its content; links and damage are findings. */
export function scanTar(scanner: Scanner, source: ByteSource, member: string, depth: number): void {
  const archive = openTar(source);
  // In the tars of torch 0.1 the members "tensors" and "storages" are pickles with raw data between them; the reader of that format knows them.
  const torch = isTorchTar(archive);
  for (const { message, offset } of archive.discrepancies) {
    scanner.finding({ rule: 'tar-damaged', severity: 'suspicious', member, offset, message });
  }
  for (const entry of archive.members) {
    if (entry.kind !== 'file' || entry.size === 0) continue;
    const path = member === '' ? entry.name : `${member}!${entry.name}`;
    try {
      if (torch && (entry.name === 'storages' || entry.name === 'tensors'))
        scanner.torchTarMember(entry.source(), path, depth + 1);
      else scanner.content(entry.source(), path, depth + 1, false);
    } catch (error) {
      const { message } = asModelError(error, entry.name);
      scanner.cover(path, entry.size, 'member', message);
      scanner.finding({ rule: 'not-scanned', severity: 'suspicious', member: path, message });
    }
  }
  scanner.cover(member, source.size, `tar archive with ${archive.members.length} members`);
}

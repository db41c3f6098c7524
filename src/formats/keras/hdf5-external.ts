import { asBuffer } from '../../bytes/latin1';

/**
 * Files that the datasets of an HDF5 file take their bytes from, by the message "External Data Files" of their object headers. Source: HDF5
 * File Format Specification 3.0, IV.A.2.h and III.D. The library reads such files without a word, and does not say that it would.
 */

/** Most messages that are looked at in one file. */
const MAX_MESSAGES = 10_000;
/** Longest name of a file. */
const MAX_NAME = 4096;

/**
 * Names in the external file lists of a file, in the order in which they stand there. The messages are found by their form, each with the
 * address of a local heap: a walk over all object headers would need the whole library.
 */
export function externalFiles(file: Uint8Array): string[] {
  const bytes = asBuffer(file);
  const heaps = new Map<number, number>();
  for (let at = bytes.indexOf('HEAP', 0, 'latin1'); at >= 0; at = bytes.indexOf('HEAP', at + 4, 'latin1')) {
    // Signature, version 0, three reserved bytes, size, free list, address of the data.
    if (at + 32 > bytes.length || bytes.readUInt32LE(at + 4) !== 0) continue;
    const data = address(bytes, at + 24);
    if (data !== undefined) heaps.set(at, data);
  }
  const names = new Set<string>();
  if (heaps.size === 0) return [];
  const version = Buffer.from([1, 0, 0, 0]);
  let messages = 0;
  for (let at = bytes.indexOf(version); at >= 0 && messages < MAX_MESSAGES; at = bytes.indexOf(version, at + 1)) {
    if (at + 16 > bytes.length) break;
    const [allocated, used] = [bytes.readUInt16LE(at + 4), bytes.readUInt16LE(at + 6)];
    const data = used > 0 && used <= allocated ? heaps.get(address(bytes, at + 8) ?? -1) : undefined;
    if (data === undefined || at + 16 + 24 * used > bytes.length) continue;
    messages++;
    for (let slot = 0; slot < used; slot++) {
      const offset = address(bytes, at + 16 + 24 * slot);
      const name = offset === undefined ? undefined : text(bytes, data + offset);
      if (name !== undefined && name !== '') names.add(name);
    }
  }
  return [...names];
}

function address(bytes: Buffer, at: number): number | undefined {
  const value = bytes.readBigUInt64LE(at);
  return value < BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : undefined;
}

function text(bytes: Buffer, at: number): string | undefined {
  const end = bytes.indexOf(0, at);
  return at < bytes.length && end >= at && end - at <= MAX_NAME ? bytes.toString('utf8', at, end) : undefined;
}

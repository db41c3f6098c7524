import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Compression } from '../../../src/bytes/decompress';

const FOLDER = path.join(__dirname, '../../fixtures/archives');

export interface CompressedFixture {
  name: string;
  kind: Compression;
  bytes: Uint8Array;
  /** Size and SHA-256 of what must come out. */
  size: number;
  sha256: string;
}

/** Streams that Python, lz4, xz and zstd made (tools/fixtures/archives/make.py). */
export function compressedFixtures(): CompressedFixture[] {
  const bundle = fs.readFileSync(path.join(FOLDER, 'compressed.bin'));
  const index = JSON.parse(fs.readFileSync(path.join(FOLDER, 'compressed.json'), 'utf8')) as (Omit<
    CompressedFixture,
    'bytes'
  > & {
    offset: number;
    length: number;
  })[];
  return index.map((entry) => ({ ...entry, bytes: bundle.subarray(entry.offset, entry.offset + entry.length) }));
}

export function archiveFixture(name: string): Uint8Array {
  return fs.readFileSync(path.join(FOLDER, name));
}

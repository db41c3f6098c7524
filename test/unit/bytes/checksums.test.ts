import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { adler32 } from '../../../src/bytes/checksums/adler32';
import { crc32, crc32c, crc32Portable, maskCrc32c, unmaskCrc32c } from '../../../src/bytes/checksums/crc32';
import { crc64 } from '../../../src/bytes/checksums/crc64';
import { xxh32, xxh64Low } from '../../../src/bytes/checksums/xxhash';

const DIGITS = Buffer.from('123456789');

/** Bytes of SHA-256, so that every length has its own content. */
function bytesOf(length: number): Uint8Array {
  const parts: Buffer[] = [];
  for (let i = 0; i * 32 < length; i++) parts.push(createHash('sha256').update(String(i)).digest());
  return Buffer.concat(parts).subarray(0, length);
}

describe('checksums', () => {
  it('have the published values for "123456789"', () => {
    expect(crc32(DIGITS)).toBe(0xcbf43926);
    expect(crc32Portable(DIGITS)).toBe(0xcbf43926);
    expect(crc32c(DIGITS)).toBe(0xe3069283);
    expect(crc64(DIGITS)).toEqual({ high: 0x995dc9bb, low: 0xdf1939fa });
    expect(adler32(DIGITS)).toBe(0x091e01de);
    expect(xxh32(new Uint8Array(0))).toBe(0x02cc5d05);
    expect(xxh64Low(new Uint8Array(0))).toBe(0x51d8e999);
  });

  it('agree with the native one at every length, and in pieces', () => {
    for (let length = 0; length < 70; length++) {
      const bytes = bytesOf(length);
      expect(crc32Portable(bytes)).toBe(crc32(bytes));
      const cut = length >> 1;
      expect(crc32c(bytes.subarray(cut), crc32c(bytes.subarray(0, cut)))).toBe(crc32c(bytes));
      expect(crc32Portable(bytes.subarray(cut), crc32Portable(bytes.subarray(0, cut)))).toBe(crc32(bytes));
    }
  });

  it('are masked and unmasked as LevelDB does', () => {
    // crc_test.cc of LevelDB: masking twice is not masking once, and both can be undone.
    const crc = crc32c(Buffer.from('foo'));
    expect(maskCrc32c(crc)).not.toBe(crc);
    expect(unmaskCrc32c(maskCrc32c(crc))).toBe(crc);
    expect(unmaskCrc32c(unmaskCrc32c(maskCrc32c(maskCrc32c(crc))))).toBe(crc);
  });
});

import { createHash } from 'node:crypto';
import * as zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/bytes/byte-source';
import {
  type Compression,
  decompress,
  decompressHead,
  recogniseCompression,
  requireComplete,
} from '../../../src/bytes/decompress';
import { ModelError } from '../../../src/bytes/errors';
import { type CompressedFixture, compressedFixtures } from './compressed-fixtures';

const fixtures = compressedFixtures();

function all(bytes: Uint8Array, kind: Compression): Uint8Array {
  const source = requireComplete(decompress(new BufferSource(bytes), kind));
  return source.read(0, source.size);
}

function fixture(name: string): CompressedFixture {
  const found = fixtures.find((each) => each.name === name);
  if (!found) throw new Error(name);
  return found;
}

describe('what other programs compressed', () => {
  it.each(fixtures.map((each) => [each.name, each] as const))('%s', (_name, { kind, bytes, size, sha256 }) => {
    const result = decompress(new BufferSource(bytes, 'model.pkl'), kind);
    expect(result.error).toBeUndefined();
    expect(result.source.size).toBe(size);
    expect(createHash('sha256').update(result.source.read(0, size)).digest('hex')).toBe(sha256);
    expect(result).toMatchObject({ complete: true, trailingBytes: 0, consumed: bytes.length });
  });

  it('is recognised by its first bytes', () => {
    for (const { name, kind, bytes } of fixtures) {
      // Empty LZ4 legacy frames and the like have all of their bytes in the head.
      expect(`${name} ${recogniseCompression(bytes.subarray(0, 16))}`).toBe(`${name} ${kind}`);
    }
  });

  it('counts concatenated members', () => {
    for (const name of ['mixed.two.gz', 'mixed.two.bz2', 'mixed.two.xz', 'mixed.two.lz4']) {
      const { bytes, kind } = fixture(name);
      expect(decompress(new BufferSource(bytes), kind).members).toBe(2);
    }
  });

  it('reports what follows the stream', () => {
    for (const { name, kind, bytes } of fixtures.filter((each) => each.name.startsWith('short.'))) {
      // What follows is not part of a Z-file's zlib stream either; a legacy LZ4 frame has no end but that of the file.
      if (name.includes('legacy')) continue;
      const result = decompress(new BufferSource(Buffer.concat([bytes, Buffer.from('cposix\nsystem')])), kind);
      // Zero padding after gzip members is padding only if nothing follows it.
      const trailing = name === 'short.two.gz' ? 20 : 13;
      expect(`${name} ${result.error?.message} ${result.trailingBytes}`).toBe(`${name} undefined ${trailing}`);
    }
  });

  it('starts at an offset', () => {
    const { bytes } = fixture('mixed.gz');
    const shifted = Buffer.concat([Buffer.alloc(1000, 7), bytes]);
    expect(decompress(new BufferSource(shifted), 'gzip', { offset: 1000 })).toMatchObject({
      complete: true,
      consumed: bytes.length,
    });
  });

  it('reads through small windows as through large ones', () => {
    // A source larger than several windows, so that they slide in the middle of blocks.
    const noise = Buffer.alloc(1_500_000);
    for (let i = 0, x = 1; i < noise.length; i++) {
      x = (Math.imul(x, 1103515245) + 12345) | 0;
      noise[i] = (x >>> 16) & 0x3f;
    }
    expect(Buffer.compare(all(zlib.deflateSync(noise), 'zlib'), noise)).toBe(0);
    expect(Buffer.compare(all(zlib.deflateRawSync(noise, { level: 1 }), 'deflate'), noise)).toBe(0);
    expect(Buffer.compare(all(zlib.gzipSync(noise, { strategy: zlib.constants.Z_HUFFMAN_ONLY }), 'gzip'), noise)).toBe(
      0,
    );
  });
});

describe('a damaged stream', () => {
  const small = fixtures.filter((each) => each.name.startsWith('short.') || each.name.startsWith('zeros.'));

  it('cut anywhere says so, and keeps a beginning of the data', () => {
    for (const { name, kind, bytes, size, sha256 } of small) {
      const whole = all(bytes, kind);
      expect(createHash('sha256').update(whole).digest('hex')).toBe(sha256);
      const step = Math.max(1, Math.floor(bytes.length / 150));
      for (let length = 0; length < bytes.length; length += step) {
        const result = decompress(new BufferSource(bytes.subarray(0, length)), kind);
        const got = result.source.read(0, result.source.size);
        expect(`${name} ${length} ${Buffer.compare(got, whole.subarray(0, got.length))}`).toBe(`${name} ${length} 0`);
        // A cut between two members, or after the last byte that matters, leaves a whole stream.
        if (result.complete) continue;
        expect(`${name} ${length} ${result.error?.code}`).toBe(`${name} ${length} truncated`);
      }
      expect(size).toBe(whole.length);
    }
  });

  it('gives nearly everything before the cut', () => {
    for (const name of ['text.9.zlib', 'text.gz', 'text.xz', 'text.lzma', 'text.lz4', 'text.legacy.lz4']) {
      const { bytes, kind, size } = fixture(name);
      const result = decompress(new BufferSource(bytes.subarray(0, Math.floor(bytes.length / 2))), kind);
      expect(result.error?.code).toBe('truncated');
      expect(result.source.size).toBeGreaterThan(size * 0.3);
    }
  });

  it('with flipped bits is a result or a ModelError, and never silently wrong where the format has a checksum', () => {
    const checked = /\.(gz|zlib|zfile|bz2|checked\.lz4|19\.zst|xz)$/;
    for (const { name, kind, bytes, sha256 } of fixtures.filter((each) => /^(short|mixed|zeros)\./.test(each.name))) {
      for (let i = 0, bit = 0; i < bytes.length; i += Math.max(1, Math.floor(bytes.length / 40)), bit++) {
        const damaged = Uint8Array.from(bytes);
        damaged[i]! ^= 1 << (bit & 7);
        const result = decompress(new BufferSource(damaged), kind);
        if (result.error) expect(result.error).toBeInstanceOf(ModelError);
        else if (checked.test(name) && !name.includes('none') && result.trailingBytes === 0 && result.source.size > 0) {
          const sum = createHash('sha256').update(result.source.read(0, result.source.size)).digest('hex');
          if (result.members === 1) expect(`${name} byte ${i}: ${sum}`).toBe(`${name} byte ${i}: ${sha256}`);
        }
        expect(result.error?.message ?? '').not.toMatch(/could not be understood/);
      }
    }
  });

  it('of random bytes never does anything else', () => {
    let x = 42;
    const random = () => {
      x = (Math.imul(x, 1664525) + 1013904223) | 0;
      return x >>> 24;
    };
    const starts: [Compression, number[]][] = [
      ['deflate', []],
      ['zlib', [0x78, 0x9c]],
      ['bzip2', [...Buffer.from('BZh91AY&SY')]],
      ['lzma', [0x5d, 0, 0, 0x80, 0, 255, 255, 255, 255, 255, 255, 255, 255, 0]],
      ['zstd', [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58, 0x84, 0x08, 0x00]],
    ];
    for (const [kind, start] of starts) {
      for (let round = 0; round < 300; round++) {
        const bytes = Uint8Array.from([...start, ...Array.from({ length: 200 }, random)]);
        const { error } = decompress(new BufferSource(bytes), kind, { maximum: 1 << 22 });
        expect(error?.message ?? '').not.toMatch(/could not be understood/);
      }
    }
  });

  it('has a checksum that is verified', () => {
    const bytes = Uint8Array.from(fixture('text.gz').bytes);
    bytes[bytes.length - 6]! ^= 1;
    const result = decompress(new BufferSource(bytes, 'model.pkl'), 'gzip');
    expect(result.error).toMatchObject({ code: 'malformed', message: expect.stringContaining('checksum') });
    expect(result.source.size).toBe(fixture('text.gz').size);
    expect(() => requireComplete(result)).toThrow(ModelError);
  });
});

describe('limits', () => {
  it('stop at the size that is allowed and keep what came out', () => {
    for (const suffix of ['gz', '9.bz2', 'xz', 'lzma', 'lz4', '19.zst', '0.zlib', 'legacy.lz4']) {
      const { bytes, kind } = fixture(`zeros.${suffix}`);
      const result = decompress(new BufferSource(bytes), kind, { maximum: 50_000 });
      expect(`${suffix} ${result.error?.code} ${result.source.size}`).toBe(`${suffix} limit 50000`);
      expect(decompress(new BufferSource(bytes), kind, { maximum: 70_000 }).error).toBeUndefined();
      expect(decompress(new BufferSource(bytes), kind, { maximum: 69_999 }).error?.code).toBe('limit');
    }
  });

  it('call a large stream with an impossible ratio a bomb', () => {
    // An LZ4 block whose one copy goes on for 100 MB would need 400 kB; bzip2 packs 45 MB of zeros into 39 bytes.
    const { bytes } = fixture('zeros.9.bz2');
    const result = decompress(new BufferSource(Buffer.concat(new Array(1500).fill(bytes))), 'bzip2');
    expect(result.error).toMatchObject({ code: 'limit', reason: 'bomb' });
    expect(result.source.size).toBeGreaterThanOrEqual(64 * 1024 * 1024);
    expect(result.source.size).toBeLessThan(140 * 1024 * 1024);
  });

  it('do not hit an honest stream of zeros', () => {
    const result = decompress(new BufferSource(zlib.gzipSync(Buffer.alloc(80_000_000))), 'gzip');
    expect(result.error).toBeUndefined();
    expect(result.ratio).toBeGreaterThan(1000);
  });

  it('let a caller look at the head only', () => {
    for (const { name, kind, bytes, size } of fixtures.filter((each) => each.name.startsWith('mixed.'))) {
      expect(`${name} ${decompressHead(new BufferSource(bytes), kind, 100).length}`).toBe(`${name} 100`);
      expect(decompressHead(new BufferSource(bytes), kind, 10_000_000).length).toBe(size);
    }
  });
});

describe('recognition', () => {
  it('does not take pickles and other files for compressed ones', () => {
    const texts = [
      "(S'x'\np0\n.",
      'cposix\nsystem\n',
      'X\x85\x00\x00\x00abc',
      'BZ',
      'ZF',
      ']q\x00.',
      '\x80\x04\x95\x00\x10\x00\x00\x00\x00\x00\x00\x8c',
      '',
    ];
    for (const text of texts) expect(recogniseCompression(Buffer.from(text, 'latin1'))).toBeUndefined();
    expect(recogniseCompression(new Uint8Array(600))).toBeUndefined();
    // A safetensors header of exactly 1 MB looks like a dictionary size, but not like an unpacked size.
    expect(recogniseCompression(Buffer.from('\0\0\x10\0\0\0\0\0{"__metadata__"', 'latin1'))).toBeUndefined();
  });
});

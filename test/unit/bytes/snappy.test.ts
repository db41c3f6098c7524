import { describe, expect, it } from 'vitest';
import { unsnappy } from '../../../src/bytes/decompress';
import { ModelError } from '../../../src/bytes/errors';

const text = (bytes: number[]): string => Buffer.from(unsnappy(Uint8Array.from(bytes), 1 << 20)).toString();
const a = 0x61;

describe('unsnappy', () => {
  it('reads literals and copies of every form', () => {
    expect(text([0])).toBe('');
    expect(text([3, 2 << 2, a, a + 1, a + 2])).toBe('abc');
    // A literal whose length takes one more byte.
    expect(text([61, 60 << 2, 60, ...new Array(61).fill(a)])).toBe('a'.repeat(61));
    // Copies with offsets of 11, 16 and 32 bits; the last overlaps itself.
    expect(text([7, 2 << 2, a, a + 1, a + 2, 0x01, 3])).toBe('abcabca');
    expect(text([6, 2 << 2, a, a + 1, a + 2, (2 << 2) | 2, 3, 0])).toBe('abcabc');
    expect(text([11, 0 << 2, a, (9 << 2) | 3, 1, 0, 0, 0])).toBe('a'.repeat(11));
  });

  it('refuses what is damaged', () => {
    const damaged: [number[], string][] = [
      [[], 'truncated'],
      [[0x80], 'truncated'],
      [[0xff, 0xff, 0xff, 0xff, 0xff, 0xff], 'malformed'],
      [[3, 2 << 2, a], 'truncated'],
      [[3, 2 << 2, a, a, a, 0], 'truncated'],
      [[4, 0, a, 0x01], 'truncated'],
      [[5, 0, a, 0x01, 9], 'malformed'],
      [[5, 0, a, 0x01, 0], 'malformed'],
      [[2, 0, a, 0x01, 1], 'malformed'],
      [[0xff, 0xff, 0x3f, 0, a], 'malformed'],
      [[9, 0, a], 'truncated'],
    ];
    for (const [bytes, code] of damaged) {
      let error: unknown;
      try {
        text(bytes);
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toBeInstanceOf(ModelError);
      expect(`${bytes} ${(error as ModelError).code}`).toBe(`${bytes} ${code}`);
    }
    expect(() => unsnappy(Uint8Array.of(100, 0, a), 50)).toThrow(expect.objectContaining({ code: 'limit' }));
  });
});

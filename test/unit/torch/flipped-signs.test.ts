import { describe, expect, it } from 'vitest';
import { MemoryRange } from '../../../src/bytes/byte-range';
import { FlippedSigns } from '../../../src/formats/torch/flipped-signs';

const COMPLEX = new MemoryRange(new Uint8Array(new Float32Array([1, 2, -3, 4]).buffer));

function floats(bytes: Uint8Array): number[] {
  return [...new Float32Array(bytes.slice().buffer)];
}

describe('conjugate and negative bits', () => {
  it.each([
    [{ conjugate: true, negative: false }, [1, -2, -3, -4]],
    [{ conjugate: false, negative: true }, [-1, -2, 3, -4]],
    [{ conjugate: true, negative: true }, [-1, 2, 3, 4]],
  ])('%j turns the signs that it means', (flips, expected) => {
    const range = new FlippedSigns(COMPLEX, 2, 4, flips, 'little');
    expect(floats(range.bytes())).toEqual(expected);
    expect(range.length).toBe(16);
  });

  it('gives the same bytes for any stretch', () => {
    const range = new FlippedSigns(COMPLEX, 2, 4, { conjugate: true, negative: false }, 'little');
    const whole = range.bytes();
    for (let start = 0; start < 16; start++)
      for (let end = start; end <= 16; end++) expect(range.bytes(start, end)).toEqual(whole.slice(start, end));
    expect(floats(COMPLEX.bytes())).toEqual([1, 2, -3, 4]);
  });

  it('turns real numbers, and those of big-endian files', () => {
    const real = new FlippedSigns(COMPLEX, 1, 4, { conjugate: false, negative: true }, 'little');
    expect(floats(real.bytes())).toEqual([-1, -2, 3, -4]);
    const big = new FlippedSigns(
      new MemoryRange(Uint8Array.of(0x3f, 0x80, 0, 0)),
      1,
      4,
      { conjugate: false, negative: true },
      'big',
    );
    expect([...big.bytes()]).toEqual([0xbf, 0x80, 0, 0]);
  });
});

import { describe, expect, it } from 'vitest';
import { compareNatural, naturalOrder, naturalRanks } from '../../../src/model/natural-order';

const collator = new Intl.Collator('en', { numeric: true });

/** Names of pieces that are hard to order: numbers with zeros, both cases, punctuation. */
function names(count: number, alphabet: readonly string[], seed = 1): string[] {
  let state = seed;
  const next = (below: number): number => {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    return (state >> 8) % below;
  };
  return Array.from({ length: count }, () =>
    Array.from({ length: 1 + next(7) }, () => alphabet[next(alphabet.length)]).join(''),
  );
}

const PIECES = [
  'layer',
  'Layer',
  '.',
  '_',
  '/',
  '[',
  ']',
  '-',
  ' ',
  '0',
  '00',
  '1',
  '2',
  '10',
  '09',
  '9',
  'a',
  'A',
  'b',
  'Z',
  '~',
  ':',
  '|',
];

describe('natural order', () => {
  it('puts layer.2 before layer.10', () => {
    expect(compareNatural('layer.2.weight', 'layer.10.weight')).toBeLessThan(0);
    expect(compareNatural('layer.10.weight', 'layer.2.weight')).toBeGreaterThan(0);
    expect(compareNatural('layer.2', 'layer.2')).toBe(0);
  });

  it('is that of the collator, for every pair of 300 names', () => {
    const all = names(300, PIECES);
    const differing: string[] = [];
    for (const a of all)
      for (const b of all)
        if (Math.sign(compareNatural(a, b)) !== Math.sign(collator.compare(a, b))) differing.push(`${a} | ${b}`);
    expect(differing).toEqual([]);
  });

  it('is that of the collator for every printable character, alone and between letters', () => {
    const characters = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i));
    for (const a of characters)
      for (const b of characters) {
        expect(Math.sign(compareNatural(a, b)), a + b).toBe(Math.sign(collator.compare(a, b)));
        expect(Math.sign(compareNatural(`x${a}y`, `x${b}y`)), a + b).toBe(
          Math.sign(collator.compare(`x${a}y`, `x${b}y`)),
        );
      }
  });

  it('leaves other names to the collator', () => {
    const all = [...names(200, [...PIECES, 'é', 'ß', '層', '\u0301', '\t']), ...names(50, PIECES, 7)];
    const sorted = naturalOrder(all).map((i) => all[i]);
    const expected = all
      .map((name, i) => [name, i] as const)
      .sort((a, b) => collator.compare(a[0], b[0]) || a[1] - b[1]);
    expect(sorted).toEqual(expected.map(([name]) => name));
  });

  it('gives equal names equal ranks', () => {
    expect([...naturalRanks(['b', 'a', 'b', 'a10', 'a9', 'a09'])]).toEqual([3, 0, 3, 2, 1, 1]);
  });
});

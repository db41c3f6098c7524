import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

/**
 * Techniques that the tests of this folder are numbered by: A names that a scanner does not see, B calls without a REDUCE, C differences
 * between parsers, D damage behind the payload, E containers, F loaders inside of streams, H resources, I formats other than pickle, K trust.
 * A title begins with the number, so that a technique without a test shows here.
 */
const TECHNIQUES: Record<string, number> = { A: 24, B: 13, C: 18, D: 6, E: 26, F: 8, H: 12, I: 11, K: 5 };

/** What is no technique of its own, and why. */
const NOT_TESTED: Record<string, string> = {
  A21: 'the order of two lists in another scanner; here the most specific rule of one policy decides (test/unit/security/policy)',
  H6: 'keys that collide slow only the loader; nothing in the file can be told from honest numbers',
};

const FOLDER = __dirname;
const sources = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.test.ts') && name !== 'catalogue.test.ts')
  .map((name) => readFileSync(join(FOLDER, name), 'utf8'));

/** Numbers in titles: `A13 …`, `E10 to E12`, `I1 to I3`, `H3, H4`. */
function numbers(): Set<string> {
  const found = new Set<string>();
  for (const source of sources) {
    for (const [, first, from, to] of source.matchAll(/\b([A-FHIK])(\d{1,2}) to (?:\1)?(\d{1,2})\b/g)) {
      for (let n = Number(from); n <= Number(to); n++) found.add(`${first}${n}`);
    }
    for (const [number] of source.matchAll(/\b[A-FHIK]\d{1,2}\b/g)) found.add(number);
  }
  return found;
}

describe('the catalogue of evasions', () => {
  const tested = numbers();
  const all = Object.entries(TECHNIQUES).flatMap(([section, count]) =>
    Array.from({ length: count }, (_, i) => `${section}${i + 1}`),
  );

  it('has a test for every technique', () => {
    expect(all.filter((number) => !tested.has(number) && !(number in NOT_TESTED))).toEqual([]);
  });

  it('has no exception that a test holds', () => {
    expect(Object.keys(NOT_TESTED).filter((number) => tested.has(number))).toEqual([]);
  });

  it('numbers no test by a technique that it does not have', () => {
    expect([...tested].filter((number) => !all.includes(number)).sort()).toEqual([]);
  });
});

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { scan } from './scan';

/**
 * Collections of samples that are not part of the repository: `SECURITY_SAMPLES` names a folder with `evasions/`, `benign/` and
 * `evasions.tsv` (file, what a scanner should say, technique).
 */
const FOLDER = process.env.SECURITY_SAMPLES ?? '';
const EXPECTED: Record<string, string[]> = {
  malicious: ['dangerous'],
  // Where the payload is there and only some versions of Python reach it, the stronger verdict is right.
  suspicious: ['suspicious', 'dangerous'],
  benign: ['safe'],
};

if (!existsSync(join(FOLDER, 'evasions.tsv')))
  console.warn('The samples are not judged: SECURITY_SAMPLES does not name them.');

describe.runIf(existsSync(join(FOLDER, 'evasions.tsv')))('samples', () => {
  it('are judged as expected', { timeout: 300_000 }, () => {
    const rows = readFileSync(join(FOLDER, 'evasions.tsv'), 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split('\t'));
    const wrong = rows.filter(
      ([file, expected]) =>
        !EXPECTED[expected].includes(scan(readFileSync(join(FOLDER, 'evasions', file)), file).verdict),
    );
    expect(wrong).toEqual([]);
  });

  it('that are benign raise no alarm, but for one in a hundred', { timeout: 600_000 }, () => {
    const files = readdirSync(join(FOLDER, 'benign'));
    const flagged = files.filter((file) => scan(readFileSync(join(FOLDER, 'benign', file)), file).verdict !== 'safe');
    expect(flagged.length / files.length, flagged.join(', ')).toBeLessThanOrEqual(0.01);
  });
});

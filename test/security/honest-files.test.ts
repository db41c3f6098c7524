import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { summary } from './scan';

/** Written by the packages themselves: tools/fixtures/security/honest.py. */
const FILES = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', 'fixtures', 'security', 'honest.json'), 'utf8'),
) as Record<string, string>;

describe('honest files of many packages', () => {
  it.each(Object.entries(FILES))('%s', (name, content) => {
    const file = name.startsWith('joblib') ? 'model.joblib' : 'model.pkl';
    expect(summary(Buffer.from(content, 'base64'), file)).toEqual({ verdict: 'safe', rules: [], calls: [], names: [] });
  });
});

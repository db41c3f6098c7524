import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { supportedEstimators } from '../../src/lowering/sklearn';

const root = join(__dirname, '..', 'fixtures', 'sklearn');

/** `package.Class` of every fixture. */
function compared(): Set<string> {
  const found = new Set<string>();
  for (const version of existsSync(root) ? readdirSync(root) : []) {
    for (const file of readdirSync(join(root, version)).filter((name) => name.endsWith('.expected.json'))) {
      const { estimator, package: origin = 'sklearn' } = JSON.parse(readFileSync(join(root, version, file), 'utf8'));
      found.add(`${origin}.${estimator}`);
    }
  }
  return found;
}

it('supports nothing that no fixture compares', () => {
  const fixtures = compared();
  expect(supportedEstimators().filter((name) => !fixtures.has(name))).toEqual([]);
});

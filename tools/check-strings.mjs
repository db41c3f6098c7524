/**
 * Holds the strings of the manifest together: every %key% of package.json has a text in package.nls.json, and every text a use;
 * every translation has the keys of the English one.
 *   node tools/check-strings.mjs
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const read = (name) => JSON.parse(readFileSync(path.join(root, name), 'utf8'));

const manifest = readFileSync(path.join(root, 'package.json'), 'utf8');
const used = new Set([...manifest.matchAll(/"%([\w.]+)%"/g)].map((match) => match[1]));
const texts = read('package.nls.json');
const problems = [
  ...[...used]
    .filter((key) => !(key in texts))
    .map((key) => `package.json uses %${key}%, which package.nls.json lacks.`),
  ...Object.keys(texts)
    .filter((key) => !used.has(key))
    .map((key) => `package.nls.json has ${key}, which package.json does not use.`),
];
for (const file of readdirSync(root).filter((name) => /^package\.nls\.[\w-]+\.json$/.test(name))) {
  const translated = read(file);
  problems.push(
    ...Object.keys(texts)
      .filter((key) => !(key in translated))
      .map((key) => `${file} lacks ${key}.`),
  );
}
for (const problem of problems) console.error(problem);
console.log(`${used.size} strings in the manifest, ${problems.length} problems.`);
process.exitCode = problems.length > 0 ? 1 : 0;

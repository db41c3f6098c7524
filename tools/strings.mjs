/**
 * Keeps l10n/bundle.l10n.json, the list of texts that translators get, equal to what the code says:
 *   node tools/strings.mjs [--check]
 * Collects `l10n.t('…')` of the extension (src/) and `t('…')`, `tn(count, '…', '…')` of the view (webview-ui/src).
 * Texts must be literals at the call. With --check nothing is written; a difference is an error.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const target = path.join(root, 'l10n/bundle.l10n.json');

const LITERAL = String.raw`('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")`;
const CALLS = {
  src: [new RegExp(String.raw`\bl10n\.t\(\s*${LITERAL}`, 'g')],
  'webview-ui/src': [
    new RegExp(String.raw`(?<![\w.])t\(\s*${LITERAL}`, 'g'),
    new RegExp(String.raw`(?<![\w.])tn\(\s*[\w.?!() -]+,\s*${LITERAL},\s*${LITERAL}`, 'g'),
  ],
};
const ANY_CALL = {
  src: /\bl10n\.t\(/g,
  'webview-ui/src': /(?<![\w.]|function )tn?\(/g,
};

function* sources(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* sources(file);
    else if (/\.tsx?$/.test(entry.name)) yield file;
  }
}

/** The text that a literal stands for. */
function textOf(literal) {
  const inner = literal.slice(1, -1);
  return JSON.parse(`"${inner.replace(/\\'/g, "'").replace(/(?<!\\)"/g, '\\"')}"`);
}

const texts = new Set();
const problems = [];
for (const [folder, patterns] of Object.entries(CALLS)) {
  for (const file of sources(path.join(root, folder))) {
    if (file.endsWith(path.join('webview-ui', 'src', 'l10n.ts'))) continue;
    const source = readFileSync(file, 'utf8');
    let found = 0;
    for (const pattern of patterns) {
      for (const [, ...literals] of source.matchAll(pattern)) {
        found++;
        for (const literal of literals) texts.add(textOf(literal));
      }
    }
    const calls = source.match(ANY_CALL[folder])?.length ?? 0;
    if (calls !== found)
      problems.push(`${path.relative(root, file)}: ${calls - found} of ${calls} texts are no literals at the call.`);
  }
}

const sorted = [...texts].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
const bundle = `${JSON.stringify(Object.fromEntries(sorted.map((text) => [text, text])), null, 2)}\n`;
if (process.argv.includes('--check')) {
  let present = '';
  try {
    present = readFileSync(target, 'utf8');
  } catch {
    // Reported below.
  }
  if (present !== bundle) problems.push('l10n/bundle.l10n.json is not what the code says; run node tools/strings.mjs.');
} else {
  mkdirSync(path.dirname(target), { recursive: true });
  writeFileSync(target, bundle);
}
for (const problem of problems) console.error(problem);
console.log(`${sorted.length} texts of the extension and the view, ${problems.length} problems.`);
process.exitCode = problems.length > 0 ? 1 : 0;

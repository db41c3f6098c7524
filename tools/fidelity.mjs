// Writes the coverage table of docs/fidelity.md from the fixtures that the parity tests run:
//   node tools/fidelity.mjs [--check]
// With --check nothing is written; the exit code is 1 if the table is not up to date.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const document = path.join(root, 'docs', 'fidelity.md');
const BEGIN = '<!-- begin coverage: made by tools/fidelity.mjs from test/fixtures -->';
const END = '<!-- end coverage -->';

/** estimator → { methods, versions → number of fixtures } */
function coverage() {
  const folder = path.join(root, 'test', 'fixtures', 'sklearn');
  const estimators = new Map();
  const versions = fs.readdirSync(folder).sort((a, b) => number(a) - number(b));
  for (const version of versions) {
    for (const file of fs.readdirSync(path.join(folder, version)).filter((name) => name.endsWith('.expected.json'))) {
      const fixture = JSON.parse(fs.readFileSync(path.join(folder, version, file), 'utf8'));
      const entry = estimators.get(fixture.estimator) ?? { methods: new Set(), versions: new Map(), cases: new Set() };
      for (const method of Object.keys(fixture.outputs)) entry.methods.add(method);
      if (fixture.inverse) entry.methods.add('inverse_transform');
      entry.versions.set(version, (entry.versions.get(version) ?? 0) + 1);
      entry.cases.add(file);
      estimators.set(fixture.estimator, entry);
    }
  }
  return { versions, estimators };
}

function number(version) {
  const [major, minor] = version.split('.').map(Number);
  return major * 1000 + minor;
}

/** Versions of which only the fixtures are kept that told them from their neighbours have no column. */
const WHOLE = 100;

function table() {
  const { versions: all, estimators } = coverage();
  const versions = all.filter((version) => {
    const counts = [...estimators.values()].map((entry) => entry.versions.get(version) ?? 0);
    return counts.reduce((a, b) => a + b, 0) >= WHOLE;
  });
  const total = [...estimators.values()].reduce(
    (sum, entry) => sum + [...entry.versions.values()].reduce((a, b) => a + b, 0),
    0,
  );
  const lines = [
    `${estimators.size} estimators, ${total} fixtures. A number is how many fixtures of that version are compared; a dot: none.`,
    '',
    `| estimator | methods compared | ${versions.join(' | ')} |`,
    `| --- | --- | ${versions.map(() => '--:').join(' | ')} |`,
  ];
  for (const [name, entry] of [...estimators].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const counts = versions.map((version) => entry.versions.get(version) ?? '·');
    lines.push(`| ${name} | ${[...entry.methods].join(', ')} | ${counts.join(' | ')} |`);
  }
  return lines.join('\n');
}

const text = fs.readFileSync(document, 'utf8');
const [before, rest] = text.split(BEGIN);
const after = rest?.split(END)[1];
if (after === undefined) throw new Error(`${document} lacks the markers of the table.`);
const updated = `${before}${BEGIN}\n\n${table()}\n\n${END}${after}`;
if (process.argv.includes('--check')) {
  if (updated !== text) {
    console.error('docs/fidelity.md is not up to date: run node tools/fidelity.mjs.');
    process.exitCode = 1;
  }
} else if (updated !== text) fs.writeFileSync(document, updated);

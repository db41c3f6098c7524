/**
 * The licences of everything that ships: packages inside the bundles, and those beside them.
 *   node tools/licences.mjs            checks them, and that THIRD-PARTY-NOTICES.md is up to date (after a build)
 *   node tools/licences.mjs --write    writes THIRD-PARTY-NOTICES.md
 * A licence that is not on the list below fails: somebody has to read it first.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const NOTICES = path.join(root, 'THIRD-PARTY-NOTICES.md');
const BUNDLES = ['extension', 'engine', 'service', 'cli', 'scan', 'judges', 'commands', 'hdf5', 'webview'];

/** Packages that ship as they are, beside the bundles. */
const BESIDE = ['onnxruntime-common', 'onnxruntime-node', 'onnxruntime-web'];

/** Licences that allow shipping under MIT with a notice. */
const ALLOWED = new Set([
  'MIT',
  'MIT-0',
  'ISC',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'Apache-2.0',
  '0BSD',
  'Unlicense',
  'CC0-1.0',
  'BlueOak-1.0.0',
  'CC-BY-4.0',
  'Zlib',
]);

/** Packages whose package.json names no identifier, with what their licence file was read to be. */
const READ = {
  h5wasm: { licence: 'LicenseRef-h5wasm (public domain, NIST; HDF5 under BSD-3-Clause)', file: 'LICENSE.txt' },
};

/** @returns {{ name: string, version: string, licence: string, text: string, problem?: string }[]} */
export function shippedPackages() {
  const folders = new Set(BESIDE.map((name) => `node_modules/${name}`));
  for (const bundle of BUNDLES) {
    const list = path.join(root, 'dist', `.${bundle}.inputs.json`);
    if (!existsSync(list)) throw new Error(`dist/.${bundle}.inputs.json is missing: build first.`);
    for (const input of JSON.parse(readFileSync(list, 'utf8'))) {
      const folder = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0];
      if (folder) folders.add(folder);
    }
  }
  return [...folders].sort().map(describe);
}

function describe(folder) {
  const { name, version, license } = JSON.parse(readFileSync(path.join(root, folder, 'package.json'), 'utf8'));
  const known = READ[name];
  const licence = known?.licence ?? license ?? 'none stated';
  const file = readdirSync(path.join(root, folder)).find((entry) => /^(licen[cs]e|copying)(\.(md|txt))?$/i.test(entry));
  const text = file
    ? readFileSync(path.join(root, folder, file), 'utf8')
        .replace(/\r\n/g, '\n')
        .trim()
    : '';
  const accepted =
    known !== undefined ||
    String(licence)
      .replace(/[()]/g, '')
      .split(' OR ')
      .some((part) => ALLOWED.has(part));
  return {
    name,
    version,
    licence,
    text,
    ...(accepted ? {} : { problem: `${name} ${version}: licence "${licence}" is not on the list.` }),
  };
}

function notices(packages) {
  const parts = packages.map(({ name, version, licence, text }) => {
    const body = text === '' ? `Licence: ${licence}. The package carries no licence file of its own.` : fence(text);
    return `## ${name} ${version}\n\n${licence}\n\n${body}\n`;
  });
  return `# Third-party notices\n\nModelglass contains the following software. Written by \`node tools/licences.mjs --write\`.\n\n${parts.join('\n')}`;
}

function fence(text) {
  return `\`\`\`text\n${text.replaceAll('```', "'''")}\n\`\`\``;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const packages = shippedPackages();
  const problems = packages.flatMap((entry) => entry.problem ?? []);
  const text = notices(packages);
  if (process.argv.includes('--write')) writeFileSync(NOTICES, text);
  else if (!existsSync(NOTICES) || readFileSync(NOTICES, 'utf8') !== text) {
    problems.push('THIRD-PARTY-NOTICES.md is not up to date: run node tools/licences.mjs --write after a build.');
  }
  for (const problem of problems) console.error(problem);
  console.log(`${packages.length} packages ship, ${problems.length} problems.`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}

/**
 * Packages the command line for npm (pre-commit, `npm install --global`) and runs a scan with what is in the package:
 *   node tools/package-npm.mjs [--no-build]      → out/modelglass-VERSION.tgz
 * Plain `npm pack` would not build first: install scripts, and with them `prepack`, are off in this repository.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** All that the package holds, and nothing else. */
const FILES = [
  'LICENSE',
  'README.md',
  'THIRD-PARTY-NOTICES.md',
  'dist/cli.js',
  'dist/commands.js',
  'dist/hdf5.js',
  'dist/judges.js',
  'dist/scan-names.bin',
  'dist/scan.js',
  'package.json',
];

/** @returns {string} path of the package */
export function packageForNpm() {
  const out = path.join(root, 'out');
  mkdirSync(out, { recursive: true });
  const [packed] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--pack-destination', out], {
      cwd: root,
      encoding: 'utf8',
      shell: process.platform === 'win32',
    }),
  );
  const names = packed.files.map((file) => file.path).sort();
  const problems = [
    ...FILES.filter((name) => !names.includes(name)).map((name) => `missing: ${name}`),
    ...names.filter((name) => !FILES.includes(name)).map((name) => `unexpected: ${name}`),
  ];
  const file = path.join(out, packed.filename);
  if (problems.length === 0) problems.push(...tried(file));
  if (problems.length > 0) throw new Error(`${packed.filename}:\n  ${problems.join('\n  ')}`);
  return file;
}

/** What goes wrong when the unpacked package scans and inspects, with nothing installed beside it. */
function tried(file) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'modelglass-npm-'));
  try {
    execFileSync('tar', ['-xzf', file, '-C', folder]);
    const run = (...words) => {
      const cli = path.join(folder, 'package/dist/cli.js');
      const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...words], { cwd: root, encoding: 'utf8' });
      return { status, stderr, document: stdout ? JSON.parse(stdout) : undefined };
    };
    const scan = run('scan', '--json', 'media/samples');
    const inspect = run('inspect', '--json', 'media/samples/scripted.pt');
    return [
      ...(scan.status === 1 && scan.document?.summary.dangerous === 1
        ? []
        : [`its scan of the samples: ${scan.stderr}`]),
      ...(inspect.document?.format === 'torchscript' ? [] : [`its inspection of a sample: ${inspect.stderr}`]),
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (!process.argv.includes('--no-build')) await build({ production: true, quiet: true });
  const file = packageForNpm();
  console.log(`${path.relative(root, file)}  ${(statSync(file).size / 1e6).toFixed(1)} MB`);
}

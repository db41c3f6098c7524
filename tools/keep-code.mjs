// Leaves what V8 compiles the bundles of the command line to beside them, as dist/*.code: node tools/keep-code.mjs
// Functions are compiled when they are first called, so the commands run on samples first. Runs as a process of its own, with the flags that the
// command line sets (src/cli/inlining.ts) and no others: V8 refuses code that was compiled under others.

import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import * as esbuild from 'esbuild';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const dist = path.join(root, 'dist');
const BUNDLES = ['scan', 'judges', 'commands'];

const { outputFiles } = await esbuild.build({
  stdin: {
    contents: `export { BundleLoader } from './src/engine/code-cache'; export { inlineLittle } from './src/cli/inlining';`,
    resolveDir: root,
    loader: 'ts',
  },
  bundle: true,
  write: false,
  platform: 'node',
  format: 'cjs',
  logLevel: 'error',
});
const made = { exports: {} };
new Function('module', 'exports', 'require', outputFiles[0].text)(made, made.exports, createRequire(import.meta.url));
const { BundleLoader, inlineLittle } = made.exports;

const samples = path.join(root, 'media', 'samples');
const fixtures = path.join(root, 'test', 'fixtures');
const sample = (name) => path.join(samples, name);
const COMMANDS = [
  ['scan', samples, path.join(fixtures, 'pickle'), path.join(fixtures, 'security')],
  ['scan', '--json', samples],
  ...['iris_pipeline.pkl', 'linear_state.pth', 'keras_dense_model', 'scripted.pt'].map((name) => [
    'inspect',
    sample(name),
  ]),
  ['inspect', '--json', sample('random_forest_model.pkl')],
  ['disassemble', sample('suspicious_example.pkl')],
  ['diff', sample('iris_pipeline.pkl'), sample('random_forest_model.pkl')],
];

// What was compiled long ago and not called since would be forgotten otherwise.
setFlagsFromString('--no-flush-bytecode');
inlineLittle();
const loader = new BundleLoader(dist, new Set(BUNDLES.map((name) => `${name}.js`)), { read: () => undefined });
const { run } = loader.load('scan.js');
const write = process.stdout.write;
process.stdout.write = () => true;
for (const words of COMMANDS) await run(words.filter((word) => !path.isAbsolute(word) || fs.existsSync(word)));
process.stdout.write = write;
setFlagsFromString('--flush-bytecode');
inlineLittle();

for (const name of BUNDLES) {
  const code = loader.encode(`${name}.js`, (data) => createHash('sha256').update(data).digest());
  if (!code) throw new Error(`${name}.js has no stamp.`);
  const file = path.join(dist, `${name}.code`);
  fs.writeFileSync(`${file}.new`, code);
  fs.renameSync(`${file}.new`, file);
}
process.exit(0);

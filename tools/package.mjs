/**
 * Packages the extension, one .vsix a platform, each with that platform's ONNX Runtime and no other:
 *   node tools/package.mjs [TARGET…|all|host] [--no-build]      → out/modelglass-TARGET.vsix
 * Platforms without a native runtime (Intel Macs, `universal`) predict with the WebAssembly one, which all packages hold.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';
import { listZip } from './zip-names.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const RUNTIME = 'node_modules/onnxruntime-node';

/** Files of the native runtime. The versioned .dylib beside the named one is the same file twice; DirectML is not used. */
const NATIVE = {
  linux: ['onnxruntime_binding.node', 'libonnxruntime.so.1'],
  darwin: ['onnxruntime_binding.node', 'libonnxruntime.1.dylib'],
  win32: ['onnxruntime_binding.node', 'onnxruntime.dll'],
};

/** `null`: a package for any platform that has no other. */
export const TARGETS = {
  'linux-x64': ['linux', 'x64'],
  'linux-arm64': ['linux', 'arm64'],
  'darwin-arm64': ['darwin', 'arm64'],
  'darwin-x64': null,
  'win32-x64': ['win32', 'x64'],
  'win32-arm64': ['win32', 'arm64'],
  universal: null,
};

/** The target of the machine that this runs on. */
export function hostTarget() {
  const name = `${process.platform}-${process.arch}`;
  return name in TARGETS ? name : 'universal';
}

/** What may be in a package besides the listed top-level files; anything else is a mistake. */
const EXPECTED =
  /^extension\/(package\.json|package\.nls(\.[\w-]+)?\.json|readme\.md|changelog\.md|LICENSE(\.txt)?|THIRD-PARTY-NOTICES\.md|l10n\/[\w.-]+\.json|dist\/([\w.]+\.(js|css)|scan-names\.bin)|media\/(icon\.png|(screenshots|walkthrough|samples)\/.+)|node_modules\/onnxruntime-(common|node|web)\/.+)$|^extension\.vsixmanifest$|^\[Content_Types\]\.xml$/i;

/**
 * @param {string} target
 * @returns {string} path of the package
 */
export function packageFor(target) {
  if (!(target in TARGETS))
    throw new Error(`There is no target ${target}. Targets: ${Object.keys(TARGETS).join(', ')}.`);
  const platform = TARGETS[target];
  const natives = platform
    ? NATIVE[platform[0]].map((file) => `${RUNTIME}/bin/napi-v6/${platform.join('/')}/${file}`)
    : [];
  const runtime = platform ? [`${RUNTIME}/package.json`, `${RUNTIME}/dist/*.js`, ...natives] : [];

  const out = path.join(root, 'out');
  mkdirSync(out, { recursive: true });
  const ignore = path.join(out, `.vscodeignore-${target}`);
  const shared = readFileSync(path.join(root, '.vscodeignore'), 'utf8');
  writeFileSync(ignore, `${shared}\n${runtime.map((file) => `!${file}`).join('\n')}\n`);
  const file = path.join(out, `modelglass-${target}.vsix`);
  rmSync(file, { force: true });
  const vsce = createRequire(import.meta.url).resolve('@vscode/vsce/vsce');
  try {
    execFileSync(
      process.execPath,
      [
        vsce,
        ...[
          'package',
          '--ignoreFile',
          ignore,
          '--allow-missing-repository',
          '--no-rewrite-relative-links',
          '--out',
          file,
        ],
        ...(target === 'universal' ? [] : ['--target', target]),
      ],
      { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] },
    );
  } catch (error) {
    throw new Error(`vsce failed:\n${error.stdout}${error.stderr}`);
  } finally {
    rmSync(ignore, { force: true });
  }
  check(file, [...natives]);
  return file;
}

/** Throws if the package holds something unexpected or lacks what it needs. */
function check(file, natives) {
  const names = listZip(readFileSync(file));
  const unexpected = names.filter((name) => !EXPECTED.test(name) || /\.(map|ts|py)$/.test(name));
  const needed = [
    'dist/extension.js',
    'dist/engine.js',
    'dist/service.js',
    'dist/hdf5.js',
    'dist/cli.js',
    'dist/scan.js',
    'dist/judges.js',
    'dist/scan-names.bin',
    'dist/commands.js',
    'dist/webview.js',
    'dist/webview.css',
    ...natives,
  ];
  const missing = needed.filter((name) => !names.includes(`extension/${name}`));
  const foreign = names.filter(
    (name) => name.includes('/bin/napi-v6/') && !natives.some((native) => name === `extension/${native}`),
  );
  const samples = readdirSync(path.join(root, 'media/samples')).filter(
    (name) => !names.some((n) => n.startsWith(`extension/media/samples/${name}`)),
  );
  const problems = [
    ...unexpected.map((name) => `unexpected: ${name}`),
    ...missing.map((name) => `missing: ${name}`),
    ...foreign.map((name) => `another platform's: ${name}`),
    ...samples.map((name) => `missing sample: ${name}`),
  ];
  if (problems.length > 0) throw new Error(`${path.basename(file)}:\n  ${problems.join('\n  ')}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const flags = process.argv.slice(2).filter((argument) => argument.startsWith('--'));
  const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
  if (!flags.includes('--no-build')) await build({ production: true, quiet: true });
  const wanted =
    names.length === 0 || names.includes('host')
      ? [hostTarget()]
      : names.includes('all')
        ? Object.keys(TARGETS)
        : names;
  for (const target of wanted) {
    const file = packageFor(target);
    console.log(`${path.relative(root, file)}  ${(statSync(file).size / 1e6).toFixed(1)} MB`);
  }
}

// Builds every bundle: node tools/build.mjs [--watch] [--production] [--only=extension,engine,cli,hdf5,webview] [--quiet]
// Messages go to standard error; standard output stays empty.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as esbuild from 'esbuild';
import { compileProtos } from './protos.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** The runtimes carry native binaries and WebAssembly files beside their code, so they stay packages of their own. */
const RUNTIMES = ['onnxruntime-node', 'onnxruntime-web'];

/** Data that is text: `import table from './x.tsv'` gives a string (src/text-modules.d.ts). */
const TEXT = { '.tsv': 'text', '.txt': 'text', '.proto': 'text' };

/** Packages that load on first use are CommonJS: `import()` would first read all of their text for the names of their exports. */
const node = { platform: 'node', target: 'node20', format: 'cjs', supported: { 'dynamic-import': false } };

const bundles = {
  extension: { ...node, entryPoints: { extension: 'src/extension.ts' }, external: ['vscode', ...RUNTIMES] },
  // What loads the engine, and the engine.
  engine: { ...node, entryPoints: { engine: 'src/engine/start.ts' } },
  service: { ...node, entryPoints: { service: 'src/engine/main.ts' }, external: RUNTIMES },
  // What loads the command line, and what every command line needs: `scan`, and the walk by which it judges ordinary pickles.
  cli: { ...node, entryPoints: { cli: 'src/cli/start.ts' }, banner: { js: '#!/usr/bin/env node' } },
  scan: { ...node, entryPoints: { scan: 'src/cli/main.ts' }, external: RUNTIMES },
  // The commands that need every reader: `scan` starts without them.
  commands: { ...node, entryPoints: { commands: 'src/cli/commands.ts' }, external: RUNTIMES },
  // The judge of pickles, for files that the walk of `scan` cannot vouch for.
  judges: { ...node, entryPoints: { judges: 'src/cli/judges.ts' }, external: RUNTIMES },
  // 4 MB of WebAssembly in a file of its own, which engine and command line load when they meet an HDF5 file.
  hdf5: { ...node, entryPoints: { hdf5: 'node_modules/h5wasm/dist/esm/hdf5_hl.js' } },
  webview: {
    platform: 'browser',
    target: 'es2022',
    format: 'iife',
    entryPoints: { webview: 'webview-ui/src/main.tsx' },
    jsx: 'automatic',
    jsxImportSource: 'preact',
    tsconfig: 'webview-ui/tsconfig.json',
    loader: { '.svg': 'text', '.ttf': 'dataurl', '.woff2': 'dataurl' },
  },
};

/** protobufjs looks for `long`; 64-bit integers are handled in src/bytes/protobuf.ts, so it is not bundled. */
const withoutLong = {
  name: 'without-long',
  setup(build) {
    build.onResolve({ filter: /^long$/ }, () => ({ path: 'long', namespace: 'without-long' }));
    build.onLoad({ filter: /.*/, namespace: 'without-long' }, () => ({ contents: 'module.exports = null;' }));
  },
};

/** Imports of h5wasm go to the bundle `hdf5` beside the one that imports it. */
const hdf5Beside = {
  name: 'hdf5-beside',
  setup(build) {
    build.onResolve({ filter: /^h5wasm$/ }, () => ({ path: './hdf5.js', external: true }));
  },
};

/** Imports of the modules of all commands, and of the judge, go to their bundles. */
const commandsBeside = {
  name: 'commands-beside',
  setup(build) {
    build.onResolve({ filter: /^\.\/(commands|judges)$/ }, ({ importer, path: from }) =>
      /[\\/]cli[\\/](main|scanners)\.ts$/.test(importer) ? { path: `${from}.js`, external: true } : undefined,
    );
  },
};

/** Writes the table of names (src/security/walk/names.ts) whenever the judge that it is made by is built. */
const namesBeside = {
  name: 'names-beside',
  setup(build) {
    build.onEnd(async (result) => {
      if (result.errors.length > 0) return;
      const { outputFiles } = await esbuild.build({
        ...node,
        absWorkingDir: root,
        stdin: {
          contents: `export { encodeNameTable } from './src/security/walk/name-table';`,
          resolveDir: root,
          loader: 'ts',
        },
        external: RUNTIMES,
        bundle: true,
        write: false,
        logLevel: 'warning',
        loader: TEXT,
      });
      const made = { exports: {} };
      new Function('module', 'exports', 'require', outputFiles[0].text)(
        made,
        made.exports,
        createRequire(import.meta.url),
      );
      fs.mkdirSync(path.join(root, 'dist'), { recursive: true });
      fs.writeFileSync(path.join(root, 'dist', 'scan-names.bin'), made.exports.encodeNameTable());
    });
  },
};

/** Bundles that load another one. */
const NEEDS = { engine: ['service', 'hdf5'], cli: ['scan', 'judges', 'commands', 'hdf5'] };

/** Bundles that are loaded from compiled code: their last line says what the text before it hashes to. */
const STAMPED = ['service', 'scan', 'judges', 'commands'];

/** The same line as in src/engine/code-cache.ts. */
function stamp(name) {
  return {
    name: 'stamp',
    setup(build) {
      build.onEnd((result) => {
        if (result.errors.length > 0) return;
        const file = path.join(root, 'dist', `${name}.js`);
        fs.appendFileSync(file, `//# stamp=${createHash('sha256').update(fs.readFileSync(file)).digest('hex')}\n`);
      });
    },
  };
}

/** Keeps what a bundle was made of, for tools/cli.mjs, and says what was built. */
function report(name, quiet) {
  return {
    name: 'report',
    setup(build) {
      let started = 0;
      build.onStart(() => {
        started = performance.now();
      });
      build.onEnd((result) => {
        if (result.errors.length > 0 || !result.metafile) return;
        const inputs = Object.keys(result.metafile.inputs).filter((file) => !file.startsWith('without-long:'));
        fs.mkdirSync(path.join(root, 'dist'), { recursive: true });
        fs.writeFileSync(path.join(root, 'dist', `.${name}.inputs.json`), JSON.stringify(inputs));
        if (quiet) return;
        for (const [file, output] of Object.entries(result.metafile.outputs)) {
          if (!file.endsWith('.map')) {
            console.error(
              `${file}  ${(output.bytes / 1000).toFixed(1)} kB  ${Math.round(performance.now() - started)} ms`,
            );
          }
        }
      });
    },
  };
}

export async function build({ only = Object.keys(bundles), watch = false, production = false, quiet = false } = {}) {
  const compiled = await compileProtos();
  if (compiled.length > 0) console.error(`Compiled ${compiled.join(', ')}.`);
  const jobs = [];
  const names = new Set(only.flatMap((name) => [name, ...(NEEDS[name] ?? [])]));
  for (const name of names) {
    const { loader, ...options } = bundles[name] ?? fail(`There is no bundle called ${name}.`);
    const entry = Object.values(options.entryPoints)[0];
    if (!fs.existsSync(path.join(root, entry))) {
      console.error(`Skipped ${name}: ${entry} does not exist yet.`);
      continue;
    }
    jobs.push({
      ...options,
      absWorkingDir: root,
      outdir: 'dist',
      bundle: true,
      sourcemap: true,
      sourcesContent: !production,
      minify: production,
      metafile: true,
      logLevel: 'warning',
      legalComments: 'none',
      loader: { ...TEXT, ...loader },
      define: { 'process.env.NODE_ENV': production ? '"production"' : '"development"' },
      plugins: [
        withoutLong,
        hdf5Beside,
        commandsBeside,
        ...(name === 'judges' ? [namesBeside] : []),
        ...(STAMPED.includes(name) ? [stamp(name)] : []),
        report(name, quiet),
      ],
    });
  }
  if (watch) {
    await Promise.all(jobs.map(async (job) => (await esbuild.context(job)).watch()));
    watchProtos();
    console.error('Watching for changes.');
    return;
  }
  await Promise.all(jobs.map((job) => esbuild.build(job)));
  if (names.has('cli')) keepCode();
  if (fs.existsSync(path.join(root, 'dist/cli.js'))) fs.chmodSync(path.join(root, 'dist/cli.js'), 0o755);
}

/** Leaves compiled code beside the bundles of the command line. It only makes them start faster. */
function keepCode() {
  const { status, stderr } = spawnSync(process.execPath, [path.join(root, 'tools', 'keep-code.mjs')], {
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  if (status !== 0) console.error(`The compiled code was not kept:\n${stderr}`);
}

function watchProtos() {
  let timer;
  fs.watch(path.join(root, 'proto'), () => {
    clearTimeout(timer);
    timer = setTimeout(() => compileProtos().catch((error) => console.error(error.message)), 100);
  });
}

function fail(message) {
  console.error(message);
  process.exit(2);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const flags = process.argv.slice(2);
  const unknown = flags.filter((flag) => !/^--(watch|production|quiet|only=.+)$/.test(flag));
  if (unknown.length > 0) fail(`Unknown option ${unknown.join(' ')}.`);
  try {
    await build({
      only: flags
        .find((flag) => flag.startsWith('--only='))
        ?.slice('--only='.length)
        .split(','),
      watch: flags.includes('--watch'),
      production: flags.includes('--production'),
      quiet: flags.includes('--quiet'),
    });
  } catch (error) {
    // esbuild has already printed its own messages.
    if (!error.errors) console.error(error);
    process.exit(1);
  }
}

import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as esbuild from 'esbuild';

const here = path.dirname(fileURLToPath(import.meta.url));

/** Bundles the suite for an extension host, one file a test file, and returns its folder. */
export async function buildSuite() {
  const outdir = path.resolve(here, '../../out/test-suite');
  rmSync(outdir, { recursive: true, force: true });
  const suite = path.join(here, 'suite');
  await esbuild.build({
    entryPoints: readdirSync(suite)
      .filter((name) => name === 'index.ts' || name.endsWith('.test.ts'))
      .map((name) => path.join(suite, name)),
    outdir,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    sourcemap: 'inline',
    // Mocha must be the same instance in every file, and finds its own parts on disk.
    external: ['vscode', 'mocha'],
    logLevel: 'warning',
  });
  return outdir;
}

// Runs the command line from a checkout: builds dist/cli.js first if a source of it is newer. Standard output belongs to
// the command alone (`--json`); everything about building goes to standard error.
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const bundle = path.join(root, 'dist', 'cli.js');

if (stale()) {
  const { build } = await import('./build.mjs');
  try {
    await build({ only: ['cli'], quiet: true });
  } catch {
    process.exit(2);
  }
  if (!fs.existsSync(bundle)) process.exit(2);
}
process.argv[1] = bundle;
createRequire(import.meta.url)(bundle);

function stale() {
  try {
    const built = fs.statSync(bundle).mtimeMs;
    const inputs = ['cli', 'scan', 'judges', 'commands'].flatMap((name) =>
      JSON.parse(fs.readFileSync(path.join(root, 'dist', `.${name}.inputs.json`), 'utf8')),
    );
    const others = [
      'tools/build.mjs',
      'tools/keep-code.mjs',
      'tools/protos.mjs',
      'package.json',
      ...fs.readdirSync(path.join(root, 'proto')).map((f) => `proto/${f}`),
    ];
    return [...inputs, ...others].some((file) => fs.statSync(path.join(root, file)).mtimeMs > built);
  } catch {
    return true;
  }
}

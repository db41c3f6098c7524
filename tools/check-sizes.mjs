/** Holds the sizes of the production bundles, which decide how fast the editor and the command line start: node tools/check-sizes.mjs */
import { statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const dist = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../dist');

/** Kilobytes, minified. */
const LIMITS = { 'extension.js': 300, 'webview.js': 400, 'cli.js': 10, 'scan.js': 60 };

let failed = 0;
for (const [name, limit] of Object.entries(LIMITS)) {
  const size = statSync(path.join(dist, name)).size / 1000;
  if (size > limit) failed++;
  console.log(`${size > limit ? 'too large: ' : ''}${name} ${size.toFixed(1)} kB of ${limit} kB`);
}
process.exitCode = failed > 0 ? 1 : 0;

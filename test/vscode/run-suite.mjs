/**
 * Runs the Mocha suite in the extension host of the VS Code server, on the packaged and installed extension.
 *   node test/vscode/run-suite.mjs [--results FILE]
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { hostTarget, packageFor } from '../../tools/package.mjs';
import { launchChromium } from '../../tools/vscode-server/chromium.mjs';
import { installExtension, startServer } from '../../tools/vscode-server/server.mjs';
import { buildSuite } from './build-suite.mjs';
import { makeWorkspace } from './workspace.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const LIMIT = 150_000;

const suite = await buildSuite();
const home = mkdtempSync(path.join(tmpdir(), 'modelglass-suite-'));
const folder = path.join(home, 'models');
const extensions = path.join(home, 'extensions');
const results = path.join(home, 'results.json');
makeWorkspace(folder);
installExtension(process.env.MODELGLASS_VSIX ?? packageFor(hostTarget()), extensions);
const server = await startServer({ extensions, driver: true, env: { MODELGLASS_RESULTS: results } });
const browser = await launchChromium();
let reason = 'no results';
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  const finished = new Promise((resolve) => {
    page.exposeFunction('codeAutomationExit', () => resolve('finished')).catch(() => {});
    page.exposeFunction('codeAutomationLog', () => {}).catch(() => {});
    page.on('crash', () => resolve('the page crashed'));
    setTimeout(() => resolve(`no end within ${LIMIT / 1000} s`), LIMIT).unref();
  });
  await page.goto(
    server.url(folder, [
      ['extensionDevelopmentPath', server.remote(path.join(here, 'harness'))],
      ['extensionTestsPath', server.remote(path.join(suite, 'index.js'))],
      ['skipWelcome', 'true'],
    ]),
  );
  reason = await finished;
} finally {
  await browser.close();
  await server.stop();
}

let failed = true;
if (existsSync(results)) {
  const { stats, tests } = JSON.parse(readFileSync(results, 'utf8'));
  for (const { state, title, milliseconds, error } of tests) {
    console.log(
      `${{ pass: 'ok     ', fail: 'FAILED ', pending: 'skipped' }[state]} ${title} (${milliseconds ?? 0} ms)`,
    );
    if (error) console.log(error.replace(/^/gm, '    '));
  }
  console.log(`${stats.passes} passed, ${stats.failures} failed`);
  failed = stats.failures > 0 || stats.passes === 0;
  const keep = process.argv.indexOf('--results');
  if (keep > 0) writeFileSync(process.argv[keep + 1], readFileSync(results));
} else console.error(`The suite left no results: ${reason}.`);
rmSync(home, { recursive: true, force: true });
process.exit(failed ? 1 : 0);

/**
 * Tests of the view in Chromium, outside the editor: node test/webview/run.mjs [words of test names]
 * Prints a line a test and, last, `N passed, N failed`.
 */
import { statSync } from 'node:fs';
import path from 'node:path';
import { tests as accessibility } from './checks/accessibility.mjs';
import { tests as behaviour } from './checks/behaviour.mjs';
import { tests as engine } from './checks/engine.mjs';
import { tests as long } from './checks/long-lists.mjs';
import { tests as predict } from './checks/predict.mjs';
import { root, startHarness } from './harness.mjs';

const words = process.argv.slice(2);
const all = [...behaviour, ...long, ...predict, ...accessibility, ...engine];
const chosen = all.filter((test) => words.every((word) => test.name.includes(word)));

const LARGEST = 400_000;

const harness = await startHarness({ production: true });
let passed = 0;
let failed = 0;
let number = 0;

async function run(name, body) {
  number++;
  const started = performance.now();
  try {
    await body();
    passed++;
    console.log(`ok ${number} - ${name} (${Math.round(performance.now() - started)} ms)`);
  } catch (error) {
    failed++;
    console.log(`not ok ${number} - ${name}\n  ${String(error.stack ?? error).replace(/\n/g, '\n  ')}`);
  }
}

try {
  if (words.length === 0) {
    await run('the bundle stays below 400 kB', async () => {
      const bytes = statSync(path.join(root, 'dist/webview.js')).size;
      if (bytes >= LARGEST) throw new Error(`dist/webview.js is ${bytes} bytes`);
    });
  }
  for (const test of chosen) {
    await run(test.name, async () => {
      const pages = [];
      const open = async (scenario, options) => {
        const page = await harness.open(scenario, options);
        page.setDefaultTimeout(20_000);
        pages.push(page);
        return page;
      };
      try {
        await test.run({ open, harness });
        for (const page of pages) {
          if (page.problems.length > 0) throw new Error(`The page complained:\n${page.problems.join('\n')}`);
        }
      } finally {
        for (const page of pages) await page.context().close();
      }
    });
  }
} finally {
  await harness.stop();
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** Screenshots of the view for people to look at: node test/webview/shots.mjs [scenario/tab …] [--theme=dark,light] [--width=1180]. They go to out/webview/. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { root, startHarness, THEMES } from './harness.mjs';

const option = (name, otherwise) =>
  process.argv.find((arg) => arg.startsWith(`--${name}=`))?.split('=')[1] ?? otherwise;
const asked = process.argv.slice(2).filter((arg) => !arg.startsWith('--'));
const themes = option('theme', THEMES.join(',')).split(',');
const width = Number(option('width', '1180'));

const VIEWS = [
  'forest/overview',
  'forest/architecture',
  'forest/predict',
  'forest/security',
  'network/overview',
  'network/architecture',
  'network/parameters',
  'network/predict',
  'network/security',
  'network/graph',
  'network/source',
  'malicious/security',
  'malicious/overview',
  'objects/objects',
  'malicious/predict',
  'text/',
  'truncated/',
];

/** What to do in a tab before the picture. */
const ACTS = {
  'forest/predict': (page) =>
    page.keyboard
      .press('Control+Enter', { delay: 20 })
      .then(() => page.locator('vscode-button', { hasText: 'Run' }).click()),
  'network/predict': (page) => page.locator('vscode-button', { hasText: 'Run' }).click(),
  'network/parameters': (page) => page.locator('.grid-row').nth(2).click(),
  'network/architecture': async (page) => {
    await page.locator('.tree-row', { hasText: 'encoder' }).locator('.twistie').click();
    await page.locator('.tree-row', { hasText: '×24' }).locator('.twistie').click();
    await page.locator('.tree-row', { hasText: 'mlp.up' }).click();
  },
  'malicious/security': (page) => page.locator('.finding .link').first().click(),
  'network/graph': (page) => page.locator('.node').nth(1).click(),
  'objects/objects': async (page) => {
    await page.locator('.twistie').first().click();
    await page.locator('.tree-row', { hasText: 'many' }).locator('.twistie').click();
  },
};

const out = path.join(root, 'out/webview');
mkdirSync(out, { recursive: true });
const harness = await startHarness();
try {
  for (const view of asked.length > 0 ? asked : VIEWS) {
    const [scenario, tab] = view.split('/');
    for (const theme of themes) {
      const page = await harness.open(scenario, { theme, width });
      if (tab) {
        await page.locator('.tab').first().waitFor();
        await page.waitForTimeout(150);
        await page.locator(`#tab-${tab}`).click();
        await page.waitForTimeout(200);
        await ACTS[view]?.(page);
      }
      await page.waitForTimeout(350);
      await page.screenshot({
        path: path.join(out, `${scenario}-${tab || 'page'}-${theme}${width === 1180 ? '' : `-${width}`}.png`),
      });
      if (page.problems.length > 0) console.log(view, theme, page.problems);
      await page.context().close();
    }
  }
} finally {
  await harness.stop();
}

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { root, THEMES } from '../harness.mjs';
import { tab } from './tools.mjs';

const axe = readFileSync(path.join(root, 'node_modules/axe-core/axe.min.js'), 'utf8');

/** Runs axe over the page; a violation names its rule and the first elements. */
async function check(page) {
  await page.waitForTimeout(250);
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe);
  const violations = await page.evaluate(async () => {
    const result = await window.axe.run(document, { resultTypes: ['violations'] });
    return result.violations.map(
      (one) =>
        `${one.id} (${one.impact}): ${one.nodes
          .slice(0, 3)
          .map(
            (node) =>
              `${node.html.slice(0, 160)} — ${node.any
                .concat(node.all, node.none)
                .map((c) => c.message)
                .join('; ')
                .slice(0, 200)}`,
          )
          .join('\n    ')}`,
    );
  });
  if (violations.length > 0) throw new Error(violations.join('\n'));
}

const VIEWS = [
  ['forest', ['overview', 'architecture', 'security']],
  ['network', ['overview', 'security', 'source']],
  ['malicious', ['overview', 'predict']],
  ['text', []],
];

const ACTS = [
  {
    name: 'parameters with a tensor',
    scenario: 'network',
    tab: 'parameters',
    act: async (page) => {
      await page.locator('.grid-row').nth(2).click();
      await page.locator('.cells').waitFor();
    },
  },
  {
    name: 'architecture with a module',
    scenario: 'network',
    tab: 'architecture',
    act: (page) => page.locator('.tree-row', { hasText: 'classifier' }).click(),
  },
  {
    name: 'security with the disassembly',
    scenario: 'malicious',
    tab: 'security',
    act: async (page) => {
      await page.locator('.finding .link').first().click();
      await page.locator('.opcode-row.target').waitFor();
    },
  },
  {
    name: 'predict with an answer',
    scenario: 'forest',
    tab: 'predict',
    act: async (page) => {
      await page.locator('vscode-button', { hasText: 'Run' }).click();
      await page.locator('.bars').first().waitFor();
    },
  },
  {
    name: 'predict with a problem',
    scenario: 'network',
    tab: 'predict',
    act: async (page) => {
      await page.locator('vscode-text-area').first().click();
      await page.keyboard.press('Control+A');
      await page.keyboard.type('[1');
      await page.locator('vscode-button', { hasText: 'Run' }).click();
      await page.locator('.field-problem').waitFor();
    },
  },
  {
    name: 'graph with a node',
    scenario: 'network',
    tab: 'graph',
    act: (page) => page.locator('.node').nth(1).click(),
  },
  {
    name: 'objects',
    scenario: 'objects',
    tab: 'objects',
    act: async (page) => {
      await page.locator('.tree-row', { hasText: "'self'" }).waitFor();
    },
  },
];

export const tests = [
  ...THEMES.flatMap((theme) =>
    VIEWS.map(([scenario, tabs]) => ({
      name: `axe finds nothing: ${scenario} ${tabs.join(', ')} (${theme})`,
      async run({ open }) {
        const page = await open(scenario, { theme });
        await page.locator('h1').waitFor();
        if (tabs.length === 0) await check(page);
        else await page.locator('button.verdict').waitFor();
        for (const name of tabs) {
          await tab(page, name);
          await check(page);
        }
      },
    })),
  ),
  ...THEMES.flatMap((theme) =>
    ACTS.map(({ name, scenario, tab: where, act }) => ({
      name: `axe finds nothing: ${name} (${theme})`,
      async run({ open }) {
        const page = await open(scenario, { theme });
        await tab(page, where);
        await act(page);
        await check(page);
      },
    })),
  ),
  ...[320, 600, 1600].map((width) => ({
    name: `nothing overflows at ${width} pixels`,
    async run({ open }) {
      for (const scenario of ['forest', 'network', 'malicious']) {
        const page = await open(scenario, { width });
        await page.locator('button.verdict').waitFor();
        for (const name of await page.locator('.tab').evaluateAll((all) => all.map((one) => one.id.slice(4)))) {
          await tab(page, name);
          await page.waitForTimeout(100);
          const wide = await page.evaluate(() => {
            const found = [];
            const limit = document.documentElement.clientWidth;
            for (const element of document.querySelectorAll('#app *')) {
              const box = element.getBoundingClientRect();
              if (box.width === 0 || box.right <= limit + 1) continue;
              // What scrolls inside itself may be wider.
              let at = element.parentElement;
              let clipped = false;
              for (; at; at = at.parentElement)
                if (getComputedStyle(at).overflowX !== 'visible' && at.getBoundingClientRect().right <= limit + 1)
                  clipped = true;
              if (!clipped) found.push(`${element.tagName}.${element.className}`);
            }
            return found.slice(0, 3);
          });
          if (wide.length > 0) throw new Error(`${scenario}/${name}: ${wide.join(', ')}`);
          const scrolls = await page
            .locator('#panel > .scroll')
            .evaluateAll((all) => all.some((one) => one.scrollWidth > one.clientWidth + 1));
          if (scrolls) throw new Error(`${scenario}/${name} scrolls sideways`);
        }
      }
    },
  })),
];

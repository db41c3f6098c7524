import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Workbench } from './workbench';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let workbench: Workbench;

beforeAll(async () => {
  workbench = await Workbench.open();
});
afterAll(() => workbench?.close());

interface Violation {
  id: string;
  help: string;
  nodes: { html: string; failureSummary?: string }[];
}

interface Axe {
  run(context: Document, options: object): Promise<{ violations: Violation[] }>;
}

/** What axe-core finds wrong in the open view. */
async function violations(): Promise<string[]> {
  const frame = await (await workbench.view.locator('body').elementHandle())?.ownerFrame();
  if (!frame) throw new Error('There is no view to look at.');
  // Evaluated by the debugger, which the page's content security policy does not bind.
  if (!(await frame.evaluate(() => 'axe' in globalThis))) await frame.evaluate(axeSource);
  const found = await frame.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: Axe };
    // The page is transparent; what lies behind it, outside of the frame, is the editor's background.
    document.documentElement.style.background = 'var(--vscode-editor-background)';
    const { violations } = await axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'],
      // The page is a part of the editor, which has the landmarks and the page's heading.
      rules: {
        region: { enabled: false },
        'landmark-one-main': { enabled: false },
        'page-has-heading-one': { enabled: false },
      },
    });
    return violations;
  });
  return found.flatMap(({ id, help, nodes }) =>
    nodes.map((node) => `${id}: ${help}\n  ${node.html}\n  ${node.failureSummary ?? ''}`),
  );
}

describe.each(['dark', 'light', 'contrast'] as const)('in the %s theme', (theme) => {
  test('every tab is accessible', async () => {
    // A workbench that was open before may have brought its editors back: the wanted one comes to the front either way.
    await workbench.doubleClick('iris_pipeline.pkl');
    await workbench.view.getByRole('heading', { name: 'Pipeline' }).waitFor();
    await workbench.theme(theme);
    const problems: string[] = [];
    for (const tab of ['Overview', 'Architecture', 'Parameters', 'Security', 'Predict']) {
      await workbench.tab(tab).click();
      if (tab === 'Predict') await workbench.view.getByRole('button', { name: /^Run/ }).click();
      await workbench.page.waitForTimeout(500);
      await workbench.screenshot(`${theme}-${tab.toLowerCase()}`);
      problems.push(...(await violations()).map((problem) => `${tab}: ${problem}`));
    }
    expect([...new Set(problems)].join('\n\n')).toBe('');
  });
});

test('nothing is cut off in a narrow editor', async () => {
  await workbench.theme('dark');
  await workbench.page.setViewportSize({ width: 700, height: 700 });
  for (const tab of ['Overview', 'Architecture', 'Parameters', 'Security', 'Predict']) {
    await workbench.tab(tab).click();
    await workbench.page.waitForTimeout(300);
    await workbench.screenshot(`narrow-${tab.toLowerCase()}`);
    const overflow = await workbench.view.locator('body').evaluate((body) => body.scrollWidth - body.clientWidth);
    expect(overflow, `${tab} scrolls sideways`).toBeLessThanOrEqual(0);
  }
  await workbench.page.setViewportSize({ width: 1600, height: 1000 });
  await workbench.tab('Overview').click();
  await workbench.screenshot('wide-overview');
});

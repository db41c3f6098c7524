import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest';
import { Workbench } from './workbench';

let workbench: Workbench;

beforeAll(async () => {
  workbench = await Workbench.open();
});
afterEach(async (context) => {
  if (context.task.result?.state === 'fail')
    await workbench.screenshot(`failed-${context.task.name.replace(/\W+/g, '-')}`);
  await workbench.closeAll();
});
afterAll(() => workbench?.close());

/** Engines of the installed extension that run now, by their command lines. */
function engines(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        return command.includes(inject('extensions')) && command.includes('dist/engine.js');
      } catch {
        return false;
      }
    });
}

test.skipIf(process.platform !== 'linux')('an engine that dies is said to be dead, and comes back', async () => {
  await workbench.doubleClick('iris_pipeline.pkl');
  const { view } = workbench;
  await view.getByRole('heading', { name: 'Pipeline' }).waitFor();
  await workbench.tab('Parameters').click();
  for (const pid of engines()) process.kill(pid, 'SIGKILL');
  const banner = view.getByRole('alert').filter({ hasText: /ended unexpectedly \(by SIGKILL\)/ });
  await banner.first().waitFor();
  await workbench.screenshot('engine-lost');
  await view.getByRole('button', { name: 'Restart' }).first().click();
  await expect.poll(() => view.getByText(/ended unexpectedly/).count()).toBe(0);
  await expect.poll(() => workbench.tab('Parameters').getAttribute('aria-selected')).toBe('true');
  await view.getByRole('row', { name: /coef_/ }).first().waitFor();
});

test('a view that was hidden comes back as it was', async () => {
  await workbench.doubleClick('iris_pipeline.pkl');
  await workbench.tab('Security').click();
  await workbench.view.getByText('sklearn.pipeline').first().waitFor();
  await workbench.doubleClick('random_forest_model.pkl');
  await workbench.view.getByRole('heading', { name: 'RandomForestClassifier' }).waitFor();
  await workbench.editorTab('iris_pipeline.pkl').click();
  await workbench.view.getByRole('heading', { name: 'Pipeline' }).waitFor();
  await expect.poll(() => workbench.tab('Security').getAttribute('aria-selected')).toBe('true');
});

test('two editors show one file, from one engine', async () => {
  await workbench.doubleClick('iris_pipeline.pkl');
  await workbench.view.getByRole('heading', { name: 'Pipeline' }).waitFor();
  await workbench.command('View: Split Editor');
  await expect.poll(() => workbench.page.locator('iframe.webview.ready').count()).toBe(2);
  for (const nth of [0, 1]) {
    const frame = workbench.page.frameLocator('iframe.webview.ready').nth(nth).frameLocator('iframe#active-frame');
    await frame.getByRole('heading', { name: 'Pipeline' }).waitFor();
  }
});

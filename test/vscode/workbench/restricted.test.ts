import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { startServer } from '../../../tools/vscode-server/server.mjs';
import { Workbench } from './workbench';

let server: Awaited<ReturnType<typeof startServer>>;
let workbench: Workbench;

beforeAll(async () => {
  server = await startServer({
    extensions: inject('extensions'),
    trust: true,
    settings: { 'security.workspace.trust.startupPrompt': 'never' },
  });
  workbench = await Workbench.open({ address: server.url(inject('folder')) });
});
afterAll(async () => {
  await workbench?.close();
  await server?.stop();
});

test('a folder that is not trusted is where verdicts matter most', async () => {
  await workbench.page.getByText('Restricted Mode').first().waitFor();
  await workbench.doubleClick('suspicious_example.pkl');
  await workbench.view
    .getByText(/^Dangerous/)
    .first()
    .waitFor();
  await workbench.screenshot('restricted-mode');
  // The mark in the Explorer is made in the background.
  const label = workbench.row('suspicious_example.pkl').locator('.monaco-icon-label');
  await expect.poll(() => label.getAttribute('aria-label'), { timeout: 15_000 }).toContain('Dangerous to load');
});

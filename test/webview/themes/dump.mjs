/**
 * Writes the colours that the default themes of the real editor give a webview, one JSON file a theme, for the harness page:
 *   node test/webview/themes/dump.mjs
 * Only variables that the view uses are kept. Needs the VS Code server (tools/vscode-server) and Chromium.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { launchChromium } from '../../../tools/vscode-server/chromium.mjs';
import { startServer } from '../../../tools/vscode-server/server.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(here, '../../..');

const THEMES = {
  dark: 'Default Dark Modern',
  light: 'Default Light Modern',
  'hc-dark': 'Default High Contrast',
  'hc-light': 'Default High Contrast Light',
};

/** Every `--vscode-…` that the stylesheets and components of the view, or its controls, mention. */
function usedVariables() {
  const used = new Set();
  const visit = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const file = path.join(folder, entry.name);
      if (entry.isDirectory()) visit(file);
      else if (/\.(css|tsx?|js)$/.test(entry.name)) {
        for (const [name] of readFileSync(file, 'utf8').matchAll(/--vscode-[\w-]+/g)) used.add(name);
      }
    }
  };
  visit(path.join(root, 'webview-ui/src'));
  visit(path.join(root, 'node_modules/@vscode/webview-ui-toolkit/dist'));
  return used;
}

const extension = mkdtempSync(path.join(tmpdir(), 'modelglass-themes-'));
writeFileSync(
  path.join(extension, 'package.json'),
  JSON.stringify({
    name: 'themes',
    publisher: 'test',
    version: '0.0.1',
    engines: { vscode: '^1.99.0' },
    main: './main.js',
    activationEvents: ['onStartupFinished'],
  }),
);
writeFileSync(
  path.join(extension, 'main.js'),
  `const vscode = require('vscode');
  exports.activate = () => {
    const panel = vscode.window.createWebviewPanel('themes', 'Themes', vscode.ViewColumn.One, { enableScripts: true });
    panel.webview.html = '<!doctype html><body><p id="ready">ready</p><script>const api = acquireVsCodeApi(); window.theme = (name) => api.postMessage(name);</script></body>';
    panel.webview.onDidReceiveMessage((name) => vscode.workspace.getConfiguration().update('workbench.colorTheme', name, vscode.ConfigurationTarget.Global));
  };`,
);
const workspace = mkdtempSync(path.join(tmpdir(), 'modelglass-folder-'));
const used = usedVariables();
const server = await startServer({ driver: true, settings: { 'workbench.colorTheme': THEMES.dark } });
const browser = await launchChromium();
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await page.goto(server.url(workspace, [['extensionDevelopmentPath', server.remote(extension)]]));
  const outer = page.frameLocator('iframe.webview.ready');
  const ready = outer.frameLocator('iframe#active-frame').locator('#ready');
  await ready.waitFor({ timeout: 90_000 });
  mkdirSync(here, { recursive: true });
  for (const [name, label] of Object.entries(THEMES)) {
    await ready.evaluate((_, label) => window.theme(label), label);
    // The name that the page is told and the label differ by the word "Default" and spaces.
    const wanted = label.replace('Default ', '');
    await ready.evaluate(async ({ ownerDocument: { body } }, wanted) => {
      const end = Date.now() + 20_000;
      while (!body.dataset.vscodeThemeId?.endsWith(wanted) && Date.now() < end)
        await new Promise((next) => setTimeout(next, 50));
    }, wanted);
    // The variables follow a moment later.
    await page.waitForTimeout(1000);
    const found = await ready.evaluate((element) => {
      const style = element.ownerDocument.documentElement.style;
      return {
        bodyClass: element.ownerDocument.body.className,
        themeId: element.ownerDocument.body.dataset.vscodeThemeId,
        variables: Object.fromEntries([...style].map((key) => [key, style.getPropertyValue(key)])),
      };
    });
    const variables = Object.fromEntries(
      Object.entries(found.variables)
        .filter(([key]) => process.argv.includes('--all') || used.has(key))
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    );
    writeFileSync(
      path.join(process.env.THEMES_OUT ?? here, `${name}.json`),
      `${JSON.stringify({ theme: found.themeId, bodyClass: found.bodyClass, variables }, null, 1)}\n`,
    );
    console.error(name, found.themeId, found.bodyClass, Object.keys(variables).length, 'variables');
  }
} finally {
  await browser.close();
  await server.stop();
}

/**
 * A page that shows the built view outside the editor: the editor's own content security policy, default styles and theme colours,
 * and a host that answers from a scenario (test/webview/mock) or from a real engine.
 */

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as esbuild from 'esbuild';
import { build } from '../../tools/build.mjs';
import { launchChromium } from '../../tools/vscode-server/chromium.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
export const root = path.resolve(here, '../..');

export const THEMES = ['dark', 'light', 'hc-dark', 'hc-light'];

/** What the editor gives every webview, in the layer that it uses. */
const DEFAULTS = `@layer vscode-default {
  html { scrollbar-color: var(--vscode-scrollbarSlider-background) transparent; }
  body { overscroll-behavior-x: none; background-color: transparent; color: var(--vscode-editor-foreground);
    font-family: var(--vscode-font-family); font-weight: var(--vscode-font-weight); font-size: var(--vscode-font-size); margin: 0; padding: 0 20px; }
  a, a code { color: var(--vscode-textLink-foreground); }
  code { font-family: var(--monaco-monospace-font); color: var(--vscode-textPreformat-foreground);
    background-color: var(--vscode-textPreformat-background); padding: 1px 3px; border-radius: 4px; }
  pre code { padding: 0; }
}
html { background: var(--vscode-editor-background); }`;

function page(theme, nonce, origin) {
  const { bodyClass } = JSON.parse(readFileSync(path.join(here, 'themes', `${theme}.json`), 'utf8'));
  const policy = `default-src 'none'; script-src 'nonce-${nonce}'; style-src ${origin} 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; font-src ${origin}`;
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Modelglass</title>
<link rel="stylesheet" href="/defaults.css"><link rel="stylesheet" href="/theme.css?${theme}"><link rel="stylesheet" href="/webview.css">
</head><body class="${bodyClass}"><div id="app"></div>
<script nonce="${nonce}" src="/mock.js"></script><script nonce="${nonce}" src="/start.js"></script>
<script nonce="${nonce}" src="/webview.js"></script></body></html>`;
}

/** Builds the view and the mock host, and serves the page. */
export async function startHarness({ production = false } = {}) {
  await build({ only: ['webview'], production, quiet: true });
  const mock = await esbuild.build({
    entryPoints: [path.join(here, 'mock/main.ts')],
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    logLevel: 'warning',
  });
  const nonce = 'harness';
  const server = createServer((request, response) => {
    const url = new URL(request.url, 'http://localhost');
    const origin = `http://${request.headers.host}`;
    const send = (type, body) =>
      response.writeHead(200, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
    const theme = url.searchParams.get('theme') ?? 'dark';
    switch (url.pathname) {
      case '/':
        return send('text/html', page(theme, nonce, origin));
      case '/defaults.css':
        return send('text/css', DEFAULTS);
      case '/theme.css': {
        const { variables } = JSON.parse(
          readFileSync(path.join(here, 'themes', `${url.search.slice(1)}.json`), 'utf8'),
        );
        return send(
          'text/css',
          `:root {${Object.entries(variables)
            .map(([name, value]) => `${name}: ${value};`)
            .join('\n')}}`,
        );
      }
      case '/start.js':
        return send(
          'text/javascript',
          "const q = new URLSearchParams(location.search); mockHost(q.get('scenario') ?? 'forest', { delay: Number(q.get('delay') ?? 0) });",
        );
      case '/mock.js':
        return send('text/javascript', mock.outputFiles[0].text);
      case '/webview.js':
        return send('text/javascript', readFileSync(path.join(root, 'dist/webview.js')));
      case '/webview.css':
        return send('text/css', readFileSync(path.join(root, 'dist/webview.css')));
      default:
        return response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  const browser = await launchChromium();
  return {
    browser,
    address: (scenario, { theme = 'dark', delay = 0 } = {}) =>
      `http://127.0.0.1:${port}/?scenario=${scenario}&theme=${theme}&delay=${delay}`,
    /**
     * A page with a scenario open. Errors of the page and refusals of the policy are collected in `problems`.
     * @param {string} scenario
     * @param {{ theme?: string, width?: number, height?: number, delay?: number, engine?: (method: string, args: unknown[]) => Promise<unknown> }} options
     */
    async open(scenario, { theme = 'dark', width = 1180, height = 760, delay = 0, engine } = {}) {
      const context = await browser.newContext({ viewport: { width, height }, reducedMotion: 'reduce' });
      const opened = await context.newPage();
      const problems = [];
      opened.on('pageerror', (error) => problems.push(error.stack ?? error.message));
      opened.on('console', (message) => {
        if (message.type() === 'error' && !/favicon/.test(message.location().url)) problems.push(message.text());
      });
      if (engine) {
        await opened.exposeFunction('engineCall', async (method, args) => {
          try {
            return { value: await engine(method, args) };
          } catch (error) {
            return {
              failure: {
                code: error.code ?? 'io',
                message: error.message,
                reason: error.reason,
                offset: error.offset,
                member: error.member,
              },
            };
          }
        });
      }
      await opened.goto(this.address(scenario, { theme, delay }));
      return Object.assign(opened, { problems });
    },
    async stop() {
      await browser.close();
      server.close();
    },
  };
}

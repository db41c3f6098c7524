/** Starts the real VS Code server and installs extensions into it. Used by `npm start` and by the tests in the editor. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { installServer } from './install.mjs';

/** Settings of a quiet editor: nothing that asks, updates or phones. */
const QUIET = {
  'chat.disableAIFeatures': true,
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'git.enabled': false,
  'telemetry.telemetryLevel': 'off',
  'update.mode': 'none',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
};

const START_TIMEOUT_MS = 60_000;

/**
 * @typedef {object} ServerOptions
 * @property {string} [extensions] folder of installed extensions; a new one in the server's own folder if left out
 * @property {Record<string, unknown>} [settings] user settings on top of the quiet ones
 * @property {Record<string, string>} [env] environment of the server, which its extension hosts inherit
 * @property {boolean} [driver] true lets a page ask for a development extension and a test suite. Hides notifications.
 * @property {boolean} [trust] true leaves workspace trust on, so that folders open in Restricted Mode
 * @property {number} [port] a free one if left out
 * @property {string} [token] what an address must carry to be let in; without it everybody on this machine is
 * @property {string} [data] folder of the server's data, kept; a temporary one, removed by `stop`, if left out
 */

/** @param {ServerOptions} options */
export async function startServer(options = {}) {
  const { node, vscode } = installServer((line) => console.error(line));
  const port = options.port ?? (await freePort());
  const home = options.data ?? mkdtempSync(path.join(tmpdir(), 'modelglass-vscode-'));
  // Sockets have short paths, and those of two servers must not meet.
  const runtime = options.data ? mkdtempSync(path.join(tmpdir(), 'modelglass-run-')) : home;
  const user = path.join(home, 'data', 'User');
  mkdirSync(user, { recursive: true });
  writeFileSync(path.join(user, 'settings.json'), JSON.stringify({ ...QUIET, ...options.settings }, null, 2));

  const log = path.join(home, 'server.log');
  const output = openSync(log, 'w');
  const child = spawn(
    node,
    [
      path.join(vscode, 'out', 'server-main.js'),
      ...['--host', '127.0.0.1', '--port', String(port)],
      ...(options.token ? ['--connection-token', options.token] : ['--without-connection-token']),
      ...['--accept-server-license-terms', '--telemetry-level', 'off'],
      ...['--server-data-dir', home, '--extensions-dir', options.extensions ?? path.join(home, 'extensions')],
      '--disable-getting-started-override',
      // Without the driver a built workbench ignores extensionDevelopmentPath and extensionTestsPath.
      ...(options.driver ? ['--enable-smoke-test-driver'] : []),
      ...(options.trust ? [] : ['--disable-workspace-trust']),
    ],
    {
      env: { ...process.env, XDG_RUNTIME_DIR: runtime, TMPDIR: runtime, ...options.env },
      stdio: ['ignore', output, output],
      detached: true,
    },
  );
  let exited = false;
  child.once('exit', () => {
    exited = true;
  });

  const started = Date.now();
  while (!(await answers(port))) {
    if (exited || Date.now() - started > START_TIMEOUT_MS) {
      throw new Error(`The VS Code server did not start:\n${readFileSync(log, 'utf8')}`);
    }
    await sleep(50);
  }

  return {
    port,
    home,
    log,
    child,
    /** Address of the workbench on a folder; `payload` is the page's list of options (driver only). */
    url(folder, payload) {
      const query = new URLSearchParams({ ...(options.token ? { tkn: options.token } : {}), folder });
      if (payload) query.set('payload', JSON.stringify(payload));
      return `http://127.0.0.1:${port}/?${query}`;
    },
    /** URI, as the workbench names it, of an absolute path on the server. */
    remote: (absolute) => `vscode-remote://127.0.0.1:${port}${absolute}`,
    async stop() {
      signalGroup(child.pid, 'SIGTERM');
      for (let waited = 0; !exited && waited < 5000; waited += 50) await sleep(50);
      signalGroup(child.pid, 'SIGKILL');
      rmSync(runtime, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
      if (!options.data) rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}

/** Installs a packaged extension into an extensions folder, with the server's own installer. */
export function installExtension(vsix, extensions) {
  const { node, vscode } = installServer((line) => console.error(line));
  const home = mkdtempSync(path.join(tmpdir(), 'modelglass-install-'));
  try {
    return execFileSync(
      node,
      [
        path.join(vscode, 'out', 'server-main.js'),
        ...['--accept-server-license-terms', '--telemetry-level', 'off'],
        ...['--server-data-dir', home, '--extensions-dir', extensions, '--install-extension', vsix, '--force'],
      ],
      { encoding: 'utf8', env: { ...process.env, XDG_RUNTIME_DIR: home }, stdio: ['ignore', 'pipe', 'pipe'] },
    );
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** The whole group: extension hosts, terminals and file watchers are children of the server. */
function signalGroup(pid, signal) {
  try {
    process.kill(-pid, signal);
  } catch {
    // Already gone.
  }
}

async function answers(port) {
  try {
    return (await fetch(`http://127.0.0.1:${port}/version`)).ok;
  } catch {
    return false;
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/**
 * Installs the VS Code server (from the npm registry alone) into a cache folder outside the checkout, once a version:
 *   $MODELGLASS_VSCODE_SERVER, or ~/.cache/modelglass-vscode-server
 * `node tools/vscode-server/install.mjs` does only that and prints the folder.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';

/** code-server needs Node 22.15 or newer; where npm has a build of it for this machine, that one is used. */
const MINIMUM_NODE = [22, 15];

/** The folder that the locked version lives in; a changed lockfile gets a new one. */
export function serverFolder() {
  const root = process.env.MODELGLASS_VSCODE_SERVER ?? path.join(homedir(), '.cache', 'modelglass-vscode-server');
  const lock = createHash('sha256')
    .update(readFileSync(path.join(here, 'package-lock.json')))
    .digest('hex');
  return path.join(root, lock.slice(0, 12));
}

/** The Node.js executable that runs the server. */
export function serverNode(folder) {
  const bundled = path.join(folder, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  if (existsSync(bundled)) return bundled;
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > MINIMUM_NODE[0] || (major === MINIMUM_NODE[0] && minor >= MINIMUM_NODE[1])) return process.execPath;
  throw new Error(
    `The VS Code server needs Node.js ${MINIMUM_NODE.join('.')} or newer on ${process.platform}-${process.arch}; this is ${process.versions.node}.`,
  );
}

/**
 * Installs what is missing and returns where it is.
 * @param {(line: string) => void} log
 * @returns {{ folder: string, node: string, vscode: string }} `vscode` is the folder that holds `out/server-main.js`
 */
export function installServer(log = () => {}) {
  const folder = serverFolder();
  const vscode = path.join(folder, 'node_modules', 'code-server', 'lib', 'vscode');
  const ready = path.join(folder, '.ready');
  if (!existsSync(ready)) {
    log(`Installing the VS Code server into ${folder} (once, about 700 MB)…`);
    mkdirSync(folder, { recursive: true });
    for (const file of ['package.json', 'package-lock.json', '.npmrc']) {
      copyFileSync(path.join(here, file), path.join(folder, file));
    }
    run(['ci', '--ignore-scripts'], folder);
    const node = serverNode(folder);
    // `npm ci` refuses here (the shrinkwrap that ships with it lacks an entry); `install` still honours its versions.
    run(['install', '--omit=dev', '--ignore-scripts'], vscode, path.dirname(node));
    writeFileSync(ready, new Date().toISOString());
  }
  return { folder, node: serverNode(folder), vscode };
}

function run(args, cwd, extraPath) {
  const PATH = extraPath ? `${extraPath}${path.delimiter}${process.env.PATH}` : process.env.PATH;
  execFileSync(npm, [...args, '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd,
    env: { ...process.env, PATH },
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(installServer((line) => console.error(line)).folder);
}

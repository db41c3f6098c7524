/**
 * `npm start`: sets everything up and shows the extension on a folder of sample models.
 * With desktop VS Code (`code`) on the PATH: an Extension Development Host. Otherwise, or with `--browser`: the VS Code
 * server on 127.0.0.1 with the packaged extension installed, to be opened in a browser. `--port N` chooses its port.
 */
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const windows = process.platform === 'win32';

/** Installs what the lockfile says, if that is not what is there. */
function installDependencies() {
  const installed = path.join(root, 'node_modules', '.package-lock.json');
  const lock = path.join(root, 'package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  say('Installing dependencies…');
  execFileSync(windows ? 'npm.cmd' : 'npm', ['ci'], { cwd: root, stdio: 'inherit', shell: windows });
}

/** A copy of the sample models to play with, so that the checkout stays clean. */
function samplesFolder() {
  const folder = path.join(root, 'out', 'samples');
  mkdirSync(folder, { recursive: true });
  cpSync(path.join(root, 'media', 'samples'), folder, { recursive: true });
  return folder;
}

function onPath(command) {
  const names = windows ? [`${command}.cmd`, `${command}.exe`] : [command];
  return (process.env.PATH ?? '')
    .split(path.delimiter)
    .flatMap((folder) => names.map((name) => path.join(folder, name)))
    .find((file) => existsSync(file));
}

async function openDesktop(code, samples) {
  const { build } = await import('./build.mjs');
  await build({ quiet: true });
  say(`Opening VS Code on ${samples}`);
  const child = spawn(code, ['--new-window', `--extensionDevelopmentPath=${root}`, samples], {
    stdio: 'inherit',
    shell: windows,
  });
  child.once('exit', (status) => {
    process.exitCode = status ?? 1;
  });
}

async function openServer(samples, port) {
  const { installServer } = await import('./vscode-server/install.mjs');
  const { installExtension, startServer } = await import('./vscode-server/server.mjs');
  const { build } = await import('./build.mjs');
  const { hostTarget, packageFor } = await import('./package.mjs');
  installServer(say);
  say('Building and packaging…');
  await build({ production: true, quiet: true });
  const vsix = packageFor(hostTarget());
  const data = path.join(root, 'out', 'vscode-server');
  const extensions = path.join(data, 'extensions');
  rmSync(extensions, { recursive: true, force: true });
  installExtension(vsix, extensions);

  // Other programs and pages on this machine can reach the port too; only who has the token may use it.
  const token = randomBytes(16).toString('hex');
  const server = await startServer({ data, extensions, port, token });
  const stop = () => void server.stop().then(() => process.exit(0));
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  say('');
  say('VS Code is running. Open this address, then double-click random_forest_model.pkl:');
  say('');
  console.log(server.url(samples));
  say('');
  say('Ctrl+C stops it.');
}

/** Messages go to standard error, so that standard output is the address alone. */
function say(line) {
  console.error(line);
}

const flags = process.argv.slice(2);
if (Number(process.versions.node.split('.')[0]) < 20) {
  say(`Modelglass needs Node.js 20 or newer; this is ${process.versions.node}.`);
  process.exit(1);
}
installDependencies();
const samples = samplesFolder();
const code = flags.includes('--browser') ? undefined : onPath('code');
if (code) await openDesktop(code, samples);
else await openServer(samples, flags.includes('--port') ? Number(flags[flags.indexOf('--port') + 1]) : undefined);

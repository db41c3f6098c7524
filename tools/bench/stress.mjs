/**
 * Hostile files: small recipes that cost a careless reader minutes or gigabytes. Writes them, and runs every command of the command line on them.
 *
 *   node tools/bench/stress.mjs DIR [--megabytes 100] [--only NAME] [--commands scan,inspect] [--heap 512] [--payload] [--seconds 60]
 *
 * `--payload` puts a call of `posix.system` (an echo) behind the filler, which `scan` must find. Every command must end by itself, with an
 * exit code of its own; what does not is marked with `!`.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { archives, pickles } from './stress-recipes.mjs';

const option = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : process.argv[at + 1];
};
const folder = process.argv[2];
if (!folder || folder.startsWith('--')) throw new Error('a folder for the files is needed');
const bytes = Number(option('megabytes', '100')) * 1e6;
const payload = process.argv.includes('--payload');
const only = option('only', '');
const commands = option('commands', 'scan,inspect,predict,disassemble,diff,export').split(',');
const heap = option('heap', '512');
const seconds = Number(option('seconds', '60'));
mkdirSync(folder, { recursive: true });

const COMMANDS = {
  scan: (file) => ['scan', file, '--json'],
  inspect: (file) => ['inspect', file, '--json'],
  predict: (file) => ['predict', file, '--json'],
  disassemble: (file) => ['disassemble', file, '--range', '0:4096'],
  diff: (file) => ['diff', file, file, '--json'],
  export: (file) => ['export', file, '--npy', join(folder, 'exported'), '--json'],
};

for (const [name, recipe] of Object.entries({ ...pickles, ...archives })) {
  if (only !== '' && !name.includes(only)) continue;
  const file = join(folder, `${name}.pkl`);
  const handle = openSync(file, 'w');
  for (const part of recipe(bytes, payload)) writeSync(handle, part);
  closeSync(handle);
  for (const command of commands) {
    const args = [
      '-f',
      '%U %S %M',
      process.execPath,
      `--max-old-space-size=${heap}`,
      'dist/cli.js',
      ...COMMANDS[command](file),
    ];
    const run = spawnSync('/usr/bin/time', args, {
      encoding: 'utf8',
      timeout: seconds * 1000,
      maxBuffer: 1 << 30,
      killSignal: 'SIGKILL',
    });
    const [user, system, kilobytes] = (run.stderr ?? '').trim().split('\n').at(-1)?.split(' ').map(Number) ?? [];
    const answered = run.status !== null && run.status <= 2;
    process.stdout.write(
      `${answered ? ' ' : '!'} ${name.padEnd(20)} ${command.padEnd(12)} ${run.signal ?? `exit ${run.status}`}  ${(user + system).toFixed(1).padStart(6)} s  ${Math.round(kilobytes / 1024)} MB  ${summaryOf(command, run.stdout)}\n`,
    );
  }
  rmSync(file, { force: true });
  if (existsSync(join(folder, 'exported'))) rmSync(join(folder, 'exported'), { recursive: true });
}

function summaryOf(command, text) {
  try {
    const json = JSON.parse(text);
    if (json.error?.message) return `${json.error.code}: ${json.error.message.slice(0, 90)}`;
    if (command === 'scan')
      return `${json.results[0].verdict}: ${[...new Set(json.results[0].findings.map((f) => f.rule))].join(' ')}`;
    return json.title ?? '';
  } catch {
    return `${text?.length ?? 0} characters`;
  }
}

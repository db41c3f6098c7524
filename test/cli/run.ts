import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

export const ROOT = path.resolve(import.meta.dirname, '../..');

export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs the command line as a process of its own, as a script would. It is built first where a source is newer. */
export function run(words: string[], input = ''): Ran {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['tools/cli.mjs', ...words], {
    cwd: ROOT,
    input,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  return { code: status, stdout, stderr };
}

/** Runs with `--json`: standard output is one document and nothing else. */
export function json(words: string[], input = ''): { code: number | null; document: unknown; stderr: string } {
  const { code, stdout, stderr } = run([...words, '--json'], input);
  return { code, document: JSON.parse(stdout), stderr };
}

/** A folder that is removed after `body`. */
export async function inFolder<T>(body: (folder: string) => T | Promise<T>): Promise<T> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'modelglass-cli-'));
  try {
    return await body(folder);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

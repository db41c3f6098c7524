/**
 * Entry point of the suite inside the extension host: of desktop VS Code (`npm run test:electron`) and of the VS Code server
 * (test/vscode/run-suite.mjs).
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as v8 from 'node:v8';
import Mocha from 'mocha';

interface Record {
  state: 'pass' | 'fail' | 'pending';
  title: string;
  milliseconds: number | undefined;
  error?: string;
}

export async function run(): Promise<void> {
  const mocha = new Mocha({ ui: 'bdd', color: false, timeout: 30_000 });
  for (const file of fs.readdirSync(__dirname)) {
    if (file.endsWith('.test.js')) mocha.addFile(path.join(__dirname, file));
  }
  const records: Record[] = [];
  await new Promise<void>((resolve, reject) => {
    const runner = mocha.run((failures) => {
      report(process.env['MODELGLASS_RESULTS'], { stats: runner.stats, tests: records });
      // The host is killed, not exited: coverage is written now or never.
      if (process.env['NODE_V8_COVERAGE']) v8.takeCoverage();
      if (failures > 0) reject(new Error(`${failures} tests failed.`));
      else resolve();
    });
    const record = (state: Record['state']) => (test: Mocha.Test, error?: Error) =>
      records.push({
        state,
        title: test.fullTitle(),
        milliseconds: test.duration,
        ...(error ? { error: error.stack ?? String(error) } : {}),
      });
    runner.on('pass', record('pass'));
    runner.on('fail', record('fail'));
    runner.on('pending', record('pending'));
  });
}

/** Whole or not at all: the launcher waits for this file. */
function report(file: string | undefined, results: unknown): void {
  if (!file) return;
  fs.writeFileSync(`${file}.part`, JSON.stringify(results, null, 2));
  fs.renameSync(`${file}.part`, file);
}

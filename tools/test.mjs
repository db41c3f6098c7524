/**
 * `npm test`: every check and every test, one after the other, whatever fails on the way.
 *   node tools/test.mjs [--only STEP,…] [--skip STEP,…]
 * Prints a line a step, the output of what failed, and as the last line `N passed, N failed`: tests, and one for each check.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { hostTarget } from './package.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const out = path.join(root, 'out', 'test');
const bin = (name) => path.join(root, 'node_modules', '.bin', name);
const node = (...args) => [process.execPath, ...args];

/** Lines of a failed step's output that are shown; all of it is in out/test. */
const SHOWN_LINES = 80;

/** A check passes or fails as one. `tests` name a file in which the command leaves its counts. */
const STEPS = [
  {
    name: 'types',
    commands: [
      [bin('tsc'), '--noEmit', '-p', 'tsconfig.json'],
      [bin('tsc'), '--noEmit', '-p', 'webview-ui/tsconfig.json'],
      [bin('tsc'), '--noEmit', '-p', 'test/vscode/tsconfig.json'],
    ],
  },
  { name: 'lint', commands: [[bin('biome'), 'check', '.']] },
  { name: 'imports', commands: [node('tools/check-imports.mjs')] },
  { name: 'strings', commands: [node('tools/check-strings.mjs'), node('tools/strings.mjs', '--check')] },
  {
    name: 'unit',
    minutes: 25,
    tests: 'vitest',
    commands: [[bin('vitest'), 'run', '--reporter=json', '--reporter=dot', '--outputFile.json=out/test/unit.json']],
  },
  { name: 'build', commands: [node('tools/build.mjs', '--production')] },
  { name: 'webview', minutes: 10, tests: 'lines', commands: [node('test/webview/run.mjs')] },
  { name: 'sizes', commands: [node('tools/check-sizes.mjs')] },
  { name: 'licences', commands: [node('tools/licences.mjs')] },
  {
    name: 'package',
    commands: [node('tools/package.mjs', 'host', '--no-build'), node('tools/package-npm.mjs', '--no-build')],
  },
  {
    name: 'workbench',
    minutes: 12,
    tests: 'vitest',
    commands: [
      [
        bin('vitest'),
        'run',
        '--config',
        'test/vscode/vitest.config.mts',
        '--reporter=json',
        '--reporter=verbose',
        '--outputFile.json=out/test/workbench.json',
      ],
    ],
  },
  {
    name: 'extension-host',
    minutes: 8,
    tests: 'mocha',
    commands: [node('test/vscode/run-suite.mjs', '--results', 'out/test/extension-host.json')],
  },
];

const DEFAULT_MINUTES = 4;

async function runStep(step) {
  const started = Date.now();
  const results = path.join(out, `${step.name}.json`);
  rmSync(results, { force: true });
  let output = '';
  let code = 0;
  for (const [command, ...args] of step.commands) {
    const run = await execute(command, args, (step.minutes ?? DEFAULT_MINUTES) * 60_000);
    output += run.output;
    code ||= run.code;
  }
  writeFileSync(path.join(out, `${step.name}.log`), output);
  const counts = step.tests
    ? readCounts(step.tests, results, code, output)
    : { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1 };
  return { ...counts, output, seconds: (Date.now() - started) / 1000 };
}

/** The package that the steps in the editor install: the one that the step before them made. */
function packaged() {
  const file = path.join(root, 'out', `modelglass-${hostTarget()}.vsix`);
  return existsSync(file) ? file : undefined;
}

function execute(command, args, limit) {
  return new Promise((resolve) => {
    // A group of its own, so that a step that hangs is ended with everything that it started.
    const child = spawn(command, args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      env: { ...process.env, FORCE_COLOR: '0', NO_COLOR: '1', MODELGLASS_VSIX: packaged() },
    });
    let output = '';
    const hear = (chunk) => {
      output += chunk;
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    const timer = setTimeout(() => {
      output += `\nStopped after ${limit / 60_000} minutes.\n`;
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It ended by itself just now.
      }
    }, limit);
    child.once('error', (error) => {
      clearTimeout(timer);
      resolve({ code: 1, output: `${output}${error.message}\n` });
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? 1, output });
    });
  });
}

/** Counts of a test run, from its results file or from the last line that it printed. A run that failed without a failed test, or left no results, counts as one failure. */
function readCounts(kind, file, code, output) {
  if (kind === 'lines') {
    const last = [...output.matchAll(/^(\d+) passed, (\d+) failed$/gm)].at(-1);
    const [passed, failed] = last ? [Number(last[1]), Number(last[2])] : [0, 1];
    return { passed, failed: failed === 0 && code !== 0 ? 1 : failed };
  }
  if (!existsSync(file)) return { passed: 0, failed: 1 };
  const results = JSON.parse(readFileSync(file, 'utf8'));
  const { passed, failed } =
    kind === 'mocha'
      ? { passed: results.stats.passes, failed: results.stats.failures }
      : {
          passed: results.numPassedTests,
          // A file that could not be loaded has no tests to fail.
          failed:
            results.numFailedTests +
            results.testResults.filter((suite) => suite.status === 'failed' && suite.assertionResults.length === 0)
              .length,
        };
  return { passed, failed: failed === 0 && (code !== 0 || passed === 0) ? 1 : failed };
}

function chosen(flag) {
  const at = process.argv.indexOf(flag);
  return at < 0 ? undefined : (process.argv[at + 1] ?? '').split(',');
}

const only = chosen('--only');
const skip = chosen('--skip') ?? [];
const unknown = [...(only ?? []), ...skip].filter((name) => !STEPS.some((step) => step.name === name));
if (unknown.length > 0) {
  console.error(`There is no step ${unknown.join(', ')}. Steps: ${STEPS.map((step) => step.name).join(', ')}.`);
  process.exit(2);
}

mkdirSync(out, { recursive: true });
const { compileProtos } = await import('./protos.mjs');
await compileProtos();
const total = { passed: 0, failed: 0 };
for (const step of STEPS) {
  if ((only && !only.includes(step.name)) || skip.includes(step.name)) continue;
  const { passed, failed, output, seconds } = await runStep(step);
  total.passed += passed;
  total.failed += failed;
  console.log(
    `${failed === 0 ? 'ok    ' : 'FAILED'} ${step.name.padEnd(15)} ${passed} passed, ${failed} failed  (${seconds.toFixed(1)} s)`,
  );
  if (failed > 0)
    console.log(
      output
        .trimEnd()
        .split('\n')
        .slice(-SHOWN_LINES)
        .map((line) => `    ${line}`)
        .join('\n'),
    );
}
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 ? 1 : 0;

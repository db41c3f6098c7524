import * as fs from 'node:fs';
import * as path from 'node:path';
import { expect, test } from 'vitest';
import { JudgedFiles } from '../../src/cli/judge-thread';
import { toJson } from '../../src/engine/plain';
import { scanFile } from '../../src/engine/scan-file';
import { walkModels } from '../../src/engine/walk';
import type { FileScan } from '../../src/security/report';
import { inFolder, json, ROOT } from './run';

const FILES = Array.from({ length: 300 }, (_, i) => ({ path: `/models/${i}.pkl`, name: `${i}.pkl`, explicit: false }));

/** What a thread says about a file; what the first one says has `first` for its format. */
const ANSWER = `({ path }) => ({ file: path, format: 'second', verdict: 'safe', sentence: '', findings: [], imports: [], coverage: [] })`;

/** Scans all files with a second thread that runs `script`. Gives the paths of the results, and how many the first thread made. */
async function scanned(script: string, count = FILES.length): Promise<{ paths: string[]; byFirst: number }> {
  return inFolder(async (folder) => {
    const entry = path.join(folder, 'thread.cjs');
    fs.writeFileSync(entry, script);
    let byFirst = 0;
    const judge = async ({ path: file }: { path: string }): Promise<FileScan> => {
      byFirst++;
      return {
        ...{ file, format: 'first', verdict: 'safe', sentence: '' },
        ...{ findings: [], imports: [], coverage: [] },
      };
    };
    const judged = new JudgedFiles({ judge }, undefined, entry);
    const results = FILES.slice(0, count).map((file) => judged.add(file));
    await judged.settle();
    const paths: string[] = [];
    for (const result of results) paths.push((await result()).file);
    await judged.end();
    return { paths, byFirst };
  });
}

const paths = FILES.map(({ path }) => path);
const port = `const { parentPort: port, workerData } = require('node:worker_threads');
const claims = new Int32Array(workerData.claims);
const take = (id) => Atomics.compareExchange(claims, id, 0, 1) === 0;
const answer = ({ id, files }) => port.postMessage({ id, results: files.map(${ANSWER}) });`;

test('a few files do not wait for a thread', async () => {
  expect(await scanned('throw new Error();', 7)).toEqual({ paths: paths.slice(0, 7), byFirst: 7 });
});

test('results come in the order of the files, whichever thread makes them', async () => {
  const { paths: got } = await scanned(`${port} port.on('message', (job) => take(job.id) && answer(job));`);
  expect(got).toEqual(paths);
  // A thread that takes its time: the first one helps.
  const slow = await scanned(
    `${port} port.on('message', (job) => { if (!take(job.id)) return; Atomics.wait(claims, claims.length - 1, 0, 30); answer(job); });`,
  );
  expect(slow.paths).toEqual(paths);
  expect(slow.byFirst).toBeGreaterThan(0);
});

test.each([
  ['cannot be started', 'this is no script'],
  ['throws', `${port} port.on('message', () => { throw new Error('lost'); });`],
  [
    'ends after two batches',
    `${port} let n = 0; port.on('message', (job) => { take(job.id); if (n++ < 2) answer(job); else process.exit(); });`,
  ],
  [
    'runs out of memory',
    `${port} port.on('message', ({ id }) => { take(id); const all = []; for (;;) all.push(new Array(1e5).fill(id)); });`,
  ],
])(
  'what a thread leaves that %s is scanned by the first',
  async (_, script) => {
    // Few batches, so that the first thread takes none of them before.
    const { paths: got, byFirst } = await scanned(script, 100);
    expect(got).toEqual(paths.slice(0, 100));
    expect(byFirst).toBeGreaterThanOrEqual(100 - 16);
  },
  60_000,
);

test('a folder is reported as its files are one by one, dangerous and broken ones included', async () => {
  await inFolder(async (folder) => {
    const sources = ['test/fixtures/pickle', 'test/fixtures/security', 'media/samples']
      .flatMap((name) => [...walkModels(path.join(ROOT, name))])
      .filter(({ path: file }) => fs.statSync(file).size < 100_000 && !/\.(json|py)$/.test(file));
    expect(sources.length).toBeGreaterThan(100);
    sources.forEach(({ path: file, name }, i) => {
      const below = path.join(folder, `${i % 3}`);
      fs.mkdirSync(below, { recursive: true });
      fs.copyFileSync(file, path.join(below, `${i} ${name}`));
      if (i % 5 === 0) fs.writeFileSync(path.join(below, `${i} cut ${name}`), fs.readFileSync(file).subarray(0, -3));
    });
    const expected: FileScan[] = [];
    for (const file of walkModels(folder)) {
      const result = await scanFile(file);
      if (!result.skipped) expected.push(result);
    }
    const { document } = json(['scan', folder]);
    expect(document).toMatchObject({ results: JSON.parse(JSON.stringify(toJson(expected))) });
    expect((document as { results: unknown[] }).results).toHaveLength(expected.length);
  });
}, 120_000);

// Pickles: how long reading takes beside Python's own loader and beside the loop that scanners use (`pickletools.genops`).
//   node tools/bench/pickle.mjs [FOLDER]
// FOLDER keeps the inputs between runs (a folder in the system's temporary directory by default). PYTHON is a Python with scikit-learn; it
// makes the inputs (make_pickles.py) and is measured beside. Each of our numbers is one fresh process, from its start to its exit.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(here, '../..');
const folder = process.argv[2] ?? path.join(os.tmpdir(), 'modelglass-bench');
const python = process.env.PYTHON ?? 'python3';
const runner = path.join(folder, 'pickle-runner.cjs');

const SOURCE = `
import { FileInput } from '${root}/src/engine/input';
import { openModel } from '${root}/src/formats/registry';
import { ObjectTreeView } from '${root}/src/formats/pickle/object-tree';
import { readPickle } from '${root}/src/pickle/machine';
const [what, file] = process.argv.slice(2);
const input = new FileInput(file);
const started = performance.now();
if (what === 'read') readPickle(input.source);
else {
  const model = openModel(input);
  if (what === 'tree') new ObjectTreeView(model.objects?.root ?? null).children(null, 0, 1);
}
const milliseconds = performance.now() - started;
console.log(JSON.stringify({ milliseconds, megabytes: process.resourceUsage().maxRSS / 1024 }));
`;

const LOAD = `
import pickle, sys, time, resource
import sklearn.ensemble, sklearn.tree
t = time.perf_counter()
pickle.load(open(sys.argv[1], 'rb'))
print(time.perf_counter() - t, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
`;

const GENOPS = `
import pickletools, sys, time, resource
data = open(sys.argv[1], 'rb')
t = time.perf_counter()
for opcode, argument, position in pickletools.genops(data): pass
print(time.perf_counter() - t, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
`;

/** The best of some runs, as everything that disturbs a run makes it longer. */
function best(runs, run) {
  const results = [];
  for (let i = 0; i < runs; i++) results.push(run());
  return results.reduce((a, b) => (a.milliseconds <= b.milliseconds ? a : b));
}

function ours(what, file, runs = 3) {
  return best(runs, () => JSON.parse(spawnSync(process.execPath, [runner, what, file], { encoding: 'utf8' }).stdout));
}

function theirs(code, file, runs = 3) {
  return best(runs, () => {
    const [seconds, megabytes] = spawnSync(python, ['-c', code, file], { encoding: 'utf8' })
      .stdout.trim()
      .split(' ')
      .map(Number);
    return { milliseconds: seconds * 1000, megabytes };
  });
}

function hostile() {
  const write = (name, ...parts) => {
    const file = path.join(folder, name);
    fs.writeFileSync(
      file,
      Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part))),
    );
    return file;
  };
  const laughs = ['\x80\x04]\x94'];
  for (let level = 0; level < 10; level++) laughs.push(`0]\x94(${`h${String.fromCharCode(level)}`.repeat(10)}e`);
  const depth = 100_000;
  return {
    'billion laughs': write('laughs.pkl', laughs.join(''), '.'),
    '100,000 nested lists': write('lists.pkl', ']'.repeat(depth), 'a'.repeat(depth - 1), '.'),
    '100,000 nested tuples': write('tuples.pkl', ')', '\x85'.repeat(depth), '.'),
    'memo bomb': write('memo.pkl', 'N', 'r\xff\xff\xff\xff'.repeat(5), '.'),
  };
}

fs.mkdirSync(folder, { recursive: true });
await build({
  stdin: { contents: SOURCE, resolveDir: root, loader: 'ts' },
  bundle: true,
  platform: 'node',
  format: 'cjs',
  outfile: runner,
  logLevel: 'error',
  loader: { '.tsv': 'text', '.txt': 'text', '.proto': 'text' },
  external: ['onnxruntime-node', 'onnxruntime-web'],
});
const made = spawnSync(python, [path.join(here, 'make_pickles.py'), folder], { stdio: 'inherit' });
if (made.status !== 0) throw new Error(`${python} cannot make the inputs; set PYTHON to one with scikit-learn`);

const rows = [];
const add = (input, mine, other, bar, met) => {
  rows.push({
    input,
    ms: Math.round(mine.milliseconds),
    'RSS MB': Math.round(mine.megabytes),
    beside: other ? `${Math.round(other.milliseconds)} ms` : '',
    bar,
    met,
  });
};
const forest = path.join(folder, 'forest.pkl');
const open = ours('open', forest);
const load = theirs(LOAD, forest);
add(
  `RandomForest, ${Math.round(fs.statSync(forest).size / 1e6)} MB: inspect beside pickle.load`,
  open,
  load,
  '< 1 s, < 300 MB, ≤ 2 × load',
  open.milliseconds < 1000 && open.megabytes < 300 && open.milliseconds <= 2 * load.milliseconds,
);
for (const [name, file] of [
  ['2,000,000 floats', 'floats.pkl'],
  ['300,000 string keys', 'dict.pkl'],
]) {
  const mine = ours('read', path.join(folder, file), 5);
  const loop = theirs(GENOPS, path.join(folder, file), 5);
  add(`${name}: read beside genops`, mine, loop, '≥ 3 × faster', loop.milliseconds >= 3 * mine.milliseconds);
}
for (const [name, file] of Object.entries(hostile())) {
  const mine = ours('tree', file, 5);
  add(`${name}: open and tree`, mine, undefined, '< 50 ms', mine.milliseconds < 50);
}
console.table(rows);

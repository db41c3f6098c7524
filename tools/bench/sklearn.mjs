/**
 * Measures scikit-learn predictions, side by side with scikit-learn itself:
 *
 *   node tools/bench/sklearn.mjs [--python PATH] [--rows 100000] [--runs 5] [--only forest,svc,cold]
 *
 * The Python (MODELGLASS_PYTHON, or --python) fits the models of sklearn_models.py, pickles them and answers the rows with all cores; then we
 * answer the same rows. A line a case: the median of wall and processor time from a loaded model to answers, how many times faster than
 * scikit-learn that is, and how far the answers are apart. `cold` compares whole processes, from start to the first answer of the
 * forest: `dist/cli.js predict` and a Python that unpickles and predicts.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.join(here, '../..');
const option = (name) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
};
const python = option('python') ?? process.env.MODELGLASS_PYTHON;
const rows = Number(option('rows') ?? 100_000);
const runs = Number(option('runs') ?? 5);
const only = option('only')?.split(',') ?? [];
const cold = only.length === 0 || only.includes('cold');
if (!python) {
  console.log('sklearn: no Python with scikit-learn given (--python PATH or MODELGLASS_PYTHON), nothing measured.');
  process.exit(0);
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];
const show = (seconds) => `${seconds.toFixed(seconds < 0.1 ? 3 : 2)} s`;
const ratio = (theirs, ours) => `${(theirs / ours).toFixed(2)} times as fast`;

/** The engine's own modules, bundled for this script. */
async function engine() {
  const outfile = path.join(root, 'out', 'sklearn-bench.mjs');
  await build({
    stdin: {
      contents: `
        export { BufferSource } from './src/bytes/byte-source';
        export { lowerSklearn } from './src/lowering/sklearn';
        export { readPickle } from './src/pickle/machine';
        export { PredictorRunner } from './src/prediction/run';`,
      resolveDir: root,
      loader: 'ts',
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['onnxruntime-node', 'onnxruntime-web'],
    loader: { '.txt': 'text' },
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    outfile,
  });
  return import(pathToFileURL(outfile).href);
}

/** Answers one case as often as scikit-learn did. */
async function answer({ BufferSource, lowerSklearn, readPickle, PredictorRunner }, name, input) {
  const pickle = readPickle(new BufferSource(fs.readFileSync(path.join(folder, `${name}.pkl`)), name));
  const signature = name === 'scaled_svc' ? 'predict_proba' : 'predict';
  const predictor = lowerSklearn({ estimator: pickle.value }, { signature });
  const inputs = new Map([[predictor.inputs[0].name, input]]);
  const runner = new PredictorRunner();
  const taken = { seconds: [], processor: [] };
  let result;
  for (let run = 0; run < runs; run++) {
    const start = performance.now();
    const before = process.cpuUsage();
    const results = await runner.predict(predictor, inputs);
    const used = process.cpuUsage(before);
    taken.seconds.push((performance.now() - start) / 1000);
    taken.processor.push((used.user + used.system) / 1e6);
    [result] = results.values();
  }
  await runner.release();
  return { seconds: median(taken.seconds), processor: median(taken.processor), result };
}

/** How far answers are from scikit-learn's. */
function difference(name, data, whole) {
  const bytes = fs.readFileSync(path.join(folder, `${name}.bin`));
  if (whole) {
    const expected = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    return `${Array.from(data).filter((label, i) => Number(label) !== expected[i]).length} labels differ`;
  }
  const expected = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  let worst = 0;
  expected.forEach((value, i) => {
    worst = Math.max(worst, Math.abs(value - data[i]));
  });
  return `numbers differ by ${worst.toExponential(0)} at most`;
}

const COLD = `
import json, pickle, sys
model = pickle.load(open(sys.argv[1], "rb"))
print(model.predict(json.load(open(sys.argv[2]))["X"]))
`;

/** Whole processes: wall time, and processor time as the system counts it for children. */
function coldStart() {
  const model = path.join(folder, 'forest.pkl');
  const input = path.join(folder, 'one.json');
  fs.writeFileSync(input, JSON.stringify({ X: [Array.from({ length: 20 }, (_, i) => i / 10)] }));
  const commands = {
    scikit: [python, ['-c', COLD, model, input]],
    ours: [process.execPath, [path.join(root, 'dist/cli.js'), 'predict', model, '--input', input, '--json']],
    'ours, predict only': [
      process.execPath,
      [path.join(root, 'dist/cli.js'), 'predict', model, '--input', input, '--method', 'predict', '--json'],
    ],
  };
  const taken = Object.fromEntries(Object.keys(commands).map((name) => [name, []]));
  // Taking turns, so that what else the machine does meets all of them; the first round warms the disk's cache.
  for (let run = 0; run <= runs; run++) {
    for (const [name, [command, words]] of Object.entries(commands)) {
      const start = performance.now();
      const { status, stderr } = spawnSync(command, words, { encoding: 'utf8' });
      if (status !== 0) throw new Error(`${name}: ${stderr}`);
      if (run > 0) taken[name].push((performance.now() - start) / 1000);
    }
  }
  const theirs = median(taken.scikit);
  for (const name of Object.keys(commands).slice(1)) {
    const ours = median(taken[name]);
    console.log(`cold (${name}): ${show(ours)}, scikit-learn ${show(theirs)} (${ratio(theirs, ours)})`);
  }
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sklearn-bench-'));
try {
  const cases = only.map((name) => (name === 'cold' ? 'forest' : name));
  const words = [path.join(here, 'sklearn_models.py'), folder, String(rows), String(runs), ...cases];
  const theirs = JSON.parse(execFileSync(python, words, { encoding: 'utf8' }).trim().split('\n').at(-1));
  const modules = await engine();
  const bytes = fs.readFileSync(path.join(folder, 'X.bin'));
  const X = new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8);
  const matrix = { dtype: 'float64', shape: [rows, 20], data: X };
  const texts = JSON.parse(fs.readFileSync(path.join(folder, 'texts.json'), 'utf8'));
  for (const [name, { seconds, processor, whole }] of Object.entries(theirs)) {
    if (only.length > 0 && !only.includes(name)) continue;
    const input = name === 'text' ? { dtype: 'string', shape: [texts.length], data: texts } : matrix;
    const ours = await answer(modules, name, input);
    console.log(
      `${name}: ${input.shape[0]} rows in ${show(ours.seconds)} (processor ${show(ours.processor)}), scikit-learn ${show(seconds)} (processor ${show(processor)}): ` +
        `${ratio(seconds, ours.seconds)}; ${difference(name, ours.result.data, whole)}`,
    );
  }
  if (cold) coldStart();
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}

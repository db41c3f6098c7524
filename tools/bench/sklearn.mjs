/**
 * Measures scikit-learn predictions, side by side with scikit-learn itself where a Python is given:
 *
 *   node tools/bench/sklearn.mjs [--python PATH] [--rows 100000] [--only forest|svc]
 *
 * The Python (MODELGLASS_PYTHON, or --python) fits a forest of 100 trees and an RBF SVC, pickles them and answers the same rows. Prints the
 * median of five runs of each, from a loaded model to labels.
 */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '../..');
const option = (name) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
};
const python = option('python') ?? process.env.MODELGLASS_PYTHON;
const rows = Number(option('rows') ?? 100_000);
if (!python) {
  console.log('sklearn: no Python with scikit-learn given (--python PATH or MODELGLASS_PYTHON), nothing measured.');
  process.exit(0);
}
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sklearn-bench-'));
const RUNS = 5;

const SCRIPT = `
import json, pickle, sys, time
import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.svm import SVC
folder, rows, runs, only = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
rng = np.random.RandomState(0)
X = rng.normal(size=(3000, 20))
y = (X[:, :5].sum(axis=1) + rng.normal(size=3000) > 0).astype(int) + (X[:, 5] > 1)
test = rng.normal(size=(rows, 20))
test.tofile(folder + "/rows.bin")
models = dict(forest=RandomForestClassifier(100, max_depth=12, random_state=0, n_jobs=-1), svc=SVC(gamma="scale"))
times = {}
for name, model in models.items():
    if only not in ("", name):
        continue
    model.fit(X[:1000] if name == "svc" else X, y[:1000] if name == "svc" else y)
    pickle.dump(model, open(folder + "/" + name + ".pkl", "wb"))
    taken = []
    for _ in range(runs):
        start = time.perf_counter()
        answer = model.predict(test)
        taken.append(time.perf_counter() - start)
    answer.astype(np.int32).tofile(folder + "/" + name + ".bin")
    times[name] = sorted(taken)[runs // 2]
print(json.dumps(times))
`;

try {
  const given = execFileSync(python, ['-c', SCRIPT, folder, String(rows), String(RUNS), option('only') ?? ''], {
    encoding: 'utf8',
  });
  const theirs = JSON.parse(given.trim().split('\n').at(-1));
  const bundle = path.join(root, 'out', 'sklearn-bench.mjs');
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
    outfile: bundle,
  });
  const { BufferSource, lowerSklearn, readPickle, PredictorRunner } = await import(pathToFileURL(bundle).href);
  const bytes = fs.readFileSync(path.join(folder, 'rows.bin'));
  const X = new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8);
  for (const [name, seconds] of Object.entries(theirs)) {
    const pickle = readPickle(new BufferSource(fs.readFileSync(path.join(folder, `${name}.pkl`)), name));
    const predictor = lowerSklearn({ estimator: pickle.value }, { signature: 'predict' });
    const inputs = new Map([[predictor.inputs[0].name, { dtype: 'float64', shape: [rows, 20], data: X }]]);
    const runner = new PredictorRunner();
    const taken = [];
    let labels;
    for (let run = 0; run < RUNS; run++) {
      const start = performance.now();
      const results = await runner.predict(predictor, inputs);
      taken.push((performance.now() - start) / 1000);
      [labels] = results.values();
    }
    await runner.release();
    const expected = fs.readFileSync(path.join(folder, `${name}.bin`));
    const differing = Array.from(labels.data).filter(
      (label, i) => Number(label) !== expected.readInt32LE(i * 4),
    ).length;
    const ours = taken.sort((a, b) => a - b)[RUNS >> 1];
    console.log(
      `${name}: ${rows} rows in ${ours.toFixed(2)} s, scikit-learn ${seconds.toFixed(2)} s (${(seconds / ours).toFixed(2)} times as fast); ${differing} labels differ`,
    );
  }
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}

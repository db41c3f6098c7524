// A SavedModel of ResNet-50's size: how long its tables take, how many bytes are read for them, and how long each level of its graph takes.
//   PYTHON=…/tf2.15/bin/python node tools/bench/tensorflow.mjs [FOLDER]
// PYTHON is a Python with TensorFlow (environments.tsv); it makes the model once, without trained weights. FOLDER keeps it between runs.
// "warm" is the second opening in one process, as in an engine that was started ahead.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const folder = process.argv[2] ?? path.join(os.tmpdir(), 'modelglass-bench');
const python = process.env.PYTHON ?? 'python3';
const model = path.join(folder, 'resnet50');
const runner = path.join(folder, 'tensorflow-runner.cjs');

const MAKE = `
import os, sys
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import tensorflow as tf
model = tf.keras.applications.ResNet50(weights=None)
(model.export if tuple(map(int, tf.__version__.split(".")[:2])) >= (2, 16) else model.save)(sys.argv[1])
`;

const SOURCE = `
import { CountingSource } from '${root}/src/bytes/byte-source';
import { FileInput } from '${root}/src/engine/input';
import { layoutLevel } from '${root}/src/engine/layout';
import { ModuleIndex } from '${root}/src/engine/module-tree';
import { ParameterIndex } from '${root}/src/engine/parameter-table';
import { openModel } from '${root}/src/formats/registry';

function open() {
  const file = new FileInput(process.argv[2]);
  const counted = [new CountingSource(file.source)];
  const input = {
    source: counted[0],
    name: file.name,
    neighbour(relative) {
      const source = file.neighbour(relative);
      if (!source) return undefined;
      counted.push(new CountingSource(source));
      return counted.at(-1);
    },
    neighbours: (at) => file.neighbours(at),
    readPickle: file.readPickle.bind(file),
  };
  const started = performance.now();
  const model = openModel(input);
  new ParameterIndex(model);
  new ModuleIndex(model).children('', 0, 200);
  return { model, milliseconds: performance.now() - started, bytes: counted.reduce((n, s) => n + s.bytesRead, 0) };
}

const cold = open();
let warm = open();
for (let i = 0; i < 4; i++) {
  const again = open();
  if (again.milliseconds < warm.milliseconds) warm = again;
}
const levels = [];
const graph = warm.model.graph;
const pending = [''];
const first = graph.roots()[0].id;
for (let i = 0; i < pending.length && i < 40; i++) {
  const started = performance.now();
  const level = graph.level(first, pending[i]);
  const drawn = performance.now();
  layoutLevel(level);
  levels.push({ path: pending[i], nodes: level.nodes.length, level: drawn - started, layout: performance.now() - drawn });
  for (const node of level.nodes) if (node.path !== undefined) pending.push(node.path);
}
const slowest = levels.reduce((a, b) => (b.level + b.layout > a.level + a.layout ? b : a));
console.log(JSON.stringify({
  title: warm.model.summary.title,
  parameters: warm.model.summary.totals.parameters,
  cold: cold.milliseconds,
  warm: warm.milliseconds,
  bytes: warm.bytes,
  levels: levels.length,
  slowest,
  megabytes: process.resourceUsage().maxRSS / 1024,
}));
`;

fs.mkdirSync(folder, { recursive: true });
if (!fs.existsSync(path.join(model, 'saved_model.pb'))) {
  const made = spawnSync(python, ['-c', MAKE, model], { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });
  if (made.status !== 0) {
    console.log(`Skipped: ${python} has no TensorFlow to make the model with (set PYTHON).`);
    process.exit(0);
  }
}
await build({
  stdin: { contents: SOURCE, resolveDir: root, loader: 'ts' },
  outfile: runner,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  logLevel: 'error',
  external: ['h5wasm', 'long'],
  loader: { '.tsv': 'text', '.txt': 'text', '.proto': 'text' },
});
const run = spawnSync(process.execPath, [runner, model], { encoding: 'utf8' });
if (run.status !== 0) throw new Error(run.stderr);
const r = JSON.parse(run.stdout);
const round = (n) => Math.round(n * 10) / 10;
console.log(`${r.title}, ${r.parameters} parameters`);
console.log('| measured | value | target |');
console.log('| --- | --- | --- |');
console.log(`| tables, first opening in a process | ${round(r.cold)} ms | |`);
console.log(`| tables, warm | ${round(r.warm)} ms | < 300 ms |`);
console.log(`| read for the tables | ${round(r.bytes / 1e6)} MB | < 5 MB |`);
console.log(
  `| slowest of ${r.levels} graph levels (${r.slowest.nodes} nodes) | ${round(r.slowest.level)} ms + ${round(r.slowest.layout)} ms layout | < 500 ms |`,
);
console.log(`| peak memory | ${Math.round(r.megabytes)} MB | |`);

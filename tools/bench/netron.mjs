/**
 * Opens files with Netron's own readers, for the benchmarks to show beside ours. Nothing of Netron is part of this project: its JavaScript
 * sources come with its Python package, and the caller says where they lie.
 *
 *   node tools/bench/netron.mjs SOURCES WARM-UP FILE
 *
 * Prints one JSON object: bytes read of FILE, milliseconds once its modules are loaded, resident bytes; or why it could not open the file.
 */
import * as fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';

const [sources, warmUp, file] = process.argv.slice(2);
let bytesRead = 0;
const { readSync } = fs.default;
fs.default.readSync = (...args) => {
  const got = readSync(...args);
  bytesRead += got;
  return got;
};
syncBuiltinESMExports();

const load = (name) => import(pathToFileURL(path.join(sources, `${name}.js`)).href);
// The little of a browser that its view module touches while it is loaded.
globalThis.window ??= {};
const view = await load('view');
const { FileStream } = await load('node');

const host = {
  type: 'Test',
  window: globalThis.window,
  document: undefined,
  environment: () => null,
  event: () => {},
  exception: (error) => {
    throw error;
  },
  require: (id) => load(id.replace(/^\.\//, '')),
  request: async (name, encoding, base) => {
    const found = path.join(base === null || base === undefined ? sources : base, name);
    return encoding
      ? fs.readFileSync(found, encoding)
      : new FileStream(found, 0, fs.statSync(found).size, fs.statSync(found).mtimeMs);
  },
  asset: async (name) => fs.readFileSync(path.join(sources, name), 'utf8'),
};

async function open(name) {
  const { size, mtimeMs } = fs.statSync(name);
  const folder = path.dirname(name);
  const context = {
    identifier: path.basename(name),
    stream: new FileStream(name, 0, size, mtimeMs),
    entries: new Map(),
    request: (wanted, encoding, base) => host.request(wanted, encoding, base === undefined ? folder : base),
    require: (id) => host.require(id),
    asset: (wanted) => host.asset(wanted),
    error: (error) => {
      throw error;
    },
  };
  const service = new view.ModelFactoryService(host);
  await service.import();
  bytesRead = 0;
  const started = performance.now();
  const before = process.cpuUsage();
  const model = await service.open(context);
  // What its window would draw: the modules are made when they are asked for.
  let nodes = 0;
  for (const graph of model.modules ?? model.graphs ?? []) nodes += graph.nodes?.length ?? 0;
  const used = process.cpuUsage(before);
  return { ms: performance.now() - started, cpu: (used.user + used.system) / 1000, bytes: bytesRead, nodes };
}

try {
  for (let i = 0; i < 2; i++) await open(warmUp);
  const result = await open(file);
  console.log(JSON.stringify({ ...result, rss: process.memoryUsage().rss }));
} catch (error) {
  console.log(JSON.stringify({ error: String(error?.message ?? error).slice(0, 300) }));
}

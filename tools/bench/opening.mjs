// Measures what the editor waits for: node tools/bench/opening.mjs [--rounds N]
// From the start of an engine process to its first overview and its verdict, for an engine that begins with the request ("cold"), for one without
// compiled code of those before it ("first"), and for one that stood ready ("ready", as the extension keeps one), beside a Node.js process that does nothing; and what loading the extension's own
// bundle takes. Processor time is of all threads of the engine; it is read from /proc, so only Linux has it. Prints Markdown tables.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as esbuild from 'esbuild';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'opening-bench-'));
const at = process.argv.indexOf('--rounds');
const rounds = at > 0 ? Number(process.argv[at + 1]) : 7;

/** How long a spare engine stands ready before it is asked, in milliseconds: longer than it takes to start on a busy machine. */
const READY = 1500;

/** Milliseconds after which an engine has written its compiled code (src/engine/start.ts). */
const CODE_KEPT = 7000;

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc >>> 0;
});

async function main() {
  const { EngineProcess } = await bundled('src/engine/process.ts');
  const files = {
    'scikit-learn pickle of 5 kB': smallPickle(),
    'torch file of 100 MB, 60 tensors': stateDict(path.join(folder, 'model.pt'), 60, 1e8),
    'pickle of 100 MB, one array': arrayPickle(path.join(folder, 'array.pkl'), 1e8),
  };
  const engine = { modulePath: path.join(root, 'dist', 'engine.js'), heapLimit: 4096 };
  const codeFolder = path.join(folder, 'code');
  const first = () => new EngineProcess(engine);
  const start = () => new EngineProcess({ ...engine, codeFolder });
  await open(start, files['scikit-learn pickle of 5 kB'], false, CODE_KEPT);
  if (!fs.existsSync(codeFolder)) throw new Error('The engine kept no compiled code.');
  const rows = [];
  for (const [what, file] of Object.entries(files)) {
    for (const [kind, begin] of [
      ['first', first],
      ['cold', start],
      ['ready', start],
    ]) {
      let best;
      for (let round = 0; round < rounds; round++) best = least(best, await open(begin, file, kind === 'ready'));
      rows.push([
        what,
        kind,
        ...['overview', 'overviewCpu', 'verdict', 'verdictCpu'].map((key) => milliseconds(best[key])),
      ]);
    }
  }
  const bare = script('');
  rows.push(['Node.js that does nothing', '', '', '', '', milliseconds(bare.whole)]);
  table(
    ['file', 'engine', 'overview after (ms)', 'of processor time', 'verdict after (ms)', 'of processor time'],
    rows,
  );
  console.log('');
  table(['', 'processor time (ms)'], [['loading dist/extension.js', milliseconds(extension())]]);
}

/** One engine, one file. */
async function open(start, file, ready, stay = 0) {
  let begun = performance.now();
  const engine = start();
  let before = 0;
  if (ready) {
    await new Promise((resolve) => setTimeout(resolve, READY));
    before = cpu(engine.pid);
    begun = performance.now();
  }
  await engine.api.open({ path: file });
  await engine.api.overview();
  const overview = performance.now() - begun;
  const overviewCpu = cpu(engine.pid) - before;
  await engine.api.security();
  const verdict = performance.now() - begun;
  const spent = cpu(engine.pid) - before;
  await new Promise((resolve) => setTimeout(resolve, stay));
  engine.end();
  await engine.gone;
  return { overview, overviewCpu, verdict, verdictCpu: spent };
}

/** The smallest of every figure: whatever disturbs a run makes it longer. */
function least(a, b) {
  if (!a) return b;
  return Object.fromEntries(Object.keys(b).map((key) => [key, Math.min(a[key], b[key])]));
}

/** Milliseconds of processor time that a process has used, in steps of 10. */
function cpu(pid) {
  try {
    const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return Number.NaN;
  }
}

/** Milliseconds of processor time of a script in a process of its own, and of the process as a whole. */
function script(code) {
  const file = path.join(folder, 'script.cjs');
  fs.writeFileSync(
    file,
    `const total = () => (process.cpuUsage().user + process.cpuUsage().system) / 1000;
const begun = total();
${code}
process.stdout.write(JSON.stringify({ part: total() - begun, whole: total() }));`,
  );
  let best;
  for (let round = 0; round < rounds; round++) {
    best = least(best, JSON.parse(spawnSync(process.execPath, [file], { encoding: 'utf8' }).stdout));
  }
  return best;
}

/** Loads the extension's bundle in a process of its own, with an empty `vscode` in the place of the editor's. */
function extension() {
  return script(`const { Module } = require('node:module');
const load = Module._load;
const nothing = new Proxy(class {}, { get: (_, key) => (key === Symbol.toPrimitive ? () => '' : nothing), apply: () => nothing });
Module._load = (name, ...rest) => (name === 'vscode' ? nothing : load(name, ...rest));
require(${JSON.stringify(path.join(root, 'dist', 'extension.js'))});`).part;
}

async function bundled(entry) {
  const outfile = path.join(folder, 'bundle.cjs');
  await esbuild.build({
    entryPoints: [path.join(root, entry)],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    outfile,
    logLevel: 'error',
  });
  return createRequire(import.meta.url)(outfile);
}

function smallPickle() {
  const models = path.join(root, 'test', 'fixtures', 'sklearn');
  const found = fs
    .readdirSync(models, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.pkl'))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort()
    .find((file) => Math.abs(fs.statSync(file).size - 5000) < 500);
  if (!found) throw new Error('No fixture of 5 kB.');
  return found;
}

function arrayPickle(file, size) {
  const head = Buffer.alloc(11);
  head.set([0x80, 4, 0x8e]);
  head.writeBigUInt64LE(BigInt(size), 3);
  fs.writeFileSync(file, Buffer.concat([head, Buffer.alloc(size, 7), Buffer.from('.')]));
  return file;
}

/** A state dict as `torch.save` writes it since 1.6: a stored pickle and a stored member of zeros for each tensor. */
function stateDict(file, tensors, size) {
  const elements = Math.floor(size / tensors / 4);
  const text = (value) => Buffer.concat([Buffer.from([0x58, value.length, 0, 0, 0]), Buffer.from(value)]);
  const int = (value) => {
    const bytes = Buffer.alloc(5, 0x4a);
    bytes.writeInt32LE(value, 1);
    return bytes;
  };
  const line = (value) => Buffer.from(value, 'latin1');
  const pieces = [line('\x80\x02}(')];
  for (let i = 0; i < tensors; i++) {
    pieces.push(
      ...[text(`layers.${i}.weight`), line('ctorch._utils\n_rebuild_tensor_v2\n(('), text('storage')],
      ...[line('ctorch\nFloatStorage\n'), text(String(i)), text('cpu'), int(elements), line('tQK\0')],
      ...[int(elements), line('\x85K\x01\x85\x89ccollections\nOrderedDict\n)RtR')],
    );
  }
  pieces.push(line('u.'));
  const members = [['data.pkl', Buffer.concat(pieces)]];
  for (let i = 0; i < tensors; i++) members.push([`data/${i}`, Buffer.alloc(elements * 4)]);
  members.push(['version', line('3\n')]);
  fs.writeFileSync(file, zip(members.map(([name, data]) => [`archive/${name}`, data])));
  return file;
}

/** A zip of stored members. */
function zip(members) {
  const parts = [];
  const directory = [];
  let at = 0;
  for (const [name, data] of members) {
    const sizes = Buffer.alloc(26);
    sizes.writeUInt16LE(10, 0);
    sizes.writeUInt32LE(crc32(data), 10);
    sizes.writeUInt32LE(data.length, 14);
    sizes.writeUInt32LE(data.length, 18);
    sizes.writeUInt16LE(name.length, 22);
    const offset = Buffer.alloc(14);
    offset.writeUInt32LE(at, 10);
    directory.push(Buffer.from('PK\x01\x02\x0a\0'), sizes, offset, Buffer.from(name));
    parts.push(Buffer.from('PK\x03\x04'), sizes, Buffer.from(name), data);
    at += 30 + name.length + data.length;
  }
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(
    directory.reduce((sum, part) => sum + part.length, 0),
    12,
  );
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, ...directory, end]);
}

function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ CRC[(crc ^ byte) & 0xff];
  return ~crc >>> 0;
}

function milliseconds(value) {
  return Number.isNaN(value) ? '?' : value.toFixed(0);
}

function table(head, rows) {
  console.log(`| ${head.join(' | ')} |\n|${' --- |'.repeat(head.length)}`);
  for (const row of rows) console.log(`| ${row.join(' | ')} |`);
}

try {
  await main();
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}

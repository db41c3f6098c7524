/**
 * Measures opening PyTorch files of any size, side by side with torch.load and with Netron's own reader where they are given:
 *
 *   node tools/bench/torch.mjs [--python PATH] [--netron FOLDER] [--folder TEMP]
 *
 * FOLDER (or the environment variable NETRON_SOURCES) holds Netron's JavaScript sources, as its Python package has them.
 * Makes its files itself (a 4.3 GB zip and a 1.1 GB legacy file, both sparse, 100,000 tensors in each kind of file, 1 GB of float32), in a
 * temporary folder that is deleted afterwards. Prints for each case: bytes read, milliseconds of a warm engine, with the options that the
 * engine has, from the request to the overview, the parameter table and the hierarchy, and to these and the verdict, which is what counts as
 * complete; processor time, resident memory; and how many times more the others need. `--only WORD` runs the cases whose name has the word.
 */
import { execFileSync, spawnSync } from 'node:child_process';
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
const python = option('python');
const netron = option('netron') ?? process.env.NETRON_SOURCES;
const only = option('only');
const wanted = (name) => only === undefined || name.includes(only);
const folder = fs.mkdtempSync(path.join(option('folder') ?? os.tmpdir(), 'torch-bench-'));

// ---------------------------------------------------------------- files

const LLAMA = { width: 2048, hidden: 5632, vocabulary: 32000 };

/** Names and shapes of a Llama-like decoder with so many layers. */
function llama(layers) {
  const { width, hidden, vocabulary } = LLAMA;
  const tensors = [['model.embed_tokens.weight', [vocabulary, width]]];
  for (let i = 0; i < layers; i++) {
    for (const name of ['q_proj', 'k_proj', 'v_proj', 'o_proj'])
      tensors.push([`model.layers.${i}.self_attn.${name}.weight`, [width, width]]);
    for (const name of ['gate_proj', 'up_proj'])
      tensors.push([`model.layers.${i}.mlp.${name}.weight`, [hidden, width]]);
    tensors.push([`model.layers.${i}.mlp.down_proj.weight`, [width, hidden]]);
    for (const name of ['input_layernorm', 'post_attention_layernorm'])
      tensors.push([`model.layers.${i}.${name}.weight`, [width]]);
  }
  return [...tensors, ['model.norm.weight', [width]], ['lm_head.weight', [vocabulary, width]]];
}

const short = (n) => {
  const b = Buffer.alloc(5);
  b[0] = 0x4a;
  b.writeInt32LE(n, 1);
  return b;
};
const text = (s) => {
  const b = Buffer.alloc(5);
  b[0] = 0x58;
  b.writeUInt32LE(Buffer.byteLength(s), 1);
  return Buffer.concat([b, Buffer.from(s)]);
};
const tuple = (...items) => Buffer.concat([Buffer.from('('), ...items, Buffer.from('t')]);
const product = (shape) => shape.reduce((a, b) => a * b, 1);

/** The pickle of a state dictionary of float32 tensors; names that come again are fetched from the memo, as Python writes it. */
function statePickle(tensors, legacy) {
  const memo = new Map();
  const once = (bytes) => {
    const key = bytes.toString('latin1');
    const known = memo.get(key);
    if (known !== undefined) return Buffer.from([0x68, known]);
    memo.set(key, memo.size);
    return Buffer.concat([bytes, Buffer.from([0x71, memo.size - 1])]);
  };
  const ordered = () => Buffer.concat([once(Buffer.from('ccollections\nOrderedDict\n')), Buffer.from(')R')]);
  const parts = [Buffer.from([0x80, 2]), ordered(), Buffer.from('(')];
  tensors.forEach(([name, shape], i) => {
    const storage = [
      once(text('storage')),
      once(Buffer.from('ctorch\nFloatStorage\n')),
      text(String(i)),
      once(text('cpu')),
      short(product(shape)),
    ];
    const strides = shape.map((_, d) => product(shape.slice(d + 1)));
    const id = Buffer.concat([tuple(...storage, ...(legacy ? [Buffer.from('N')] : [])), Buffer.from('Q')]);
    const args = tuple(
      id,
      short(0),
      tuple(...shape.map(short)),
      tuple(...strides.map(short)),
      Buffer.from([0x89]),
      ordered(),
    );
    parts.push(text(name), once(Buffer.from('ctorch._utils\n_rebuild_tensor_v2\n')), args, Buffer.from('R'));
  });
  parts.push(Buffer.from('u.'));
  return Buffer.concat(parts);
}

let CRC;
function crc32(bytes) {
  CRC ??= Array.from({ length: 256 }, (_, n) => {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
    return c >>> 0;
  });
  let c = 0xffffffff;
  for (const byte of bytes) c = CRC[(c ^ byte) & 255] ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

/** A torch.save zip whose storages are holes of the file; ZIP64 where it must be, data at multiples of 64. */
function writeZip(file, tensors) {
  const fd = fs.openSync(file, 'w');
  const central = [];
  let at = 0;
  const add = (name, size, bytes) => {
    const nameBytes = Buffer.from(`archive/${name}`);
    const pad = (64 - ((at + 30 + nameBytes.length + 4) % 64)) % 64;
    const local = Buffer.alloc(30 + nameBytes.length + 4 + pad);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt32LE(bytes ? crc32(bytes) : 0, 14);
    local.writeUInt32LE(size, 18);
    local.writeUInt32LE(size, 22);
    local.writeUInt16LE(nameBytes.length, 26);
    local.writeUInt16LE(4 + pad, 28);
    nameBytes.copy(local, 30);
    local.write('FB', 30 + nameBytes.length, 'latin1');
    local.writeUInt16LE(pad, 32 + nameBytes.length);
    fs.writeSync(fd, local, 0, local.length, at);
    if (bytes) fs.writeSync(fd, bytes, 0, bytes.length, at + local.length);
    const far = at >= 0xffffffff;
    const record = Buffer.alloc(46 + nameBytes.length + (far ? 12 : 0));
    record.writeUInt32LE(0x02014b50, 0);
    record.writeUInt32LE(bytes ? crc32(bytes) : 0, 16);
    record.writeUInt32LE(size, 20);
    record.writeUInt32LE(size, 24);
    record.writeUInt16LE(nameBytes.length, 28);
    record.writeUInt16LE(far ? 12 : 0, 30);
    record.writeUInt32LE(far ? 0xffffffff : at, 42);
    nameBytes.copy(record, 46);
    if (far) {
      record.writeUInt16LE(1, 46 + nameBytes.length);
      record.writeUInt16LE(8, 48 + nameBytes.length);
      record.writeBigUInt64LE(BigInt(at), 50 + nameBytes.length);
    }
    central.push(record);
    at += local.length + size;
  };
  const pickle = statePickle(tensors, false);
  add('data.pkl', pickle.length, pickle);
  add('byteorder', 6, Buffer.from('little'));
  for (const [i, [, shape]] of tensors.entries()) add(`data/${i}`, product(shape) * 4, undefined);
  add('version', 2, Buffer.from('3\n'));
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(56 + 20 + 22);
  end.writeUInt32LE(0x06064b50, 0);
  end.writeBigUInt64LE(44n, 4);
  end.writeBigUInt64LE(BigInt(central.length), 24);
  end.writeBigUInt64LE(BigInt(central.length), 32);
  end.writeBigUInt64LE(BigInt(directory.length), 40);
  end.writeBigUInt64LE(BigInt(at), 48);
  end.writeUInt32LE(0x07064b50, 56);
  end.writeBigUInt64LE(BigInt(at + directory.length), 64);
  end.writeUInt32LE(1, 72);
  end.writeUInt32LE(0x06054b50, 76);
  end.writeUInt16LE(Math.min(central.length, 0xffff), 84);
  end.writeUInt16LE(Math.min(central.length, 0xffff), 86);
  end.writeUInt32LE(Math.min(directory.length, 0xffffffff), 88);
  end.writeUInt32LE(Math.min(at, 0xffffffff), 92);
  fs.writeSync(fd, directory, 0, directory.length, at);
  fs.writeSync(fd, end, 0, end.length, at + directory.length);
  fs.closeSync(fd);
}

/** A legacy stream whose storages are holes of the file. */
function writeLegacy(file, tensors) {
  const fd = fs.openSync(file, 'w');
  const magic = Buffer.from([
    0x80, 2, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e, 0x80, 2, 0x4d, 0xe9, 0x03,
    0x2e,
  ]);
  const system = Buffer.concat([
    Buffer.from([0x80, 2]),
    Buffer.from('}('),
    text('protocol_version'),
    Buffer.from([0x4d, 0xe9, 3]),
    text('little_endian'),
    Buffer.from([0x88]),
    text('type_sizes'),
    Buffer.from('}u.'),
  ]);
  const keys = Buffer.concat([
    Buffer.from([0x80, 2]),
    Buffer.from(']('),
    ...tensors.map((_, i) => text(String(i))),
    Buffer.from('e.'),
  ]);
  const head = Buffer.concat([magic, system, statePickle(tensors, true), keys]);
  fs.writeSync(fd, head, 0, head.length, 0);
  let at = head.length;
  for (const [, shape] of tensors) {
    const count = Buffer.alloc(8);
    count.writeBigUInt64LE(BigInt(product(shape)));
    fs.writeSync(fd, count, 0, 8, at);
    at += 8 + product(shape) * 4;
  }
  fs.ftruncateSync(fd, at);
  fs.closeSync(fd);
}

// ---------------------------------------------------------------- measuring

/** Runs one case in a process of its own: cold, then warm, with the bytes counted. */
const RUNNER = `
import * as fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { SourceRange } from ${JSON.stringify(path.join(root, 'src/bytes/byte-range'))};
import { FileInput } from ${JSON.stringify(path.join(root, 'src/engine/input'))};
import { ModelSession } from ${JSON.stringify(path.join(root, 'src/engine/session'))};
import { statisticsNow } from ${JSON.stringify(path.join(root, 'src/tensors/statistics'))};
const [kind, file, warmUp] = process.argv.slice(2);
let bytes = 0;
const { readSync } = fs.default;
fs.default.readSync = (...args) => {
  const got = readSync(...args);
  bytes += got;
  return got;
};
syncBuiltinESMExports();
const processor = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const open = async (name) => {
  globalThis.gc?.();
  bytes = 0;
  const [started, before] = [performance.now(), processor()];
  const session = await ModelSession.open(name);
  session.overview();
  session.parameters.slice({ start: 0, count: 200 });
  session.modules.children('', 0, 200);
  const level = kind === 'graph' ? (session.model.graph?.level('forward', '').nodes.length ?? 0) : 0;
  const ms = performance.now() - started;
  const opened = bytes;
  const { verdict } = await session.security();
  const result = { ms, bytes: opened, verdict, verdictMs: performance.now() - started - ms, verdictBytes: bytes - opened };
  const rows = session.model.parameters.length;
  session.close();
  return { ...result, complete: result.ms + result.verdictMs, cpu: processor() - before, rows, level };
};
if (kind === 'statistics') {
  const input = new FileInput(warmUp);
  const size = input.source.size;
  const ref = { dtype: 'float32', shape: [size / 4], data: new SourceRange(input.source, 0, size) };
  statisticsNow({ ...ref, shape: [1 << 20] }, true);
  const started = performance.now();
  const before = process.cpuUsage();
  statisticsNow(ref, true);
  const used = process.cpuUsage(before);
  const ms = performance.now() - started;
  console.log(JSON.stringify({ ms, bytes: size, rows: size / 4, rate: size / 1e6 / ms, cpuRate: size / 1e3 / (used.user + used.system), rss: process.memoryUsage().rss }));
} else {
  // Another file first: the engine is warm, the file is not known.
  for (let i = 0; i < 3; i++) await open(warmUp);
  const first = await open(file);
  const { rss } = process.memoryUsage();
  const again = [await open(file), await open(file), await open(file)];
  console.log(JSON.stringify({ ...first, best: Math.min(...again.map((r) => r.complete)), bestCpu: Math.min(...again.map((r) => r.cpu)), rss }));
}
`;

async function runner() {
  const outfile = path.join(folder, 'runner.mjs');
  await build({
    stdin: { contents: RUNNER, resolveDir: root, loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile,
    loader: { '.tsv': 'text', '.txt': 'text', '.proto': 'text' },
    external: ['onnxruntime-node'],
    banner: {
      js: `import { createRequire } from 'node:module'; const require = createRequire(${JSON.stringify(pathToFileURL(path.join(root, 'package.json')).href)});`,
    },
    logLevel: 'error',
  });
  return outfile;
}

function run(script, kind, file, warmUp) {
  return JSON.parse(
    execFileSync(process.execPath, ['--expose-gc', '--max-semi-space-size=64', script, kind, file, warmUp], {
      encoding: 'utf8',
      maxBuffer: 1 << 24,
    }),
  );
}

/** What torch.load needs for the same file; the import of torch is told apart. */
function withTorch(file, mmap) {
  if (!python) return undefined;
  const code = `
import time, resource, sys
t0 = time.perf_counter(); import torch; t1 = time.perf_counter(); c1 = time.process_time()
torch.load(sys.argv[1], weights_only=True${mmap ? ', mmap=True' : ''}); t2 = time.perf_counter()
print((t1 - t0) * 1000, (t2 - t1) * 1000, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, (time.process_time() - c1) * 1000)`;
  const result = spawnSync(python, ['-c', code, file], { encoding: 'utf8' });
  if (result.status !== 0) return undefined;
  const [load, ms, rss, cpu] = result.stdout.trim().split(' ').map(Number);
  return { name: `torch.load (after ${load.toFixed(0)} ms of import)`, ms, cpu, rss };
}

/** What Netron's reader needs for the same file. */
function withNetron(file, warmUp) {
  if (!netron) return undefined;
  const here = path.join(root, 'tools/bench/netron.mjs');
  const result = spawnSync(process.execPath, [here, netron, warmUp, file], { encoding: 'utf8', maxBuffer: 1 << 24 });
  const last = result.stdout.trim().split('\n').pop();
  if (result.status !== 0 || !last) return { name: 'Netron', error: 'its process ended without an answer' };
  return { name: 'Netron', ...JSON.parse(last) };
}

const megabytes = (n) => `${(n / 1e6).toFixed(n < 1e7 ? 3 : 0)} MB`;
const times = (theirs, ours) => `${(theirs / ours).toFixed(theirs / ours < 10 ? 1 : 0)}×`;

function line(name, result, bars, ...others) {
  const parts = [
    `read ${megabytes(result.bytes)}`,
    `${result.verdict ? 'tables after ' : ''}${result.ms.toFixed(0)} ms`,
    ...(result.verdict ? [`complete, with the verdict ${result.verdict}, after ${result.complete.toFixed(0)} ms`] : []),
    ...(result.best === undefined ? [] : [`again ${result.best.toFixed(0)} ms`]),
    ...(result.cpu ? [`${result.cpu.toFixed(0)} ms of processor time, again ${result.bestCpu.toFixed(0)} ms`] : []),
    `resident ${(result.rss / 1e6).toFixed(0)} MB`,
    `${result.rows} rows`,
  ];
  if (result.rate)
    parts.push(`${result.rate.toFixed(2)} GB/s (${result.cpuRate.toFixed(2)} GB a second of processor time)`);
  console.log(`${name}\n  ${parts.join(', ')}\n  bar: ${bars}`);
  for (const other of others) {
    if (!other) continue;
    if (other.error) {
      console.log(`  ${other.name}: not opened: ${other.error}`);
      continue;
    }
    const ratios = [
      ...(other.bytes ? [`read ${megabytes(other.bytes)} (${times(other.bytes, result.bytes)})`] : []),
      `${other.ms.toFixed(0)} ms (${times(other.ms, result.ms)} of ours to the tables)`,
      `${other.cpu.toFixed(0)} ms of processor time (${times(other.cpu, result.cpu)} of ours with the verdict)`,
      `resident ${(other.rss / 1e6).toFixed(0)} MB (${times(other.rss, result.rss)})`,
    ];
    console.log(`  ${other.name}: ${ratios.join(', ')}`);
  }
}

/** A .safetensors file whose data are a hole. */
function writeSafetensors(file, tensors) {
  const header = {};
  let at = 0;
  for (const [name, shape] of tensors) {
    header[name] = { dtype: 'F32', shape, data_offsets: [at, at + product(shape) * 4] };
    at += product(shape) * 4;
  }
  const json = Buffer.from(JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(json.length));
  fs.writeFileSync(file, Buffer.concat([size, json]));
  fs.truncateSync(file, 8 + json.length + at);
}

/** Weights and the state of Adam beside them, written by torch itself. */
const OPTIMIZER = `
import collections, sys, torch
weights = collections.OrderedDict((f'blocks.{i // 4}.part{i % 4}.weight', torch.zeros(4)) for i in range(25000))
state = {i: {'step': torch.tensor(1.0), 'exp_avg': torch.zeros(4), 'exp_avg_sq': torch.zeros(4)} for i in range(25000)}
group = {'lr': 1e-3, 'betas': (0.9, 0.999), 'eps': 1e-8, 'weight_decay': 0, 'params': list(range(25000))}
torch.save({'epoch': 3, 'state_dict': weights, 'optimizer': {'state': state, 'param_groups': [group]}}, sys.argv[1])`;

if (!python) console.log('torch.load is not measured beside: no --python was given.');
if (!netron) console.log('Netron is not measured beside: neither --netron nor NETRON_SOURCES was given.');

try {
  const script = await runner();
  const small = path.join(folder, 'small.pt');
  writeZip(
    small,
    llama(1).map(([name]) => [name, [2, 2]]),
  );
  if (wanted('4.3 GB zip')) {
    const big = path.join(folder, 'big.pt');
    writeZip(big, llama(19));
    console.log(`zip of ${(fs.statSync(big).size / 1e9).toFixed(2)} GB`);
    line(
      '4.3 GB zip',
      run(script, 'open', big, small),
      'under 1 MB read, 100 ms, 100 MB',
      withTorch(big, true),
      withNetron(big, small),
    );
    fs.rmSync(big);
  }
  if (wanted('1.1 GB legacy')) {
    const legacy = path.join(folder, 'legacy.pt');
    writeLegacy(legacy, llama(3));
    console.log(`legacy file of ${(fs.statSync(legacy).size / 1e9).toFixed(2)} GB`);
    line(
      '1.1 GB legacy',
      run(script, 'open', legacy, small),
      'under 2 MB read, 150 ms',
      withTorch(legacy, false),
      withNetron(legacy, small),
    );
    fs.rmSync(legacy);
  }
  const names = Array.from({ length: 100_000 }, (_, i) => [`blocks.${Math.floor(i / 4)}.part${i % 4}.weight`, [4]]);
  for (const [kind, file, write] of [
    ['zip', 'many.pt', writeZip],
    ['legacy', 'many-legacy.pt', writeLegacy],
    ['.safetensors', 'many.safetensors', writeSafetensors],
  ]) {
    if (!wanted(`100,000 tensors, ${kind}`)) continue;
    const many = path.join(folder, file);
    write(many, names);
    const others = [file.endsWith('.pt') ? withTorch(many, kind === 'zip') : undefined, withNetron(many, small)];
    line(`100,000 tensors, ${kind}`, run(script, 'open', many, small), 'opens under 1 s', ...others);
    fs.rmSync(many);
  }
  if (python && wanted('100,000 tensors, weights and optimiser')) {
    const nested = path.join(folder, 'nested.pt');
    const made = spawnSync(python, ['-W', 'ignore', '-c', OPTIMIZER, nested], { encoding: 'utf8' });
    if (made.status === 0) {
      const others = [withTorch(nested, true), withNetron(nested, small)];
      line('100,000 tensors, weights and optimiser', run(script, 'open', nested, small), 'opens under 1 s', ...others);
    } else console.log('100,000 tensors, weights and optimiser: not measured, the file could not be made');
  }
  if (wanted('exact statistics of 1 GB float32')) {
    const floats = path.join(folder, 'floats.bin');
    const fd = fs.openSync(floats, 'w');
    const chunk = new Float32Array(1 << 20);
    for (let i = 0; i < chunk.length; i++) chunk[i] = Math.sin(i * 12.9898) * 0.05;
    for (let i = 0; i < 256; i++) fs.writeSync(fd, new Uint8Array(chunk.buffer));
    fs.closeSync(fd);
    line(
      'exact statistics of 1 GB float32',
      run(script, 'statistics', small, floats),
      'at least 1 GB/s, constant memory',
    );
    fs.rmSync(floats);
  }
  if (python && wanted('ResNet-50 TorchScript, hierarchy and graph')) {
    const resnet = path.join(folder, 'resnet50.pt');
    const code = `
import sys, torch
from torch import nn
class Bottleneck(nn.Module):
    def __init__(self, inp, width, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inp, width, 1, bias=False); self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False); self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, width * 4, 1, bias=False); self.bn3 = nn.BatchNorm2d(width * 4)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = nn.Sequential(nn.Conv2d(inp, width * 4, 1, stride, bias=False), nn.BatchNorm2d(width * 4)) if stride > 1 or inp != width * 4 else nn.Identity()
    def forward(self, x):
        y = self.relu(self.bn1(self.conv1(x))); y = self.relu(self.bn2(self.conv2(y)))
        return self.relu(self.bn3(self.conv3(y)) + self.downsample(x))
class ResNet50(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False); self.bn1 = nn.BatchNorm2d(64); self.relu = nn.ReLU(); self.maxpool = nn.MaxPool2d(3, 2, 1)
        inp = 64
        for i, (n, w) in enumerate(((3, 64), (4, 128), (6, 256), (3, 512)), 1):
            blocks = [Bottleneck(inp if k == 0 else w * 4, w, 2 if k == 0 and i > 1 else 1) for k in range(n)]; inp = w * 4
            setattr(self, 'layer%d' % i, nn.Sequential(*blocks))
        self.avgpool = nn.AdaptiveAvgPool2d(1); self.fc = nn.Linear(2048, 1000)
    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(torch.flatten(self.avgpool(x), 1))
torch.jit.save(torch.jit.trace(ResNet50().eval(), torch.zeros(1, 3, 64, 64)), sys.argv[1])`;
    const made = spawnSync(python, ['-W', 'ignore', '-c', code, resnet], { encoding: 'utf8' });
    if (made.status === 0)
      line(
        'ResNet-50 TorchScript, hierarchy and graph',
        run(script, 'graph', resnet, small),
        'under 500 ms',
        withNetron(resnet, small),
      );
    else console.log('ResNet-50 TorchScript: not measured, the file could not be made');
  }
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}

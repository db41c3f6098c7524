// Measures the scanner: node tools/bench/security.mjs [--picklescan PATH] [--modelscan PATH]
// A folder of 1,000 small pickles beside other scanners (those that are given or on the PATH), a pickle of 100 MB, and how many bytes of a
// torch archive of 4 GB are read. Files are made in a temporary folder and removed. Prints a Markdown table.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as esbuild from 'esbuild';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
const cli = path.join(root, 'dist', 'cli.js');
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'security-bench-'));
const option = (name) => {
  const at = process.argv.indexOf(`--${name}`);
  return at > 0 ? process.argv[at + 1] : name;
};

try {
  const small = smallPickles(path.join(folder, 'small'), 1000);
  const rows = [];
  const ours = time(process.execPath, [cli, 'scan', small, '--json']);
  rows.push(['1,000 small pickles', 'modelglass', ours]);
  for (const name of ['picklescan', 'modelscan']) {
    const args = name === 'picklescan' ? ['-p', small] : ['-p', small];
    const theirs = time(option(name), args);
    if (theirs === undefined) console.error(`${name} is not installed; left out.`);
    else rows.push(['1,000 small pickles', name, theirs, theirs / ours]);
  }
  const large = largePickle(path.join(folder, 'large.pkl'), 100_000_000);
  rows.push(['pickle of 100 MB (one array)', 'modelglass', time(process.execPath, [cli, 'scan', large, '--json'])]);
  const many = manyObjects(path.join(folder, 'many.pkl'), 100_000_000);
  rows.push([
    'pickle of 100 MB (strings and numbers)',
    'modelglass',
    time(process.execPath, [cli, 'scan', many, '--json']),
  ]);
  const archive = torchArchive(
    path.join(folder, 'large.pt'),
    Number(process.env.TENSORS ?? 64),
    (4 * 2 ** 30) / Number(process.env.TENSORS ?? 64),
  );
  rows.push(['torch archive of 4 GB', 'modelglass', time(process.execPath, [cli, 'scan', archive, '--json'])]);
  console.log('| what | scanner | seconds | times ours |\n| --- | --- | --- | --- |');
  for (const [what, name, seconds, ratio] of rows) {
    console.log(`| ${what} | ${name} | ${seconds.toFixed(2)} | ${ratio ? ratio.toFixed(1) : ''} |`);
  }
  console.log(
    `\nBytes read of the torch archive of ${(fs.statSync(archive).size / 2 ** 30).toFixed(2)} GiB: ${await bytesRead(archive)}`,
  );
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}

/** Seconds of the fastest of three runs; undefined if the program is not there. */
function time(program, args) {
  let best;
  for (let i = 0; i < 3; i++) {
    const start = performance.now();
    const run = spawnSync(program, args, { maxBuffer: 1 << 30 });
    if (run.error) return undefined;
    const seconds = (performance.now() - start) / 1000;
    if (best === undefined || seconds < best) best = seconds;
    if (seconds > 20) break;
  }
  return best;
}

function text(value) {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([0x8c, bytes.length]), bytes]);
}

/** Dicts with a few hundred values and one known constructor, as configurations and small models are. */
function smallPickles(where, count) {
  fs.mkdirSync(where);
  for (let i = 0; i < count; i++) {
    const parts = [
      Buffer.from([0x80, 4]),
      text('collections'),
      text('OrderedDict'),
      Buffer.from([0x93, 0x29, 0x52, 0x94, 0x28]),
    ];
    for (let k = 0; k < 100; k++) {
      const number = Buffer.alloc(9);
      number[0] = 0x47;
      number.writeDoubleBE(i + k / 7, 1);
      parts.push(text(`parameter_${i}_${k}`), Buffer.from([0x94]), number);
    }
    parts.push(Buffer.from([0x75, 0x2e]));
    fs.writeFileSync(path.join(where, `model${i}.pkl`), Buffer.concat(parts));
  }
  return where;
}

function largePickle(file, size) {
  const head = Buffer.alloc(11);
  head.set([0x80, 4, 0x8e]);
  head.writeBigUInt64LE(BigInt(size), 3);
  fs.writeFileSync(file, Buffer.concat([head, Buffer.alloc(size, 7), Buffer.from('.')]));
  return file;
}

/** A list of texts of 80 characters and floats. */
function manyObjects(file, size) {
  const one = Buffer.concat([text('x'.repeat(80)), Buffer.from([0x94, 0x47, 0x3f, 0xf1, 1, 2, 3, 4, 5, 6])]);
  const count = Math.floor(size / one.length);
  const body = Buffer.alloc(one.length * count);
  for (let i = 0; i < count; i++) {
    one.copy(body, i * one.length);
    body.write(i.toString(36), i * one.length + 2, 'latin1');
  }
  fs.writeFileSync(file, Buffer.concat([Buffer.from([0x80, 4, 0x5d, 0x94, 0x28]), body, Buffer.from('e.')]));
  return file;
}

/** A state dict as `torch.save` writes it: a pickle and one stored member for each tensor, with holes instead of data. */
function torchArchive(file, tensors, bytes) {
  const out = fs.openSync(file, 'w');
  const members = [];
  let at = 0;
  const write = (data) => {
    fs.writeSync(out, data, 0, data.length, at);
    at += data.length;
  };
  const member = (name, data, size = data.length) => {
    const offset = at;
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt32LE(crc32(data, size), 14);
    local.writeUInt32LE(size, 18);
    local.writeUInt32LE(size, 22);
    local.writeUInt16LE(name.length, 26);
    // Data begins at a multiple of 64, by an extra field, as torch aligns it.
    const extra = 64 - ((at + 34 + name.length) % 64);
    local.writeUInt16LE(extra + 4, 28);
    const field = Buffer.alloc(4 + extra);
    field.write('FB', 'latin1');
    field.writeUInt16LE(extra, 2);
    write(Buffer.concat([local, Buffer.from(name), field]));
    if (data.length === size) write(data);
    else at += size;
    members.push({ name, offset, size, crc: crc32(data, size) });
  };
  member('archive/data.pkl', stateDict(tensors, bytes / 4));
  for (let i = 0; i < tensors; i++) member(`archive/data/${i}`, Buffer.alloc(0), bytes);
  member('archive/version', Buffer.from('3\n'));
  const start = at;
  for (const { name, offset, size, crc } of members) {
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt32LE(crc, 16);
    central.writeUInt32LE(size, 20);
    central.writeUInt32LE(size, 24);
    central.writeUInt16LE(name.length, 28);
    const zip64 = offset > 0xfffffffe;
    central.writeUInt16LE(zip64 ? 12 : 0, 30);
    central.writeUInt32LE(zip64 ? 0xffffffff : offset, 42);
    const field = Buffer.alloc(zip64 ? 12 : 0);
    if (zip64) {
      field.writeUInt16LE(1, 0);
      field.writeUInt16LE(8, 2);
      field.writeBigUInt64LE(BigInt(offset), 4);
    }
    write(Buffer.concat([central, Buffer.from(name), field]));
  }
  const size = at - start;
  const end64 = Buffer.alloc(56 + 20);
  end64.writeUInt32LE(0x06064b50, 0);
  end64.writeBigUInt64LE(44n, 4);
  end64.writeBigUInt64LE(BigInt(members.length), 24);
  end64.writeBigUInt64LE(BigInt(members.length), 32);
  end64.writeBigUInt64LE(BigInt(size), 40);
  end64.writeBigUInt64LE(BigInt(start), 48);
  end64.writeUInt32LE(0x07064b50, 56);
  end64.writeBigUInt64LE(BigInt(at), 64);
  end64.writeUInt32LE(1, 72);
  write(end64);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(0xffff, 8);
  end.writeUInt16LE(0xffff, 10);
  end.writeUInt32LE(0xffffffff, 12);
  end.writeUInt32LE(0xffffffff, 16);
  write(end);
  fs.closeSync(out);
  return file;
}

function stateDict(tensors, elements) {
  const int = (value) => {
    const bytes = Buffer.alloc(5);
    bytes[0] = 0x4a;
    bytes.writeInt32LE(value, 1);
    return bytes;
  };
  const parts = [Buffer.from([0x80, 2]), Buffer.from('ccollections\nOrderedDict\n)R('), Buffer.alloc(0)];
  for (let i = 0; i < tensors; i++) {
    const key = Buffer.from(`layer${i}.weight`);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(key.length);
    parts.push(Buffer.from('X'), length, key, Buffer.from('ctorch._utils\n_rebuild_tensor_v2\n(('));
    for (const word of ['storage']) parts.push(Buffer.from([0x58, word.length, 0, 0, 0]), Buffer.from(word));
    parts.push(Buffer.from('ctorch\nFloatStorage\n'));
    for (const word of [String(i), 'cpu']) parts.push(Buffer.from([0x58, word.length, 0, 0, 0]), Buffer.from(word));
    parts.push(
      int(elements),
      Buffer.from('tQ'),
      int(0),
      int(elements),
      Buffer.from([0x85]),
      int(1),
      Buffer.from([0x85, 0x89]),
    );
    parts.push(Buffer.from('ccollections\nOrderedDict\n)RtR'));
  }
  parts.push(Buffer.from('u.'));
  return Buffer.concat(parts);
}

/** CRC-32 of data followed by zeros up to a size; the zeros of holes are left out, as nobody compares them. */
function crc32(data, size) {
  if (data.length !== size) return 0;
  let crc = ~0;
  for (const byte of data) {
    crc ^= byte;
    for (let i = 0; i < 8; i++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/** Bytes that opening and scanning a file take from it. */
async function bytesRead(file) {
  const script = path.join(folder, 'count.cjs');
  await esbuild.build({
    stdin: {
      contents: `
        import { CountingSource } from './src/bytes/byte-source';
        import { FileInput } from './src/engine/input';
        import { openModel } from './src/formats/registry';
        import { scanInput } from './src/security/scan';
        const input = new FileInput(process.argv[2]);
        const counted = new CountingSource(input.source);
        Object.defineProperty(input, 'source', { value: counted });
        const model = openModel(input);
        const opened = counted.bytesRead;
        const { verdict } = scanInput(input, model);
        console.log(counted.bytesRead + ' (' + opened + ' of them to open it), verdict ' + verdict);`,
      resolveDir: root,
      loader: 'ts',
    },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    outfile: script,
    loader: { '.tsv': 'text', '.txt': 'text', '.proto': 'text' },
    external: ['onnxruntime-node', 'onnxruntime-web', 'long'],
    logLevel: 'error',
  });
  const run = spawnSync(process.execPath, [script, file], {
    encoding: 'utf8',
    env: { ...process.env, NODE_PATH: path.join(root, 'node_modules') },
  });
  return (run.stdout || run.stderr).trim();
}

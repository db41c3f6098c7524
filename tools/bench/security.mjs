// Measures the scanner: node tools/bench/security.mjs [--picklescan PATH] [--modelscan PATH] [--quick]
// Folders of 1,000 and 10,000 small pickles beside other scanners (those that are given or on the PATH), pickles of 100 MB, and how many bytes
// of torch archives of 4 GB are read. Whole processes are measured: what the clock says, and the processor time of all their threads, which
// other programs on the machine disturb less. The small pickles are those of test/fixtures: models, arrays and plain objects, protocols 0 to 5.
// Files are made in a temporary folder and removed. Prints Markdown tables.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as esbuild from 'esbuild';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
const cli = path.join(root, 'dist', 'cli.js');
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'security-bench-'));
const quick = process.argv.includes('--quick');
const option = (name) => {
  const at = process.argv.indexOf(`--${name}`);
  return at > 0 ? process.argv[at + 1] : name;
};

/** Folders of small pickles, each scanner in turn, so that all of them meet the same load. */
function folders() {
  const scanners = [
    {
      name: 'modelglass',
      start: [process.execPath, '-e', '0'],
      scan: (where) => [process.execPath, cli, 'scan', where],
    },
    ...['picklescan', 'modelscan'].map((name) => ({
      name,
      start: [option(name), '--help'],
      scan: (where) => [option(name), '-p', where],
    })),
  ].filter(({ name, start }) => {
    const found = measure(start) !== undefined;
    if (!found) console.error(`${name} is not installed; left out.`);
    return found;
  });
  const rows = [];
  for (const count of quick ? [1000] : [1000, 10_000]) {
    const where = smallPickles(path.join(folder, `small${count}`), count);
    const best = new Map();
    for (let round = 0; round < 5; round++) {
      for (const { name, start, scan } of scanners) {
        for (const [what, command] of [
          ['start', start],
          ['scan', scan(where)],
        ]) {
          const key = `${name} ${what}`;
          best.set(key, faster(best.get(key), measure(command)));
        }
      }
    }
    const ours = best.get('modelglass scan');
    const ourStart = best.get('modelglass start');
    for (const { name } of scanners) {
      const whole = best.get(`${name} scan`);
      const start = best.get(`${name} start`);
      rows.push([
        `${count} small pickles`,
        name,
        whole.wall.toFixed(2),
        whole.cpu.toFixed(2),
        start.cpu.toFixed(2),
        name === 'modelglass' ? '' : (whole.cpu / ours.cpu).toFixed(1),
        name === 'modelglass' ? '' : ((whole.cpu - start.cpu) / (ours.cpu - ourStart.cpu)).toFixed(1),
      ]);
    }
  }
  table(
    ['what', 'scanner', 'seconds', 'processor seconds', 'of them to start', 'times ours', 'without the start'],
    rows,
  );
}

function largePickles() {
  const rows = [];
  for (const [what, make] of Object.entries(LARGE)) {
    const file = path.join(folder, 'large.pkl');
    make(file, 100_000_000);
    let best;
    for (let round = 0; round < 3; round++) best = faster(best, measure([process.execPath, cli, 'scan', file]));
    rows.push([what, (fs.statSync(file).size / 1e6).toFixed(0), best.wall.toFixed(2), best.cpu.toFixed(2)]);
  }
  console.log('');
  table(['one pickle', 'MB', 'seconds', 'processor seconds'], rows);
}

async function archives() {
  const rows = [];
  for (const tensors of [64, 512, 2000]) {
    const bytes = Math.floor((4 * 2 ** 30) / tensors / 64) * 64;
    const archive = torchArchive(path.join(folder, 'large.pt'), tensors, bytes);
    const best = measure([process.execPath, cli, 'scan', archive]);
    rows.push([
      tensors,
      (fs.statSync(archive).size / 2 ** 30).toFixed(2),
      await bytesRead(archive),
      best.wall.toFixed(2),
    ]);
  }
  console.log('');
  table(['tensors of a torch archive', 'GiB', 'bytes read', 'seconds'], rows);
}

function table(head, rows) {
  console.log(`| ${head.join(' | ')} |\n|${' --- |'.repeat(head.length)}`);
  for (const row of rows) console.log(`| ${row.join(' | ')} |`);
}

/** Wall and processor seconds of a command with its children; undefined if it is not there. */
function measure(command) {
  const begun = performance.now();
  const run = spawnSync('/bin/sh', ['-c', '"$@" >/dev/null 2>&1; code=$?; times; exit $code', 'sh', ...command], {
    encoding: 'utf8',
  });
  const wall = (performance.now() - begun) / 1000;
  if (run.error || run.status === 126 || run.status === 127) return undefined;
  // The second line of `times` is that of the children: minutes and seconds of user and system.
  const cpu = [...run.stdout.split('\n')[1].matchAll(/(\d+)m([\d.,]+)s/g)].reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds.replace(',', '.')),
    0,
  );
  return { wall, cpu };
}

function faster(a, b) {
  if (!a || !b) return a ?? b;
  return { wall: Math.min(a.wall, b.wall), cpu: Math.min(a.cpu, b.cpu) };
}

/** Copies of real pickles of 200 bytes to 20 kB: four of scikit-learn's models to one of anything else. */
function smallPickles(where, count) {
  fs.mkdirSync(where);
  const pickles = (name) =>
    fs
      .readdirSync(path.join(root, 'test', 'fixtures', name), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(pkl|pickle)$/.test(entry.name))
      .map((entry) => path.join(entry.parentPath, entry.name))
      .filter((file) => fs.statSync(file).size >= 200 && fs.statSync(file).size <= 20_000)
      .sort();
  const models = pickles('sklearn');
  const others = pickles('pickle');
  for (let i = 0; i < count; i++) {
    const from = i % 5 === 4 ? others[Math.floor(i / 5) % others.length] : models[(i * 7919) % models.length];
    fs.copyFileSync(from, path.join(where, `model${i}.pkl`));
  }
  return where;
}

function text(value) {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([0x8c, bytes.length]), bytes]);
}

/** Makers of pickles of about so many bytes. */
const LARGE = {
  'one array': (file, size) => {
    const head = Buffer.alloc(11);
    head.set([0x80, 4, 0x8e]);
    head.writeBigUInt64LE(BigInt(size), 3);
    fs.writeFileSync(file, Buffer.concat([head, Buffer.alloc(size, 7), Buffer.from('.')]));
  },
  'texts of 80 characters and floats': (file, size) =>
    repeated(file, size, ']\x94(', 'e.', Buffer.concat([text('x'.repeat(80)), Buffer.from([0x94]), float()]), 2),
  'texts of 20 characters': (file, size) =>
    repeated(file, size, ']\x94(', 'e.', Buffer.concat([text('x'.repeat(20)), Buffer.from([0x94])]), 2),
  floats: (file, size) => repeated(file, size, ']\x94(', 'e.', float()),
  integers: (file, size) => repeated(file, size, ']\x94(', 'e.', Buffer.from([0x4a, 1, 2, 3, 4])),
  'a dict of text and floats': (file, size) => {
    // No two keys are equal, as in any dict.
    const item = Buffer.concat([text('key'.repeat(10)), Buffer.from([0x94]), float()]);
    const count = Math.floor(size / item.length);
    const body = Buffer.concat(Array(count).fill(item));
    for (let i = 0; i < count; i++) body.write(String(i).padStart(10, '0'), i * item.length + 2, 'latin1');
    const batches = [];
    for (let i = 0; i < count; i += 1000)
      batches.push(Buffer.from('('), body.subarray(i * item.length, (i + 1000) * item.length), Buffer.from('u'));
    fs.writeFileSync(file, Buffer.concat([Buffer.from([0x80, 4, 0x7d, 0x94]), ...batches, Buffer.from('.')]));
  },
  'lists in a list, all in the memo': (file, size) =>
    repeated(file, size, ']\x94(', 'e.', Buffer.from([0x5d, 0x94, 0x4b, 1, 0x61])),
  'objects with a call each (10 MB)': (file, size) =>
    repeated(
      file,
      size / 10,
      '\x8c\x08datetime\x8c\x08datetime\x93\x940]\x94(',
      'e.',
      Buffer.from([0x68, 0, 0x43, 10, 7, 228, 1, 1, 0, 0, 0, 0, 0, 0, 0x94, 0x85, 0x94, 0x52, 0x94]),
    ),
  'floats as text, protocol 0': (file, size) => {
    const line = Buffer.from('F0.7313515127501741\naF-3.25\na');
    fs.writeFileSync(
      file,
      Buffer.concat([Buffer.from('(lp0\n'), ...Array(Math.floor(size / line.length)).fill(line), Buffer.from('.')]),
    );
  },
  '100,000 lists in each other (0.2 MB)': (file) =>
    fs.writeFileSync(
      file,
      Buffer.concat([
        Buffer.from([0x80, 4]),
        Buffer.alloc(100_000, 0x5d),
        Buffer.alloc(99_999, 0x61),
        Buffer.from('.'),
      ]),
    ),
};

function float() {
  const bytes = Buffer.alloc(9);
  bytes[0] = 0x47;
  bytes.writeDoubleBE(0.731, 1);
  return bytes;
}

/** One piece again and again, with its number written over the text that begins at `numbered`. */
function repeated(file, size, head, tail, piece, numbered) {
  const count = Math.floor(size / piece.length);
  const body = Buffer.alloc(piece.length * count);
  for (let i = 0; i < count; i++) {
    piece.copy(body, i * piece.length);
    if (numbered !== undefined) body.write(i.toString(36), i * piece.length + numbered, 'latin1');
  }
  fs.writeFileSync(
    file,
    Buffer.concat([Buffer.from([0x80, 4]), Buffer.from(head, 'latin1'), body, Buffer.from(tail, 'latin1')]),
  );
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

/** Bytes that scanning a file takes from it. */
async function bytesRead(file) {
  const script = path.join(folder, 'count.cjs');
  await esbuild.build({
    stdin: {
      contents: `
        import { FileSource } from './src/bytes/file-source';
        import { scanFile } from './src/engine/scan-file';
        let bytes = 0;
        const { readInto } = FileSource.prototype;
        FileSource.prototype.readInto = function (offset, target) {
          bytes += target.length;
          return readInto.call(this, offset, target);
        };
        scanFile({ path: process.argv[2], explicit: true }).then(({ verdict, error }) => {
          if (error || verdict !== 'safe') throw new Error('The archive is not judged safe.');
          console.log(bytes);
        });`,
      resolveDir: root,
      loader: 'ts',
    },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    outfile: script,
    loader: { '.tsv': 'text', '.txt': 'text', '.proto': 'text' },
    external: ['onnxruntime-node', 'onnxruntime-web', 'long', 'h5wasm'],
    logLevel: 'error',
  });
  const run = spawnSync(process.execPath, [script, file], {
    encoding: 'utf8',
    env: { ...process.env, NODE_PATH: path.join(root, 'node_modules') },
  });
  if (run.status !== 0) throw new Error(run.stderr);
  return Number(run.stdout);
}

try {
  folders();
  largePickles();
  await archives();
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}

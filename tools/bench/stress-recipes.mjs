/** Recipes of `stress.mjs`: what a hostile file of so many bytes is made of, in parts. `payload` puts a call behind the filler. */
import { deflateRawSync, gzipSync } from 'node:zlib';

const PROTO4 = Buffer.from([0x80, 4]);
const PAYLOAD = Buffer.from('cposix\nsystem\n(Vecho hello\ntR0', 'latin1');
const CHUNK = 1 << 20;

/** The same bytes again and again, in parts of a megabyte. */
function* filler(piece, bytes) {
  const unit = Buffer.from(piece, 'latin1');
  const block = Buffer.alloc(unit.length * Math.ceil(CHUNK / unit.length), unit);
  for (let left = Math.floor(bytes / unit.length) * unit.length; left > 0; left -= block.length)
    yield left >= block.length ? block : block.subarray(0, left);
}

/** A pickle that begins so, goes on with filler, and ends so. */
const repeated = (before, piece, after = 'N.') =>
  function* (bytes, payload) {
    yield PROTO4;
    yield Buffer.from(before, 'latin1');
    yield* filler(piece, bytes);
    if (payload) yield PAYLOAD;
    yield Buffer.from(after, 'latin1');
  };

/** One text of so many characters between two. */
const text = (before, character, after) =>
  function* (bytes, payload) {
    yield PROTO4;
    if (payload) yield PAYLOAD;
    yield Buffer.from(before, 'latin1');
    yield* filler(character, Math.min(bytes, 10_000_000));
    yield Buffer.from(after, 'latin1');
  };

const global = (module, name) => `c${module}\n${name}\n`;

export const pickles = {
  lists: repeated('', ']'),
  'lists-popped': repeated('', ']0'),
  'lists-memo': repeated('', ']\x94'),
  dicts: repeated('', '}'),
  sets: repeated('', '\x8f'),
  tuples: repeated('', ')'),
  'tuples-nested': repeated(')', '\x85'),
  'lists-nested': repeated('', ']]a'),
  marks: repeated('', '('),
  'marks-values': repeated('', '(N'),
  nones: repeated('', 'N'),
  dups: repeated('X\x03\x00\x00\x00abc', '2'),
  'dict-keys': function* (bytes, payload) {
    yield PROTO4;
    yield Buffer.from('}', 'latin1');
    const rows = Math.floor(bytes / 8);
    for (let from = 0; from < rows; from += 100_000) {
      const block = Buffer.alloc(800_000);
      for (let i = 0; i < 100_000; i++) {
        block[i * 8] = 0x4a;
        block.writeInt32LE(((from + i) * 65_537) | 0, i * 8 + 1);
        block.write('K\x01s', i * 8 + 5, 'latin1');
      }
      yield block;
    }
    if (payload) yield PAYLOAD;
    yield Buffer.from('.', 'latin1');
  },
  'calls-chained': repeated(global('m', 'f'), ')R'),
  'calls-apart': repeated(`${global('m', 'f')}q\x00`, 'h\x00)R'),
  'calls-known': repeated(`${global('collections', 'OrderedDict')}q\x00`, 'h\x00)R'),
  'calls-nested': repeated(`${global('collections', 'deque')}q\x000]`, 'h\x00h\x00\x87R'),
  'getattr-chain': repeated(`${global('builtins', 'getattr')}q\x00X\x01\x00\x00\x00aq\x01`, 'h\x00h\x01h\x01\x86R'),
  'getattr-nested': repeated(
    `${global('builtins', 'getattr')}q\x000X\x01\x00\x00\x00aq\x01`,
    'q\x020h\x00h\x02h\x01\x86R',
  ),
  'build-many': repeated(`${global('collections', 'OrderedDict')})R`, '}b'),
  'appends-import': repeated(global('m', 'x'), 'Na'),
  imports: repeated('', `${global('m', 'f')}0`),
  persid: repeated('', 'P1\n'),
  'new-names': function* (bytes, payload) {
    yield PROTO4;
    for (let i = 0, made = 0; made < bytes; i += 10_000) {
      const block = Buffer.from(
        Array.from({ length: 10_000 }, (_, k) => `${global(`m${i + k}`, 'f')}0`).join(''),
        'latin1',
      );
      made += block.length;
      yield block;
    }
    if (payload) yield PAYLOAD;
    yield Buffer.from('N.', 'latin1');
  },
  'int-text': text('I', '9', '\n.'),
  'long-text': text('L', '9', 'L\n.'),
  'float-text': text('F', '9', '\n.'),
  'unicode-text': text('V', '\\u0041', '\n.'),
  'string-text': text("S'", '\\x41', "'\n."),
  'long-binary': function* (bytes, payload) {
    yield PROTO4;
    if (payload) yield PAYLOAD;
    const size = Math.min(bytes, 10_000_000);
    const head = Buffer.from([0x8b, 0, 0, 0, 0]);
    head.writeInt32LE(size, 1);
    yield head;
    yield* filler('\x7f', size);
    yield Buffer.from('.', 'latin1');
  },
  'shared-lists': (_, payload) => [
    PROTO4,
    Buffer.from(`]q\x00${'](h\x00h\x00eq\x00'.repeat(60)}`, 'latin1'),
    payload ? PAYLOAD : Buffer.alloc(0),
    Buffer.from('.'),
  ],
  'shared-tuples': (_, payload) => [
    PROTO4,
    Buffer.from(`)q\x00${'h\x00h\x00\x86q\x00'.repeat(60)}`, 'latin1'),
    payload ? PAYLOAD : Buffer.alloc(0),
    Buffer.from('.'),
  ],
  'shared-dicts': (_, payload) => [
    PROTO4,
    Buffer.from(`}q\x00${'}(K\x01h\x00K\x02h\x00uq\x00'.repeat(60)}`, 'latin1'),
    payload ? PAYLOAD : Buffer.alloc(0),
    Buffer.from('.'),
  ],
  'shared-calls': (_, payload) => [
    PROTO4,
    Buffer.from(
      `${global('collections', 'OrderedDict')}q\x01)q\x00${'h\x01h\x00h\x00\x86Rq\x00'.repeat(60)}`,
      'latin1',
    ),
    payload ? PAYLOAD : Buffer.alloc(0),
    Buffer.from('.'),
  ],
  'shared-states': (_, payload) => [
    PROTO4,
    Buffer.from(
      `${global('m', 'C')}q\x01N q\x00`.replace(' ', '') +
        'h\x01)\x81}(X\x01\x00\x00\x00ah\x00X\x01\x00\x00\x00bh\x00ubq\x00'.repeat(60),
      'latin1',
    ),
    payload ? PAYLOAD : Buffer.alloc(0),
    Buffer.from('.'),
  ],
  'concat-doubling': (_, payload) => [
    PROTO4,
    Buffer.from(
      `${global('_operator', 'concat')}q\x01X\x04\x00\x00\x00abcdq\x00${'h\x01h\x00h\x00\x86Rq\x00'.repeat(60)}`,
      'latin1',
    ),
    Buffer.from(`X\x01\x00\x00\x00x\x93`, 'latin1'),
    payload ? PAYLOAD : Buffer.alloc(0),
    Buffer.from('.'),
  ],
  'replace-doubling': (_, payload) => [
    PROTO4,
    Buffer.from(
      `${global('builtins', 'str.replace')}q\x01X\x01\x00\x00\x00aq\x02X\x02\x00\x00\x00aaq\x03h\x02q\x00${'h\x01(h\x00h\x02h\x03tRq\x00'.repeat(60)}`,
      'latin1',
    ),
    Buffer.from(`X\x01\x00\x00\x00x\x93`, 'latin1'),
    payload ? PAYLOAD : Buffer.alloc(0),
    Buffer.from('.'),
  ],
  'tiny-pickles': repeated('N.', 'N.'),
  'tiny-strings': repeated('', 'X\x01\x00\x00\x00aq\x00'),
};

export const archives = {
  'gzip-bomb': function* (bytes) {
    yield gzipSync(Buffer.concat([PROTO4, ...filler(']', Math.min(bytes * 4, 1e9)), Buffer.from('N.')]));
  },
  'gzip-in-gzip': function* (bytes) {
    let inner = Buffer.concat([PROTO4, ...filler('N0', Math.min(bytes, 2e8)), Buffer.from('N.')]);
    for (let i = 0; i < 8; i++) inner = gzipSync(inner);
    yield inner;
  },
  'zip-members': () => [zip(1_000_000, Buffer.from('N.'))],
  'zip-overlap': () => [overlapping(50_000)],
  'json-nested': (bytes) => [Buffer.from('{"a":'.repeat(Math.min(bytes, 2e7) / 5)), Buffer.from('1')],
  'json-lists': (bytes) => [Buffer.from('['.repeat(Math.min(bytes, 2e7)))],
  'protobuf-nested': (bytes) => [nestedMessages(Math.min(bytes, 5e6))],
  'npy-huge': () => [npy("{'descr': '<f8', 'fortran_order': False, 'shape': (4611686018427387904, 4), }")],
  'npy-header': (bytes) => [npy(`{'descr': ${'['.repeat(Math.min(bytes, 1e7))}`)],
  'gguf-huge': () => [gguf()],
  'safetensors-nested': (bytes) => [safetensors(`{"a":${'['.repeat(Math.min(bytes, 5e6))}`)],
};

function zip(count, data) {
  const crc = Buffer.from([0, 0, 0, 0]);
  const locals = [];
  const central = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    const name = Buffer.from(`a/${i}`);
    const local = Buffer.alloc(30 + name.length + data.length);
    local.write('PK\x03\x04', 0, 'latin1');
    local.writeUInt16LE(20, 4);
    local.writeUInt32LE(data.length, 18);
    local.writeUInt32LE(data.length, 22);
    local.writeUInt16LE(name.length, 26);
    name.copy(local, 30);
    data.copy(local, 30 + name.length);
    crc.copy(local, 14);
    const entry = Buffer.alloc(46 + name.length);
    entry.write('PK\x01\x02', 0, 'latin1');
    entry.writeUInt32LE(data.length, 20);
    entry.writeUInt32LE(data.length, 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(at, 42);
    name.copy(entry, 46);
    locals.push(local);
    central.push(entry);
    at += local.length;
  }
  return ended(Buffer.concat(locals), Buffer.concat(central), count);
}

/** Members whose data are the same bytes: fifty thousand times a megabyte of nothing. */
function overlapping(count) {
  const data = deflateRawSync(Buffer.concat([PROTO4, Buffer.alloc(1_000_000, 'N0'), Buffer.from('N.')]));
  const local = Buffer.alloc(31 + data.length);
  local.write('PK\x03\x04', 0, 'latin1');
  local.writeUInt16LE(8, 8);
  local.writeUInt32LE(data.length, 18);
  local.writeUInt32LE(1_000_004, 22);
  local.writeUInt16LE(1, 26);
  local.write('a', 30);
  data.copy(local, 31);
  const entry = Buffer.alloc(47);
  entry.write('PK\x01\x02', 0, 'latin1');
  entry.writeUInt16LE(8, 10);
  entry.writeUInt32LE(data.length, 20);
  entry.writeUInt32LE(1_000_004, 24);
  entry.writeUInt16LE(1, 28);
  entry.write('a', 46);
  return ended(local, Buffer.concat(Array(count).fill(entry)), count);
}

function ended(locals, central, count) {
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(Math.min(count, 0xffff), 8);
  end.writeUInt16LE(Math.min(count, 0xffff), 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(locals.length, 16);
  return Buffer.concat([locals, central, end]);
}

function npy(header) {
  const text = Buffer.from(`${header}\n`);
  const head = Buffer.from('\x93NUMPY\x02\x00\0\0\0\0', 'latin1');
  head.writeUInt32LE(text.length, 8);
  return Buffer.concat([head, text]);
}

function gguf() {
  const head = Buffer.alloc(24);
  head.write('GGUF');
  head.writeUInt32LE(3, 4);
  head.writeBigUInt64LE(2n ** 62n, 8);
  head.writeBigUInt64LE(2n ** 62n, 16);
  return head;
}

function safetensors(text) {
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([head, Buffer.from(text)]);
}

/** Field 2 in field 2 in field 2: each level says how long the rest is. */
function nestedMessages(bytes) {
  const parts = [];
  let size = 0;
  while (size < bytes) {
    const length = [];
    for (let rest = size; ; rest = Math.floor(rest / 128)) {
      if (rest < 128) {
        length.push(rest);
        break;
      }
      length.push((rest % 128) | 128);
    }
    const head = Buffer.from([0x3a, ...length]);
    parts.push(head);
    size += head.length;
  }
  return Buffer.concat(parts.reverse());
}

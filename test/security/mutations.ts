import { OPCODES } from '../../src/pickle/opcodes';
import { bytes, call, global, int, op, PAYLOAD, str, stream, TEXT_PAYLOAD, tuple } from './assembler';

/** Reproducible numbers from 0 to 1 (mulberry32). */
export function random(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A pickle cut at its opcodes, up to the first byte that is none. FRAMEs are left out, as every change would break them. */
export function opcodesOf(content: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < content.length; ) {
    const opcode = OPCODES[content[at]];
    const length = opcode ? argumentLength(opcode.argument, content, at + 1) : -1;
    const end = at + 1 + length;
    if (length < 0 || end > content.length) {
      parts.push(content.subarray(at));
      break;
    }
    if (opcode?.name !== 'FRAME') parts.push(content.subarray(at, end));
    at = end;
  }
  return parts;
}

function argumentLength(kind: string, content: Buffer, at: number): number {
  const sized = /^([bstl])([148])$/.exec(kind);
  if (sized) {
    const width = Number(sized[2]);
    if (at + width > content.length) return -1;
    const length = width === 8 ? Number(content.readBigUInt64LE(at)) : content.readUIntLE(at, width);
    return width + length;
  }
  const line = (from: number): number => content.indexOf(0x0a, from) + 1;
  if (kind === 'line') return line(at) === 0 ? -1 : line(at) - at;
  if (kind === 'lines') return line(at) === 0 || line(line(at)) === 0 ? -1 : line(line(at)) - at;
  return kind === 'none' ? 0 : Number(kind.slice(1));
}

/** Names and texts on which rules depend, harmful and harmless. */
const WORDS = [
  ...[
    'os',
    'system',
    'posix',
    'builtins',
    '__builtin__',
    'eval',
    'exec',
    'getattr',
    'object',
    'dict',
    'list',
    'bytearray',
  ],
  ...[
    'functools',
    'partial',
    'numpy',
    'ndarray',
    'dtype',
    'numpy.core.multiarray',
    '_reconstruct',
    'scalar',
    '_codecs',
  ],
  ...['encode', 'latin1', 'rot13', 'copyreg', 'copy_reg', '_reconstructor', '__newobj__', 'collections', 'OrderedDict'],
  ...[
    '__setstate__',
    '__reduce__',
    '__getattr__',
    '__call__',
    '__dict__',
    'keys',
    'append',
    'formula',
    'coef_',
    '_parse_arg_template',
    '_sklearn_version',
  ],
  ...[
    'joblib.numpy_pickle',
    'NumpyArrayWrapper',
    'NDArrayWrapper',
    'shape',
    'order',
    'subclass',
    'O8',
    'f8',
    'i1',
    'V16',
  ],
  ...['sklearn.pipeline', 'Pipeline', 'torch', 'numpy_array_alignment_bytes', 'allow_mmap', 'logging', 'getLogger'],
  ...['sympy.core.symbol', 'Symbol', 'pickle', 'loads', 'operator', 'itemgetter', 'Ridge.predict', 'a.b', ''],
];

const FRAGMENTS: Buffer[] = [
  PAYLOAD,
  TEXT_PAYLOAD,
  call('builtins', 'eval', str('1')),
  call('builtins', 'bytearray', int(7)),
  stream(call('builtins', 'bytearray', op('LONG1', Buffer.from([0, 0, 0, 0, 0, 0, 0, 16])))),
  call('functools', 'partial', global('builtins', 'len')),
  call('functools', 'partial', global('os', 'system')),
  call('copyreg', '_reconstructor', global('builtins', 'dict'), global('builtins', 'object'), op('NONE')),
  call('copyreg', '_reconstructor', global('os', 'system'), global('builtins', 'object'), op('NONE')),
  call('_codecs', 'encode', str('text'), str('latin1')),
  call('_codecs', 'encode', str('text'), str('rot13')),
  call('numpy.core._internal', '_ufunc_reconstruct', str('numpy'), str('add')),
  call('numpy.core', '_ufunc_reconstruct', str('numpy'), str('add')),
  call('numpy.core', '_ufunc_reconstruct', str('os'), str('system')),
  call('numpy.random._pickle', '__randomstate_ctor', str('MT19937'), global('os', 'system')),
  call(
    'numpy.core.multiarray',
    '_reconstruct',
    global('numpy', 'ndarray'),
    tuple(op('BININT', 0x7fffffff), op('BININT', 0x7fffffff)),
    bytes(Buffer.from('b')),
  ),
  call('numpy', 'dtype', str('f8'), op('NEWFALSE'), op('NEWTRUE')),
  call('datetime', 'date', bytes(Buffer.from([7, 228, 1, 1]))),
  global('os', 'system'),
  global('builtins', 'getattr'),
  global('functools', 'partial'),
  global('sklearn.linear_model._base', 'LinearRegression'),
  stream(op('EMPTY_DICT'), str('__setstate__'), global('builtins', 'len'), op('SETITEM'), op('BUILD')),
  stream(op('EMPTY_DICT'), str('_parse_arg_template'), str('import os'), op('SETITEM'), op('BUILD')),
  stream(op('NONE'), op('BUILD')),
  stream(op('EMPTY_DICT'), op('BUILD')),
  stream(op('MARK'), op('APPENDS')),
  stream(op('MARK'), op('SETITEMS')),
  stream(op('MARK'), op('ADDITEMS')),
  stream(op('NONE'), op('APPEND')),
  stream(str('a'), op('NONE'), op('SETITEM')),
  stream(op('EMPTY_LIST'), op('NONE'), op('SETITEM')),
  stream(op('EMPTY_TUPLE'), op('REDUCE')),
  stream(op('EMPTY_TUPLE'), op('NEWOBJ')),
  stream(op('EMPTY_TUPLE'), op('EMPTY_DICT'), op('NEWOBJ_EX')),
  stream(str('text'), op('POP')),
  stream(op('BINPUT', 0)),
  stream(op('BINPUT', 200)),
  stream(op('BINGET', 0)),
  stream(op('BINGET', 1)),
  stream(op('BINGET', 3)),
  stream(op('LONG_BINPUT', 70000)),
  op('MEMOIZE'),
  op('DUP'),
  op('POP'),
  op('POP_MARK'),
  op('MARK'),
  op('LIST'),
  op('DICT'),
  op('TUPLE'),
  op('TUPLE1'),
  op('TUPLE2'),
  op('FROZENSET'),
  op('EMPTY_SET'),
  op('NEXT_BUFFER'),
  op('READONLY_BUFFER'),
  op('EXT1', 7),
  op('BINPERSID'),
  op('PROTO', 1),
  op('PROTO', 4),
  op('STOP'),
  op('FRAME', 3n),
  Buffer.from('I01\n'),
  Buffer.from('I0x10\n'),
  Buffer.from('F1e999\n'),
  Buffer.from('L5\n'),
  Buffer.from("S'\\x5f\\x5fsetstate__'\n"),
  Buffer.from('V\\u005f_setstate__\n'),
  Buffer.from('cos\nsystem\n'),
  Buffer.from('c__builtin__\nset\n'),
  Buffer.from('(cos\nsystem\no'),
  Buffer.from('(ios\nsystem\n'),
  Buffer.from('PK\x05\x06', 'latin1'),
];

/** A changed copy of a pickle: one to three changes, each of a kind that has fooled a scanner. */
export function mutate(parts: readonly Buffer[], others: readonly Buffer[][], next: () => number): Buffer {
  const out = [...parts];
  const index = (length: number): number => Math.floor(next() * length);
  // The first opcode mostly stays, as nothing is a pickle without it.
  const place = (): number => (next() < 0.03 ? 0 : 1 + index(Math.max(1, out.length - 1)));
  for (let n = 1 + index(3); n > 0; n--) {
    const at = Math.min(place(), out.length - 1);
    switch (index(9)) {
      case 0: {
        const changed = Buffer.from(out[at]);
        changed[index(changed.length)] = index(256);
        out[at] = changed;
        break;
      }
      case 1: {
        const changed = Buffer.from(out[at]);
        changed[index(changed.length)] ^= 1 << index(8);
        out[at] = changed;
        break;
      }
      case 2:
        out.splice(at, 1 + index(3));
        break;
      case 3:
        out.splice(at, 0, ...out.slice(at, at + 1 + index(4)));
        break;
      case 4:
      case 5:
        out.splice(at, 0, FRAGMENTS[index(FRAGMENTS.length)]);
        break;
      case 6: {
        const texts = out.flatMap((part, i) => (part[0] === 0x8c || part[0] === 0x58 ? [i] : []));
        if (texts.length > 0) out[texts[index(texts.length)]] = str(WORDS[index(WORDS.length)]);
        break;
      }
      case 7: {
        const other = others[index(others.length)];
        const from = index(other.length);
        out.splice(at, 0, ...other.slice(from, from + 1 + index(12)));
        break;
      }
      default: {
        const to = Math.min(place(), out.length - 1);
        [out[at], out[to]] = [out[to], out[at]];
      }
    }
    if (out.length === 0) return Buffer.from('.');
  }
  return Buffer.concat(out);
}

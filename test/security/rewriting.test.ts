import { describe } from 'vitest';
import { buildZip } from '../unit/archives/zip-builder';
import { bytes, call, global, int, op, PAYLOAD_PICKLE, type Piece, pickle, str, stream, tuple } from './assembler';
import { check } from './cases';

const EVIL = str("__import__('os').system('echo hello')");
const made = (module: string, name: string, state: Piece): Buffer =>
  stream(global(module, name), 'EMPTY_TUPLE', 'NEWOBJ', state, 'BUILD');
/** A dict in memo slot 0 that holds one value, what uses it, and a harmless value stored over the first. */
const rewritten = (key: string, value: Piece, use: Piece, later: Piece): Buffer =>
  pickle(
    'EMPTY_DICT',
    'MEMOIZE',
    str(key),
    value,
    'SETITEM',
    'POP',
    use,
    'POP',
    op('BINGET', 0),
    str(key),
    later,
    'SETITEM',
  );
const SLOT = op('BINGET', 0);

const keras = (layer: unknown): Buffer =>
  buildZip([
    { name: 'metadata.json', data: '{}' },
    {
      name: 'config.json',
      data: JSON.stringify({ module: 'keras', class_name: 'Sequential', config: { layers: [layer] } }),
    },
  ]);
const GOOD = keras({ module: 'keras.layers', class_name: 'Dense', config: {} });
const BAD = keras({ module: 'os', class_name: 'system', config: 'echo hello' });
const buffer = (content: Uint8Array): Buffer => call('_io', 'BytesIO', bytes(content));
const state = (content: Uint8Array): Buffer => tuple(bytes(content), int(0), 'NONE');
const unpickle = (file: Piece): Buffer => call('keras.src.models.sequential', 'Sequential._unpickle_model', file);

/**
 * A stream may change what it has used: the loader saw the old value, and a judge that looks at what is left at STOP sees the new one. The kin
 * of A8 and K4 (ShadowPickle, arXiv 2607.17503), with the stream's own objects.
 */
describe('A8 and B3: values that are replaced after they were used', () => {
  check([
    {
      title: 'a state that SciPy runs',
      bytes: () =>
        rewritten('_parse_arg_template', EVIL, made('scipy.stats._continuous_distns', 'norm_gen', SLOT), 'NONE'),
      verdict: 'suspicious',
      rule: 'overwritten-value',
    },
    {
      title: 'a formula that statsmodels evaluates',
      bytes: () => rewritten('formula', EVIL, made('statsmodels.base.data', 'PandasData', SLOT), str('y ~ x')),
      verdict: 'suspicious',
      rule: 'overwritten-value',
    },
    {
      title: 'an argument that sympy evaluates',
      bytes: () => rewritten('a', EVIL, stream(global('sympy.core.add', 'Add'), tuple(SLOT), 'NEWOBJ'), int(1)),
      verdict: 'suspicious',
      rule: 'overwritten-value',
    },
    {
      title: 'keywords of NEWOBJ_EX',
      bytes: () =>
        rewritten('a', EVIL, stream(global('sympy.core.add', 'Add'), 'EMPTY_TUPLE', SLOT, 'NEWOBJ_EX'), int(1)),
      verdict: 'suspicious',
      rule: 'overwritten-value',
    },
    {
      title: 'the function of a partial that was called',
      bytes: () => {
        const kept = (name: Buffer): Buffer => tuple(name, 'EMPTY_TUPLE', 'EMPTY_DICT', 'NONE');
        return pickle(
          call('functools', 'partial', global('builtins', 'len')),
          'MEMOIZE',
          kept(global('copy', 'deepcopy')),
          'BUILD',
          'POP',
          stream(SLOT, tuple(int(1)), 'REDUCE'),
          'POP',
          SLOT,
          kept(global('builtins', 'len')),
          'BUILD',
        );
      },
      verdict: 'suspicious',
      rule: 'overwritten-value',
    },
    {
      title: 'bytes of a bytearray that a loader has read',
      bytes: () =>
        pickle(
          op('BYTEARRAY8', PAYLOAD_PICKLE),
          'MEMOIZE',
          'POP',
          call('pickle', 'loads', SLOT),
          'POP',
          SLOT,
          int(0),
          int(0x4e),
          'SETITEM',
        ),
      verdict: 'dangerous',
      rule: 'overwritten-value',
    },
    {
      title: 'an item of a list that was an argument',
      bytes: () =>
        pickle(
          stream('EMPTY_LIST', 'MEMOIZE', EVIL, 'APPEND', 'POP'),
          stream(global('sympy.core.add', 'Add'), tuple(SLOT), 'NEWOBJ', 'POP'),
          SLOT,
          int(0),
          int(1),
          'SETITEM',
        ),
      verdict: 'suspicious',
      rule: 'overwritten-value',
    },
    {
      title: 'F2 the archive in a buffer, replaced after it was loaded',
      bytes: () => pickle(buffer(BAD), 'MEMOIZE', 'POP', unpickle(SLOT), 'POP', SLOT, state(GOOD), 'BUILD'),
      verdict: 'dangerous',
      rule: 'nested-load',
    },
    {
      title: 'F2 the archive in a buffer, replaced before and after',
      bytes: () =>
        pickle(
          stream(buffer(GOOD), 'MEMOIZE', state(BAD), 'BUILD', 'POP'),
          unpickle(SLOT),
          'POP',
          SLOT,
          state(GOOD),
          'BUILD',
        ),
      verdict: 'dangerous',
      rule: 'nested-load',
    },
    {
      title: 'F2 an honest archive in a buffer',
      bytes: () => pickle(unpickle(stream(global('_io', 'BytesIO'), 'EMPTY_TUPLE', 'NEWOBJ', state(GOOD), 'BUILD'))),
      verdict: 'safe',
    },
    {
      title: 'a dict that is filled in several batches',
      bytes: () =>
        pickle(
          'EMPTY_DICT',
          'MARK',
          str('a'),
          int(1),
          'SETITEMS',
          'MARK',
          str('b'),
          int(2),
          str('c'),
          int(3),
          'SETITEMS',
        ),
      verdict: 'safe',
    },
  ]);
});

import { describe } from 'vitest';
import { call, global, int, PAYLOAD, type Piece, PROTO4, pickle, str, stream, tuple } from './assembler';
import { check, SYSTEM } from './cases';

const NUMBERS = call('numpy', 'dtype', str('u1'), 'NEWFALSE', 'NEWTRUE');
const OBJECTS = call('numpy', 'dtype', str('O8'), 'NEWFALSE', 'NEWTRUE');

/** `NumpyArrayWrapper` as joblib writes it: for joblib, the data of the array follow its BUILD. */
function wrapper(dtype: Piece, length: number, module = 'joblib.numpy_pickle', aligned = false): Buffer {
  return stream(
    global(module, 'NumpyArrayWrapper'),
    'EMPTY_TUPLE',
    'NEWOBJ',
    'EMPTY_DICT',
    'MARK',
    str('subclass'),
    global('numpy', 'ndarray'),
    str('shape'),
    tuple(int(length)),
    str('order'),
    str('C'),
    str('dtype'),
    dtype,
    str('allow_mmap'),
    'NEWTRUE',
    ...(aligned ? [str('numpy_array_alignment_bytes'), int(16)] : []),
    'SETITEMS',
    'BUILD',
  );
}

const DATA = Buffer.from('hello');
const HIDDEN = stream(PAYLOAD, 'POP');

describe('E17 and E18: arrays of joblib between the opcodes (modelaudit 1554, aisbom 91)', () => {
  check([
    {
      title: 'E17 a payload behind the data of an array',
      bytes: () => stream(PROTO4, wrapper(NUMBERS, 5), DATA, PAYLOAD, 'STOP'),
      name: 'model.joblib',
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E17 the same behind aligned data',
      bytes: () =>
        stream(PROTO4, wrapper(NUMBERS, 5, undefined, true), Buffer.from([3, 255, 255, 255]), DATA, PAYLOAD, 'STOP'),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E17 the same with the joblib that scikit-learn carried',
      bytes: () => stream(PROTO4, wrapper(NUMBERS, 5, 'sklearn.externals.joblib.numpy_pickle'), DATA, PAYLOAD, 'STOP'),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E17 data of an array that are opcodes, which pickle.load runs',
      bytes: () => stream(PROTO4, wrapper(NUMBERS, HIDDEN.length), HIDDEN, 'STOP'),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E17 the same with a STOP in the data, behind which pickle.load stops',
      bytes: () => stream(PROTO4, wrapper(NUMBERS, HIDDEN.length + 1), HIDDEN, 'STOP', 'STOP'),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E17 the same inside a list of arrays',
      bytes: () =>
        stream(
          PROTO4,
          'EMPTY_LIST',
          'MARK',
          wrapper(NUMBERS, 5),
          DATA,
          wrapper(NUMBERS, HIDDEN.length),
          HIDDEN,
          'APPENDS',
          'STOP',
        ),
      // pickle.load fails at the data of the first array, and joblib takes all of it for data.
      verdict: 'safe',
    },
    {
      title: 'E17 an array that is no array of joblib is not skipped',
      bytes: () => stream(PROTO4, wrapper(NUMBERS, HIDDEN.length, 'my_joblib.numpy_pickle'), HIDDEN, 'STOP'),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E17 data that are cut off',
      bytes: () => stream(PROTO4, PAYLOAD, 'POP', wrapper(NUMBERS, 1000), DATA),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E18 an object array, whose pickle follows the wrapper',
      bytes: () => stream(PROTO4, wrapper(OBJECTS, 1), pickle(PAYLOAD), 'STOP'),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E18 a payload behind a clean object array',
      bytes: () => stream(PROTO4, wrapper(OBJECTS, 1), pickle('EMPTY_LIST'), PAYLOAD, 'STOP'),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E18 an object array in an object array',
      bytes: () =>
        stream(PROTO4, wrapper(OBJECTS, 1), stream(PROTO4, wrapper(OBJECTS, 1), pickle(PAYLOAD), 'STOP'), 'STOP'),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E17 an array of numbers alone',
      bytes: () => stream(PROTO4, wrapper(NUMBERS, 5), DATA, 'STOP'),
      verdict: 'safe',
    },
    {
      title: 'E18 an array of objects alone',
      bytes: () => stream(PROTO4, wrapper(OBJECTS, 1), pickle('EMPTY_LIST', str('a'), 'APPEND'), 'STOP'),
      verdict: 'safe',
    },
  ]);
});

import { describe, expect, it } from 'vitest';
import {
  bytes,
  call,
  global,
  int,
  memoGlobal,
  op,
  type Piece,
  PROTO2,
  PROTO4,
  pickle,
  str,
  stream,
  tuple,
} from './assembler';
import { summary } from './scan';

/** One callable of each kind that the catalogue lists under A1, G, F3 to F6. */
const GADGETS: [string, string][] = [
  ['posix', 'system'],
  ['subprocess', 'Popen'],
  ['builtins', 'eval'],
  ['webbrowser', 'open'],
  ['numpy', 'load'],
  ['torch.hub', 'load'],
  ['shutil', 'rmtree'],
  ['socket', 'socket'],
  ['importlib', 'import_module'],
  ['ctypes', 'CDLL'],
  ['runpy', 'run_path'],
  ['logging', 'FileHandler'],
  ['pip._internal.cli.main', 'main'],
  ['mlflow.projects.backend.local', '_run_entry_point'],
];

const ECHO = str('echo hello');
const NOTHING = op('EMPTY_TUPLE');
type Way = (module: string, name: string) => Buffer;

const dict = (...entries: Piece[]): Buffer => stream('EMPTY_DICT', 'MARK', ...entries, 'SETITEMS');
const list = (...items: Piece[]): Buffer => stream('EMPTY_LIST', 'MARK', ...items, 'APPENDS');
const made = (module: string, name: string, state: Piece): Buffer =>
  stream(global(module, name), NOTHING, 'NEWOBJ', state, 'BUILD');
const called = (callable: Piece, ...args: Piece[]): Buffer => stream(callable, tuple(...args), 'REDUCE');

/** Ways in which the stream names the callable and makes the loader call it. */
const CALLING: Record<string, Way> = {
  'A GLOBAL of protocol 0, nothing before it': (m, n) =>
    stream(op('GLOBAL', m, n), 'MARK', op('STRING', "'echo hello'"), 'TUPLE', 'REDUCE', 'STOP'),
  'A GLOBAL of protocol 1': (m, n) =>
    stream(op('GLOBAL', m, n), 'MARK', op('BINSTRING', 'echo hello'), 'TUPLE', 'REDUCE', 'STOP'),
  'A GLOBAL of protocol 2': (m, n) => stream(PROTO2, op('GLOBAL', m, n), ECHO, 'TUPLE1', 'REDUCE', 'STOP'),
  'A GLOBAL of protocol 3': (m, n) => stream(op('PROTO', 3), op('GLOBAL', m, n), ECHO, 'TUPLE1', 'REDUCE', 'STOP'),
  'A GLOBAL of protocol 4': (m, n) => stream(PROTO4, op('GLOBAL', m, n), ECHO, 'TUPLE1', 'REDUCE', 'STOP'),
  'A STACK_GLOBAL of protocol 5 in a frame': (m, n) => {
    const body = stream(called(global(m, n), ECHO), 'STOP');
    return stream(op('PROTO', 5), op('FRAME', body.length), body);
  },
  'A7 STACK_GLOBAL from the memo (JFrog)': (m, n) => pickle(memoGlobal(m, n), tuple(ECHO), 'REDUCE'),
  'A12 STACK_GLOBAL of SHORT_BINSTRING (GHSA-9gvj-pp9x-gcfr)': (m, n) =>
    pickle(op('SHORT_BINSTRING', m), op('SHORT_BINSTRING', n), 'STACK_GLOBAL', tuple(ECHO), 'REDUCE'),
  'B1 INST': (m, n) => stream('MARK', op('STRING', "'echo hello'"), op('INST', m, n), 'STOP'),
  'B1 INST without arguments, in protocol 4 (PickleBall)': (m, n) => pickle('MARK', op('INST', m, n)),
  'B1 OBJ, and POP (GHSA-mxhj-88fx-4pcv)': (m, n) => pickle('MARK', global(m, n), ECHO, 'OBJ', 'POP', 'NONE'),
  'B1 NEWOBJ': (m, n) => pickle(global(m, n), tuple(ECHO), 'NEWOBJ'),
  'B1 NEWOBJ_EX with keywords': (m, n) => pickle(global(m, n), NOTHING, dict(str('shell'), 'NEWTRUE'), 'NEWOBJ_EX'),
  'B2 from the memo, after the name was popped': (m, n) =>
    pickle(global(m, n), 'MEMOIZE', 'POP', op('BINGET', 0), tuple(ECHO), 'REDUCE'),
  'B7 copyreg.__newobj__': (m, n) => pickle(call('copyreg', '__newobj__', global(m, n), ECHO)),
  'B7 copyreg._reconstructor with it as the base': (m, n) =>
    pickle(call('copyreg', '_reconstructor', global('builtins', 'object'), global(m, n), ECHO)),
  'B7 map and list': (m, n) => pickle(call('builtins', 'list', call('builtins', 'map', global(m, n), list(ECHO)))),
  'B7 filter of Python 2': (m, n) =>
    stream(PROTO2, op('GLOBAL', '__builtin__', 'filter'), op('GLOBAL', m, n), list(ECHO), 'TUPLE2', 'REDUCE', 'STOP'),
  'B7 itertools.imap of Python 2': (m, n) =>
    stream(PROTO2, op('GLOBAL', 'itertools', 'imap'), op('GLOBAL', m, n), list(ECHO), 'TUPLE2', 'REDUCE', 'STOP'),
  'B7 functools.reduce': (m, n) => pickle(call('functools', 'reduce', global(m, n), list(ECHO, ECHO))),
  'B7 itertools.starmap, in a deque': (m, n) =>
    pickle(call('collections', 'deque', call('itertools', 'starmap', global(m, n), list(tuple(ECHO))))),
  'B7 a partial that is called': (m, n) => pickle(called(call('functools', 'partial', global(m, n), ECHO))),
  'B7 a partial whose function comes by BUILD': (m, n) =>
    pickle(
      call('functools', 'partial', global('builtins', 'len')),
      tuple(global(m, n), tuple(ECHO), 'EMPTY_DICT', 'NONE'),
      'BUILD',
      NOTHING,
      'REDUCE',
    ),
  'B7 operator.call': (m, n) => pickle(call('operator', 'call', global(m, n), ECHO)),
  'B7 operator.methodcaller of __call__ (GHSA-955r-x9j8-7rhh)': (m, n) =>
    pickle(called(call('operator', 'methodcaller', str('__call__'), ECHO), global(m, n))),
  'B7 contextvars.Context.run': (m, n) => pickle(call('contextvars', 'Context.run', global(m, n), ECHO)),
  'B7 sorted by a key': (m, n) =>
    pickle(
      call('functools', 'partial', global('builtins', 'sorted'), list(ECHO)),
      tuple(global('builtins', 'sorted'), tuple(list(ECHO)), dict(str('key'), global(m, n)), 'NONE'),
      'BUILD',
    ),
  'B7 iter with a last value': (m, n) =>
    pickle(call('builtins', 'next', call('builtins', 'iter', global(m, n), int(0)))),
  'B7 types.MethodType': (m, n) => pickle(called(call('types', 'MethodType', global(m, n), ECHO))),
  'B7 property.__get__': (m, n) =>
    pickle(called(call('builtins', 'getattr', call('builtins', 'property', global(m, n)), str('__get__')), ECHO)),
  'B7 weakref.finalize': (m, n) => pickle(call('weakref', 'finalize', 'EMPTY_SET', global(m, n), ECHO)),
  'B7 atexit.register': (m, n) => pickle(call('atexit', 'register', global(m, n), ECHO)),
  'B7 threading.Thread, started': (m, n) =>
    pickle(
      called(
        call(
          'builtins',
          'getattr',
          call('threading', 'Thread', 'NONE', global(m, n), 'NONE', tuple(ECHO)),
          str('start'),
        ),
      ),
    ),
  'B7 signal.signal and signal.alarm': (m, n) =>
    pickle(call('signal', 'signal', int(14), global(m, n)), 'POP', call('signal', 'alarm', int(1))),
  'B7 unittest.mock': (m, n) => pickle(called(call('unittest.mock', 'MagicMock', 'NONE', global(m, n)))),
  'B7 numpy.vectorize': (m, n) => pickle(called(call('numpy', 'vectorize', global(m, n)), list(ECHO))),
  'B7 numpy.frompyfunc': (m, n) => pickle(called(call('numpy', 'frompyfunc', global(m, n), int(1), int(1)), ECHO)),
  'B7 pandas.DataFrame.apply': (m, n) =>
    pickle(call('pandas', 'DataFrame.apply', call('pandas', 'DataFrame', list(ECHO)), global(m, n))),
  'B7 torch._tensor._rebuild_from_type_v2': (m, n) =>
    pickle(
      call(
        'torch._tensor',
        '_rebuild_from_type_v2',
        global(m, n),
        global('torch', 'Tensor'),
        tuple(ECHO),
        'EMPTY_DICT',
      ),
    ),
  'B10 a class whose __del__ it is': (m, n) =>
    pickle(called(call('builtins', 'type', str('D'), NOTHING, dict(str('__del__'), global(m, n))))),
  'B10 enum by its functional API': (m, n) =>
    pickle(call('enum', 'Enum', str('E'), dict(str('a'), call('functools', 'partial', global(m, n))))),
};

/** Ways in which a vetted object keeps the callable: it runs when the object is used, looked up in or thrown away. */
const KEEPING: Record<string, Way> = {
  'B3 BUILD stores it as __setstate__, and calls it by the next BUILD': (m, n) =>
    pickle(call('collections', 'OrderedDict'), dict(str('__setstate__'), global(m, n)), 'BUILD', ECHO, 'BUILD'),
  'B4 BUILD with slot state of a vetted object': (m, n) =>
    pickle(
      global('sklearn.linear_model', 'Ridge'),
      NOTHING,
      'NEWOBJ',
      'NONE',
      dict(str('predict'), global(m, n)),
      'TUPLE2',
      'BUILD',
    ),
  'B7 a default factory': (m, n) => pickle(call('collections', 'defaultdict', global(m, n))),
  'B7 sklearn.preprocessing.FunctionTransformer': (m, n) =>
    pickle(made('sklearn.preprocessing._function_transformer', 'FunctionTransformer', dict(str('func'), global(m, n)))),
  'B7 a step of a pipeline': (m, n) =>
    pickle(made('sklearn.pipeline', 'Pipeline', dict(str('steps'), list(tuple(str('step'), global(m, n)))))),
  'B7 the analyser of a vectorizer': (m, n) =>
    pickle(made('sklearn.feature_extraction.text', 'CountVectorizer', dict(str('analyzer'), global(m, n)))),
  'B7 a hook of a torch module': (m, n) =>
    pickle(
      made(
        'torch.nn.modules.linear',
        'Linear',
        dict(str('_forward_hooks'), called(global('collections', 'OrderedDict'), list(tuple(int(1), global(m, n))))),
      ),
    ),
  'B7 the hooks of a parameter': (m, n) =>
    pickle(
      call(
        'torch._utils',
        '_rebuild_parameter',
        'NONE',
        'NEWTRUE',
        called(global('collections', 'OrderedDict'), list(tuple(int(0), global(m, n)))),
      ),
    ),
  'B7 the function of torch.utils.data.DataLoader': (m, n) =>
    pickle(made('torch.utils.data.dataloader', 'DataLoader', dict(str('collate_fn'), global(m, n)))),
  'B7 a lambda of torchvision': (m, n) =>
    pickle(made('torchvision.transforms.transforms', 'Lambda', dict(str('lambd'), global(m, n)))),
  'B7 an element of an object array': (m, n) =>
    pickle(
      call('numpy.core.multiarray', '_reconstruct', global('numpy', 'ndarray'), tuple(int(0)), bytes(Buffer.from('b'))),
      tuple(
        int(1),
        tuple(int(1)),
        call('numpy', 'dtype', str('O8'), 'NEWFALSE', 'NEWTRUE'),
        'NEWFALSE',
        list(global(m, n)),
      ),
      'BUILD',
    ),
  'B a key of a dict': (m, n) => pickle(dict(global(m, n), ECHO)),
  'B an item of a frozenset': (m, n) => pickle('MARK', global(m, n), 'FROZENSET'),
  'B an item of a set': (m, n) => pickle('EMPTY_SET', 'MARK', global(m, n), 'ADDITEMS'),
  'B a keyword of NEWOBJ_EX': (m, n) =>
    pickle(global('collections', 'OrderedDict'), NOTHING, dict(str('f'), global(m, n)), 'NEWOBJ_EX'),
  'A18 a persistent id': (m, n) =>
    pickle(tuple(str('storage'), global(m, n), str('0'), str('cpu'), int(1)), 'BINPERSID'),
  'A17 a code of the extension registry': (m, n) =>
    pickle(call('copyreg', 'add_extension', str(m), str(n), int(240)), 'POP', op('EXT1', 240), tuple(ECHO), 'REDUCE'),
  'A24 an entry of sys.modules': (m, n) => pickle(global('sys', 'modules'), str('json'), global(m, n), 'SETITEM'),
  'B5 an entry of copyreg.dispatch_table': (m, n) =>
    pickle(global('copyreg', 'dispatch_table'), global('builtins', 'int'), global(m, n), 'SETITEM'),
};

/** Ways in which the name stands nowhere as a name: it is put together, fetched, or inside something else. */
const HIDING: Record<string, Way> = {
  'A13 concatenated': (m, n) =>
    pickle(
      call('operator', 'concat', str(m.slice(0, 2)), str(m.slice(2))),
      call('operator', 'add', str(n.slice(0, 2)), str(n.slice(2))),
      'STACK_GLOBAL',
      tuple(ECHO),
      'REDUCE',
    ),
  'A13 joined': (m, n) =>
    pickle(
      call('builtins', 'str.join', str('.'), list(...m.split('.').map((part) => str(part)))),
      str(n),
      'STACK_GLOBAL',
      tuple(ECHO),
      'REDUCE',
    ),
  'A13 decoded from bytes': (m, n) =>
    pickle(
      called(call('builtins', 'getattr', bytes(Buffer.from(m)), str('decode')), str('utf-8')),
      call('builtins', 'str', bytes(Buffer.from(n)), str('utf-8')),
      'STACK_GLOBAL',
      tuple(ECHO),
      'REDUCE',
    ),
  'A13 decoded from base64 and hexadecimal digits': (m, n) =>
    pickle(
      call('builtins', 'str', call('base64', 'b64decode', str(Buffer.from(m).toString('base64'))), str('ascii')),
      call('codecs', 'decode', call('binascii', 'unhexlify', str(Buffer.from(n).toString('hex'))), str('ascii')),
      'STACK_GLOBAL',
      tuple(ECHO),
      'REDUCE',
    ),
  'A13 reversed, which is not followed': (m, n) =>
    pickle(
      call('builtins', 'str.join', str(''), call('builtins', 'reversed', str([...m].reverse().join('')))),
      str(n),
      'STACK_GLOBAL',
      tuple(ECHO),
      'REDUCE',
    ),
  'B8 getattr of importlib.import_module': (m, n) =>
    pickle(called(call('builtins', 'getattr', call('importlib', 'import_module', str(m)), str(n)), ECHO)),
  'B8 getattr of __import__ of Python 2': (m, n) =>
    stream(
      PROTO2,
      op('GLOBAL', '__builtin__', 'getattr'),
      tuple(op('GLOBAL', '__builtin__', '__import__'), tuple(str(m)), 'REDUCE', str(n)),
      'REDUCE',
      tuple(ECHO),
      'REDUCE',
      'STOP',
    ),
  'B8 attrgetter of an import (GHSA-46h3-79wf-xr6c)': (m, n) =>
    pickle(called(called(call('operator', 'attrgetter', str(n)), call('importlib', 'import_module', str(m))), ECHO)),
  'B8 cloudpickle.cloudpickle.subimport': (m, n) =>
    pickle(called(call('builtins', 'getattr', call('cloudpickle.cloudpickle', 'subimport', str(m)), str(n)), ECHO)),
  'B8 dill._dill._import_module': (m, n) =>
    pickle(called(call('dill._dill', '_import_module', str(`${m}.${n}`)), ECHO)),
  'B8 pkgutil.resolve_name (GHSA-vvpj-8cmc-gx39)': (m, n) =>
    pickle(called(call('pkgutil', 'resolve_name', str(`${m}:${n}`)), ECHO)),
  'B8 pydoc.locate (GHSA-84r2-jw7c-4r5q)': (m, n) => pickle(called(call('pydoc', 'locate', str(`${m}.${n}`)), ECHO)),
  'B8 numpy.core._ufunc_reconstruct, which imports': (m, n) =>
    pickle(called(call('numpy.core', '_ufunc_reconstruct', str(m), str(n)), ECHO)),
  'B8 joblib.externals.cloudpickle': (m, n) =>
    pickle(
      called(
        call('builtins', 'getattr', call('joblib.externals.cloudpickle.cloudpickle', 'subimport', str(m)), str(n)),
        ECHO,
      ),
    ),
  'B8 string.Formatter.get_field': (m, n) =>
    pickle(
      call('string', 'Formatter.get_field', call('string', 'Formatter'), str(`0.${n}`), tuple(str(m)), 'EMPTY_DICT'),
    ),
  'B9 the text of an expression': (m, n) =>
    pickle(call('timeit', 'timeit', str(`__import__("${m}").${n}("echo hello")`))),
  'J the text in base64': (m, n) =>
    pickle(
      call(
        'builtins',
        'exec',
        call('base64', 'b64decode', str(Buffer.from(`import ${m}; ${m}.${n}`).toString('base64'))),
      ),
    ),
  'F1 a pickle in a pickle': (m, n) => pickle(call('pickle', 'loads', bytes(pickle(call(m, n, ECHO))))),
  'F1 three pickles in each other': (m, n) =>
    pickle(
      call(
        '_pickle',
        'loads',
        bytes(
          pickle(call('pickle', '_loads', bytes(pickle(call('cPickle', 'loads', bytes(pickle(call(m, n, ECHO)))))))),
        ),
      ),
    ),
  'F2 a pickle in torch.storage._load_from_bytes': (m, n) =>
    pickle(call('torch.storage', '_load_from_bytes', bytes(pickle(call(m, n, ECHO))))),
  'F7 a pickle in base64 and zlib': (m, n) =>
    pickle(
      call(
        'pickle',
        'loads',
        call('base64', 'b64decode', str(Buffer.from(pickle(call(m, n, ECHO))).toString('base64'))),
      ),
    ),
};

describe.each(Object.entries({ ...CALLING, ...KEEPING, ...HIDING }))('%s', (_, way) => {
  it('is dangerous with every callable', () => {
    const missed = GADGETS.filter(([module, name]) => summary(way(module, name)).verdict !== 'dangerous');
    expect(missed).toEqual([]);
  });
});

describe('the callable is named', () => {
  it.each(Object.entries(CALLING))('%s', (_, way) => {
    for (const [module, name] of GADGETS.slice(0, 4)) {
      const { calls, names } = summary(way(module, name));
      expect([...calls, ...names].join('\n')).toContain(`${module}.${name}`);
    }
  });
});

/** What a function may be handed to is judged by what the policy says about calling it, not about naming it. */
describe('B7: functions that may be named and not called', () => {
  const functions: [string, string][] = [
    ['copy', 'deepcopy'],
    ['json', 'loads'],
    ['scipy.optimize', 'minimize'],
    ['torchvision.models.resnet', 'resnet50'],
  ];
  const callers: Record<string, Way> = {
    map: (m, n) => pickle(call('builtins', 'list', call('builtins', 'map', global(m, n), list(ECHO)))),
    'a partial that is called': (m, n) => pickle(called(call('functools', 'partial', global(m, n), ECHO))),
    'the method append of an object': (m, n) =>
      pickle(call('types', 'SimpleNamespace'), dict(str('append'), global(m, n)), 'BUILD', ECHO, 'APPEND'),
    'the method extend of an object': (m, n) =>
      pickle(call('types', 'SimpleNamespace'), dict(str('extend'), global(m, n)), 'BUILD', 'MARK', ECHO, 'APPENDS'),
    'the method add of an object': (m, n) =>
      pickle(call('argparse', 'Namespace'), dict(str('add'), global(m, n)), 'BUILD', 'MARK', ECHO, 'ADDITEMS'),
    __reduce_ex__: (m, n) =>
      pickle(call('types', 'SimpleNamespace'), dict(str('__reduce_ex__'), global(m, n)), 'BUILD'),
    'a default factory of what the stream looks up': (m, n) =>
      pickle(
        called(call('builtins', 'getattr', call('collections', 'defaultdict', global(m, n)), str('__missing__')), ECHO),
      ),
  };
  it.each(Object.entries(callers))('by %s', (_, way) => {
    const missed = functions.filter(([module, name]) => summary(way(module, name)).verdict === 'safe');
    expect(missed).toEqual([]);
  });
});

import { describe } from 'vitest';
import { bytes, call, global, int, op, PAYLOAD, pickle, str, stream, tuple } from './assembler';
import { check, SYSTEM } from './cases';

const ECHO = str('echo hello');
const SYSTEM_NAME = global('posix', 'system');
/** `types.CodeType(...)` of a lambda, as cloudpickle writes it. */
const CODE = call(
  'types',
  'CodeType',
  int(1),
  int(0),
  int(0),
  int(1),
  int(2),
  int(3),
  bytes(Buffer.from([0x97, 0])),
  tuple('NONE', int(2)),
  op('EMPTY_TUPLE'),
  tuple(str('x')),
  str('file.py'),
  str('<lambda>'),
  str('<lambda>'),
  int(1),
  bytes(Buffer.alloc(0)),
  bytes(Buffer.alloc(0)),
  op('EMPTY_TUPLE'),
  op('EMPTY_TUPLE'),
);
const FUNCTION = call('cloudpickle.cloudpickle', '_make_function', CODE, op('EMPTY_DICT'), 'NONE', 'NONE', 'NONE');

/** Section B of the catalogue: calls without an obvious REDUCE, and calls of what is not obvious. */
describe('B: calling', () => {
  check([
    {
      title: 'B1 INST',
      bytes: () => stream('MARK', op('STRING', "'echo hello'"), op('INST', 'posix', 'system'), 'STOP'),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    { title: 'B1 OBJ', bytes: () => pickle('MARK', SYSTEM_NAME, ECHO, 'OBJ'), verdict: 'dangerous', call: SYSTEM },
    {
      title: 'B1 NEWOBJ of subprocess.Popen',
      bytes: () => pickle(global('subprocess', 'Popen'), tuple(ECHO), 'NEWOBJ'),
      verdict: 'dangerous',
      call: /subprocess\.Popen/,
    },
    {
      title: 'B1 NEWOBJ_EX with keywords (crash of fickling)',
      bytes: () =>
        pickle(
          global('subprocess', 'Popen'),
          tuple(ECHO),
          'EMPTY_DICT',
          str('shell'),
          'NEWTRUE',
          'SETITEM',
          'NEWOBJ_EX',
        ),
      verdict: 'dangerous',
      call: /shell=True|Popen/,
    },
    {
      title: 'B2 the result is dropped (GHSA-mxhj-88fx-4pcv)',
      bytes: () => pickle('MARK', SYSTEM_NAME, ECHO, 'OBJ', 'POP', 'NONE'),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'B3 BUILD stores a function as __setstate__',
      bytes: () =>
        pickle(
          global('collections', 'OrderedDict'),
          'EMPTY_TUPLE',
          'REDUCE',
          'EMPTY_DICT',
          str('__setstate__'),
          SYSTEM_NAME,
          'SETITEM',
          'BUILD',
          ECHO,
          'BUILD',
        ),
      verdict: 'dangerous',
      rule: 'stored-hook',
    },
    {
      title: 'B4 BUILD with slot state on an imported function (modelscan 330)',
      bytes: () =>
        pickle(global('numpy', 'size'), 'NONE', 'EMPTY_DICT', str('__code__'), int(1), 'SETITEM', 'TUPLE2', 'BUILD'),
      verdict: 'dangerous',
      rule: 'mutated-import',
    },
    {
      title: 'B5 SETITEM on an imported dict',
      bytes: () => pickle(global('os', 'environ'), str('LD_PRELOAD'), str('x.so'), 'SETITEM'),
      verdict: 'dangerous',
      rule: 'mutated-import',
    },
    {
      title: 'B5 SETITEM on what no dict is (CVE-2026-24747)',
      bytes: () => pickle(global('torch._utils', '_rebuild_tensor_v2'), str('x'), int(1), 'SETITEM'),
      verdict: 'dangerous',
      rule: 'mutated-import',
    },
    {
      title: 'B6 APPEND to an imported list',
      bytes: () => pickle(global('sys', 'path'), str('/tmp/x'), 'APPEND'),
      verdict: 'dangerous',
      rule: 'mutated-import',
    },
    {
      title: 'B7 map and list',
      bytes: () => pickle(call('builtins', 'list', call('builtins', 'map', SYSTEM_NAME, 'EMPTY_LIST', ECHO, 'APPEND'))),
      verdict: 'dangerous',
    },
    {
      title: 'B7 map of a name of numpy that is only to be referred to',
      bytes: () => pickle(call('builtins', 'map', global('numpy', 'savetxt'), 'EMPTY_LIST')),
      verdict: 'dangerous',
    },
    {
      title: 'B7 filter, reduce, starmap and accumulate',
      bytes: () => pickle(call('itertools', 'starmap', SYSTEM_NAME, 'EMPTY_LIST')),
      verdict: 'dangerous',
    },
    {
      title: 'B7 a partial that is called',
      bytes: () => pickle(call('functools', 'partial', SYSTEM_NAME, ECHO), 'EMPTY_TUPLE', 'REDUCE'),
      verdict: 'dangerous',
    },
    {
      title: 'B7 a partial of a vetted class is benign',
      bytes: () => pickle(call('functools', 'partial', global('builtins', 'int'))),
      verdict: 'safe',
    },
    {
      title: 'B7 a partial of something that is no function',
      bytes: () => pickle(call('functools', 'partial', ECHO)),
      verdict: 'dangerous',
    },
    {
      title: 'B7 operator.call',
      bytes: () => pickle(call('operator', 'call', SYSTEM_NAME, ECHO)),
      verdict: 'dangerous',
    },
    {
      title: 'B7 a default factory',
      bytes: () => pickle(call('collections', 'defaultdict', SYSTEM_NAME)),
      verdict: 'dangerous',
    },
    {
      title: 'B7 an honest default factory',
      bytes: () => pickle(call('collections', 'defaultdict', global('builtins', 'list'))),
      verdict: 'safe',
    },
    {
      title: 'B7 getattr handed to map is not cleared by a harmless call of it',
      bytes: () =>
        pickle(
          call('builtins', 'getattr', str('a'), str('upper')),
          'POP',
          call('builtins', 'map', global('builtins', 'getattr'), 'EMPTY_LIST'),
        ),
      verdict: 'dangerous',
    },
    {
      title: 'B8 getattr on a module (GHSA-955r-x9j8-7rhh and its kind)',
      bytes: () => pickle(call('builtins', 'getattr', global('posix', 'path'), str('os'))),
      verdict: 'dangerous',
    },
    {
      title: 'B8 pkgutil.resolve_name (GHSA-vvpj-8cmc-gx39)',
      bytes: () => pickle(call('pkgutil', 'resolve_name', str('os:system')), tuple(ECHO), 'REDUCE'),
      verdict: 'dangerous',
    },
    {
      title: 'B8 attrgetter of a special name (GHSA-46h3-79wf-xr6c)',
      bytes: () => pickle(call('operator', 'attrgetter', str('__globals__'))),
      verdict: 'dangerous',
    },
    {
      title: 'B8 attrgetter of a plain name is benign',
      bytes: () => pickle(call('operator', 'attrgetter', str('score'))),
      verdict: 'safe',
    },
    {
      title: 'B8 a harmless attribute of a constructed object is benign (YOLO, TF-IDF)',
      bytes: () =>
        pickle(
          call(
            'builtins',
            'getattr',
            stream(global('torch.nn.modules.linear', 'Linear'), 'EMPTY_TUPLE', 'NEWOBJ'),
            str('weight'),
          ),
        ),
      verdict: 'safe',
    },
    {
      title: 'B8 a method of a constructed object that is called (PosixPath.write_text)',
      bytes: () =>
        pickle(
          call('builtins', 'getattr', call('pathlib', 'PosixPath', str('x')), str('write_text')),
          tuple(ECHO),
          'REDUCE',
        ),
      verdict: 'dangerous',
      call: /write_text/,
    },
    {
      title: 'B8 a special attribute of an object',
      bytes: () => pickle(call('builtins', 'getattr', str('a'), str('__class__'))),
      verdict: 'dangerous',
      rule: 'dangerous-attribute',
    },
    {
      title: 'B8 the name of an attribute is computed',
      bytes: () => pickle(call('builtins', 'getattr', str('a'), call('my_package', 'name'))),
      verdict: 'dangerous',
    },
    {
      title: 'B9 timeit.timeit',
      bytes: () => pickle(call('timeit', 'timeit', ECHO)),
      verdict: 'dangerous',
      call: /timeit\.timeit\('echo hello'\)/,
    },
    {
      title: 'B9 numpy.f2py.crackfortran.getlincoef (GHSA-r8g5-cgf2-4m4m)',
      bytes: () => pickle(call('numpy.f2py.crackfortran', 'getlincoef', ECHO, op('EMPTY_DICT'))),
      verdict: 'dangerous',
    },
    {
      title: 'B9 source text in the state of a distribution',
      bytes: () =>
        pickle(
          global('scipy.stats._continuous_distns', 'norm_gen'),
          'EMPTY_TUPLE',
          'NEWOBJ',
          'EMPTY_DICT',
          str('_parse_arg_template'),
          ECHO,
          'SETITEM',
          'BUILD',
        ),
      verdict: 'dangerous',
      rule: 'source-in-state',
    },
    {
      title: 'B9 a formula in the state of the data of statsmodels, which it evaluates',
      bytes: () =>
        pickle(
          global('statsmodels.base.data', 'PandasData'),
          'EMPTY_TUPLE',
          'NEWOBJ',
          'EMPTY_DICT',
          'MARK',
          str('restore_model_spec'),
          'NEWTRUE',
          str('frame'),
          'NONE',
          str('formula'),
          str("y ~ __import__('os').system('echo hello')"),
          'SETITEMS',
          'BUILD',
        ),
      verdict: 'dangerous',
      rule: 'source-in-state',
    },
    {
      title: 'B9 a formula of the data of statsmodels as people write it',
      bytes: () =>
        pickle(
          global('statsmodels.base.data', 'PandasData'),
          'EMPTY_TUPLE',
          'NEWOBJ',
          'EMPTY_DICT',
          str('formula'),
          str('y ~ C(region) + np.log(income)'),
          'SETITEM',
          'BUILD',
        ),
      verdict: 'safe',
    },
    {
      title: 'B3 a function as __array_namespace__, which SciPy calls on what it restores',
      bytes: () =>
        pickle(
          call('types', 'SimpleNamespace'),
          'EMPTY_DICT',
          str('__array_namespace__'),
          global('copy', 'deepcopy'),
          'SETITEM',
          'BUILD',
        ),
      verdict: 'dangerous',
      rule: 'stored-hook',
    },
    {
      title: 'B10 type() with a method that runs by itself',
      bytes: () =>
        pickle(
          call(
            'builtins',
            'type',
            str('D'),
            tuple(global('pathlib', 'PosixPath')),
            stream('EMPTY_DICT', str('__del__'), global('pathlib', 'Path.touch'), 'SETITEM'),
          ),
        ),
      verdict: 'dangerous',
    },
    {
      title: 'B10 type() with bytecode under a name that runs by itself',
      bytes: () =>
        pickle(
          call(
            'builtins',
            'type',
            str('D'),
            tuple(global('builtins', 'object')),
            stream('EMPTY_DICT', str('__del__'), FUNCTION, 'SETITEM'),
          ),
        ),
      verdict: 'dangerous',
      rule: 'method-runs-itself',
    },
    {
      title: 'B11 a file written for later (numpy.savetxt)',
      bytes: () => pickle(call('numpy', 'savetxt', str('x.pth'), 'EMPTY_LIST')),
      verdict: 'dangerous',
    },
    {
      title: 'B11 atexit.register',
      bytes: () => pickle(call('atexit', 'register', SYSTEM_NAME, ECHO)),
      verdict: 'dangerous',
    },
    {
      title: 'B12 the scanner itself is attacked (fickling PR 249)',
      bytes: () => pickle(call('picklescan.scanner', '_unsafe_globals.clear')),
      verdict: 'dangerous',
    },
    {
      title: 'B12 torch.serialization.add_safe_globals',
      bytes: () => pickle(call('torch.serialization', 'add_safe_globals', 'EMPTY_LIST')),
      verdict: 'dangerous',
    },
    {
      title: 'B13 bytecode that is kept (cloudpickle)',
      bytes: () => pickle(FUNCTION),
      verdict: 'suspicious',
      rule: 'python-bytecode',
    },
    {
      title: 'B13 bytecode that is called',
      bytes: () => pickle(FUNCTION, tuple(int(1)), 'REDUCE'),
      verdict: 'dangerous',
      rule: 'bytecode-called',
    },
    {
      title: 'B13 bytecode that a vetted iterator calls',
      bytes: () => pickle(call('builtins', 'map', FUNCTION, 'EMPTY_LIST')),
      verdict: 'dangerous',
      rule: 'bytecode-called',
    },
    {
      title: 'B13 a code object by its type name, as cloudpickle asks for it',
      bytes: () => pickle(call('cloudpickle.cloudpickle', '_builtin_type', str('CodeType'))),
      verdict: 'safe',
    },
    {
      title: 'B13 a type name that is none',
      bytes: () => pickle(call('cloudpickle.cloudpickle', '_builtin_type', str('sys'))),
      verdict: 'dangerous',
    },
    {
      title: 'B13 marshal.loads of anything but a code object',
      bytes: () => pickle(call('marshal', 'loads', bytes(Buffer.from('abc')))),
      verdict: 'dangerous',
    },
  ]);
});

/** Section F: loaders inside. */
describe('F: nested loaders', () => {
  const inner = pickle(PAYLOAD);
  const clean = pickle('EMPTY_LIST');
  check([
    {
      title: 'F1 pickle.loads of a payload',
      bytes: () => pickle(call('pickle', 'loads', bytes(inner))),
      verdict: 'dangerous',
      rule: 'nested-load',
      call: SYSTEM,
    },
    {
      title: 'F1 pickle.loads of a clean pickle',
      bytes: () => pickle(call('pickle', 'loads', bytes(clean))),
      verdict: 'suspicious',
      rule: 'nested-load',
    },
    {
      title: 'F1 pickle.Unpickler',
      bytes: () => pickle(call('pickle', 'Unpickler', bytes(clean))),
      verdict: 'dangerous',
    },
    {
      title: 'F2 torch.storage._load_from_bytes of a payload',
      bytes: () => pickle(call('torch.storage', '_load_from_bytes', bytes(inner))),
      verdict: 'dangerous',
      rule: 'nested-load',
    },
    { title: 'F3 torch.jit.load', bytes: () => pickle(call('torch.jit', 'load', str('x'))), verdict: 'dangerous' },
    {
      title: 'F4 numpy.load of a path',
      bytes: () => pickle(call('numpy', 'load', str('x.npy'), 'NONE', 'NEWTRUE')),
      verdict: 'dangerous',
    },
    {
      title: 'F5 pandas.read_pickle of an address (modelscan 338)',
      bytes: () => pickle(call('pandas', 'read_pickle', str('http://localhost/x'))),
      verdict: 'dangerous',
    },
    { title: 'F6 joblib.load', bytes: () => pickle(call('joblib', 'load', str('x'))), verdict: 'dangerous' },
    { title: 'F6 dill.loads', bytes: () => pickle(call('dill', 'loads', bytes(clean))), verdict: 'dangerous' },
    {
      title: 'F7 a pickle in base64, decoded in the stream',
      bytes: () => pickle(call('pickle', 'loads', call('base64', 'b64decode', str(inner.toString('base64'))))),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'F7 a pickle in hexadecimal digits',
      bytes: () => pickle(call('pickle', 'loads', call('binascii', 'unhexlify', str(inner.toString('hex'))))),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    { title: 'F8 bytes that are a pickle and nobody loads', bytes: () => pickle(bytes(inner)), verdict: 'safe' },
  ]);
});

/** Section K: shortcuts that trust. */
describe('K: trust', () => {
  check([
    {
      title: 'K1 a trusted name of a model changes nothing',
      bytes: () => pickle(PAYLOAD),
      name: 'bert-base-uncased.bin',
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'K2 many safe names do not dilute (saferpickle)',
      bytes: () => pickle(...Array.from({ length: 500 }, () => stream(global('torch', 'float32'), 'POP')), PAYLOAD),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'K3 a payload behind 100 MB of data is not out of reach',
      bytes: () => pickle(op('BINBYTES', Buffer.alloc(100 * 1024 * 1024)), 'POP', PAYLOAD),
      name: 'model.joblib',
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'K3 bytes behind a pickle that are more than are searched are never safe',
      bytes: () => Buffer.concat([pickle('EMPTY_DICT'), Buffer.alloc(65 * 1024 * 1024, 1), pickle(PAYLOAD)]),
      verdict: 'suspicious',
      rule: 'trailing-bytes',
    },
    {
      title: 'K4 a vetted module is changed before it is used (ShadowPickle, arXiv 2607.17503)',
      bytes: () =>
        pickle(
          global('torch._utils', '__dict__'),
          str('_rebuild_tensor_v2'),
          int(1),
          'SETITEM',
          'POP',
          global('torch._utils', '_rebuild_tensor_v2'),
        ),
      verdict: 'dangerous',
    },
    {
      title: 'K4 and a later import of that module says so',
      bytes: () => pickle(global('torch', 'float32'), str('a'), int(1), 'SETITEM', 'POP', global('torch', 'float64')),
      verdict: 'dangerous',
      rule: 'changed-import',
    },
  ]);
});

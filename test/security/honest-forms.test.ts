import { describe } from 'vitest';
import { bytes, call, global, int, op, type Piece, pickle, str, stream, tuple } from './assembler';
import { check } from './cases';

const dict = (...items: Piece[]) => stream('EMPTY_DICT', 'MARK', ...items, 'SETITEMS');
const list = (...items: Piece[]) => stream('EMPTY_LIST', 'MARK', ...items, 'APPENDS');
const EMPTY_TUPLE = op('EMPTY_TUPLE');
const NONE = op('NONE');

const MEMMAP = global('numpy', 'memmap');
const blank = (cls: Buffer) =>
  call('numpy._core.multiarray', '_reconstruct', cls, tuple(int(0)), bytes(Buffer.from('b')));
const STATE = tuple(
  int(1),
  tuple(int(1)),
  call('numpy', 'dtype', str('u1'), 'NEWFALSE', 'NEWTRUE'),
  'NEWFALSE',
  bytes(Buffer.from('a')),
);

/** `numpy.memmap(path, …)` opens or creates a file. Pickled arrays of the class are made by `ndarray.__new__`, which does not. */
describe('arrays of numpy.memmap', () => {
  check([
    { title: 'as pickle writes one', bytes: () => pickle(blank(MEMMAP), STATE, 'BUILD'), verdict: 'safe' },
    {
      title: 'the constructor by NEWOBJ',
      bytes: () => pickle(MEMMAP, tuple(str('/tmp/x'), str('u1'), str('w+')), 'NEWOBJ'),
      verdict: 'dangerous',
    },
    {
      title: 'the constructor by REDUCE, after an honest array',
      bytes: () => pickle(blank(MEMMAP), 'POP', call('numpy', 'memmap', str('/tmp/x'), str('u1'), str('w+'))),
      verdict: 'dangerous',
    },
    {
      title: 'the class handed around beside an honest array',
      bytes: () => pickle(list(blank(MEMMAP), MEMMAP)),
      verdict: 'dangerous',
    },
    {
      title: 'the class kept by a partial beside an honest array',
      bytes: () => pickle(list(blank(MEMMAP), call('functools', 'partial', MEMMAP, str('/tmp/x')))),
      verdict: 'dangerous',
    },
    {
      title: 'the class as the factory of a defaultdict beside an honest array',
      bytes: () => pickle(list(blank(MEMMAP), call('collections', 'defaultdict', MEMMAP))),
      verdict: 'dangerous',
    },
    { title: 'the class alone', bytes: () => pickle(MEMMAP), verdict: 'dangerous' },
  ]);
});

const typeOf = (name: string) => call('dill._dill', '_load_type', str(name));
const getattr = (cls: Piece, name: string, shown: string) => call('dill._dill', '_getattr', cls, str(name), str(shown));

/** dill restores constants and methods of built-in types by evaluating how they are shown. */
describe('text that dill evaluates', () => {
  check([
    { title: 'Ellipsis', bytes: () => pickle(call('dill._dill', '_eval_repr', str('Ellipsis'))), verdict: 'safe' },
    { title: 'a range', bytes: () => pickle(call('dill._dill', '_eval_repr', str('range(0, 3)'))), verdict: 'safe' },
    {
      title: 'a call',
      bytes: () => pickle(call('dill._dill', '_eval_repr', str("__import__('posix').system('echo hello')"))),
      verdict: 'dangerous',
    },
    {
      title: 'a range with an expression in it',
      bytes: () => pickle(call('dill._dill', '_eval_repr', str('range(exit())'))),
      verdict: 'dangerous',
    },
    {
      title: 'the keys of a dict',
      bytes: () =>
        pickle(
          getattr(typeOf('dict'), 'keys', "<method 'keys' of 'dict' objects>"),
          tuple(dict(str('a'), int(1))),
          'REDUCE',
        ),
      verdict: 'safe',
    },
    {
      title: 'an expression in the place of the class',
      bytes: () => pickle(getattr(typeOf('dict'), 'keys', "<method 'keys' of 'exit()' objects>")),
      verdict: 'dangerous',
    },
    {
      title: 'another name than the one that is shown',
      bytes: () => pickle(getattr(typeOf('dict'), 'values', "<method 'keys' of 'dict' objects>")),
      verdict: 'dangerous',
    },
    {
      title: 'a name that leaves the text',
      bytes: () => pickle(getattr(typeOf('dict'), 'keys"] or exit("', "<method 'keys' of 'dict' objects>")),
      verdict: 'dangerous',
    },
    {
      title: 'the subclasses of object',
      bytes: () => pickle(getattr(typeOf('object'), '__subclasses__', "<method '__subclasses__' of 'object' objects>")),
      verdict: 'dangerous',
    },
    {
      title: 'an itemgetter by the name of its type',
      bytes: () => pickle(typeOf('ItemGetterType'), tuple(int(1)), 'REDUCE'),
      verdict: 'safe',
    },
    {
      title: 'an attrgetter of what leads to code',
      bytes: () => pickle(typeOf('AttrGetterType'), tuple(str('__globals__')), 'REDUCE'),
      verdict: 'dangerous',
    },
    {
      title: 'a property of a dangerous function',
      bytes: () => pickle(typeOf('property'), tuple(global('posix', 'system')), 'REDUCE'),
      verdict: 'dangerous',
    },
  ]);
});

/** Iterators that call a function on each item, unless it is None. */
describe('iterators without a function', () => {
  check([
    { title: 'filter(None, …)', bytes: () => pickle(call('builtins', 'filter', NONE, list(int(1)))), verdict: 'safe' },
    { title: 'accumulate', bytes: () => pickle(call('itertools', 'accumulate', list(int(1)), NONE)), verdict: 'safe' },
    { title: 'groupby', bytes: () => pickle(call('itertools', 'groupby', list(int(1)))), verdict: 'safe' },
    {
      title: 'filter of a dangerous function',
      bytes: () => pickle(call('builtins', 'filter', global('posix', 'system'), list(str('echo hello')))),
      verdict: 'dangerous',
    },
    {
      title: 'groupby of a dangerous function',
      bytes: () => pickle(call('itertools', 'groupby', list(str('echo hello')), global('posix', 'system'))),
      verdict: 'dangerous',
    },
  ]);
});

const FORMULA = stream(global('formulaic.formula', 'SimpleFormula'), EMPTY_TUPLE, 'NEWOBJ');
const withFormula = (module: string, name: string, formula: Piece) =>
  pickle(global(module, name), EMPTY_TUPLE, 'NEWOBJ', dict(str('formula'), formula), 'BUILD');

/** formulaic keeps a formula that was read; statsmodels has one evaluated when its data are restored. */
describe('a formula in a state', () => {
  check([
    {
      title: 'as the object that formulaic read',
      bytes: () => withFormula('formulaic.model_spec', 'ModelSpec', FORMULA),
      verdict: 'safe',
    },
    {
      title: 'that object in the data of statsmodels',
      bytes: () => withFormula('statsmodels.base.data', 'PandasData', FORMULA),
      verdict: 'dangerous',
    },
    {
      title: 'text with a call in a specification',
      bytes: () => withFormula('formulaic.model_spec', 'ModelSpec', str("__import__('posix').system('echo hello')")),
      verdict: 'dangerous',
    },
  ]);
});

/** An object that joins two classes: `DynamicInheritanceGetter()(Batch, Data)` as torch_geometric pickles a batch. */
describe('batches of torch_geometric', () => {
  const GEOMETRIC = 'torch_geometric.data';
  const BATCH = global(`${GEOMETRIC}.batch`, 'Batch');
  const getter = call(`${GEOMETRIC}.batch`, 'DynamicInheritanceGetter');
  const joined = (...args: Piece[]) => pickle(getter, tuple(...args), 'REDUCE');
  check([
    { title: 'of graphs', bytes: () => joined(BATCH, global(`${GEOMETRIC}.data`, 'Data')), verdict: 'safe' },
    {
      title: 'of a class of the file’s choice',
      bytes: () => joined(BATCH, global('my_package', 'Data')),
      verdict: 'dangerous',
    },
    {
      title: 'where another class is called',
      bytes: () => joined(global('collections', 'OrderedDict'), global(`${GEOMETRIC}.data`, 'Data')),
      verdict: 'dangerous',
    },
    { title: 'with one argument', bytes: () => joined(BATCH), verdict: 'dangerous' },
  ]);
});

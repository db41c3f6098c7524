import { describe } from 'vitest';
import { call, global, int, op, pickle, str, stream, tuple } from './assembler';
import { check } from './cases';

const SYSTEM = global('posix', 'system');
const list = (...items: (Buffer | string)[]) => stream('EMPTY_LIST', 'MARK', ...items, 'APPENDS');

/** How Python pickles its own plain objects: each is safe as Python writes it, and not with what an attacker puts into its place. */
describe('plain objects of Python', () => {
  check([
    {
      title: 'typing.List[int]',
      bytes: () => pickle(call('_operator', 'getitem', global('typing', 'List'), global('builtins', 'int'))),
      verdict: 'safe',
    },
    {
      title: "typing.Literal['a b']",
      bytes: () => pickle(call('_operator', 'getitem', global('typing', 'Literal'), str('a b'))),
      verdict: 'safe',
    },
    {
      title: 'B8 getitem of anything else',
      bytes: () => pickle(call('_operator', 'getitem', global('os', 'environ'), str('HOME'))),
      verdict: 'dangerous',
    },
    {
      title: 'B8 getitem of what getitem yields',
      bytes: () =>
        pickle(
          call(
            '_operator',
            'getitem',
            call('_operator', 'getitem', global('typing', 'List'), global('builtins', 'int')),
            str('x'),
          ),
        ),
      verdict: 'dangerous',
    },
    {
      title: 'B9 an annotation with text that is evaluated later',
      bytes: () => pickle(call('_operator', 'getitem', global('typing', 'List'), str("__import__('os')"))),
      verdict: 'dangerous',
    },
    {
      title: 'type(...)',
      bytes: () => pickle(call('builtins', 'type', global('builtins', 'Ellipsis'))),
      verdict: 'safe',
    },
    {
      title: 'type of something else',
      bytes: () => pickle(call('builtins', 'type', global('collections', 'OrderedDict'))),
      verdict: 'dangerous',
    },
    {
      title: 'an exception with arguments',
      bytes: () => pickle(call('json.decoder', 'JSONDecodeError', str('m'), str('doc'), int(1))),
      verdict: 'safe',
    },
    {
      title: 'an exception under the name of Python 2 (Queue.Full)',
      bytes: () => stream(op('PROTO', 2), op('GLOBAL', 'Queue', 'Full'), op('EMPTY_TUPLE'), 'REDUCE', 'STOP'),
      verdict: 'safe',
    },
    {
      title: 'A4 a function under the name of Python 2 (commands.getoutput)',
      bytes: () => stream(op('PROTO', 2), op('GLOBAL', 'commands', 'getoutput'), 'STOP'),
      verdict: 'dangerous',
    },
    {
      title: 'functools.partial(max, key=len)',
      bytes: () => {
        const max = global('builtins', 'max');
        const state = tuple(
          max,
          op('EMPTY_TUPLE'),
          stream('EMPTY_DICT', str('key'), global('builtins', 'len'), 'SETITEM'),
          'NONE',
        );
        return pickle(call('functools', 'partial', max), state, 'BUILD');
      },
      verdict: 'safe',
    },
    {
      title: 'B7 a partial of max that is called',
      bytes: () => pickle(call('functools', 'partial', global('builtins', 'max')), tuple(list(int(1))), 'REDUCE'),
      verdict: 'dangerous',
    },
    { title: 'iter(text)', bytes: () => pickle(call('builtins', 'iter', str('abc'))), verdict: 'safe' },
    {
      title: 'enumerate(list, start)',
      bytes: () => pickle(call('builtins', 'enumerate', list(int(1)), int(1))),
      verdict: 'safe',
    },
    {
      title: 'B7 iter(function, last)',
      bytes: () => pickle(call('builtins', 'iter', SYSTEM, int(0))),
      verdict: 'dangerous',
    },
    {
      title: 'itertools.chain over data',
      bytes: () => pickle(call('itertools', 'chain', list(int(1)), list(int(2)))),
      verdict: 'safe',
    },
    {
      title: 'B7 itertools.chain over a map',
      bytes: () => pickle(call('itertools', 'chain', call('builtins', 'map', SYSTEM, list(str('echo hello'))))),
      verdict: 'dangerous',
    },
    ...['accumulate', 'starmap', 'takewhile', 'dropwhile', 'filterfalse', 'groupby'].map((name) => ({
      title: `B7 itertools.${name}, which calls a function`,
      bytes: () => pickle(call('itertools', name, SYSTEM, list(tuple(str('echo hello'))))),
      verdict: 'dangerous' as const,
    })),
    {
      title: 'cloudpickle looks types up in types',
      bytes: () =>
        pickle(call('cloudpickle.cloudpickle', '_builtin_type', str('SimpleNamespace')), op('EMPTY_TUPLE'), 'REDUCE'),
      verdict: 'safe',
    },
    {
      title: 'B8 cloudpickle: a module that types has imported',
      bytes: () => pickle(call('cloudpickle.cloudpickle', '_builtin_type', str('sys'))),
      verdict: 'dangerous',
    },
    {
      title: 'B8 cloudpickle: a function of types',
      bytes: () =>
        pickle(call('cloudpickle.cloudpickle', '_builtin_type', str('new_class')), tuple(str('X')), 'REDUCE'),
      verdict: 'dangerous',
    },
    {
      title: 'numpy.vectorize, made without a call (the discrete distributions of scipy)',
      bytes: () =>
        pickle(
          global('numpy', 'vectorize'),
          op('EMPTY_TUPLE'),
          'NEWOBJ',
          stream('EMPTY_DICT', str('pyfunc'), global('numpy', 'sum'), 'SETITEM'),
          'BUILD',
        ),
      verdict: 'safe',
    },
    {
      title: 'B7 numpy.vectorize that is called',
      bytes: () => pickle(call('numpy', 'vectorize', global('numpy', 'sum'))),
      verdict: 'dangerous',
    },
  ]);
});

/** B7 and B8 of the catalogue: methods that are called by name, through something that calls. */
describe('methods by name', () => {
  const frame = call(
    'copyreg',
    '_reconstructor',
    global('pandas.core.frame', 'DataFrame'),
    global('builtins', 'object'),
    'NONE',
  );
  const caller = call('operator', 'methodcaller', str('query'), str("@__import__('os').system('echo hello')"));
  check([
    {
      title: 'B7 map of a methodcaller',
      bytes: () => pickle(call('builtins', 'list', call('builtins', 'map', caller, list(frame)))),
      verdict: 'dangerous',
    },
    {
      title: 'B7 a partial of a methodcaller that is called',
      bytes: () => pickle(call('functools', 'partial', caller, frame), op('EMPTY_TUPLE'), 'REDUCE'),
      verdict: 'dangerous',
    },
    {
      title: 'B8 a methodcaller that is called',
      bytes: () => pickle(caller, tuple(frame), 'REDUCE'),
      verdict: 'dangerous',
    },
    {
      title: 'a methodcaller that is kept is benign',
      bytes: () => pickle(call('operator', 'methodcaller', str('upper'))),
      verdict: 'safe',
    },
    {
      title: 'B4 BUILD on a logger of the loading program',
      bytes: () =>
        pickle(
          call('logging', 'getLogger', str('a')),
          stream('EMPTY_DICT', str('disabled'), 'NEWTRUE', 'SETITEM'),
          'BUILD',
        ),
      verdict: 'dangerous',
      rule: 'mutated-import',
    },
    {
      title: 'a logger by its name is benign',
      bytes: () => pickle(call('logging', 'getLogger', str('a'))),
      verdict: 'safe',
    },
  ]);
});

import { describe } from 'vitest';
import { call, global, int, op, type Piece, pickle, str, stream, tuple } from './assembler';
import { check } from './cases';

const SYMBOL = global('sympy.core.symbol', 'Symbol');
const OBJECT = global('builtins', 'object');

const dict = (...items: Piece[]) => stream('EMPTY_DICT', 'MARK', ...items, 'SETITEMS');

/** `getattr(owner, '__new__')` */
const newOf = (owner: Buffer) => call('builtins', 'getattr', owner, str('__new__'));

/** `partial(owner.__new__, cls, *args, **keywords)`, as its `__reduce__` writes it. */
function partial(owner: Buffer, cls: Buffer, args: Piece[] = [], keywords: Piece = 'EMPTY_DICT'): Buffer {
  const method = stream(newOf(owner), 'MEMOIZE');
  const state = tuple(op('BINGET', 0), tuple(cls, ...args), keywords, 'NONE');
  return stream(call('functools', 'partial', method), state, 'BUILD');
}

const made = (...args: Parameters<typeof partial>) => stream(partial(...args), 'EMPTY_TUPLE', 'REDUCE');

/** Below protocol 4, Python pickles `cls.__new__(cls, *args, **keywords)` as the call of a partial. */
describe('a partial of the __new__ of a class', () => {
  check([
    {
      title: "Symbol('x', positive=True) of sympy",
      bytes: () => pickle(made(SYMBOL, SYMBOL, [str('x')], dict(str('positive'), 'NEWTRUE'))),
      verdict: 'safe',
    },
    {
      title: 'an object whose class has the __new__ of object, with a state',
      bytes: () =>
        pickle(made(OBJECT, global('sklearn.linear_model._ridge', 'Ridge')), dict(str('alpha'), int(1)), 'BUILD'),
      verdict: 'safe',
    },
    {
      title: 'an object of a class that no policy knows',
      bytes: () => pickle(made(OBJECT, global('somebody.models', 'Net'))),
      verdict: 'suspicious',
    },
    {
      title: 'the same of its own __new__',
      bytes: () => pickle(made(global('somebody.models', 'Net'), global('somebody.models', 'Net'), [str('x')])),
      verdict: 'suspicious',
    },
    {
      title: 'B9 text for a class of sympy that evaluates it',
      bytes: () =>
        pickle(made(global('sympy.core.add', 'Add'), global('sympy.core.add', 'Add'), [str("__import__('os')")])),
      verdict: 'dangerous',
    },
    {
      title: 'B9 the same by the __new__ of that class for another one',
      bytes: () => pickle(made(global('sympy.core.add', 'Add'), SYMBOL, [str("__import__('os')")])),
      verdict: 'dangerous',
    },
    {
      title: 'B9 text that stands behind the arguments of the partial',
      bytes: () =>
        pickle(
          partial(global('sympy.core.add', 'Add'), global('sympy.core.add', 'Add')),
          tuple(str("__import__('os')")),
          'REDUCE',
        ),
      verdict: 'dangerous',
    },
    {
      title: 'B7 a dangerous class',
      bytes: () => pickle(made(OBJECT, global('subprocess', 'Popen'))),
      verdict: 'dangerous',
    },
    {
      title: 'B7 the __new__ of a dangerous class',
      bytes: () => pickle(made(global('subprocess', 'Popen'), SYMBOL)),
      verdict: 'dangerous',
    },
    {
      title: 'B7 another method',
      bytes: () => {
        const method = call('builtins', 'getattr', SYMBOL, str('__init__'));
        return pickle(
          stream(call('functools', 'partial', method), tuple(method, tuple(SYMBOL), 'EMPTY_DICT', 'NONE'), 'BUILD'),
          'EMPTY_TUPLE',
          'REDUCE',
        );
      },
      verdict: 'dangerous',
    },
    {
      title: 'B7 a partial whose function is changed by a second state',
      bytes: () =>
        pickle(
          partial(SYMBOL, SYMBOL, [str('x')]),
          tuple(global('os', 'system'), tuple(str('id')), 'EMPTY_DICT', 'NONE'),
          'BUILD',
          'EMPTY_TUPLE',
          'REDUCE',
        ),
      verdict: 'dangerous',
    },
    {
      title: 'B7 __new__ called without a partial',
      bytes: () => pickle(newOf(OBJECT), tuple(global('somebody.models', 'Net')), 'REDUCE'),
      verdict: 'dangerous',
    },
    {
      title: 'B7 __new__ handed to a function that calls it',
      bytes: () => pickle(call('collections', 'defaultdict', newOf(SYMBOL))),
      verdict: 'dangerous',
    },
    {
      title: 'B7 __new__ stored where Python calls it',
      bytes: () =>
        pickle(
          global('sklearn.linear_model._ridge', 'Ridge'),
          'EMPTY_TUPLE',
          'NEWOBJ',
          dict(str('__call__'), newOf(SYMBOL)),
          'BUILD',
        ),
      verdict: 'dangerous',
    },
  ]);
});

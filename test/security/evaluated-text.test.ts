import { describe } from 'vitest';
import { call, global, int, op, pickle, str, stream, tuple } from './assembler';
import { check } from './cases';

const TEXT = str("__import__('os').system('echo hello')");
const sin = (...args: (Buffer | string)[]) =>
  stream(global('sympy.functions.elementary.trigonometric', 'sin'), tuple(...args), 'NEWOBJ');

/**
 * B9 of the catalogue: objects of sympy are made by `sympify`, which evaluates text. Found by running every vetted class with an audit
 * hook: `NEWOBJ` of `sin`, `Tuple` or `FiniteSet` with a text runs that text, without any name that looks dangerous.
 */
describe('B9: text that sympy evaluates', () => {
  check([
    {
      title: 'as an argument of a function',
      bytes: () => pickle(sin(TEXT)),
      verdict: 'dangerous',
      rule: 'evaluated-text',
    },
    {
      title: 'deep inside the arguments',
      bytes: () =>
        pickle(
          global('sympy.core.containers', 'Tuple'),
          tuple(int(1), tuple(stream('EMPTY_LIST', 'MARK', int(2), TEXT, 'APPENDS'))),
          'NEWOBJ',
        ),
      verdict: 'dangerous',
      rule: 'evaluated-text',
    },
    {
      title: 'in a set',
      bytes: () => pickle(sin(stream('EMPTY_SET', 'MARK', TEXT, 'ADDITEMS'))),
      verdict: 'dangerous',
      rule: 'evaluated-text',
    },
    {
      title: 'as a keyword of NEWOBJ_EX',
      bytes: () =>
        pickle(
          global('sympy.core.function', 'Lambda'),
          op('EMPTY_TUPLE'),
          'EMPTY_DICT',
          str('expr'),
          TEXT,
          'SETITEM',
          'NEWOBJ_EX',
        ),
      verdict: 'dangerous',
      rule: 'evaluated-text',
    },
    {
      title: 'called instead of made',
      bytes: () => pickle(call('sympy.core.add', 'Add', tuple(TEXT))),
      verdict: 'dangerous',
      rule: 'evaluated-text',
    },
    {
      title: 'as what another object is when it is turned into text',
      bytes: () => pickle(sin(call('pathlib', 'PurePosixPath', TEXT))),
      verdict: 'dangerous',
      rule: 'evaluated-text',
    },
    {
      title: 'put together by a call',
      bytes: () => pickle(sin(call('operator', 'concat', str("__import__('os')"), str(".system('echo hello')")))),
      verdict: 'dangerous',
    },
    {
      title: 'as a formula inside a plain container of an old protocol',
      bytes: () => pickle(sin(call('builtins', 'frozenset', stream('EMPTY_LIST', TEXT, 'APPEND')))),
      verdict: 'dangerous',
      rule: 'evaluated-text',
    },
    {
      title: 'not: numbers, names and formulas',
      bytes: () =>
        pickle(
          sin(
            stream(
              global('sympy.core.add', 'Add'),
              tuple(
                stream(global('sympy.core.numbers', 'Integer'), tuple(int(3)), 'NEWOBJ'),
                stream(global('sympy.core.symbol', 'Symbol'), tuple(str('alpha beta')), 'NEWOBJ'),
                str('x'),
              ),
              'NEWOBJ',
            ),
          ),
        ),
      verdict: 'safe',
    },
    {
      title: 'not: an undefined function that is applied',
      bytes: () =>
        pickle(
          call('sympy.core.function', '_rebuild_undef', str('f'), op('EMPTY_DICT')),
          tuple(stream(global('sympy.core.symbol', 'Symbol'), tuple(str('x')), 'NEWOBJ')),
          'NEWOBJ',
        ),
      verdict: 'safe',
    },
    {
      title: 'an undefined function that is applied to text',
      bytes: () =>
        pickle(call('sympy.core.function', '_rebuild_undef', str('f'), op('EMPTY_DICT')), tuple(TEXT), 'NEWOBJ'),
      verdict: 'dangerous',
      rule: 'evaluated-text',
    },
  ]);
});

/** The same by other ways to make an object or to call its class. */
describe('B1: text that sympy evaluates, by other ways', () => {
  const SIN = global('sympy.functions.elementary.trigonometric', 'sin');
  const texts = stream('EMPTY_LIST', TEXT, 'APPEND');
  check([
    {
      title: 'copyreg.__newobj__',
      bytes: () => pickle(call('copyreg', '__newobj__', SIN, TEXT)),
      verdict: 'dangerous',
      rule: 'evaluated-text',
    },
    {
      title: 'copyreg.__newobj__ with a number',
      bytes: () => pickle(call('copyreg', '__newobj__', SIN, int(1))),
      verdict: 'safe',
    },
    {
      title: 'copyreg.__newobj_ex__',
      bytes: () =>
        pickle(
          call('copyreg', '__newobj_ex__', SIN, op('EMPTY_TUPLE'), stream('EMPTY_DICT', str('arg'), TEXT, 'SETITEM')),
        ),
      verdict: 'dangerous',
      rule: 'evaluated-text',
    },
    {
      title: 'copyreg._reconstructor with sympy as the base',
      bytes: () => pickle(call('copyreg', '_reconstructor', SIN, global('sympy.core.add', 'Add'), TEXT)),
      verdict: 'dangerous',
      rule: 'evaluated-text',
    },
    {
      title: 'map',
      bytes: () => pickle(call('builtins', 'list', call('builtins', 'map', global('sympy.core.add', 'Add'), texts))),
      verdict: 'dangerous',
    },
    {
      title: 'a partial that is called',
      bytes: () => pickle(call('functools', 'partial', global('sympy.core.add', 'Add')), tuple(tuple(TEXT)), 'REDUCE'),
      verdict: 'dangerous',
    },
    {
      title: 'a default factory',
      bytes: () => pickle(call('collections', 'defaultdict', call('functools', 'partial', SIN, TEXT))),
      verdict: 'dangerous',
    },
  ]);
});

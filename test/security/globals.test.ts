import { describe } from 'vitest';
import {
  bytes,
  call,
  global,
  int,
  op,
  PAYLOAD,
  PAYLOAD_PICKLE,
  PROTO2,
  PROTO4,
  pickle,
  str,
  stream,
  tuple,
} from './assembler';
import { check, SYSTEM } from './cases';

const ECHO = str('echo hello');

/** Section A of the catalogue: a name that the scanner does not see, or takes for another. */
describe('A: resolving names', () => {
  check([
    {
      title: 'A1 a callable of the standard library on few lists (mailcap.findmatch)',
      bytes: () => pickle(call('mailcap', 'findmatch', ECHO)),
      verdict: 'dangerous',
      call: /mailcap\.findmatch/,
    },
    {
      title: 'A1 an unlisted name of the standard library, called',
      bytes: () => pickle(call('colorsys', 'name_of_tomorrow', ECHO)),
      verdict: 'dangerous',
    },
    {
      title: 'A2 submodule of a listed module (CVE-2025-10157, GHSA-q77w-mwjj-7mqx)',
      bytes: () => pickle(call('asyncio.unix_events', '_UnixSubprocessTransport._start', ECHO)),
      verdict: 'dangerous',
      rule: 'dangerous-import',
    },
    {
      title: 'A3 re-export numpy.testing.runstring',
      bytes: () => pickle(call('numpy.testing', 'runstring', ECHO, op('EMPTY_DICT'))),
      verdict: 'dangerous',
    },
    {
      title: 'A3 re-export requests.get',
      bytes: () => pickle(call('requests', 'get', str('http://localhost'))),
      verdict: 'dangerous',
    },
    { title: 'A3 re-export torch.load', bytes: () => pickle(call('torch', 'load', str('x'))), verdict: 'dangerous' },
    {
      title: 'A3 re-export io.open',
      bytes: () => pickle(call('io', 'open', str('x'), str('w'))),
      verdict: 'dangerous',
    },
    {
      title: 'A4 Python 2 name commands.getoutput below protocol 3',
      bytes: () => stream(PROTO2, op('GLOBAL', 'commands', 'getoutput'), tuple(ECHO), 'REDUCE', 'STOP'),
      verdict: 'dangerous',
    },
    {
      title: 'A4 Python 2 name __builtin__.execfile',
      bytes: () =>
        stream(op('GLOBAL', '__builtin__', 'execfile'), 'MARK', op('STRING', "'x'"), 'TUPLE', 'REDUCE', 'STOP'),
      verdict: 'dangerous',
    },
    {
      title: 'A4 Python 2 name cPickle.loads',
      bytes: () =>
        stream(
          PROTO2,
          op('GLOBAL', 'cPickle', 'loads'),
          tuple(op('SHORT_BINSTRING', PAYLOAD_PICKLE)),
          'REDUCE',
          'STOP',
        ),
      verdict: 'dangerous',
    },
    {
      title: 'A5 dotted path through torch (GHSA-5j3x-jp52-966f)',
      bytes: () => pickle(call('torch', 'serialization.os.system', ECHO)),
      verdict: 'dangerous',
      call: /torch\.serialization\.os\.system/,
    },
    {
      title: 'A5 dotted path random._os.system',
      bytes: () => pickle(call('random', '_os.system', ECHO)),
      verdict: 'dangerous',
    },
    {
      title: 'A5 dotted path namedtuple.__globals__',
      bytes: () => pickle(global('collections', 'namedtuple.__globals__')),
      verdict: 'dangerous',
    },
    {
      title: 'A5 dotted path sysconfig.prefix.os.system',
      bytes: () => pickle(call('sysconfig', 'prefix.os.system', ECHO)),
      verdict: 'dangerous',
    },
    {
      title: 'A6 dotted path by GLOBAL after PROTO 4 (PickleBall, call_system)',
      bytes: () => stream(PROTO4, op('GLOBAL', 'pathlib', 'os.system'), tuple(ECHO), 'REDUCE', 'STOP'),
      verdict: 'dangerous',
    },
    {
      title: 'A6 dotted path by INST after PROTO 4 (PickleBall, call_system_inst)',
      bytes: () => stream(PROTO4, 'MARK', ECHO, op('INST', 'pathlib', 'os.system'), 'STOP'),
      verdict: 'dangerous',
    },
    {
      title: 'A7 operands from the memo',
      bytes: () =>
        pickle(
          str('posix'),
          'MEMOIZE',
          'POP',
          str('system'),
          'MEMOIZE',
          'POP',
          op('BINGET', 0),
          op('BINGET', 1),
          'STACK_GLOBAL',
          tuple(ECHO),
          'REDUCE',
        ),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'A8 the memo takes the top of the stack, not the last argument',
      bytes: () =>
        pickle(
          str('posix'),
          str('x'),
          'POP',
          'MEMOIZE',
          'POP',
          str('system'),
          str('y'),
          'POP',
          'MEMOIZE',
          'POP',
          op('BINGET', 0),
          op('BINGET', 1),
          'STACK_GLOBAL',
          tuple(ECHO),
          'REDUCE',
        ),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'A9 MEMOIZE counts occupied slots, not the highest',
      bytes: () =>
        pickle(
          str('a'),
          op('BINPUT', 100),
          'POP',
          str('posix'),
          'MEMOIZE',
          'POP',
          str('system'),
          'MEMOIZE',
          'POP',
          op('BINGET', 1),
          op('BINGET', 2),
          'STACK_GLOBAL',
          tuple(ECHO),
          'REDUCE',
        ),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'A10 the memo is of one pickle, not of the file',
      bytes: () =>
        Buffer.concat([
          pickle(
            str('collections'),
            'MEMOIZE',
            'POP',
            str('OrderedDict'),
            'MEMOIZE',
            'POP',
            op('BINGET', 0),
            op('BINGET', 1),
            'STACK_GLOBAL',
            'EMPTY_TUPLE',
            'REDUCE',
          ),
          pickle(
            str('posix'),
            'MEMOIZE',
            'POP',
            str('system'),
            'MEMOIZE',
            'POP',
            op('BINGET', 0),
            op('BINGET', 1),
            'STACK_GLOBAL',
            tuple(ECHO),
            'REDUCE',
          ),
        ]),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'A10 and one Unpickler that loads twice keeps it',
      bytes: () =>
        Buffer.concat([
          pickle(str('posix'), op('BINPUT', 7), 'POP', str('system'), op('BINPUT', 8), 'POP', 'NONE'),
          pickle(op('BINGET', 7), op('BINGET', 8), 'STACK_GLOBAL', tuple(ECHO), 'REDUCE'),
        ]),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'A11 DUP gives both operands',
      bytes: () => pickle(str('timeit'), 'DUP', 'STACK_GLOBAL', tuple(ECHO), 'REDUCE'),
      verdict: 'dangerous',
      call: /timeit\.timeit/,
    },
    {
      title: 'A12 operands as STRING with escapes (GHSA-9gvj-pp9x-gcfr)',
      bytes: () =>
        pickle(op('STRING', "'\\x70osix'"), op('STRING', "'sys\\x74em'"), 'STACK_GLOBAL', tuple(ECHO), 'REDUCE'),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'A12 operands as UNICODE with escapes',
      bytes: () => pickle(op('UNICODE', '\\u0070osix'), op('UNICODE', 'system'), 'STACK_GLOBAL', tuple(ECHO), 'REDUCE'),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'A12 operands as SHORT_BINSTRING',
      bytes: () =>
        pickle(op('SHORT_BINSTRING', 'posix'), op('SHORT_BINSTRING', 'system'), 'STACK_GLOBAL', tuple(ECHO), 'REDUCE'),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'A13 operand computed by str()',
      bytes: () => pickle(call('builtins', 'str', str('posix')), str('system'), 'STACK_GLOBAL', tuple(ECHO), 'REDUCE'),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'A13 operand computed by rot13',
      bytes: () =>
        pickle(
          call('_codecs', 'decode', str('cbfvk'), str('rot13')),
          str('system'),
          'STACK_GLOBAL',
          tuple(ECHO),
          'REDUCE',
        ),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'A13 operand computed by concat',
      bytes: () =>
        pickle(call('operator', 'concat', str('po'), str('six')), str('system'), 'STACK_GLOBAL', tuple(ECHO), 'REDUCE'),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'A13 operand that cannot be computed',
      bytes: () => pickle(call('my_package', 'name'), str('system'), 'STACK_GLOBAL', tuple(ECHO), 'REDUCE'),
      verdict: 'dangerous',
      rule: 'computed-import',
    },
    {
      title: 'A14 operand of another type, after the payload (type confusion)',
      bytes: () => pickle(PAYLOAD, int(42), str('x'), 'STACK_GLOBAL'),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'A15 a missing memo key behind the payload',
      bytes: () => pickle(PAYLOAD, op('BINGET', 99)),
      verdict: 'dangerous',
      rule: 'malformed-pickle',
      call: SYSTEM,
    },
    {
      title: 'A16 noise and a decoy between the operands',
      bytes: () =>
        pickle(
          str('posix'),
          'NONE',
          'POP',
          'MARK',
          'POP_MARK',
          'DUP',
          'POP',
          str('system'),
          str('decoy'),
          'POP',
          'STACK_GLOBAL',
          tuple(ECHO),
          'REDUCE',
        ),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'A17 the extension registry is filled',
      bytes: () =>
        pickle(
          call('copyreg', 'add_extension', str('posix'), str('system'), int(240)),
          'POP',
          op('EXT1', 240),
          tuple(ECHO),
          'REDUCE',
        ),
      verdict: 'dangerous',
    },
    {
      title: 'A17 a code of the extension registry',
      bytes: () => pickle(op('EXT1', 240), tuple(ECHO), 'REDUCE'),
      verdict: 'suspicious',
      rule: 'extension-code',
    },
    {
      title: 'A18 a persistent id that is called',
      bytes: () => stream(op('PERSID', 'x'), tuple(ECHO), 'REDUCE', 'STOP'),
      verdict: 'suspicious',
      rule: 'computed-call',
    },
    {
      title: 'A19 an import that acts by itself',
      bytes: () => pickle(global('antigravity', 'fly'), 'POP', 'NONE'),
      verdict: 'dangerous',
    },
    {
      title: 'A20 a name of the loading program',
      bytes: () => pickle(global('__main__', 'Model')),
      verdict: 'suspicious',
      rule: 'unknown-import',
    },
    {
      title: 'A22 names that only look like others',
      bytes: () => pickle(global('ｏｓ', 'system')),
      verdict: 'suspicious',
    },
    ...['ｏｓ', 'Os', 'posix\r', 'SubProcess'].map((module) => ({
      title: `A22 a call of a name that only looks like another: ${JSON.stringify(module)}`,
      bytes: () => pickle(call(module, 'system', str('x'))),
      verdict: 'suspicious' as const,
    })),
    {
      title: 'A23 builtins as an attribute of a module, without a dot (modelscan 330)',
      bytes: () => pickle(global('numpy', '__builtins__')),
      verdict: 'dangerous',
    },
    {
      title: 'A24 a registry of lazy imports is changed',
      bytes: () =>
        pickle(global('pydantic', '_dynamic_imports'), str('Popen'), tuple(str('subprocess'), str('Popen')), 'SETITEM'),
      verdict: 'dangerous',
      rule: 'mutated-import',
    },
    {
      title: 'A the same names in bytes as module name',
      bytes: () => pickle(bytes(Buffer.from('posix')), str('system'), 'STACK_GLOBAL', tuple(ECHO), 'REDUCE'),
      verdict: 'suspicious',
      rule: 'malformed-pickle',
    },
  ]);
});

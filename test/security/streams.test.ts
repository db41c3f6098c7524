import { describe } from 'vitest';
import {
  bytes,
  call,
  global,
  int,
  op,
  PAYLOAD,
  PAYLOAD_PICKLE,
  PROTO4,
  pickle,
  str,
  stream,
  TEXT_PAYLOAD,
  tuple,
} from './assembler';
import { check, SYSTEM } from './cases';

/** Section C: what CPython reads and a scanner's parser does not. */
describe('C: parser differences', () => {
  const text = (head: string): Buffer => Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from('0'), TEXT_PAYLOAD]);
  check([
    {
      title: 'C1 INT in hexadecimal (CPython 126992, Legoclones)',
      bytes: () => text('I0x10\n'),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    { title: 'C1 LONG in octal', bytes: () => text('L0o17L\n'), verdict: 'dangerous', call: SYSTEM },
    {
      title: 'C2 INT of 5,000 hexadecimal digits',
      bytes: () => text(`I0x${'f'.repeat(5000)}\n`),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'C3 INT with an underscore (CPython 135241)',
      bytes: () => text('I1_0\n'),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    { title: 'C3 LONG without its letter', bytes: () => text('L5\n'), verdict: 'dangerous', call: SYSTEM },
    {
      title: 'C4 GLOBAL with a name that is not ASCII (CPython 126997)',
      bytes: () => Buffer.concat([op('GLOBAL', 'évil', 'x'), Buffer.from('0'), TEXT_PAYLOAD]),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'C4 PERSID with a backslash',
      bytes: () => Buffer.concat([op('PERSID', '\\xzz'), Buffer.from('0'), TEXT_PAYLOAD]),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'C5 indexes as int() reads them',
      bytes: () =>
        stream(op('UNICODE', 'posix'), Buffer.from('p +1\n'), 'POP', op('UNICODE', 'x'), 'POP', TEXT_PAYLOAD),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    { title: 'C6 FLOAT nan (crash of fickling)', bytes: () => text('Fnan\n'), verdict: 'dangerous', call: SYSTEM },
    {
      title: 'C7 an argument reaches past its frame (CPython 128853, 154848)',
      bytes: () => stream(PROTO4, op('FRAME', 2), op('BINBYTES', PAYLOAD_PICKLE), 'STOP'),
      verdict: 'suspicious',
      rule: 'frame-straddled',
    },
    {
      title: 'C8 a frame past the end of the file',
      bytes: () => stream(PROTO4, op('FRAME', 100_000), PAYLOAD, 'STOP'),
      verdict: 'dangerous',
      rule: 'frame-past-end',
      call: SYSTEM,
    },
    {
      title: 'C8 a frame inside a frame',
      bytes: () => stream(PROTO4, op('FRAME', 60), op('FRAME', 30), PAYLOAD, 'STOP'),
      verdict: 'dangerous',
      rule: 'frame-nested',
    },
    {
      title: 'C9 buffers of protocol 5 are read (fickling 322)',
      bytes: () =>
        stream(op('PROTO', 5), op('BYTEARRAY8', Buffer.from('abc')), 'READONLY_BUFFER', 'POP', PAYLOAD, 'STOP'),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'C9 out-of-band buffers alone are no harm',
      bytes: () => stream(op('PROTO', 5), 'NEXT_BUFFER', 'STOP'),
      verdict: 'safe',
    },
    {
      title: 'C10 LONG4 of a negative size behind the payload',
      bytes: () => stream(PROTO4, PAYLOAD, Buffer.from([0x8b, 0xff, 0xff, 0xff, 0xff]), 'STOP'),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'C10 BINBYTES8 of 2^63 - 1 behind the payload',
      bytes: () => stream(PROTO4, PAYLOAD, Buffer.from('8effffffffffffff7f', 'hex')),
      verdict: 'dangerous',
      rule: 'truncated-pickle',
      call: SYSTEM,
    },
    {
      title: 'C11 opcodes before PROTO',
      bytes: () => stream('NONE', 'POP', PROTO4, PAYLOAD, 'STOP'),
      verdict: 'dangerous',
      rule: 'late-protocol',
      call: SYSTEM,
    },
    { title: 'C12 POP takes a mark', bytes: () => pickle('MARK', 'POP', PAYLOAD), verdict: 'dangerous', call: SYSTEM },
    {
      title: 'C13 protocol 0 without any magic, under any name',
      bytes: () => TEXT_PAYLOAD,
      name: 'notes.txt',
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'C14 INT of more than 4,300 digits before the payload',
      bytes: () => text(`I${'9'.repeat(4400)}\n`),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'C15 STRING with double quotes',
      bytes: () => Buffer.concat([op('STRING', '"x"'), Buffer.from('0'), TEXT_PAYLOAD]),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'C15 STRING with a blank behind its quote, which no modern Python accepts',
      bytes: () => Buffer.concat([op('STRING', "'x' "), Buffer.from('.')]),
      verdict: 'suspicious',
    },
    {
      title: 'C16 the last of many small pickles',
      bytes: () => Buffer.concat([Buffer.from('N.'.repeat(60_000)), TEXT_PAYLOAD]),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'C17 1.2 million opcodes before the payload',
      bytes: () => stream(PROTO4, Buffer.from('N0'.repeat(600_000)), PAYLOAD, 'STOP'),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'C18 the payload behind a large constant',
      bytes: () => pickle(op('BINBYTES', Buffer.alloc(20_000_000)), 'POP', PAYLOAD),
      verdict: 'dangerous',
      call: SYSTEM,
    },
  ]);
});

/** Section D: broken behind the payload, as nullifAI was (ReversingLabs, February 2025). */
describe('D: damage', () => {
  check([
    {
      title: 'D1 no STOP (nullifAI)',
      bytes: () => stream(PROTO4, PAYLOAD),
      verdict: 'dangerous',
      rule: 'truncated-pickle',
      call: SYSTEM,
    },
    {
      title: 'D2 an invalid opcode (fickling PR 139)',
      bytes: () => stream(PROTO4, PAYLOAD, Buffer.from([0xff]), 'STOP'),
      verdict: 'dangerous',
      rule: 'malformed-pickle',
      call: SYSTEM,
    },
    {
      title: 'D3 a length past the end',
      bytes: () => stream(PROTO4, PAYLOAD, Buffer.from([0x58, 0xff, 0xff, 0xff, 0x7f])),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'D3 a stack that is empty',
      bytes: () => stream(PROTO4, PAYLOAD, Buffer.from('0000')),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'D4 an exception of the scanner must not swallow findings (PickleCloak, arXiv 2508.19774)',
      bytes: () => pickle(PAYLOAD, 'POP', op('LONG_BINGET', 4_000_000_000)),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'D5 junk between two pickles',
      bytes: () => Buffer.concat([pickle('NONE'), Buffer.alloc(300, 0xee), PAYLOAD_PICKLE]),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'D5 an INST behind junk, without a protocol',
      bytes: () =>
        Buffer.concat([
          pickle('NONE'),
          Buffer.alloc(300, 0xee),
          stream('MARK', op('STRING', "'echo hello'"), op('INST', 'posix', 'system'), 'STOP'),
        ]),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'D5 an INST behind junk, with MARKs between it and its own',
      bytes: () =>
        Buffer.concat([
          pickle('NONE'),
          Buffer.alloc(300, 0xee),
          stream('MARK', op('STRING', "'echo hello'"), 'MARK', 'POP', op('INST', 'posix', 'system'), 'STOP'),
        ]),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'D5 a STACK_GLOBAL behind junk, without a protocol',
      bytes: () => Buffer.concat([pickle('NONE'), Buffer.alloc(300, 0xee), PAYLOAD, op('STOP')]),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'D5 the same with a memo between',
      bytes: () =>
        Buffer.concat([
          pickle('NONE'),
          Buffer.alloc(300, 0xee),
          stream(op('BINUNICODE', 'posix'), op('BINPUT', 1), str('system'), 'MEMOIZE', 'STACK_GLOBAL'),
          stream(str('echo hello'), 'TUPLE1', 'REDUCE', 'STOP'),
        ]),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'D5 what looks like the beginning of a pickle again and again is not searched to the end',
      bytes: () =>
        Buffer.concat([
          pickle('NONE'),
          Buffer.from([0xee]),
          Buffer.alloc(1_000_000, Buffer.from([0x80, 4])),
          PAYLOAD_PICKLE,
        ]),
      verdict: 'suspicious',
    },
    {
      title: 'D6 the magic number of a torch file is computed',
      bytes: () =>
        Buffer.concat([
          pickle(call('builtins', 'int', str('1950a86a20f9469cfc6c'), int(16))),
          pickle(int(1)),
          PAYLOAD_PICKLE,
        ]),
      name: 'model.pt',
      verdict: 'dangerous',
      call: SYSTEM,
    },
  ]);
});

/** Section H: files that stop the loader, or the scanner. */
describe('H: resources', () => {
  const laughs = (open: string[], times: number): Buffer[] =>
    Array.from({ length: times }, (_, i) =>
      stream('MARK', ...Array.from({ length: 10 }, () => op('BINGET', i)), ...open, op('BINPUT', i + 1)),
    );
  check([
    {
      title: 'H1 billion laughs in lists (pickle_injector)',
      bytes: () => pickle('EMPTY_LIST', op('BINPUT', 0), ...laughs(['LIST'], 20)),
      verdict: 'suspicious',
      rule: 'expansion',
    },
    {
      title: 'H1 billion laughs in tuples',
      bytes: () => pickle('EMPTY_TUPLE', op('BINPUT', 0), ...laughs(['TUPLE'], 20)),
      verdict: 'suspicious',
      rule: 'expansion',
    },
    {
      title: 'H2 laughs of calls (globalLaughs)',
      bytes: () =>
        pickle(
          'NONE',
          op('BINPUT', 0),
          ...Array.from({ length: 40 }, (_, i) =>
            stream(
              global('collections', 'OrderedDict'),
              tuple(op('BINGET', i), op('BINGET', i)),
              'REDUCE',
              op('BINPUT', i + 1),
            ),
          ),
        ),
      verdict: 'suspicious',
      rule: 'expansion',
    },
    {
      title: 'H3 huge lengths allocate nothing',
      bytes: () => stream(PROTO4, Buffer.from('96ffffffffffffff7f', 'hex')),
      verdict: 'suspicious',
      rule: 'truncated-pickle',
    },
    {
      title: 'H4 LONG_BINPUT of 2^32 - 1',
      bytes: () => pickle('NONE', op('LONG_BINPUT', 0xffffffff)),
      verdict: 'suspicious',
      rule: 'sparse-memo',
    },
    {
      title: 'H5 200,000 tuples in each other',
      bytes: () => pickle('EMPTY_TUPLE', Buffer.alloc(200_000, 0x85)),
      verdict: 'suspicious',
      rule: 'deep-nesting',
    },
    {
      title: 'H7 bytearray(10**12)',
      bytes: () => pickle(call('builtins', 'bytearray', op('LONG1', Buffer.from('0010a5d4e800', 'hex')))),
      verdict: 'suspicious',
      rule: 'huge-allocation',
    },
    {
      title: 'H7 list(range(10**12))',
      bytes: () =>
        pickle(call('builtins', 'list', call('builtins', 'range', op('LONG1', Buffer.from('0010a5d4e800', 'hex'))))),
      verdict: 'suspicious',
      rule: 'huge-allocation',
    },
    {
      title: 'H7 numpy.zeros of an absurd shape',
      bytes: () => pickle(call('numpy', 'zeros', tuple(int(1_000_000), int(1_000_000)))),
      verdict: 'suspicious',
      rule: 'huge-allocation',
    },
    {
      title: 'H7 a text, 2**40 times',
      bytes: () => pickle(call('_operator', 'mul', str('x'), op('LONG1', Buffer.from([0, 0, 0, 0, 0, 1])))),
      verdict: 'suspicious',
      rule: 'huge-allocation',
    },
    {
      title: 'H7 2**40 times a list',
      bytes: () =>
        pickle(
          call('operator', 'mul', op('LONG1', Buffer.from([0, 0, 0, 0, 0, 1])), stream('EMPTY_LIST', 'NONE', 'APPEND')),
        ),
      verdict: 'suspicious',
      rule: 'huge-allocation',
    },
    {
      title: 'H7 a product of numbers is no allocation',
      bytes: () =>
        pickle(call('operator', 'mul', op('LONG1', Buffer.from([0, 0, 0, 0, 0, 1])), op('LONG1', Buffer.from([0, 1])))),
      verdict: 'safe',
    },
    { title: 'H9 time.sleep', bytes: () => pickle(call('time', 'sleep', int(255))), verdict: 'dangerous' },
    { title: 'H10 faulthandler._sigsegv', bytes: () => pickle(call('faulthandler', '_sigsegv')), verdict: 'dangerous' },
    {
      title: 'H12 an INT with more digits than a loader takes',
      bytes: () => Buffer.from(`I${'9'.repeat(5000)}\n.`),
      verdict: 'suspicious',
    },
    {
      title: 'H honest sharing is no bomb',
      bytes: () =>
        pickle(
          'EMPTY_LIST',
          'MARK',
          str('label'),
          'MEMOIZE',
          ...Array.from({ length: 5000 }, () => op('BINGET', 0)),
          'APPENDS',
          bytes(Buffer.alloc(10)),
          'POP',
        ),
      verdict: 'safe',
    },
  ]);
});

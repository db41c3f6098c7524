import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../src/bytes/byte-source';
import { ValueBudget } from '../../src/pickle/budget';
import { type Pickle, readPickle } from '../../src/pickle/machine';
import { ImportEvent, Instance, MutationEvent } from '../../src/pickle/values';
import { judgePickle } from '../../src/security/judge';
import { worstOf } from '../../src/security/verdict';
import {
  call,
  global,
  int,
  memoGlobal,
  op,
  PAYLOAD,
  type Piece,
  pickle,
  str,
  stream,
  TEXT_PAYLOAD,
  tuple,
} from './assembler';

const FIXTURES = path.join(import.meta.dirname, '..', 'fixtures');

/** Plain pickles, one in ten of those of scikit-learn. */
function fixtures(): string[] {
  return ['pickle', 'sklearn', 'torch']
    .flatMap((folder) =>
      fs
        .readdirSync(path.join(FIXTURES, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && /\.(pkl|pt)$/.test(entry.name))
        .map((entry) => path.join(entry.parentPath, entry.name))
        .sort(),
    )
    .filter((file, i) => !file.includes('sklearn') || i % 10 === 0);
}

/** Reads with room for the values of some opcodes only. */
function limited(bytes: Uint8Array, opcodes: number): Pickle {
  return readPickle(new BufferSource(bytes, 'model.pkl'), 0, {
    budget: opcodes === 0 ? spent() : new ValueBudget(0, 8 * opcodes - 1, 1),
  });
}

function spent(): ValueBudget {
  const budget = new ValueBudget(0, 0, 1);
  budget.spend(1);
  return budget;
}

function judged(bytes: Uint8Array, opcodes: number): { verdict: string; rules: string[]; names: string[] } {
  const { findings, imports } = judgePickle(limited(bytes, opcodes), {
    member: '',
    depth: 0,
    scanNested: () => undefined,
  });
  return {
    verdict: worstOf(findings),
    rules: [...new Set(findings.map((finding) => finding.rule))],
    names: imports.map(({ module, name, use }) => `${module}.${name} ${use}`),
  };
}

const FILLER = Buffer.alloc(400, 'N0');

/** What a loader would reach behind any amount of values (sections C16 to C18, H). */
const BEHIND: Record<string, Piece[]> = {
  'a call by STACK_GLOBAL': [PAYLOAD],
  'a call by GLOBAL': [TEXT_PAYLOAD.subarray(0, -1)],
  'names in the memo': [memoGlobal('posix', 'system'), tuple(str('x')), 'REDUCE'],
  INST: ['MARK', str('x'), op('INST', 'posix', 'system')],
  OBJ: ['MARK', global('posix', 'system'), str('x'), 'OBJ'],
  'an import only': [global('posix', 'system')],
  'names of protocol 0': [op('UNICODE', 'posi\\u0078'), op('STRING', "'sys\\x74em'"), 'STACK_GLOBAL'],
  'an attribute by dots': [global('torch', 'serialization.os.system')],
  'a name that is put together': [
    call('_operator', 'concat', str('po'), str('six')),
    str('system'),
    'STACK_GLOBAL',
    tuple(str('x')),
    'REDUCE',
  ],
  'BUILD on an import': [global('numpy', 'ndarray'), 'EMPTY_DICT', 'BUILD'],
  'SETITEM on an import': [global('somebody', 'TABLE'), str('a'), int(1), 'SETITEM'],
  'what arguments would clear': [call('builtins', 'getattr', str('a'), str('upper'))],
  'text that a class evaluates': [
    call('sympy.core.symbol', 'Symbol', str('x')),
    call('sympy.core.sympify', 'sympify', str('x')),
  ],
};

describe('the rest of a pickle whose values do not fit', () => {
  for (const [what, pieces] of Object.entries(BEHIND)) {
    it(`has ${what} found, wherever the limit is reached`, () => {
      const bytes = pickle(FILLER, ...pieces, 'STOP');
      for (const opcodes of [0, 1, 100, 399, 401])
        expect(judged(bytes, opcodes).verdict, `${opcodes}`).toBe('dangerous');
    });
  }

  it('takes operands that were put on the stack or into the memo before', () => {
    const begin = stream(str('posix'), 'MEMOIZE', 'POP', 'MARK', str('system'), 'MEMOIZE');
    const bytes = pickle(begin, FILLER, op('BINGET', 0), op('BINGET', 1), 'STACK_GLOBAL', 'LIST');
    for (let opcodes = 0; opcodes < 12; opcodes++)
      expect(judged(bytes, opcodes).names).toEqual(['posix.system imported']);
    const below = pickle(str('posix'), str('system'), FILLER, 'STACK_GLOBAL', 'EMPTY_TUPLE', 'REDUCE');
    for (const opcodes of [0, 2, 3, 50]) expect(judged(below, opcodes).names).toEqual(['posix.system called']);
  });

  it('counts the memo on where it stood', () => {
    const bytes = pickle(
      stream(str('a'), op('BINPUT', 7), 'POP'),
      FILLER,
      stream(str('posix'), 'MEMOIZE', 'POP', str('system'), 'MEMOIZE', 'POP'),
      stream(op('BINGET', 1), op('BINGET', 2), 'STACK_GLOBAL'),
    );
    for (const opcodes of [0, 1, 2, 3, 4, 50]) expect(judged(bytes, opcodes).names).toEqual(['posix.system imported']);
  });

  it('is never safe', () => {
    const { verdict, rules } = judged(pickle(FILLER, 'NONE'), 10);
    expect(verdict).toBe('suspicious');
    expect(rules).toEqual(['limit-reached']);
  });

  it('says that it is cut off, and where', () => {
    const read = limited(pickle(FILLER, PAYLOAD).subarray(0, -1), 10);
    expect(read.skimmed?.error?.code).toBe('truncated');
    expect(read.skimmed?.uses.map(({ global: { path } }) => path)).toEqual(['posix.system']);
  });

  it('keeps an integer of too many digits from ending the scan', () => {
    const bytes = pickle(stream(op('LONG', `${'9'.repeat(300_000)}L`), 'POP'), PAYLOAD);
    expect(judged(bytes, 1_000_000).verdict).toBe('dangerous');
  });

  it('has the imports and calls that the machine sees, in every fixture, from wherever it begins', () => {
    let files = 0;
    for (const file of fixtures()) {
      const bytes = fs.readFileSync(file);
      const whole = readPickle(new BufferSource(bytes, file));
      if (whole.error || whole.opcodes > 20_000) continue;
      files++;
      const expected = usesOf(whole);
      for (const part of [0, 0.25, 0.5, 0.9]) {
        const read = limited(bytes, Math.floor(whole.opcodes * part));
        if (!read.skimmed) continue;
        expect(read.skimmed.end, file).toBe(whole.end);
        expect(usesOf(read), `${file} from ${read.skimmed.start}`).toEqual(expected);
      }
    }
    expect(files).toBeGreaterThan(300);
  });
});

/** Names with the number of their imports, and whether they are called, instantiated or changed. */
function usesOf({ events, skimmed }: Pickle): string[] {
  const counts = new Map<string, number>();
  const how = new Map<string, Set<string>>();
  const note = (path: string, use: string): void => {
    how.set(path, (how.get(path) ?? new Set()).add(use));
  };
  for (const event of events) {
    if (event instanceof ImportEvent) counts.set(event.global.path, (counts.get(event.global.path) ?? 0) + 1);
    else if (event instanceof Instance && 'path' in (event.callable as object))
      note((event.callable as { path: string }).path, event.how.startsWith('NEW') ? 'made' : 'called');
    else if (event instanceof MutationEvent && 'path' in (event.target as object))
      note((event.target as { path: string }).path, 'changed');
  }
  for (const use of skimmed?.uses ?? []) {
    const { path } = use.global;
    if (use.count > 0) counts.set(path, (counts.get(path) ?? 0) + use.count);
    if (use.called) note(path, 'called');
    if (use.instantiated) note(path, 'made');
    if (use.changed) note(path, 'changed');
  }
  return [...counts].map(([path, count]) => `${path} ${count} ${[...(how.get(path) ?? [])].sort()}`).sort();
}

import { describe, expect, it } from 'vitest';
import { call, global, int, op, PAYLOAD, type Piece, PROTO2, pickle, str, stream, tuple } from './assembler';
import { scan, summary } from './scan';

/** The same pieces so many times, made once. */
function times(count: number, ...pieces: Piece[]): Buffer {
  return Buffer.alloc(stream(...pieces).length * count, stream(...pieces));
}

const LONG_LIST = stream('EMPTY_LIST', 'MEMOIZE', 'MARK', times(1_000_000, int(1)), 'APPENDS', 'POP');

/**
 * Sections D and H: what is bounded must never hide what is worse, and a few bytes a call must not make the judge go through millions of
 * values again and again. The tests end at all only if they are.
 */
describe('bounds of the judge', () => {
  it('hundreds of thousands of suspicious calls hide no dangerous one', () => {
    const calls = times(130_000, 'EMPTY_TUPLE', 'REDUCE');
    const { verdict, rules, calls: shown } = summary(pickle(global('m', 'f'), calls, 'POP', PAYLOAD));
    expect(verdict).toBe('dangerous');
    expect(shown.join('\n')).toContain("posix.system('echo hello')");
    expect(rules).toContain('dangerous-import');
  });

  it('hundreds of thousands of values put into an import hide none either', () => {
    const changed = stream(global('m', 'x'), 'MARK', times(150_000, int(1)), 'APPENDS', 'POP');
    expect(summary(pickle(changed, PAYLOAD)).verdict).toBe('dangerous');
  });

  it('many findings of a rule hide no worse one of the same rule', () => {
    const handed = times(200, int(1), 'BINPERSID', 'MARK', int(1), int(2), 'SETITEMS', 'POP');
    const changed = stream(global('somebody.models', 'TABLE'), 'MARK', int(1), int(2), 'SETITEMS');
    expect(summary(pickle(handed, changed)).verdict).toBe('dangerous');
  });

  it('findings that are alike are counted, not listed', () => {
    const report = scan(
      pickle(times(5000, global('m', 'f'), tuple(int(1)), 'REDUCE', 'EMPTY_TUPLE', 'REDUCE', 'POP'), 'NONE'),
    );
    const listed = report.findings.filter((finding) => finding.rule === 'computed-call');
    expect(listed).toHaveLength(51);
    expect(listed.at(-1)?.message).toBe('4,950 more findings of the kind computed-call are not listed.');
  });

  it('more than a hundred thousand different names are not judged one by one, and dangerous', () => {
    const names = Array.from({ length: 100_001 }, (_, i) => op('GLOBAL', `m${i}`, 'f'));
    const report = scan(stream(PROTO2, ...names.map((name) => stream(name, 'POP')), 'NONE', 'STOP'));
    expect(report.verdict).toBe('dangerous');
    expect(report.findings[0].rule).toBe('limit-reached');
    expect(report.imports.length).toBeLessThanOrEqual(20_000);
  });

  it('one list as the argument of many calls that keep functions', () => {
    const calls = times(20_000, op('BINGET', 1), op('BINGET', 0), 'TUPLE1', 'REDUCE', 'POP');
    const bytes = pickle(LONG_LIST, global('functools', 'partial'), 'MEMOIZE', 'POP', calls, 'NONE');
    expect(summary(bytes).verdict).toBe('dangerous');
  });

  it('one dict as the state of many objects, and as every state of one', () => {
    const dict = stream(
      'EMPTY_DICT',
      'MEMOIZE',
      'MARK',
      Buffer.concat(Array.from({ length: 200_000 }, (_, i) => stream(op('BININT', i), 'NONE'))),
      'SETITEMS',
      'POP',
    );
    const cls = stream(global('m', 'C'), 'MEMOIZE', 'POP');
    const many = times(20_000, op('BINGET', 1), 'EMPTY_TUPLE', 'NEWOBJ', op('BINGET', 0), 'BUILD', 'POP');
    const one = stream(op('BINGET', 1), 'EMPTY_TUPLE', 'NEWOBJ', times(20_000, op('BINGET', 0), 'BUILD'));
    for (const objects of [stream(many, 'NONE'), one]) {
      const { verdict, rules } = summary(pickle(dict, cls, objects));
      expect([verdict, rules.includes('limit-reached')]).toEqual(['suspicious', true]);
    }
  });

  it('text that doubles in every call is not spelled out', () => {
    const doubled = Array.from({ length: 60 }, (_, i) =>
      stream(
        op('BINGET', 1),
        op('BINGET', i === 0 ? 0 : i + 1),
        op('BINGET', i === 0 ? 0 : i + 1),
        'TUPLE2',
        'REDUCE',
        'MEMOIZE',
      ),
    );
    const bytes = pickle(str('ab'), 'MEMOIZE', 'POP', global('operator', 'add'), 'MEMOIZE', 'POP', ...doubled);
    expect(summary(bytes).rules).toContain('expansion');
  });

  it('a name that is doubled a few times is', () => {
    const half = call('operator', 'add', str('sys'), str('tem'));
    const bytes = pickle(str('os'), half, 'STACK_GLOBAL', tuple(str('echo hello')), 'REDUCE');
    expect(summary(bytes).calls.join('\n')).toContain("os.system('echo hello')");
  });
});

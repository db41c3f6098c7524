import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../src/bytes/byte-source';
import { scanOrdinaryFile, scanOrdinarySource } from '../../src/engine/scan-ordinary';
import { FileWalk } from '../../src/engine/scan-walk';
import type { FileScan } from '../../src/security/report';
import { encodeNameTable } from '../../src/security/walk/name-table';
import { NameTable } from '../../src/security/walk/names';
import { WalkScanner } from '../../src/security/walk/scan';
import { global, op, PROTO2, PROTO4, pickle, str, stream } from './assembler';
import { mutate, opcodesOf, random } from './mutations';

const FIXTURES = path.join(import.meta.dirname, '..', 'fixtures');
const names = NameTable.open(encodeNameTable()) as NameTable;
const walk = new WalkScanner(names);
const onDisk = new FileWalk(names);

/** An object without a state. */
const BASE = stream(global('sklearn.base', 'BaseEstimator'), 'EMPTY_TUPLE', 'NEWOBJ');

function files(folder: string): string[] {
  if (!fs.existsSync(folder)) return [];
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => fs.statSync(file).size < 50_000_000)
    .sort();
}

/** Compares the two on every file. Returns how many files the judge calls safe, and how many of them the walk answered. */
function compare(sample: string[]): { safe: number; answered: number } {
  let safe = 0;
  let answered = 0;
  for (const file of sample) {
    const judged = scanOrdinaryFile(file);
    const walked = onDisk.scan(file, path.basename(file));
    if (judged?.verdict === 'safe' && judged.findings.length === 0) safe++;
    if (!walked) continue;
    answered++;
    expect(walked, file).toEqual(judged);
  }
  return { safe, answered };
}

const PICKLES = files(path.join(FIXTURES, 'sklearn')).filter((file) => /\.(pkl|joblib)$/.test(file));

const judge = (content: Uint8Array, name = 'model.pkl'): FileScan | undefined =>
  scanOrdinarySource(new BufferSource(content, name), name, name);

describe('The walk', () => {
  it('says what the judge says about every fixture, and answers for nearly all that are safe', () => {
    const sklearn = PICKLES.filter((_, i) => i % 18 === 0);
    const { safe, answered } = compare(sklearn);
    expect(safe).toBeGreaterThan(300);
    expect(answered / safe).toBeGreaterThan(0.97);
    const others = compare([...files(path.join(FIXTURES, 'pickle')), ...files(path.join(FIXTURES, 'torch'))]);
    expect(others.answered / others.safe).toBeGreaterThan(0.75);
  }, 120_000);

  it.runIf(process.env.SECURITY_SAMPLES)(
    'says what the judge says about the samples',
    () => {
      const folder = process.env.SECURITY_SAMPLES ?? '';
      compare(files(path.join(folder, 'evasions')));
      const { safe, answered } = compare(files(path.join(folder, 'benign')));
      expect(answered / safe).toBeGreaterThan(0.9);
    },
    300_000,
  );

  it.runIf(process.env.MODEL_CORPUS)(
    'says what the judge says about real files',
    () => {
      compare(files(path.join(process.env.MODEL_CORPUS ?? '', 'files')));
    },
    600_000,
  );

  it('never says safe where the judge does not, whatever is changed in a file', () => {
    const bases = [...PICKLES.filter((_, i) => i % 163 === 0), ...files(path.join(FIXTURES, 'pickle'))]
      .filter((file) => /\.(pkl|pickle|joblib)$/.test(file) && fs.statSync(file).size < 20_000)
      .map((file) => opcodesOf(fs.readFileSync(file)));
    const next = random(20261128);
    let answered = 0;
    for (let i = 0; i < ROUNDS; i++) {
      const content = mutate(bases[i % bases.length], bases, next);
      const walked = walk.bytes(content, 'model.pkl', 'model.pkl');
      if (!walked) continue;
      answered++;
      expect(walked, content.toString('base64')).toEqual(judge(content));
    }
    // Small changes often leave a file ordinary: else this would show nothing.
    expect(answered).toBeGreaterThan(ROUNDS / 20);
  }, 300_000);

  it('answers for dicts of many kinds of keys, and for objects with one state each', () => {
    const dict = stream(
      'EMPTY_DICT',
      'MARK',
      str('a'),
      'NONE',
      op('BININT1', 1),
      'NONE',
      op('BININT1', 2),
      'NONE',
      'SETITEMS',
    );
    const again = stream('EMPTY_DICT', str('a'), 'NONE', 'SETITEM', str('b'), 'NONE', 'SETITEM');
    const lonely = stream('EMPTY_DICT', op('BINFLOAT', 1.5), 'NONE', 'SETITEM');
    const objects = stream(BASE, again, 'BUILD', BASE, again, 'BUILD', op('TUPLE2'));
    for (const content of [dict, again, lonely, objects]) {
      const file = pickle(content);
      expect(walk.bytes(file, 'model.pkl', 'model.pkl')).toEqual(judge(file));
    }
  });

  it.each<[string, Uint8Array]>([
    ['a name that Python calls by itself', pickle(str('__setstate__'))],
    ['source text in a state', pickle(str('_parse_arg_template'))],
    ['values left on the stack', stream(PROTO4, op('NONE'), op('NONE'), 'STOP')],
    ['an open mark', stream(PROTO4, op('NONE'), op('MARK'), op('NONE'), 'STOP')],
    ['a memo that is written twice', stream(PROTO4, op('NONE'), op('BINPUT', 0), op('BINPUT', 0), 'STOP')],
    ['a memo with holes', stream(PROTO4, op('NONE'), op('BINPUT', 7), 'STOP')],
    ['a second protocol', stream(PROTO4, PROTO2, op('NONE'), 'STOP')],
    ['a frame that is cut', stream(PROTO4, op('FRAME', 2n), str('text'), 'STOP')],
    ['a number that overflows', Buffer.from('(lp0\nF1e999\na.')],
    ['a number in hexadecimal digits', Buffer.from('(lp0\nI0x10\na.')],
    [
      'a key that comes twice',
      stream(PROTO4, 'EMPTY_DICT', 'MARK', str('a'), 'NONE', str('a'), 'NONE', 'SETITEMS', 'STOP'),
    ],
    [
      'a key that comes again later',
      stream(
        PROTO4,
        'EMPTY_DICT',
        str('a'),
        'NONE',
        'SETITEM',
        str('b'),
        'NONE',
        'SETITEM',
        str('a'),
        'NONE',
        'SETITEM',
        'STOP',
      ),
    ],
    [
      'a key that comes again after another dict was filled',
      stream(
        PROTO4,
        'EMPTY_DICT',
        str('a'),
        stream('EMPTY_DICT', str('a'), 'NONE', 'SETITEM'),
        'SETITEM',
        str('a'),
        'NONE',
        'SETITEM',
        'STOP',
      ),
    ],
    [
      'keys that can be equal though they are of different kinds',
      stream(PROTO4, 'EMPTY_DICT', 'NEWTRUE', 'NONE', 'SETITEM', op('BININT1', 1), 'NONE', 'SETITEM', 'STOP'),
    ],
    ['a key of Python 2 in another spelling', Buffer.from("(dS'a'\nNsVa\nNs.")],
    ['an object with two states', stream(PROTO4, BASE, 'EMPTY_DICT', 'BUILD', 'EMPTY_DICT', 'BUILD', 'STOP')],
    [
      'an object with a second state through the memo',
      stream(
        PROTO4,
        BASE,
        op('MEMOIZE'),
        'EMPTY_DICT',
        'BUILD',
        op('BINGET', 0),
        'EMPTY_DICT',
        'BUILD',
        op('TUPLE2'),
        'STOP',
      ),
    ],
    [
      'a list that is in the memo and grows',
      stream(
        PROTO4,
        op('EMPTY_LIST'),
        op('MEMOIZE'),
        op('TUPLE1'),
        op('BINGET', 0),
        op('NONE'),
        op('APPEND'),
        op('TUPLE2'),
        'STOP',
      ),
    ],
  ])('leaves %s to the judge', (_, content) => {
    expect(walk.bytes(content, 'model.pkl', 'model.pkl')).toBeUndefined();
  });

  it('leaves bombs to the judge, and takes what is nested a hundred thousand times', () => {
    const doubled = stream(op('MARK'), op('BINGET', 0), op('BINGET', 0), op('TUPLE'), op('MEMOIZE'));
    const laughs = [PROTO4, op('EMPTY_TUPLE'), op('MEMOIZE')];
    for (let i = 0; i < 40; i++)
      laughs.push(
        Buffer.concat([op('POP'), Buffer.from(doubled).map((byte, at) => (at === 2 || at === 4 ? i : byte))]),
      );
    const bomb = stream(...laughs, 'STOP');
    expect(judge(bomb)?.verdict).toBe('suspicious');
    expect(walk.bytes(bomb, 'bomb.pkl', 'bomb.pkl')).toBeUndefined();
    const nested = (depth: number): Buffer =>
      Buffer.concat([PROTO4, Buffer.alloc(depth, ']'), Buffer.alloc(depth - 1, 'a'), Buffer.from('.')]);
    expect(walk.bytes(nested(100_000), 'model.pkl', 'model.pkl')).toEqual(judge(nested(100_000)));
    expect(walk.bytes(nested(100_001), 'model.pkl', 'model.pkl')).toBeUndefined();
  });

  it('reads files that are larger than its window', () => {
    const folder = fs.mkdtempSync(path.join(fs.realpathSync(process.env.TMPDIR ?? '/tmp'), 'walk-'));
    try {
      const parts = [PROTO4, op('EMPTY_LIST'), op('MEMOIZE'), op('MARK')];
      const next = random(7);
      for (let i = 0; i < 40_000; i++) {
        const kind = next();
        if (kind < 0.6) parts.push(str('t'.repeat(Math.floor(next() * 200))));
        else if (kind < 0.9) parts.push(op('BININT', Math.floor(next() * 1e9)));
        else if (kind < 0.999) parts.push(op('BINBYTES', Buffer.alloc(Math.floor(next() * 300))));
        else parts.push(op('BINBYTES', Buffer.alloc(Math.floor(next() * 2_000_000))));
      }
      const whole = stream(...parts, op('APPENDS'), 'STOP');
      const file = path.join(folder, 'large.pkl');
      fs.writeFileSync(file, whole);
      expect(onDisk.scan(file, 'large.pkl')).toEqual(scanOrdinaryFile(file));
      expect(onDisk.scan(file, 'large.pkl')).toBeDefined();
      for (const cut of [1, 100, 300_000]) {
        fs.writeFileSync(file, whole.subarray(0, whole.length - cut));
        expect(onDisk.scan(file, 'large.pkl')).toBeUndefined();
      }
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  }, 60_000);
});

/** Changed files that are compared. */
const ROUNDS = Number(process.env.WALK_ROUNDS ?? 6000);

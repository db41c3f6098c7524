import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/bytes/byte-source';
import { readPickle } from '../../../src/pickle/machine';
import type { PyTuple, Value } from '../../../src/pickle/values';
import { int, op, type Piece, pickle, stream } from '../../security/assembler';

const EMPTY: [string, Piece][] = [
  ['EMPTY_LIST', 'EMPTY_LIST'],
  ['EMPTY_LIST MEMOIZE', stream('EMPTY_LIST', 'MEMOIZE')],
  ['EMPTY_LIST BINPUT', stream('EMPTY_LIST', op('BINPUT', 7))],
  ['EMPTY_LIST LONG_BINPUT', stream('EMPTY_LIST', op('LONG_BINPUT', 700))],
  ['MARK LIST', stream('MARK', 'LIST')],
];

/** Ways to fill a list with so many numbers. */
const FILLED: [string, (count: number) => Piece[]][] = [
  ['APPEND', (count) => numbers(count).map((number) => stream(number, 'APPEND'))],
  ['APPENDS', (count) => ['MARK', ...numbers(count), 'APPENDS']],
  [
    'APPENDS twice',
    (count) => {
      const half = count >> 1;
      return ['MARK', ...numbers(half), 'APPENDS', 'MARK', ...numbers(count).slice(half), 'APPENDS'];
    },
  ],
];

function numbers(count: number): Buffer[] {
  return Array.from({ length: count }, (_, i) => int(i));
}

function read(...pieces: Piece[]): Value {
  const { value, error } = readPickle(new BufferSource(pickle(...pieces), 'lists'), 0);
  expect(error).toBeUndefined();
  return value;
}

describe('lists', () => {
  for (const [open, empty] of EMPTY) {
    for (const [fill, filled] of FILLED) {
      it(`${open}, ${fill}, of 0 to 40 numbers`, () => {
        for (let count = 0; count <= 40; count++) {
          expect(read(empty, ...filled(count))).toEqual(Array.from({ length: count }, (_, i) => i));
        }
      });
    }
  }

  it('of one length after the other, each its own', () => {
    const counts = [0, 1, 2, 3, 4, 5, 8, 9, 1, 7, 0, 2, 17, 3];
    const lists = counts.map((count) => stream('EMPTY_LIST', 'MEMOIZE', 'MARK', ...numbers(count), 'APPENDS'));
    const value = read('EMPTY_LIST', 'MARK', ...lists, 'APPENDS') as Value[];
    expect(value).toEqual(counts.map((count) => Array.from({ length: count }, (_, i) => i)));
    expect(new Set(value).size).toBe(counts.length);
  });

  it('that hold themselves, and that are filled after they were fetched from the memo', () => {
    const self = read('EMPTY_LIST', 'MEMOIZE', op('BINGET', 0), 'APPEND') as Value[];
    expect(self[0]).toBe(self);
    const pair = read('EMPTY_LIST', 'MEMOIZE', op('BINGET', 0), 'MARK', int(1), int(2), 'APPENDS', 'TUPLE2') as PyTuple;
    expect(pair.items[0]).toBe(pair.items[1]);
    expect(pair.items[0]).toEqual([1, 2]);
  });
});

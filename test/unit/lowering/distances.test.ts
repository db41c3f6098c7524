import { describe, expect, it } from 'vitest';
import { DistanceTable } from '../../../src/lowering/kernels/distances';

function numbers(seed: number, count: number): Float64Array {
  let state = seed;
  return Float64Array.from({ length: count }, () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return (state / 2 ** 32 - 0.5) * 10 ** (state % 7);
  });
}

function plain(rows: Float64Array, points: Float64Array, features: number): number[] {
  const out: number[] = [];
  for (let row = 0; row < rows.length; row += features) {
    for (let p = 0; p < points.length; p += features) {
      let sum = 0;
      for (let i = 0; i < features; i++) sum += (rows[row + i]! - points[p + i]!) ** 2;
      out.push(sum);
    }
  }
  return out;
}

function asked(table: DistanceTable, rows: Float64Array, features: number, count: number): number[] {
  const out: number[] = [];
  table.each(rows, rows.length / features, (row, squares, at) => {
    expect(out.length).toBe(row * count);
    out.push(...squares.subarray(at, at + count));
  });
  return out;
}

describe('squared distances', () => {
  for (const [count, features, total] of [
    [1, 1, 1],
    [7, 3, 5],
    [8, 20, 64],
    [9, 2, 65],
    [1003, 5, 130],
  ] as const) {
    it(`are those of a plain loop: ${total} rows, ${count} points, ${features} columns`, () => {
      const points = numbers(count, count * features);
      const rows = numbers(total + 1, total * features);
      const table = new DistanceTable(points, count, features);
      expect(asked(table, rows, features, count)).toEqual(plain(rows, points, features));
    });
  }

  it('keeps tables apart that take turns', () => {
    const rows = numbers(1, 12);
    const tables = [5, 900, 20].map((count) => {
      const points = numbers(count, count * 4);
      return { table: new DistanceTable(points, count, 4), count, expected: plain(rows, points, 4) };
    });
    for (let turn = 0; turn < 2; turn++)
      for (const { table, count, expected } of tables) expect(asked(table, rows, 4, count)).toEqual(expected);
  });

  it('are 0 without columns, and none without points', () => {
    const seen: number[][] = [];
    new DistanceTable(new Float64Array(0), 2, 0).each(new Float64Array(0), 2, (_row, squares) =>
      seen.push([...squares]),
    );
    expect(seen).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });
});

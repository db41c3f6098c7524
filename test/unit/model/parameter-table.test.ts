import { describe, expect, it } from 'vitest';
import { MemoryRange } from '../../../src/bytes/byte-range';
import { Codes, Numbers } from '../../../src/model/columns';
import type { Parameter } from '../../../src/model/model';
import { ParameterTable } from '../../../src/model/parameter-table';

const tensor = { dtype: 'float32' as const, shape: [2, 3], data: new MemoryRange(new Uint8Array(24)) };

const ROWS: Parameter[] = [
  { name: 'a', shape: [2, 3], dtype: 'float32', count: 6, bytes: 24, storage: '0', kind: 'parameter', tensor },
  { name: 'scalar', shape: [], dtype: 'int64', count: 1, bytes: 8, storage: '1', kind: 'buffer', device: 'cuda:0' },
  {
    name: 'b',
    shape: [3, 2],
    dtype: 'float32',
    dtypeDetail: '>f4',
    count: 6,
    bytes: 24,
    storage: '0',
    kind: 'parameter',
    requiresGrad: false,
    strides: [1, 3],
    offset: 2,
    tiedTo: 'a',
    note: 'transposed',
  },
  {
    name: 'frame',
    shape: [2 ** 40, 1],
    dtype: 'object',
    count: 2 ** 40,
    bytes: 2 ** 43,
    storage: '2',
    kind: 'attribute',
    requiresGrad: true,
    table: { columns: ['x'], dtypes: ['int64'], rowCount: 1, cells: () => [['1']] },
  },
];

describe('the parameter table', () => {
  it('gives back the rows it was filled with', () => {
    const table = ParameterTable.of(ROWS);
    expect([...table]).toEqual(ROWS);
    expect(table.map((row) => row.name)).toEqual(['a', 'scalar', 'b', 'frame']);
    expect(table.at(4)).toBeUndefined();
    expect(table.at(-1)).toBeUndefined();
    expect(table.shape(3)).toEqual([2 ** 40, 1]);
    expect(table.rank(1)).toBe(0);
    expect(table.isReadable(0)).toBe(true);
    expect(table.isReadable(1)).toBe(false);
    expect(table.isReadable(3)).toBe(true);
    expect(table.dtypeText(2)).toBe('>f4');
    expect([...table.allDtypes()]).toEqual(['float32', 'int64', '>f4', 'object']);
  });

  it('is not changed by what happens to a row that it gave', () => {
    const table = ParameterTable.of(ROWS);
    const row = table.at(0)!;
    row.shape.push(7);
    row.name = 'other';
    expect(table.at(0)).toEqual(ROWS[0]);
  });

  it('finds rows by name, the first of several, also those added later', () => {
    const table = ParameterTable.of(ROWS);
    expect(table.indexOf('b')).toBe(2);
    expect(table.indexOf('nothing')).toBe(-1);
    expect(table.add({ ...ROWS[1], name: 'b' })).toBe(4);
    table.add({ ...ROWS[1], name: 'late' });
    expect(table.indexOf('b')).toBe(2);
    expect(table.get('late')).toMatchObject({ name: 'late', dtype: 'int64' });
  });

  it('makes references of what the reader kept only when they are asked for', () => {
    const made: number[] = [];
    const table = new ParameterTable<{ start: number }>((source, index) => {
      made.push(index);
      return { ...tensor, offset: source.start };
    });
    table.add({ ...ROWS[1] });
    table.add({ ...ROWS[1], name: 'there' }, { start: 5 });
    expect(table.isReadable(0)).toBe(false);
    expect(table.isReadable(1)).toBe(true);
    expect(made).toEqual([]);
    expect(table.tensor(1)?.offset).toBe(5);
    expect(table.tensor(0)).toBeUndefined();
    expect(made).toEqual([1]);
  });
});

describe('columns', () => {
  it('hold any number', () => {
    const numbers = new Numbers();
    const wanted = Array.from({ length: 1000 }, (_, i) => (i % 3 === 0 ? -i : i * 2 ** 33 + 0.5));
    for (const n of wanted) numbers.push(n);
    expect(wanted.map((_, i) => numbers.at(i))).toEqual(wanted);
  });

  it('hold more different values than two bytes can number', () => {
    const codes = new Codes<string>();
    const wanted = Array.from({ length: 140_000 }, (_, i) => (i < 70_000 ? String(i) : String(i % 1000)));
    for (const text of wanted) codes.push(text);
    expect(wanted.every((text, i) => codes.at(i) === text)).toBe(true);
    expect(codes.distinct().size).toBe(70_000);
  });
});

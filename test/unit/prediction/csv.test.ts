import { describe, expect, it } from 'vitest';
import { parseCsv } from '../../../src/prediction/csv';

describe('CSV', () => {
  it('reads quotes, line endings and separators', () => {
    expect(parseCsv('1,2\r\n3,4', undefined, true)).toEqual({
      rows: [
        ['1', '2'],
        ['3', '4'],
      ],
    });
    expect(parseCsv('\ufeffa;"b ""x"""\n1;2\n', undefined, true)).toEqual({
      header: ['a', 'b "x"'],
      rows: [['1', '2']],
    });
    expect(parseCsv('"one, two"\t3\n"line\nbreak"\t4', undefined, false)).toEqual({
      rows: [
        ['one, two', '3'],
        ['line\nbreak', '4'],
      ],
    });
    expect(() => parseCsv('"open', undefined, true)).toThrow(/never closed/);
    expect(() => parseCsv('', undefined, true)).toThrow(/empty/);
  });

  it('knows a header when it sees one', () => {
    expect(parseCsv('age,height\n1,2', undefined, true).header).toEqual(['age', 'height']);
    expect(parseCsv('colour,size\nred,2', undefined, false).header).toEqual(['colour', 'size']);
    expect(parseCsv('colour\nred', ['colour'], false).header).toEqual(['colour']);
    expect(parseCsv('red,2\nblue,3', undefined, false).header).toBeUndefined();
    expect(parseCsv('1,nan\n3,4', undefined, true).header).toBeUndefined();
  });
});

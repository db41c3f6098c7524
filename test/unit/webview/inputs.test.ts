import { describe, expect, it } from 'vitest';
import type { Signature, TensorSpec } from '../../../src/model/model';
import { cellValue, parseTable } from '../../../webview-ui/src/predict/csv';
import {
  boxExample,
  formFor,
  fromBox,
  fromForm,
  fromJson,
  fromTable,
  type InputProblem,
  takesTable,
} from '../../../webview-ui/src/predict/inputs';
import { mistakeIn } from '../../../webview-ui/src/predict/json-mistake';

const X: TensorSpec = { name: 'X', dtype: 'float64', shape: [null, 2], features: ['a', 'b'] };
const signature = (...inputs: TensorSpec[]): Signature => ({ name: 's', inputs, outputs: [] });

describe('tables pasted as text', () => {
  it('finds the separator, quotes and line ends', () => {
    expect(parseTable('1,2\r\n3,4\r\n').rows).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(parseTable('1;2,5\n').rows).toEqual([[1, 2.5]]);
    expect(parseTable('1\t"x\ty"\n').rows).toEqual([[1, 'x\ty']]);
    expect(parseTable('"say ""no""","two\nlines"\n').rows).toEqual([['say "no"', 'two\nlines']]);
  });

  it('knows a header by the names of columns, or by words above numbers', () => {
    expect(parseTable('b,a\n1,2', ['a', 'b']).header).toEqual(['b', 'a']);
    expect(parseTable('width,height\n1,2').header).toEqual(['width', 'height']);
    expect(parseTable('x,y\nz,w').header).toBeUndefined();
  });

  it('refuses rows of different lengths, open quotes and nothing', () => {
    expect(() => parseTable('1,2\n3')).toThrow('Row 2 has 1 cell, expected 2.');
    expect(() => parseTable('"1,2')).toThrow('quote');
    expect(() => parseTable('  \n')).toThrow('no row');
    expect(() => parseTable('a,b', ['a'])).toThrow('header but no row');
  });

  it('reads cells as what they are', () => {
    expect(
      ['', 'NA', 'nan', '-inf', 'TRUE', '1e3', '.5', ' 7 ', '0x10', '1_000', '9007199254740993', 'red'].map(cellValue),
    ).toEqual([null, null, 'NaN', '-Infinity', true, 1000, 0.5, 7, '0x10', '1_000', '9007199254740993', 'red']);
  });
});

describe('forms', () => {
  it('takes values that the model knows as they are, and text as text', () => {
    const columns = [
      { name: 'a', example: '3', choices: ['3', '4', null], text: true },
      { name: 'b', example: 3, choices: [3, 4] },
    ];
    const form = formFor(signature({ ...X, dtype: 'object' }), columns);
    expect(fromForm(form, { a: '3', b: '4' })).toEqual({ X: [['3', 4]] });
    expect(fromForm(form, { a: '', b: '7' })).toEqual({ X: [[null, 7]] });
  });

  it('makes a record of the fields that are filled in', () => {
    const columns = [
      { name: 'place', example: '43', text: true },
      { name: 'distance', example: 1 },
    ];
    const form = formFor(signature({ name: 'X', dtype: 'object', shape: [null] }), columns);
    expect(fromForm(form, { place: '43', distance: '1.5' })).toEqual({ X: [{ place: '43', distance: 1.5 }] });
    expect(fromForm(form, { place: '', distance: '2' })).toEqual({ X: [{ distance: 2 }] });
  });

  it('chooses by shape', () => {
    expect(formFor(signature(X)).kind).toBe('columns');
    expect(formFor(signature({ name: 'X', dtype: 'float32', shape: [null, 61] })).kind).toBe('tensors');
    expect(formFor(signature({ name: 'X', dtype: 'string', shape: [null] })).kind).toBe('text');
    expect(
      formFor(signature({ name: 'a', dtype: 'int64', shape: [null] }, { name: 'b', dtype: 'string', shape: [null, 1] }))
        .kind,
    ).toBe('scalars');
    expect(formFor(signature({ name: 'x', dtype: 'float32', shape: [1, 3, 8, 8] })).kind).toBe('tensors');
    expect(takesTable(signature(X))).toBe(X);
    expect(takesTable(signature(X, X))).toBeUndefined();
  });

  it('makes one row of values, missing ones included, and names what is wrong', () => {
    const form = formFor(signature(X));
    expect(fromForm(form, { a: '1.5', b: '' })).toEqual({ X: [[1.5, null]] });
    const wrong = (): unknown => fromForm(form, { a: 'red', b: '1' });
    expect(wrong).toThrow('“red” is not a number.');
    try {
      wrong();
    } catch (error) {
      expect((error as InputProblem).field).toBe('a');
    }
    expect(() => fromForm(formFor(signature({ name: 'n', dtype: 'int64', shape: [null] })), { n: '1.5' })).toThrow(
      'whole number',
    );
  });

  it('keeps columns of the same name apart', () => {
    const form = formFor(signature({ ...X, features: ['a', 'a'] }));
    expect(form.kind === 'columns' && form.fields.map((field) => field.name)).toEqual(['a', 'a (2)']);
  });

  it('leaves text as it is typed', () => {
    const form = formFor(signature({ name: 't', dtype: 'string', shape: [null, 1] }));
    expect(fromForm(form, { t: '12', x0: '12' })).toEqual({ t: [['12']] });
  });
});

describe('pasted inputs', () => {
  it('matches the columns of a table by name', () => {
    expect(fromTable(X, 'b,a\n2,1\n4,3')).toEqual({
      X: [
        [1, 2],
        [3, 4],
      ],
    });
    expect(() => fromTable(X, 'b,c\n2,1')).toThrow('missing: a');
  });

  it('takes an object by input, the bare data, one row, or a row by column', () => {
    const one = signature(X);
    expect(fromJson(one, '{"X": [[1, 2]]}')).toEqual({ X: [[1, 2]] });
    expect(fromJson(one, '[[1, 2]]')).toEqual({ X: [[1, 2]] });
    expect(fromJson(one, '[1, NaN]')).toEqual({ X: [[1, 'NaN']] });
    expect(fromJson(one, '{"a": 1, "b": -Infinity}')).toEqual({ X: [{ a: 1, b: '-Infinity' }] });
    expect(fromJson(one, '{"dtype": "float64", "shape": [1, 2], "data": [1, 2]}').X).toMatchObject({ shape: [1, 2] });
    expect(() => fromJson(signature(X, { ...X, name: 'Y' }), '[1]')).toThrow('"X", "Y"');
    expect(fromJson(one, '{"X": ["NaN is text"]}')).toEqual({ X: ['NaN is text'] });
  });

  it('makes tensors on request, but not without limit', () => {
    const spec: TensorSpec = { name: 'x', dtype: 'float32', shape: [null, 2] };
    expect(fromBox(spec, 'zeros(2, 2)')).toEqual({ dtype: 'float32', shape: [2, 2], data: [0, 0, 0, 0] });
    expect(fromBox(spec, ' ones(3×1) ')).toEqual({ dtype: 'float32', shape: [3, 1], data: [1, 1, 1] });
    expect(
      (fromBox({ ...spec, dtype: 'int64' }, 'random(50)') as { data: number[] }).data.every(Number.isInteger),
    ).toBe(true);
    expect(() => fromBox(spec, 'zeros(100000, 100000)')).toThrow('too many');
    expect(boxExample(spec)).toBe('zeros(1, 2)');
    expect(boxExample({ ...spec, example: [[1, 2]] })).toBe('[[1,2]]');
  });

  it('says where JSON breaks', () => {
    expect(() => fromBox(X, '[1,\n 2,,]')).toThrow('line 2, column 4');
    expect(() => fromBox(X, '')).toThrow('nothing here');
  });
});

describe('the place of a mistake in JSON', () => {
  it.each([
    ['[1, 2,]', 6],
    ['{"a" 1}', 5],
    ['{a: 1}', 1],
    ['[1 2]', 3],
    ['[1}', 2],
    ['[01]', 1],
    ['"open', 0],
    ['[1', 2],
    ['[] []', 3],
    ['{"a": 1,}', 8],
    ['nul', 0],
  ])('%s', (text, place) => {
    expect(() => JSON.parse(text)).toThrow();
    expect(mistakeIn(text)).toBe(place);
  });

  it('finds none in JSON', () => {
    for (const text of ['[1, {"a": [true, null, -1.5e-3, "\\u0041"]}, {}]', ' "x" ', '[]'])
      expect(mistakeIn(text)).toBe(text.length);
  });
});

import { describe, expect, it } from 'vitest';
import { ModelError } from '../../../src/bytes/errors';
import type { PredictorInput } from '../../../src/lowering/predictor';
import { adaptTensor, parseInput, parseInputs } from '../../../src/prediction/inputs';

const rows: PredictorInput = { name: 'X', dtype: 'float64', shape: [null, 3], missing: false, infinite: false };
const named: PredictorInput = { ...rows, features: ['age', 'income', 'height'] };
const image: PredictorInput = { name: 'image', dtype: 'float32', shape: [1, null, 2], missing: true, infinite: true };

function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof ModelError && error.code === 'usage') return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('rows for an estimator', () => {
  const expected = { dtype: 'float64', shape: [2, 3], data: Float64Array.of(1, 2, 3, 4, 5, 6) };

  it('takes arrays, objects by feature name, columns, text that is a number, and flat data', () => {
    expect(
      parseInput(rows, [
        [1, 2, 3],
        [4, 5, 6],
      ]),
    ).toEqual(expected);
    expect(
      parseInput(rows, [
        ['1', ' 2.0 ', 3],
        [4, '5e0', 6],
      ]),
    ).toEqual(expected);
    expect(
      parseInput(named, [
        { age: 1, income: 2, height: 3 },
        { height: 6, age: 4, income: 5 },
      ]),
    ).toEqual(expected);
    expect(parseInput(named, { height: [3, 6], age: [1, 4], income: [2, 5] })).toEqual(expected);
    expect(parseInput(rows, [{ x0: 1, x1: 2, x2: 3 }, [4, 5, 6]])).toEqual(expected);
    expect(parseInput(rows, { dtype: 'float64', shape: [2, 3], data: [1, 2, 3, 4, 5, 6] })).toEqual(expected);
  });

  it('takes one row without brackets, alone or under its name', () => {
    const one = { dtype: 'float64', shape: [1, 3], data: Float64Array.of(1, 2, 3) };
    expect(parseInput(rows, [1, 2, 3])).toEqual(one);
    expect(parseInputs([named], { age: 1, income: 2, height: 3 }).get('X')).toEqual(one);
    expect(parseInputs([named], { X: [[1, 2, 3]] }).get('X')).toEqual(one);
    expect(parseInput({ ...rows, shape: [null, 1] }, [1, 2])).toMatchObject({ shape: [2, 1] });
  });

  it('says which row and value is wrong', () => {
    expect(
      refusal(() =>
        parseInput(rows, [
          [1, 2, 3],
          [1, 2, 3],
          [1, 2, 3, 4, 5],
        ]),
      ),
    ).toBe('Row 3 of X has 5 values, the model takes 3.');
    expect(refusal(() => parseInput(named, [[1, 2]]))).toBe(
      'Row 1 of X has 2 values, the model takes 3 (age, income, height).',
    );
    expect(refusal(() => parseInput(rows, [[1, 'blue', 3]]))).toBe(
      'Row 1, value 2 of X is the text "blue", the model takes a number there.',
    );
    expect(refusal(() => parseInput(named, [{ age: 1, income: 2 }]))).toBe('Row 1 of X lacks "height".');
    expect(refusal(() => parseInput(named, [{ age: 1, income: 2, height: 3, weight: 4 }]))).toMatch(
      /has "weight", which/,
    );
    expect(refusal(() => parseInput(rows, [{ age: 1, income: 2, height: 3 }]))).toMatch(/not fitted with names/);
    expect(refusal(() => parseInput(rows, []))).toMatch(/has no values|no rows|0 values/);
    expect(refusal(() => parseInput(rows, 'text'))).toMatch(/rows of 3 numbers/);
    expect(refusal(() => parseInput(rows, [[1, [2], 3]]))).toMatch(/an array of 1; a single value belongs there/);
    expect(refusal(() => parseInputs([rows, image], [[1, 2, 3]]))).toMatch(/takes 2 inputs/);
    expect(refusal(() => parseInputs([rows], { X: [[1, 2, 3]], Y: 1 }))).toMatch(/no input called "Y"/);
  });

  it('refuses missing and infinite values where the framework does', () => {
    expect(refusal(() => parseInput(named, [[1, null, 3]]))).toMatch(/Row 1, "income" of X is missing/);
    expect(refusal(() => parseInput(rows, [[1, 2, 'inf']]))).toMatch(/infinite/);
    const lenient = { ...rows, missing: true };
    expect(parseInput(lenient, [[1, '', Number.NaN]])).toEqual({
      dtype: 'float64',
      shape: [1, 3],
      data: Float64Array.of(1, Number.NaN, Number.NaN),
    });
  });

  it('keeps cells of mixed tables as they are', () => {
    const mixed: PredictorInput = { ...rows, dtype: 'mixed', missing: true, infinite: true };
    expect(parseInput(mixed, [['red', null, 2]])).toEqual({ dtype: 'mixed', shape: [1, 3], data: ['red', null, 2] });
  });
});

describe('tensors', () => {
  it('takes nested arrays of the declared rank', () => {
    expect(
      parseInput(image, [
        [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
      ]),
    ).toEqual({
      dtype: 'float32',
      shape: [1, 3, 2],
      data: Float32Array.of(1, 2, 3, 4, 5, 6),
    });
  });

  it('names the place of what does not fit', () => {
    expect(refusal(() => parseInput(image, [[1, 2]]))).toBe(
      'image has the shape [1, 2], the model takes float32 [1, *, 2].',
    );
    expect(refusal(() => parseInput(image, [[[1, 2], [3]]]))).toMatch(
      /not rectangular: an array of 1 stands where an array of 2/,
    );
    expect(refusal(() => parseInput(image, { shape: [1, 2, 2], data: [1, 2, 3] }))).toMatch(
      /has 3 values, but its shape/,
    );
    expect(refusal(() => parseInput(image, [[[1, 'x']]]))).toMatch(/image\[0, 0, 1\] is the text "x"/);
  });

  it('keeps integers exact and within their range', () => {
    const ids: PredictorInput = { name: 'ids', dtype: 'int64', shape: [null], missing: false, infinite: false };
    expect(parseInput(ids, [1, '9007199254740993'])).toMatchObject({ data: BigInt64Array.of(1n, 9007199254740993n) });
    expect(refusal(() => parseInput(ids, [1.5]))).toMatch(/a whole number/);
    expect(refusal(() => parseInput({ ...ids, dtype: 'uint8' }, [256]))).toMatch(/a whole number \(uint8\)/);
    expect(refusal(() => parseInput({ ...ids, dtype: 'bool' }, [2]))).toMatch(/true or false/);
  });

  it('converts arrays that came from a file', () => {
    const array = { dtype: 'int32' as const, shape: [2, 3], data: Int32Array.of(1, 2, 3, 4, 5, 6) };
    expect(adaptTensor(rows, array)).toMatchObject({ dtype: 'float64', data: Float64Array.of(1, 2, 3, 4, 5, 6) });
    expect(refusal(() => adaptTensor(rows, { ...array, shape: [3, 2] }))).toMatch(
      /shape \[3, 2\], the model takes rows of 3/,
    );
  });
});

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/bytes/byte-source';
import { exampleInput } from '../../../src/engine/example-input';
import { lowerSklearn } from '../../../src/lowering/sklearn';
import { columnsOfInput, exampleItem } from '../../../src/lowering/sklearn/input-columns';
import { readPickle } from '../../../src/pickle/machine';
import { parseInputs } from '../../../src/prediction/inputs';
import { PredictorRunner } from '../../../src/prediction/run';

const root = join(__dirname, '../../fixtures/sklearn');
const runner = new PredictorRunner();
afterAll(() => runner.release());

function open(version: string, name: string) {
  const bytes = readFileSync(join(root, version, `${name}.pkl`));
  const estimator = readPickle(new BufferSource(bytes, name)).value as never;
  const predictor = lowerSklearn({ estimator });
  const columns = columnsOfInput(estimator, predictor.inputs[0]!);
  const item = exampleItem(estimator, predictor.inputs[0]!);
  return { predictor, columns, example: exampleInput(predictor, columns, item) };
}

describe('the first row of a form', () => {
  const version = '1.6';
  const names = readdirSync(join(root, version)).flatMap((file) =>
    file.endsWith('.pkl') ? [file.replace('.pkl', '')] : [],
  );
  it.each(names)('%s answers it', async (name) => {
    const { predictor, example } = open(version, name);
    const results = await runner.predict(predictor, parseInputs(predictor.inputs, { X: example }));
    expect(results.size).toBeGreaterThan(0);
  });
});

describe('columns of a form', () => {
  it('offers the categories that an encoder knows', () => {
    const { columns } = open('1.6', 'one_hot_binary');
    expect(columns?.some(({ choices }) => (choices?.length ?? 0) > 1)).toBe(true);
    for (const { choices, example } of columns ?? []) if (choices) expect(choices).toContain(example);
  });

  it('splits the names of a DictVectorizer into fields and their values', () => {
    const { columns, example } = open('1.6', 'dict_vectorizer');
    const text = columns?.filter((column) => column.text) ?? [];
    expect(text.length).toBeGreaterThan(0);
    expect(text.length).toBeLessThan(columns?.length ?? 0);
    expect(Object.keys((example as object[])[0]!)).toEqual(columns?.map(({ name }) => name));
  });

  // xgboost wrote the end of the last name wrong, as one before it is not ASCII.
  it.each([
    ['1.9', 'xgb_frame_categories', ['Oslo', 'Rome', 'Z\u00fcrich']],
    ['1.6', 'lgbm_frame_categories', ['Bonn', 'Oslo', 'Rome', 'Z\u00fcrich']],
  ])('offers the categories of a data frame that %s %s keeps', (version, name, towns) => {
    const [size, town, room] = open(version, name).columns ?? [];
    expect(typeof size?.example).toBe('number');
    expect(town?.choices?.toSorted()).toEqual(towns);
    expect(room?.choices).toEqual([10, 20, 35]);
  });

  it('begins with what is typical of the training data', () => {
    const { columns, example } = open('1.6', 'standard_scaler');
    expect(columns?.every(({ example: value }) => typeof value === 'number')).toBe(true);
    expect(JSON.stringify(example)).not.toMatch(/^\[\[0(,0)*\]\]$/);
  });
});

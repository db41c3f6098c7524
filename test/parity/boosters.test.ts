import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { BufferSource } from '../../src/bytes/byte-source';
import type { ModelInput } from '../../src/formats/format';
import { openModel, recognise } from '../../src/formats/registry';
import { lowerModel } from '../../src/lowering/lower';
import { readPickle } from '../../src/pickle/machine';
import { parseInputs } from '../../src/prediction/inputs';
import { outputJson } from '../../src/prediction/results';
import { PredictorRunner } from '../../src/prediction/run';

const folder = join(__dirname, '..', 'fixtures', 'boosters');
const files = readdirSync(folder).filter((file) => !file.endsWith('.expected.json'));
const runner = new PredictorRunner();
afterAll(() => runner.release());

/** The name says nothing: files are known by their content. */
function inputOf(bytes: Uint8Array): ModelInput {
  return {
    source: new BufferSource(bytes, 'model'),
    name: 'model',
    neighbour: () => undefined,
    neighbours: () => [],
    readPickle: (source, start, options) => readPickle(source, start, options),
  };
}

describe('model files of boosting libraries', () => {
  it.each(files)('%s', async (file) => {
    const expected = JSON.parse(readFileSync(join(folder, `${file}.expected.json`), 'utf8'));
    const input = inputOf(readFileSync(join(folder, file)));
    const model = openModel(input);
    expect(model.format).toBe(expected.library.split('-')[0]);
    expect(model.summary.producer?.name).toBe(model.format);
    expect(model.root.children.length).toBeGreaterThanOrEqual(file.includes('-linear.') ? 0 : 4);
    const [predict] = model.signatures;
    const predictor = lowerModel(model, { signature: 'predict' });
    const results = await runner.predict(predictor, parseInputs(predictor.inputs, { X: expected.input }));
    const [[output, tensor]] = results as unknown as [[(typeof predictor.outputs)[0], never]];
    const actual = outputJson(output, tensor);
    expect(actual.shape).toEqual(expected.shape);
    expect(predict?.outputs[0]).toMatchObject({ dtype: actual.dtype, shape: [null, ...expected.shape.slice(1)] });
    expected.data.forEach((wanted: number, i: number) => {
      const got = Number(actual.data[i]);
      expect(Math.abs(got - wanted), `[${i}]: ${got} instead of ${wanted}`).toBeLessThanOrEqual(
        expected.tolerance * Math.max(1, Math.abs(wanted)),
      );
    });
  });

  it.each(files)('%s cut anywhere gives an error or what is left', (file) => {
    const bytes = readFileSync(join(folder, file));
    for (let part = 1; part < 40; part++) {
      const input = inputOf(bytes.subarray(0, Math.floor((bytes.length * part) / 40)));
      const format = recognise(input);
      if (!format) continue;
      try {
        format.open(input);
      } catch (error) {
        expect((error as Error).name, String((error as Error).stack)).toBe('ModelError');
      }
    }
  });
});

describe('what is shown of a model file', () => {
  const open = (file: string) => openModel(inputOf(readFileSync(join(folder, file))));

  it('counts the levels of trees', () => {
    // Four and six leaves need two and three levels at least; CatBoost was told to stop at three.
    for (const [file, least, most] of [
      ['lightgbm-4.7-linear.txt', 2, 3],
      ['xgboost-3.3-squared.ubj', 1, 3],
      ['catboost-1.2-free.cbm', 1, 3],
    ] as const) {
      const depths = open(file).root.children.map(({ summary }) => Number(/depth (\d+)/.exec(summary ?? '')?.[1]));
      expect(Math.min(...depths), file).toBeGreaterThanOrEqual(least);
      expect(Math.max(...depths), file).toBeLessThanOrEqual(most);
    }
  });

  it('names the columns that are categories', () => {
    const fact = open('xgboost-3.3-categories.ubj').summary.facts.find(({ label }) => label === 'Categories');
    expect(fact?.value).toBe('column 1');
  });
});

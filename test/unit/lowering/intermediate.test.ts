import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { BufferSource } from '../../../src/bytes/byte-source';
import { lowerSklearn } from '../../../src/lowering/sklearn';
import { readPickle } from '../../../src/pickle/machine';
import { parseInputs } from '../../../src/prediction/inputs';
import { outputJson } from '../../../src/prediction/results';
import { PredictorRunner } from '../../../src/prediction/run';

const folder = join(__dirname, '..', '..', 'fixtures', 'sklearn', '1.6');

it('gives what the steps of composites pass on, steps inside steps by their path', async () => {
  const bytes = readFileSync(join(folder, 'columns_nested.pkl'));
  const { input } = JSON.parse(readFileSync(join(folder, 'columns_nested.expected.json'), 'utf8'));
  const estimator = readPickle(new BufferSource(bytes, 'x')).value as never;
  const predictor = lowerSklearn({ estimator }, { intermediate: true });
  const names = predictor.outputs.map((output) => output.name);
  expect(names).toEqual(['transform', 'p/standardscaler.transform', 'p.transform', 't/c.transform', 't.transform']);
  const runner = new PredictorRunner();
  const results = await runner.predict(predictor, parseInputs(predictor.inputs, { X: input }));
  const shapes = [...results].map(([output, tensor]) => outputJson(output, tensor).shape.length);
  expect(shapes).toEqual([2, 2, 2, 2, 2]);
  await runner.release();
});

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { BufferSource } from '../../src/bytes/byte-source';
import type { HostValue, Predictor } from '../../src/lowering/predictor';
import { lowerSklearn } from '../../src/lowering/sklearn';
import type { Tensor } from '../../src/onnx/tensor';
import { readPickle } from '../../src/pickle/machine';
import { parseInputs } from '../../src/prediction/inputs';
import { PredictorRunner } from '../../src/prediction/run';

/**
 * Trees are walked in code, and are an operator in an exported graph; distances to points are computed differently for many rows. For
 * every fixture with trees or points in it: the rows repeated to a large batch answer what they answer alone, and a graph for export
 * has operators for its trees and answers the same.
 */
const root = join(__dirname, '..', 'fixtures', 'sklearn');

/** Several blocks of the walk, and a last group that is not full. */
const LARGE = 2100;

/** What the file of a model with trees or points holds as text. */
const MARKS = [
  'sklearn.tree',
  'TreePredictor',
  'xgboost',
  'lightgbm',
  'catboost',
  'sklearn.neighbors',
  'sklearn.gaussian_process',
];

const runner = new PredictorRunner();
afterAll(() => runner.release());

/** Before missing values, before fractions in the leaves, the newest. */
const VERSIONS = ['0.22', '1.2', '1.9'];

for (const version of VERSIONS) {
  const names = readdirSync(join(root, version)).filter((file) => file.endsWith('.expected.json'));
  const models = names.flatMap((file) => {
    const name = file.replace('.expected.json', '');
    const bytes = readFileSync(join(root, version, `${name}.pkl`));
    return MARKS.some((mark) => bytes.includes(mark)) ? [{ name, bytes }] : [];
  });
  describe(`large batches of ${version}`, () => {
    it('has fixtures', () => expect(models.length).toBeGreaterThan(100));
    for (const { name, bytes } of models) {
      it(name, async () => {
        const estimator = readPickle(new BufferSource(bytes, `${name}.pkl`)).value as never;
        const predictor = lowerSklearn({ estimator });
        const { input } = JSON.parse(readFileSync(join(root, version, `${name}.expected.json`), 'utf8'));
        const inputs = parseInputs(predictor.inputs, { X: input });
        const alone = await answers(predictor, inputs);
        const walked = predictor.steps.some(
          (step) => step.kind === 'code' && /(^|\/)(trees|sum_of_trees|nearest|distances)$/.test(step.name),
        );
        if (!walked) return;
        if (predictor.rowwise) {
          const many = await answers(predictor, repeated(inputs));
          // The runtime's exponential rounds differently at the end of an array than inside.
          for (const [output, tensor] of alone) expectClose(output, many.get(output)!, repeat(tensor), 1e-14);
        }
        const graph = lowerSklearn({ estimator }, { portable: true });
        expect(graph.steps.filter((step) => step.kind === 'code' && /tree/.test(step.name))).toEqual([]);
        const exported = await answers(graph, inputs);
        expect([...exported.keys()]).toEqual([...alone.keys()]);
        for (const [output, tensor] of alone) expectClose(output, exported.get(output)!, tensor);
      });
    }
  });
}

async function answers(predictor: Predictor, inputs: ReadonlyMap<string, HostValue>): Promise<Map<string, Tensor>> {
  const results = await runner.predict(predictor, inputs);
  return new Map([...results].map(([output, tensor]) => [output.name, tensor]));
}

function repeated(inputs: ReadonlyMap<string, HostValue>): Map<string, HostValue> {
  return new Map([...inputs].map(([name, value]) => [name, repeat(value)]));
}

/** The rows over and over, up to `LARGE`. */
function repeat<T extends HostValue>(value: T): T {
  const [rows, ...rest] = value.shape as [number, ...number[]];
  const width = value.data.length / rows;
  const source = value.data as unknown as ArrayLike<never>;
  const data = Array.from({ length: LARGE * width }, (_, i) => source[i % (rows * width)]!);
  const typed = Array.isArray(value.data) ? data : (value.data.constructor as Float64ArrayConstructor).from(data);
  return { ...value, shape: [LARGE, ...rest], data: typed };
}

function expectClose(name: string, actual: Tensor, wanted: Tensor, relative = 1e-9): void {
  expect([actual.dtype, actual.shape], name).toEqual([wanted.dtype, wanted.shape]);
  const real = wanted.dtype.startsWith('float');
  const same = (got: unknown, value: unknown) =>
    Object.is(got, value) ||
    (real && Math.abs((got as number) - (value as number)) <= relative * (Math.abs(value as number) + 1e-4));
  const data = wanted.data as ArrayLike<unknown>;
  const wrong = Array.from(data).findIndex((value, i) => !same(actual.data[i], value));
  if (wrong >= 0) expect(actual.data[wrong], `${name}[${wrong}]`).toBe(data[wrong]);
}

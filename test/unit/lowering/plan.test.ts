import { afterAll, describe, expect, it } from 'vitest';
import { Plan } from '../../../src/lowering/plan';
import { type Predictor, type PredictorOutput, stepsFor } from '../../../src/lowering/predictor';
import { float64, type Tensor, toNumbers } from '../../../src/onnx/tensor';
import { PredictorRunner } from '../../../src/prediction/run';

const runner = new PredictorRunner();
afterAll(() => runner.release());

function predictor(plan: Plan, outputs: Record<string, string>): Predictor {
  return {
    title: plan.title,
    inputs: [{ name: 'X', dtype: 'float64', shape: [null, 2], missing: false, infinite: false }],
    outputs: Object.entries(outputs).map(([name, value]) => ({ name, method: name, value, dtype: 'float64' as const })),
    steps: plan.steps(),
    rowwise: true,
    notes: [],
  };
}

async function run(
  made: Predictor,
  rows = float64([1, 2, 3, 4], [2, 2]),
  outputs?: PredictorOutput[],
): Promise<Record<string, number[]>> {
  const results = await runner.predict(made, new Map([['X', rows]]), outputs);
  return Object.fromEntries([...results].map(([output, tensor]) => [output.name, [...toNumbers(tensor)]]));
}

const doubled = (tensor: Tensor): Tensor =>
  float64(
    toNumbers(tensor).map((value) => value * 2),
    tensor.shape,
  );

describe('plans', () => {
  it('puts code between graphs and operators that need no code into the first graph', async () => {
    const plan = new Plan('mixed');
    const x = plan.input('X', 'float64');
    const plus = plan.add(x, 1);
    const [code] = plan.step('double', [plus], [{ name: 'doubled', dtype: 'float64' }], ([rows]) => [
      doubled(rows as Tensor),
    ]);
    const after = plan.sub(code, plus);
    const apart = plan.mul(x, 10);
    const made = predictor(plan, { after: plan.output(after, 'after'), apart: plan.output(apart, 'apart') });
    expect(made.steps.map((step) => step.kind)).toEqual(['graph', 'code', 'graph']);
    expect(await run(made)).toEqual({ after: [2, 3, 4, 5], apart: [10, 20, 30, 40] });
    // Asking for what the first graph gives runs nothing else.
    expect(stepsFor(made, [made.outputs[1]!]).map((step) => step.kind)).toEqual(['graph']);
    expect(await run(made, undefined, [made.outputs[1]!])).toEqual({ apart: [10, 20, 30, 40] });
  });

  it('runs code before, after and without graphs', async () => {
    const plan = new Plan('code');
    const x = plan.input('X', 'float64');
    const [first] = plan.step('double', [x], [{ name: 'a', dtype: 'float64' }], ([rows]) => [doubled(rows as Tensor)]);
    const [second] = plan.step('double', [first], [{ name: 'a', dtype: 'float64' }], ([rows]) => [
      doubled(rows as Tensor),
    ]);
    const made = predictor(plan, {
      a: plan.output(first, 'first'),
      b: plan.output(second, 'second'),
      x: plan.output(x, 'same'),
    });
    expect(made.steps.map((step) => step.kind)).toEqual(['code', 'code']);
    expect(await run(made)).toEqual({ a: [2, 4, 6, 8], b: [4, 8, 12, 16], x: [1, 2, 3, 4] });
  });

  it('makes equal operators once', () => {
    const plan = new Plan('shared');
    const x = plan.input('X', 'float64');
    expect(plan.add(x, 1)).toBe(plan.add(x, 1));
    expect(plan.add(x, 1)).not.toBe(plan.add(x, 2));
    expect(plan.reduceSum(x, [1])).not.toBe(plan.reduceSum(x, [1], true));
    expect(plan.cast(x, 'float32')).not.toBe(plan.cast(x, 'int64'));
  });

  it('gives out constants, inputs and one value under two names', async () => {
    const plan = new Plan('outputs');
    const x = plan.input('X', 'float64');
    const sum = plan.reduceSum(x, [1]);
    const made = predictor(plan, {
      constant: plan.output(plan.doubles([5, 6]), 'constant'),
      one: plan.output(sum, 'one'),
      two: plan.output(sum, 'two'),
    });
    expect(await run(made)).toEqual({ constant: [5, 6], one: [3, 7], two: [3, 7] });
  });

  it('runs long inputs in pieces with the same result', async () => {
    const plan = new Plan('long');
    const x = plan.input('X', 'float64');
    const made = predictor(plan, { sum: plan.output(plan.reduceSum(x, [1]), 'sum') });
    const count = 20_001;
    const { sum } = await run(
      made,
      float64(
        Float64Array.from({ length: count * 2 }, (_, i) => i),
        [count, 2],
      ),
    );
    expect(sum).toEqual(Array.from({ length: count }, (_, i) => 4 * i + 1));
  });
});

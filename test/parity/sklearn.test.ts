import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { BufferSource } from '../../src/bytes/byte-source';
import { lowerSklearn } from '../../src/lowering/sklearn';
import { readPickle } from '../../src/pickle/machine';
import { parseInputs } from '../../src/prediction/inputs';
import { outputJson } from '../../src/prediction/results';
import { PredictorRunner } from '../../src/prediction/run';
import { checkDeclared } from './declared';

interface Expected {
  /** `records`: lists or objects, which the output gives as JSON. */
  dtype: string;
  shape: number[];
  data: (number | string | boolean)[];
}

interface Fixture {
  estimator: string;
  family: string;
  input: unknown;
  outputs: Record<string, Expected | Expected[]>;
  inverse?: { input: unknown; output: Expected };
  /** Relative tolerance, where a library computes in less than float64. */
  tolerance?: number;
}

/** `SKLEARN_FIXTURES` names another folder, for versions that are not committed. */
const root = process.env['SKLEARN_FIXTURES'] ?? join(__dirname, '..', 'fixtures', 'sklearn');
const RELATIVE = 1e-9;
/** Where numbers cancel (1 - p, a decision near 0) the last bits of numbers near 1 decide; they are no smaller than this. */
const ABSOLUTE = 1e-13;

const runner = new PredictorRunner();
afterAll(() => runner.release());

/** `SKLEARN_ONLY=text` runs the fixtures whose path contains it. */
const only = process.env['SKLEARN_ONLY'];

for (const version of existsSync(root) ? readdirSync(root).sort() : []) {
  const files = readdirSync(join(root, version)).filter(
    (file) => file.endsWith('.expected.json') && (!only || `${version}/${file}`.includes(only)),
  );
  describe.skipIf(files.length === 0)(`scikit-learn ${version}`, () => {
    for (const file of files) {
      const name = file.replace('.expected.json', '');
      it(name, async () => {
        const fixture = JSON.parse(readFileSync(join(root, version, file), 'utf8')) as Fixture;
        const bytes = readFileSync(join(root, version, `${name}.pkl`));
        const pickle = readPickle(new BufferSource(bytes, `${name}.pkl`));
        if (pickle.error) throw pickle.error;
        await checkMethods(name, pickle.value as never, fixture);
        if (fixture.inverse) await checkInverse(pickle.value as never, fixture);
      });
    }
  });
}

async function checkMethods(name: string, estimator: never, fixture: Fixture): Promise<void> {
  const predictor = lowerSklearn({ estimator });
  const results = await runner.predict(predictor, parseInputs(predictor.inputs, { X: fixture.input }));
  const actual = new Map([...results].map(([output, tensor]) => [output.name, outputJson(output, tensor)]));
  for (const [method, expected] of Object.entries(fixture.outputs)) {
    if (!Array.isArray(expected)) check(method, actual.get(method), expected, fixture.tolerance);
    else {
      for (const [i, one] of expected.entries())
        check(`${method}_${i}`, actual.get(`${method}_${i}`), one, fixture.tolerance);
    }
  }
  checkDeclared(name, estimator, [...actual.values()]);
  // Nothing is offered that the framework does not have.
  const known = new Set(Object.keys(fixture.outputs));
  for (const { method } of predictor.outputs) expect([...known], `${method} is offered`).toContain(method);
}

async function checkInverse(estimator: never, { inverse }: Fixture): Promise<void> {
  const predictor = lowerSklearn({ estimator }, { signature: 'inverse_transform' });
  const results = await runner.predict(predictor, parseInputs(predictor.inputs, { X: inverse!.input }));
  const [[output, tensor]] = results as unknown as [[(typeof predictor.outputs)[0], never]];
  check('inverse_transform', outputJson(output, tensor), inverse!.output);
}

/** Cells of different types are given as Python prints them. */
function checkObject(got: string, wanted: number | string | boolean | null, place: string, tolerance: number): void {
  if (typeof wanted === 'number')
    expect(Math.abs(Number(got) - wanted), place).toBeLessThanOrEqual(tolerance * Math.abs(wanted));
  else if (typeof wanted === 'boolean') expect(got, place).toBe(wanted ? 'True' : 'False');
  else if (wanted === null) expect(got, place).toBe('None');
  else expect(got, place).toBe(wanted === 'NaN' ? 'nan' : wanted);
}

function check(
  name: string,
  actual: ReturnType<typeof outputJson> | undefined,
  expected: Expected,
  tolerance = RELATIVE,
): void {
  if (!actual) throw new Error(`${name} is missing`);
  expect(actual.shape, `shape of ${name}`).toEqual(expected.shape);
  if (expected.dtype === 'records') {
    expect(
      actual.data.map((text) => JSON.parse(text as string)),
      name,
    ).toEqual(expected.data);
    return;
  }
  expected.data.forEach((wanted, i) => {
    const got = actual.data[i]!;
    const place = `${name}[${i}]: ${got} instead of ${wanted}`;
    if (typeof wanted === 'number' && typeof got === 'number') {
      if (
        expected.dtype.startsWith('int') ||
        (name === 'predict' && Number.isInteger(wanted) && Math.abs(wanted) < 100 && got === wanted)
      )
        expect(got, place).toBe(wanted);
      else expect(Math.abs(got - wanted), place).toBeLessThanOrEqual(tolerance * Math.abs(wanted) + ABSOLUTE);
    } else if (expected.dtype === 'object' && typeof got === 'string') checkObject(got, wanted, place, tolerance);
    else expect(got, place).toBe(wanted);
  });
  if (/^(string|bool|int)/.test(expected.dtype))
    expect(actual.dtype.replace(/\d+$/, ''), `type of ${name}`).toBe(expected.dtype.replace(/\d+$/, ''));
}

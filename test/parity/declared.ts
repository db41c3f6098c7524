import { expect } from 'vitest';
import { sklearnVersion } from '../../src/formats/sklearn';
import { signaturesOf } from '../../src/formats/sklearn/signatures';
import type { TensorSpec } from '../../src/model/model';
import { Instance, type Value } from '../../src/pickle/values';
import type { outputJson } from '../../src/prediction/results';

/** Outputs whose width depends on the rows that are asked: [fixture, method]. */
const DEPENDS_ON_ROWS = new Set([
  // Before 1.3, rows without a missing value come back without the columns of the indicator.
  'knn_imputer_whole_rows transform',
  // What `coef_` was when there was one column of targets is not kept.
  'elastic_one_column predict',
]);

/** What an estimator answers is what its signatures said: names, types, shapes, labels of the columns. */
export function checkDeclared(
  fixture: string,
  estimator: Value,
  answers: readonly ReturnType<typeof outputJson>[],
): void {
  if (!(estimator instanceof Instance)) throw new Error('no estimator');
  const signatures = signaturesOf(estimator, sklearnVersion(estimator));
  const declared = new Map(
    signatures.flatMap(({ outputs }) => outputs.map((output) => [output.name, output] as const)),
  );
  for (const answer of answers) {
    const spec = declared.get(answer.name);
    expect(spec, `${answer.name} is declared`).toBeDefined();
    checkOutput(`${fixture} ${answer.name}`, spec as TensorSpec, answer);
  }
}

function checkOutput(place: string, spec: TensorSpec, answer: ReturnType<typeof outputJson>): void {
  // Cells may hold anything.
  if (spec.dtype !== 'object') expect(spec.dtype, `type of ${place}`).toBe(answer.dtype);
  if (!DEPENDS_ON_ROWS.has(place)) {
    expect(spec.shape?.length, `dimensions of ${place}`).toBe(answer.shape.length);
    spec.shape?.forEach((size, i) => {
      if (size !== null) expect(size, `dimension ${i} of ${place}`).toBe(answer.shape[i]);
    });
  }
  expect(spec.labels, `labels of ${place}`).toEqual(answer.labels);
}

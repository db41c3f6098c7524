import { describe, expect, it } from 'vitest';
import { objectOf } from '../../../../src/formats/boosters/describe';
import { describeEstimator, placedEstimators } from '../../../../src/formats/sklearn';
import { derivedFrom } from '../../../../src/formats/sklearn/derived';
import type { Value } from '../../../../src/pickle/values';

const RIDGE: [string, Value][] = [
  ['alpha', 1],
  ['fit_intercept', true],
  ['copy_X', true],
  ['max_iter', null],
  ['tol', 1e-4],
  ['solver', 'auto'],
  ['positive', false],
  ['random_state', null],
];

describe('estimators of a class of its own', () => {
  it('are known by the attributes of the class that they derive from', () => {
    const model = objectOf(
      'shop.models',
      'PriceRidge',
      new Map([...RIDGE, ['currency', 'EUR'], ['n_features_in_', 3]]),
    );
    expect(derivedFrom(model)).toEqual(['Ridge']);
    expect(placedEstimators(model).map(({ path }) => path)).toEqual(['']);
    const { summary, signatures, noPrediction, root } = describeEstimator(model);
    expect(summary.title).toBe('PriceRidge');
    expect(summary.subtitle).toBe('shop.models.PriceRidge, with the attributes of Ridge');
    expect(root.attributes.map(({ name }) => name)).toContain('currency');
    // Its methods may be other ones, so nothing is answered in its name.
    expect(signatures).toEqual([]);
    expect(noPrediction).toMatch(/^shop\.models\.PriceRidge is no class of scikit-learn's, .* Ridge: /);
  });

  it('need what fitting leaves, and all of the parameters', () => {
    expect(derivedFrom(objectOf('shop', 'A', new Map(RIDGE)))).toEqual([]);
    expect(derivedFrom(objectOf('shop', 'A', new Map([...RIDGE.slice(2), ['coef_', 1]])))).toEqual([]);
  });
});

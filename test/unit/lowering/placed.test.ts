import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/bytes/byte-source';
import { placedEstimators } from '../../../src/formats/sklearn';
import { lowerModel } from '../../../src/lowering/lower';
import type { Model } from '../../../src/model/model';
import { readPickle } from '../../../src/pickle/machine';

const fixture = (name: string) => {
  const bytes = readFileSync(join(__dirname, '..', '..', 'fixtures', 'sklearn', '1.6', `${name}.pkl`));
  return readPickle(new BufferSource(bytes, name)).value!;
};

/** A file that holds a scaler and a classifier, as its reader describes it. */
function both(): Model {
  const value = new Map([
    ['scaler', fixture('inverse_ordinal')],
    ['model', fixture('quadratic_log')],
  ]);
  const placed = placedEstimators(value as never);
  const { estimator, path } = placed[1]!;
  return { estimator, estimatorPath: path, placed } as unknown as Model;
}

describe('a file of several estimators', () => {
  it('says whose answers they are', () => {
    const predictor = lowerModel(both());
    expect(predictor.title).toBe('QuadraticDiscriminantAnalysis');
    expect(predictor.notes[0]).toContain("['model'] alone");
  });

  it('answers for another that the signature names', () => {
    expect(lowerModel(both(), { signature: 'scaler' }).title).toBe('OrdinalEncoder');
    const back = lowerModel(both(), { signature: "['scaler'].inverse_transform" });
    expect(back.outputs.map((output) => output.method)).toEqual(['inverse_transform']);
    expect(() => lowerModel(both(), { signature: 'nobody' })).toThrow('nobody');
  });
});

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../src/bytes/byte-source';
import { ModelError } from '../../src/bytes/errors';
import { lowerSklearn } from '../../src/lowering/sklearn';
import { readPickle } from '../../src/pickle/machine';
import { parseInputs } from '../../src/prediction/inputs';
import { PredictorRunner } from '../../src/prediction/run';

/**
 * Seeded damage to fitted estimators: a prediction may come out or a `ModelError`, nothing else, and neither a hang nor a
 * crash of the runtime. `FUZZ_ROUNDS` multiplies the number of tries.
 */
const ROUNDS = 4 * Number(process.env['FUZZ_ROUNDS'] ?? 1);
const SECONDS = 5;
const root = join(__dirname, '..', 'fixtures', 'sklearn');
/** Of the newest version what has fixtures of no other: CatBoost, imbalanced-learn, categories that the model keeps. */
const CHOSEN: Readonly<Record<string, RegExp>> = {
  '0.20': /./,
  '1.6': /./,
  '1.9': /^(catboost|balanced|xgb_(frame|vector|expect)|lgbm_(linear|frame))/,
};
const versions = Object.keys(CHOSEN).filter((version) => existsSync(join(root, version)));

function generator(seed: number): (below: number) => number {
  let state = seed >>> 0 || 1;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function damaged(bytes: Uint8Array, seed: number): Uint8Array {
  const random = generator(seed);
  const copy = Uint8Array.from(bytes);
  for (let i = 0; i <= random(4); i++) {
    const at = random(copy.length);
    const kind = random(4);
    if (kind === 0) copy[at] = random(256);
    else if (kind === 1) copy[at]! ^= 1 << random(8);
    else if (kind === 2) copy.fill(random(256), at, at + 1 + random(8));
    else copy.copyWithin(at, random(copy.length), Math.min(copy.length, at + 1 + random(16)));
  }
  return copy;
}

async function tryToPredict(bytes: Uint8Array): Promise<void> {
  const pickle = readPickle(new BufferSource(bytes));
  const predictor = lowerSklearn({ estimator: pickle.value });
  const [input] = predictor.inputs;
  const width = Math.min(input!.shape[1] ?? 3, 1000);
  const runner = new PredictorRunner();
  try {
    const X = input!.dtype === 'string' ? ['a text'] : [Array.from({ length: width }, (_, i) => i % 3)];
    await runner.predict(predictor, parseInputs(predictor.inputs, { X }));
  } finally {
    await runner.release();
  }
}

for (const version of versions) {
  describe(`damaged estimators of scikit-learn ${version}`, () => {
    for (const file of readdirSync(join(root, version)).filter(
      (name) => name.endsWith('.pkl') && CHOSEN[version]!.test(name),
    )) {
      it(file, async () => {
        const bytes = readFileSync(join(root, version, file));
        for (let round = 0; round < ROUNDS; round++) {
          const started = performance.now();
          try {
            await tryToPredict(damaged(bytes, round * 7919 + file.length * 31 + bytes.length));
          } catch (error) {
            if (!(error instanceof ModelError)) throw error;
          }
          expect(performance.now() - started, `round ${round}`).toBeLessThan(SECONDS * 1000);
        }
      }, 120_000);
    }
  });
}

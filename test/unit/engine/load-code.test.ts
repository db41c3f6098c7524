import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ModelSession } from '../../../src/engine/session';

const FIXTURES = path.resolve(__dirname, '..', '..', 'fixtures');

async function codeOf(file: string): Promise<string> {
  const session = await ModelSession.open(file);
  try {
    return session
      .overview()
      .snippets.map((snippet) => snippet.code)
      .join('\n');
  } finally {
    session.close();
  }
}

const fixture = (name: string): Promise<string> => codeOf(path.join(FIXTURES, name));

describe('code that loads a file', () => {
  it('names the version of scikit-learn, the method, and what it takes', async () => {
    const code = await fixture('sklearn/1.6/logistic_without_intercept.pkl');
    expect(code).toContain(
      '#   pip install "scikit-learn==1.6.1"\nwith open("logistic_without_intercept.pkl", "rb") as file:',
    );
    expect(code).toContain('# X: float64 of shape (n, 4)\nprint(model.predict(X))\n');
  });

  it('reaches a model inside a dict, and says predict of a Keras model', async () => {
    const inDict = await fixture('pickle/sk1.6-dict.pkl');
    expect(inDict).toContain('    data = pickle.load(file)');
    expect(inDict).toMatch(/\nprint\(data\['\w+'\]\.predict\(X\)\)\n$/);
    expect(await fixture('tensorflow/pickled-model-2.21.pkl')).toMatch(/\nprint\(model\.predict\(X\)\)\n$/);
  });

  it('asks pip for a release only where the file tells one', async () => {
    const vague = await fixture('sklearn/1.6/lgbm_dart.pkl');
    expect(vague).toContain('# Written by lightgbm 4.4 or 4.5; other versions may read it otherwise.\n');
    expect(vague).not.toContain('pip install');
    expect(await fixture('sklearn/1.2/lgbm_dart.pkl')).toContain('#   pip install "lightgbm==3.3.*"');
  });

  it('wraps the rows for a pickled Booster of xgboost', async () => {
    const code = await fixture('sklearn/1.4/xgb_booster.pkl');
    expect(code).toMatch(/^import pickle\nimport xgboost\n/);
    expect(code).toContain('print(model.predict(xgboost.DMatrix(X)))');
  });

  it('calls a transformer by its own method', async () => {
    expect(await fixture('sklearn/1.6/power_box_cox_raw.pkl')).toContain('print(model.transform(X))');
  });

  it('lets joblib read what joblib or a compressor wrote', async () => {
    expect(await fixture('pickle/sk1.6-arrays.joblib')).toContain('data = joblib.load("sk1.6-arrays.joblib")');
    expect(await fixture('pickle/sk0.20-arrays.gz')).toContain('data = joblib.load("sk0.20-arrays.gz")');
  });

  it('reads a table with pandas and arrays without pickle, unless they hold objects', async () => {
    expect(await fixture('pickle/sk0.20-frame.pkl')).toContain('pd.read_pickle("sk0.20-frame.pkl")');
    expect(await fixture('pickle/sk0.20-f4.npy')).toBe(
      'import numpy as np\n\narray = np.load("sk0.20-f4.npy", allow_pickle=False)\n',
    );
    expect(await fixture('pickle/sk1.6-plain.npz')).toContain(
      '# It holds Python objects, that is a pickle: read the verdict before allow_pickle=True.\nwith np.load("sk1.6-plain.npz", allow_pickle=True)',
    );
  });

  it('loads a SavedModel by its folder and asks its signature', async () => {
    const file = path.join(FIXTURES, 'tensorflow/dense-2.15');
    const code = await codeOf(file);
    expect(code).toContain('tf.saved_model.load("dense-2.15")');
    expect(code).toMatch(/signatures\["serving_default"\]\nprint\(call\(\w+=tf\.zeros\(\[1, \d+\], tf\.float32\)\)\)/);
    expect(await codeOf(path.join(file, 'saved_model.pb'))).toBe(code);
  });

  it('loads Keras files in safe mode and says when that does not help', async () => {
    expect(await fixture('tensorflow/dense-2.21.keras')).not.toContain('Lambda');
    expect(await fixture('tensorflow/dense-2.21.h5')).toContain('Lambda');
    expect(await fixture('tensorflow/dense-2.21.weights.h5')).toContain('model.load_weights("dense-2.21.weights.h5")');
  });

  it('feeds every input of an ONNX model', async () => {
    expect(await fixture('onnx/control.onnx')).toContain(
      'session.run(None, {"x": np.zeros((2, 40), np.float32), "flag": np.zeros((), np.bool_)})',
    );
  });

  it('gives a booster what its library takes', async () => {
    expect(await fixture('boosters/lightgbm-2.3-binary.txt')).toMatch(
      /Booster\(model_file="lightgbm-2\.3-binary\.txt"\)[\s\S]*print\(booster\.predict\(X\)\)/,
    );
  });

  it('keeps a file name with a quote and a line break inside the string', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'load-code-'));
    try {
      const file = path.join(folder, 'a"\nimport os #.npy');
      fs.copyFileSync(path.join(FIXTURES, 'pickle/sk0.20-f4.npy'), file);
      expect(await codeOf(file)).toContain('np.load("a\\"\\nimport os #.npy", allow_pickle=False)');
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });
});

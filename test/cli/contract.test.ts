import * as fs from 'node:fs';
import * as path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { inFolder, json, run } from './run';

const FOREST = 'media/samples/random_forest_model.pkl';
const PIPELINE = 'media/samples/iris_pipeline.pkl';
const STATE = 'media/samples/linear_state.pth';
const SCRIPT = 'media/samples/scripted.pt';
const SAVED_MODEL = 'media/samples/keras_dense_model';
const BAD = 'media/samples/suspicious_example.pkl';
const ROW = JSON.stringify({ X: [[5.1, 3.5, 1.4, 0.2]] });

/** A pickle of a float that JSON lacks, of an integer beyond 2^53, and of text that would drive a terminal. */
const ODD = Buffer.from(
  '\x80\x02}(X\x03\x00\x00\x00nanFnan\nX\x03\x00\x00\x00infF-inf\nX\x03\x00\x00\x00bigL9007199254740993L\nX\x03\x00\x00\x00escX\x05\x00\x00\x00\x1b[31mu.',
  'latin1',
);

beforeAll(() => {
  // The first call builds what is not built yet.
  expect(run(['--version']).code).toBe(0);
}, 120_000);

describe('inspect --json', () => {
  it.each([
    [FOREST, 'sklearn-pickle', 'safe'],
    [PIPELINE, 'sklearn-pickle', 'safe'],
    [STATE, 'torch-zip', 'safe'],
    [SCRIPT, 'torchscript', 'safe'],
    [SAVED_MODEL, 'savedmodel', 'safe'],
    [`${SAVED_MODEL}/saved_model.pb`, 'savedmodel', 'safe'],
    [BAD, 'pickle', 'dangerous'],
  ])('%s has every field', (file, format, verdict) => {
    const { code, document } = json(['inspect', file]);
    expect(code).toBe(0);
    expect(document).toMatchObject({ file, format, verdict });
    expect(document).toMatchObject({
      bytes: expect.any(Number),
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      title: expect.any(String),
      facts: expect.any(Array),
      totals: { parameters: expect.any(Number), bytes: expect.any(Number), byDtype: expect.any(Object) },
      modules: {
        path: '',
        kind: expect.any(String),
        attributes: expect.any(Object),
        parameters: expect.any(Array),
        children: expect.any(Array),
      },
      parameters: expect.any(Array),
      signatures: expect.any(Array),
      warnings: expect.any(Array),
    });
    const { facts, parameters, signatures, totals } = document as {
      facts: unknown[];
      parameters: { count: number; dtype: string }[];
      signatures: unknown[];
      totals: { byDtype: Record<string, number>; parameters: number };
    };
    for (const fact of facts) expect(fact).toMatchObject({ label: expect.any(String), value: expect.any(String) });
    for (const parameter of parameters) {
      expect(parameter).toMatchObject({
        name: expect.any(String),
        shape: expect.any(Array),
        dtype: expect.any(String),
        count: expect.any(Number),
        bytes: expect.any(Number),
        storage: expect.any(String),
        kind: expect.stringMatching(/^(parameter|buffer|attribute)$/),
      });
    }
    for (const signature of signatures) {
      expect(signature).toMatchObject({
        name: expect.any(String),
        inputs: expect.any(Array),
        outputs: expect.any(Array),
      });
    }
    expect(Object.values(totals.byDtype).reduce((sum, count) => sum + count, 0)).toBe(totals.parameters);
  });

  it('writes what JSON lacks as strings, and leaves escapes to JSON', () =>
    inFolder((folder) => {
      const file = path.join(folder, 'odd.pkl');
      fs.writeFileSync(file, ODD);
      const { code, document } = json(['inspect', file]);
      expect(code).toBe(0);
      const text = JSON.stringify(document);
      expect(text).not.toContain('\u001b');
      const shown = run(['inspect', file]).stdout;
      expect(shown).not.toContain('\u001b');
    }));

  it('--parameters and --depth narrow it', () => {
    const all = json(['inspect', STATE]).document as { parameters: { name: string }[] };
    const some = json(['inspect', STATE, '--parameters', '*bias', '--depth', '0']).document as {
      parameters: { name: string }[];
      modules: { children: unknown[] };
    };
    const wanted = all.parameters.filter(({ name }) => name.endsWith('bias'));
    expect(wanted.length).toBeGreaterThan(0);
    expect(some.parameters).toEqual(wanted);
    expect(some.modules.children).toEqual([]);
  });
});

describe('scan', () => {
  it('--json tells of every file, finding and import', () => {
    const { code, document } = json(['scan', BAD, FOREST]);
    expect(code).toBe(1);
    const { results, summary } = document as {
      results: { file: string; verdict: string; findings: unknown[]; imports: unknown[] }[];
      summary: unknown;
    };
    expect(summary).toEqual({ files: 2, safe: 1, suspicious: 0, dangerous: 1, unreadable: 0 });
    expect(results.map(({ file, verdict }) => [file, verdict])).toEqual([
      [BAD, 'dangerous'],
      [FOREST, 'safe'],
    ]);
    expect(results[0].findings[0]).toMatchObject({
      rule: expect.any(String),
      severity: 'dangerous',
      offset: expect.any(Number),
      opcode: expect.any(String),
      module: expect.any(String),
      name: expect.any(String),
      use: 'called',
      call: expect.stringContaining('('),
      message: expect.any(String),
      advice: expect.any(String),
    });
    for (const result of results) {
      expect(result.imports.length).toBeGreaterThan(0);
      for (const one of result.imports) {
        expect(one).toMatchObject({
          module: expect.any(String),
          name: expect.any(String),
          class: expect.stringMatching(/^(known|unknown|dangerous)$/),
          use: expect.stringMatching(/^(imported|called|instantiated|state-set)$/),
          offset: expect.any(Number),
        });
      }
    }
  });

  it('exit codes follow --fail-on', () =>
    inFolder((folder) => {
      const odd = path.join(folder, 'odd.pkl');
      // An import that no policy knows, and bytes after the end.
      fs.writeFileSync(odd, Buffer.from('\x80\x02cmy_package\nMyThing\n)\x81.', 'latin1'));
      expect(run(['scan', FOREST, STATE]).code).toBe(0);
      expect(run(['scan', odd]).code).toBe(1);
      expect(run(['scan', '--fail-on', 'dangerous', odd]).code).toBe(0);
      expect(run(['scan', '--fail-on=dangerous', odd, BAD]).code).toBe(1);
      expect(run(['scan', '--fail-on', 'everything', odd]).code).toBe(2);
      expect(run(['scan', path.join(folder, 'nothing.pkl')]).code).toBe(2);
    }));

  it('a file that cannot be read is counted, and hides none of the others', () => {
    const { code, document } = json(['scan', 'no/such/file.pkl', BAD]);
    expect(code).toBe(1);
    expect(document).toMatchObject({ summary: { files: 2, dangerous: 1, unreadable: 1 } });
    expect(document).toMatchObject({ results: [{ error: { code: 'io' } }, { verdict: 'dangerous' }] });
  });

  it('walks folders, always in the same order, and writes SARIF and Markdown', () => {
    const { document } = json(['scan', 'media/samples']);
    const files = (document as { results: { file: string }[] }).results.map(({ file }) => file);
    expect(files).toEqual(
      expect.arrayContaining([BAD, FOREST, PIPELINE, STATE, SCRIPT, `${SAVED_MODEL}/saved_model.pb`]),
    );
    expect(json(['scan', 'media/samples']).document).toEqual(document);
    const sarif = JSON.parse(run(['scan', '--sarif', 'media/samples']).stdout);
    expect(sarif).toMatchObject({ version: '2.1.0', runs: [{ results: expect.any(Array) }] });
    expect(run(['scan', '--markdown', 'media/samples']).stdout).toContain(path.basename(BAD));
    expect(run(['scan', '--json', '--sarif', FOREST])).toMatchObject({ code: 2 });
  });

  it('--policy vets further names', () =>
    inFolder((folder) => {
      const file = path.join(folder, 'own.pkl');
      fs.writeFileSync(file, Buffer.from('\x80\x02cmy_package\nMyThing\n)\x81.', 'latin1'));
      const policy = path.join(folder, 'policy.json');
      fs.writeFileSync(policy, JSON.stringify({ vetted: [{ name: 'my_package.MyThing', reason: 'our own class' }] }));
      const ran = run(['scan', '--policy', policy, file]);
      expect(ran.stderr).toBe('');
      expect(ran.code).toBe(0);
      fs.writeFileSync(policy, '{ not JSON');
      expect(run(['scan', '--policy', policy, file]).code).toBe(2);
    }));
});

describe('predict', () => {
  it('answers on standard input, from a file, and for one method', () =>
    inFolder((folder) => {
      const { code, document } = json(['predict', PIPELINE], ROW);
      expect(code).toBe(0);
      expect(document).toMatchObject({
        signature: 'predict',
        milliseconds: { open: expect.any(Number), lower: expect.any(Number), run: expect.any(Number) },
        outputs: expect.arrayContaining([
          { name: 'predict', dtype: 'string', shape: [1], data: ['setosa'] },
          expect.objectContaining({
            name: 'predict_proba',
            dtype: 'float64',
            shape: [1, 3],
            labels: ['setosa', 'versicolor', 'virginica'],
          }),
        ]),
      });
      const file = path.join(folder, 'row.json');
      fs.writeFileSync(file, ROW);
      const one = json(['predict', PIPELINE, '--input', file, '--method', 'predict_proba']).document as {
        outputs: { name: string }[];
      };
      expect(one.outputs.map(({ name }) => name)).toEqual(['predict_proba']);
      fs.writeFileSync(path.join(folder, 'rows.csv'), '5.1,3.5,1.4,0.2\n6.0,2.9,4.5,1.5\n');
      const rows = json(['predict', PIPELINE, '--input', `X=${path.join(folder, 'rows.csv')}`]).document;
      expect(rows).toMatchObject({ outputs: expect.arrayContaining([expect.objectContaining({ shape: [2] })]) });
    }));

  it.each([
    ['nothing on standard input', [PIPELINE], '', 'usage', /No input was given.*such as/],
    ['text that is not JSON', [PIPELINE], '{"X": [[', 'usage', /JSON/],
    ['a method that it lacks', [PIPELINE, '--method', 'transform'], ROW, 'usage', /transform/],
    ['a kind that is not predicted', [STATE], ROW, 'unsupported', /./],
    ['a dangerous file', [BAD], ROW, 'unsupported', /./],
  ])('refuses %s', (_, words, input, code, message) => {
    const refused = json(['predict', ...words], input);
    expect(refused.code).toBe(2);
    expect(refused.document).toMatchObject({ error: { code, message: expect.stringMatching(message) } });
    const plain = run(['predict', ...words], input);
    expect(plain).toMatchObject({ code: 2, stdout: '' });
    expect(plain.stderr).toMatch(message);
  });
});

describe('export, diff, disassemble', () => {
  it('exported tensors are the same tensors', () =>
    inFolder((folder) => {
      const out = path.join(folder, 'out.safetensors');
      expect(run(['export', STATE, '--safetensors', out]).code).toBe(0);
      const same = json(['diff', STATE, out]);
      const names = (document: unknown): string[] =>
        (document as { parameters: { name: string }[] }).parameters.map(({ name }) => name).sort();
      expect(names(json(['inspect', out]).document)).toEqual(names(json(['inspect', STATE]).document));
      expect(same.document).toMatchObject({ a: STATE, b: out });
      expect(run(['export', STATE, '--npy', path.join(folder, 'npy'), '--parameters', '*weight']).code).toBe(0);
      expect(fs.readdirSync(path.join(folder, 'npy')).every((name) => name.endsWith('weight.npy'))).toBe(true);
    }));

  it('a refused export leaves nothing behind', () =>
    inFolder((folder) => {
      const out = path.join(folder, 'out.onnx');
      expect(run(['export', STATE, '--onnx', out]).code).toBe(2);
      expect(run(['export', STATE, '--safetensors', path.join(folder, 'no/such/folder/x')]).code).toBe(2);
      expect(run(['export', STATE]).code).toBe(2);
      expect(fs.readdirSync(folder)).toEqual([]);
    }));

  it('an exported forest is a model for onnxruntime', () =>
    inFolder((folder) => {
      const out = path.join(folder, 'forest.onnx');
      expect(run(['export', FOREST, '--onnx', out]).code).toBe(0);
      expect(json(['inspect', out]).document).toMatchObject({ format: 'onnx', verdict: 'safe' });
    }));

  it('equal files are equal, others differ', () => {
    expect(json(['diff', FOREST, FOREST])).toMatchObject({ code: 0, document: { equal: true } });
    expect(json(['diff', FOREST, PIPELINE])).toMatchObject({ code: 1, document: { equal: false } });
    expect(json(['diff', FOREST, 'no/such/file'])).toMatchObject({ code: 2, document: { error: { code: 'io' } } });
  });

  it('a range of a disassembly', () => {
    const all = run(['disassemble', BAD]).stdout.trimEnd().split('\n');
    const offset = (line: string): number => Number(/^ *([0-9]+):/.exec(line)?.[1]);
    expect(all.map(offset)).toEqual([...all.map(offset)].sort((a, b) => a - b));
    const middle = offset(all[Math.floor(all.length / 2)]);
    const rest = run(['disassemble', BAD, '--range', `${middle}:`])
      .stdout.trimEnd()
      .split('\n');
    expect(rest).toEqual(all.filter((line) => offset(line) >= middle));
    expect(run(['disassemble', STATE, '--member', 'no/such/member']).code).toBe(2);
  });
});

describe('usage', () => {
  it.each(['inspect', 'scan', 'predict', 'export', 'diff', 'disassemble'])('%s --help', (command) => {
    const { code, stdout } = run([command, '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain(`modelglass ${command}`);
  });

  it.each([
    [[]],
    [['no-such-command']],
    [['inspect']],
    [['inspect', FOREST, STATE]],
    [['inspect', FOREST, '--no-such-option']],
    [['inspect', FOREST, '--depth', 'all']],
    [['diff', FOREST]],
    [['disassemble', FOREST, '--range', 'x']],
  ])('%j is wrong usage', (words) => {
    expect(run(words)).toMatchObject({ code: 2, stdout: '' });
    const { code, document } = json(words);
    expect(code).toBe(2);
    expect(document).toMatchObject({ error: { code: 'usage', message: expect.any(String) } });
  });

  it.each([
    ['a missing file', 'no/such/file.pkl', 'io'],
    ['a folder without a model', 'src', 'unsupported'],
    ['an empty file', '', 'unsupported'],
  ])('%s is one JSON document too', (_, name, code) =>
    inFolder((folder) => {
      const empty = path.join(folder, 'empty.pkl');
      fs.writeFileSync(empty, '');
      const file = name || empty;
      const failed = json(['inspect', file]);
      expect(failed.code).toBe(2);
      expect(failed.document).toMatchObject({ error: { code, file } });
    }),
  );
});

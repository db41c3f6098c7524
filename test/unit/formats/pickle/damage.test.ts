import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ModelError } from '../../../../src/bytes/errors';
import { ObjectTreeView } from '../../../../src/formats/pickle/object-tree';
import { openModel } from '../../../../src/formats/registry';
import type { Model } from '../../../../src/model/model';
import { BufferInput } from './buffer-input';

const folder = path.join(__dirname, '../../../fixtures/pickle');

function bytesOf(name: string): Buffer {
  return fs.readFileSync(path.join(folder, name));
}

/** Opens and looks at everything that a view asks for; only `ModelError` may come out. */
function look(bytes: Uint8Array, name: string): Model | ModelError {
  try {
    const model = openModel(new BufferInput(bytes, name));
    if (model.objects) {
      const tree = new ObjectTreeView(model.objects.root, model.objects.parameters);
      for (const row of tree.children('', 0, 20).rows) tree.children(row.path, 0, 20);
    }
    for (const parameter of [...model.parameters].slice(0, 50)) parameter.table?.cells(0, 5, 0, 5);
    return model;
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
}

/** Offset of the first byte after which enough is there to know what the file is. */
const KNOWN_FROM = 12;

describe('files that end too early, at every byte', () => {
  it.each([
    'sk1.6-pipeline.pkl',
    'sk1.6-linear.pkl',
    'sk1.6-forest.joblib',
    'sk1.6-objects-p2.pkl',
    'sk1.6-frame.pkl',
    'sk0.20-pipeline-p0.pkl',
    'sk0.20-arrays.joblib',
    'sk1.9-search.pkl',
  ])(
    '%s',
    (name) => {
      const whole = bytesOf(name);
      // Every byte of the small ones; the larger ones differ in what they hold, not in how they end.
      const step = whole.length < 1500 ? 1 : Math.ceil(whole.length / 400);
      for (let end = 0; end < whole.length; end += step) {
        const result = look(whole.subarray(0, end), name);
        if (result instanceof ModelError) {
          expect(['unsupported', 'truncated', 'malformed'], `${end}: ${result.message}`).toContain(result.code);
          expect(name.includes('-p0') || end < KNOWN_FROM, `${end}: ${result.message}`).toBe(true);
          continue;
        }
        const { error } = result;
        expect(error, `cut off at ${end}`).toBeInstanceOf(ModelError);
        expect(error?.code, `${end}: ${error?.message}`).toBe('truncated');
        expect(error?.offset).toBeLessThanOrEqual(end);
        expect(error?.message).toMatch(/\.$/);
      }
    },
    120_000,
  );

  it.each([
    'sk1.6-record.npy',
    'sk1.6-compressed.npz',
    'sk1.6-arrays.gz',
    'sk1.6-arrays.xz',
    'sk1.6-arrays.bz2',
    'sk1.9-arrays.lz4',
    'sk1.6-arrays.z',
  ])(
    '%s',
    (name) => {
      const whole = bytesOf(name);
      for (let end = 0; end < whole.length; end += 7) {
        const result = look(whole.subarray(0, end), name);
        if (!(result instanceof ModelError))
          expect(result.error ?? result.warnings[0], `cut off at ${end}`).toBeDefined();
      }
    },
    120_000,
  );

  it('keeps what was understood', () => {
    const whole = bytesOf('sk1.6-pipeline.pkl');
    const result = look(whole.subarray(0, whole.length - 200), 'pipeline.pkl') as Model;
    expect(result.error?.code).toBe('truncated');
    expect(result.summary.title).toBe('Pipeline');
    expect(result.parameters.length).toBeGreaterThan(2);
  });
});

describe('files with one byte changed', () => {
  it.each(['sk1.6-linear.pkl', 'sk1.6-scalars.pkl', 'sk1.6-series.pkl', 'sk1.6-record.npy', 'sk1.6-masked.pkl'])(
    '%s',
    (name) => {
      const whole = bytesOf(name);
      for (let at = 0; at < whole.length; at++) {
        for (const flip of [0x01, 0xff]) {
          const changed = Buffer.from(whole);
          changed[at] ^= flip;
          const started = performance.now();
          const result = look(changed, name);
          expect(performance.now() - started, `byte ${at} ^ ${flip}`).toBeLessThan(3000);
          if (!(result instanceof ModelError) && result.error) {
            expect(result.error).toBeInstanceOf(ModelError);
            expect(result.error.message.length).toBeGreaterThan(20);
          }
        }
      }
    },
    180_000,
  );
});

describe('a first line longer than what is looked at', () => {
  it('does not hide a stream of protocol 0 that calls something', () => {
    const bytes = Buffer.from(`L${'9'.repeat(5000)}\n0cposix\nsystem\n(S'id'\ntR.`, 'latin1');
    const model = openModel(new BufferInput(bytes, 'model.pkl'));
    expect(model.format).toBe('pickle');
    expect(model.pickles[0].pickle.events.length).toBeGreaterThan(1);
  });

  it('does not make a pickle of a long line of text', () => {
    expect(() => openModel(new BufferInput(Buffer.from(`Lorem ${'ipsum '.repeat(2000)}\nc`), 'notes.txt'))).toThrow(
      'is a text file',
    );
  });
});

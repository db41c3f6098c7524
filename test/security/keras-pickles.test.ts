/**
 * Pickled Keras models: `_unpickle_model` (Keras 3) and `deserialize_model_from_bytecode` (Keras 2) load the archive that the pickle carries
 * with safe mode off, so that a Lambda layer in it runs (as in CVE-2024-3660, CVE-2025-9905). They are judged by that archive.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { openZip } from '../../src/archives/zip';
import { BufferSource } from '../../src/bytes/byte-source';
import { loadHdf5 } from '../../src/formats/keras/hdf5';
import { buildZip } from '../unit/archives/zip-builder';
import { bytes, call, global, PAYLOAD_PICKLE, pickle, str, stream, tuple } from './assembler';
import { scan, summary } from './scan';

const archive = readFileSync(join(__dirname, '..', 'fixtures', 'tensorflow', 'dense-2.21.keras'));

/** The archive with another configuration. */
function withConfig(change: (config: { config: { layers: unknown[] } }) => void): Buffer {
  const zip = openZip(new BufferSource(archive, 'dense.keras'));
  return buildZip(
    zip.members.map((member) => {
      const { source } = member.open();
      let data = Buffer.from(source.read(0, source.size));
      if (member.name === 'config.json') {
        const config = JSON.parse(data.toString('utf8'));
        change(config);
        data = Buffer.from(JSON.stringify(config));
      }
      return { name: member.name, data };
    }),
  );
}

const lambda = (): Buffer =>
  withConfig(({ config }) =>
    config.layers.push({
      module: 'keras.layers',
      class_name: 'Lambda',
      registered_name: null,
      config: {
        name: 'l',
        function: { class_name: '__lambda__', config: { code: '4wEAAAA=', defaults: null, closure: null } },
      },
    }),
  );

const method = call('builtins', 'getattr', global('keras.src.models.sequential', 'Sequential'), str('_unpickle_model'));
const inMemory = (data: Uint8Array): Buffer =>
  stream(global('_io', 'BytesIO'), 'EMPTY_TUPLE', 'NEWOBJ', tuple(bytes(data), 'NONE', 'NONE'), 'BUILD');
const keras3 = (data: Uint8Array): Buffer => pickle(method, tuple(inMemory(data)), 'REDUCE');
const keras2 = (data: Uint8Array, module = 'keras.saving.pickle_utils'): Buffer =>
  pickle(call(module, 'deserialize_model_from_bytecode', bytes(data)));

beforeAll(() => loadHdf5());

describe('pickled Keras models', () => {
  it.each([
    ['Keras 3', keras3(archive)],
    ['Keras 2', keras2(archive)],
    ['Keras 2.13', keras2(archive, 'keras.src.saving.pickle_utils')],
    ['TensorFlow 2', keras2(archive, 'tensorflow.python.keras.saving.pickle_utils')],
  ])('of %s are safe when their archive is', (_, data) => {
    expect(scan(data)).toMatchObject({ verdict: 'safe', findings: [] });
  });

  it.each([
    ['Keras 3', keras3],
    ['Keras 2', (data: Uint8Array) => keras2(data)],
  ])('of %s are dangerous with a Lambda layer that carries bytecode', (_, make) => {
    expect(summary(make(lambda()))).toMatchObject({ verdict: 'dangerous' });
    expect(summary(make(lambda())).rules).toContain('nested-load');
  });

  it('are dangerous when the bytes are a pickle that runs something', () => {
    expect(summary(keras2(PAYLOAD_PICKLE)).calls).toContain("posix.system('echo hello')");
    expect(summary(keras3(PAYLOAD_PICKLE)).verdict).toBe('dangerous');
  });

  it('are dangerous when the bytes are nothing that could be judged', () => {
    expect(summary(keras2(Buffer.from('hello'))).verdict).toBe('dangerous');
    expect(summary(pickle(method, tuple(global('builtins', 'open')), 'REDUCE')).verdict).toBe('dangerous');
  });

  it('the loader is dangerous in the hands of another function, whatever it is given', () => {
    const mapped = pickle(
      call('builtins', 'list', call('builtins', 'map', method, stream('EMPTY_LIST', inMemory(archive), 'APPEND'))),
    );
    expect(summary(mapped).verdict).toBe('dangerous');
  });
});

describe('a zip archive that stands whole inside a pickle', () => {
  it('is no second reading of the file, but its members are judged', () => {
    const evil = buildZip([{ name: 'archive/data.pkl', data: PAYLOAD_PICKLE }]);
    const inside = summary(pickle(call('_io', 'BytesIO', bytes(evil))));
    expect(inside.verdict).toBe('dangerous');
    expect(inside.calls).toContain("posix.system('echo hello')");
  });

  it('is one as soon as another end record follows the pickle', () => {
    const appended = buildZip([{ name: 'archive/data.pkl', data: PAYLOAD_PICKLE }]);
    expect(summary(Buffer.concat([keras2(archive), appended])).verdict).toBe('dangerous');
  });
});

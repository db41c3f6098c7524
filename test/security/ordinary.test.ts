import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../src/bytes/byte-source';
import { scanAnyFile } from '../../src/engine/scan-file';
import { scanOrdinaryFile } from '../../src/engine/scan-ordinary';
import { scanOrdinary } from '../../src/security/ordinary';
import { bytes, call, global, op, PAYLOAD_PICKLE, PROTO4, pickle, str, stream } from './assembler';

const FIXTURES = path.join(import.meta.dirname, '..', 'fixtures');

function files(folder: string): string[] {
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(pkl|pickle|joblib|pt|pth|npy|npz|onnx|pb)$/.test(entry.name))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}

describe('The short way for ordinary pickles', () => {
  it('says what the long way says, of every kind of file', async () => {
    const sample = [
      ...files(path.join(FIXTURES, 'pickle')),
      ...files(path.join(FIXTURES, 'torch')),
      ...files(path.join(FIXTURES, 'sklearn')).filter((_, i) => i % 40 === 0),
    ];
    let ordinary = 0;
    for (const file of sample) {
      const short = scanOrdinaryFile(file);
      if (!short) continue;
      ordinary++;
      expect(short).toEqual(await scanAnyFile({ path: file, explicit: true }));
    }
    expect(ordinary).toBeGreaterThan(100);
  }, 120_000);

  it('takes nearly every pickle of scikit-learn', () => {
    const sample = files(path.join(FIXTURES, 'sklearn')).filter((file, i) => /\.pkl$/.test(file) && i % 40 === 0);
    const taken = sample.filter((file) => scanOrdinaryFile(file));
    expect(taken.length / sample.length).toBeGreaterThan(0.9);
  });

  const plain = pickle(str('some text, which is no protobuf message'));
  const taken = (content: Uint8Array, name = 'model.pkl'): boolean =>
    scanOrdinary(new BufferSource(content, name), name) !== undefined;

  it('takes a plain pickle and a dangerous one', () => {
    expect(taken(plain)).toBe(true);
    expect(scanOrdinary(new BufferSource(PAYLOAD_PICKLE), 'model.pkl')?.report.verdict).toBe('dangerous');
  });

  it.each<[string, Uint8Array, string?]>([
    ['bytes behind the pickle', Buffer.concat([plain, Buffer.from('more')])],
    ['a newline behind the pickle', Buffer.concat([plain, Buffer.from('\n')])],
    ['a second pickle', Buffer.concat([plain, plain])],
    ['a stream that is cut off', plain.subarray(0, plain.length - 1)],
    ['an end record of a zip inside', pickle(bytes(Buffer.from('PK\x05\x06 and so on', 'latin1')))],
    ['a name of another format', plain, 'variables.data-00000-of-00001'],
    [
      'words of a configuration in a text pickle',
      Buffer.from('(dp0\nV_target_\np1\nVos.system\np2\nsV3\nI1\nsI4\nI5\ns.'),
    ],
    ['a JSON header at byte 8', Buffer.concat([PROTO4, Buffer.from('K\x01K\x020{', 'latin1'), plain])],
    ['a word of torch', pickle(str('some text with torch in it'))],
    [
      'an HDF5 signature behind a user block',
      pickle(
        bytes(Buffer.concat([Buffer.alloc(512 - 7), Buffer.from('\x89HDF\r\n\x1a\n', 'latin1'), Buffer.alloc(64)])),
      ),
    ],
    ['a pickle inside a call that loads it', pickle(call('pickle', 'loads', bytes(PAYLOAD_PICKLE)))],
    [
      'an array that joblib keeps beside the file',
      pickle(stream(global('joblib.numpy_pickle', 'NDArrayWrapper'), 'EMPTY_TUPLE', op('NEWOBJ'))),
    ],
  ])('leaves %s to the long way', (_, content, name) => {
    expect(taken(content, name)).toBe(false);
  });
});

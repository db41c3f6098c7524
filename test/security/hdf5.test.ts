import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadHdf5 } from '../../src/formats/keras/hdf5';
import { externalFiles } from '../../src/formats/keras/hdf5-external';
import { scan } from './scan';

/** Made by tools/fixtures/security/hdf5.py. */
const read = (name: string): Buffer => readFileSync(join(__dirname, '..', 'fixtures', 'security', 'hdf5', name));

const found = (name: string): unknown[] => {
  const report = scan(read(name), name);
  return [
    report.verdict,
    report.findings.filter((f) => f.severity !== 'info').map((f) => [f.rule, f.call, f.advisory]),
  ];
};

describe('I5: HDF5 files that take their data from other files', () => {
  beforeAll(() => loadHdf5());

  it.each([
    ['link-absolute.h5', '/etc/passwd'],
    ['link-parent.h5', '../../private/model.h5'],
  ])('an external link that leaves the folder is dangerous: %s (GHSA-27f4-p4xq-cxg8)', (name, file) => {
    const call = `external link /model_weights/dense/kernel:0: ${JSON.stringify(file)}`;
    expect(found(name)).toEqual(['dangerous', [['external-data-path', call, 'GHSA-27f4-p4xq-cxg8']]]);
  });

  it('an external link to a file beside it is suspicious', () => {
    expect(found('link-beside.h5')).toEqual([
      'suspicious',
      [['external-data-path', expect.stringContaining('weights-2.h5'), 'GHSA-27f4-p4xq-cxg8']],
    ]);
  });

  it.each(['storage-old.h5', 'storage-latest.h5'])('external storage: %s (CVE-2026-1669)', (name) => {
    const call = 'external storage: "/etc/passwd"';
    expect(found(name)).toEqual(['dangerous', [['external-data-path', call, 'CVE-2026-1669']]]);
  });

  it('external storage in several files', () => {
    expect(externalFiles(read('storage-two.h5'))).toEqual(['data.raw', '../x/data.raw']);
    expect(found('storage-two.h5')[0]).toBe('dangerous');
  });

  it('a virtual dataset of another file', () => {
    const call = 'virtual dataset /model_weights/dense/kernel:0: "/etc/passwd"';
    expect(found('virtual.h5')).toEqual(['dangerous', [['external-data-path', call, 'GHSA-27f4-p4xq-cxg8']]]);
  });

  it.each(['virtual-itself.h5', 'soft.h5', 'honest-old.h5', 'honest-latest.h5'])('%s stays in its file', (name) => {
    expect(found(name)).toEqual(['safe', []]);
    expect(externalFiles(read(name))).toEqual([]);
  });
});

describe('without the library', () => {
  it('external storage is found in bytes alone, damaged ones included', () => {
    const bytes = read('storage-old.h5');
    expect(externalFiles(bytes)).toEqual(['/etc/passwd']);
    for (let cut = 0; cut < bytes.length; cut += 61) expect(() => externalFiles(bytes.subarray(0, cut))).not.toThrow();
    for (let at = 0; at < bytes.length; at += 13) {
      const changed = Buffer.from(bytes);
      changed[at] ^= 0xff;
      expect(() => externalFiles(changed)).not.toThrow();
    }
  });
});

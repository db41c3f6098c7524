import { describe, expect, it } from 'vitest';
import { openZip } from '../../../src/archives/zip';
import { NameIndex } from '../../../src/archives/zip/name-index';
import { BufferSource } from '../../../src/bytes/byte-source';
import { buildZip } from './zip-builder';

function indexOf(names: readonly (string | Uint8Array)[]): { index: NameIndex; offsets: Map<string, number> } {
  const { members } = openZip(new BufferSource(buildZip(names.map((name) => ({ name, data: 'x' }))), 'names.zip'));
  return { index: new NameIndex(members), offsets: new Map(members.map((m) => [m.name, m.localHeaderOffset])) };
}

describe('the names of a zip', () => {
  const plain = Array.from({ length: 3000 }, (_, i) => `archive/data/${i}`);

  it('lead to the member that a table of texts would give, of several the last', () => {
    for (const names of [plain, [...plain, 'archive/data/7', 'a', ''], [...plain, 'archive/dätä', 'archive/data/7']]) {
      const { index, offsets } = indexOf(names);
      expect(index.size).toBe(offsets.size);
      for (const [name, offset] of offsets) expect(index.get(name)?.localHeaderOffset).toBe(offset);
      for (const name of ['archive/data/', 'archive/data/3000', 'Archive/data/1', 'archive/dätä '])
        expect(index.get(name)).toBeUndefined();
    }
  });

  it('are one name where two spellings in bytes are one text', () => {
    const { index, offsets } = indexOf([Buffer.from('caf\xe9', 'latin1'), Buffer.from('caf\u0398'), 'other']);
    expect(index.size).toBe(offsets.size);
    for (const [name, offset] of offsets) expect(index.get(name)?.localHeaderOffset).toBe(offset);
  });

  it('are found where they were chosen so that their hashes are the same', () => {
    // Names whose hashes end in the same twelve bits, which is more than a table for them looks at.
    const names: string[] = [];
    for (let i = 0; names.length < 300; i++) {
      const name = `n${i}`;
      let hash = 0x811c9dc5 | 0;
      for (let k = 0; k < name.length; k++) hash = Math.imul(hash ^ name.charCodeAt(k), 0x01000193);
      if (((hash ^ (hash >>> 15)) & 0x3ff) === 5) names.push(name);
    }
    const { index, offsets } = indexOf(names);
    expect(index.size).toBe(300);
    for (const [name, offset] of offsets) expect(index.get(name)?.localHeaderOffset).toBe(offset);
  });
});

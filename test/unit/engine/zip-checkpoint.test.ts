import * as path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { isSamePlace, SliceSource } from '../../../src/bytes/byte-source';
import { disassemblySlice } from '../../../src/engine/disassembly';
import { FileInput } from '../../../src/engine/input';
import { ModelSession } from '../../../src/engine/session';
import { openModel } from '../../../src/formats/registry';
import { scanInput } from '../../../src/security/scan';

const FILE = path.join(import.meta.dirname, '../../fixtures/torch/2.13/checkpoint-zip.pt');

describe('a zip checkpoint', () => {
  let session: ModelSession | undefined;
  afterEach(() => session?.close());

  it('is disassembled from its pickle, not from the bytes of the archive', async () => {
    session = await ModelSession.open(FILE);
    const slice = disassemblySlice(session, { count: 3 });
    expect(slice.members).toEqual(['checkpoint-zip/data.pkl']);
    expect(slice.rows[0]).toMatchObject({ opcode: 'PROTO' });
    expect(slice.total).toBeGreaterThan(100);
  });

  it('has its pickle read once, for the model and the verdict', () => {
    const input = new FileInput(FILE);
    try {
      const model = openModel(input);
      const { source, pickle } = model.pickles[0];
      const reads: number[] = [];
      const inner = input.source;
      const read = inner.read.bind(inner);
      inner.read = (offset, length) => {
        reads.push(length);
        return read(offset, length);
      };
      expect(scanInput(input, model).verdict).toBe('safe');
      const withModel = reads.splice(0).length;
      expect(scanInput(input).verdict).toBe('safe');
      expect(withModel).toBeLessThan(reads.length);
      expect(source && isSamePlace(source, new SliceSource(inner, (source as SliceSource).start, source.size))).toBe(
        true,
      );
      expect(pickle.error).toBeUndefined();
    } finally {
      input.close();
    }
  });
});

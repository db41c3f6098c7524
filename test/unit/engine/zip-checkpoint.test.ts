import * as path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
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
      const [section] = model.pickles;
      expect(scanInput(input, model).imports.length).toBeGreaterThan(0);
      // The verdict goes by what the reader read: of a pickle without events it knows no import.
      const silent = { ...section, pickle: { ...section.pickle, events: [], outerEvents: [] } };
      expect(scanInput(input, { pickles: [silent] }).imports).toEqual([]);
    } finally {
      input.close();
    }
  });
});

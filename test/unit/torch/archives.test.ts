import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openZip } from '../../../src/archives/zip/archive';
import { BufferSource, type ByteSource } from '../../../src/bytes/byte-source';
import { ModelError } from '../../../src/bytes/errors';
import { openModel } from '../../../src/formats/registry';
import type { Model } from '../../../src/model/model';
import { type MachineOptions, type Pickle, readPickle } from '../../../src/pickle/machine';
import { readNumbers } from '../../../src/tensors/elements';
import { buildZip, type Member } from '../archives/zip-builder';

const FIXTURES = path.join(__dirname, '../../fixtures/torch');

function open(bytes: Uint8Array): Model {
  return openModel({
    source: new BufferSource(bytes, 'model.pt'),
    name: 'model.pt',
    neighbour: () => undefined,
    neighbours: () => [],
    readPickle: (source: ByteSource, start?: number, options?: MachineOptions): Pickle =>
      readPickle(source, start, options),
  });
}

/** The members of a file that PyTorch wrote, to be written again in other ways. */
function membersOf(fixture: string): Member[] {
  const zip = openZip(new BufferSource(fs.readFileSync(path.join(FIXTURES, fixture)), fixture));
  return zip.members.map((member) => {
    const { source } = member.open();
    return { name: member.name, data: source.read(0, source.size) };
  });
}

const STATE = membersOf('2.13/state-zip.pt');
const WHOLE = open(buildZip(STATE));

function valuesOf(model: Model, name: string): number[] {
  const ref = model.parameters.find((row) => row.name === name)?.tensor;
  return ref ? [...readNumbers(ref, 0, 4)] : [];
}

describe('archives written in other ways', () => {
  it.each([
    ['compressed members', buildZip(STATE.map((m) => ({ ...m, method: 8 })))],
    ['data descriptors', buildZip(STATE.map((m) => ({ ...m, descriptor: 'signed' as const })))],
    ['zip64 records', buildZip(STATE, { zip64: true })],
    ['bytes in front', buildZip(STATE, { prepend: 'MZ something', shiftOffsets: true })],
  ])('%s: the same tensors and values', (_name, bytes) => {
    if (!bytes.subarray(0, 2).equals(Buffer.from('PK'))) {
      // What does not begin as a zip is none to PyTorch either.
      expect(() => open(bytes)).toThrow(ModelError);
      return;
    }
    const model = open(bytes);
    expect(model.error).toBeUndefined();
    expect(model.parameters.map((row) => [row.name, row.shape])).toEqual(
      WHOLE.parameters.map((row) => [row.name, row.shape]),
    );
    expect(valuesOf(model, 'fc.weight')).toEqual(valuesOf(WHOLE, 'fc.weight'));
    expect(valuesOf(model, 'fc.weight').length).toBe(4);
  });

  it('reads the storages in the byte order that the archive names', () => {
    const swapped = STATE.map((m) => {
      if (String(m.name).endsWith('/byteorder')) return { ...m, data: 'big' };
      if (!/\/data\/\d+$/.test(String(m.name))) return m;
      const data = Buffer.from(m.data as Uint8Array);
      return { ...m, data: data.length % 4 === 0 ? data.swap32() : data };
    });
    const model = open(buildZip(swapped));
    expect(valuesOf(model, 'fc.weight')).toEqual(valuesOf(WHOLE, 'fc.weight'));
    expect(model.summary.facts).toContainEqual({ label: 'Byte order', value: 'big' });
  });

  it('says that a storage is missing or too short, once each, and shows the rest', () => {
    const missing = open(buildZip(STATE.filter((m) => !String(m.name).endsWith('/data/0'))));
    expect(missing.warnings.map((w) => w.rule)).toEqual(['storage-missing']);
    expect(missing.parameters.filter((row) => row.tensor).length).toBe(WHOLE.parameters.length - 1);
    const short = open(
      buildZip(
        STATE.map((m) =>
          String(m.name).endsWith('/data/0') ? { ...m, data: (m.data as Uint8Array).subarray(0, 8) } : m,
        ),
      ),
    );
    expect(short.warnings.map((w) => w.rule)).toEqual(['storage-short']);
    expect(short.warnings[0].message).toContain('8 of 432 bytes');
  });

  it('says that members lie on top of each other', () => {
    const extra: Member = {
      name: 'state-zip/data/99',
      data: 'x',
      phantom: true,
      central: { offset: 100, size: 4000, compressedSize: 4000 },
    };
    const model = open(buildZip([...STATE, extra]));
    expect(model.warnings.some((w) => w.rule === 'zip-overlap')).toBe(true);
    expect(model.parameters.length).toBe(WHOLE.parameters.length);
  });

  it('shows one object where a member is there twice', () => {
    const pickle = STATE.find((m) => String(m.name).endsWith('/data.pkl')) as Member;
    const model = open(buildZip([...STATE, pickle]));
    expect(model.parameters.length).toBe(WHOLE.parameters.length);
  });
});

describe('archives that were cut off', () => {
  it('keeps the weights of an exported program whose program is lost', () => {
    const whole = fs.readFileSync(path.join(FIXTURES, '2.13/exported.pt2'));
    const model = open(whole.subarray(0, Math.floor(whole.length * 0.5)));
    expect(model.format).toBe('torch-export');
    expect(model.error?.code).toBe('truncated');
    expect(model.parameters.map((row) => row.name)).toContain('conv1.weight');
    expect(model.parameters.every((row) => row.tensor)).toBe(true);
  });

  it('does not take an archive inside for the file', () => {
    const whole = fs.readFileSync(path.join(FIXTURES, '2.13/exported.pt2'));
    const model = open(whole.subarray(0, Math.floor(whole.length * 0.95)));
    expect(model.format).toBe('torch-export');
    expect(model.error?.code).toBe('malformed');
    expect(model.parameters.length).toBe(10);
    expect(model.signatures[0].inputs.length).toBe(1);
  });

  it('says what is left where nothing describes a model any more', () => {
    const whole = fs.readFileSync(path.join(FIXTURES, '1.0/traced.pt'));
    const reason = (bytes: Uint8Array): ModelError => {
      try {
        open(bytes);
      } catch (error) {
        return error as ModelError;
      }
      throw new Error('it opened');
    };
    const error = reason(whole.subarray(0, Math.floor(whole.length * 0.3)));
    expect(error.code).toBe('truncated');
    expect(error.message).toContain('traced/version');
    expect(reason(whole.subarray(0, Math.floor(whole.length * 0.6))).code).toBe('truncated');
  });
});

describe('files of other runtimes', () => {
  it('names a program of ExecuTorch', () => {
    const bytes = Buffer.concat([Buffer.from([0x30, 0, 0, 0]), Buffer.from('ET12'), Buffer.alloc(64, 7)]);
    expect(() => open(bytes)).toThrow(/ExecuTorch \(ET12\)/);
  });
});

describe('an optimiser that stands before the module whose parameters it lists', () => {
  it('shares them with the module, which owns them', () => {
    const model = open(fs.readFileSync(path.join(FIXTURES, '2.13/optimizer-first.pt')));
    const rows = model.parameters.filter((row) => /^net|params/.test(row.name));
    expect(rows.map((row) => [row.name, row.tiedTo])).toEqual([
      ['net.0.weight', undefined],
      ['net.0.bias', undefined],
      ['net.1.weight', undefined],
      ['net.1.bias', undefined],
      ['optimizer.param_groups.0.params.0', 'net.0.weight'],
      ['optimizer.param_groups.0.params.1', 'net.0.bias'],
      ['optimizer.param_groups.0.params.2', 'net.1.weight'],
      ['optimizer.param_groups.0.params.3', 'net.1.bias'],
    ]);
    // In the hierarchy they stand as in the file.
    expect(model.root.children.map((child) => child.name)).toEqual(['optimizer', 'net']);
  });
});

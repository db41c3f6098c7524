import { describe, expect, it } from 'vitest';
import { BufferSource, type ByteSource } from '../../../../src/bytes/byte-source';
import { openModel } from '../../../../src/formats/registry';
import type { Model } from '../../../../src/model/model';
import { BufferInput } from './buffer-input';

/** A .npy file of version 1.0 with three int64. */
function npy(): Buffer {
  const header = "{'descr': '<i8', 'fortran_order': False, 'shape': (3,), }".padEnd(117) + '\n';
  const length = Buffer.alloc(2);
  length.writeUInt16LE(header.length);
  const data = Buffer.alloc(24);
  for (let i = 0; i < 3; i++) data.writeBigInt64LE(BigInt(i + 1), i * 8);
  return Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), length, Buffer.from(header), data]);
}

/** What joblib before 0.10 wrote: a wrapper that names a file beside. */
function wrapper(file: string): Buffer {
  const text = (value: string): string => `X${String.fromCharCode(value.length)}\0\0\0${value}`;
  const body = `\x80\x02cjoblib.numpy_pickle\nNDArrayWrapper\n)\x81}(${text('filename')}${text(file)}${text('allow_mmap')}\x88${text('subclass')}cnumpy\nndarray\nub.`;
  return Buffer.from(body, 'latin1');
}

class FolderInput extends BufferInput {
  asked: string[] = [];
  constructor(
    bytes: Uint8Array,
    private readonly files: Record<string, Buffer>,
  ) {
    super(bytes, 'model.pkl');
  }
  override neighbour(name?: string): ByteSource | undefined {
    this.asked.push(name ?? '');
    const file = Object.hasOwn(this.files, name ?? '') ? this.files[name ?? ''] : undefined;
    return file && new BufferSource(file, name);
  }
}

function open(file: string, files: Record<string, Buffer>): { model: Model; asked: string[] } {
  const input = new FolderInput(wrapper(file), files);
  return { model: openModel(input), asked: input.asked };
}

describe('side files of old joblib', () => {
  it('are read beside the file', () => {
    const { model } = open('model.pkl_01.npy', { 'model.pkl_01.npy': npy() });
    expect(model.format).toBe('joblib');
    expect(model.parameters.length).toBe(1);
    expect(model.parameters.at(0)!).toMatchObject({ shape: [3], dtype: 'int64', note: 'from model.pkl_01.npy' });
    expect(model.warnings).toEqual([]);
  });

  it('that are missing are named, and the rest opens', () => {
    const { model } = open('model.pkl_01.npy', {});
    expect(model.error).toBeUndefined();
    expect(model.parameters.at(0)!.note).toContain('not beside this file');
    expect(model.warnings.map((warning) => warning.rule)).toEqual(['missing-side-file']);
  });

  it('are never looked for elsewhere', () => {
    for (const name of ['../secret.npy', '/etc/passwd', 'sub/x.npy', '..', 'a\\b.npy']) {
      const { model, asked } = open(name, { [name]: npy() });
      expect(asked).toEqual([]);
      expect(model.parameters.at(0)!.tensor).toBeUndefined();
    }
  });

  it('that are no arrays say so', () => {
    const { model } = open('x.npy', { 'x.npy': Buffer.from('no array at all') });
    expect(model.parameters.at(0)!.note).toContain('does not start with');
  });
});

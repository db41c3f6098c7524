import { describe, expect, it } from 'vitest';
import { isTar, isTorchTar, openTar, type TarArchive } from '../../../src/archives/tar';
import { BufferSource, type ByteSource } from '../../../src/bytes/byte-source';
import { ModelError } from '../../../src/bytes/errors';
import { archiveFixture } from '../bytes/compressed-fixtures';

const source = (bytes: Uint8Array): ByteSource => new BufferSource(bytes, 'model.tar');
const text = (from: ByteSource): string => Buffer.from(from.read(0, from.size)).toString();
const kinds = (archive: TarArchive): string[] => archive.discrepancies.map(({ kind }) => kind);

interface Entry {
  name: string;
  data?: string | Uint8Array;
  type?: string;
  link?: string;
  magic?: string;
  prefix?: string;
  /** The size field as written, instead of octal digits. */
  size?: Uint8Array | string;
  signedChecksum?: boolean;
}

function header(entry: Entry, size: number): Buffer {
  const block = Buffer.alloc(512);
  block.write(entry.name, 0, 100, 'latin1');
  block.write('0000644\0', 100);
  if (entry.size instanceof Uint8Array) block.set(entry.size, 124);
  else block.write(entry.size ?? `${size.toString(8).padStart(11, '0')}\0`, 124);
  block.write('        ', 148);
  block.write(entry.type ?? '0', 156);
  block.write(entry.link ?? '', 157);
  block.write(entry.magic ?? 'ustar\x0000', 257);
  block.write(entry.prefix ?? '', 345, 'latin1');
  const sum = block.reduce((total, byte) => total + (entry.signedChecksum ? (byte << 24) >> 24 : byte), 0);
  block.write(`${(sum >>> 0).toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

function buildTar(entries: readonly Entry[], end = true): Buffer {
  const parts: Buffer[] = [];
  for (const entry of entries) {
    const data = Buffer.from(entry.data ?? '');
    parts.push(header(entry, data.length), data, Buffer.alloc((512 - (data.length % 512)) % 512));
  }
  if (end) parts.push(Buffer.alloc(1024));
  return Buffer.concat(parts);
}

describe('openTar', () => {
  it.each(['ustar', 'gnu', 'pax'])('reads what Python wrote: %s', (format) => {
    const bytes = archiveFixture(`tar/${format}.tar`);
    expect(isTar(bytes.subarray(0, 512))).toBe(true);
    const archive = openTar(source(bytes));
    expect(kinds(archive)).toEqual(format === 'ustar' ? ['symlink', 'hardlink'] : ['symlink', 'hardlink', 'symlink']);
    const expected = ['folder', 'folder/model.pkl', 'link', 'hard', `${'d'.repeat(60)}/${'f'.repeat(80)}`];
    if (format !== 'ustar') expected.push('e'.repeat(200), 'größe.bin', 'far');
    expect(archive.members.map(({ name }) => name)).toEqual(expected);
    expect(text(archive.get('folder/model.pkl')!.source())).toBe("cposix\nsystem\n(S'echo hello'\ntR.");
    expect(archive.get('link')).toMatchObject({ kind: 'symlink', target: 'folder/model.pkl' });
    expect(archive.get('hard')).toMatchObject({ kind: 'hardlink', target: 'folder/model.pkl' });
    expect(archive.get('folder')!.kind).toBe('directory');
    if (format !== 'ustar') {
      expect(text(archive.get('e'.repeat(200))!.source())).toBe('longer name');
      expect(text(archive.get('größe.bin')!.source())).toBe('accent');
      expect(archive.get('far')!.target).toBe('g'.repeat(150));
    }
  });

  it('reads sizes in base 256, signed checksums, the oldest format', () => {
    const size = Buffer.alloc(12);
    size[0] = 0x80;
    size[11] = 3;
    const archive = openTar(
      source(
        buildTar([
          { name: 'a', data: 'abc', size },
          { name: 'b\xe9', data: 'x', signedChecksum: true },
          { name: 'c/', magic: '' },
        ]),
      ),
    );
    expect(kinds(archive)).toEqual([]);
    expect(archive.members.map(({ size: bytes, kind }) => [bytes, kind])).toEqual([
      [3, 'file'],
      [1, 'file'],
      [0, 'directory'],
    ]);
  });

  it('goes on behind a damaged header, and says so', () => {
    const bytes = buildTar([
      { name: 'a', data: 'a' },
      { name: 'b', data: 'b' },
      { name: 'c', data: 'c' },
    ]);
    bytes[1024 + 5]! ^= 1;
    const archive = openTar(source(bytes));
    expect(archive.members.map(({ name }) => name)).toEqual(['a', 'c']);
    expect(archive.discrepancies).toMatchObject([{ kind: 'damaged-header', offset: 1024 }]);
    expect(archive.discrepancies[0]!.message).toContain('2048');
    const size = buildTar([
      { name: 'a', data: 'a' },
      { name: 'b', data: 'b', size: 'nonsense' },
    ]);
    expect(kinds(openTar(source(size)))).toEqual(['damaged-header']);
  });

  it('finds what comes after the end mark', () => {
    const hidden = openTar(source(Buffer.concat([buildTar([{ name: 'a' }]), buildTar([{ name: 'evil' }])])));
    expect(kinds(hidden)).toEqual(['hidden-member']);
    expect(hidden.members.map(({ name, afterEnd }) => [name, afterEnd])).toEqual([
      ['a', false],
      ['evil', true],
    ]);
    expect(hidden.get('evil')).toBeUndefined();
    expect(
      kinds(openTar(source(Buffer.concat([buildTar([{ name: 'a' }]), Buffer.from('cposix\nsystem\n.')])))),
    ).toEqual(['appended']);
  });

  it('reports names that lead elsewhere, links, duplicates', () => {
    const archive = openTar(
      source(
        buildTar([
          { name: '../a' },
          { name: '/b' },
          { name: 'c', type: '2', link: '/etc' },
          { name: 'd' },
          { name: 'd' },
        ]),
      ),
    );
    expect(kinds(archive)).toEqual(['unsafe-name', 'unsafe-name', 'symlink', 'duplicate-name']);
  });

  it('gives what there is of a cut member', () => {
    const bytes = buildTar([{ name: 'a.pkl', data: 'x'.repeat(2000) }]).subarray(0, 1000);
    const archive = openTar(source(bytes));
    expect(kinds(archive)).toEqual(['outside-file', 'no-end']);
    const { source: partial, error } = archive.members[0]!.open();
    expect(partial.size).toBe(488);
    expect(error).toMatchObject({ code: 'truncated', member: 'a.pkl' });
    expect(() => archive.members[0]!.source()).toThrow(ModelError);
  });

  it('refuses sparse members, and passes over their maps', () => {
    const sparse = header({ name: 'holes', type: 'S' }, 512);
    sparse[482] = 1;
    sparse.write('        ', 148);
    sparse.write(
      `${sparse
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
    );
    const bytes = Buffer.concat([sparse, Buffer.alloc(512), Buffer.alloc(512, 7), buildTar([{ name: 'next' }])]);
    const archive = openTar(source(bytes));
    expect(archive.members.map(({ name }) => name)).toEqual(['holes', 'next']);
    expect(archive.members[0]!.open().error).toMatchObject({ code: 'unsupported', reason: 'sparse' });
  });

  it('reports pax headers that are none, and does not believe their sizes', () => {
    expect(
      kinds(openTar(source(buildTar([{ name: 'p', type: 'x', data: '99 path=short\n' }, { name: 'a' }])))),
    ).toEqual(['damaged-extension']);
    const size = Buffer.alloc(12);
    size[0] = 0x80;
    size[6] = 0x1f;
    expect(kinds(openTar(source(buildTar([{ name: 'L', type: 'L', size }]))))).toContain('damaged-extension');
    const pax = openTar(
      source(
        buildTar([
          { name: 'p', type: 'x', data: '10 size=3\n' },
          { name: 'a', data: 'abc' },
        ]),
      ),
    );
    expect(pax.get('a')!.size).toBe(3);
  });

  it('recognises the models of early PyTorch', () => {
    const torch = ['sys_info', 'pickle', 'tensors', 'storages'].map((name) => ({ name: `./${name}`, data: name }));
    expect(isTorchTar(openTar(source(buildTar(torch))))).toBe(true);
    expect(isTorchTar(openTar(source(buildTar([{ name: 'pickle' }]))))).toBe(false);
  });

  it('takes nothing else for a tar', () => {
    expect(isTar(new Uint8Array(512))).toBe(false);
    expect(isTar(Buffer.alloc(512, 'x'))).toBe(false);
    expect(isTar(Buffer.from('ustar'))).toBe(false);
    expect(() => openTar(source(Buffer.alloc(600, 'x')))).toThrow(/checksum/);
    expect(() => openTar(source(Buffer.from('x')))).toThrow(expect.objectContaining({ code: 'truncated' }));
  });

  it('cut or damaged anywhere is a result or a ModelError', () => {
    for (const format of ['gnu', 'pax']) {
      const bytes = archiveFixture(`tar/${format}.tar`);
      const touch = (damaged: Uint8Array): void => {
        try {
          for (const member of openTar(source(damaged)).members) member.open();
        } catch (error) {
          expect(error).toBeInstanceOf(ModelError);
        }
      };
      for (let length = 0; length < bytes.length; length += 7) touch(bytes.subarray(0, length));
      for (let i = 0; i < bytes.length; i += 3) {
        const damaged = Uint8Array.from(bytes);
        damaged[i]! ^= 0x41;
        // With the checksum mended, the damage itself is read.
        const block = damaged.subarray(i - (i % 512), i - (i % 512) + 512);
        if (block[156] && i % 512 < 500 && (i % 512 < 148 || i % 512 >= 156)) {
          block.fill(0x20, 148, 156);
          const sum = block.reduce((total, byte) => total + byte, 0);
          block.set(Buffer.from(`${sum.toString(8).padStart(6, '0')}\0 `), 148);
        }
        touch(damaged);
      }
    }
  });
});

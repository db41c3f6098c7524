import { describe, expect, it } from 'vitest';
import { type DiscrepancyKind, isZip, openZip, readings, type ZipReadings } from '../../../src/archives/zip';
import { BufferSource, type ByteSource, CountingSource } from '../../../src/bytes/byte-source';
import { ModelError } from '../../../src/bytes/errors';
import { archiveFixture } from '../bytes/compressed-fixtures';
import { buildZip, type Member, type Options } from './zip-builder';

const source = (bytes: Uint8Array): ByteSource => new BufferSource(bytes, 'model.pt');
const text = (from: ByteSource): string => Buffer.from(from.read(0, from.size)).toString();
const kinds = (found: ZipReadings): DiscrepancyKind[] => found.discrepancies.map(({ kind }) => kind);
const read = (members: Member[], options?: Options, checkCrc = true): ZipReadings =>
  readings(source(buildZip(members, options)), { checkCrc });

const PLAIN: Member[] = [
  { name: 'model/data.pkl', data: 'stored bytes' },
  { name: 'model/code.py', data: 'x = 1\n'.repeat(100), method: 8 },
  { name: 'model/', data: '' },
];

describe('openZip', () => {
  it('lists members with the places of their data', () => {
    const bytes = buildZip(PLAIN, { comment: 'hello' });
    const archive = openZip(source(bytes));
    expect(archive.members.map(({ name }) => name)).toEqual(['model/data.pkl', 'model/code.py', 'model/']);
    const [stored, deflated, folder] = archive.members;
    expect(stored).toMatchObject({
      localHeaderOffset: 0,
      offset: 44,
      size: 12,
      compressedSize: 12,
      method: 0,
      isPlain: true,
    });
    expect(text(stored!.source())).toBe('stored bytes');
    expect(stored!.source().name).toBe('model.pt!model/data.pkl');
    expect(deflated!.isPlain).toBe(false);
    expect(text(deflated!.source())).toBe('x = 1\n'.repeat(100));
    expect(Buffer.from(deflated!.head(5)).toString()).toBe('x = 1');
    expect(folder!.isDirectory).toBe(true);
    expect(Buffer.from(archive.end.comment).toString()).toBe('hello');
    expect(archive.get('model/code.py')).toBe(deflated);
    expect(archive.get('nothing')).toBeUndefined();
  });

  it('reads what Python wrote', () => {
    const whole = openZip(source(archiveFixture('zip/plain.zip'))).get('model/data.pkl')!;
    const expected = text(whole.source());
    expect(whole.size).toBe(3000);
    const names = [
      ['plain.zip', 'model/größe.txt'],
      ['methods.zip', 'bzip2'],
      ['methods.zip', 'lzma'],
      ['methods.zip', 'deflate'],
      ['descriptors.zip', 'deflated'],
      ['descriptors.zip', 'stored'],
      ['descriptors.zip', 'zip64'],
      ['zip64.zip', 'big'],
      ['appended.zip', 'payload'],
    ] as const;
    for (const [file, name] of names) {
      const archive = openZip(source(archiveFixture(`zip/${file}`)));
      const member = archive.get(name)!;
      expect(`${file} ${name} ${text(member.source()).startsWith(expected.slice(0, 900))}`).toBe(
        `${file} ${name} true`,
      );
      expect(member.checkCrc()).toBe(true);
    }
    expect(openZip(source(archiveFixture('zip/empty.zip'))).members).toEqual([]);
  });

  it('opens an archive behind other bytes, whether its offsets count them or not', () => {
    for (const shiftOffsets of [true, false]) {
      const archive = openZip(source(buildZip(PLAIN, { prepend: 'cposix\nsystem\n.', shiftOffsets })));
      expect(text(archive.members[0]!.source())).toBe('stored bytes');
    }
  });

  it('reads ZIP64 records and sizes', () => {
    const wide = Buffer.alloc(28);
    wide.writeUInt16LE(1, 0);
    wide.writeUInt16LE(24, 2);
    wide.writeBigUInt64LE(12n, 4);
    wide.writeBigUInt64LE(12n, 12);
    wide.writeBigUInt64LE(0n, 20);
    const central = { extra: wide, size: 0xffffffff, compressedSize: 0xffffffff, offset: 0xffffffff };
    const archive = openZip(source(buildZip([{ name: 'big', data: 'twelve bytes', central }], { zip64: true })));
    expect(text(archive.members[0]!.source())).toBe('twelve bytes');
    expect(archive.end.zip64Offset).toBeGreaterThan(0);
  });

  it('reads less than a megabyte of a sparse file of 4.3 GB', () => {
    const size = 4.3 * 1024 ** 3;
    const wide = Buffer.alloc(20);
    wide.writeUInt16LE(1, 0);
    wide.writeUInt16LE(16, 2);
    const data = Math.floor(size) - 1000;
    wide.writeBigUInt64LE(BigInt(data), 4);
    wide.writeBigUInt64LE(BigInt(data), 12);
    const big = { extra: wide, size: 0xffffffff, compressedSize: 0xffffffff };
    const head = buildZip([{ name: 'big', local: big, hidden: true }]).subarray(0, 30 + 3 + 20);
    const tail = buildZip([{ name: 'big', phantom: true, central: { ...big, offset: 0 } }], {
      zip64: true,
      directoryOffset: head.length + data,
    });
    // The locator counts from the start of the file, too.
    tail.writeBigUInt64LE(BigInt(head.length + data + tail.length - 22 - 20 - 56), tail.length - 22 - 12);
    const sparse = new CountingSource(new SparseSource([head, data, tail]));
    const archive = openZip(sparse);
    expect(archive.members[0]).toMatchObject({ size: data, offset: head.length });
    expect(archive.members[0]!.source().size).toBe(data);
    const found = readings(sparse);
    expect(found.discrepancies).toEqual([]);
    expect(found.members).toHaveLength(1);
    expect(sparse.bytesRead).toBeLessThan(200_000);
  });

  it('reads nothing but the central directory of 100,000 members', () => {
    const members = Array.from({ length: 100_000 }, (_, i) => ({
      name: `archive/data/${i}`,
      data: 'ab',
      flags: 0x800,
    }));
    const bytes = new CountingSource(source(buildZip(members, { zip64: true })));
    const archive = openZip(bytes);
    expect(archive.members).toHaveLength(100_000);
    expect(archive.get('archive/data/99999')!.size).toBe(2);
    expect(bytes.bytesRead).toBeLessThan(archive.end.directorySize * 1.1 + 100);
    const found = readings(source(buildZip(members.slice(0, 5_000))));
    expect(found.discrepancies).toEqual([]);
    expect(found.members).toHaveLength(5_000);
  });

  it('says what is wrong', () => {
    expect(() => openZip(source(Buffer.from('PK\x03\x04')))).toThrow(/no end-of-directory record/);
    expect(isZip(source(Buffer.from('PK\x03\x04')))).toBe(true);
    expect(isZip(source(Buffer.from('\x80\x02.')))).toBe(false);
    const unknown = openZip(source(buildZip([{ name: 'a', data: 'abc', method: 9 }]))).members[0]!;
    expect(() => unknown.source()).toThrow(/Deflate64/);
    const encrypted = openZip(source(buildZip([{ name: 'a', data: 'abc', flags: 1 }]))).members[0]!;
    expect(() => encrypted.source()).toThrow(expect.objectContaining({ code: 'unsupported', reason: 'encrypted' }));
    expect(text(encrypted.open().source)).toBe('abc');
    const short = openZip(source(buildZip([{ name: 'a', data: 'abc', method: 8, central: { size: 99 } }]))).members[0]!;
    expect(short.open()).toMatchObject({ error: { code: 'malformed', member: 'a' } });
  });
});

describe('readings', () => {
  it('find nothing odd in ordinary archives', () => {
    const archives: [Member[], Options?][] = [
      [PLAIN],
      [PLAIN, { comment: 'a comment with PK in it' }],
      [PLAIN, { zip64: true }],
      [[]],
      [[{ name: 'é.txt', data: 'x', flags: 0x800 }]],
      [[{ name: 'zeros', data: Buffer.alloc(5000), method: 8 }]],
      // A zip inside a zip, stored near the end of it, has end records of its own.
      [[{ name: 'inner.zip', data: buildZip(PLAIN) }]],
    ];
    for (const descriptor of ['signed', 'unsigned', 'wide'] as const) {
      archives.push([PLAIN.map((member) => ({ ...member, descriptor }))]);
    }
    for (const [members, options] of archives) {
      const found = read(members, options);
      expect(found.discrepancies).toEqual([]);
      expect(found.readings.map((reading) => reading.members.length)).toEqual(new Array(3).fill(members.length));
      expect(found.members).toHaveLength(members.length);
    }
    for (const file of ['plain', 'methods', 'descriptors', 'zip64', 'empty']) {
      expect(readings(source(archiveFixture(`zip/${file}.zip`)), { checkCrc: true }).discrepancies).toEqual([]);
    }
  });

  it('see both archives where the end record fits two central directories', () => {
    // Offsets of the second archive are not shifted: miniz takes them from the start of the file, Python from the end.
    const evil = buildZip([{ name: 'archive/data.pkl', data: 'cposix\nsystem\n.' }]);
    const good = buildZip([{ name: 'archive/data.pkl', data: 'harmless bytes.' }]);
    const found = readings(source(Buffer.concat([evil, good])));
    expect(kinds(found)).toEqual(expect.arrayContaining(['readings-differ', 'multiple-ends']));
    const [absolute, adjacent, walked] = found.readings;
    expect(text(absolute!.members[0]!.source())).toBe('cposix\nsystem\n.');
    expect(text(adjacent!.members[0]!.source())).toBe('harmless bytes.');
    expect(walked!.members).toHaveLength(2);
    expect(found.members.map(({ seenBy }) => seenBy)).toEqual([
      ['absolute', 'local-headers'],
      ['adjacent', 'local-headers'],
    ]);
  });

  it('find hidden members, also behind bytes that belong to none', () => {
    const found = read([PLAIN[0]!, { name: 'evil.pkl', data: 'cposix\nsystem\n.', hidden: true }, PLAIN[1]!]);
    expect(kinds(found)).toEqual(['hidden-member']);
    expect(found.members.map(({ member, seenBy }) => [member.name, seenBy.length])).toEqual([
      ['model/data.pkl', 3],
      ['evil.pkl', 1],
      ['model/code.py', 3],
    ]);
    // A hidden stream without sizes: its end is found by unpacking it, or by its descriptor.
    for (const method of [0, 8]) {
      const members = [
        PLAIN[0]!,
        { name: 'evil', data: 'cposix\nsystem\n.'.repeat(9), method, hidden: true, descriptor: 'signed' as const },
      ];
      const streamed = read(members);
      expect(kinds(streamed)).toEqual(['hidden-member']);
      expect(text(streamed.readings[2]!.members[1]!.source())).toBe('cposix\nsystem\n.'.repeat(9));
    }
  });

  const cases: [string, Member[], Options | undefined, DiscrepancyKind[]][] = [
    [
      'another name in the local header',
      [{ name: 'data.pkl', data: 'x', local: { name: 'safe.txt' } }],
      undefined,
      ['name-differs'],
    ],
    [
      'a name twice',
      [
        { name: 'a', data: '1' },
        { name: 'a', data: '2' },
      ],
      undefined,
      ['duplicate-name'],
    ],
    ['the encryption flag', [{ name: 'a', data: '1', flags: 0x1 }], undefined, ['encrypted']],
    ['the patch flag', [{ name: 'a', data: '1', flags: 0x20 }], undefined, ['patched']],
    ['the strong encryption flag', [{ name: 'a', data: '1', flags: 0x40 }], undefined, ['strong-encryption']],
    ['the mask flag', [{ name: 'a', data: '1', flags: 0x2000 }], undefined, ['masked']],
    [
      'a flag in one record',
      [{ name: 'a', data: '1', local: { flags: 0x20 } }],
      undefined,
      ['patched', 'flags-differ'],
    ],
    [
      'a wrong checksum',
      [{ name: 'a', data: '1', local: { crc: 5 }, central: { crc: 5 } }],
      undefined,
      ['crc-mismatch'],
    ],
    ['two checksums', [{ name: 'a', data: '1', local: { crc: 5 } }], undefined, ['crc-differs']],
    ['two methods', [{ name: 'a', data: '1', local: { method: 8 } }], undefined, ['method-differs']],
    ['an unknown method', [{ name: 'a', data: '1', method: 9 }], undefined, ['method-unsupported']],
    [
      'another size unpacked',
      [{ name: 'a', data: 'abc', method: 8, local: { size: 9 }, central: { size: 9 } }],
      undefined,
      ['size-differs'],
    ],
    [
      'deflated data that are none',
      [{ name: 'a', data: '\xff\xff', local: { method: 8 }, central: { method: 8 } }],
      undefined,
      ['unreadable'],
    ],
    ['a path upwards', [{ name: '../../etc/passwd', data: '1' }], undefined, ['unsafe-name']],
    ['an absolute path', [{ name: '/etc/passwd', data: '1' }], undefined, ['unsafe-name']],
    ['a drive', [{ name: 'C:\\autoexec.bat', data: '1' }], undefined, ['unsafe-name']],
    ['a NUL in a name', [{ name: 'data.pkl\0.txt', data: '1' }], undefined, ['unsafe-name']],
    ['a symbolic link', [{ name: 'a', data: '/etc', externalAttributes: 0xa1ff0000 }], undefined, ['symlink']],
    [
      'a member outside the file',
      [{ name: 'a', data: '1', phantom: true, central: { offset: 5000 } }],
      undefined,
      ['outside-file'],
    ],
    [
      'a record without member',
      [PLAIN[0]!, { name: 'a', data: '1', phantom: true, central: { offset: 3 } }],
      undefined,
      ['local-header-missing'],
    ],
    ['bytes in front', PLAIN, { prepend: 'cposix\nsystem\n.' }, ['prepended']],
    [
      'offsets that do not count them',
      PLAIN,
      { prepend: 'abc', shiftOffsets: false },
      ['prepended', 'readings-differ'],
    ],
    ['a directory that one reader only finds', PLAIN, { directoryOffset: 7 }, ['readings-differ']],
    ['no entries for one reader', PLAIN, { entries: 0 }, ['readings-differ']],
    ['bytes before the end record', PLAIN, { beforeEnd: Buffer.alloc(9, 1) }, ['readings-differ', 'gap']],
    ['a directory outside the file', PLAIN, { directorySize: 1e6 }, ['directory-damaged']],
    ['bytes behind', PLAIN, { append: 'cposix\nsystem\n.' }, ['appended']],
    ['a comment that is cut', PLAIN, { comment: 'abc', commentLength: 9 }, ['appended']],
    [
      'an end record in the comment',
      PLAIN,
      { comment: Buffer.concat([buildZip([]), Buffer.from('!')]), commentLength: 23 },
      ['multiple-ends'],
    ],
    ['too few entries', PLAIN, { entries: 2 }, ['entry-count']],
    ['too many entries', PLAIN, { entries: 4 }, ['directory-damaged']],
    [
      'one member inside another',
      [
        { name: 'a', data: buildZip(PLAIN) },
        { name: 'b', phantom: true, data: 'stored bytes', central: { offset: 31 } },
      ],
      undefined,
      ['overlap'],
    ],
  ];
  it.each(cases)('report %s', (_name, members, options, expected) => {
    expect(kinds(read(members, options))).toEqual(expect.arrayContaining(expected));
  });

  it('report a Unicode path field with another name', () => {
    const extra = Buffer.concat([Buffer.from([0x75, 0x70, 13, 0, 1, 0, 0, 0, 0]), Buffer.from('evil.pkl')]);
    expect(kinds(read([{ name: 'safe.txt', data: 'x', central: { extra } }]))).toEqual(['alternative-name']);
  });

  it('list what there is of a cut archive', () => {
    const bytes = buildZip(PLAIN);
    const found = readings(source(bytes.subarray(0, 80)));
    // The header of the second member is cut as well; its bytes belong to nothing.
    expect(kinds(found)).toEqual(['no-central-directory', 'gap']);
    expect(found.members.map(({ member }) => member.name)).toEqual(['model/data.pkl']);
    const half = readings(
      source(buildZip([{ name: 'a.pkl', data: 'cposix\nsystem\n.'.repeat(50), method: 8 }]).subarray(0, 50)),
    );
    const { source: partial, error } = half.members[0]!.member.open();
    expect(error?.code).toBe('truncated');
    expect(text(partial)).toMatch(/^cposix/);
  });

  it('do not take long over members that overlap or never end', () => {
    // Local headers one after the other, each with a deflate stream of unknown size that runs through all the others and then fails.
    const parts: Uint8Array[] = [];
    for (let i = 0; i < 2000; i++) {
      const header = buildZip([{ name: 'x', method: 8, descriptor: 'signed', hidden: true }]).subarray(0, 31);
      const stored = Buffer.from([0, 31 + 5 + 20, 0, 0xff - 56, 0xff]);
      parts.push(header, stored, Buffer.alloc(20));
    }
    const start = performance.now();
    expect(readings(source(Buffer.concat(parts))).members.length).toBeGreaterThan(0);
    // 4,000 records that all show the same member of 5 MB.
    const members: Member[] = [{ name: 'a', data: Buffer.alloc(5_000_000), method: 8 }];
    const packed = buildZip(members);
    const size = packed.readUInt32LE(18);
    for (let i = 0; i < 4000; i++) {
      members.push({
        name: `b${i}`,
        phantom: true,
        method: 8,
        central: { offset: 0, compressedSize: size, size: 5_000_000, crc: packed.readUInt32LE(14) },
      });
    }
    const found = readings(source(buildZip(members)), { checkCrc: true, checkBytes: 20_000_000 });
    expect(kinds(found)).toEqual(expect.arrayContaining(['overlap', 'not-searched']));
    // Without the bounds this takes hours.
    expect(performance.now() - start).toBeLessThan(15_000);
  });

  it('of an archive cut or damaged anywhere are a result', () => {
    const bytes = buildZip([...PLAIN, { name: 'streamed', data: 'abc'.repeat(50), method: 8, descriptor: 'signed' }], {
      zip64: true,
      comment: 'c',
    });
    const touch = (damaged: Uint8Array): void => {
      const found = readings(source(damaged), { checkCrc: true });
      for (const { member } of found.members) {
        const { error } = member.open();
        if (error) expect(error).toBeInstanceOf(ModelError);
        member.head(4);
      }
      for (const { message } of found.discrepancies) expect(message).not.toMatch(/could not be understood/);
      for (const reading of found.readings) expect(reading.error?.message ?? '').not.toMatch(/could not be understood/);
      try {
        for (const member of openZip(source(damaged)).members) member.source();
      } catch (error) {
        expect(error).toBeInstanceOf(ModelError);
        expect((error as ModelError).message).not.toMatch(/could not be understood/);
      }
    };
    for (let length = 0; length < bytes.length; length++) touch(bytes.subarray(0, length));
    for (let i = 0; i < bytes.length; i++) {
      for (const flip of [0x01, 0x80, 0xff]) {
        const damaged = Uint8Array.from(bytes);
        damaged[i]! ^= flip;
        touch(damaged);
      }
    }
  });
});

/** Bytes, and numbers for that many zeros. */
class SparseSource implements ByteSource {
  readonly name = 'sparse.pt';
  readonly size: number;
  constructor(private readonly parts: readonly (Uint8Array | number)[]) {
    this.size = parts.reduce<number>((sum, part) => sum + (typeof part === 'number' ? part : part.length), 0);
  }
  read(offset: number, length: number): Uint8Array {
    const out = new Uint8Array(length);
    let start = 0;
    for (const part of this.parts) {
      if (typeof part !== 'number') {
        const from = Math.max(offset, start);
        const to = Math.min(offset + length, start + part.length);
        if (from < to) out.set(part.subarray(from - start, to - start), from - offset);
      }
      start += typeof part === 'number' ? part : part.length;
    }
    return out;
  }
}

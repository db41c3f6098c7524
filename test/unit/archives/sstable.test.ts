import { describe, expect, it } from 'vitest';
import { isTable, readTable } from '../../../src/archives/sstable';
import { BufferSource } from '../../../src/bytes/byte-source';
import { crc32c, maskCrc32c } from '../../../src/bytes/checksums/crc32';
import { ModelError } from '../../../src/bytes/errors';

const varint = (value: number): number[] => (value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)]);

/** A block of entries whose keys share prefixes, with a restart every `interval` keys. */
function block(entries: readonly [string, string][], interval = 16): Buffer {
  const out: number[] = [];
  const restarts: number[] = [];
  let previous = '';
  entries.forEach(([key, value], i) => {
    let shared = 0;
    if (i % interval === 0) restarts.push(out.length);
    else while (shared < key.length && key[shared] === previous[shared]) shared++;
    out.push(...varint(shared), ...varint(key.length - shared), ...varint(value.length));
    out.push(...Buffer.from(key.slice(shared), 'latin1'), ...Buffer.from(value, 'latin1'));
    previous = key;
  });
  const tail = Buffer.alloc(4 * restarts.length + 4);
  for (const [i, restart] of restarts.entries()) tail.writeUInt32LE(restart, 4 * i);
  tail.writeUInt32LE(restarts.length, 4 * restarts.length);
  return Buffer.concat([Buffer.from(out), tail]);
}

/** Snappy without any copies: the length, then literals. */
function snappy(bytes: Buffer): Buffer {
  const parts: Uint8Array[] = [Buffer.from(varint(bytes.length))];
  for (let at = 0; at < bytes.length; at += 60) {
    const piece = bytes.subarray(at, at + 60);
    parts.push(Buffer.from([(piece.length - 1) << 2]), piece);
  }
  return Buffer.concat(parts);
}

function table(blocks: readonly [string, string][][], compress = false, extra?: Buffer): Buffer {
  const parts: Buffer[] = [];
  let length = 0;
  const append = (content: Buffer): string => {
    const body = compress ? snappy(content) : content;
    const typed = Buffer.concat([body, Buffer.from([compress ? 1 : 0])]);
    const crc = Buffer.alloc(4);
    crc.writeUInt32LE(maskCrc32c(crc32c(typed)));
    parts.push(typed, crc);
    const handle = [...varint(length), ...varint(body.length)];
    length += typed.length + 4;
    return Buffer.from(handle).toString('latin1');
  };
  const index = blocks.map((entries): [string, string] => [entries[entries.length - 1]![0], append(block(entries, 2))]);
  if (extra) index.push(['z', append(extra)]);
  const meta = append(block([]));
  const indexHandle = append(block(index, 1));
  const footer = Buffer.alloc(48);
  footer.write(meta + indexHandle, 0, 'latin1');
  footer.set([0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb], 40);
  return Buffer.concat([...parts, footer]);
}

const ENTRIES: [string, string][][] = [
  [
    ['', 'header'],
    ['dense/bias', 'a'.repeat(300)],
    ['dense/kernel', 'b'],
  ],
  [
    ['dense/kernel/Adam', 'c'],
    ['dense_1/bias\xff', ''],
  ],
];

const read = (bytes: Uint8Array) => {
  const { entries, problems } = readTable(new BufferSource(bytes, 'variables.index'));
  return {
    problems,
    entries: entries.map(({ key, value }) => [
      Buffer.from(key).toString('latin1'),
      Buffer.from(value).toString('latin1'),
    ]),
  };
};

describe('sorted string tables', () => {
  it('give all entries, plain or packed with Snappy', () => {
    for (const compress of [false, true]) {
      const bytes = table(ENTRIES, compress);
      expect(isTable(new BufferSource(bytes))).toBe(true);
      expect(read(bytes)).toEqual({ entries: ENTRIES.flat(), problems: [] });
    }
  });

  it('report a wrong checksum and go on', () => {
    const bytes = table(ENTRIES);
    bytes[5] = 0x48;
    const { entries, problems } = read(bytes);
    expect(problems).toMatchObject([{ code: 'malformed', reason: 'checksum', offset: 0 }]);
    expect(entries).toHaveLength(5);
    expect(entries[0]![1]).toBe('heHder');
  });

  it('that repeat a block, or blow up their keys, are stopped', () => {
    const bytes = table([ENTRIES[0]!, ENTRIES[0]!]);
    const again = readTable(new BufferSource(bytes));
    expect(again.problems).toEqual([]);
    // The second handle made to point at the first block: offset 0, size of the first.
    const first = block(ENTRIES[0]!, 2).length;
    const second = Buffer.from([...varint(first + 5), ...varint(first)]);
    const at = bytes.lastIndexOf(second);
    bytes.set(Buffer.from([0x80, 0x00]), at);
    expect(readTable(new BufferSource(bytes)).problems).toMatchObject(
      expect.arrayContaining([expect.objectContaining({ offset: 0 })]),
    );
    const long = 'k'.repeat(600_000);
    const keys = Array.from({ length: 600 }, (_, i): [string, string] => [`${long}${String(i).padStart(3, '0')}`, '']);
    const out: number[] = [];
    for (const [i, [key]] of keys.entries()) {
      out.push(...varint(i === 0 ? 0 : 600_000), ...varint(i === 0 ? key.length : 3), 0);
      for (const byte of Buffer.from(i === 0 ? key : key.slice(-3))) out.push(byte);
    }
    const { problems } = readTable(
      new BufferSource(table([], false, Buffer.concat([Buffer.from(out), Buffer.from([0, 0, 0, 0, 1, 0, 0, 0])]))),
    );
    expect(problems).toMatchObject([{ code: 'limit' }]);
  });

  it('say what is wrong with the rest', () => {
    expect(() => read(Buffer.alloc(10))).toThrow(expect.objectContaining({ code: 'truncated' }));
    expect(() => read(Buffer.alloc(100))).toThrow(/footer/);
    const cut = table(ENTRIES);
    expect(() => read(cut.subarray(100))).toThrow(ModelError);
  });

  it('damaged anywhere are a result or a ModelError', () => {
    for (const compress of [false, true]) {
      const bytes = table(ENTRIES, compress);
      for (let i = 0; i < bytes.length; i++) {
        for (const flip of [0x01, 0x80, 0xff]) {
          const damaged = Uint8Array.from(bytes);
          damaged[i]! ^= flip;
          try {
            for (const problem of read(damaged).problems)
              expect(problem.message).not.toMatch(/could not be understood/);
          } catch (error) {
            expect(error).toBeInstanceOf(ModelError);
          }
        }
      }
    }
  });
});

import { describe, expect, it } from 'vitest';
import { membersByOffset } from '../../../src/archives/zip/by-offset';
import { ZipMember } from '../../../src/archives/zip/member';
import { BufferSource } from '../../../src/bytes/byte-source';

const source = new BufferSource(new Uint8Array(0), 'none');

function member(localHeaderOffset: number): ZipMember {
  const fields = { versionNeeded: 20, flags: 0, method: 0, crc: 0, compressedSize: 0, size: 0 };
  const name = { bytes: new Uint8Array(0), nameAt: 0, nameLength: 0, extra: new Uint8Array(0) };
  return new ZipMember(source, { ...fields, ...name, localHeaderOffset });
}

describe('members by the offset of their header', () => {
  const offsets = [0, 10, 30, 31, 90];

  it('are found in order, out of order and again, and nothing where there is none', () => {
    for (const order of [offsets, [...offsets].reverse(), [30, 0, 90, 10, 31]]) {
      const members = order.map(member);
      const found = membersByOffset([members]);
      for (const offset of [...offsets, ...offsets].concat([90, 0, 0, 31, 30])) {
        expect(found.get(offset)).toBe(members[order.indexOf(offset)]);
      }
      for (const offset of [-1, 5, 11, 32, 1000]) expect(found.get(offset)).toBeUndefined();
      expect(found.get(10)).toBe(members[order.indexOf(10)]);
      expect(found.offsets()).toEqual(offsets);
    }
  });

  it('are those of the last list where several describe one header', () => {
    const first = [member(0), member(5)];
    const second = [member(5), member(9)];
    const found = membersByOffset([first, second]);
    expect(found.get(0)).toBe(first[0]);
    expect(found.get(5)).toBe(second[0]);
    expect(found.get(9)).toBe(second[1]);
    const twice = [member(5), member(5)];
    expect(membersByOffset([twice]).get(5)).toBe(twice[1]);
    expect(membersByOffset([]).get(0)).toBeUndefined();
  });
});

import * as zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { buildZip } from '../unit/archives/zip-builder';
import { op, PAYLOAD_PICKLE, PROTO2, pickle, stream, TEXT_PAYLOAD } from './assembler';
import { check, SYSTEM } from './cases';
import { CLEAN, legacy, npy, tar, tarMember, torch } from './containers';
import { scan, summary } from './scan';

const SAFETENSORS = ((): Buffer => {
  const header = Buffer.from('{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}  ');
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([head, header, Buffer.from('data')]);
})();
const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
const GGUF = Buffer.concat([Buffer.from('GGUF'), Buffer.from([3, 0, 0, 0]), Buffer.alloc(16)]);
const ELF = Buffer.concat([Buffer.from('\x7fELF\x02\x01\x01', 'latin1'), Buffer.alloc(60)]);

/** E13: files that are two things. What each loader reads is judged, whatever stands first. */
describe('E13: polyglots', () => {
  const first: Record<string, Buffer> = {
    'a clean pickle': CLEAN,
    'a zip': torch(CLEAN),
    'a tar': tar(['a', CLEAN]),
    'an array': npy(Buffer.alloc(8), '<f8'),
    'gzip data': zlib.gzipSync(CLEAN),
    'a legacy torch file': legacy(3, CLEAN),
    'a picture': Buffer.concat([PNG, Buffer.alloc(40)]),
    'a safetensors file': SAFETENSORS,
    'a GGUF file': GGUF,
    text: Buffer.from('# a model card\n\nwords and words\n'),
    zeros: Buffer.alloc(1024),
  };
  it.each(Object.keys(first))('%s with a torch zip behind it', (name) => {
    const found = summary(Buffer.concat([first[name], torch(PAYLOAD_PICKLE)]), 'model.pt');
    expect([found.verdict, found.calls.join('\n')]).toEqual(['dangerous', expect.stringMatching(SYSTEM)]);
  });

  const carriers = Object.keys(first).filter((name) => /pickle|zip|tar|array|legacy|gzip/.test(name));
  it.each(carriers)('%s with a pickle behind it', (name) => {
    const found = summary(Buffer.concat([first[name], PAYLOAD_PICKLE]), 'model.pkl');
    expect([found.verdict, found.calls.join('\n')]).toEqual(['dangerous', expect.stringMatching(SYSTEM)]);
  });

  it.each(Object.keys(first))('a pickle with %s behind it', (name) => {
    const found = summary(Buffer.concat([PAYLOAD_PICKLE, first[name]]), 'model.pkl');
    expect([found.verdict, found.calls.join('\n')]).toEqual(['dangerous', expect.stringMatching(SYSTEM)]);
  });

  it('a pickle of protocol 0 with a zip behind it, whose end is a comment', () => {
    const zip = buildZip([{ name: 'data.pkl', data: CLEAN }], { comment: 'x'.repeat(60_000) });
    const found = summary(Buffer.concat([TEXT_PAYLOAD, zip]), 'model.pt');
    expect([found.verdict, found.calls.join('\n')]).toEqual(['dangerous', expect.stringMatching(SYSTEM)]);
  });

  it('a zip whose comment is a pickle', () => {
    const found = summary(buildZip([{ name: 'data.pkl', data: CLEAN }], { comment: PAYLOAD_PICKLE }), 'model.pt');
    expect(found.verdict).toBe('dangerous');
  });

  it('a zip between whose directory and end a pickle lies', () => {
    const found = summary(buildZip([{ name: 'data.pkl', data: CLEAN }], { beforeEnd: PAYLOAD_PICKLE }), 'model.pt');
    expect(found.verdict).toBe('dangerous');
  });

  it('a native library behind a pickle is said', () => {
    expect(scan(Buffer.concat([CLEAN, ELF]), 'model.pkl').verdict).not.toBe('safe');
  });
});

/** E10 to E12: where a zip has two directories, or none for a member. */
describe('E10 to E12: two readings of a zip', () => {
  const evil = torch(PAYLOAD_PICKLE);
  const good = torch(pickle(stream(op('BINBYTES', Buffer.alloc(PAYLOAD_PICKLE.length)))));
  check([
    {
      title: 'E10 the evil one last, offsets not shifted',
      bytes: () => Buffer.concat([good, evil]),
      name: 'model.pt',
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E10 three of them, the evil one in the middle',
      bytes: () => Buffer.concat([good, evil, good]),
      name: 'model.pt',
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E10 the end record of the second in the comment of the first',
      bytes: () => buildZip([{ name: 'archive/data.pkl', data: PAYLOAD_PICKLE }], { comment: good }),
      name: 'model.pt',
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E10 an evil archive in the comment',
      bytes: () => buildZip([{ name: 'archive/data.pkl', data: CLEAN }], { comment: evil }),
      name: 'model.pt',
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E10 a zip64 directory beside the ordinary one',
      bytes: () => buildZip([{ name: 'archive/data.pkl', data: PAYLOAD_PICKLE }], { zip64: true }),
      name: 'model.pt',
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E11 the same name three times, evil first, middle or last',
      bytes: () =>
        buildZip([
          { name: 'archive/data.pkl', data: CLEAN },
          { name: 'archive/data.pkl', data: PAYLOAD_PICKLE },
          { name: 'archive/data.pkl', data: CLEAN },
        ]),
      verdict: 'dangerous',
      rule: 'zip-duplicate-name',
      call: SYSTEM,
    },
    {
      title: 'E11 names that differ in case, slashes or dots',
      bytes: () =>
        buildZip([
          { name: 'archive/data.pkl', data: CLEAN },
          { name: 'archive//data.pkl', data: PAYLOAD_PICKLE },
          { name: 'ARCHIVE/DATA.PKL', data: CLEAN },
        ]),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E12 a hidden member before all others',
      bytes: () =>
        buildZip([
          { name: 'a', data: PAYLOAD_PICKLE, hidden: true },
          { name: 'archive/data.pkl', data: CLEAN },
        ]),
      verdict: 'dangerous',
      rule: 'zip-hidden-member',
      call: SYSTEM,
    },
    {
      title: 'E12 only hidden members, and an empty directory',
      bytes: () => buildZip([{ name: 'archive/data.pkl', data: PAYLOAD_PICKLE, hidden: true }]),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    ...[0x1, 0x20, 0x40, 0x41, 0x2000].flatMap((flags) => [
      {
        title: `E7 flags ${flags.toString(16)} in the directory alone (CVE-2025-1945)`,
        bytes: () => buildZip([{ name: 'archive/data.pkl', data: PAYLOAD_PICKLE, central: { flags } }]),
        verdict: 'dangerous' as const,
        call: SYSTEM,
      },
      {
        title: `E7 flags ${flags.toString(16)} in the local header alone (CVE-2025-1945)`,
        bytes: () => buildZip([{ name: 'archive/data.pkl', data: PAYLOAD_PICKLE, local: { flags } }]),
        verdict: 'dangerous' as const,
        call: SYSTEM,
      },
    ]),
    {
      title: 'E6 the local name is empty (CVE-2025-1944)',
      bytes: () => buildZip([{ name: 'archive/data.pkl', data: PAYLOAD_PICKLE, local: { name: '' } }]),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E8 a wrong checksum in both records (CVE-2025-10156)',
      bytes: () =>
        buildZip([{ name: 'archive/data.pkl', data: PAYLOAD_PICKLE, local: { crc: 1 }, central: { crc: 1 } }]),
      verdict: 'dangerous',
      rule: 'zip-crc-mismatch',
      call: SYSTEM,
    },
    ...(['signed', 'unsigned', 'wide'] as const).map((descriptor) => ({
      title: `E9 a data descriptor, ${descriptor}`,
      bytes: () => buildZip([{ name: 'archive/data.pkl', data: PAYLOAD_PICKLE, descriptor }]),
      verdict: 'dangerous' as const,
      call: SYSTEM,
    })),
    {
      title: 'E9 the directory declares less than the local header',
      bytes: () =>
        buildZip([{ name: 'archive/data.pkl', data: PAYLOAD_PICKLE, central: { size: 2, compressedSize: 2 } }]),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E9 stored by the directory, deflated by the local header',
      bytes: () => buildZip([{ name: 'archive/data.pkl', data: PAYLOAD_PICKLE, method: 8, central: { method: 0 } }]),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E14 a method that is not known (C14) is never safe',
      bytes: () => buildZip([{ name: 'archive/data.pkl', data: CLEAN, central: { method: 9 }, local: { method: 9 } }]),
      verdict: 'suspicious',
    },
  ]);
});

describe('E3, E4, E24: torch tars, links, and names', () => {
  const integer = (n: number): Buffer => stream(PROTO2, op('BININT1', n), 'STOP');
  check([
    ...['pickle', 'tensors', 'storages', 'sys_info'].map((at) => ({
      title: `E4 the payload in ${at} of a torch tar of 2016`,
      bytes: () =>
        tar(
          ...['sys_info', 'storages', 'tensors', 'pickle'].map((name): [string, Buffer] => [
            name,
            name === at ? PAYLOAD_PICKLE : name === 'sys_info' || name === 'pickle' ? CLEAN : integer(0),
          ]),
        ),
      name: 'model.pt',
      verdict: 'dangerous' as const,
      call: SYSTEM,
    })),
    ...[0, 1, 2, 3, 4].map((at) => ({
      title: `E3 legacy torch, payload in protocol 0 as pickle ${at + 1}`,
      bytes: () => legacy(at, TEXT_PAYLOAD),
      name: 'model.pt',
      verdict: 'dangerous' as const,
      call: SYSTEM,
    })),
    {
      title: 'E3 legacy torch, payload behind the five pickles',
      bytes: () => Buffer.concat([legacy(3, CLEAN), PAYLOAD_PICKLE]),
      name: 'model.pt',
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E24 a symbolic link that leads out of the folder',
      bytes: () =>
        Buffer.concat([tarMember('x', Buffer.alloc(0), { type: '2', link: '/etc/passwd' }), Buffer.alloc(1024)]),
      verdict: 'suspicious',
      rule: 'tar-damaged',
    },
    ...['1', '2', '3', '5', '6', '7', 'A', 'S', 'V', 'D', '\0'].map((type) => ({
      title: `E24 a payload as the content of a tar member of type ${JSON.stringify(type)}`,
      bytes: () => Buffer.concat([tarMember('x', PAYLOAD_PICKLE, { type }), tarMember('y', CLEAN), Buffer.alloc(1024)]),
      verdict: 'dangerous' as const,
      call: SYSTEM,
    })),
    {
      title: 'E24 a payload behind the end of a tar',
      bytes: () => Buffer.concat([tar(['a', CLEAN]), tarMember('x', PAYLOAD_PICKLE), Buffer.alloc(1024)]),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E24 a name longer than a header, by a pax header',
      bytes: () => {
        const pax = Buffer.from('33 path=some/long/name/model.pkl\n');
        return Buffer.concat([
          tarMember('pax', pax, { type: 'x' }),
          tarMember('m', PAYLOAD_PICKLE),
          Buffer.alloc(1024),
        ]);
      },
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E24 a size in the pax header that differs from the header',
      bytes: () => {
        const pax = Buffer.from('9 size=1\n');
        return Buffer.concat([
          tarMember('pax', pax, { type: 'x' }),
          tarMember('m', PAYLOAD_PICKLE),
          Buffer.alloc(1024),
        ]);
      },
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E24 the GNU form of a long name',
      bytes: () => {
        const long = Buffer.from(`${'n'.repeat(200)}.pkl\0`);
        return Buffer.concat([
          tarMember('././@LongLink', long, { type: 'L' }),
          tarMember('m', PAYLOAD_PICKLE),
          Buffer.alloc(1024),
        ]);
      },
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E24 the old form without a magic word',
      bytes: () => Buffer.concat([tarMember('m', PAYLOAD_PICKLE, { magic: '' }), Buffer.alloc(1024)]),
      verdict: 'dangerous',
      call: SYSTEM,
    },
  ]);
});

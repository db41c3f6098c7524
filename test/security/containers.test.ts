import * as zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../src/bytes/byte-source';
import { scanInput } from '../../src/security/scan';
import { buildZip } from '../unit/archives/zip-builder';
import { BufferInput } from '../unit/formats/pickle/buffer-input';
import { global, PAYLOAD, PAYLOAD_PICKLE, PROTO2, pickle, str, stream, TEXT_PAYLOAD } from './assembler';
import { check, SYSTEM } from './cases';
import { CLEAN, legacy, npy, tar, torch } from './containers';
import { scan } from './scan';

describe('E: containers', () => {
  check([
    {
      title: 'E1 a plain pickle named .pt (CVE-2025-10155, GHSA-jgw4)',
      bytes: () => PAYLOAD_PICKLE,
      name: 'model.pt',
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E2 a pickle under an unknown name',
      bytes: () => PAYLOAD_PICKLE,
      name: 'model.h5',
      verdict: 'dangerous',
      call: SYSTEM,
    },
    ...[1, 2, 3, 4].map((at) => ({
      title: `E3 legacy torch file, payload in pickle ${at + 1}`,
      bytes: () => legacy(at, PAYLOAD_PICKLE),
      name: 'model.pt',
      verdict: 'dangerous' as const,
      call: SYSTEM,
    })),
    {
      title: 'E3 a clean legacy torch file',
      bytes: () => legacy(3, stream(PROTO2, 'EMPTY_DICT', 'STOP')),
      name: 'model.pt',
      verdict: 'safe',
    },
    {
      title: 'E4 torch tar of 2016',
      bytes: () =>
        tar(
          ['sys_info', CLEAN],
          ['pickle', PAYLOAD_PICKLE],
          ['storages', stream(PROTO2, 'NONE', 'STOP')],
          ['tensors', stream(PROTO2, 'NONE', 'STOP')],
        ),
      name: 'model.pt',
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E5 a member with an odd extension (CVE-2025-1889)',
      bytes: () => torch(CLEAN, [{ name: 'archive/config.txt', data: PAYLOAD_PICKLE }]),
      name: 'model.pt',
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E5 a member without extension in protocol 0',
      bytes: () => torch(CLEAN, [{ name: 'archive/config', data: TEXT_PAYLOAD }]),
      name: 'model.pt',
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E6 another name in the local header (CVE-2025-1944)',
      bytes: () =>
        buildZip([
          { name: 'archive/data.pkl', data: PAYLOAD_PICKLE, local: { name: Buffer.from('archive/data.txt') } as never },
        ]),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E7 a member marked as encrypted (CVE-2025-1945)',
      bytes: () => buildZip([{ name: 'archive/data.pkl', data: PAYLOAD_PICKLE, flags: 1 }]),
      verdict: 'dangerous',
      rule: 'zip-encrypted',
      call: SYSTEM,
    },
    {
      title: 'E8 a wrong checksum (CVE-2025-10156)',
      bytes: () =>
        buildZip([{ name: 'archive/data.pkl', data: PAYLOAD_PICKLE, central: { crc: 1 }, local: { crc: 1 } }]),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E8 a wrong checksum alone is a contradiction',
      bytes: () => buildZip([{ name: 'archive/data.pkl', data: CLEAN, central: { crc: 1 }, local: { crc: 1 } }]),
      verdict: 'suspicious',
      rule: 'zip-crc-mismatch',
    },
    {
      title: 'E9 sizes that differ',
      bytes: () => buildZip([{ name: 'archive/data.pkl', data: PAYLOAD_PICKLE, local: { size: 3 } }]),
      verdict: 'dangerous',
      rule: 'zip-size-differs',
    },
    {
      title: 'E10 two archives of the same layout: readers disagree where the directory is',
      bytes: () => Buffer.concat([torch(PAYLOAD_PICKLE), torch(pickle(str('x'.repeat(PAYLOAD_PICKLE.length - 5))))]),
      name: 'model.pt',
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E11 the same name twice',
      bytes: () =>
        buildZip([
          { name: 'archive/data.pkl', data: PAYLOAD_PICKLE },
          { name: 'archive/data.pkl', data: CLEAN },
        ]),
      verdict: 'dangerous',
      rule: 'zip-duplicate-name',
      call: SYSTEM,
    },
    {
      title: 'E12 a member that no directory lists',
      bytes: () =>
        buildZip([
          { name: 'archive/data.pkl', data: CLEAN },
          { name: 'archive/x.pkl', data: PAYLOAD_PICKLE, hidden: true },
        ]),
      verdict: 'dangerous',
      rule: 'zip-hidden-member',
      call: SYSTEM,
    },
    {
      title: 'E13 a pickle with a zip behind it',
      bytes: () => Buffer.concat([PAYLOAD_PICKLE, torch(CLEAN)]),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E13 a zip with a pickle behind it',
      bytes: () => Buffer.concat([torch(CLEAN), PAYLOAD_PICKLE]),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E14 a zip in a zip, without extension',
      bytes: () => buildZip([{ name: 'inner', data: torch(PAYLOAD_PICKLE) }]),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E14 a compressed tar in a zip',
      bytes: () => buildZip([{ name: 'x.bin', data: zlib.gzipSync(tar(['a', PAYLOAD_PICKLE])) }]),
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E15 a 7z archive (nullifAI) is not scanned and never safe',
      bytes: () => Buffer.concat([Buffer.from('377abcaf271c0004', 'hex'), Buffer.alloc(100)]),
      name: 'model.pt',
      verdict: 'suspicious',
      rule: 'not-scanned',
    },
    {
      title: 'E16 gzip',
      bytes: () => zlib.gzipSync(PAYLOAD_PICKLE),
      name: 'model.pkl.gz',
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E16 zlib, as joblib compresses',
      bytes: () => zlib.deflateSync(PAYLOAD_PICKLE),
      name: 'model.joblib',
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E20 object array in .npy',
      bytes: () => npy(PAYLOAD_PICKLE),
      name: 'x.npy',
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E20 object array in .npz, the member without .npy',
      bytes: () => buildZip([{ name: 'arr_0', data: npy(PAYLOAD_PICKLE) }]),
      name: 'x.npz',
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E20 a payload behind an array of numbers',
      bytes: () => Buffer.concat([npy(Buffer.alloc(8), '<f8'), PAYLOAD_PICKLE]),
      name: 'x.npy',
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E20 an object array behind an array of numbers',
      bytes: () => Buffer.concat([npy(Buffer.alloc(8), '<f8'), npy(PAYLOAD_PICKLE)]),
      name: 'x.npy',
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E20 arrays of numbers one after the other are no harm',
      bytes: () => Buffer.concat([npy(Buffer.alloc(8), '<f8'), npy(Buffer.alloc(4), '<f4')]),
      name: 'x.npy',
      verdict: 'safe',
    },
    {
      title: 'E20 an element type in other words, which NumPy takes for an object array',
      bytes: () => npy(PAYLOAD_PICKLE, 'object'),
      name: 'x.npy',
      verdict: 'dangerous',
      call: SYSTEM,
    },
    ...[
      "[('a', '|O')]",
      "[('a', '<f8'), ('b', '|O', (2,))]",
      "[(('title', 'name'), [('x', 'O')])]",
      "'|O8'",
      "'=O'",
      "'O4'",
      "('O', 2)",
      "'i4,O'",
      "'object_'",
      "{'names': ['a'], 'formats': ['O'], 'offsets': [0], 'itemsize': 8}",
      "__import__('os')",
    ].map((type) => ({
      title: `E20 an element type with objects, or none that is read: ${type}`,
      bytes: () => npy(PAYLOAD_PICKLE, type, 1, false),
      name: 'x.npy',
      verdict: 'dangerous' as const,
      call: SYSTEM,
    })),
    {
      title: 'E22 constants.pkl of a TorchScript archive (CVE-2025-32434)',
      bytes: () => torch(CLEAN, [{ name: 'archive/constants.pkl', data: PAYLOAD_PICKLE }]),
      name: 'model.pt',
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E23 Python source in a torch.package archive',
      bytes: () => torch(CLEAN, [{ name: 'archive/my/module.py', data: 'import os\n' }]),
      name: 'model.pt',
      verdict: 'suspicious',
      rule: 'python-source',
    },
    {
      title: 'E24 a name that leads out of the folder',
      bytes: () => torch(CLEAN, [{ name: '../../x', data: 'abc' }]),
      name: 'model.pt',
      verdict: 'suspicious',
      rule: 'zip-unsafe-name',
    },
    {
      title: 'E25 a member that declares gigabytes is not allocated',
      bytes: () =>
        buildZip([
          { name: 'archive/data.pkl', data: CLEAN, central: { size: 0xfffffffe }, local: { size: 0xfffffffe } },
        ]),
      verdict: 'suspicious',
      rule: 'zip-size-differs',
    },
    {
      title: 'E26 a Hydra target in a configuration (CVE-2025-23304)',
      bytes: () => tar(['model_config.yaml', Buffer.from('decoder:\n  _target_: os.system\n  command: echo hello\n')]),
      name: 'model.nemo',
      verdict: 'dangerous',
      rule: 'hydra-target',
      call: /os\.system/,
    },
    {
      title: 'E26 honest targets of NeMo',
      bytes: () =>
        tar([
          'model_config.yaml',
          Buffer.from('decoder:\n  _target_: nemo.collections.asr.modules.ConvASRDecoder\n  n: 3\n'),
        ]),
      name: 'model.nemo',
      verdict: 'safe',
    },
    {
      title: 'E native code in an archive (.pt2)',
      bytes: () =>
        torch(CLEAN, [
          {
            name: 'data/aotinductor/model.so',
            data: Buffer.concat([Buffer.from('\x7fELF\x02\x01\x01', 'latin1'), Buffer.alloc(200)]),
          },
        ]),
      name: 'model.pt2',
      verdict: 'dangerous',
      rule: 'native-code',
    },
  ]);

  describe('E19 side files of old joblib', () => {
    const wrapper = (name: string): Buffer =>
      pickle(
        global('joblib.numpy_pickle', 'NDArrayWrapper'),
        'EMPTY_TUPLE',
        'NEWOBJ',
        'EMPTY_DICT',
        'MARK',
        str('filename'),
        str(name),
        str('subclass'),
        global('numpy', 'ndarray'),
        'SETITEMS',
        'BUILD',
      );

    it('are judged when they stand beside the file', () => {
      const input = new BufferInput(wrapper('model.pkl_01.npy'), 'model.pkl');
      input.neighbour = (name?: string) =>
        name === 'model.pkl_01.npy' ? new BufferSource(npy(PAYLOAD_PICKLE), name) : undefined;
      const report = scanInput(input);
      expect([report.verdict, report.findings[0].member]).toEqual(['dangerous', 'model.pkl_01.npy']);
    });

    it('may not lead elsewhere', () => {
      const report = scan(wrapper('../../etc/passwd'));
      expect([report.verdict, report.findings.map((finding) => finding.rule)]).toEqual([
        'suspicious',
        ['side-file-path'],
      ]);
    });
  });

  it('E13 a zip is not taken for a pickle because its first letter is an opcode', () => {
    const report = scan(torch(CLEAN), 'model.pt');
    expect([report.verdict, report.findings]).toEqual(['safe', []]);
  });

  it('lists what it could not look into', () => {
    const report = scan(Buffer.concat([Buffer.from('377abcaf271c0004', 'hex'), Buffer.alloc(100)]), 'x.7z');
    expect(report.coverage.filter((piece) => !piece.scanned)).toHaveLength(1);
    expect(PAYLOAD.length).toBeGreaterThan(0);
  });
});

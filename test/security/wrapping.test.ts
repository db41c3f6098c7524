import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { MAX_ARCHIVE_DEPTH } from '../../src/bytes/limits';
import { buildZip } from '../unit/archives/zip-builder';
import { bytes, call, PAYLOAD_PICKLE, pickle, TEXT_PAYLOAD } from './assembler';
import { SYSTEM } from './cases';
import { CLEAN, legacy, npy, tar, torch } from './containers';
import { scan, summary } from './scan';

type Wrap = (data: Buffer) => Buffer;

/** What loaders, or programs before them, take the content out of. */
const WRAPS: Record<string, Wrap> = {
  gzip: (data) => zlib.gzipSync(data),
  'gzip, an empty member first': (data) => Buffer.concat([zlib.gzipSync(Buffer.alloc(0)), zlib.gzipSync(data)]),
  zlib: (data) => zlib.deflateSync(data),
  zip: (data) => buildZip([{ name: 'x', data }]),
  'zip, deflated': (data) => buildZip([{ name: 'folder/x.txt', data, method: 8 }]),
  'zip, its second member': (data) =>
    buildZip([
      { name: 'a.pkl', data: CLEAN },
      { name: 'weights.bin', data },
    ]),
  'zip with a data descriptor': (data) => buildZip([{ name: 'x', data, descriptor: 'signed' }]),
  'zip behind other bytes': (data) => buildZip([{ name: 'x', data }], { prepend: '#!/bin/sh\n', shiftOffsets: true }),
  tar: (data) => tar(['x', data]),
  'tar, its second member': (data) => tar(['README.md', Buffer.from('# model\n')], ['model/x', data]),
  'an object array (.npy)': (data) => npy(pickle(call('pickle', 'loads', bytes(data)))),
  'a pickle in a pickle': (data) => pickle(call('_pickle', 'loads', bytes(data))),
};

const NAMES = Object.keys(WRAPS);
/** Pickles in pickles load pickles only. */
const fits = (outer: string, inner: string): boolean => !/pickle|array/.test(outer) || /pickle/.test(inner);
const PAIRS = NAMES.flatMap((outer) => NAMES.filter((inner) => fits(outer, inner)).map((inner) => [outer, inner]));

describe('E14 and E16: content inside of content', () => {
  it.each(NAMES)('%s', (name) => {
    const found = summary(WRAPS[name](PAYLOAD_PICKLE), 'model.bin');
    expect(found.verdict).toBe('dangerous');
    expect(found.calls.join('\n')).toMatch(SYSTEM);
  });

  it.each(NAMES.filter((name) => !/pickle|array/.test(name)))('%s of a pickle of protocol 0 (C13)', (name) => {
    const found = summary(WRAPS[name](TEXT_PAYLOAD), 'model.bin');
    expect([found.verdict, found.calls.join('\n')]).toEqual(['dangerous', expect.stringMatching(SYSTEM)]);
  });

  it.each(PAIRS)('%s of %s', (outer, inner) => {
    const found = summary(WRAPS[outer](WRAPS[inner](PAYLOAD_PICKLE)), 'model.bin');
    expect([found.verdict, found.calls.join('\n')]).toEqual(['dangerous', expect.stringMatching(SYSTEM)]);
  });

  it.each([
    ['torch', torch(PAYLOAD_PICKLE)],
    ['legacy torch', legacy(3, PAYLOAD_PICKLE)],
    ['an object array', npy(PAYLOAD_PICKLE)],
    ['an archive of arrays', buildZip([{ name: 'arr_0.npy', data: npy(PAYLOAD_PICKLE) }])],
  ])('%s in a compressed tar', (_, model) => {
    const found = summary(zlib.gzipSync(tar(['model', model])), 'model.tar.gz');
    expect([found.verdict, found.calls.join('\n')]).toEqual(['dangerous', expect.stringMatching(SYSTEM)]);
  });

  it.each(['zip', 'gzip', 'tar'])('%s in itself: looked into to the limit, and never safe beyond (E14)', (name) => {
    let data: Buffer = PAYLOAD_PICKLE;
    let harmless: Buffer = CLEAN;
    for (let depth = 1; depth <= MAX_ARCHIVE_DEPTH + 3; depth++) {
      data = WRAPS[name](data);
      harmless = WRAPS[name](harmless);
      const verdict = scan(data, 'model.bin').verdict;
      if (depth <= MAX_ARCHIVE_DEPTH) expect([depth, verdict]).toEqual([depth, 'dangerous']);
      else expect([depth, verdict === 'safe']).toEqual([depth, false]);
      if (depth > MAX_ARCHIVE_DEPTH + 1) expect(scan(harmless, 'model.bin').verdict).toBe('suspicious');
    }
    expect(MAX_ARCHIVE_DEPTH).toBeGreaterThanOrEqual(5);
  });
});

/** Made by tools/fixtures/security/compressed.py. */
const FIXTURES = Object.entries(
  JSON.parse(readFileSync(join(__dirname, '..', 'fixtures', 'security', 'compressed.json'), 'utf8')) as Record<
    string,
    string
  >,
);
const COMPRESSED = FIXTURES.filter(([name]) => !name.startsWith('bomb'));
const BOMBS = FIXTURES.filter(([name]) => name.startsWith('bomb'));

describe('E16: compressions that joblib and pandas undo without being asked', () => {
  it.each(COMPRESSED)('%s', (_, base64) => {
    for (const name of ['model.joblib', 'model.pkl', 'model.pkl.gz', 'model']) {
      const found = summary(Buffer.from(base64, 'base64'), name);
      expect([name, found.verdict, found.calls.join('\n')]).toEqual([name, 'dangerous', expect.stringMatching(SYSTEM)]);
    }
  });

  it.each(COMPRESSED)('%s, cut off: never safe (D1)', (_, base64) => {
    const data = Buffer.from(base64, 'base64');
    expect(scan(data.subarray(0, data.length - 6), 'model.pkl').verdict).not.toBe('safe');
  });

  it.each(COMPRESSED)('%s, with a pickle behind it (E13)', (_, base64) => {
    const found = summary(Buffer.concat([Buffer.from(base64, 'base64'), TEXT_PAYLOAD]), 'model.pkl');
    expect(found.verdict).toBe('dangerous');
  });
});

describe('E25 and H11: bombs', () => {
  it.each(BOMBS)('%s is not unpacked to its end, and not safe', (_, base64) => {
    const report = scan(Buffer.from(base64, 'base64'), 'model.pkl');
    expect([report.verdict, report.findings.map(({ rule }) => rule)]).toEqual(['suspicious', ['limit-reached']]);
  });

  it.each(BOMBS)('%s behind a payload in one archive (D4)', (_, base64) => {
    const bomb = Buffer.from(base64, 'base64');
    const found = summary(tar(['bomb', bomb], ['model.pkl', PAYLOAD_PICKLE]), 'model.tar');
    expect([found.verdict, found.calls.join('\n')]).toEqual(['dangerous', expect.stringMatching(SYSTEM)]);
  });
});

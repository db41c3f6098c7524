import { describe, expect, it } from 'vitest';
import { recogniseArchive } from '../../../src/archives/recognise';
import { archiveFixture } from '../bytes/compressed-fixtures';

const id = (head: string | Uint8Array): string | undefined =>
  recogniseArchive(typeof head === 'string' ? Buffer.from(head.padEnd(64, '\0'), 'latin1') : head)?.id;

describe('recogniseArchive', () => {
  it('names what is not opened', () => {
    expect(id('7z\xbc\xaf\x27\x1c\0\x04')).toBe('7z');
    expect(id('Rar!\x1a\x07\x01\0')).toBe('rar');
    expect(id('Rar!\x1a\x07\0')).toBe('rar');
    expect(id('MSCF\0\0\0\0')).toBe('cab');
    expect(id('\x22\x0a-lh5-')).toBe('lha');
    expect(id('!<arch>\n')).toBe('ar');
    expect(recogniseArchive(Buffer.from('Salted__12345678'))).toEqual({
      id: 'openssl',
      name: 'a file encrypted with OpenSSL',
      opened: false,
      encrypted: true,
    });
  });

  it('tells what is opened', () => {
    expect(recogniseArchive(archiveFixture('zip/plain.zip'))).toMatchObject({ id: 'zip', opened: true });
    expect(recogniseArchive(archiveFixture('tar/gnu.tar'))).toMatchObject({ id: 'tar', opened: true });
  });

  it('takes no pickle for an archive', () => {
    for (const head of ['\x80\x04\x95', 'cposix\nsystem\n', '(lp0\n', '', "S'x'\n", 'I1\n.', '`\xea\0\0', '\x93NUMPY'])
      expect(id(head)).toBeUndefined();
  });
});

import { isTar } from './tar/header';

/** An archive or container that is recognised but not opened, or opened elsewhere. */
export interface ArchiveKind {
  /** Stable name: `zip`, `tar`, `7z`, `rar`, … */
  id: string;
  /** For a sentence: "a 7-Zip archive". */
  name: string;
  /** Whether this project looks inside (zip and tar). */
  opened: boolean;
  /** The content is encrypted as a whole. */
  encrypted?: boolean;
}

/** Signature bytes as Latin-1 text, where they stand, and what they mean. The longer ones of a family come first. */
const SIGNATURES: readonly [signature: string, at: number, id: string, name: string, encrypted?: true][] = [
  ['7z\xbc\xaf\x27\x1c', 0, '7z', 'a 7-Zip archive'],
  ['Rar!\x1a\x07\x01\0', 0, 'rar', 'a RAR 5 archive'],
  ['Rar!\x1a\x07\0', 0, 'rar', 'a RAR archive'],
  ['RE\x7e\x5e', 0, 'rar', 'a RAR archive of before version 1.5'],
  ['MSCF\0\0\0\0', 0, 'cab', 'a Microsoft cabinet'],
  ['ISc(', 0, 'cab', 'an InstallShield cabinet'],
  ['LZIP\x01', 0, 'lzip', 'an lzip file'],
  ['\x1f\x9d', 0, 'compress', 'a file of the Unix program compress'],
  ['\x1f\xa0', 0, 'compress', 'a file of the Unix program compress'],
  ['\x89LZO\0\r\n\x1a\n', 0, 'lzop', 'an lzop file'],
  ['\xff\x06\0\0sNaPpY', 0, 'snappy', 'a framed Snappy file'],
  ['bvx2', 0, 'lzfse', 'an LZFSE file'],
  ['!<arch>\n', 0, 'ar', 'an ar archive'],
  ['xar!', 0, 'xar', 'an xar archive'],
  ['070707', 0, 'cpio', 'a cpio archive'],
  ['070701', 0, 'cpio', 'a cpio archive'],
  ['070702', 0, 'cpio', 'a cpio archive'],
  ['\xc7\x71', 0, 'cpio', 'a cpio archive'],
  ['ZOO ', 0, 'zoo', 'a Zoo archive'],
  ['\x60\xea', 0, 'arj', 'an ARJ archive'],
  ['-lh', 2, 'lha', 'an LHA archive'],
  ['-lz', 2, 'lha', 'an LHA archive'],
  ['**ACE**', 7, 'ace', 'an ACE archive'],
  ['SIT!', 0, 'stuffit', 'a StuffIt archive'],
  ['StuffIt (c)', 0, 'stuffit', 'a StuffIt archive'],
  ['zPQ', 0, 'zpaq', 'a ZPAQ archive'],
  ['7kSt', 0, 'zpaq', 'a ZPAQ archive'],
  ['ArC\x01', 0, 'freearc', 'a FreeArc archive'],
  ['PEA\0', 0, 'pea', 'a PeaZip archive'],
  ['MSWIM\0\0\0', 0, 'wim', 'a Windows image'],
  ['hsqs', 0, 'squashfs', 'a SquashFS image'],
  ['sqsh', 0, 'squashfs', 'a SquashFS image'],
  ['\x45\x3d\xcd\x28', 0, 'cramfs', 'a cramfs image'],
  ['CD001', 0x8001, 'iso', 'an ISO 9660 image'],
  ['\xed\xab\xee\xdb', 0, 'rpm', 'an RPM package'],
  ['age-encryption.org/', 0, 'age', 'a file encrypted with age', true],
  ['-----BEGIN AGE ENCRYPTED FILE-----', 0, 'age', 'a file encrypted with age', true],
  ['-----BEGIN PGP MESSAGE-----', 0, 'pgp', 'a PGP message', true],
  ['Salted__', 0, 'openssl', 'a file encrypted with OpenSSL', true],
  ['AES\x02', 0, 'aescrypt', 'a file encrypted with AES Crypt', true],
  ['AES\x01', 0, 'aescrypt', 'a file encrypted with AES Crypt', true],
  ['LUKS\xba\xbe', 0, 'luks', 'an encrypted LUKS volume', true],
  ['SQLite format 3\0', 0, 'sqlite', 'an SQLite database'],
  ['PK\x03\x04', 0, 'zip', 'a zip archive'],
  ['PK\x05\x06', 0, 'zip', 'an empty zip archive'],
  ['PK\x07\x08PK\x03\x04', 0, 'zip', 'a part of a split zip archive'],
];

/**
 * Which archive a file begins with, so that one which is not opened can be named ("compressed with 7z, not scanned") rather than taken for
 * garbage. Compressed streams are `recogniseCompression`'s. 512 bytes of `head` are needed for tar.
 */
export function recogniseArchive(head: Uint8Array): ArchiveKind | undefined {
  for (const [signature, at, id, name, encrypted] of SIGNATURES) {
    if (!startsWith(head, signature, at)) continue;
    // "-lh5-": the two letters alone are too little to tell LHA by.
    if (id === 'lha' && head[6] !== 0x2d) continue;
    // Two bytes are too little for ARJ as well: the header size that follows is at most 2,600.
    if (id === 'arj' && (head.length < 4 || (head[2]! | (head[3]! << 8)) > 2600 || (head[2]! | (head[3]! << 8)) === 0))
      continue;
    return { id, name, opened: id === 'zip', ...(encrypted && { encrypted }) };
  }
  return isTar(head) ? { id: 'tar', name: 'a tar archive', opened: true } : undefined;
}

function startsWith(head: Uint8Array, signature: string, at: number): boolean {
  if (head.length < at + signature.length) return false;
  for (let i = 0; i < signature.length; i++) if (head[at + i] !== signature.charCodeAt(i)) return false;
  return true;
}

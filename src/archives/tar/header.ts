/** One 512-byte header of a tar archive (POSIX.1-2001 ustar, with the extensions of GNU tar). */

export const BLOCK = 512;

export interface TarHeader {
  nameBytes: Uint8Array;
  mode: number;
  size: number;
  /** The type flag as a character: '0' file, '1' hard link, '2' symbolic link, '5' directory, 'L' 'K' GNU, 'x' 'g' pax, … */
  type: string;
  linkBytes: Uint8Array;
}

/** Why a block is no header. */
export type HeaderProblem = 'checksum' | 'number';

/** Bytes of a field up to its first NUL. */
function terminated(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

/**
 * A number field: octal digits, or, when the first bit is set, big-endian binary of the other bits (GNU tar's base 256).
 * Undefined if it is neither, negative, or beyond 2^53.
 */
function number(field: Uint8Array): number | undefined {
  const first = field[0]!;
  if (first & 0x80) {
    if (first & 0x40) return undefined;
    let value = first & 0x3f;
    for (const byte of field.subarray(1)) value = value * 256 + byte;
    return value <= Number.MAX_SAFE_INTEGER ? value : undefined;
  }
  // Nearly everything that is no header shows it here: neither an octal digit nor what may stand before or instead of one.
  if (first > 0x37 || (first > 0x20 && first < 0x30)) return undefined;
  const text = Buffer.from(terminated(field)).toString('latin1').trim();
  if (text === '') return 0;
  return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : undefined;
}

/** Whether the checksum of a block is right, by bytes without or (as some old writers did) with sign. */
export function checksumMatches(block: Uint8Array): boolean {
  const stored = number(block.subarray(148, 156));
  if (stored === undefined) return false;
  let unsigned = 8 * 0x20;
  let signed = unsigned;
  for (let i = 0; i < BLOCK; i++) {
    if (i >= 148 && i < 156) continue;
    unsigned += block[i]!;
    signed += (block[i]! << 24) >> 24;
  }
  return stored === unsigned || stored === signed;
}

/** The header in a block that is not all zeros. */
export function parseTarHeader(block: Uint8Array): TarHeader | HeaderProblem {
  if (!checksumMatches(block)) return 'checksum';
  const size = number(block.subarray(124, 136));
  if (size === undefined) return 'number';
  const isUstar = Buffer.from(block.subarray(257, 263)).toString('latin1') === 'ustar\0';
  const name = terminated(block.subarray(0, 100));
  const prefix = isUstar ? terminated(block.subarray(345, 500)) : new Uint8Array(0);
  return {
    nameBytes: prefix.length > 0 ? Buffer.concat([prefix, Buffer.from('/'), name]) : Uint8Array.from(name),
    mode: number(block.subarray(100, 108)) ?? 0,
    size,
    type: String.fromCharCode(block[156] || 0x30),
    linkBytes: Uint8Array.from(terminated(block.subarray(157, 257))),
  };
}

/**
 * Whether a file begins with a tar header; 512 bytes of `head` are needed. Archives without the `ustar` mark (the oldest format) are
 * recognised by their checksum.
 */
export function isTar(head: Uint8Array): boolean {
  if (head.length < BLOCK || head[0] === 0) return false;
  return typeof parseTarHeader(head.subarray(0, BLOCK)) !== 'string';
}

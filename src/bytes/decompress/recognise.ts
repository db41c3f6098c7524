/**
 * Compressed streams that can be read. `zfile` is joblib's own wrapping of zlib before 0.10, `lzma` the format before xz. `deflate`, a
 * raw stream without header, and `lzma-zip` are what only an archive can announce.
 */
export type Compression = 'deflate' | 'zlib' | 'gzip' | 'zfile' | 'bzip2' | 'xz' | 'lzma' | 'lzma-zip' | 'lz4' | 'zstd';

/** How each is called in a sentence. */
export const compressionNames: Readonly<Record<Compression, string>> = {
  deflate: 'deflate',
  zlib: 'zlib',
  gzip: 'gzip',
  zfile: 'joblib Z-file',
  bzip2: 'bzip2',
  xz: 'xz',
  lzma: 'LZMA',
  'lzma-zip': 'LZMA',
  lz4: 'LZ4',
  zstd: 'Zstandard',
};

/**
 * Which compression a file starts with, by its content; undefined if none. 16 bytes of `head` are enough.
 * None of these starts is also that of a pickle that Python would load.
 */
export function recogniseCompression(head: Uint8Array): Compression | undefined {
  const a = head[0];
  const b = head[1];
  const c = head[2];
  const d = head[3];
  if (a === 0x1f && b === 0x8b) return 'gzip';
  // A zlib header for the usual 32 kB window: its second byte says the level, and makes both divisible by 31.
  if (a === 0x78 && (b === 0x01 || b === 0x5e || b === 0x9c || b === 0xda)) return 'zlib';
  if (a === 0x5a && b === 0x46 && c === 0x30 && (d === 0x78 || d === 0x58)) return 'zfile';
  if (a === 0x42 && b === 0x5a && c === 0x68 && d !== undefined && d >= 0x31 && d <= 0x39) return 'bzip2';
  if (a === 0xfd && b === 0x37 && c === 0x7a && d === 0x58 && head[4] === 0x5a && head[5] === 0) return 'xz';
  if (a === 0x04 && b === 0x22 && c === 0x4d && d === 0x18) return 'lz4';
  if (a === 0x02 && b === 0x21 && c === 0x4c && d === 0x18) return 'lz4';
  if (a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd) return 'zstd';
  // Skippable frames are shared by LZ4 and Zstandard; Zstandard is the one that writes them.
  if (a !== undefined && a >> 4 === 5 && b === 0x2a && c === 0x4d && d === 0x18) return 'zstd';
  return isLzmaAlone(head) ? 'lzma' : undefined;
}

/**
 * An `.lzma` file has no magic number. What it has: valid properties, a dictionary of 2^n or 2^n + 2^(n-1) bytes, an unpacked
 * size that is unknown (all ones) or below 256 GB, and a first data byte of 0.
 */
function isLzmaAlone(head: Uint8Array): boolean {
  if (head.length < 13 || head[0]! >= 225) return false;
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const dictionary = view.getUint32(1, true);
  const top = 31 - Math.clz32(dictionary);
  const rest = dictionary - 2 ** top;
  if (dictionary < 4096 || (dictionary !== 0xffffffff && rest !== 0 && rest !== 2 ** (top - 1))) return false;
  const unknown = view.getUint32(5, true) === 0xffffffff && view.getUint32(9, true) === 0xffffffff;
  if (!unknown && view.getUint32(9, true) >= 64) return false;
  return head.length === 13 || head[13] === 0;
}

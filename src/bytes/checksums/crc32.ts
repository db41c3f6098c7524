import * as zlib from 'node:zlib';

const IEEE = tables(0xedb88320);
const CASTAGNOLI = tables(0x82f63b78);

/** Node has it natively from 20.15 on; a browser build has no zlib at all. */
const nativeCrc32: ((data: Uint8Array, value?: number) => number) | undefined =
  typeof zlib?.crc32 === 'function' ? zlib.crc32 : undefined;

/**
 * CRC-32 of gzip, zip, xz and bzip2's polynomial in reflected form (ISO 3309, 0x04C11DB7), as an unsigned number.
 * @param value what an earlier call returned for the bytes before these.
 */
export function crc32(bytes: Uint8Array, value = 0): number {
  return nativeCrc32 ? nativeCrc32(bytes, value) : update(IEEE, bytes, value);
}

/** The same without native help; exported so that the tests compare the two. */
export function crc32Portable(bytes: Uint8Array, value = 0): number {
  return update(IEEE, bytes, value);
}

/** CRC-32C (Castagnoli, 0x1EDC6F41) of LevelDB's tables and TensorFlow's checkpoints, as an unsigned number. */
export function crc32c(bytes: Uint8Array, value = 0): number {
  return update(CASTAGNOLI, bytes, value);
}

/** LevelDB stores checksums rotated and shifted, so that a checksum of data that holds checksums stays strong. */
export function unmaskCrc32c(masked: number): number {
  const rotated = (masked - 0xa282ead8) >>> 0;
  return ((rotated >>> 17) | (rotated << 15)) >>> 0;
}

/** The inverse of `unmaskCrc32c`. */
export function maskCrc32c(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** Eight tables of 256: table k advances a byte that is k positions before the end of an eight-byte group. */
function tables(polynomial: number): Uint32Array {
  const table = new Uint32Array(8 * 256);
  for (let n = 0; n < 256; n++) {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? polynomial ^ (c >>> 1) : c >>> 1;
    table[n] = c;
  }
  for (let n = 256; n < 8 * 256; n++) table[n] = table[table[n - 256]! & 0xff]! ^ (table[n - 256]! >>> 8);
  return table;
}

/** Slicing by eight: eight bytes a step, each through its own table. */
function update(table: Uint32Array, bytes: Uint8Array, value: number): number {
  let c = ~value;
  let i = 0;
  const end8 = bytes.length - 7;
  for (; i < end8; i += 8) {
    c ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    c =
      table[1792 + (c & 0xff)]! ^
      table[1536 + ((c >>> 8) & 0xff)]! ^
      table[1280 + ((c >>> 16) & 0xff)]! ^
      table[1024 + (c >>> 24)]! ^
      table[768 + bytes[i + 4]!]! ^
      table[512 + bytes[i + 5]!]! ^
      table[256 + bytes[i + 6]!]! ^
      table[bytes[i + 7]!]!;
  }
  for (; i < bytes.length; i++) c = table[(c ^ bytes[i]!) & 0xff]! ^ (c >>> 8);
  return ~c >>> 0;
}

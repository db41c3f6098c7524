/** CRC-64 of the xz format (ECMA-182, reflected 0xC96C5795D7870F42), in two 32-bit halves: BigInt would be a hundred times slower. */
export interface Crc64 {
  low: number;
  high: number;
}

const LOW = new Uint32Array(4 * 256);
const HIGH = new Uint32Array(4 * 256);
for (let n = 0; n < 256; n++) {
  let low = n;
  let high = 0;
  for (let k = 0; k < 8; k++) {
    const carry = low & 1;
    low = (low >>> 1) | (high << 31);
    high >>>= 1;
    if (carry) {
      low ^= 0xd7870f42;
      high ^= 0xc96c5795;
    }
  }
  LOW[n] = low;
  HIGH[n] = high;
}
for (let n = 256; n < 4 * 256; n++) {
  const low = LOW[n - 256]!;
  const high = HIGH[n - 256]!;
  LOW[n] = ((low >>> 8) | (high << 24)) ^ LOW[low & 0xff]!;
  HIGH[n] = (high >>> 8) ^ HIGH[low & 0xff]!;
}

/** Checksum of all of `bytes`; both halves unsigned. */
export function crc64(bytes: Uint8Array): Crc64 {
  let low = -1;
  let high = -1;
  let i = 0;
  for (const end4 = bytes.length - 3; i < end4; i += 4) {
    const x = low ^ (bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24));
    const a = 768 + (x & 0xff);
    const b = 512 + ((x >>> 8) & 0xff);
    const c = 256 + ((x >>> 16) & 0xff);
    const d = x >>> 24;
    low = high ^ LOW[a]! ^ LOW[b]! ^ LOW[c]! ^ LOW[d]!;
    high = HIGH[a]! ^ HIGH[b]! ^ HIGH[c]! ^ HIGH[d]!;
  }
  for (; i < bytes.length; i++) {
    const index = (low ^ bytes[i]!) & 0xff;
    low = ((low >>> 8) | (high << 24)) ^ LOW[index]!;
    high = (high >>> 8) ^ HIGH[index]!;
  }
  return { low: ~low >>> 0, high: ~high >>> 0 };
}

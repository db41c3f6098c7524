const encoder = new TextEncoder();

/** MurmurHash3 (x86, 32 bits) of a text's UTF-8 bytes, as a signed number. Austin Appleby's algorithm, which is in the public domain. */
export function murmurHash3(text: string, seed = 0): number {
  const bytes = encoder.encode(text);
  const mix = (k: number): number => Math.imul(rotate(Math.imul(k, 0xcc9e2d51), 15), 0x1b873593);
  const whole = bytes.length - (bytes.length % 4);
  let hash = seed;
  for (let i = 0; i < whole; i += 4) {
    const block = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    hash = (Math.imul(rotate(hash ^ mix(block), 13), 5) + 0xe6546b64) | 0;
  }
  let tail = 0;
  for (let i = bytes.length - 1; i >= whole; i--) tail = (tail << 8) | bytes[i]!;
  if (bytes.length > whole) hash ^= mix(tail);
  hash ^= bytes.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) | 0;
}

function rotate(x: number, by: number): number {
  return (x << by) | (x >>> (32 - by));
}

/** The column of a hash among `columns`. The one whose absolute value is no 32-bit number has a rule of its own. */
export function hashColumn(hash: number, columns: number): number {
  return hash === -2147483648 ? (2147483647 - (columns - 1)) % columns : Math.abs(hash) % columns;
}

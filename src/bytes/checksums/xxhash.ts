/** xxHash, 32 bits with LZ4 frames and 64 bits with Zstandard frames (specification: the xxHash project's algorithm description). */

const P1 = 0x9e3779b1;
const P2 = 0x85ebca77;
const P3 = 0xc2b2ae3d;
const P4 = 0x27d4eb2f;
const P5 = 0x165667b1;

/** 32-bit xxHash of `bytes` with seed 0, as an unsigned number. */
export function xxh32(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let i = 0;
  let h: number;
  if (bytes.length >= 16) {
    let a = (P1 + P2) | 0;
    let b = P2 | 0;
    let c = 0;
    let d = -P1 | 0;
    for (; i + 16 <= bytes.length; i += 16) {
      a = round32(a, view.getUint32(i, true));
      b = round32(b, view.getUint32(i + 4, true));
      c = round32(c, view.getUint32(i + 8, true));
      d = round32(d, view.getUint32(i + 12, true));
    }
    h = (rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18)) | 0;
  } else {
    h = P5 | 0;
  }
  h = (h + bytes.length) | 0;
  for (; i + 4 <= bytes.length; i += 4) {
    h = Math.imul(rotate((h + Math.imul(view.getUint32(i, true), P3)) | 0, 17), P4);
  }
  for (; i < bytes.length; i++) h = Math.imul(rotate((h + Math.imul(bytes[i]!, P5)) | 0, 11), P1);
  h = Math.imul(h ^ (h >>> 15), P2);
  h = Math.imul(h ^ (h >>> 13), P3);
  return (h ^ (h >>> 16)) >>> 0;
}

function rotate(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}

function round32(sum: number, lane: number): number {
  return Math.imul(rotate((sum + Math.imul(lane, P2)) | 0, 13), P1);
}

const Q1 = 0x9e3779b185ebca87n;
const Q2 = 0xc2b2ae3d27d4eb4fn;
const Q3 = 0x165667b19e3779f9n;
const Q4 = 0x85ebca77c2b2ae63n;
const Q5 = 0x27d4eb2f165667c5n;
const MASK = 0xffffffffffffffffn;

/**
 * The lower 32 bits of the 64-bit xxHash of `bytes` with seed 0: what a Zstandard frame ends with.
 * The stripes run on 32-bit halves, which is where the time goes; the few steps at the end use BigInt.
 */
export function xxh64Low(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const lanes = bytes.length >= 32 ? stripes(view) : undefined;
  let h = Q5;
  if (lanes) {
    const [a, b, c, d] = lanes as [bigint, bigint, bigint, bigint];
    h = (rotate64(a, 1n) + rotate64(b, 7n) + rotate64(c, 12n) + rotate64(d, 18n)) & MASK;
    for (const lane of lanes) h = ((h ^ round64(0n, lane)) * Q1 + Q4) & MASK;
  }
  h = (h + BigInt(bytes.length)) & MASK;
  let i = bytes.length - (bytes.length % 32);
  for (; i + 8 <= bytes.length; i += 8) {
    h = (rotate64(h ^ round64(0n, view.getBigUint64(i, true)), 27n) * Q1 + Q4) & MASK;
  }
  if (i + 4 <= bytes.length) {
    h = (rotate64(h ^ ((BigInt(view.getUint32(i, true)) * Q1) & MASK), 23n) * Q2 + Q3) & MASK;
    i += 4;
  }
  for (; i < bytes.length; i++) h = (rotate64(h ^ ((BigInt(bytes[i]!) * Q5) & MASK), 11n) * Q1) & MASK;
  h = ((h ^ (h >> 33n)) * Q2) & MASK;
  h = ((h ^ (h >> 29n)) * Q3) & MASK;
  return Number((h ^ (h >> 32n)) & 0xffffffffn);
}

function rotate64(x: bigint, bits: bigint): bigint {
  return ((x << bits) | (x >> (64n - bits))) & MASK;
}

function round64(sum: bigint, lane: bigint): bigint {
  return (rotate64((sum + lane * Q2) & MASK, 31n) * Q1) & MASK;
}

const Q1_LOW = 0x85ebca87;
const Q1_HIGH = 0x9e3779b1;
const Q2_LOW = 0x27d4eb4f;
const Q2_HIGH = 0xc2b2ae3d;

/** The four accumulators after all whole stripes of 32 bytes. */
function stripes(view: DataView): bigint[] {
  const sums = [(Q1 + Q2) & MASK, Q2, 0n, (-Q1 + (MASK + 1n)) & MASK];
  const low = Int32Array.from(sums, (x) => Number(x & 0xffffffffn) | 0);
  const high = Int32Array.from(sums, (x) => Number(x >> 32n) | 0);
  const end = view.byteLength - (view.byteLength % 32);
  for (let lane = 0; lane < 4; lane++) {
    let sumLow = low[lane]!;
    let sumHigh = high[lane]!;
    for (let i = lane * 8; i < end; i += 32) {
      const inLow = view.getInt32(i, true);
      const inHigh = view.getInt32(i + 4, true);
      // sum += lane * Q2
      const productHigh = (highProduct(inLow, Q2_LOW) + Math.imul(inLow, Q2_HIGH) + Math.imul(inHigh, Q2_LOW)) | 0;
      const added = (sumLow >>> 0) + (Math.imul(inLow, Q2_LOW) >>> 0);
      sumHigh = (sumHigh + productHigh + (added > 0xffffffff ? 1 : 0)) | 0;
      sumLow = added | 0;
      // rotate left by 31
      const rotatedLow = (sumLow << 31) | (sumHigh >>> 1);
      const rotatedHigh = (sumHigh << 31) | (sumLow >>> 1);
      // sum *= Q1
      sumHigh = (highProduct(rotatedLow, Q1_LOW) + Math.imul(rotatedLow, Q1_HIGH) + Math.imul(rotatedHigh, Q1_LOW)) | 0;
      sumLow = Math.imul(rotatedLow, Q1_LOW);
    }
    low[lane] = sumLow;
    high[lane] = sumHigh;
  }
  return sums.map((_, lane) => (BigInt(high[lane]! >>> 0) << 32n) | BigInt(low[lane]! >>> 0));
}

/** Upper 32 bits of the unsigned 64-bit product of two 32-bit numbers, by 16-bit halves. */
function highProduct(x: number, y: number): number {
  const xl = x & 0xffff;
  const xh = x >>> 16;
  const yl = y & 0xffff;
  const yh = y >>> 16;
  const middle = xh * yl + ((xl * yl) >>> 16);
  const carry = (middle % 0x10000) + xl * yh;
  return (xh * yh + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000)) | 0;
}

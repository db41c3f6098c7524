/**
 * The two loops that look at every element of a float32 tensor, as a WebAssembly module of a few hundred bytes with 128-bit SIMD: the
 * same loops in JavaScript take three times as long. The module is put together here from its instructions, so that it can be read and
 * needs no other tool. Instruction numbers: WebAssembly Core Specification 2.0, section 5.4.
 */

/** Bytes for elements at the start of the memory. */
export const KERNEL_BYTES = 1 << 20;
/** Bins of the histogram; there are four tables, so that equal neighbours do not wait for each other. */
export const KERNEL_BINS = 1024;

const OUT = KERNEL_BYTES;
const TABLES = KERNEL_BYTES + 256;
const PAGES = Math.ceil((TABLES + KERNEL_BINS * 16) / 65536);

/** What one pass over a block gives. `sum` and `squares` are of `value - shift`; NaN or infinite if a value is. */
export interface BlockSums {
  sum: number;
  squares: number;
  min: number;
  max: number;
  zeros: number;
}

/** The kernel with its memory: elements are put at its start, then summed and counted. */
export interface Float32Kernel {
  /** Where elements are put: `KERNEL_BYTES` bytes. */
  readonly bytes: Uint8Array;
  /** Sums of elements `[start, end)`; both multiples of 4. */
  sums(start: number, end: number, shift: number): BlockSums;
  /** Adds the bins `floor(value * scale) - first` of elements `[start, end)` to the tables. All values must fall into a bin. */
  count(start: number, end: number, scale: number, first: number): void;
  /** Adds the tables to `counts` and clears them. */
  flush(counts: Float64Array): void;
}

let kernel: Float32Kernel | null | undefined;

/** The kernel, made at first use; `undefined` where WebAssembly or SIMD is not there. */
export function float32Kernel(): Float32Kernel | undefined {
  if (kernel === undefined) {
    try {
      kernel = instantiate();
    } catch {
      kernel = null;
    }
  }
  return kernel ?? undefined;
}

interface WasmExports {
  memory: { buffer: ArrayBuffer };
  sums(from: number, to: number, shift: number): void;
  count(from: number, to: number, scale: number, first: number): void;
}

/** The part of the WebAssembly API that is used; it is the same in Node and in browsers. */
interface WasmApi {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { exports: unknown };
}

function instantiate(): Float32Kernel {
  const api = (globalThis as unknown as { WebAssembly: WasmApi }).WebAssembly;
  const wasm = new api.Instance(new api.Module(moduleBytes())).exports as WasmExports;
  const { buffer } = wasm.memory;
  const doubles = new Float64Array(buffer, OUT, 4);
  const floats = new Float32Array(buffer, OUT + 32, 8);
  const zeros = new Int32Array(buffer, OUT + 64, 4);
  const tables = new Int32Array(buffer, TABLES, KERNEL_BINS * 4);
  return {
    bytes: new Uint8Array(buffer, 0, KERNEL_BYTES),
    sums(start, end, shift) {
      wasm.sums(start * 4, end * 4, shift);
      return {
        sum: doubles[0] + doubles[1],
        squares: doubles[2] + doubles[3],
        min: Math.min(floats[0], floats[1], floats[2], floats[3]),
        max: Math.max(floats[4], floats[5], floats[6], floats[7]),
        zeros: zeros[0] + zeros[1] + zeros[2] + zeros[3],
      };
    },
    count: (start, end, scale, first) => wasm.count(start * 4, end * 4, scale, first),
    flush(counts) {
      for (let b = 0; b < KERNEL_BINS; b++) {
        counts[b] += tables[b] + tables[KERNEL_BINS + b] + tables[2 * KERNEL_BINS + b] + tables[3 * KERNEL_BINS + b];
      }
      tables.fill(0);
    },
  };
}

// ---------------------------------------------------------------- the module

const I32 = 0x7f;
const F32 = 0x7d;
const F64 = 0x7c;
const V128 = 0x7b;

/** Unsigned LEB128. */
function u(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  do {
    const byte = rest & 127;
    rest >>>= 7;
    out.push(rest ? byte | 128 : byte);
  } while (rest);
  return out;
}

/** Signed LEB128. */
function s(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  for (;;) {
    const byte = rest & 127;
    rest >>= 7;
    if ((rest === 0 && !(byte & 64)) || (rest === -1 && byte & 64)) return [...out, byte];
    out.push(byte | 128);
  }
}

const get = (local: number) => [0x20, ...u(local)];
const set = (local: number) => [0x21, ...u(local)];
const i32 = (value: number) => [0x41, ...s(value)];
const i32Add = [0x6a];
const simd = (code: number, ...immediate: number[]) => [0xfd, ...u(code), ...immediate];
const load = (offset = 0) => simd(0x00, 4, ...u(offset));
const store = (offset: number) => simd(0x0b, 4, ...u(offset));
const zero128 = simd(0x0c, ...new Array<number>(16).fill(0));
const f32x4 = {
  splat: simd(0x13),
  eq: simd(0x41),
  mul: simd(0xe6),
  min: simd(0xe8),
  max: simd(0xe9),
  floor: simd(0x68),
};
const f64x2 = { splat: simd(0x14), add: simd(0xf0), sub: simd(0xf1), mul: simd(0xf2), promoteLow: simd(0x5f) };
const i32x4 = {
  splat: simd(0x11),
  sub: simd(0xb1),
  shl: simd(0xab),
  truncF32: simd(0xf8),
  lane: (n: number) => simd(0x1b, n),
};
/** The upper two of four floats, put in the lower places. */
const upperHalf = simd(0x0d, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15);

/** A loop over 16 bytes at a time from local 0 to local 1. */
function loop(body: number[]): number[] {
  const next = [...get(0), ...i32(16), ...i32Add, ...set(0), ...get(0), ...get(1), 0x49 /* i32.lt_u */];
  return [0x03, 0x40, ...body, ...next, 0x0d, 0, 0x0b];
}

/** (from, to, shift): sums of differences and squares, extremes and zeros of the floats in between. */
function sumsBody(): number[] {
  const [v, min, max, zeros, s0, s1, q0, q1, shift, d] = [3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
  const half = (lower: boolean, sum: number, square: number) => [
    ...(lower ? get(v) : [...get(v), ...get(v), ...upperHalf]),
    ...f64x2.promoteLow,
    ...get(shift),
    ...f64x2.sub,
    ...set(d),
    ...get(sum),
    ...get(d),
    ...f64x2.add,
    ...set(sum),
    ...get(square),
    ...get(d),
    ...get(d),
    ...f64x2.mul,
    ...f64x2.add,
    ...set(square),
  ];
  return [
    ...get(2),
    ...f64x2.splat,
    ...set(shift),
    ...get(0),
    ...load(),
    ...set(min),
    ...get(min),
    ...set(max),
    ...loop([
      ...get(0),
      ...load(),
      ...set(v),
      ...get(min),
      ...get(v),
      ...f32x4.min,
      ...set(min),
      ...get(max),
      ...get(v),
      ...f32x4.max,
      ...set(max),
      ...get(zeros),
      ...get(v),
      ...zero128,
      ...f32x4.eq,
      ...i32x4.sub,
      ...set(zeros),
      ...half(true, s0, q0),
      ...half(false, s1, q1),
    ]),
    ...i32(OUT),
    ...get(s0),
    ...get(s1),
    ...f64x2.add,
    ...store(0),
    ...i32(OUT),
    ...get(q0),
    ...get(q1),
    ...f64x2.add,
    ...store(16),
    ...i32(OUT),
    ...get(min),
    ...store(32),
    ...i32(OUT),
    ...get(max),
    ...store(48),
    ...i32(OUT),
    ...get(zeros),
    ...store(64),
  ];
}

/** (from, to, scale, first): one more in the bin of each float, each lane in its own table. */
function countBody(): number[] {
  const [bins, scale, first, address] = [5, 6, 7, 4];
  const bump = (lane: number) => {
    const offset = TABLES + lane * KERNEL_BINS * 4;
    return [
      ...get(bins),
      ...i32x4.lane(lane),
      ...set(address),
      ...get(address),
      ...get(address),
      0x28,
      2,
      ...u(offset),
      ...i32(1),
      ...i32Add,
      0x36,
      2,
      ...u(offset),
    ];
  };
  return [
    ...get(2),
    ...f32x4.splat,
    ...set(scale),
    ...get(3),
    ...i32x4.splat,
    ...set(first),
    ...loop([
      ...get(0),
      ...load(),
      ...get(scale),
      ...f32x4.mul,
      ...f32x4.floor,
      ...i32x4.truncF32,
      ...get(first),
      ...i32x4.sub,
      ...i32(2),
      ...i32x4.shl,
      ...set(bins),
      ...bump(0),
      ...bump(1),
      ...bump(2),
      ...bump(3),
    ]),
  ];
}

function moduleBytes(): Uint8Array {
  const section = (id: number, items: number[][]) => {
    const body = [...u(items.length), ...items.flat()];
    return [id, ...u(body.length), ...body];
  };
  const name = (text: string) => [text.length, ...Buffer.from(text, 'latin1')];
  const code = (locals: number[], body: number[]) => {
    const all = [...locals, ...body, 0x0b];
    return [...u(all.length), ...all];
  };
  return Uint8Array.from([
    0x00,
    0x61,
    0x73,
    0x6d,
    1,
    0,
    0,
    0,
    ...section(1, [
      [0x60, 3, I32, I32, F64, 0],
      [0x60, 4, I32, I32, F32, I32, 0],
    ]),
    ...section(3, [[0], [1]]),
    ...section(5, [[0x01, ...u(PAGES), ...u(PAGES)]]),
    ...section(7, [
      [...name('memory'), 2, 0],
      [...name('sums'), 0, 0],
      [...name('count'), 0, 1],
    ]),
    ...section(10, [code([1, 10, V128], sumsBody()), code([2, 1, I32, 3, V128], countBody())]),
  ]);
}

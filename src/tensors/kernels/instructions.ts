import { signed, unsigned } from '../../bytes/wasm-encoding';

/**
 * WebAssembly instructions as bytes, so that a kernel can be read where it is put together and needs no other tool.
 * Numbers: WebAssembly Core Specification 2.0, section 5.4.
 */

export const get = (local: number) => [0x20, ...unsigned(local)];
export const set = (local: number) => [0x21, ...unsigned(local)];
/** An instruction of the vector set. */
export const simd = (code: number, ...immediate: number[]) => [0xfd, ...unsigned(code), ...immediate];

export const i32 = {
  value: (value: number) => [0x41, ...signed(value)],
  add: [0x6a],
  shl: [0x74],
  load: (offset: number) => [0x28, 2, ...unsigned(offset)],
  load16: (offset: number) => [0x2f, 1, ...unsigned(offset)],
  store: (offset: number) => [0x36, 2, ...unsigned(offset)],
};
export const v128 = {
  load: simd(0x00, 4, 0),
  store: (offset: number) => simd(0x0b, 4, ...unsigned(offset)),
  zero: simd(0x0c, ...new Array<number>(16).fill(0)),
  /** The upper half of the first operand, put in the lower half. */
  upperHalf: simd(0x0d, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15),
};
export const f32x4 = { eq: simd(0x41), pmin: simd(0xea), pmax: simd(0xeb), mul: simd(0xe6), floor: simd(0x68) };
export const f64x2 = {
  splat: simd(0x14),
  eq: simd(0x47),
  add: simd(0xf0),
  sub: simd(0xf1),
  mul: simd(0xf2),
  pmin: simd(0xf6),
  pmax: simd(0xf7),
  floor: simd(0x75),
  promoteLow: simd(0x5f),
  convertLowSigned: simd(0xfe),
  convertLowUnsigned: simd(0xff),
};
/** A float64, rounded to float32, in all four lanes. */
export const f32x4SplatOfF64 = [0xb6, ...simd(0x13)];
export const i32x4 = {
  splat: simd(0x11),
  lane: (n: number) => simd(0x1b, n),
  eq: simd(0x37),
  sub: simd(0xb1),
  shl: simd(0xab),
  shrSigned: simd(0xac),
  shrUnsigned: simd(0xad),
  minSigned: simd(0xb6),
  minUnsigned: simd(0xb7),
  maxSigned: simd(0xb8),
  maxUnsigned: simd(0xb9),
  truncF32: simd(0xf8),
  truncF64: simd(0xfc),
};
export const i64x2 = { sub: simd(0xd1) };

/** A loop over 16 bytes at a time from local 0 to local 1. */
export function loop(body: number[]): number[] {
  const next = [...get(0), ...i32.value(16), ...i32.add, ...set(0), ...get(0), ...get(1), 0x49 /* i32.lt_u */];
  return [0x03, 0x40, ...body, ...next, 0x0d, 0, 0x0b];
}

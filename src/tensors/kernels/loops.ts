import { type EncodedFunction, F64, I32, V128 } from '../../bytes/wasm-encoding';
import { f32x4, f32x4SplatOfF64, f64x2, get, i32, i32x4, i64x2, loop, set, v128 } from './instructions';

/** Element types that a kernel reads as they are stored. */
export type KernelType = 'float32' | 'float64' | 'int32' | 'uint32';

/** Where a kernel's parts lie in its memory, in bytes. The elements are at its start. */
export interface KernelLayout {
  /** Results of a sum: sums and squares (two float64 each), minima, maxima, zeros (four lanes each). */
  out: number;
  /** Four tables of `bins` counts of 32 bits. */
  bins: number;
  tables: number;
  /** Two tables of 65,536 counts of 32 bits. */
  patterns: number;
}

/** What differs between the types: how four bytes or eight become two float64, and which instructions compare them. */
interface Lanes {
  min: number[];
  max: number[];
  /** Subtracts the mask of the lanes that are zero from the count of zeros. */
  countZeros: { equal: number[]; subtract: number[] };
  /** Instructions that turn a vector on the stack into float64, the lower half and the upper half; one for 8-byte types. */
  toFloat64: number[][];
}

const four = { equal: i32x4.eq, subtract: i32x4.sub };
const LANES: Record<KernelType, Lanes> = {
  // `pmin` keeps what it has beside a NaN: a block with one is found by its sum of squares.
  float32: {
    min: f32x4.pmin,
    max: f32x4.pmax,
    countZeros: { equal: f32x4.eq, subtract: i32x4.sub },
    toFloat64: [f64x2.promoteLow, f64x2.promoteLow],
  },
  float64: {
    min: f64x2.pmin,
    max: f64x2.pmax,
    countZeros: { equal: f64x2.eq, subtract: i64x2.sub },
    toFloat64: [[]],
  },
  int32: {
    min: i32x4.minSigned,
    max: i32x4.maxSigned,
    countZeros: four,
    toFloat64: [f64x2.convertLowSigned, f64x2.convertLowSigned],
  },
  uint32: {
    min: i32x4.minUnsigned,
    max: i32x4.maxUnsigned,
    countZeros: four,
    toFloat64: [f64x2.convertLowUnsigned, f64x2.convertLowUnsigned],
  },
};
const TYPES = Object.keys(LANES) as KernelType[];

/** All functions of the kernel: `sums_TYPE`, `count_TYPE` and `patterns`. */
export function kernelFunctions(layout: KernelLayout): EncodedFunction[] {
  return [...TYPES.flatMap((type) => [sums(type, layout), count(type, layout)]), patterns(layout)];
}

/** (from, to, shift): sums of differences from the shift and of their squares, extremes and zeros of the elements in between. */
function sums(type: KernelType, { out }: KernelLayout): EncodedFunction {
  const { min, max, countZeros, toFloat64 } = LANES[type];
  const [v, least, most, zeros, s0, s1, q0, q1, shift, d] = [3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
  const half = (convert: number[], i: number) => {
    const [sum, square] = i === 0 ? [s0, q0] : [s1, q1];
    return [
      ...(i === 0 ? get(v) : [...get(v), ...get(v), ...v128.upperHalf]),
      ...convert,
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
  };
  const keep = (offset: number, value: number[]) => [...i32.value(out), ...value, ...v128.store(offset)];
  const body = [
    ...get(2),
    ...f64x2.splat,
    ...set(shift),
    ...get(0),
    ...v128.load,
    ...set(least),
    ...get(least),
    ...set(most),
    ...loop([
      ...get(0),
      ...v128.load,
      ...set(v),
      ...get(least),
      ...get(v),
      ...min,
      ...set(least),
      ...get(most),
      ...get(v),
      ...max,
      ...set(most),
      ...get(zeros),
      ...get(v),
      ...v128.zero,
      ...countZeros.equal,
      ...countZeros.subtract,
      ...set(zeros),
      ...toFloat64.flatMap(half),
    ]),
    ...keep(0, [...get(s0), ...get(s1), ...f64x2.add]),
    ...keep(16, [...get(q0), ...get(q1), ...f64x2.add]),
    ...keep(32, get(least)),
    ...keep(48, get(most)),
    ...keep(64, get(zeros)),
  ];
  return { name: `sums_${type}`, parameters: [I32, I32, F64], locals: [[10, V128]], instructions: body };
}

/**
 * One more in the bin of each element, each lane in its own table. Floats: (from, to, scale, first), bin `floor(value * scale) - first`.
 * Integers: (from, to, left, right, first), bin `((value << left) >> right) - first`, of which one shift is 0.
 */
function count(type: KernelType, { bins, tables }: KernelLayout): EncodedFunction {
  const float = type.startsWith('float');
  const wide = type === 'float64';
  const parameters = float ? [I32, I32, F64, I32] : [I32, I32, I32, I32, I32];
  const address = parameters.length;
  const [places, scale, first] = [address + 1, address + 2, address + 3];
  const bump = (lane: number) => {
    const offset = tables + lane * bins * 4;
    return [
      ...get(places),
      ...i32x4.lane(lane),
      ...set(address),
      ...get(address),
      ...get(address),
      ...i32.load(offset),
      ...i32.value(1),
      ...i32.add,
      ...i32.store(offset),
    ];
  };
  const numbers: Record<KernelType, number[]> = {
    float32: [...get(scale), ...f32x4.mul, ...f32x4.floor, ...i32x4.truncF32],
    float64: [...get(scale), ...f64x2.mul, ...f64x2.floor, ...i32x4.truncF64],
    int32: [...get(2), ...i32x4.shl, ...get(3), ...i32x4.shrSigned],
    uint32: [...get(2), ...i32x4.shl, ...get(3), ...i32x4.shrUnsigned],
  };
  const body = [
    ...(float ? [...get(2), ...(wide ? f64x2.splat : f32x4SplatOfF64), ...set(scale)] : []),
    ...get(address - 1),
    ...i32x4.splat,
    ...set(first),
    ...loop([
      ...get(0),
      ...v128.load,
      ...numbers[type],
      ...get(first),
      ...i32x4.sub,
      ...i32.value(2),
      ...i32x4.shl,
      ...set(places),
      ...bump(0),
      ...bump(1),
      ...(wide ? [] : [...bump(2), ...bump(3)]),
    ]),
  ];
  return {
    name: `count_${type}`,
    parameters,
    locals: [
      [1, I32],
      [3, V128],
    ],
    instructions: body,
  };
}

/** (from, to): one more at each pattern of 16 bits, in two tables by turns, so that equal neighbours do not wait for each other. */
function patterns({ patterns: table }: KernelLayout): EncodedFunction {
  const address = 2;
  const bump = (i: number) => {
    const offset = table + (i % 2) * 65536 * 4;
    return [
      ...get(0),
      ...i32.load16(i * 2),
      ...i32.value(2),
      ...i32.shl,
      ...set(address),
      ...get(address),
      ...get(address),
      ...i32.load(offset),
      ...i32.value(1),
      ...i32.add,
      ...i32.store(offset),
    ];
  };
  const body = loop([0, 1, 2, 3, 4, 5, 6, 7].flatMap(bump));
  return { name: 'patterns', parameters: [I32, I32], locals: [[1, I32]], instructions: body };
}

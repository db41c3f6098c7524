import { plain } from '../../formats/numpy/pickled';
import { asText } from '../../pickle/values';
import type { Estimator } from './estimator';

/** What divisions by zero are kept away with: the smallest step of float32 from 1. */
const EPSILON = 2 ** -23;

/** Weights W ≥ 0 with X ≈ W H for given components H, by multiplicative updates over all rows together. */
export interface MultiplicativeProblem {
  readonly x: Float64Array;
  readonly rows: number;
  /** count × features */
  readonly h: Float64Array;
  readonly count: number;
  readonly features: number;
  /** 2: Frobenius, 1: Kullback and Leibler, 0: Itakura and Saito. */
  readonly beta: number;
  readonly l1: number;
  readonly l2: number;
}

/** `beta_loss` as a number. */
export function betaOf(estimator: Estimator): number {
  const value = plain(estimator.value('beta_loss') ?? 'frobenius');
  if (typeof value === 'number') return value;
  const names: Record<string, number> = { frobenius: 2, 'kullback-leibler': 1, 'itakura-saito': 0 };
  const beta = names[asText(value) ?? ''];
  if (beta === undefined) throw estimator.unsupported('its beta_loss is not known');
  return beta;
}

/** Every weight is √(mean of X / count) at first. */
export function equalWeights({ x, rows, count }: MultiplicativeProblem): Float64Array {
  const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
  return new Float64Array(rows * count).fill(Math.sqrt(mean / count));
}

/** NMF: until the divergence, looked at every ten rounds, falls by less than `tolerance` of the first. Source: sklearn `decomposition/_nmf.py`. */
export function solveMultiplicative(problem: MultiplicativeProblem, most: number, tolerance: number): Float64Array {
  const w = equalWeights(problem);
  const first = divergence(problem, w);
  let previous = first;
  for (let i = 1; i <= most; i++) {
    updateWeights(problem, w);
    if (problem.beta < 1) for (let k = 0; k < w.length; k++) if (w[k]! < 2 ** -52) w[k] = 0;
    if (tolerance <= 0 || i % 10 !== 0) continue;
    const error = divergence(problem, w);
    if ((previous - error) / first < tolerance) break;
    previous = error;
  }
  return w;
}

/** MiniBatchNMF: until the weights change by less than `tolerance` of their length. */
export function settleMultiplicative(problem: MultiplicativeProblem, most: number, tolerance: number): Float64Array {
  const w = equalWeights(problem);
  const norm = (at: (i: number) => number) => {
    let sum = 0;
    for (let i = 0; i < w.length; i++) sum += at(i) ** 2;
    return Math.sqrt(sum);
  };
  for (let i = 0; i < most; i++) {
    const before = Float64Array.from(w);
    updateWeights(problem, w);
    if (tolerance > 0 && norm((k) => w[k]! - before[k]!) / norm((k) => w[k]!) <= tolerance) break;
  }
  return w;
}

/** W H of one row. */
function product({ h, count, features }: MultiplicativeProblem, w: Float64Array, row: number): Float64Array {
  const out = new Float64Array(features);
  for (let k = 0; k < count; k++) {
    const weight = w[row * count + k]!;
    for (let f = 0; f < features; f++) out[f]! += weight * h[k * features + f]!;
  }
  return out;
}

/** W ← W · ((X (WH)^(β-2)) Hᵀ / ((WH)^(β-1) Hᵀ + l₁ + l₂ W))^γ */
function updateWeights(problem: MultiplicativeProblem, w: Float64Array): void {
  const { x, rows, h, count, features, beta, l1, l2 } = problem;
  const gamma = beta < 1 ? 1 / (2 - beta) : beta > 2 ? 1 / (beta - 1) : 1;
  for (let row = 0; row < rows; row++) {
    const wh = product(problem, w, row);
    const up = new Float64Array(features);
    const down = new Float64Array(features);
    for (let f = 0; f < features; f++) {
      const cell = x[row * features + f]!;
      const safe = beta < 2 && wh[f]! < EPSILON ? EPSILON : wh[f]!;
      up[f] =
        beta === 2 ? cell : beta === 1 ? cell / safe : beta === 0 ? (1 / safe) ** 2 * cell : safe ** (beta - 2) * cell;
      down[f] = beta === 2 ? wh[f]! : beta === 1 ? 1 : (beta < 1 && wh[f]! < EPSILON ? EPSILON : wh[f]!) ** (beta - 1);
    }
    const own = w.slice(row * count, (row + 1) * count);
    for (let k = 0; k < count; k++) {
      let [numerator, denominator] = [0, 0];
      for (let f = 0; f < features; f++) {
        numerator += up[f]! * h[k * features + f]!;
        denominator += down[f]! * h[k * features + f]!;
      }
      if (l1 > 0) denominator += l1;
      if (l2 > 0) denominator += l2 * own[k]!;
      const change = numerator / (denominator === 0 ? EPSILON : denominator);
      w[row * count + k] = own[k]! * (gamma === 1 ? change : change ** gamma);
    }
  }
}

/** √(2 · β-divergence of X and W H) */
function divergence(problem: MultiplicativeProblem, w: Float64Array): number {
  const { x, rows, features, beta } = problem;
  let sum = 0;
  for (let row = 0; row < rows; row++) {
    const wh = product(problem, w, row);
    for (let f = 0; f < features; f++) {
      const [cell, made] = [x[row * features + f]!, wh[f]!];
      if (beta === 2) {
        sum += (cell - made) ** 2 / 2;
        continue;
      }
      const counts = cell > EPSILON;
      const safe = Math.max(made, EPSILON);
      if (beta === 1) sum += made + (counts ? cell * Math.log(cell / safe) - cell : 0);
      else if (beta === 0) sum += (counts ? cell / safe - Math.log(cell / safe) : 0) - 1;
      else {
        const whole = (counts ? cell ** beta - beta * cell * safe ** (beta - 1) : 0) + made ** beta * (beta - 1);
        sum += whole / (beta * (beta - 1));
      }
    }
  }
  return Math.sqrt(2 * Math.max(sum, 0));
}

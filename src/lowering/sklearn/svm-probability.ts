import { float64, type Tensor } from '../../onnx/tensor';

/** Pairwise probabilities are kept away from 0 and 1, as in libsvm. */
const MIN_PROBABILITY = 1e-7;

/**
 * Class probabilities from pairwise decisions (rows × pairs i < j): Platt's sigmoid on each, coupled by the second method of Wu, Lin and
 * Weng (2004), whose fixed-point iteration is libsvm's `multiclass_probability`, operation by operation.
 * @returns rows × count
 */
export function coupledProbabilities(
  decisions: ArrayLike<number>,
  count: number,
  probA: Float64Array,
  probB: Float64Array,
): Tensor {
  const pairs = (count * (count - 1)) / 2;
  const rows = pairs === 0 ? 0 : decisions.length / pairs;
  const out = new Float64Array(rows * count);
  const pairwise = new Float64Array(count * count);
  for (let row = 0; row < rows; row++) {
    let pair = 0;
    for (let i = 0; i < count; i++) {
      for (let j = i + 1; j < count; j++, pair++) {
        const p = sigmoid(decisions[row * pairs + pair]!, probA[pair]!, probB[pair]!);
        const kept = Math.min(Math.max(p, MIN_PROBABILITY), 1 - MIN_PROBABILITY);
        pairwise[i * count + j] = kept;
        pairwise[j * count + i] = 1 - kept;
      }
    }
    out.set(couple(count, pairwise), row * count);
  }
  return float64(out, [rows, count]);
}

/** 1 / (1 + exp(A d + B)), without overflow: libsvm's `sigmoid_predict`. */
function sigmoid(decision: number, a: number, b: number): number {
  const z = decision * a + b;
  return z >= 0 ? Math.exp(-z) / (1 + Math.exp(-z)) : 1 / (1 + Math.exp(z));
}

function couple(k: number, r: Float64Array): Float64Array {
  const q = new Float64Array(k * k);
  const qp = new Float64Array(k);
  const p = new Float64Array(k).fill(1 / k);
  for (let t = 0; t < k; t++) {
    for (let j = 0; j < k; j++) {
      if (j === t) continue;
      q[t * k + t]! += r[j * k + t]! * r[j * k + t]!;
      if (j < t) q[t * k + j] = q[j * k + t]!;
      else q[t * k + j] = -r[j * k + t]! * r[t * k + j]!;
    }
  }
  const limit = 0.005 / k;
  const iterations = Math.max(100, k);
  for (let iteration = 0; iteration < iterations; iteration++) {
    let pQp = 0;
    for (let t = 0; t < k; t++) {
      qp[t] = 0;
      for (let j = 0; j < k; j++) qp[t]! += q[t * k + j]! * p[j]!;
      pQp += p[t]! * qp[t]!;
    }
    let worst = 0;
    for (let t = 0; t < k; t++) worst = Math.max(worst, Math.abs(qp[t]! - pQp));
    if (worst < limit) break;
    for (let t = 0; t < k; t++) {
      const difference = (-qp[t]! + pQp) / q[t * k + t]!;
      p[t]! += difference;
      pQp = (pQp + difference * (difference * q[t * k + t]! + 2 * qp[t]!)) / (1 + difference) / (1 + difference);
      for (let j = 0; j < k; j++) {
        qp[j] = (qp[j]! + difference * q[t * k + j]!) / (1 + difference);
        p[j]! /= 1 + difference;
      }
    }
  }
  return p;
}

import { toNumber } from '../../formats/numpy/pickled';
import { toNumbers } from '../../onnx/tensor';
import type { Value } from '../../pickle/values';
import { asTensor, type Estimator, textKeys } from './estimator';

/** Distance between two rows of `count` numbers, at offsets of two arrays. */
export type Metric = (a: Float64Array, at: number, b: Float64Array, bt: number, count: number) => number;

export const euclidean: Metric = (a, at, b, bt, count) => {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const d = a[at + i]! - b[bt + i]!;
    sum += d * d;
  }
  return Math.sqrt(sum);
};
const manhattan: Metric = (a, at, b, bt, count) => {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += Math.abs(a[at + i]! - b[bt + i]!);
  return sum;
};
const chebyshev: Metric = (a, at, b, bt, count) => {
  let largest = 0;
  for (let i = 0; i < count; i++) largest = Math.max(largest, Math.abs(a[at + i]! - b[bt + i]!));
  return largest;
};

const PLAIN: Record<string, Metric> = {
  euclidean,
  l2: euclidean,
  manhattan,
  l1: manhattan,
  cityblock: manhattan,
  chebyshev,
  infinity: chebyshev,
  sqeuclidean: (a, at, b, bt, count) => euclidean(a, at, b, bt, count) ** 2,
  cosine(a, at, b, bt, count) {
    let [dot, left, right] = [0, 0, 0];
    for (let i = 0; i < count; i++) {
      left += a[at + i]! ** 2;
      right += b[bt + i]! ** 2;
    }
    const [norm, other] = [Math.sqrt(left) || 1, Math.sqrt(right) || 1];
    for (let i = 0; i < count; i++) dot += (a[at + i]! / norm) * (b[bt + i]! / other);
    return Math.min(2, Math.max(0, 1 - dot));
  },
  canberra(a, at, b, bt, count) {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const size = Math.abs(a[at + i]!) + Math.abs(b[bt + i]!);
      if (size > 0) sum += Math.abs(a[at + i]! - b[bt + i]!) / size;
    }
    return sum;
  },
  braycurtis(a, at, b, bt, count) {
    let [difference, size] = [0, 0];
    for (let i = 0; i < count; i++) {
      difference += Math.abs(a[at + i]! - b[bt + i]!);
      size += Math.abs(a[at + i]!) + Math.abs(b[bt + i]!);
    }
    return size > 0 ? difference / size : 0;
  },
  hamming(a, at, b, bt, count) {
    let differing = 0;
    for (let i = 0; i < count; i++) if (a[at + i] !== b[bt + i]) differing++;
    return differing / count;
  },
  correlation(a, at, b, bt, count) {
    let [meanA, meanB, dot, left, right] = [0, 0, 0, 0, 0];
    for (let i = 0; i < count; i++) {
      meanA += a[at + i]! / count;
      meanB += b[bt + i]! / count;
    }
    for (let i = 0; i < count; i++) {
      const [p, q] = [a[at + i]! - meanA, b[bt + i]! - meanB];
      dot += p * q;
      left += p * p;
      right += q * q;
    }
    return 1 - dot / Math.sqrt(left * right);
  },
  haversine(a, at, b, bt) {
    const [s0, s1] = [Math.sin(0.5 * (a[at]! - b[bt]!)), Math.sin(0.5 * (a[at + 1]! - b[bt + 1]!))];
    return 2 * Math.asin(Math.sqrt(s0 * s0 + Math.cos(a[at]!) * Math.cos(b[bt]!) * s1 * s1));
  },
};

/**
 * The metric a neighbours estimator was fitted with: `effective_metric_` and its parameters. Source: sklearn `metrics/_dist_metrics.pyx.tp`.
 * @throws ModelError `unsupported` for functions and for metrics that are not known here
 */
export function metricOf(estimator: Estimator): Metric {
  const name = estimator.optionalText('effective_metric_') ?? estimator.optionalText('metric');
  if (name === undefined) throw estimator.unsupported('its metric is a function');
  if (name === 'precomputed')
    throw estimator.unsupported('it was fitted on distances that were computed before; it takes no rows');
  const parameters = textKeys(estimator.value('effective_metric_params_', 'metric_params'));
  const plain = PLAIN[name];
  if (plain) return plain;
  const vector = (key: string): Float64Array | undefined => numbers(parameters.get(key));
  if (name === 'minkowski' || name === 'p' || name === 'wminkowski') {
    const p = toNumber(parameters.get('p')) ?? estimator.optionalNumber('p') ?? 2;
    const w = vector('w');
    if (!w && p === 2) return euclidean;
    if (!w && p === 1) return manhattan;
    if (!w && p === Number.POSITIVE_INFINITY) return chebyshev;
    // "wminkowski" weighted the differences, "minkowski" weights their powers.
    const inside = name === 'wminkowski';
    return (a, at, b, bt, count) => {
      let sum = 0;
      for (let i = 0; i < count; i++) {
        const d = Math.abs(a[at + i]! - b[bt + i]!);
        sum += w ? (inside ? (w[i]! * d) ** p : w[i]! * d ** p) : d ** p;
      }
      return sum ** (1 / p);
    };
  }
  if (name === 'seuclidean') {
    const v = vector('V');
    if (v) {
      return (a, at, b, bt, count) => {
        let sum = 0;
        for (let i = 0; i < count; i++) sum += (a[at + i]! - b[bt + i]!) ** 2 / v[i]!;
        return Math.sqrt(sum);
      };
    }
  }
  throw estimator.unsupported(`its metric "${name}" is not known here`);
}

function numbers(value: Value | undefined): Float64Array | undefined {
  const tensor = value === undefined || value === null ? undefined : asTensor(value);
  return tensor && Float64Array.from(toNumbers(tensor));
}

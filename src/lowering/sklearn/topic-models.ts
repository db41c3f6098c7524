import { ModelError } from '../../bytes/errors';
import { float64, type Tensor, toNumbers } from '../../onnx/tensor';
import type { Context, Entry, Lowered } from './context';
import type { Estimator } from './estimator';
import { betaOf, settleMultiplicative, solveMultiplicative } from './multiplicative';

/**
 * Decompositions whose transform goes on until it changes little. Source: sklearn `decomposition/_lda.py`, `_online_lda_fast.pyx`, `_nmf.py`,
 * `_cdnmf_fast.pyx`. The order of operations is the framework's, since the last step decides when to stop.
 */
export const TOPIC_MODELS: Readonly<Record<string, Entry>> = {
  'sklearn.LatentDirichletAllocation': { lower: latentDirichlet },
  'sklearn.NMF': { lower: nmf, rowwise: false },
  'sklearn.MiniBatchNMF': { lower: multiplicative, rowwise: false },
};

/** Bernardo's algorithm AS 103 as the framework has it: its error of 1e-9 is part of the result. */
function digamma(x: number): number {
  const euler = 0.5772156649015329;
  if (x <= 1e-6) return -euler - 1 / x;
  let result = 0;
  while (x < 6) {
    result -= 1 / x;
    x += 1;
  }
  let r = 1 / x;
  result += Math.log(x) - 0.5 * r;
  r *= r;
  return result - r * (1 / 12 - r * (1 / 120 - r * (1 / 252)));
}

/** The share of each topic in a document: γ_k = α + Σ_w n_w φ_wk with φ ∝ exp(E log θ_k) exp(E log β_kw), until γ changes little. */
function latentDirichlet(estimator: Estimator, context: Context): Lowered {
  const table = estimator.tensor('exp_dirichlet_component_');
  const words = toNumbers(table);
  const [topics = 0, features = 0] = table.shape;
  const prior = estimator.number('doc_topic_prior_');
  const most = estimator.optionalNumber('max_doc_update_iter') ?? 100;
  const tolerance = estimator.optionalNumber('mean_change_tol') ?? 1e-3;
  const normalised = estimator.since('0.18');
  const document = (counts: Float64Array): Float64Array => {
    const ids = Array.from(counts.keys()).filter((i) => counts[i] !== 0);
    let topic = new Float64Array(topics).fill(1);
    const start = digamma(1) - digamma(topics);
    const weight = new Float64Array(topics).fill(Math.exp(start));
    for (let i = 0; i < most; i++) {
      const next = new Float64Array(topics);
      for (const id of ids) {
        let norm = 0;
        for (let k = 0; k < topics; k++) norm += weight[k]! * words[k * features + id]!;
        const share = counts[id]! / (norm + 2 ** -52);
        for (let k = 0; k < topics; k++) next[k]! += share * words[k * features + id]!;
      }
      let total = 0;
      for (let k = 0; k < topics; k++) {
        next[k] = weight[k]! * next[k]! + prior;
        total += next[k]!;
      }
      const all = digamma(total);
      let change = 0;
      for (let k = 0; k < topics; k++) {
        weight[k] = Math.exp(digamma(next[k]!) - all);
        change += Math.abs(next[k]! - topic[k]!);
      }
      topic = next;
      if (change / topics < tolerance) break;
    }
    return topic;
  };
  return {
    methods: {
      transform: (x) =>
        context.plan.step('topics', [context.numeric(x)], [{ name: 'topics', dtype: 'float64' }], ([value]) => {
          const cells = nonNegative(value as Tensor);
          const rows = value!.shape[0]!;
          const out = new Float64Array(rows * topics);
          for (let row = 0; row < rows; row++) {
            const topic = document(cells.subarray(row * features, (row + 1) * features));
            const sum = normalised ? topic.reduce((total, share) => total + share, 0) : 1;
            out.set(
              topic.map((share) => share / sum),
              row * topics,
            );
          }
          return [float64(out, [rows, topics])];
        })[0],
    },
  };
}

function nonNegative(value: Tensor): Float64Array {
  const cells = toNumbers(value);
  const at = cells.findIndex((cell) => cell < 0);
  if (at >= 0) throw new ModelError('usage', `Value ${at + 1} is ${cells[at]}; this model takes no negative numbers.`);
  return cells;
}

/** min ½ |x - w H|² + l₁ |w|₁ + ½ l₂ |w|² with w ≥ 0, by coordinate descent over all rows together from w = 0. */
function nmf(estimator: Estimator, context: Context): Lowered {
  if ((estimator.optionalText('solver') ?? 'cd') !== 'cd') return multiplicative(estimator, context);
  if (estimator.flag('shuffle', false))
    throw estimator.unsupported('it goes through its components in a random order (shuffle)');
  const components = estimator.tensor('components_');
  const h = toNumbers(components);
  const [count = 0, features = 0] = components.shape;
  const [l1, l2] = nmfPenalties(estimator, features);
  const gram = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) {
      let sum = i === j ? l2 : 0;
      for (let f = 0; f < features; f++) sum += h[i * features + f]! * h[j * features + f]!;
      gram[i * count + j] = sum;
    }
  }
  const tolerance = estimator.optionalNumber('tol') ?? 1e-4;
  const most = estimator.optionalNumber('max_iter') ?? 200;
  const solve = (value: Tensor): Tensor => {
    const cells = nonNegative(value);
    const rows = value.shape[0]!;
    const target = new Float64Array(rows * count);
    for (let row = 0; row < rows; row++) {
      for (let k = 0; k < count; k++) {
        let sum = 0;
        for (let f = 0; f < features; f++) sum += cells[row * features + f]! * h[k * features + f]!;
        target[row * count + k] = sum - l1;
      }
    }
    const w = new Float64Array(rows * count);
    let first = 0;
    for (let i = 0; i < most; i++) {
      const violation = descend(w, gram, target, rows, count);
      if (i === 0) first = violation;
      if (first === 0 || violation / first <= tolerance) break;
    }
    return float64(w, [rows, count]);
  };
  return factorized(context, components, solve);
}

/** The methods of a factorization: `solve` finds the weights of the rows, and the weights times the components give the rows back. */
function factorized(context: Context, components: Tensor, solve: (rows: Tensor) => Tensor): Lowered {
  const { plan } = context;
  return {
    methods: {
      transform: (x) =>
        plan.step('nmf', [context.numeric(x)], [{ name: 'weights', dtype: 'float64' }], ([value]) => [
          solve(value as Tensor),
        ])[0],
      inverse_transform: (x) => plan.matmul(context.numeric(x), plan.constant(components, 'components')),
    },
    inverseWidth: components.shape[0] ?? 0,
  };
}

/** As many rounds as it takes for the rows together to change little, from a start that depends on all of them. */
function multiplicative(estimator: Estimator, context: Context): Lowered {
  const components = estimator.tensor('components_');
  const [count = 0, features = 0] = components.shape;
  const [l1, l2] = nmfPenalties(estimator, features);
  const beta = betaOf(estimator);
  const tolerance = estimator.optionalNumber('tol') ?? 1e-4;
  const mini = estimator.className === 'MiniBatchNMF';
  const most = estimator.optionalNumber('_transform_max_iter', 'max_iter') ?? 200;
  const solve = (value: Tensor): Tensor => {
    const rows = value.shape[0]!;
    const problem = { x: nonNegative(value), rows, h: toNumbers(components), count, features, beta, l1, l2 };
    const w = (mini ? settleMultiplicative : solveMultiplicative)(problem, most, tolerance);
    return float64(w, [rows, count]);
  };
  return factorized(context, components, solve);
}

/** One round over components and rows; returns the sum of the projected gradients. */
function descend(w: Float64Array, gram: Float64Array, target: Float64Array, rows: number, count: number): number {
  let violation = 0;
  for (let t = 0; t < count; t++) {
    const curvature = gram[t * count + t]!;
    for (let row = 0; row < rows; row++) {
      let gradient = -target[row * count + t]!;
      for (let r = 0; r < count; r++) gradient += gram[t * count + r]! * w[row * count + r]!;
      const own = w[row * count + t]!;
      violation += Math.abs(own === 0 ? Math.min(0, gradient) : gradient);
      if (curvature !== 0) w[row * count + t] = Math.max(own - gradient / curvature, 0);
    }
  }
  return violation;
}

/** Penalties of the weights; since 1.0 by `alpha_W` and the number of columns, before that by `alpha`. */
function nmfPenalties(estimator: Estimator, features: number): [l1: number, l2: number] {
  const ratio = estimator.optionalNumber('l1_ratio') ?? 0;
  // 1.0 and 1.1 kept what they made of old and new parameters; only the new ones are scaled.
  if (estimator.has('_l1_reg_W') && estimator.has('_l2_reg_W')) {
    const chosen = (estimator.optionalNumber('alpha_W') ?? 0) !== 0 || estimator.optionalText('alpha_H') !== 'same';
    const scale = chosen ? features : 1;
    return [estimator.number('_l1_reg_W') * scale, estimator.number('_l2_reg_W') * scale];
  }
  let strength: number;
  if (estimator.since('1.2') || (estimator.since('1.0') && estimator.optionalNumber('alpha') === undefined))
    strength = (estimator.optionalNumber('alpha_W') ?? 0) * features;
  else {
    const where = estimator.optionalText('regularization') ?? 'both';
    strength = where === 'both' || where === 'transformation' ? (estimator.optionalNumber('alpha') ?? 0) : 0;
  }
  return [strength * ratio, strength * (1 - ratio)];
}

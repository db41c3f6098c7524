import { asArray } from '../../formats/numpy/pickled';
import type { Value } from '../../onnx/graph';
import { float64, type Tensor, toNumbers } from '../../onnx/tensor';
import type { PlanValue } from '../plan';
import type { Context, Entry, Lowered } from './context';
import type { Estimator } from './estimator';
import { splineTransformer } from './splines';

/** Columns made of columns, value by value. Source: sklearn `preprocessing/_polynomial.py`, `_discretization.py`. */
export const EXPANSIONS: Readonly<Record<string, Entry>> = {
  'sklearn.PolynomialFeatures': { lower: polynomial },
  'sklearn.SplineTransformer': {
    lower: splineTransformer,
    missing: (e) => e.optionalText('handle_missing') === 'zeros',
  },
  'sklearn.KBinsDiscretizer': { lower: kBins, features: (e) => e.items('bin_edges_')?.length },
};

const MOST_COLUMNS = 200_000;

/** Products of columns: all combinations of up to `degree` of them, shorter ones first, with repetition unless `interaction_only`. */
function polynomial(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const features = context.featureCount(estimator);
  if (features === undefined) throw estimator.unsupported('the number of its columns is not kept');
  const degree = estimator.optionalNumber('_max_degree') ?? estimator.number('degree');
  const least = estimator.optionalNumber('_min_degree') ?? 0;
  const interaction = estimator.flag('interaction_only', false);
  const byDegree = combinations(estimator, features, degree, interaction);
  return {
    methods: {
      transform: (x) => {
        const rows = context.numeric(x);
        const parts: Value[] = [];
        if (estimator.flag('include_bias', true)) parts.push(plan.perRow(rows, float64([1], [1, 1])));
        byDegree.forEach((tuples, i) => {
          if (i + 1 < Math.max(1, least) || tuples.length === 0) return;
          const factors = Array.from({ length: i + 1 }, (_, k) =>
            plan.columns(
              rows,
              tuples.map((tuple) => tuple[k]!),
            ),
          );
          parts.push(factors.reduce((product, factor) => plan.mul(product, factor)));
        });
        return plan.concat(parts, 1);
      },
    },
  };
}

function combinations(estimator: Estimator, features: number, degree: number, interaction: boolean): number[][][] {
  let last: number[][] = [[]];
  let total = 0;
  const all: number[][][] = [];
  for (let d = 1; d <= degree; d++) {
    const next: number[][] = [];
    for (const tuple of last) {
      const from = tuple.length === 0 ? 0 : tuple[tuple.length - 1]! + (interaction ? 1 : 0);
      for (let i = from; i < features; i++) {
        if (++total > MOST_COLUMNS) throw estimator.unsupported(`it makes more than ${MOST_COLUMNS} columns`);
        next.push([...tuple, i]);
      }
    }
    all.push(next);
    last = next;
  }
  return all;
}

/**
 * The number of the bin: how many inner edges are at most x. Before 1.1, edges are compared with x + 1e-8 + 1e-5 |x|. As a number, or as a
 * column for each bin. Backwards: the middle of the bin.
 */
function kBins(estimator: Estimator, context: Context): Lowered {
  const edges = (estimator.items('bin_edges_') ?? []).map((item) => asArray(item)?.toFloat64() ?? new Float64Array(0));
  const counts = Array.from(estimator.vector('n_bins_'));
  if (counts.length !== edges.length || counts.some((count, i) => count !== edges[i]!.length - 1))
    throw estimator.unsupported('its numbers of bins and their edges do not fit');
  const eased = !estimator.since('1.1');
  const oneHot = (estimator.optionalText('encode') ?? 'onehot') !== 'ordinal';
  const starts = [0];
  for (const count of counts) starts.push(starts[starts.length - 1]! + count);
  const width = oneHot ? starts[counts.length]! : counts.length;
  const encode = (value: Tensor): Tensor => {
    const x = toNumbers(value);
    const rows = value.shape[0]!;
    const out = new Float64Array(rows * width);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < counts.length; column++) {
        const cell = x[row * counts.length + column]!;
        const bin = binOf(edges[column]!, eased ? cell + (1e-8 + 1e-5 * Math.abs(cell)) : cell);
        if (oneHot) out[row * width + starts[column]! + bin] = 1;
        else out[row * width + column] = bin;
      }
    }
    return float64(out, [rows, width]);
  };
  const decode = (value: Tensor): Tensor => {
    const x = toNumbers(value);
    const rows = value.shape[0]!;
    const out = new Float64Array(rows * counts.length);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < counts.length; column++) {
        const at = row * width + (oneHot ? starts[column]! : column);
        const bin = oneHot ? x.subarray(at, at + counts[column]!).indexOf(1) : Math.trunc(x[at]!);
        const own = edges[column]!;
        out[row * counts.length + column] = (own[bin]! + own[bin + 1]!) * 0.5;
      }
    }
    return float64(out, [rows, counts.length]);
  };
  const step = (name: string, run: (value: Tensor) => Tensor) => (x: PlanValue) =>
    context.plan.step(name, [context.numeric(x)], [{ name, dtype: 'float64' }], ([value]) => [run(value as Tensor)])[0];
  return {
    methods: { transform: step('bins', encode), inverse_transform: step('bin_middles', decode) },
    inverseWidth: width,
  };
}

function binOf(edges: Float64Array, x: number): number {
  let bin = 0;
  while (bin < edges.length - 2 && x >= edges[bin + 1]!) bin++;
  return bin;
}

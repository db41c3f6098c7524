import { ModelError } from '../../bytes/errors';
import { float64, type Tensor, toNumbers } from '../../onnx/tensor';
import type { PlanValue } from '../plan';
import type { Context, Entry, Lowered } from './context';
import type { Estimator } from './estimator';
import { normalCdf, normalQuantile } from './normal';

/** Transformations towards a distribution, column by column. Source: sklearn `preprocessing/_data.py`. */
export const DISTRIBUTIONS: Readonly<Record<string, Entry>> = {
  'sklearn.QuantileTransformer': {
    lower: quantileTransformer,
    missing: (estimator) => estimator.since('0.20'),
    features: (estimator) => estimator.optionalArray('quantiles_')?.shape[1],
  },
  'sklearn.PowerTransformer': {
    lower: powerTransformer,
    missing: true,
    features: (estimator) => estimator.optionalArray('lambdas_')?.size,
  },
  'sklearn.KernelCenterer': {
    lower: kernelCenterer,
    features: (estimator) => estimator.optionalArray('K_fit_rows_')?.size,
  },
};

/** A code step on each number by its column. */
function perColumn(
  context: Context,
  name: string,
  compute: (cell: number, column: number, row: number) => number,
): (x: PlanValue) => ReturnType<Context['numeric']> {
  return (x) =>
    context.plan.step(name, [context.numeric(x)], [{ name, dtype: 'float64' }], ([value]) => {
      const columns = value!.shape[1] ?? 1;
      return [
        float64(
          toNumbers(value as Tensor).map((cell, i) => compute(cell, i % columns, Math.floor(i / columns))),
          value!.shape,
        ),
      ];
    })[0];
}

/** Values nearer to the ends of the quantiles than this are the ends. */
const BOUNDS = 1e-7;
/** `BOUNDS - numpy.spacing(1)`, where normal quantiles are cut off. */
const CUT = BOUNDS - 2 ** -52;

/**
 * The mean of interpolating upwards and downwards among the quantiles (which differ where quantiles repeat), then for "normal" the normal
 * quantile, cut off. Before 0.22 a uniform result is rounded and cut off at the ends in the same way.
 */
function quantileTransformer(estimator: Estimator, context: Context): Lowered {
  const table = estimator.tensor('quantiles_');
  const references = estimator.vector('references_');
  const [count = 0, columns = 0] = table.shape;
  if (references.length !== count || count === 0)
    throw estimator.unsupported('its quantiles and references do not fit');
  const data = table.data as Float64Array;
  const quantiles = Array.from({ length: columns }, (_, c) =>
    Float64Array.from({ length: count }, (_, i) => data[i * columns + c]!),
  );
  const normal = estimator.optionalText('output_distribution') === 'normal';
  const rough = normal || !estimator.since('0.22');
  const negated = (values: Float64Array): Float64Array => values.map((value) => -value).reverse();
  const [downReferences, downQuantiles] = [negated(references), quantiles.map(negated)];
  const [low, high] = normal ? [normalQuantile(CUT), normalQuantile(1 - CUT)] : [CUT, 1 - CUT];
  const forward = (x: number, column: number): number => {
    if (Number.isNaN(x)) return x;
    const own = quantiles[column]!;
    const [first, last] = [own[0]!, own[count - 1]!];
    let y = 0.5 * (interpolate(x, own, references) - interpolate(-x, downQuantiles[column]!, downReferences));
    if (rough ? x + BOUNDS > last : x === last) y = 1;
    if (rough ? x - BOUNDS < first : x === first) y = 0;
    if (normal) y = normalQuantile(y);
    return rough ? Math.min(Math.max(y, low), high) : y;
  };
  const backward = (x: number, column: number): number => {
    if (Number.isNaN(x)) return x;
    const own = quantiles[column]!;
    // Before 0.22 the uniform distribution function cut values off at 0 and 1.
    const p = normal ? normalCdf(x) : estimator.since('0.22') ? x : Math.min(Math.max(x, 0), 1);
    if (rough ? p - BOUNDS < 0 : p === 0) return own[0]!;
    if (rough ? p + BOUNDS > 1 : p === 1) return own[count - 1]!;
    return interpolate(p, references, own);
  };
  return {
    methods: {
      transform: perColumn(context, 'quantiles', forward),
      inverse_transform: perColumn(context, 'from_quantiles', backward),
    },
  };
}

/** `numpy.interp`: linear between the points, the end values beyond them. */
function interpolate(x: number, xs: Float64Array, ys: Float64Array): number {
  const last = xs.length - 1;
  if (x > xs[last]!) return ys[last]!;
  if (x < xs[0]!) return ys[0]!;
  let [low, high] = [0, last + 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (x >= xs[middle]!) low = middle;
    else high = middle;
  }
  if (low === last || xs[low] === x) return ys[low]!;
  return ((ys[low + 1]! - ys[low]!) / (xs[low + 1]! - xs[low]!)) * (x - xs[low]!) + ys[low]!;
}

/** Box-Cox or Yeo-Johnson with `lambdas_`, then standardised. */
function powerTransformer(estimator: Estimator, context: Context): Lowered {
  const lambdas = estimator.vector('lambdas_');
  const boxCox = estimator.text('method') === 'box-cox';
  const scaler = estimator.flag('standardize', true) ? context.lower(estimator.child('_scaler')).methods : undefined;
  const forward = perColumn(context, 'power', (x, column, row) => {
    const lambda = lambdas[column]!;
    if (!boxCox) return yeoJohnson(x, lambda);
    if (x <= 0)
      throw new ModelError(
        'usage',
        `Row ${row + 1}, value ${column + 1} is ${x}; the Box-Cox transformation takes positive numbers.`,
      );
    return Math.abs(lambda) < 1e-19 ? Math.log(x) : Math.expm1(lambda * Math.log(x)) / lambda;
  });
  const backward = perColumn(context, 'power_back', (x, column) => {
    const lambda = lambdas[column]!;
    if (!boxCox) return yeoJohnsonBack(x, lambda);
    return lambda === 0 ? Math.exp(x) : Math.exp(Math.log1p(lambda * x) / lambda);
  });
  return {
    methods: {
      transform: (x) => {
        const y = forward(x);
        return (scaler?.transform?.(y) as typeof y | undefined) ?? y;
      },
      inverse_transform: (x) => backward((scaler?.inverse_transform?.(x) as typeof x | undefined) ?? x),
    },
  };
}

/** Yeo and Johnson (2000). Near 0 and 2 the logarithm, as SciPy and scikit-learn decide. */
function yeoJohnson(x: number, lambda: number): number {
  const tiny = 2 ** -52;
  if (Number.isNaN(x)) return x;
  if (x >= 0) return Math.abs(lambda) < tiny ? Math.log1p(x) : Math.expm1(lambda * Math.log1p(x)) / lambda;
  if (Math.abs(lambda - 2) > tiny) return -Math.expm1((2 - lambda) * Math.log1p(-x)) / (2 - lambda);
  return -Math.log1p(-x);
}

function yeoJohnsonBack(y: number, lambda: number): number {
  const tiny = 2 ** -52;
  if (Number.isNaN(y)) return y;
  if (y >= 0) return Math.abs(lambda) < tiny ? Math.expm1(y) : (y * lambda + 1) ** (1 / lambda) - 1;
  if (Math.abs(lambda - 2) > tiny) return 1 - (-(2 - lambda) * y + 1) ** (1 / (2 - lambda));
  return -Math.expm1(-y);
}

/** K - K_fit_rows_ - (mean of the row) + K_fit_all_. Rows hold the kernel with every training row. */
function kernelCenterer(estimator: Estimator, context: Context): Lowered {
  return { methods: { transform: (x) => centredKernel(estimator, context, context.numeric(x)) } };
}

export function centredKernel(
  centerer: Estimator,
  context: Context,
  kernel: ReturnType<Context['numeric']>,
): ReturnType<Context['numeric']> {
  const { plan } = context;
  const rows = centerer.vector('K_fit_rows_');
  const mean = plan.div(plan.reduceSum(kernel, [1], true), rows.length);
  return plan.add(
    plan.sub(plan.sub(kernel, plan.doubles(rows, undefined, 'K_fit_rows')), mean),
    centerer.number('K_fit_all_'),
  );
}

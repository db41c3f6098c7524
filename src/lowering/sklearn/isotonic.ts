import { ModelError } from '../../bytes/errors';
import type { Value } from '../../onnx/graph';
import { float64, type Tensor, toNumbers } from '../../onnx/tensor';
import type { PlanValue } from '../plan';
import type { Context, Entry, Lowered } from './context';
import type { Estimator } from './estimator';

/** Isotonic regression: linear between the thresholds. Source: sklearn `isotonic.py` (`interp1d` of SciPy). */
export const ISOTONIC: Readonly<Record<string, Entry>> = {
  'sklearn.IsotonicRegression': { lower: isotonic, features: () => 1, missing: false },
};

/**
 * y_i + (x - x_i) (y_{i+1} - y_i) / (x_{i+1} - x_i) for x_i < x ≤ x_{i+1}. Beyond the thresholds: `out_of_bounds` "nan", "clip" or "raise". Where
 * it was fitted on float32 the rows and the answers are rounded to it.
 */
function isotonic(estimator: Estimator, context: Context): Lowered {
  const xs = estimator.vector('X_thresholds_', '_necessary_X_');
  const ys = estimator.vector('y_thresholds_', '_necessary_y_');
  const single = estimator.array('X_thresholds_', '_necessary_X_').dtype.type === 'float32';
  const beyond = estimator.optionalText('out_of_bounds') ?? 'nan';
  const [low, high] = [estimator.number('X_min_'), estimator.number('X_max_')];
  const last = xs.length - 1;
  const at = (given: number, row: number): number => {
    let x = single ? Math.fround(given) : given;
    if (beyond === 'clip') x = Math.min(Math.max(x, low), high);
    if (last === 0) return ys[0]!;
    if (x < xs[0]! || x > xs[last]!) {
      if (beyond !== 'raise') return Number.NaN;
      throw new ModelError(
        'usage',
        `Row ${row + 1} holds ${x}, which is outside of ${xs[0]} to ${xs[last]}, where this model was fitted; it answers nothing beyond.`,
      );
    }
    // The first threshold that is not below x.
    let [from, to] = [0, last];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (xs[middle]! < x) from = middle + 1;
      else to = middle;
    }
    const i = Math.max(from - 1, 0);
    const slope = (ys[i + 1]! - ys[i]!) / (xs[i + 1]! - xs[i]!);
    return slope * (x - xs[i]!) + ys[i]!;
  };
  const predict = context.memo(
    (x: PlanValue): Value =>
      context.plan.step('isotonic', [context.numeric(x)], [{ name: 'isotonic', dtype: 'float64' }], ([rows]) => {
        const values = toNumbers(rows as Tensor);
        const out = Float64Array.from(values as ArrayLike<number>, at);
        return [float64(single ? Float64Array.from(Float32Array.from(out)) : out, [out.length])];
      })[0] as Value,
  );
  return { methods: { predict, transform: predict } };
}

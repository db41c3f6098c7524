import { ModelError } from '../../bytes/errors';
import { asArray, toNumber } from '../../formats/numpy/pickled';
import { float64, type Tensor, toNumbers } from '../../onnx/tensor';
import { asSequence, Instance, type Value as Pickled, stateDict } from '../../pickle/values';
import type { Context, Lowered } from './context';
import type { Estimator } from './estimator';

/** A SciPy `BSpline` with several coefficients columns: Σ_i c_i B_i,k(x). */
class Spline {
  readonly knots: Float64Array;
  readonly degree: number;
  /** Number of values at a point. */
  readonly width: number;
  private readonly coefficients: Float64Array;
  /** Index of the last interval inside the base. */
  private readonly last: number;

  constructor(value: Pickled, estimator: Estimator) {
    // Newer SciPy wraps the spline in one that knows the array library, whose state is a tuple.
    const held = value instanceof Instance ? (asSequence(value.state) ?? []) : [];
    const state = [value, ...held].map(stateDict).find((dict) => dict?.has('t') || dict?.has('_t'));
    const knots = asArray(state?.get('t') ?? state?.get('_t'))?.toFloat64();
    const coefficients = asArray(state?.get('c') ?? state?.get('_c'));
    const degree = toNumber(state?.get('k'));
    if (!knots || !coefficients || degree === undefined || coefficients.shape.length !== 2)
      throw estimator.unsupported('its splines are not in the form that SciPy writes');
    this.knots = knots;
    this.coefficients = coefficients.toFloat64();
    this.degree = degree;
    this.width = coefficients.shape[1]!;
    this.last = knots.length - degree - 2;
    if (this.last < degree || coefficients.shape[0]! < knots.length - degree - 1)
      throw estimator.unsupported('its splines have too few knots or coefficients');
  }

  get low(): number {
    return this.knots[this.degree]!;
  }
  get high(): number {
    return this.knots[this.knots.length - this.degree - 1]!;
  }

  /** Values at `x`, continued beyond the ends; `derivative` once if asked for. */
  at(x: number, derivative = false): Float64Array {
    const { degree: k, knots: t } = this;
    const out = new Float64Array(this.width);
    if (Number.isNaN(x)) return out.fill(Number.NaN);
    let interval = k;
    while (interval < this.last && x >= t[interval + 1]!) interval++;
    let basis: Float64Array;
    if (!derivative) basis = this.basis(x, interval, k);
    else {
      basis = new Float64Array(k + 1);
      const lower = k > 0 ? this.basis(x, interval, k - 1) : new Float64Array(0);
      // B'_{i,k} = k (B_{i,k-1} / (t_{i+k} - t_i) - B_{i+1,k-1} / (t_{i+k+1} - t_{i+1}))
      for (let a = 0; a < k; a++) {
        const i = interval - k + 1 + a;
        const slope = (k * lower[a]!) / (t[i + k]! - t[i]!);
        basis[a]! -= slope;
        basis[a + 1]! += slope;
      }
    }
    for (let a = 0; a <= k; a++) {
      const row = (interval - k + a) * this.width;
      for (let j = 0; j < this.width; j++) out[j]! += this.coefficients[row + j]! * basis[a]!;
    }
    return out;
  }

  /** The `k + 1` basis functions of degree `k` that are not zero in the interval, by de Boor's recurrence. */
  private basis(x: number, interval: number, k: number): Float64Array {
    const t = this.knots;
    const values = new Float64Array(k + 1);
    values[0] = 1;
    for (let d = 1; d <= k; d++) {
      let saved = 0;
      for (let r = 0; r < d; r++) {
        const [right, left] = [t[interval + r + 1]!, t[interval + 1 - d + r]!];
        const part = right === left ? 0 : values[r]! / (right - left);
        values[r] = saved + (right - x) * part;
        saved = (x - left) * part;
      }
      values[d] = saved;
    }
    return values;
  }
}

/** The B-spline basis of every column. Source: sklearn `preprocessing/_polynomial.py`. */
export function splineTransformer(estimator: Estimator, context: Context): Lowered {
  const splines = (estimator.items('bsplines_') ?? []).map((item) => new Spline(item, estimator));
  const width = splines[0]?.width;
  if (width === undefined) throw estimator.unsupported('it has no splines; it may not have been fitted');
  const bias = estimator.flag('include_bias', true);
  const kept = bias ? width : width - 1;
  const zeros = estimator.optionalText('handle_missing') === 'zeros';
  const evaluate = columnEvaluators(estimator, splines);
  return {
    methods: {
      transform: (x) =>
        context.plan.step('splines', [context.numeric(x)], [{ name: 'splines', dtype: 'float64' }], ([value]) => {
          const cells = toNumbers(value as Tensor);
          const rows = value!.shape[0]!;
          const out = new Float64Array(rows * splines.length * kept);
          for (let row = 0; row < rows; row++) {
            for (let column = 0; column < splines.length; column++) {
              const cell = cells[row * splines.length + column]!;
              if (Number.isNaN(cell) && zeros) continue;
              const values = evaluate[column]!(cell, row);
              out.set(values.subarray(0, kept), (row * splines.length + column) * kept);
            }
          }
          return [float64(out, [rows, splines.length * kept])];
        })[0],
    },
  };
}

/** For each column, the values at a point, by the rule for points beyond the knots. */
function columnEvaluators(
  estimator: Estimator,
  splines: readonly Spline[],
): ((x: number, row: number) => Float64Array)[] {
  const rule = estimator.optionalText('extrapolation') ?? 'constant';
  // "linear" counts the degree up, once for each column as long as it is at most 1, and looks for the ends with it.
  let degree = estimator.optionalNumber('degree') ?? 3;
  return splines.map((spline, column) => {
    if (rule === 'continue') return (x) => spline.at(x);
    if (rule === 'periodic') {
      const [low, span] = [spline.low, spline.high - spline.low];
      return (x) => spline.at(span > 0 ? low + modulo(x - low, span) : 0);
    }
    if (rule === 'error') {
      return (x, row) => {
        if (x >= spline.low && x <= spline.high) return spline.at(x);
        throw new ModelError(
          'usage',
          `Row ${row + 1}, value ${column + 1} is ${x}, beyond the knots of the model (${spline.low} to ${spline.high}).`,
        );
      };
    }
    if (rule !== 'constant' && rule !== 'linear') throw estimator.unsupported(`its extrapolation ${rule} is not known`);
    const [low, high] = [spline.knots[degree]!, spline.knots[spline.knots.length - degree - 1]!];
    if (rule === 'linear' && degree <= 1) degree++;
    const edge = degree;
    const [atLow, atHigh] = [spline.at(low), spline.at(high)];
    const [slopeLow, slopeHigh] =
      rule === 'linear' ? [spline.at(low, true), spline.at(high, true)] : [undefined, undefined];
    return (x) => {
      if (x >= low && x <= high) return spline.at(x);
      const out = new Float64Array(spline.width);
      for (let j = 0; j < edge; j++) {
        const k = spline.width - 1 - j;
        if (x < low) out[j] = atLow[j]! + (slopeLow ? (x - low) * slopeLow[j]! : 0);
        if (x > high) out[k] = atHigh[k]! + (slopeHigh ? (x - high) * slopeHigh[k]! : 0);
      }
      return out;
    };
  });
}

/** Python's `%`: the sign of the divisor. */
function modulo(x: number, by: number): number {
  const rest = x % by;
  return rest !== 0 && rest < 0 !== by < 0 ? rest + by : rest;
}

import type { Value } from '../../onnx/graph';
import { float64, type Tensor, toNumbers } from '../../onnx/tensor';
import type { PlanValue } from '../plan';
import type { Context, Entry, Lowered } from './context';
import type { Estimator } from './estimator';

/** Codes of rows in a dictionary of atoms. Source: sklearn `decomposition/_dict_learning.py`, `linear_model/_omp.py`. */
export const SPARSE_CODERS: Readonly<Record<string, Entry>> = {
  'sklearn.DictionaryLearning': { lower: sparseCode },
  'sklearn.MiniBatchDictionaryLearning': { lower: sparseCode },
  'sklearn.SparseCoder': { lower: sparseCode, features: (e) => dictionaryOf(e).shape[1] },
};

function dictionaryOf(estimator: Estimator): Tensor {
  return estimator.tensor('components_', 'dictionary');
}

/**
 * Soft thresholding of the products with the atoms, sign(c) max(|c| - α, 0), or orthogonal matching pursuit. The other algorithms follow a path to its
 * end or stop by a tolerance, so that their last digits are their own.
 */
function sparseCode(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const algorithm = estimator.optionalText('transform_algorithm') ?? 'omp';
  if (algorithm !== 'threshold' && algorithm !== 'omp')
    throw estimator.unsupported(
      `its transform follows a path of solutions (transform_algorithm="${algorithm}"), which is not computed here`,
    );
  const dictionary = dictionaryOf(estimator);
  const code =
    algorithm === 'omp' ? pursued(estimator, context, dictionary) : thresholded(estimator, context, dictionary);
  const split = estimator.flag('split_sign', false);
  const transform = (x: PlanValue): Value =>
    split ? plan.concat([plan.max(code(x), 0), plan.neg(plan.min(code(x), 0))], 1) : code(x);
  const count = dictionary.shape[0] ?? 0;
  const inverse = (x: PlanValue): Value => {
    const rows = context.numeric(x);
    const whole = split ? plan.sub(plan.slice(rows, 1, 0, count), plan.slice(rows, 1, count)) : rows;
    return plan.matmul(whole, plan.constant(dictionary, 'dictionary'));
  };
  return {
    methods: { transform, ...(estimator.since('1.8') ? { inverse_transform: inverse } : {}) },
    inverseWidth: split ? 2 * count : count,
  };
}

function thresholded(estimator: Estimator, context: Context, dictionary: Tensor): (x: PlanValue) => Value {
  const { plan } = context;
  // Since 1.2 the penalty of learning is that of coding where none is given.
  const alpha =
    estimator.optionalNumber('transform_alpha') ??
    (estimator.since('1.2') ? (estimator.optionalNumber('alpha') ?? 1) : 1);
  return (x) => {
    const products = plan.matmul(context.numeric(x), plan.transpose(plan.constant(dictionary, 'dictionary')));
    const code = plan.mul(plan.sign(products), plan.max(plan.sub(plan.abs(products), alpha), 0));
    return estimator.flag('positive_code', false) ? plan.max(code, 0) : code;
  };
}

function pursued(estimator: Estimator, context: Context, dictionary: Tensor): (x: PlanValue) => Value {
  const atoms = toNumbers(dictionary);
  const [count = 0, features = 0] = dictionary.shape;
  const given = estimator.optionalNumber('transform_n_nonzero_coefs');
  const most = Math.trunc(given ?? Math.min(Math.max(features / 10, 1), count));
  if (estimator.flag('positive_code', false))
    throw estimator.unsupported('matching pursuit cannot keep its code positive (positive_code)');
  const gram = products(atoms, atoms, count, count, features);
  // Up to 0.21 atoms were taken to have length 1.
  const unit = !estimator.since('0.22');
  return context.memo(
    (x) =>
      context.plan.step('pursuit', [context.numeric(x)], [{ name: 'code', dtype: 'float64' }], ([value]) => {
        const rows = value!.shape[0] ?? 0;
        const along = products(toNumbers(value as Tensor), atoms, rows, count, features);
        const out = new Float64Array(rows * count);
        for (let row = 0; row < rows; row++)
          out.set(pursue(gram, along.slice(row * count, (row + 1) * count), count, most, unit), row * count);
        return [float64(out, [rows, count])];
      })[0],
  );
}

/** A · Bᵀ */
function products(a: Float64Array, b: Float64Array, rows: number, columns: number, width: number): Float64Array {
  return Float64Array.from({ length: rows * columns }, (_, at) => {
    const [i, j] = [Math.floor(at / columns) * width, (at % columns) * width];
    let sum = 0;
    for (let f = 0; f < width; f++) sum += a[i + f]! * b[j + f]!;
    return sum;
  });
}

/**
 * Orthogonal matching pursuit on the Gram matrix: the atom with the largest product with what is left is taken, the code of all atoms taken
 * is solved for anew (by a Cholesky factor that grows by a row), until there are enough.
 */
function pursue(gram: Float64Array, along: Float64Array, count: number, most: number, unit: boolean): Float64Array {
  const taken: number[] = [];
  const lower: number[][] = [];
  let left = along;
  let code: number[] = [];
  while (taken.length < most) {
    let best = 0;
    for (let k = 1; k < count; k++) if (Math.abs(left[k]!) > Math.abs(left[best]!)) best = k;
    if (taken.includes(best) || left[best]! ** 2 < 2 ** -52) break;
    const row = forward(
      lower,
      taken.map((atom) => gram[best * count + atom]!),
    );
    const own = (unit ? 1 : gram[best * count + best]!) - row.reduce((sum, value) => sum + value * value, 0);
    if (taken.length > 0 && own <= 2 ** -52) break;
    lower.push([...row, Math.sqrt(own)]);
    taken.push(best);
    code = backward(
      lower,
      forward(
        lower,
        taken.map((atom) => along[atom]!),
      ),
    );
    left = along.map((value, k) => value - taken.reduce((sum, atom, i) => sum + gram[k * count + atom]! * code[i]!, 0));
  }
  const out = new Float64Array(count);
  taken.forEach((atom, i) => {
    out[atom] = code[i]!;
  });
  return out;
}

/** L y = b */
function forward(lower: readonly number[][], b: readonly number[]): number[] {
  const y: number[] = [];
  b.forEach((value, i) => {
    const sum = y.reduce((total, known, k) => total + lower[i]![k]! * known, 0);
    y.push((value - sum) / lower[i]![i]!);
  });
  return y;
}

/** Lᵀ x = y */
function backward(lower: readonly number[][], y: readonly number[]): number[] {
  const x = [...y];
  for (let i = y.length - 1; i >= 0; i--) {
    for (let k = i + 1; k < y.length; k++) x[i]! -= lower[k]![i]! * x[k]!;
    x[i]! /= lower[i]![i]!;
  }
  return x;
}

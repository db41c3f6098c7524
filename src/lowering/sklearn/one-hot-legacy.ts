import { ModelError } from '../../bytes/errors';
import { float64, type Tensor } from '../../onnx/tensor';
import type { PlanValue } from '../plan';
import { inOutputDtype } from './categories';
import { Grid } from './cells';
import { type Context, cellNumber, type Lowered } from './context';
import type { Estimator } from './estimator';

/**
 * OneHotEncoder before 0.20, and of 0.20 and 0.21 in its legacy mode: whole numbers from 0 to `n_values`, each a column; with "auto" only
 * those that occurred. `categorical_features` chooses the columns; the others follow unchanged. Source: sklearn 0.18 `preprocessing/data.py`.
 */
export function legacyOneHot(estimator: Estimator, context: Context): Lowered {
  const starts = estimator.vector('_feature_indices_', 'feature_indices_');
  const limits = estimator.vector('_n_values_', 'n_values_');
  const auto = estimator.optionalText('_n_values', 'n_values') === 'auto';
  const active = auto ? Array.from(estimator.vector('_active_features_', 'active_features_')) : undefined;
  const ignore = estimator.optionalText('handle_unknown') === 'ignore';
  const total = starts[starts.length - 1]!;
  const width = active?.length ?? total;
  const places = new Map(active?.map((place, i) => [place, i]));
  const encoded = context.memo(
    (x: PlanValue) =>
      context.plan.step('one_hot', [x], [{ name: 'one_hot', dtype: 'float64' }], ([value]): Tensor[] => {
        const grid = new Grid(value!);
        const chosen = chosenColumns(estimator, grid.columns);
        const others = Array.from({ length: grid.columns }, (_, i) => i).filter((i) => !chosen.includes(i));
        const all = width + others.length;
        const out = new Float64Array(grid.rows * all);
        for (let row = 0; row < grid.rows; row++) {
          chosen.forEach((column, i) => {
            const number = Math.trunc(cellNumber(grid.at(row, column)) ?? Number.NaN);
            if (!(number >= 0)) throw refused(row, column, number, 'whole numbers from 0');
            if (number >= limits[i]!) {
              if (ignore) return;
              throw refused(row, column, number, `numbers below ${limits[i]}`);
            }
            const place = active ? places.get(starts[i]! + number) : starts[i]! + number;
            if (place !== undefined) out[row * all + place] = 1;
          });
          others.forEach((column, i) => {
            out[row * all + width + i] = cellNumber(grid.at(row, column)) ?? Number.NaN;
          });
        }
        return [float64(out, [grid.rows, all])];
      })[0],
  );
  return { methods: { transform: (x) => inOutputDtype(estimator, context, encoded(x)) }, passes: encoded };
}

function chosenColumns(estimator: Estimator, columns: number): number[] {
  const all = Array.from({ length: columns }, (_, i) => i);
  const text = estimator.optionalText('_categorical_features', 'categorical_features');
  if (text === 'all' || !estimator.has('_categorical_features', 'categorical_features')) return all;
  const array = estimator.optionalArray('_categorical_features', 'categorical_features');
  const mask =
    array?.dtype.kind === 'b' ||
    typeof estimator.items('_categorical_features', 'categorical_features')?.[0] === 'boolean';
  const values =
    array?.toFloat64() ?? (estimator.items('_categorical_features', 'categorical_features') ?? []).map(Number);
  const chosen = new Set(mask ? all.filter((i) => values[i]) : Array.from(values, (i) => (i < 0 ? i + columns : i)));
  return all.filter((i) => chosen.has(i));
}

function refused(row: number, column: number, number: number, what: string): ModelError {
  return new ModelError('usage', `Row ${row + 1}, value ${column + 1} is ${number}; this model takes ${what} there.`);
}

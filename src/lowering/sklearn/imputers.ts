import { ModelError } from '../../bytes/errors';
import { plain } from '../../formats/numpy/pickled';
import type { Value } from '../../onnx/graph';
import { type Tensor, toNumbers } from '../../onnx/tensor';
import { asText } from '../../pickle/values';
import type { PlanValue } from '../plan';
import type { Cell, HostValue } from '../predictor';
import { Grid, isMissing, makeTable, sideBySide } from './cells';
import { type Context, cellNumber, type Entry, isCells, type Lowered } from './context';
import type { Estimator } from './estimator';

/**
 * Imputers of one value a column. Source: sklearn `impute/_base.py` (`impute.py` in 0.20), `preprocessing/imputation.py` (to 0.21).
 */
export const IMPUTERS: Readonly<Record<string, Entry>> = {
  'sklearn.SimpleImputer': {
    lower: simpleImputer,
    input: imputerInput,
    missing: true,
    fillsMissing: true,
    features: (estimator) => estimator.optionalArray('statistics_')?.size,
  },
  'sklearn.Imputer': {
    lower: oldImputer,
    missing: true,
    fillsMissing: true,
  },
  'sklearn.MissingIndicator': {
    lower: missingIndicator,
    input: (estimator) => (typeof missingMark(estimator) === 'number' ? 'numeric' : 'mixed'),
    missing: true,
    fillsMissing: true,
    features: (estimator) => estimator.optionalNumber('_n_features'),
  },
};

/** What counts as missing: NaN (any missing cell), or a value of its own. */
export function missingMark(estimator: Estimator): Cell {
  const value = estimator.raw('missing_values');
  if (value === undefined) return Number.NaN;
  if (value === null) return null;
  // `Imputer` wrote "NaN" as text; pandas' missing value is an object of its own.
  if (asText(value) === 'NaN' && estimator.className === 'Imputer') return Number.NaN;
  if (typeof value === 'object') return Number.NaN;
  return value as Cell;
}

/** Whether a cell is missing, as the estimator means it. */
export function missingTest(mark: Cell): (cell: Cell) => boolean {
  if (typeof mark === 'number' && Number.isNaN(mark)) return isMissing;
  if (typeof mark === 'number')
    return (cell) => (typeof cell === 'string' ? cellNumber(cell) : Number(cell)) === mark && cell !== null;
  return (cell) => cell === mark;
}

function imputerInput(estimator: Estimator): 'numeric' | 'mixed' {
  const statistics = estimator.optionalArray('statistics_');
  const numeric = statistics && !statistics.objects && /^[iufb]$/.test(statistics.dtype.kind);
  return numeric && typeof missingMark(estimator) === 'number' ? 'numeric' : 'mixed';
}

/**
 * The column's statistic where a cell is missing. Columns without a statistic (nothing was there at fit) are left out, unless
 * `keep_empty_features`; before 1.8 the strategy "constant" keeps them too. `add_indicator` puts 0 and 1 after the columns.
 */
function simpleImputer(estimator: Estimator, context: Context): Lowered {
  const statistics = estimator.array('statistics_').toList().map(plain) as Cell[];
  const constant = estimator.optionalText('strategy') === 'constant' && !estimator.since('1.8');
  const keepsAll = constant || estimator.flag('keep_empty_features', false);
  const kept = statistics.flatMap((value, i) =>
    keepsAll || !(typeof value === 'number' && Number.isNaN(value)) ? [i] : [],
  );
  const mark = missingMark(estimator);
  const numeric = imputerInput(estimator) === 'numeric';
  const passes = context.memo((x: PlanValue): PlanValue => {
    const filled = numeric
      ? fillNumbers(context, context.numeric(x), statistics.map(Number), kept, mark as number)
      : fillCells(context, x, statistics, kept, mark);
    const indicator = indicatorOf(estimator, context, x, mark);
    return indicator ? sideBySide(context, [filled, indicator]) : filled;
  });
  const transform = (x: PlanValue): Value => context.cellsOutput(passes(x));
  const marks = estimator.since('0.24') ? estimator.optionalChild('indicator_')?.vector('features_') : undefined;
  const numbers = statistics.every((value) => typeof value === 'number' || typeof value === 'bigint');
  if (!marks || !numbers || typeof mark !== 'number' || !estimator.flag('add_indicator', false))
    return { methods: { transform }, passes };
  const restore = (x: PlanValue): Value =>
    context.plan.step('restore', [context.numeric(x)], [{ name: 'restored', dtype: 'float64' }], ([value]) => [
      restoreMissing(value as Tensor, marks, statistics.length, mark),
    ])[0];
  return {
    methods: { transform, inverse_transform: restore },
    inverseWidth: kept.length + marks.length,
    passes,
  };
}

/**
 * The mark of missing values where the indicator columns say so. A column that is missing in every given row takes no values, which
 * moves the ones after it: that is how the framework does it.
 */
function restoreMissing(value: Tensor, marks: Float64Array, width: number, mark: number): Tensor {
  const cells = toNumbers(value);
  const [rows = 0, columns = 0] = value.shape;
  const given = columns - marks.length;
  if (given < 0)
    throw new ModelError('usage', `The rows have ${columns} values; this model's indicator alone has ${marks.length}.`);
  const missing = new Uint8Array(rows * width);
  marks.forEach((feature, i) => {
    for (let row = 0; row < rows; row++)
      missing[row * width + feature] = Number(cells[row * columns + given + i] !== 0);
  });
  const out = new Float64Array(rows * width);
  for (let feature = 0, next = 0; next < given && feature < width; feature++) {
    if (Array.from({ length: rows }, (_, row) => missing[row * width + feature]).every(Boolean)) continue;
    for (let row = 0; row < rows; row++) out[row * width + feature] = cells[row * columns + next]!;
    next++;
  }
  return {
    dtype: 'float64',
    shape: [rows, width],
    data: out.map((number, i) => (missing[i] ? mark : number)),
  };
}

function fillNumbers(
  context: Context,
  x: Value,
  statistics: readonly number[],
  kept: readonly number[],
  mark: number,
): Value {
  const { plan } = context;
  const columns = kept.length === statistics.length ? x : plan.columns(x, kept);
  const missing = Number.isNaN(mark) ? plan.isNaN(columns) : plan.equal(columns, mark);
  return plan.where(
    missing,
    plan.doubles(
      kept.map((i) => statistics[i]!),
      undefined,
      'statistics',
    ),
    columns,
  );
}

function fillCells(
  context: Context,
  x: PlanValue,
  statistics: readonly Cell[],
  kept: readonly number[],
  mark: Cell,
): PlanValue {
  const isMissingCell = missingTest(mark);
  return context.plan.step('impute', [x], [{ name: 'imputed', dtype: 'mixed' }], ([value]) => {
    const grid = new Grid(value!);
    return [
      makeTable(grid.rows, kept.length, (row, i) => {
        const cell = grid.at(row, kept[i]!);
        return isMissingCell(cell) ? statistics[kept[i]!]! : cell;
      }),
    ];
  })[0];
}

/** Whether the columns that `indicator_` speaks of are missing; undefined without an indicator. */
export function indicatorOf(estimator: Estimator, context: Context, x: PlanValue, mark: Cell): Value | undefined {
  const indicator = estimator.optionalChild('indicator_');
  if (!indicator || estimator.raw('add_indicator') === false) return undefined;
  const features = Array.from(indicator.vector('features_'));
  return maskOf(context, x, features, mark);
}

/** Which of the columns are missing: rows × features, bool. */
function maskOf(
  context: Context,
  x: PlanValue,
  features: readonly number[],
  mark: Cell,
  check?: (value: HostValue) => void,
): Value {
  const { plan } = context;
  if (!isCells(x) && x.dtype !== 'string' && typeof mark === 'number' && !check) {
    const columns = plan.columns(context.numeric(x), features);
    return Number.isNaN(mark) ? plan.isNaN(columns) : plan.equal(columns, mark);
  }
  const isMissingCell = missingTest(mark);
  return plan.step('missing', [x], [{ name: 'missing', dtype: 'bool' }], ([value]): Tensor[] => {
    check?.(value!);
    const grid = new Grid(value!);
    const data = new Uint8Array(grid.rows * features.length);
    for (let row = 0; row < grid.rows; row++) {
      features.forEach((feature, i) => {
        data[row * features.length + i] = Number(isMissingCell(grid.at(row, feature)));
      });
    }
    return [{ dtype: 'bool', shape: [grid.rows, features.length], data }];
  })[0];
}

/** Whether each cell is missing, for the columns that had missing values at fit ("missing-only") or for all. */
function missingIndicator(estimator: Estimator, context: Context): Lowered {
  const mark = missingMark(estimator);
  const own = Array.from(estimator.vector('features_'));
  // In 0.20, "missing-only" without any such column stood for all columns.
  const features =
    own.length === 0 && !estimator.since('0.21')
      ? Array.from({ length: estimator.optionalNumber('_n_features') ?? 0 }, (_, i) => i)
      : own;
  const strict = estimator.optionalText('features') !== 'all' && estimator.flag('error_on_new', true);
  const isMissingCell = missingTest(mark);
  const check = (value: HostValue): void => {
    const grid = new Grid(value);
    for (let column = 0; column < grid.columns; column++) {
      if (features.includes(column)) continue;
      const row = grid.column(column).findIndex(isMissingCell);
      if (row >= 0)
        throw new ModelError(
          'usage',
          `Row ${row + 1}, value ${column + 1} is missing, which it never was when the model was fitted; this model refuses that (error_on_new).`,
        );
    }
  };
  return { methods: { transform: (x) => maskOf(context, x, features, mark, strict ? check : undefined) } };
}

/** `Imputer` of 0.19 and before: by column, or (axis=1) by the mean, median or most frequent value of the row itself. */
function oldImputer(estimator: Estimator, context: Context): Lowered {
  const mark = missingMark(estimator) as number;
  if (estimator.optionalNumber('axis') !== 1) {
    const statistics = Array.from(estimator.vector('statistics_'));
    const kept = statistics.flatMap((value, i) => (Number.isNaN(value) ? [] : [i]));
    return { methods: { transform: (x) => fillNumbers(context, context.numeric(x), statistics, kept, mark) } };
  }
  const strategy = estimator.optionalText('strategy') ?? 'mean';
  const isMissingCell = missingTest(mark);
  return {
    methods: {
      transform: (x) =>
        context.plan.step(
          'impute_rows',
          [context.numeric(x)],
          [{ name: 'imputed', dtype: 'float64' }],
          ([value]): Tensor[] => {
            const grid = new Grid(value!);
            const data = Float64Array.from(value!.data as Float64Array);
            for (let row = 0; row < grid.rows; row++) {
              const cells = data.subarray(row * grid.columns, (row + 1) * grid.columns);
              const present = cells.filter((cell) => !isMissingCell(cell));
              if (present.length === 0) throw new ModelError('usage', `Row ${row + 1} has missing values only.`);
              const fill = statistic(strategy, present);
              cells.forEach((cell, i) => {
                if (isMissingCell(cell)) cells[i] = fill;
              });
            }
            return [{ dtype: 'float64', shape: value!.shape, data }];
          },
        )[0],
    },
  };
}

function statistic(strategy: string, values: Float64Array): number {
  if (strategy === 'mean') return values.reduce((sum, value) => sum + value, 0) / values.length;
  const sorted = Float64Array.from(values).sort();
  if (strategy === 'median') {
    const middle = sorted.length >> 1;
    return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  }
  let [best, most, run] = [sorted[0]!, 0, 0];
  sorted.forEach((value, i) => {
    run = i > 0 && value === sorted[i - 1] ? run + 1 : 1;
    if (run > most) [best, most] = [value, run];
  });
  return best;
}

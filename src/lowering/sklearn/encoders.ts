import { asArray, toNumber } from '../../formats/numpy/pickled';
import type { Value } from '../../onnx/graph';
import { float64, type Tensor } from '../../onnx/tensor';
import { isDict, type Value as Pickled } from '../../pickle/values';
import type { PlanValue } from '../plan';
import type { Cell, HostValue } from '../predictor';
import { type Categories, categoriesInput, categoriesOf, inOutputDtype, unknownCategory } from './categories';
import { Grid } from './cells';
import type { Context, Entry, Lowered } from './context';
import { oneHotInverse, ordinalInverse } from './encoder-inverse';
import type { Estimator } from './estimator';
import { legacyOneHot } from './one-hot-legacy';

/** Encoders of categories. Source: sklearn `preprocessing/_encoders.py`, `_target_encoder.py`. */
export const ENCODERS: Readonly<Record<string, Entry>> = {
  'sklearn.OneHotEncoder': {
    lower: (estimator, context) =>
      isLegacy(estimator) ? legacyOneHot(estimator, context) : oneHot(estimator, context),
    input: (estimator) => (isLegacy(estimator) ? 'numeric' : categoriesInput(estimator)),
    missing: (estimator) => estimator.since('0.24'),
    fillsMissing: true,
    features: (estimator) => (isLegacy(estimator) ? undefined : estimator.items('categories_')?.length),
  },
  'sklearn.OrdinalEncoder': {
    lower: ordinal,
    input: categoriesInput,
    missing: (estimator) => estimator.since('0.24'),
    features: (estimator) => estimator.items('categories_')?.length,
  },
  'sklearn.TargetEncoder': {
    lower: targetEncoder,
    input: categoriesInput,
    missing: true,
    fillsMissing: true,
    features: (estimator) => estimator.items('categories_')?.length,
  },
};

/** Before 0.20, and in 0.20 and 0.21 for whole numbers without `categories`: columns up to the largest number. */
function isLegacy(estimator: Estimator): boolean {
  return estimator.flag('_legacy_mode', false) || (!estimator.has('categories_') && estimator.has('feature_indices_'));
}

/** Positions of categories after rare ones were put together; -1 where there is none. */
class Codes {
  readonly columns: readonly Categories[];
  private readonly mappings: readonly (Float64Array | undefined)[];
  private readonly rare: readonly (number | undefined)[];
  private readonly handling: string;
  private readonly rareTakesUnknown: boolean;

  constructor(
    estimator: Estimator,
    /** Categories that are not put together with rare ones. */
    private readonly kept: ReadonlyMap<number, number> = new Map(),
  ) {
    this.columns = categoriesOf(estimator);
    const enabled = estimator.flag('_infrequent_enabled', false);
    const perColumn = (name: string) =>
      (enabled ? (estimator.items(name) ?? []) : []).map((item) => asArray(item)?.toFloat64());
    this.mappings = perColumn('_default_to_infrequent_mappings');
    this.rare = perColumn('_infrequent_indices').map((indices) => indices?.[0]);
    this.mappings.forEach((mapping, column) => {
      const count = this.columns[column]?.count ?? 0;
      if (
        mapping &&
        (mapping.length > count || !mapping.every((code) => Number.isInteger(code) && code >= 0 && code < count))
      )
        throw estimator.unsupported('the positions of its infrequent categories do not fit its categories');
    });
    this.handling = estimator.optionalText('handle_unknown') ?? 'error';
    // "warn" came in 1.6 and left unknown categories out until 1.8.
    this.rareTakesUnknown =
      this.handling === 'infrequent_if_exist' || (this.handling === 'warn' && estimator.since('1.8'));
  }

  /** Number of different positions of a column. */
  count(column: number): number {
    const mapping = this.mappings[column];
    return mapping ? mapping.reduce((most, code) => Math.max(most, code), -1) + 1 : this.columns[column]!.count;
  }

  /** @throws ModelError `usage` for an unknown category where the encoder takes none */
  code(row: number, column: number, cell: Cell): number {
    let found = this.columns[column]!.find(cell);
    if (found === undefined) {
      if (this.handling === 'error') throw unknownCategory(row, column, cell);
      if (this.rare[column] === undefined || !this.rareTakesUnknown) return -1;
      found = this.rare[column];
    }
    return this.kept.get(column) === found ? found : (this.mappings[column]?.[found] ?? found);
  }
}

/** One column of zeros and ones for each category, without the dropped one; an unknown category is all zeros. */
function oneHot(estimator: Estimator, context: Context): Lowered {
  const codes = new Codes(estimator);
  const dropped = dropIndices(estimator, codes);
  const starts = [0];
  codes.columns.forEach((_, column) => {
    starts.push(starts[column]! + codes.count(column) - (dropped[column] === undefined ? 0 : 1));
  });
  const width = starts[codes.columns.length]!;
  const encode = (value: HostValue): Tensor => {
    const grid = new Grid(value);
    const out = new Float64Array(grid.rows * width);
    for (let row = 0; row < grid.rows; row++) {
      for (let column = 0; column < codes.columns.length; column++) {
        const code = codes.code(row, column, grid.at(row, column));
        const drop = dropped[column];
        if (code < 0 || code === drop) continue;
        out[row * width + starts[column]! + code - (drop !== undefined && code > drop ? 1 : 0)] = 1;
      }
    }
    return float64(out, [grid.rows, width]);
  };
  const encoded = step(context, 'one_hot', encode);
  const inverse = oneHotInverse(estimator, context, dropped);
  return {
    methods: {
      transform: (x) => inOutputDtype(estimator, context, encoded(x)),
      inverse_transform: inverse.method,
    },
    inverseWidth: inverse.width,
    passes: encoded,
  };
}

function step(context: Context, name: string, encode: (value: HostValue) => Tensor): (x: PlanValue) => Value {
  return context.memo(
    (x: PlanValue) => context.plan.step(name, [x], [{ name, dtype: 'float64' }], ([value]) => [encode(value!)])[0],
  );
}

/** Position of the dropped category of each column, after rare ones were put together (`_drop_idx_after_grouping` since 1.2). */
function dropIndices(estimator: Estimator, codes: Codes): (number | undefined)[] {
  const items = estimator.items('_drop_idx_after_grouping', 'drop_idx_');
  if (items) return items.map((item) => toNumber(item));
  const drop = estimator.optionalText('drop');
  if (drop === 'first') return codes.columns.map(() => 0);
  if (drop === 'if_binary') return codes.columns.map((_, column) => (codes.count(column) === 2 ? 0 : undefined));
  if (estimator.has('drop')) throw estimator.unsupported('the categories that it drops are not kept as positions');
  return [];
}

/** The position of the category; `unknown_value` for an unknown one, `encoded_missing_value` for a missing one. */
function ordinal(estimator: Estimator, context: Context): Lowered {
  const missing = missingIndices(estimator);
  const codes = new Codes(estimator, missing);
  const unknown = numberOf(estimator.raw('unknown_value'));
  const forMissing = numberOf(estimator.raw('encoded_missing_value'));
  const encode = (value: HostValue): Tensor => {
    const grid = new Grid(value);
    const columns = codes.columns.length;
    const out = new Float64Array(grid.rows * columns);
    for (let row = 0; row < grid.rows; row++) {
      for (let column = 0; column < columns; column++) {
        const code = codes.code(row, column, grid.at(row, column));
        const isMissing = code >= 0 && missing.get(column) === code;
        out[row * columns + column] = code < 0 ? unknown : isMissing ? forMissing : code;
      }
    }
    return float64(out, [grid.rows, columns]);
  };
  const encoded = step(context, 'ordinal', encode);
  return {
    methods: {
      transform: (x) => inOutputDtype(estimator, context, encoded(x)),
      inverse_transform: ordinalInverse(estimator, context, missing, unknown, forMissing),
    },
    inverseWidth: codes.columns.length,
    passes: encoded,
  };
}

function numberOf(value: Pickled | undefined): number {
  return (value === undefined ? undefined : toNumber(value)) ?? Number.NaN;
}

/** Where the missing value stands among the categories, by column: `_missing_indices` (since 1.1). */
function missingIndices(estimator: Estimator): Map<number, number> {
  const found = new Map<number, number>();
  const value = estimator.value('_missing_indices');
  if (isDict(value)) {
    for (const [column, index] of value) {
      const [at, to] = [toNumber(column), toNumber(index)];
      if (at !== undefined && to !== undefined) found.set(at, to);
    }
  } else if (estimator.since('1.0')) {
    // 1.0 kept NaN as it was.
    categoriesOf(estimator).forEach((column, i) => {
      const index = column.missing;
      if (index !== undefined && column.values[index] !== null) found.set(i, index);
    });
  }
  return found;
}

/** encodings_[c][category], the mean of the target for an unknown category; with several classes a column for each class. */
function targetEncoder(estimator: Estimator, context: Context): Lowered {
  const columns = categoriesOf(estimator);
  const encodings = (estimator.items('encodings_') ?? []).map(
    (item) => asArray(item)?.toFloat64() ?? new Float64Array(0),
  );
  const multiclass = estimator.optionalText('target_type_') === 'multiclass';
  const classes = multiclass ? Math.max(1, encodings.length / Math.max(1, columns.length)) : 1;
  const means = estimator.vector('target_mean_');
  const encode = (value: HostValue): Tensor => {
    const grid = new Grid(value);
    const width = encodings.length;
    const out = new Float64Array(grid.rows * width);
    for (let row = 0; row < grid.rows; row++) {
      for (let e = 0; e < width; e++) {
        const column = Math.floor(e / classes);
        const code = columns[column]?.find(grid.at(row, column));
        out[row * width + e] = code === undefined ? means[e % classes]! : encodings[e]![code]!;
      }
    }
    return float64(out, [grid.rows, width]);
  };
  return { methods: { transform: step(context, 'target_encoding', encode) } };
}

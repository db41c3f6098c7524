import { ModelError } from '../../bytes/errors';
import { asArray, plain } from '../../formats/numpy/pickled';
import type { Value } from '../../onnx/graph';
import { float64 } from '../../onnx/tensor';
import { asSequence, asText } from '../../pickle/values';
import type { PlanValue } from '../plan';
import type { Cell } from '../predictor';
import { type Context, cellNumber, isCells } from './context';
import { Estimator } from './estimator';

/**
 * The preprocessor of histogram gradient boosting since 1.4: categorical columns come first, each value replaced by its index
 * among the categories of the fitted `OrdinalEncoder` (a missing or unknown one by NaN), then the other columns as numbers.
 * Source: sklearn `_hist_gradient_boosting/gradient_boosting.py`, `_preprocess_X`.
 */
export interface CategoryEncoding {
  /** Column of `X` and its categories, in the order of encoding. */
  readonly categorical: readonly { readonly column: number; readonly categories: readonly Cell[] }[];
  readonly numerical: readonly number[];
  /** True if the categories are numbers only, so that rows are a matrix. */
  readonly numeric: boolean;
}

/** What the fitted preprocessor does; undefined where there is none. */
export function categoryEncoding(estimator: Estimator): CategoryEncoding | undefined {
  const preprocessor = estimator.optionalChild('_preprocessor');
  if (!preprocessor) return undefined;
  const parts = (preprocessor.items('transformers_') ?? []).map((item) => asSequence(item) ?? []);
  const encoderPart = parts.find((part) => asText(part[0]) === 'encoder');
  const encoder = Estimator.of(encoderPart?.[1]);
  const mask = asArray(encoderPart?.[2])?.toFloat64();
  if (!encoder || !mask) throw estimator.unsupported('its encoder of categories is not the usual one');
  const columns = Array.from(mask, (flag, column) => ({ flag, column }));
  const lists = encoder.items('categories_') ?? [];
  const categorical = columns
    .filter(({ flag }) => flag)
    .map(({ column }, i) => ({
      column,
      categories: (asArray(lists[i])?.toList() ?? []).map((item) => asCell(estimator, plain(item))),
    }));
  return {
    categorical,
    numerical: columns.filter(({ flag }) => !flag).map(({ column }) => column),
    numeric: categorical.every(({ categories }) => categories.every((item) => typeof item === 'number')),
  };
}

function asCell(estimator: Estimator, value: unknown): Cell {
  if (value === null || ['number', 'string', 'boolean', 'bigint'].includes(typeof value)) return value as Cell;
  throw estimator.unsupported('its categories are neither text nor numbers');
}

/** The rows as the trees take them. */
export function encodeCategories(context: Context, encoding: CategoryEncoding, x: PlanValue): Value {
  if (!isCells(x) && encoding.numeric) return encodeNumbers(context, encoding, context.numeric(x));
  const [encoded] = context.plan.step('encode_categories', [x], [{ name: 'encoded', dtype: 'float64' }], ([rows]) => {
    const [count = 0, width = 0] = rows!.shape;
    const cells = rows!.data as readonly Cell[];
    const columns = encoding.categorical.length + encoding.numerical.length;
    const data = new Float64Array(count * columns);
    const indexes = encoding.categorical.map(({ categories }) => new Map(categories.map((item, i) => [key(item), i])));
    for (let row = 0; row < count; row++) {
      encoding.categorical.forEach(({ column }, i) => {
        const cell = cells[row * width + column] ?? null;
        const index = isMissing(cell) ? undefined : indexes[i]!.get(key(cell));
        data[row * columns + i] = index ?? Number.NaN;
      });
      encoding.numerical.forEach((column, i) => {
        const cell = cells[row * width + column] ?? null;
        const number = cellNumber(cell);
        if (number === undefined)
          throw new ModelError(
            'usage',
            `Row ${row + 1} holds the text "${String(cell)}" where the model takes a number.`,
          );
        data[row * columns + encoding.categorical.length + i] = number;
      });
    }
    return [float64(data, [count, columns])];
  });
  return encoded;
}

function isMissing(cell: Cell): boolean {
  return cell === null || (typeof cell === 'number' && Number.isNaN(cell));
}

function key(cell: Cell): string {
  return typeof cell === 'string' ? `s${cell}` : `n${Number(cell)}`;
}

/** The same for a matrix of numbers, inside the graph: the index of the equal category, NaN where none is equal. */
function encodeNumbers(context: Context, encoding: CategoryEncoding, rows: Value): Value {
  const { plan } = context;
  const parts = encoding.categorical.map(({ column, categories }) => {
    const values = categories.map(Number).filter((value) => !Number.isNaN(value));
    const cells = plan.columns(rows, [column]);
    if (values.length === 0) return plan.where(plan.equal(cells, cells), Number.NaN, cells);
    const equal = plan.cast(plan.equal(cells, plan.doubles(values, [1, values.length])), 'float64');
    const index = plan.cast(plan.argmax(equal, 1, true), 'float64');
    return plan.where(plan.greater(plan.reduceMax(equal, [1], true), 0), index, Number.NaN);
  });
  return plan.concat([...parts, ...(encoding.numerical.length > 0 ? [plan.columns(rows, encoding.numerical)] : [])], 1);
}

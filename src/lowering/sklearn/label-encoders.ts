import { ModelError } from '../../bytes/errors';
import type { Value } from '../../onnx/graph';
import { float64, type Tensor, toNumbers } from '../../onnx/tensor';
import type { PlanValue } from '../plan';
import type { Cell } from '../predictor';
import { Categories, unknownCategory } from './categories';
import { Grid } from './cells';
import { labelOfLargest, labelOfSign, onlyClasses, takeLabels } from './classifiers';
import type { Context, Entry, Lowered } from './context';
import type { Estimator } from './estimator';

/** Encoders of labels: they take a list of labels, one a row. Source: sklearn `preprocessing/_label.py`. */
export const LABEL_ENCODERS: Readonly<Record<string, Entry>> = {
  'sklearn.LabelEncoder': { lower: labelEncoder, input: 'mixed', features: () => 1 },
  'sklearn.LabelBinarizer': {
    lower: labelBinarizer,
    input: (estimator) => (isMultilabel(estimator) ? 'numeric' : 'mixed'),
    features: (estimator) => (isMultilabel(estimator) ? estimator.optionalArray('classes_')?.size : 1),
  },
  'sklearn.MultiLabelBinarizer': { lower: multiLabelBinarizer, input: 'records' },
};

/** The position of the label among the sorted `classes_`; int64. */
function labelEncoder(estimator: Estimator, context: Context): Lowered {
  const categories = new Categories(estimator.array('classes_'));
  return {
    methods: {
      transform: (x) =>
        context.plan.step('label_numbers', [x], [{ name: 'numbers', dtype: 'int64' }], ([value]): Tensor[] => {
          const grid = new Grid(value!);
          const numbers = BigInt64Array.from({ length: grid.rows }, (_, row) => {
            const found = categories.find(grid.at(row, 0));
            if (found === undefined) throw unknownCategory(row, 0, grid.at(row, 0));
            return BigInt(found);
          });
          return [{ dtype: 'int64', shape: [grid.rows], data: numbers }];
        })[0],
      inverse_transform: (x) =>
        takeLabels(
          context,
          onlyClasses(estimator),
          context.plan.reshape(context.plan.cast(context.numeric(x), 'int64'), [-1]),
        ),
    },
    inverseWidth: 1,
  };
}

function isMultilabel(estimator: Estimator): boolean {
  return (estimator.optionalText('y_type_') ?? '').startsWith('multilabel');
}

/** pos_label in the column of the label, neg_label in the others; with two classes a single column, for the second. */
function labelBinarizer(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const categories = new Categories(estimator.array('classes_'));
  const [negative, positive] = [estimator.optionalNumber('neg_label') ?? 0, estimator.optionalNumber('pos_label') ?? 1];
  const multilabel = isMultilabel(estimator);
  const { count } = categories;
  const width = multilabel || count > 2 ? count : 1;
  const integers = (x: Value): Value => plan.cast(x, 'int64');
  const binarize = (cells: readonly Cell[]): Tensor => {
    const out = new Float64Array(cells.length * width).fill(negative);
    const others = new Set<Cell>();
    cells.forEach((cell, row) => {
      const found = categories.find(cell);
      if (found === undefined) others.add(cell);
      else if (width > 1) out[row * width + found] = positive;
      else if (count === 2 && found === 1) out[row] = positive;
    });
    // A third label makes the framework answer with two columns.
    if (count === 2 && others.size > 0)
      throw new ModelError(
        'usage',
        `"${String([...others][0])}" is not one of the two labels that the model was fitted with.`,
      );
    return float64(out, [cells.length, width]);
  };
  const transform = (x: PlanValue): Value =>
    multilabel
      ? integers(plan.where(plan.equal(context.numeric(x), 0), negative, plan.scalar(positive, 'float64')))
      : integers(
          plan.step('indicators', [x], [{ name: 'indicators', dtype: 'float64' }], ([value]) => [
            binarize(new Grid(value!).column(0)),
          ])[0],
        );
  const inverse = (x: PlanValue): Value => {
    const rows = context.numeric(x);
    const classes = onlyClasses(estimator);
    if (multilabel) return integers(plan.greater(rows, (positive + negative) / 2));
    if (width > 1) return labelOfLargest(context, classes, rows);
    const high = plan.greater(plan.reshape(rows, [-1]), (positive + negative) / 2);
    return count === 1
      ? takeLabels(context, classes, plan.mul(plan.cast(high, 'int64'), 0))
      : labelOfSign(context, classes, high);
  };
  return { methods: { transform, inverse_transform: inverse }, inverseWidth: width };
}

/** A column of 0 and 1 for each class; a row is a list of labels. Labels that are not known are left out, with a warning. */
function multiLabelBinarizer(estimator: Estimator, context: Context): Lowered {
  const categories = new Categories(estimator.array('classes_'));
  const { count } = categories;
  return {
    methods: {
      transform: (x) =>
        context.plan.step('indicators', [x as Value], [{ name: 'indicators', dtype: 'int64' }], ([value]): Tensor[] => {
          const rows = value!.data as readonly string[];
          const out = new BigInt64Array(rows.length * count);
          rows.forEach((text, row) => {
            for (const label of labelsOfRecord(text, row)) {
              const found = categories.find(label);
              if (found !== undefined) out[row * count + found] = 1n;
            }
          });
          return [{ dtype: 'int64', shape: [rows.length, count], data: out }];
        })[0],
      inverse_transform: (x) =>
        jsonRows(context, context.numeric(x), count, (row, i) => {
          const other = row.find((value) => value !== 0 && value !== 1);
          if (other !== undefined) throw new ModelError('usage', `Row ${i + 1} holds ${other}; indicators are 0 or 1.`);
          return categories.values.filter((_, k) => row[k] === 1);
        }),
    },
    inverseWidth: count,
  };
}

/**
 * Rows of numbers to lists or objects of any length: each is given as its JSON.
 * @throws ModelError `usage` for rows of another width
 */
export function jsonRows(
  context: Context,
  x: Value,
  width: number,
  describe: (row: Float64Array, index: number) => unknown,
): Value {
  return context.plan.step('records', [x], [{ name: 'records', dtype: 'string' }], ([value]): Tensor[] => {
    const [rows = 0, columns = 0] = value!.shape;
    if (columns !== width) throw new ModelError('usage', `The rows have ${columns} values; this model makes ${width}.`);
    const cells = toNumbers(value as Tensor);
    const data = Array.from({ length: rows }, (_, i) =>
      JSON.stringify(describe(Float64Array.from(cells.subarray(i * width, (i + 1) * width)), i)),
    );
    return [{ dtype: 'string', shape: [rows], data }];
  })[0];
}

/** A record that must be a list of labels; text is a list of its characters, as in Python. */
function labelsOfRecord(text: string, row: number): Cell[] {
  const record = parseRecord(text);
  if (typeof record === 'string') return [...record];
  if (Array.isArray(record) && record.every((item) => item === null || typeof item !== 'object'))
    return record as Cell[];
  throw new ModelError('usage', `Row ${row + 1} is not a list of labels.`);
}

/** A record as JSON; text that is not JSON stands for itself. */
export function parseRecord(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

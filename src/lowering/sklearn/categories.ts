import { ModelError } from '../../bytes/errors';
import { asDType } from '../../formats/numpy/dtype';
import type { NdArray } from '../../formats/numpy/ndarray';
import { plain } from '../../formats/numpy/pickled';
import type { Value } from '../../onnx/graph';
import { DTYPE_CODES, type Dtype } from '../../onnx/tensor';
import { Global, type Value as Pickled } from '../../pickle/values';
import type { Cell } from '../predictor';
import { type Context, cellNumber, cellText } from './context';
import type { Estimator } from './estimator';

/** The categories of one column, to be found by value as Python compares: 1, 1.0 and True are equal, "1" is another. */
export class Categories {
  readonly count: number;
  /** Whether the column holds numbers only, so that text is read as a number. */
  readonly numeric: boolean;
  readonly values: readonly Pickled[];
  private readonly places = new Map<string | number | bigint, number>();
  private nan: number | undefined;
  private none: number | undefined;

  constructor(array: NdArray) {
    this.values = array.toList().map(plain);
    this.count = this.values.length;
    this.numeric = !array.objects && /^[iufb]$/.test(array.dtype.kind);
    this.values.forEach((value, i) => {
      if (value === null) this.none = i;
      else if (typeof value === 'number' && Number.isNaN(value)) this.nan = i;
      else {
        const key = keyOf(value);
        if (key !== undefined && !this.places.has(key)) this.places.set(key, i);
      }
    });
  }

  /** Position of a cell's category; undefined if it is none of them. A missing cell is NaN or None, whichever there is. */
  find(cell: Cell): number | undefined {
    if (cell === null || (typeof cell === 'number' && Number.isNaN(cell)))
      return cell === null ? (this.none ?? this.nan) : (this.nan ?? this.none);
    if (typeof cell !== 'string') return this.places.get(keyOf(cell)!);
    const found = this.places.get(`s${cell}`);
    if (found !== undefined) return found;
    if (cell.trim() === '') return this.nan ?? this.none;
    const number = cellNumber(cell);
    return number === undefined ? undefined : Number.isNaN(number) ? this.nan : this.places.get(number);
  }

  get missing(): number | undefined {
    return this.nan ?? this.none;
  }
}

function keyOf(value: Pickled): string | number | bigint | undefined {
  if (typeof value === 'string') return `s${value}`;
  if (typeof value === 'boolean') return Number(value);
  if (typeof value === 'number') return value;
  return typeof value === 'bigint' ? (Number.isSafeInteger(Number(value)) ? Number(value) : value) : undefined;
}

/** The categories of every column: `categories_`. */
export function categoriesOf(estimator: Estimator): Categories[] {
  const items = estimator.items('categories_');
  if (!items) throw estimator.unsupported('it has no categories_; it may not have been fitted');
  return items.map((_, i) => new Categories(estimator.arrayIn('categories_', i)));
}

/** `numeric` where every column holds numbers. */
export function categoriesInput(estimator: Estimator): 'numeric' | 'mixed' {
  return categoriesOf(estimator).every((column) => column.numeric) ? 'numeric' : 'mixed';
}

/** What the framework raises for a category that it has not seen. */
export function unknownCategory(row: number, column: number, cell: Cell): ModelError {
  const shown = typeof cell === 'string' ? `"${cell.slice(0, 60)}"` : cellText(cell);
  return new ModelError(
    'usage',
    `Row ${row + 1}, value ${column + 1} is ${shown}, a category that was not there when the model was fitted; it takes no others.`,
  );
}

/** The dtype that an encoder was told to give; float64 where it is not one of the runtime's. */
export function outputDtype(estimator: Estimator): Dtype {
  const value = estimator.value('dtype');
  if (value instanceof Global) {
    const builtin: Record<string, Dtype> = {
      int: 'int64',
      float: 'float64',
      bool: 'bool',
      float_: 'float64',
      int_: 'int64',
    };
    const name = builtin[value.name] ?? value.name;
    return name in DTYPE_CODES ? (name as Dtype) : 'float64';
  }
  const type = asDType(value)?.type;
  return type !== undefined && type in DTYPE_CODES ? (type as Dtype) : 'float64';
}

/** Numbers in the dtype that an encoder was told to give. */
export function inOutputDtype(estimator: Estimator, context: Context, value: Value): Value {
  const dtype = outputDtype(estimator);
  return dtype === 'string' ? value : context.plan.cast(value, dtype);
}

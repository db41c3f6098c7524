import { ModelError } from '../../bytes/errors';
import type { NdArray } from '../../formats/numpy/ndarray';
import { asArray, plain, toNumber } from '../../formats/numpy/pickled';
import { float64, type Tensor } from '../../onnx/tensor';
import { asSequence, asText, classOf, Global, Instance, isDict, stateDict, type Value } from '../../pickle/values';

const views = new WeakMap<Instance, Estimator>();

/**
 * A pickled estimator as lowerings read it: by attribute name, tolerant of every version. An accessor takes several names
 * where an attribute was renamed; the first that is there counts.
 */
export class Estimator {
  readonly className: string;
  /** First component of the module: `sklearn`, `xgboost`. */
  readonly package: string;
  /** Version that wrote it (`_sklearn_version`), as numbers: `[1, 2]`. Undefined where it is not written (before 0.18). */
  readonly version: readonly number[] | undefined;
  private readonly attributes: ReadonlyMap<Value, Value>;

  private constructor(
    readonly instance: Instance,
    readonly type: Global,
  ) {
    this.className = type.name;
    this.package = type.module.split('.', 1)[0]!;
    this.attributes = stateDict(instance) ?? new Map();
    const text = asText(this.attributes.get('_sklearn_version'));
    this.version =
      text === undefined
        ? undefined
        : text
            .split('.')
            .slice(0, 2)
            .map((part) => Number.parseInt(part, 10));
  }

  /** The view of a pickled object, one for each object; undefined for what is not an instance of a class. */
  static of(value: Value | undefined): Estimator | undefined {
    if (!(value instanceof Instance)) return undefined;
    const type = classOf(value);
    if (!(type instanceof Global)) return undefined;
    let view = views.get(value);
    if (!view) {
      view = new Estimator(value, type);
      views.set(value, view);
    }
    return view;
  }

  /** `sklearn.RandomForestClassifier`: package and class, the key of the lowering table. Modules moved between versions. */
  get key(): string {
    return `${this.package}.${this.className}`;
  }

  /** Whether it was written by version `text` ("1.2") or later. An unknown version is older than any. */
  since(text: string): boolean {
    if (!this.version) return false;
    const [major = 0, minor = 0] = text.split('.').map(Number);
    const [a = 0, b = 0] = this.version;
    return a > major || (a === major && b >= minor);
  }

  /** Whether one of the attributes is there and not `None`. */
  has(...names: string[]): boolean {
    return this.find(names) !== undefined;
  }

  /** The first of the attributes that is there and not `None`. */
  value(...names: string[]): Value | undefined {
    return this.find(names);
  }

  /** The value of an attribute whether or not it is `None`; undefined if it is not written. NumPy scalars are plain values. */
  raw(name: string): Value | undefined {
    const value = this.attributes.get(name);
    return value === undefined ? undefined : plain(value);
  }

  /** A number: Python's, NumPy's, or an array of one element. */
  number(...names: string[]): number {
    return this.optionalNumber(...names) ?? this.missing(names, 'a number');
  }

  optionalNumber(...names: string[]): number | undefined {
    return toNumber(this.find(names));
  }

  text(...names: string[]): string {
    return this.optionalText(...names) ?? this.missing(names, 'text');
  }

  optionalText(...names: string[]): string | undefined {
    const value = this.find(names);
    return value === undefined ? undefined : asText(plain(value));
  }

  /** A truth value; `fallback` where the version did not have it. */
  flag(name: string, fallback: boolean): boolean {
    const value = this.raw(name);
    if (typeof value === 'boolean') return value;
    if (typeof value === 'number') return value !== 0;
    return fallback;
  }

  /** A NumPy array. */
  array(...names: string[]): NdArray {
    return this.optionalArray(...names) ?? this.missing(names, 'an array');
  }

  optionalArray(...names: string[]): NdArray | undefined {
    return asArray(this.find(names));
  }

  /** A NumPy array at a place in a list or tuple. */
  arrayIn(name: string, index: number): NdArray {
    return asArray(this.items(name)?.[index]) ?? this.missing([name], 'a list of arrays');
  }

  /** A dense float64 tensor of an array, a sparse matrix, a list of numbers or a single number (shape `[]`). */
  tensor(...names: string[]): Tensor {
    return this.optionalTensor(...names) ?? this.missing(names, 'an array of numbers');
  }

  optionalTensor(...names: string[]): Tensor | undefined {
    const value = this.find(names);
    return value === undefined ? undefined : asTensor(value);
  }

  /** A float64 vector, of any shape flattened. */
  vector(...names: string[]): Float64Array {
    return this.tensor(...names).data as Float64Array;
  }

  /** The items of a list, a tuple or an object array; undefined for anything else. */
  items(...names: string[]): Value[] | undefined {
    const value = this.find(names);
    if (value === undefined) return undefined;
    return asSequence(value) ?? asArray(value)?.toList();
  }

  /** A fitted estimator inside this one. */
  child(...names: string[]): Estimator {
    return this.optionalChild(...names) ?? this.missing(names, 'an estimator');
  }

  optionalChild(...names: string[]): Estimator | undefined {
    return Estimator.of(this.find(names));
  }

  /** Fitted estimators in a list, tuple or object array of any shape, in row-major order. */
  children(...names: string[]): Estimator[] {
    const items = this.items(...names) ?? this.missing(names, 'a list of estimators');
    return items.map((item) => Estimator.of(item) ?? this.missing(names, 'a list of estimators'));
  }

  /** Class name of the object in an attribute (a loss, a link), whatever it is made of. */
  classNameOf(...names: string[]): string | undefined {
    const value = this.find(names);
    if (value instanceof Global) return value.name;
    const type = classOf(value);
    // A Cython object is made by a function of its module that takes the class first.
    const first = value instanceof Instance ? asSequence(value.args)?.[0] : undefined;
    if (type && /^(__pyx_unpickle_|newObj|_reconstruct)/.test(type.name)) {
      return first instanceof Global ? first.name : type.name.replace('__pyx_unpickle_', '');
    }
    return type?.name;
  }

  /** Attribute names, for messages and for lowerings that look at a dictionary of parameters. */
  names(): string[] {
    return [...this.attributes.keys()].filter((key): key is string => typeof key === 'string');
  }

  /** An `unsupported` error that names the class. */
  unsupported(reason: string): ModelError {
    return new ModelError('unsupported', `${this.className} cannot be predicted: ${reason}.`);
  }

  private find(names: readonly string[]): Value | undefined {
    for (const name of names) {
      const value = this.attributes.get(name);
      if (value !== undefined && value !== null) return value;
    }
    return undefined;
  }

  private missing(names: readonly string[], what: string): never {
    const fitted = names.some((name) => name.endsWith('_'));
    const hint = fitted ? '; it may not have been fitted' : '';
    throw this.unsupported(`its attribute ${names.join(' or ')} is not ${what}${hint}`);
  }
}

/** A dense float64 tensor of what a pickled value holds; undefined when it is not numeric. */
export function asTensor(value: Value): Tensor | undefined {
  const array = asArray(value);
  if (array)
    return array.dtype.fields || array.dtype.kind === 'U' || array.dtype.kind === 'S'
      ? undefined
      : float64(array.toFloat64(), array.shape);
  const sparse = asSparse(value);
  if (sparse) return sparse;
  const number = toNumber(value);
  if (number !== undefined) return float64([number], []);
  const items = asSequence(value);
  if (!items) return undefined;
  const numbers = items.map(toNumber);
  return numbers.every((n) => n !== undefined) ? float64(numbers as number[]) : undefined;
}

/**
 * A SciPy CSR, CSC or DIA matrix (or array) as a dense tensor. State of the pickle: `data`, `indices`, `indptr`, `_shape`;
 * DIA: `data` (diagonals × columns) and `offsets`.
 */
function asSparse(value: Value): Tensor | undefined {
  const type = classOf(value);
  const state = stateDict(value);
  if (!type?.module.startsWith('scipy.sparse') || !state) return undefined;
  const numbers = (name: string) => asArray(state.get(name))?.toFloat64();
  const [rows, columns] = (asSequence(state.get('_shape')) ?? asSequence(state.get('shape')) ?? []).map(toNumber);
  const data = numbers('data');
  if (rows === undefined || columns === undefined || !data) return undefined;
  // A gigabyte is more than any fitted matrix that is worth making dense.
  if (!(rows >= 0 && columns >= 0 && rows * columns <= 2 ** 27)) return undefined;
  const dense = new Float64Array(rows * columns);
  const put = (row: number, column: number, number: number) => {
    // Entries that stand for the same place add up, as in SciPy.
    if (row >= 0 && row < rows && column >= 0 && column < columns) dense[row * columns + column]! += number;
  };
  if (/^dia_/.test(type.name)) {
    const width = data.length / Math.max(1, numbers('offsets')?.length ?? 1);
    numbers('offsets')?.forEach((offset, k) => {
      for (let column = 0; column < width; column++) put(column - offset, column, data[k * width + column]!);
    });
    return float64(dense, [rows, columns]);
  }
  const [indices, indptr] = [numbers('indices'), numbers('indptr')];
  if (!indices || !indptr || !/^cs[rc]_/.test(type.name)) return undefined;
  for (let major = 0; major + 1 < indptr.length; major++) {
    for (let at = indptr[major]!; at < indptr[major + 1]!; at++) {
      if (type.name.startsWith('csr')) put(major, indices[at]!, data[at]!);
      else put(indices[at]!, major, data[at]!);
    }
  }
  return float64(dense, [rows, columns]);
}

/** A pickled Python dictionary with string keys, NumPy strings included. */
export function textKeys(value: Value | undefined): Map<string, Value> {
  const map = new Map<string, Value>();
  if (!isDict(value)) return map;
  for (const [key, item] of value) {
    const text = asText(plain(key));
    if (text !== undefined) map.set(text, item);
  }
  return map;
}

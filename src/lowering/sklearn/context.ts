import { ModelError } from '../../bytes/errors';
import type { Value } from '../../onnx/graph';
import { float64, type Tensor, toNumbers } from '../../onnx/tensor';
import type { Cells, Plan, PlanValue } from '../plan';
import type { Cell, HostValue, Table } from '../predictor';
import type { Estimator } from './estimator';
import { reasonFor } from './refused';

/** What users may ask of an estimator, in the order in which answers are shown. */
export const METHODS = [
  'predict',
  'predict_proba',
  'predict_log_proba',
  'decision_function',
  'transform',
  'score_samples',
  'apply',
  'kneighbors',
  'inverse_transform',
] as const;

export type MethodName = (typeof METHODS)[number];

/** One method on rows: a value, or one for each output of a multi-output estimator. */
export type Method = (x: PlanValue) => Value | Value[];

/** An estimator made ready: its methods, to be called as often as needed on any rows, and what their columns mean. */
export interface Lowered {
  readonly methods: { readonly [name in MethodName]?: Method };
  /** Labels of a classifier: of the columns of `predict_proba` and, with more than two, of `decision_function`. */
  readonly classes?: Tensor | readonly Tensor[];
  /** Whether `decision_function` has a column for each pair of classes, which therefore do not name its columns. */
  readonly pairwise?: boolean;
  /** What `inverse_transform` takes: the number of columns, if known. */
  readonly inverseWidth?: number;
  /** What `transform` passes on inside a composite, where that is cells; `methods.transform` then gives it in the form of an output. */
  readonly passes?: (x: PlanValue) => PlanValue;
}

export type Lowering = (estimator: Estimator, context: Context) => Lowered;

/** `numeric`: a matrix of numbers; `mixed`: rows of cells of any type; `text`: a list of texts; `records`: a list of objects or lists, each as JSON. */
export type InputKind = 'numeric' | 'mixed' | 'text' | 'records';

/** A line of the lowering table. */
export interface Entry {
  readonly lower: Lowering;
  /** It is known, and always refused with a reason. */
  readonly refused?: boolean;
  /** What `X` is; `numeric` unless said otherwise. */
  readonly input?: InputKind | ((estimator: Estimator, context: Context) => InputKind);
  /** Whether `X` may hold missing values; the framework refuses them otherwise. */
  readonly missing?: boolean | ((estimator: Estimator, context: Context) => boolean);
  /** Whether the output of `transform` holds no missing values even if `X` does (imputers). */
  readonly fillsMissing?: boolean;
  /** Whether `X` may hold infinities. */
  readonly infinite?: boolean;
  /** The estimator that gets `X` as it is (a pipeline's first step), for names and numbers of columns. */
  readonly first?: (estimator: Estimator, context: Context) => Estimator | undefined;
  /** Number of columns of `X`, where the usual attributes do not tell. */
  readonly features?: (estimator: Estimator, context: Context) => number | undefined;
  /** Names of the columns of `X`, where they are not in `feature_names_in_`. */
  readonly names?: (estimator: Estimator) => readonly string[] | undefined;
  /** False if an output row depends on other rows, or rows are not the first dimension of an output. */
  readonly rowwise?: boolean | ((estimator: Estimator) => boolean);
}

export interface ContextOptions {
  /** Show what the steps of a pipeline pass on. */
  readonly intermediate?: boolean;
  /** Operators wherever possible, also where code is faster: for a graph that other programs run. */
  readonly portable?: boolean;
}

/** What lowerings share while one predictor is built. */
export class Context {
  /** Outputs of inner steps, by the step's name. */
  readonly exposed: { readonly step: string; readonly method: string; readonly value: Value }[] = [];
  /** Columns of the widest inner result that code makes dense. */
  widest = 0;
  /** Things the user should know about these predictions. */
  readonly notes = new Set<string>();
  /** Whether each output row depends on one input row alone, in everything that was lowered. */
  rowwise = true;
  private readonly lowered = new Map<Estimator, Lowered>();
  private depth = 0;

  constructor(
    readonly plan: Plan,
    private readonly table: ReadonlyMap<string, Entry>,
    readonly options: ContextOptions = {},
  ) {}

  /** The table's line for an estimator. @throws ModelError `unsupported` that names a class which is not in it. */
  entry(estimator: Estimator): Entry {
    const entry = this.table.get(estimator.key);
    if (entry) return entry;
    const known =
      estimator.package === 'sklearn'
        ? `scikit-learn's ${estimator.className}`
        : `${estimator.type.module}.${estimator.className}`;
    throw new ModelError('unsupported', `${known} cannot be predicted: ${reasonFor(estimator)}.`);
  }

  /** Whether the table has a line for an estimator. */
  knows(estimator: Estimator): boolean {
    return this.table.has(estimator.key);
  }

  /** Lowers an estimator, once for each object. Estimators may nest; a cycle is refused. */
  lower(estimator: Estimator): Lowered {
    const known = this.lowered.get(estimator);
    if (known) return known;
    if (this.depth > 64) throw estimator.unsupported('estimators are nested more than 64 levels deep');
    this.depth++;
    try {
      const { lower, rowwise = true } = this.entry(estimator);
      const lowered = lower(estimator, this);
      this.rowwise &&= typeof rowwise === 'function' ? rowwise(estimator) : rowwise;
      this.lowered.set(estimator, lowered);
      return lowered;
    } finally {
      this.depth--;
    }
  }

  /** A method of an inner estimator that must be there. */
  method(estimator: Estimator, ...names: MethodName[]): Method {
    const { methods } = this.lower(estimator);
    for (const name of names) {
      const method = methods[name];
      if (method) return method;
    }
    throw estimator.unsupported(`it has no ${names.join(' or ')}`);
  }

  /** A method of an inner estimator with exactly one output. */
  single(estimator: Estimator, ...names: MethodName[]): (x: PlanValue) => Value {
    const method = this.method(estimator, ...names);
    return (x) => {
      const result = method(x);
      if (!Array.isArray(result)) return result;
      throw estimator.unsupported('several outputs are not possible here');
    };
  }

  /** What an inner transformer passes on: a matrix, or cells. */
  transformed(estimator: Estimator): (x: PlanValue) => PlanValue {
    return this.lower(estimator).passes ?? this.single(estimator, 'transform');
  }

  /** Cells in the form of an output: numbers if all are, otherwise text. */
  cellsOutput(x: PlanValue): Value {
    return isCells(x) ? this.memoOutput(x) : x;
  }

  inputKind(estimator: Estimator): InputKind {
    const { input = 'numeric' } = this.entry(estimator);
    return typeof input === 'function' ? input(estimator, this) : input;
  }

  takesMissing(estimator: Estimator): boolean {
    const { missing = false } = this.entry(estimator);
    return typeof missing === 'function' ? missing(estimator, this) : missing;
  }

  /** Whether a chain of estimators takes missing values: each does, up to one that fills them in. */
  chainTakesMissing(chain: readonly Estimator[]): boolean {
    for (const estimator of chain) {
      if (!this.takesMissing(estimator)) return false;
      if (this.entry(estimator).fillsMissing) return true;
    }
    return true;
  }

  /** Number of columns an estimator was fitted with; undefined when nothing tells. */
  featureCount(estimator: Estimator): number | undefined {
    const direct = estimator.optionalNumber('n_features_in_');
    if (direct !== undefined) return direct;
    // Selectors call the number of chosen columns `n_features_`.
    const own = this.entry(estimator).features?.(estimator, this);
    if (own !== undefined) return own;
    const older = estimator.optionalNumber('n_features_', 'n_input_features_');
    if (older !== undefined) return older;
    const inner = this.firstInside(estimator);
    if (inner) return this.featureCount(inner);
    const last = (...names: string[]) => estimator.optionalArray(...names)?.shape.at(-1);
    return (
      last('coef_') ??
      last('mean_', 'scale_', 'center_', 'data_min_', 'statistics_') ??
      last('components_', 'cluster_centers_', 'theta_', '_fit_X', 'X_fit_')
    );
  }

  /** The estimator that gets `X` as it is, where there is one. */
  firstInside(estimator: Estimator): Estimator | undefined {
    return this.entry(estimator).first?.(estimator, this);
  }

  /** The rows as a float64 matrix: cells are converted as NumPy converts objects, texts that are numbers included. */
  numeric(x: PlanValue): Value {
    if (isCells(x)) return this.memoNumeric(x);
    if (x.dtype === 'string')
      return this.plan.step('to_numbers', [x], [{ name: 'numbers', dtype: 'float64' }], ([text]) => [
        cellsToNumbers(text!),
      ])[0];
    return this.plan.cast(x, 'float64');
  }

  /** Remembers the result of `make` for each argument, so that methods share large parts (trees, code steps). */
  memo<A extends object, R>(make: (argument: A) => R): (argument: A) => R {
    const results = new Map<A, R>();
    return (argument) => {
      if (!results.has(argument)) results.set(argument, make(argument));
      return results.get(argument)!;
    };
  }

  /** Marks an inner result for showing, if the user asked for intermediate results. Steps inside steps are named by their path. */
  expose(step: string, method: string, value: PlanValue): void {
    if (!this.options.intermediate) return;
    this.exposed.push({ step: `${this.plan.path}${step}`, method, value: this.cellsOutput(value) });
  }

  private readonly memoOutput = this.memo(
    (x: Cells): Value =>
      this.plan.step('to_output', [x], [{ name: 'cells', dtype: 'string' }], ([table]) => [
        outputOfCells(table as Table),
      ])[0],
  );

  private readonly memoNumeric = this.memo(
    (x: Cells): Value =>
      this.plan.step('to_numbers', [x], [{ name: 'numbers', dtype: 'float64' }], ([table]) => [
        cellsToNumbers(table!),
      ])[0],
  );
}

export function isCells(value: PlanValue): value is Cells {
  return value.dtype === 'mixed';
}

/** Cells as float64, as `numpy.asarray(cells, dtype=float64)` converts them. */
function cellsToNumbers(value: HostValue): Tensor {
  if (value.dtype !== 'mixed' && value.dtype !== 'string') return float64(toNumbers(value), value.shape);
  const data = Float64Array.from(value.data as readonly Cell[], (cell, i) => {
    const number = cellNumber(cell);
    if (number === undefined) {
      const row = Math.floor(i / Math.max(1, value.shape[1] ?? 1)) + 1;
      throw new ModelError('usage', `Row ${row} holds the text "${String(cell)}" where the model takes a number.`);
    }
    return number;
  });
  return float64(data, value.shape);
}

/** Numbers or truth values if all cells are such, otherwise text as Python prints the cells. */
function outputOfCells({ data, shape }: Table): Tensor {
  if (data.length > 0 && data.every((cell) => typeof cell === 'boolean'))
    return { dtype: 'bool', shape, data: Uint8Array.from(data, Number) };
  // A missing cell among numbers is not a number.
  const numbers = data.every((cell) => cell === null || typeof cell === 'number' || typeof cell === 'bigint');
  if (numbers && data.some((cell) => typeof cell === 'number' || typeof cell === 'bigint'))
    return float64(
      data.map((cell) => (cell === null ? Number.NaN : Number(cell))),
      shape,
    );
  return { dtype: 'string', shape, data: data.map(cellText) };
}

/** A cell as Python prints it; JSON does not tell 1.0 from 1. */
export function cellText(cell: Cell): string {
  if (cell === null) return 'None';
  if (typeof cell === 'boolean') return cell ? 'True' : 'False';
  return Number.isNaN(cell) ? 'nan' : String(cell);
}

/** The number of a cell: a missing one is NaN, text is read as Python's `float()` reads it. */
export function cellNumber(cell: Cell): number | undefined {
  if (cell === null) return Number.NaN;
  if (typeof cell !== 'string') return Number(cell);
  const text = cell.trim();
  if (/^[+-]?nan$/i.test(text)) return Number.NaN;
  const infinite = /^([+-]?)inf(inity)?$/i.exec(text);
  if (infinite) return infinite[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
}

import type { Dtype, Tensor } from '../onnx/tensor';
import type { OnnxModel } from '../onnx/writer';

/** What one cell of a table can hold: as JSON and CSV give it. `null` is a missing value. */
export type Cell = number | bigint | string | boolean | null;

/** Columns of different types, or text: what an estimator takes that is not a matrix of numbers. Only code steps take it. */
export interface Table {
  readonly dtype: 'mixed';
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: readonly Cell[];
}

export type HostValue = Tensor | Table;

/** Runs graphs for a code step that needs one while it goes (data-dependent programs). */
export interface GraphRunner {
  run(model: OnnxModel, feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>>;
}

/** A step that ONNX cannot express exactly. Its values are named as those of the graphs are. */
export interface CodeStep {
  readonly kind: 'code';
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  run(inputs: readonly HostValue[], runner: GraphRunner): readonly HostValue[] | Promise<readonly HostValue[]>;
}

/** An ONNX graph; its inputs and outputs are found by name among the values of the predictor. */
export interface GraphStep {
  readonly kind: 'graph';
  readonly name: string;
  readonly model: OnnxModel;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

export type PredictorStep = CodeStep | GraphStep;

export interface PredictorInput {
  readonly name: string;
  /** `mixed`: rows of cells of any type; `string`: text. */
  readonly dtype: Dtype | 'mixed';
  /** `null` for a dimension that varies. The first is the number of rows where `rowwise` is set. */
  readonly shape: readonly (number | null)[];
  /** Names of the columns, where the model knows them. */
  readonly features?: readonly string[];
  /** Rows are objects or lists rather than texts; each is handed on as its JSON. */
  readonly records?: boolean;
  /** Whether missing values (NaN, null) may stand in it; the framework refuses them otherwise. */
  readonly missing: boolean;
  /** Whether infinities may stand in it. */
  readonly infinite: boolean;
  readonly meaning?: string;
}

export interface PredictorOutput {
  /** As users see it: `predict`, `predict_proba`, `predict_proba_1`. */
  readonly name: string;
  /** The estimator's method, the signature's output. */
  readonly method: string;
  /** Name of the value among those of the steps. */
  readonly value: string;
  readonly dtype: Dtype;
  /** What the last dimension holds: class labels, as text. */
  readonly labels?: readonly string[];
  /** Set for the intermediate output of a pipeline's step: the step's name. */
  readonly step?: string;
}

/**
 * A model made ready to predict: steps in the order they run, each reading values by name and adding its own.
 * Most models are a single graph, which is what `export --onnx` writes.
 */
export interface Predictor {
  /** Class or name of the model, for messages. */
  readonly title: string;
  readonly inputs: readonly PredictorInput[];
  readonly outputs: readonly PredictorOutput[];
  readonly steps: readonly PredictorStep[];
  /** Each row of the output depends on the same row of the input alone, so a long input may run in pieces. */
  readonly rowwise: boolean;
  /** Most rows to take at once where inner results are very wide (texts by vocabulary). */
  readonly rowsAtOnce?: number;
  /** Things the user should know about these predictions. */
  readonly notes: readonly string[];
}

/** The steps that `outputs` depend on, in order. */
export function stepsFor(predictor: Predictor, outputs: readonly PredictorOutput[]): PredictorStep[] {
  const wanted = new Set(outputs.map((output) => output.value));
  const needed: PredictorStep[] = [];
  for (const step of [...predictor.steps].reverse()) {
    if (!step.outputs.some((name) => wanted.has(name))) continue;
    needed.unshift(step);
    for (const name of step.inputs) wanted.add(name);
  }
  return needed;
}

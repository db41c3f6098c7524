import type { ByteSource } from '../bytes/byte-source';
import type { ModelError } from '../bytes/errors';
import type { DType } from '../tensors/dtype';
import type { TensorRef } from '../tensors/tensor';
import type { ParameterRows } from './parameter-table';
import type { Pickle, Value } from './pickled';

/** Names of `CLI.md`; `format` in every report. */
export type FormatId =
  | 'sklearn-pickle'
  | 'pickle'
  | 'joblib'
  | 'torch-zip'
  | 'torch-legacy'
  | 'torch-tar'
  | 'torchsharp'
  | 'torchscript'
  | 'torch-export'
  | 'savedmodel'
  | 'tensorflow-checkpoint'
  | 'tensorflow-graph'
  | 'tflite'
  | 'keras'
  | 'hdf5'
  | 'onnx'
  | 'safetensors'
  | 'numpy'
  | 'xgboost'
  | 'lightgbm'
  | 'catboost'
  | 'archive'
  | 'unknown';

export interface Fact {
  label: string;
  value: string;
  /** Said in small print: where the fact comes from, or that it was inferred. */
  note?: string;
}

export interface Producer {
  name: string;
  version?: string;
}

export interface Totals {
  /** Elements of all tensors, a shared storage counted once. */
  parameters: number;
  bytes: number;
  byDtype: Record<string, number>;
}

/** What the header and the overview show. */
export interface Summary {
  /** The model's class or best name: `RandomForestClassifier`, `ResNet`, `state_dict (62 tensors)`. */
  title: string;
  /** One line below the title, such as `Pipeline of 3 steps`. */
  subtitle?: string;
  producer?: Producer;
  facts: Fact[];
  totals: Totals;
  /** Code the user may want to copy: how to load this file safely, a skeleton of the module. */
  snippets?: { label: string; language: string; code: string }[];
}

/** A hyper-parameter, configuration entry or attribute of a module, already as display text. */
export interface Attribute {
  name: string;
  /** Python-like literal. */
  text: string;
  /** The JSON form for the command line, where there is one. */
  value?: unknown;
  /** True when it equals the framework's default, false when it differs, undefined when the default is not known. */
  isDefault?: boolean;
  /** `parameter`: a constructor argument; `fitted`: learnt from data; `attribute`: anything else. */
  role?: 'parameter' | 'fitted' | 'attribute';
  inferred?: boolean;
}

/** One node of the hierarchy: a layer, an estimator, a pipeline step, a scope. */
export interface ModuleNode {
  /** Dotted path from the root, '' for the root. */
  path: string;
  /** Last component of the path, as shown. */
  name: string;
  /** Class or layer kind: `Linear`, `RandomForestClassifier`. */
  kind: string;
  /** What the kind was inferred from, if the file does not say it. */
  inferredFrom?: string;
  attributes: Attribute[];
  /** Names (row keys) of the parameters this node itself owns. */
  parameters: string[];
  children: ModuleNode[];
  /**
   * Set on a node that stands for several identical siblings, e.g. `layer.0` to `layer.31`. `others` are the nodes it stands for, where
   * they exist, for readers that want every path.
   */
  repeated?: { count: number; first: string; last: string; others?: readonly ModuleNode[] };
  /** Short human description, e.g. `10 → 2, bias`. */
  summary?: string;
}

export type ParameterKind = 'parameter' | 'buffer' | 'attribute';

/** One row of the parameter table. */
export interface Parameter {
  name: string;
  shape: number[];
  dtype: DType;
  /** dtype with its detail where the name alone says less: `datetime64[ns]`, `<U12`. */
  dtypeDetail?: string;
  count: number;
  bytes: number;
  /** Identity of the storage: rows with the same storage share memory. */
  storage: string;
  /** Name of the first row with the same data (tied weights), if this is not the first. */
  tiedTo?: string;
  device?: string;
  kind: ParameterKind;
  requiresGrad?: boolean;
  strides?: number[];
  offset?: number;
  note?: string;
  /** Where the elements are; absent when they are not in the files at hand. */
  tensor?: TensorRef;
  /** A table of cells of several types (a DataFrame), which has no single array of elements. */
  table?: TableSource;
}

/** A table whose cells are made into text when they are looked at. */
export interface TableSource {
  columns: string[];
  /** Element type of each column. */
  dtypes: string[];
  rowCount: number;
  /** Text of the cells `[rowStart, rowStart + rowCount)` × `[columnStart, columnStart + columnCount)`, row by row. */
  cells(rowStart: number, rowCount: number, columnStart: number, columnCount: number): string[][];
}

export interface TensorSpec {
  name: string;
  dtype: string;
  /** `null` for a dimension that varies. */
  shape: (number | null)[] | null;
  /** Names of the columns of a table-like input. */
  features?: string[];
  /** Names of what an output's last dimension holds (class labels). */
  labels?: string[];
  meaning?: string;
  /** An example value for the form, when the file has one. */
  example?: unknown;
}

/** What is known of one column of a table-like input, for a form. */
export interface InputColumn {
  name: string;
  /** A value that is typical of what the model was fitted on, or at least of the right type. */
  example: string | number | boolean;
  /** The values that the model knows; `null` is a missing one. */
  choices?: (string | number | boolean | null)[];
  /** Values are text, also where they read as numbers. */
  text?: boolean;
}

export interface Signature {
  name: string;
  inputs: TensorSpec[];
  outputs: TensorSpec[];
  description?: string;
}

export type Severity = 'info' | 'suspicious' | 'dangerous';

/** Something the user should know: damage, limits, oddities. Security findings have the richer type of `security/`. */
export interface Finding {
  rule: string;
  severity: Severity;
  message: string;
  member?: string;
  offset?: number;
  advice?: string;
}

/** A pickle that a reader read on its way, for the security side to judge without reading it again. */
export interface PickleSection {
  /** Archive member, or '' for the file itself. */
  member: string;
  pickle: Pickle;
  /** What the pickle's offsets refer to, when that is not the file itself. */
  source?: ByteSource;
}

/** One node of an explorable object (any pickle). */
export interface ObjectTree {
  root: Value;
  /** Rows of the parameter table by the object that they show. */
  parameters?: ReadonlyMap<object, number>;
}

/** A graph that is given one level at a time. */
export interface GraphSource {
  /** Names of what can be drawn: `forward`, a signature, a function. */
  roots(): { id: string; label: string }[];
  level(root: string, path: string): GraphLevel;
}

export interface GraphNode {
  id: string;
  label: string;
  kind: 'op' | 'group' | 'input' | 'output' | 'constant';
  op?: string;
  /** Path to ask for when a group is opened. */
  path?: string;
  attributes?: Attribute[];
  parameters?: string[];
  /** Number of operators inside a group. */
  size?: number;
}

export interface GraphEdge {
  from: string;
  to: string;
  label?: string;
}

export interface GraphLevel {
  nodes: GraphNode[];
  edges: GraphEdge[];
  /** Nodes left out for size, said to the user. */
  omitted?: number;
}

/** A text that the file holds: TorchScript code, embedded class source, a vocabulary. */
export interface SourceText {
  path: string;
  language: 'python' | 'json' | 'text';
  text(): string;
}

/** The one description of a model that everything above the readers speaks. Readers extend it with what lowering needs. */
export interface Model {
  format: FormatId;
  summary: Summary;
  root: ModuleNode;
  parameters: ParameterRows;
  signatures: Signature[];
  /** Set when the file could not be read to its end: what was understood is shown with this as a banner. */
  error?: ModelError;
  warnings: Finding[];
  pickles: PickleSection[];
  /** For files whose content is an object rather than a model. */
  objects?: ObjectTree;
  graph?: GraphSource;
  sources?: SourceText[];
  /** Why there is nothing to predict with, when `signatures` is empty: a full sentence. */
  noPrediction?: string;
}

/**
 * The one contract of the engine: the webview calls it through the extension host, the command line calls it in-process.
 * Results are slices, as plain structured-cloneable data. A method that fails rejects with an `EngineFailure`.
 */
import type { ErrorCode } from '../bytes/errors';
import type {
  Attribute,
  Fact,
  Finding,
  FormatId,
  GraphLevel,
  InputColumn,
  ParameterKind,
  Producer,
  Signature,
  Totals,
} from '../model/model';
import type { FileScan, ImportClass, ImportUseKind, SecurityFinding, Verdict } from '../security/report';

export interface EngineFailure {
  code: ErrorCode;
  message: string;
  reason?: string;
  offset?: number;
  member?: string;
}

/** The header and what the tabs need to know before they ask for more. */
export interface Overview {
  name: string;
  bytes: number;
  format: FormatId;
  title: string;
  subtitle?: string;
  producer?: Producer;
  facts: Fact[];
  totals: Totals;
  snippets: { label: string; language: string; code: string }[];
  /** Attributes of the root: hyper-parameters and fitted facts. */
  attributes: Attribute[];
  parameterRows: number;
  /** Whether there is a hierarchy worth a tab. */
  hasArchitecture: boolean;
  hasObjects: boolean;
  graphRoots: { id: string; label: string }[];
  sources: { path: string; language: string }[];
  signatures: Signature[];
  /** Why nothing in the file can be predicted or exported to ONNX, where the kind of file already says so. */
  noPrediction?: string;
  /** Set when the file could only be read in part. */
  error?: EngineFailure;
  warnings: Finding[];
}

/** A module node without its children, which are asked for when it is opened. */
export interface ModuleRow {
  path: string;
  name: string;
  kind: string;
  inferredFrom?: string;
  summary?: string;
  attributes: Attribute[];
  parameters: string[];
  childCount: number;
  /** Elements and bytes of everything below. */
  parameterCount: number;
  bytes: number;
  /** Share of the model's parameters, 0 to 1. */
  share: number;
  repeated?: { count: number; first: string; last: string };
}

export interface ParameterQuery {
  /** Glob on the name, or `/regex/`. */
  filter?: string;
  dtype?: string;
  kind?: ParameterKind;
  minCount?: number;
  /** Only rows below this module path. */
  under?: string;
  sort?: 'file' | 'name' | 'shape' | 'dtype' | 'count' | 'bytes' | 'storage' | 'kind' | 'device';
  descending?: boolean;
  start: number;
  count: number;
}

export interface ParameterRow {
  /** Position in the unsorted table: the row's identity in other calls. */
  index: number;
  name: string;
  shape: number[];
  dtype: string;
  count: number;
  bytes: number;
  share: number;
  storage: string;
  tiedTo?: string;
  device?: string;
  kind: ParameterKind;
  requiresGrad?: boolean;
  strides?: number[];
  note?: string;
  /** Whether its values are in the file and numeric or text, so that the tensor view can open. */
  readable: boolean;
}

export interface ParameterSlice {
  total: number;
  matching: number;
  rows: ParameterRow[];
  dtypes: string[];
}

export interface TensorStatistics {
  /** Elements looked at; fewer than `total` for a sample. */
  seen: number;
  total: number;
  exact: boolean;
  min?: number;
  max?: number;
  mean?: number;
  std?: number;
  zeros: number;
  nans: number;
  infinities: number;
  histogram?: { from: number; to: number; counts: number[] };
}

export interface TensorSlice {
  shape: number[];
  dtype: string;
  /** Row-major values of the asked window, already display text; rows × columns. */
  rows: string[][];
  rowStart: number;
  columnStart: number;
  totalRows: number;
  totalColumns: number;
  /** Fixed indexes of the leading dimensions. */
  leading: number[];
  columnNames?: string[];
}

/** One row of the object tree. Paths are opaque. */
export interface ObjectRow {
  path: string;
  /** Key, index or attribute name, as Python writes it. */
  label: string;
  /** Python type: `dict`, `list`, `numpy.ndarray`, `sklearn.tree._tree.Tree`. */
  type: string;
  /** One-line preview. */
  preview: string;
  childCount: number;
  /** Path of the first place where this same object stands, if this is a shared reference. */
  sharedWith?: string;
  /** True if opening it would lead back to one of its own parents. */
  cyclic?: boolean;
  /** Row of the parameter table that shows its values. */
  parameter?: number;
  /** Number of values below, counting shared ones as often as they appear; a decimal string as it can be astronomically large. */
  logicalSize?: string;
}

export interface ImportRow {
  module: string;
  name: string;
  class: ImportClass;
  use: ImportUseKind;
  offset: number;
  member: string;
  count: number;
  reason?: string;
}

export interface SecurityReport {
  verdict: Verdict;
  /** One sentence. */
  sentence: string;
  findings: SecurityFinding[];
  imports: ImportRow[];
  /** What was looked at, and what was not and why. */
  coverage: { member: string; bytes: number; kind: string; scanned: boolean; reason?: string }[];
  sha256?: string;
  /** Set when the user suppressed this very content. */
  suppressed?: { reason: string; verdict: Verdict };
}

export interface DisassemblyRow {
  offset: number;
  opcode: string;
  argument: string;
  comment?: string;
  depth: number;
}

export interface DisassemblySlice {
  members: string[];
  member: string;
  total: number;
  start: number;
  rows: DisassemblyRow[];
}

export interface PredictRequest {
  signature?: string;
  /** Narrow an estimator's answer to one method. */
  method?: string;
  /** Input name → nested arrays, rows, or `{dtype, shape, data}`. */
  inputs: Record<string, unknown>;
  /** Also give what the steps of a pipeline pass on. */
  intermediate?: boolean;
}

export interface PredictOutput {
  name: string;
  dtype: string;
  shape: number[];
  /** Flat, row-major. Non-finite numbers and large integers as strings, as in the command line's JSON. */
  data: (number | string | boolean)[];
  labels?: string[];
  /** Step of a pipeline that this is the output of, for intermediate results. */
  step?: string;
}

export interface PredictResult {
  signature: string;
  milliseconds: { open: number; lower: number; run: number };
  outputs: PredictOutput[];
  notes?: string[];
}

/** What the form of the Predict tab is built from. */
export interface PredictForm {
  signatures: Signature[];
  methods: string[];
  /** Why this model cannot be predicted, as a full sentence. */
  refusal?: string;
  /** A plausible first row, JSON text for the paste box. */
  example?: string;
  /** What is known of each column of the only input, where it takes rows of cells. */
  columns?: InputColumn[];
  runtime: string;
}

export interface EngineApi {
  overview(): Promise<Overview>;
  security(): Promise<SecurityReport>;
  /** Children of a module; '' gives the root itself as the only row. */
  modules(path: string | null, start: number, count: number): Promise<{ total: number; rows: ModuleRow[] }>;
  parameters(query: ParameterQuery): Promise<ParameterSlice>;
  /** All matching rows as text for the clipboard. */
  parametersAs(query: ParameterQuery, style: 'csv' | 'json' | 'markdown'): Promise<string>;
  statistics(index: number, exact: boolean): Promise<TensorStatistics>;
  tensor(
    index: number,
    window: { leading: number[]; rowStart: number; rowCount: number; columnStart: number; columnCount: number },
  ): Promise<TensorSlice>;
  objects(path: string | null, start: number, count: number): Promise<{ total: number; rows: ObjectRow[] }>;
  graph(root: string, path: string): Promise<GraphLevel & { layout?: GraphLayout }>;
  source(path: string): Promise<{ language: string; text: string }>;
  disassembly(request: { member?: string; offset?: number; start?: number; count: number }): Promise<DisassemblySlice>;
  predictForm(): Promise<PredictForm>;
  predict(request: PredictRequest): Promise<PredictResult>;
}

/** Pixels. `x` and `y` of a node are its centre; an edge's points run from border to border. */
export interface GraphLayout {
  width: number;
  height: number;
  nodes: Record<string, { x: number; y: number; width: number; height: number }>;
  edges: { from: string; to: string; points: { x: number; y: number }[] }[];
}

/** What only the host's side of the engine process calls, never the webview. */
export interface EngineControl extends EngineApi {
  open(file: {
    path: string;
    displayName?: string;
    suppressions?: { sha256: string; reason: string }[];
  }): Promise<void>;
  /** Writes the lowered model, or parameters, to a file that the user chose. */
  exportTo(request: {
    kind: 'onnx' | 'safetensors' | 'npy';
    target: string;
    signature?: string;
    filter?: string;
    inputShapes?: Record<string, number[]>;
  }): Promise<{ bytes: number; files: number }>;
  /** Content hash of the file, streamed. */
  hash(): Promise<string>;
  /** Judges a file without opening it in this session (`scanFile`); needs no `open` before it. */
  scan(file: { path: string; explicit: boolean }): Promise<FileScan>;
  /** The text of a report on several files. */
  scanReport(results: FileScan[], style: 'markdown' | 'sarif' | 'json'): Promise<string>;
  close(): Promise<void>;
}

/** What the webview may ask of the extension host beside the engine. */
export interface HostApi extends EngineApi {
  /** Opens the file again after it changed on disk. */
  reload(): Promise<void>;
  /** Ends a running exact `statistics` call, which rejects with code `cancelled`. */
  cancelStatistics(): Promise<void>;
  openAsText(): Promise<void>;
  copy(text: string): Promise<void>;
  saveText(suggestedName: string, text: string): Promise<void>;
  /** Asks the user for a place and exports there. */
  exportModel(kind: 'onnx' | 'safetensors' | 'npy', filter?: string): Promise<void>;
  restartEngine(): Promise<void>;
  suppress(reason: string): Promise<void>;
  /** Localised strings by their English text. */
  strings(): Promise<Record<string, string>>;
}

/** What the host tells the webview. */
export interface WebviewEvents {
  /** The file changed, vanished or became unreadable on disk, or its engine died; `message` is for the banner. */
  fileState(state: { kind: 'current' | 'changed' | 'deleted' | 'unreadable' | 'engine-lost'; message: string }): void;
  show(tab: string): void;
}

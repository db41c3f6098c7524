import type { ByteSource } from '../../bytes/byte-source';
import { asModelError, ModelError } from '../../bytes/errors';
import type {
  Finding,
  GraphSource,
  Model,
  ModuleNode,
  Parameter,
  PickleSection,
  Signature,
  SourceText,
  Summary,
} from '../../model/model';
import { type ParameterRows, ParameterTable } from '../../model/parameter-table';
import type { ModelInput } from '../format';
import { assetTexts } from './assets';
import { OBJECT_GRAPH_KEY, shardName, TensorBundle } from './bundle';
import { decodeTrackables, keysByPath, keysByWalking, type SavedAttribute } from './checkpoint-keys';
import { TensorFlowGraph } from './graph-source';
import { graphVariables } from './graph-variables';
import { type KerasObject, kerasObjects } from './keras-metadata';
import { type MetaGraph, readMetaGraphs } from './meta-graph';
import { buildModules } from './modules';
import { rootKind, summariseSavedModel } from './saved-model-summary';
import { scopeTree } from './scopes';
import { type Callable, callables, type SignatureTensors, signaturesOf, signatureTensors } from './signatures';
import { checkpointRow, joinVariables, type SavedVariable, type VariableTable } from './variables';

/** A SavedModel: what everything above the readers asks of a model, and what translating its graph needs. */
export class SavedModelModel implements Model {
  readonly format = 'savedmodel' as const;
  readonly summary: Summary;
  readonly root: ModuleNode;
  readonly parameters: ParameterRows;
  readonly signatures: Signature[];
  readonly warnings: Finding[] = [];
  readonly pickles: PickleSection[] = [];
  readonly graph?: GraphSource;
  readonly sources?: SourceText[];
  readonly error?: ModelError;
  readonly noPrediction?: string;

  /** Every meta graph of the file; the one that `serve` tags, or else the first, is described. */
  readonly metaGraphs: readonly MetaGraph[];
  readonly meta: MetaGraph;
  /** The variables/ folder; absent when it is not there. */
  readonly bundle: TensorBundle | undefined;
  /** Functions that can be called where the file has no signatures. */
  readonly callables: readonly Callable[];
  /** Keras's description of the objects, by number in the object graph. */
  readonly kerasObjects: ReadonlyMap<number, KerasObject>;
  readonly table: VariableTable | undefined;
  private readonly byVariableName = new Map<string, Parameter>();
  readonly input: ModelInput;
  private handleRows: Map<string, string> | undefined;

  /** @throws ModelError when nothing in the file can be understood. */
  constructor(input: ModelInput, bytes: Uint8Array, as: { text: boolean; error?: ModelError }) {
    this.input = input;
    const { graphs, error } = readMetaGraphs(bytes);
    const meta =
      graphs.find((g) => g.tags.includes('serve') && !g.tags.includes('gpu') && !g.tags.includes('tpu')) ??
      graphs.find((g) => g.tags.includes('serve')) ??
      graphs[0];
    if (!meta) {
      throw error ?? new ModelError('malformed', `${input.name} is a SavedModel without any graph.`, { offset: 0 });
    }
    if (error ?? as.error) this.error = (error ?? as.error)!;
    this.metaGraphs = graphs;
    this.meta = meta;
    this.bundle = this.openBundle();
    const objects = meta.objects;
    const hasObjects = objects.size > 0;
    this.kerasObjects = hasObjects
      ? kerasObjects(objects, this.readNeighbour('keras_metadata.pb'), this.warnings)
      : new Map();
    const isKeras =
      this.kerasObjects.size > 0 ||
      objects.identifier(0).startsWith('_tf_keras') ||
      objects.child(0, '_all_variables') !== undefined;
    let rows: Parameter[];
    if (hasObjects) {
      this.table = joinVariables(
        objects,
        objects.cover(),
        this.keys(),
        this.bundle,
        isKeras,
        (id) => this.kerasObjects.get(id)?.trainable === false,
      );
      rows = this.table.parameters;
      for (const v of this.table.variables)
        if (!this.byVariableName.has(v.variableName)) this.byVariableName.set(v.variableName, v.parameter);
    } else {
      rows = this.flatVariables();
      for (const p of rows) this.byVariableName.set(p.name, p);
    }
    const signatures = signaturesOf(meta);
    this.callables = signatures.length === 0 && hasObjects ? callables(objects) : [];
    this.signatures = signatures.length > 0 ? signatures : this.callables.map((c) => c.signature);
    const kind = rootKind(this);
    this.root = this.table
      ? buildModules(objects, this.kerasObjects, this.table, kind)
      : scopeTree(
          rows.map((row) => row.name),
          kind,
        );
    if (this.table && !this.table.ordered) inTreeOrder(rows, this.root);
    this.parameters = ParameterTable.of(rows);
    const sources = [...assetTexts(input, 'assets'), ...assetTexts(input, 'assets.extra')];
    if (sources.length > 0) this.sources = sources;
    if (this.signatures.length === 0)
      this.noPrediction = 'This SavedModel has no signature and no function that can be called with tensors.';
    else if (!this.bundle?.hasData && this.parameters.length > 0)
      this.noPrediction = 'The data files of variables/ are not there, so a prediction would have no weights.';
    if (meta.graphBytes > 0) this.graph = this.graphSource();
    this.summary = summariseSavedModel(this, as.text, isKeras);
    for (const [node, name] of objects.dangling.map((d) => [d.node, d.name] as const)) {
      this.warnings.push({
        rule: 'object-graph',
        severity: 'info',
        message: `Object ${node} of the object graph tracks ${JSON.stringify(name)}, which is not in the file.`,
      });
    }
    this.collectErrors();
  }

  /** Where a signature's tensors are in the graph of `meta`. */
  signatureTensors(name: string): SignatureTensors | undefined {
    return signatureTensors(this.meta, name);
  }

  /** The variable that a node of the object graph is; a copy gives the original's values under its own key. */
  variable(id: number): SavedVariable | undefined {
    return this.table?.byId.get(id);
  }

  /** The row of a variable by TensorFlow's name: the `shared_name` of a `VarHandleOp`, the name of a `VariableV2`. */
  variableByName(name: string): Parameter | undefined {
    return this.byVariableName.get(name);
  }

  /** Variables that a concrete function captures, as rows; they are its last arguments. Other captures have no row. */
  captures(concreteFunction: string): (string | undefined)[] {
    const concrete = this.meta.objects.concreteFunction(concreteFunction);
    return (concrete?.boundInputs ?? []).map((id) => this.table?.byId.get(id)?.parameter.name);
  }

  /**
   * Rows of the handles of the main graph. The functions that are called with them say which object each argument is; names do not in
   * Keras 3 exports, where every variable has a second handle under another name.
   */
  handles(): ReadonlyMap<string, string> {
    if (this.handleRows) return this.handleRows;
    const rows = new Map<string, string>();
    for (const node of this.meta.graph.nodes) {
      if (node.op !== 'StatefulPartitionedCall' && node.op !== 'PartitionedCall') continue;
      const captures = this.captures(node.attr.get('f')?.func?.name ?? '');
      const inputs = node.inputs.filter((input) => !input.startsWith('^'));
      captures.forEach((row, i) => {
        const input = inputs[inputs.length - captures.length + i];
        if (row !== undefined && input !== undefined && this.meta.graph.node(input)?.op === 'VarHandleOp')
          rows.set(input, row);
      });
    }
    this.handleRows = rows;
    return rows;
  }

  private graphSource(): GraphSource {
    const callables = new Map(this.callables.map((c) => [c.signature.name, c.concreteFunction]));
    return new TensorFlowGraph(this.meta, {
      rowOf: (name) =>
        (this.byVariableName.get(name) ?? this.byVariableName.get(name.replace(/\/part_[0-9]+$/, '')))?.name,
      handles: () => this.handles(),
      captures: (name) => this.captures(name),
      signatures: this.signatures.map(({ name }) => {
        const concreteFunction = callables.get(name);
        return concreteFunction === undefined ? { name } : { name, concreteFunction };
      }),
    });
  }

  /** Bytes of an asset, by the object graph's asset number. */
  asset(index: number): ByteSource | undefined {
    const file = this.meta.assets[index]?.filename;
    return file ? this.input.neighbour(`assets/${file}`) : undefined;
  }

  /** A small file beside the model, whole. */
  private readNeighbour(name: string): Uint8Array | undefined {
    const source = this.input.neighbour(name);
    return source?.read(0, source.size);
  }

  private openBundle(): TensorBundle | undefined {
    const index = this.input.neighbour('variables/variables.index');
    if (!index) {
      const any = this.input.neighbours('variables').length > 0;
      if (any) {
        this.warnings.push({
          rule: 'variables-index-missing',
          severity: 'info',
          message:
            'variables/variables.index is not there, so the data files beside it cannot be read. The structure is shown without values.',
        });
      }
      return undefined;
    }
    try {
      const bundle = new TensorBundle(index, (number, of) =>
        this.input.neighbour(`variables/variables.${shardName(number, of)}`),
      );
      this.warnings.push(...bundle.findings);
      return bundle;
    } catch (error) {
      const problem = asModelError(error, 'variables/variables.index');
      this.warnings.push({
        rule: 'checkpoint-damaged',
        severity: 'info',
        message: problem.message,
        member: 'variables/variables.index',
        offset: problem.offset,
      });
      return undefined;
    }
  }

  /** Checkpoint entries by object, from the checkpoint's own graph or from paths. */
  private keys(): Map<number, SavedAttribute[]> {
    const { bundle } = this;
    if (!bundle) return new Map();
    if (!bundle.hasData) return keysByPath(this.meta.objects, (key) => bundle.entries.has(key));
    try {
      const stored = bundle.scalarString(OBJECT_GRAPH_KEY);
      if (stored) return keysByWalking(this.meta.objects, decodeTrackables(stored));
    } catch (error) {
      this.warnings.push({
        rule: 'checkpoint-object-graph',
        severity: 'info',
        message: `${asModelError(error, 'The object graph of the checkpoint').message} Variables are found by their paths instead.`,
      });
    }
    return keysByPath(this.meta.objects, (key) => bundle.entries.has(key));
  }

  /** Variables of a graph of TensorFlow 1: the checkpoint's, or those that the graph declares. */
  private flatVariables(): Parameter[] {
    const declared = graphVariables(this.meta.graph);
    if (!this.bundle) {
      return declared.map((v) => ({
        ...v.parameter,
        note: 'Values are in the variables/ folder, which is not there.',
      }));
    }
    const trainable = trainableNames(this.meta);
    const { bundle } = this;
    return [...bundle.entries.values()]
      .filter((e) => e.key !== OBJECT_GRAPH_KEY)
      .map((entry) => {
        const row = checkpointRow(entry, bundle);
        if (trainable) {
          const isTrainable =
            trainable.has(entry.key) || [...trainable].some((name) => name.startsWith(`${entry.key}/part_`));
          row.kind = isTrainable ? 'parameter' : 'buffer';
          row.requiresGrad = isTrainable;
        }
        return row;
      });
  }

  /** Damage that was met while parts were read becomes a finding; the first is the banner. */
  private collectErrors(): void {
    for (const graph of this.metaGraphs) {
      for (const error of graph.errors) {
        if (!this.error) (this as { error?: ModelError }).error = error;
        this.warnings.push({
          rule: 'savedmodel-damaged',
          severity: 'info',
          message: error.message,
          member: this.input.name,
          offset: error.offset,
        });
      }
    }
  }
}

/** Sorts rows as the hierarchy shows them, for models that do not list their weights. */
function inTreeOrder(parameters: Parameter[], root: ModuleNode): void {
  const order = new Map<string, number>();
  const pending = [root];
  for (let node = pending.pop(); node; node = pending.pop()) {
    for (const name of node.parameters) if (!order.has(name)) order.set(name, order.size);
    for (let i = node.children.length - 1; i >= 0; i--) pending.push(node.children[i]!);
  }
  const rank = (p: Parameter): number => order.get(p.name) ?? order.size;
  parameters.sort((a, b) => Number(a.kind === 'attribute') - Number(b.kind === 'attribute') || rank(a) - rank(b));
}

/** Names in the collection of trainable variables; `undefined` when there is none. */
function trainableNames(meta: MetaGraph): Set<string> | undefined {
  const list = meta.collections.get('trainable_variables')?.bytesList?.value;
  if (!list) return undefined;
  const names = new Set<string>();
  const decoder = new TextDecoder();
  // A VariableDef message; its first field is the name.
  for (const bytes of list)
    if (bytes[0] === 0x0a && bytes.length > 2)
      names.add(decoder.decode(bytes.subarray(2, 2 + bytes[1]!)).replace(/:0$/, ''));
  return names;
}

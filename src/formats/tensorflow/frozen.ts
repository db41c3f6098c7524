import { ModelError } from '../../bytes/errors';
import type {
  Fact,
  Finding,
  GraphSource,
  Model,
  ModuleNode,
  Parameter,
  PickleSection,
  Signature,
  Summary,
  TensorSpec,
} from '../../model/model';
import { type ParameterRows, ParameterTable } from '../../model/parameter-table';
import { byteLengthOf, elementCount } from '../../tensors/dtype';
import type { ModelInput } from '../format';
import { constantShape, constantTensor } from './constants';
import { dtypeName, dtypeOf } from './dtypes';
import { GraphDefView, type GraphNodeDef, parseInput } from './graph-def';
import { TensorFlowGraph } from './graph-source';
import { graphVariables, VARIABLE_OPS } from './graph-variables';
import { MetaGraph } from './meta-graph';
import { scopeTree } from './scopes';
import { signaturesOf } from './signatures';
import { shapeOf } from './structured';
import { totalsOf } from './totals';

/** Constants with fewer elements are settings of operators: axes, shapes, strides. */
const SMALLEST_WEIGHT = 2;
const SETTINGS = /^(int32|int64|string|bool)$/;

/** A bare GraphDef (`.pb`, mostly with weights as constants) or a MetaGraphDef (`.meta`), with what translating it needs. */
export class GraphModel implements Model {
  readonly format = 'tensorflow-graph' as const;
  readonly summary: Summary;
  readonly root: ModuleNode;
  readonly parameters: ParameterRows;
  readonly signatures: Signature[];
  readonly warnings: Finding[] = [];
  readonly pickles: PickleSection[] = [];
  readonly graph: GraphSource;
  readonly error?: ModelError;
  readonly noPrediction?: string;
  readonly graphDef: GraphDefView;
  /** Present for a `.meta` file. */
  readonly meta?: MetaGraph;
  /** Tensor behind each input and output of the signature. */
  readonly tensors = new Map<string, string>();

  /** @throws ModelError when the file has no operator. */
  constructor(input: ModelInput, bytes: Uint8Array, kind: 'graph' | 'meta', damage?: ModelError) {
    if (kind === 'meta') this.meta = new MetaGraph({ bytes, from: 0, to: bytes.length });
    this.graphDef = this.meta?.graph ?? new GraphDefView({ bytes, from: 0, to: bytes.length });
    const { graphDef, meta } = this;
    const error = damage ?? meta?.errors[0] ?? graphDef.error;
    if (graphDef.totalNodes === 0)
      throw (
        error ?? new ModelError('malformed', `${input.name} is a TensorFlow graph without operators.`, { offset: 0 })
      );
    if (error) this.error = error;
    const declared = graphVariables(graphDef).map((v) => ({
      ...v.parameter,
      note: 'The graph declares it; its values are in a checkpoint.',
    }));
    // Beside variables, constants are initial values and settings.
    const constants = declared.length > 0 ? [] : frozenWeights(graphDef);
    this.parameters = ParameterTable.of([...constants, ...declared]);
    this.signatures = meta ? signaturesOf(meta) : [];
    if (this.signatures.length === 0) this.signatures = this.guessSignature();
    const rows = new Set(this.parameters.allNames());
    const guessed = guessedMessage(this.signatures, this.tensors);
    this.graph = new TensorFlowGraph(
      { graph: graphDef, signatures: meta && meta.signatures.size > 0 ? meta.signatures : guessed },
      {
        rowOf: (name) => (rows.has(name) ? name : undefined),
        captures: () => [],
        handles: () => new Map(),
        signatures: this.signatures.map(({ name }) => ({ name })),
      },
    );
    this.root = scopeTree(this.parameters.allNames(), 'Graph');
    const facts: Fact[] = [{ label: 'Operators', value: String(graphDef.totalNodes) }];
    if (graphDef.functions.size > 0) facts.push({ label: 'Functions', value: String(graphDef.functions.size) });
    const version = meta?.info.tensorflowVersion;
    if (version) facts.unshift({ label: 'TensorFlow', value: version });
    if (graphDef.producer) facts.push({ label: 'Graph version', value: String(graphDef.producer) });
    const frozen = constants.length > 0 && declared.length === 0;
    const name = input.name.replace(/\.(pb|meta|graphdef)$/i, '');
    this.summary = {
      title: kind === 'meta' ? 'TensorFlow meta graph' : frozen ? 'Frozen TensorFlow graph' : 'TensorFlow graph',
      subtitle: `${name}, ${graphDef.totalNodes} operators, ${this.parameters.length} ${frozen ? 'constants' : 'variables'}`,
      producer: version ? { name: 'TensorFlow', version } : { name: 'TensorFlow' },
      facts,
      totals: totalsOf(this.parameters),
    };
    if (declared.length > 0)
      this.noPrediction = 'The graph declares variables whose values are in a checkpoint, not in this file.';
    else if (this.signatures.length === 0)
      this.noPrediction = 'The graph has no placeholder or no result, so there is nothing to ask of it.';
  }

  /** Placeholders in, results that no operator takes out: what `convert_variables_to_constants` leaves. */
  private guessSignature(): Signature[] {
    const { nodes } = this.graphDef;
    const used = new Set<string>();
    for (const node of nodes) for (const input of node.inputs) used.add(parseInput(input).node);
    const inputs: TensorSpec[] = [];
    const outputs: TensorSpec[] = [];
    for (const node of nodes) {
      if (node.op === 'Placeholder' || node.op === 'PlaceholderWithDefault' || node.op === 'PlaceholderV2') {
        inputs.push(this.spec(node, node.attr.get('dtype')?.type, node.attr.get('shape')?.shape));
      } else if (!used.has(node.name) && isResult(node)) {
        outputs.push(
          this.spec(
            node,
            node.attr.get('T')?.type ?? node.attr.get('dtype')?.type,
            node.attr.get('_output_shapes')?.list?.shape?.[0],
          ),
        );
      }
    }
    if (inputs.length === 0 || outputs.length === 0) return [];
    return [
      {
        name: 'graph',
        inputs,
        outputs,
        description: 'Placeholders and unused results; a bare graph has no signatures.',
      },
    ];
  }

  private spec(node: GraphNodeDef, type: number | null | undefined, shape: Parameters<typeof shapeOf>[0]): TensorSpec {
    this.tensors.set(node.name, `${node.name}:0`);
    return { name: node.name, dtype: dtypeName(type), shape: shapeOf(shape), meaning: `tensor ${node.name}:0` };
  }
}

/** Operators without a result to ask for. */
function isResult(node: GraphNodeDef): boolean {
  return (
    node.op !== 'NoOp' &&
    node.op !== 'Const' &&
    node.op !== 'Assert' &&
    !VARIABLE_OPS.has(node.op) &&
    !/^(Save|Restore|Assign|.*Summary)/.test(node.op)
  );
}

/** Constants that hold weights, by the name of their node. */
function frozenWeights(graph: GraphDefView): Parameter[] {
  const out: Parameter[] = [];
  for (const node of graph.nodes) {
    if (node.op !== 'Const') continue;
    const tensor = node.attr.get('value')?.tensor;
    if (!tensor) continue;
    const shape = constantShape(tensor);
    const count = elementCount(shape);
    const dtype = dtypeOf(tensor.dtype);
    if (count < SMALLEST_WEIGHT || (SETTINGS.test(dtype) && count < 64)) continue;
    const ref = constantTensor(tensor);
    const row: Parameter = {
      name: node.name,
      shape,
      dtype,
      count,
      bytes: byteLengthOf(dtype, count) ?? 0,
      storage: node.name,
      kind: 'parameter',
    };
    if (dtypeName(tensor.dtype) !== dtype) row.dtypeDetail = dtypeName(tensor.dtype);
    if (ref) row.tensor = ref;
    else row.note = 'The constant holds fewer values than its shape asks for.';
    out.push(row);
  }
  return out;
}

/** The guessed signature in the form that the graph reads. */
function guessedMessage(
  signatures: readonly Signature[],
  tensors: ReadonlyMap<string, string>,
): MetaGraph['signatures'] {
  const side = (specs: readonly TensorSpec[]) =>
    Object.fromEntries(specs.map((s) => [s.name, { name: tensors.get(s.name) ?? '', dtype: 0 }]));
  return new Map(signatures.map((s) => [s.name, { inputs: side(s.inputs), outputs: side(s.outputs) }]));
}

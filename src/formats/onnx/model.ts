import type { onnx } from '../../../generated/onnx';
import type { ByteSource } from '../../bytes/byte-source';
import { ModelError } from '../../bytes/errors';
import { counted } from '../../model/counted';
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
import { ParameterTable } from '../../model/parameter-table';
import { byteLengthOf, elementCount } from '../../tensors/dtype';
import type { ModelInput } from '../format';
import { totalsOf } from '../tensorflow/totals';
import { dtypeName, dtypeOf } from './dtypes';
import { OnnxGraph } from './graph';
import { locate, tensorShape } from './tensors';

/** Scopes in names that become levels of the hierarchy. */
const MAX_SCOPES = 64;

/** An ONNX model: graph, weights and what goes in and out. */
export class OnnxModel implements Model {
  readonly format = 'onnx' as const;
  readonly summary: Summary;
  readonly root: ModuleNode;
  readonly parameters = new ParameterTable();
  readonly signatures: Signature[];
  readonly warnings: Finding[] = [];
  readonly pickles: PickleSection[] = [];
  readonly graph: GraphSource;
  readonly error?: ModelError;
  readonly noPrediction?: string;
  /** The decoded message; weights that stayed in the file are stubs that `locate` resolves. */
  readonly proto: onnx.ModelProto.$Properties;
  private readonly files = new Map<string, ByteSource | undefined>();

  /** @throws ModelError when the message has no graph. */
  constructor(
    private readonly input: ModelInput,
    proto: onnx.ModelProto.$Properties,
    error?: ModelError,
  ) {
    this.proto = proto;
    if (error) this.error = error;
    const graph = proto.graph;
    if (!graph)
      throw new ModelError('malformed', `${input.name} is an ONNX model without a graph.`, {
        offset: 0,
        reason: 'no-graph',
      });
    const external = new Set<string>();
    const missing = new Set<string>();
    const names = new Set<string>();
    const add = (tensor: onnx.TensorProto.$Properties, name: string, note?: string): void => {
      const located = locate(tensor, (file) => this.neighbour(file));
      if (located.external !== undefined) (located.tensor ? external : missing).add(located.external);
      const shape = tensorShape(tensor);
      const dtype = dtypeOf(tensor.dataType);
      const count = elementCount(shape);
      let unique = name;
      for (let i = 2; names.has(unique); i++) unique = `${name} (${i})`;
      names.add(unique);
      const row: Parameter = {
        name: unique,
        shape,
        dtype,
        count,
        bytes: byteLengthOf(dtype, count) ?? located.tensor?.data.length ?? 0,
        storage: located.external ?? unique,
        kind: 'parameter',
      };
      if (dtypeName(tensor.dataType) !== dtype) row.dtypeDetail = dtypeName(tensor.dataType);
      if (located.tensor) row.tensor = located.tensor;
      const remark = located.problem ?? note;
      if (remark) row.note = remark;
      this.parameters.add(row);
    };
    for (const tensor of graph.initializer ?? []) add(tensor, tensor.name ?? '');
    for (const sparse of graph.sparseInitializer ?? []) {
      if (sparse.values)
        add(
          sparse.values,
          sparse.values.name ?? 'sparse',
          `The non-zero values of a sparse tensor of shape (${(sparse.dims ?? []).join(', ')}).`,
        );
    }
    this.addConstants(graph, add);
    for (const name of missing) {
      this.warnings.push({
        rule: 'external-data',
        severity: 'info',
        message: `Weights in ${name} cannot be read: the file is not beside the model, or is too short.`,
      });
    }
    const weights = new Set((graph.initializer ?? []).map((t) => t.name ?? ''));
    const inputs = (graph.input ?? []).filter((i) => !weights.has(i.name ?? '')).map(specOf);
    this.signatures = [{ name: graph.name || 'main', inputs, outputs: (graph.output ?? []).map(specOf) }];
    const rows = new Set(this.parameters.allNames());
    this.graph = new OnnxGraph(graph, proto.functions ?? [], (name) => (rows.has(name) ? name : undefined));
    this.root = operatorTree(graph, rows);
    this.summary = this.summarise(graph, external);
  }

  /** Large constants inside the graph are weights, too. */
  private addConstants(
    graph: onnx.GraphProto.$Properties,
    add: (tensor: onnx.TensorProto.$Properties, name: string) => void,
  ): void {
    for (const node of graph.node ?? []) {
      if (node.opType !== 'Constant') continue;
      const tensor = node.attribute?.find((a) => a.name === 'value')?.t;
      if (tensor && elementCount(tensorShape(tensor)) >= 64) add(tensor, node.output?.[0] ?? node.name ?? 'constant');
    }
  }

  private neighbour(name: string): ByteSource | undefined {
    if (!this.files.has(name)) this.files.set(name, this.input.neighbour(name));
    return this.files.get(name);
  }

  private summarise(graph: onnx.GraphProto.$Properties, external: ReadonlySet<string>): Summary {
    const { proto } = this;
    const facts: Fact[] = [];
    const fact = (label: string, value: string): void => {
      if (value !== '') facts.push({ label, value });
    };
    fact('ONNX IR version', String(proto.irVersion ?? ''));
    fact(
      'Operator sets',
      (proto.opsetImport ?? []).map((o) => `${o.domain || 'ai.onnx'} ${o.version ?? 0}`).join(', '),
    );
    const nodes = graph.node ?? [];
    const kinds = new Map<string, number>();
    for (const node of nodes) kinds.set(node.opType ?? '', (kinds.get(node.opType ?? '') ?? 0) + 1);
    fact('Operators', `${nodes.length} of ${kinds.size} kinds`);
    if (proto.functions && proto.functions.length > 0) fact('Functions', String(proto.functions.length));
    if (external.size > 0) fact('External weights', [...external].slice(0, 8).join(', '));
    if (proto.domain) fact('Domain', proto.domain);
    if (proto.modelVersion) fact('Model version', String(proto.modelVersion));
    if (proto.docString) fact('Description', proto.docString.slice(0, 400));
    for (const entry of (proto.metadataProps ?? []).slice(0, 24))
      fact(entry.key ?? '', (entry.value ?? '').slice(0, 200));
    const most = [...kinds]
      .filter(([kind]) => /Conv|MatMul|Gemm|LSTM|GRU|TreeEnsemble|Attention|Linear/.test(kind))
      .sort((a, b) => b[1] - a[1])[0];
    const generic = /^(|main|main_graph|torch[-_]jit[-_]export|graph|torch_jit|tf2onnx|model|CNTKGraph)$/i;
    const title = graph.name && !generic.test(graph.name) ? graph.name : this.input.name.replace(/\.onnx$/i, '');
    const summary: Summary = {
      title: title || 'ONNX model',
      subtitle: `ONNX model, ${counted(nodes.length, 'operator')}${most ? `, ${most[1]} ${most[0]}` : ''}`,
      facts,
      totals: totalsOf(this.parameters),
    };
    if (proto.producerName)
      summary.producer = proto.producerVersion
        ? { name: proto.producerName, version: proto.producerVersion }
        : { name: proto.producerName };
    return summary;
  }
}

function specOf(value: onnx.ValueInfoProto.$Properties): TensorSpec {
  const { type } = value;
  const tensor = type?.tensorType ?? type?.sparseTensorType;
  const name = value.name ?? '';
  if (!tensor)
    return {
      name,
      dtype: type?.sequenceType ? 'sequence' : type?.mapType ? 'map' : type?.optionalType ? 'optional' : 'unknown',
      shape: null,
    };
  const dims = tensor.shape?.dim;
  const spec: TensorSpec = {
    name,
    dtype: dtypeName(tensor.elemType),
    shape: dims ? dims.map((d) => (d.dimValue != null ? Number(d.dimValue) : null)) : null,
  };
  const named = dims?.map((d) => d.dimParam || (d.dimValue != null ? String(d.dimValue) : '?'));
  if (dims?.some((d) => d.dimParam)) spec.meaning = `shape (${named!.join(', ')})`;
  if (value.docString) spec.meaning = value.docString.slice(0, 200);
  return spec;
}

/** Operators by the scopes in their names, each with the weights that it reads first. */
function operatorTree(graph: onnx.GraphProto.$Properties, rows: ReadonlySet<string>): ModuleNode {
  const root: ModuleNode = { path: '', name: '', kind: 'Graph', attributes: [], parameters: [], children: [] };
  const byPath = new Map<string, ModuleNode>([['', root]]);
  const placed = new Set<string>();
  const child = (parent: ModuleNode, name: string, kind: string): ModuleNode => {
    const path = parent.path === '' ? name : `${parent.path}.${name}`;
    let found = byPath.get(path);
    if (!found) {
      found = { path, name, kind, attributes: [], parameters: [], children: [] };
      byPath.set(path, found);
      parent.children.push(found);
    }
    return found;
  };
  (graph.node ?? []).forEach((node, i) => {
    const own = (node.input ?? []).filter((name) => rows.has(name) && !placed.has(name));
    if (own.length === 0) return;
    let at = root;
    const parts = (node.name || `${node.opType ?? 'node'}_${i}`).replace(/^\//, '').split('/');
    for (const scope of parts.slice(0, -1).slice(0, MAX_SCOPES)) at = child(at, scope, 'Scope');
    at = child(at, parts.at(-1)!, node.opType ?? '');
    for (const name of own) {
      placed.add(name);
      at.parameters.push(name);
    }
  });
  for (const name of rows) if (!placed.has(name)) root.parameters.push(name);
  return root;
}

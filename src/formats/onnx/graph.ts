import type { onnx } from '../../../generated/onnx';
import { utf8 } from '../../bytes/wire';
import { type FlatNode, GraphIndex } from '../../model/graph-index';
import type { Attribute, GraphLevel, GraphSource } from '../../model/model';
import { dtypeName } from './dtypes';
import { tensorShape } from './tensors';

type GraphProto = onnx.GraphProto.$Properties;
type NodeProto = onnx.NodeProto.$Properties;

const MAX_LIST = 16;
const MAX_TEXT = 200;
const MAX_STEPS = 64;
const MAX_INDEXES = 24;

/**
 * The graphs of an ONNX model: the main one, its functions, and the graphs that `If`, `Loop` and `Scan` hold. A path is the nodes that lead
 * to an inner graph, each followed by `|`, and then a scope.
 */
export class OnnxGraph implements GraphSource {
  private readonly cache = new Map<string, { index: GraphIndex; nodes: Map<string, NodeProto> }>();
  private readonly functions = new Map<string, onnx.FunctionProto.$Properties>();

  constructor(
    private readonly main: GraphProto,
    functions: readonly onnx.FunctionProto.$Properties[],
    private readonly rowOf: (name: string) => string | undefined,
  ) {
    for (const f of functions) this.functions.set(functionKey(f.domain, f.name, f.overload), f);
  }

  roots(): { id: string; label: string }[] {
    const out = [{ id: 'graph', label: this.main.name || 'graph' }];
    for (const [key, f] of this.functions) out.push({ id: `function:${key}`, label: `function ${f.name ?? ''}` });
    return out;
  }

  level(root: string, path: string): GraphLevel {
    const parts = path.split('|');
    const scope = parts.pop() ?? '';
    const steps = parts.slice(0, MAX_STEPS);
    const prefix = steps.map((step) => `${step}|`).join('');
    return this.body(root, steps)?.index.level(scope, prefix) ?? { nodes: [], edges: [] };
  }

  private body(
    root: string,
    steps: readonly string[],
  ): { index: GraphIndex; nodes: Map<string, NodeProto> } | undefined {
    const key = [root, ...steps].join('|');
    const known = this.cache.get(key);
    if (known) return known;
    let made: { index: GraphIndex; nodes: Map<string, NodeProto> } | undefined;
    const last = steps.at(-1);
    if (last === undefined) {
      const f = root.startsWith('function:') ? this.functions.get(root.slice('function:'.length)) : undefined;
      if (root === 'graph') made = this.flatten(this.main, steps);
      else if (f) made = this.flattenFunction(f, steps);
    } else {
      const outer = this.body(root, steps.slice(0, -1));
      const hash = last.lastIndexOf('#');
      const node = outer?.nodes.get(hash < 0 ? last : last.slice(0, hash));
      if (!node) return undefined;
      const graphs = innerGraphs(node);
      const f = this.functions.get(functionKey(node.domain, node.opType, node.overload));
      if (f) made = this.flattenFunction(f, steps);
      else if (hash >= 0) {
        const inner = graphs.find((g) => g.name === last.slice(hash + 1))?.graph;
        if (inner) made = this.flatten(inner, steps);
      } else if (graphs.length === 1) made = this.flatten(graphs[0]!.graph, steps);
      else made = { index: new GraphIndex(graphs.map((g) => choice(g, last, steps))), nodes: new Map() };
    }
    if (!made) return undefined;
    if (this.cache.size >= MAX_INDEXES) this.cache.delete(this.cache.keys().next().value!);
    this.cache.set(key, made);
    return made;
  }

  private flattenFunction(
    f: onnx.FunctionProto.$Properties,
    steps: readonly string[],
  ): { index: GraphIndex; nodes: Map<string, NodeProto> } {
    const values = (names: readonly string[] | null | undefined) => (names ?? []).map((name) => ({ name }));
    return this.flatten({ node: f.node ?? [], input: values(f.input), output: values(f.output) }, steps);
  }

  private flatten(graph: GraphProto, steps: readonly string[]): { index: GraphIndex; nodes: Map<string, NodeProto> } {
    const flat: FlatNode[] = [];
    const nodes = new Map<string, NodeProto>();
    const producer = new Map<string, string>();
    const constants = new Map<string, NodeProto>();
    const ids = new Set<string>();
    const fresh = (name: string): string => {
      let id = name;
      for (let i = 2; ids.has(id); i++) id = `${name} (${i})`;
      ids.add(id);
      return id;
    };
    const weights = new Set((graph.initializer ?? []).map((t) => t.name ?? ''));
    for (const input of graph.input ?? []) {
      const name = input.name ?? '';
      if (weights.has(name)) continue;
      const id = fresh(name);
      producer.set(name, id);
      const node: FlatNode = { id, kind: 'input', label: name, inputs: [] };
      const type = typeText(input.type);
      if (type) node.op = type;
      flat.push(node);
    }
    const listed = graph.node ?? [];
    const kept: { id: string; node: NodeProto }[] = [];
    for (const [i, node] of listed.entries()) {
      if (node.opType === 'Constant' && (node.input ?? []).length === 0) {
        constants.set(node.output?.[0] ?? '', node);
        continue;
      }
      const id = fresh((node.name || `${node.opType ?? 'node'}_${i}`).replace(/^\//, '').replace(/\|/g, '_'));
      for (const output of node.output ?? []) producer.set(output, id);
      nodes.set(id, node);
      kept.push({ id, node });
    }
    for (const { id, node } of kept) {
      const inputs: string[] = [];
      const rows: string[] = [];
      for (const name of node.input ?? []) {
        const from = producer.get(name);
        const row = from === undefined ? this.rowOf(name) : undefined;
        if (row !== undefined) rows.push(row);
        else if (from !== undefined) inputs.push(from);
      }
      const made: FlatNode = { id, kind: 'op', op: node.opType ?? '', inputs };
      if (rows.length > 0) made.parameters = rows;
      const graphs = innerGraphs(node);
      const f = this.functions.get(functionKey(node.domain, node.opType, node.overload));
      if (graphs.length > 0 || f) {
        made.enter = `${[...steps, id].join('|')}|`;
        made.size = f ? (f.node ?? []).length : graphs.reduce((n, g) => n + (g.graph.node ?? []).length, 0);
      }
      flat.push(made);
    }
    for (const output of graph.output ?? []) {
      const name = output.name ?? '';
      const from = producer.get(name);
      const node: FlatNode = {
        id: fresh(`output: ${name}`),
        kind: 'output',
        label: name,
        inputs: from === undefined ? [] : [from],
      };
      const type = typeText(output.type);
      if (type) node.op = type;
      flat.push(node);
    }
    const describe = (drawn: FlatNode): Attribute[] => {
      const node = nodes.get(drawn.id);
      if (!node) return [];
      const values = (node.input ?? []).flatMap((name, i) => {
        const constant = producer.has(name) || this.rowOf(name) !== undefined ? undefined : constants.get(name);
        return constant ? [{ name: `input ${i}`, text: constantText(constant) }] : [];
      });
      return [...nodeAttributes(node), ...values.slice(0, 8)];
    };
    return { index: new GraphIndex(flat, describe), nodes };
  }
}

function functionKey(
  domain: string | null | undefined,
  name: string | null | undefined,
  overload: string | null | undefined,
): string {
  return `${domain ?? ''}.${name ?? ''}${overload ? `.${overload}` : ''}`;
}

function innerGraphs(node: NodeProto): { name: string; graph: GraphProto }[] {
  const out: { name: string; graph: GraphProto }[] = [];
  for (const a of node.attribute ?? []) {
    if (a.g) out.push({ name: a.name ?? '', graph: a.g });
    for (const [i, graph] of (a.graphs ?? []).entries()) out.push({ name: `${a.name ?? ''} ${i}`, graph });
  }
  return out;
}

function choice(inner: { name: string; graph: GraphProto }, step: string, steps: readonly string[]): FlatNode {
  return {
    id: inner.name,
    kind: 'op',
    op: inner.name,
    inputs: [],
    enter: `${[...steps.slice(0, -1), `${step}#${inner.name}`].join('|')}|`,
    size: (inner.graph.node ?? []).length,
  };
}

/** Attributes of an operator as text. */
export function nodeAttributes(node: NodeProto): Attribute[] {
  const out: Attribute[] = [];
  if (node.domain && node.domain !== 'ai.onnx') out.push({ name: 'domain', text: node.domain });
  for (const a of node.attribute ?? []) {
    if (!a.g && !a.graphs?.length) out.push({ name: a.name ?? '', text: attributeText(a) });
  }
  return out;
}

function attributeText(a: onnx.AttributeProto.$Properties): string {
  const list = (items: readonly unknown[]): string =>
    `[${items.slice(0, MAX_LIST).join(', ')}${items.length > MAX_LIST ? `, … (${items.length})` : ''}]`;
  const text = (s: Uint8Array): string => JSON.stringify(utf8(s, 0, Math.min(s.length, MAX_TEXT)));
  if (a.refAttrName) return `@${a.refAttrName}`;
  if (a.ints?.length) return list(a.ints);
  if (a.floats?.length) return list(a.floats.map(short));
  if (a.strings?.length) return list(a.strings.map(text));
  if (a.t) return tensorText(a.t);
  switch (a.type) {
    case 1:
      return short(a.f ?? 0);
    case 2:
      return String(a.i ?? 0);
    case 3:
      return text(a.s ?? new Uint8Array(0));
    default:
      return a.s?.length ? text(a.s) : '[]';
  }
}

function short(value: number): string {
  return String(Number(value.toPrecision(7)));
}

function constantText(node: NodeProto): string {
  const a = node.attribute?.[0];
  return a ? attributeText(a) : '';
}

function tensorText(t: onnx.TensorProto.$Properties): string {
  const shape = tensorShape(t);
  const head = `${dtypeName(t.dataType)}[${shape.join(', ')}]`;
  const raw = t.rawData;
  const size = shape.reduce((n, d) => n * d, 1);
  if (size > MAX_LIST) return head;
  let values: (number | bigint)[] = [];
  if (t.int64Data?.length) values = t.int64Data;
  else if (t.floatData?.length) values = t.floatData.map((v) => Number(short(v)));
  else if (t.int32Data?.length) values = t.int32Data;
  else if (raw && raw.length > 0) {
    const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
    if (t.dataType === 7 && raw.length === 8 * size)
      values = Array.from({ length: size }, (_, i) => view.getBigInt64(8 * i, true));
    else if (t.dataType === 6 && raw.length === 4 * size)
      values = Array.from({ length: size }, (_, i) => view.getInt32(4 * i, true));
    else if (t.dataType === 1 && raw.length === 4 * size)
      values = Array.from({ length: size }, (_, i) => Number(short(view.getFloat32(4 * i, true))));
  }
  if (values.length !== size) return head;
  return shape.length === 0 ? String(values[0]) : `[${values.join(', ')}]`;
}

/** `float32 [1, 3, ?, N]` of a tensor; other types by their kind. */
export function typeText(type: onnx.TypeProto.$Properties | null | undefined): string | undefined {
  const tensor = type?.tensorType ?? type?.sparseTensorType;
  if (tensor) {
    const dims = tensor.shape?.dim?.map((d) => (d.dimValue != null ? String(d.dimValue) : d.dimParam || '?'));
    return `${dtypeName(tensor.elemType)}${dims ? ` [${dims.join(', ')}]` : ''}`;
  }
  return type?.sequenceType ? 'sequence' : type?.mapType ? 'map' : type?.optionalType ? 'optional' : undefined;
}

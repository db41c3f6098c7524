import type { Attribute, GraphEdge, GraphLevel, GraphNode, GraphSource } from '../../../model/model';
import {
  dtypeOfScalarType,
  type ExportedProgram,
  type ExportNode,
  literalText,
  sizeText,
  tensorMeta,
  valueNames,
} from './schema';

/** Nodes of one level; more are counted and left out. */
const MAX_NODES = 2000;

/** A module on the way to a node: its path and class. */
export interface StackEntry {
  path: string;
  kind: string;
  /** In programs of torch 2.1, the name that weights of the module begin with: `L__self___conv1`. */
  owner?: string;
}

/** The modules that a node was traced in, from the root down: `L__self__,,net.Net;L__self__conv1,conv1,torch.nn.modules.conv.Conv2d`. */
export function moduleStack(node: ExportNode): StackEntry[] {
  const text = node.metadata?.['nn_module_stack'];
  if (!text) return [];
  return text.split(';').map((part) => {
    const old = /^([^:(,]+):\((.*),([^,()]+)\)$/.exec(part);
    if (old) return { path: attributePath(old[2]), kind: old[3].split('.').pop() ?? '', owner: old[1] };
    // The class comes after the last comma; key and path may hold commas of their own only in subscripts.
    const last = part.lastIndexOf(',');
    const before = part.slice(0, last);
    const path = before.slice(before.indexOf(',') + 1);
    return {
      path: path.replace(/^L\['self'\]\.?/, '').replace(/@\d+$/, ''),
      kind:
        part
          .slice(last + 1)
          .split('.')
          .pop() ?? '',
    };
  });
}

/** `getattr(L['self'].body, '0')` → `body.0`: how torch 2.1 writes the path of a module. */
function attributePath(expression: string): string {
  let path = expression;
  while (path.startsWith('getattr(')) {
    const next = path.replace(/^getattr\((.*), '([^']*)'\)(.*)$/, '$1.$2$3');
    if (next === path) break;
    path = next;
  }
  return path.replace(/^L\['self'\]\.?/, '');
}

/** The graph of an exported program, one module at a time, by the module stack that each node carries. */
export class ExportGraphSource implements GraphSource {
  private readonly stacks: StackEntry[][];
  private readonly nodes: ExportNode[];

  constructor(
    private readonly program: ExportedProgram,
    /** Placeholder name → name of the parameter, buffer or constant that it stands for. */
    private readonly lifted: ReadonlyMap<string, string>,
  ) {
    this.nodes = program.graph_module?.graph?.nodes ?? [];
    this.stacks = this.nodes.map(moduleStack);
  }

  roots(): { id: string; label: string }[] {
    return this.nodes.length > 0 ? [{ id: 'forward', label: 'forward' }] : [];
  }

  level(_root: string, path: string): GraphLevel {
    const builder = new Level();
    const graph = this.program.graph_module?.graph;
    // Which item of this level makes each value.
    const makers = new Map<string, string>();
    const inside: { node: ExportNode; id: string }[] = [];
    this.nodes.forEach((node, i) => {
      const stack = this.stacks[i];
      const at = path === '' ? (stack[0]?.path === '' ? 0 : -1) : stack.findIndex((entry) => entry.path === path);
      if (at < 0 && path !== '') return;
      const below = stack[at + 1];
      const id = below ? `g:${below.path}` : `o:${i}`;
      if (below) builder.group(id, below, path);
      else builder.operator(id, node);
      for (const output of node.outputs ?? []) for (const name of valueNames(output)) makers.set(name, id);
      inside.push({ node, id });
    });
    const signatureInputs = new Set<string>();
    for (const input of graph?.inputs ?? [])
      for (const name of valueNames(input)) if (!this.lifted.has(name)) signatureInputs.add(name);
    if (path === '') for (const name of signatureInputs) makers.set(name, builder.input(name, this.typeOf(name)));
    for (const { node, id } of inside) {
      for (const { arg } of node.inputs ?? []) {
        for (const name of valueNames(arg)) {
          const parameter = this.lifted.get(name);
          if (parameter !== undefined) {
            builder.parameter(id, parameter);
            continue;
          }
          let maker = makers.get(name);
          if (maker === undefined) {
            maker = builder.input(name, this.typeOf(name));
            makers.set(name, maker);
          }
          builder.connect(maker, id, this.typeOf(name));
        }
      }
    }
    this.outputs(path, builder, makers, new Set(inside.map((entry) => entry.node)));
    return builder.level();
  }

  /** Values that leave the level: the program's outputs, or what nodes outside the module read. */
  private outputs(
    path: string,
    builder: Level,
    makers: ReadonlyMap<string, string>,
    inside: ReadonlySet<ExportNode>,
  ): void {
    const leaving = new Set<string>();
    const graph = this.program.graph_module?.graph;
    for (const output of graph?.outputs ?? []) for (const name of valueNames(output)) leaving.add(name);
    if (path !== '') {
      for (const node of this.nodes) {
        if (!inside.has(node))
          for (const { arg } of node.inputs ?? []) for (const name of valueNames(arg)) leaving.add(name);
      }
    }
    for (const name of leaving) {
      const maker = makers.get(name);
      if (maker !== undefined && !maker.startsWith('in:')) builder.output(name, maker, this.typeOf(name));
    }
  }

  private typeOf(name: string): string | undefined {
    const meta = tensorMeta(this.program.graph_module?.graph?.tensor_values?.[name]);
    return meta ? `${dtypeOfScalarType(meta.dtype)} [${(meta.sizes ?? []).map(sizeText).join(', ')}]` : undefined;
  }
}

/** Collects the items of one level. */
class Level {
  private readonly nodes = new Map<string, GraphNode>();
  private readonly edges = new Map<string, GraphEdge>();
  private omitted = 0;

  private add(node: GraphNode): void {
    if (this.nodes.has(node.id)) return;
    if (this.nodes.size >= MAX_NODES) this.omitted++;
    else this.nodes.set(node.id, node);
  }

  group(id: string, entry: StackEntry, parent: string): void {
    const known = this.nodes.get(id);
    if (known) {
      known.size = (known.size ?? 0) + 1;
      return;
    }
    const label =
      parent !== '' && entry.path.startsWith(`${parent}.`) ? entry.path.slice(parent.length + 1) : entry.path;
    this.add({ id, label, kind: 'group', op: entry.kind, path: entry.path, size: 1 });
  }

  operator(id: string, node: ExportNode): void {
    const op = (node.target ?? '?').replace(/^torch\.ops\./, '');
    const attributes: Attribute[] = [];
    for (const { name, arg } of node.inputs ?? []) {
      const text = literalText(arg);
      if (text !== undefined) attributes.push({ name: name || 'argument', text });
    }
    const parts = op.split('.');
    const item: GraphNode = {
      id,
      label: parts.length > 2 ? parts[parts.length - 2] : (parts.pop() as string),
      kind: 'op',
      op,
    };
    if (attributes.length > 0) item.attributes = attributes;
    this.add(item);
  }

  input(name: string, type: string | undefined): string {
    const id = `in:${name}`;
    this.add({ id, label: name, kind: 'input', ...(type ? { attributes: [{ name: 'type', text: type }] } : {}) });
    return id;
  }

  output(name: string, maker: string, type: string | undefined): void {
    const id = `out:${name}`;
    this.add({ id, label: name, kind: 'output', ...(type ? { attributes: [{ name: 'type', text: type }] } : {}) });
    this.connect(maker, id, type);
  }

  parameter(id: string, name: string): void {
    const node = this.nodes.get(id);
    if (!node) return;
    node.parameters ??= [];
    if (!node.parameters.includes(name)) node.parameters.push(name);
  }

  connect(from: string, to: string, label: string | undefined): void {
    if (from === to || !this.nodes.has(from) || !this.nodes.has(to)) return;
    const key = `${from}\n${to}`;
    if (!this.edges.has(key)) this.edges.set(key, label === undefined ? { from, to } : { from, to, label });
  }

  level(): GraphLevel {
    const level: GraphLevel = { nodes: [...this.nodes.values()], edges: [...this.edges.values()] };
    if (this.omitted > 0) level.omitted = this.omitted;
    return level;
  }
}

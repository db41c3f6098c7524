import type { Attribute, GraphEdge, GraphNode } from '../../../model/model';
import { type Flow, merge } from './graph-flow';

/** Nodes of one level; more are counted and left out. */
const MAX_NODES = 2000;

/** The nodes and edges of one level while they are drawn. */
export class LevelCanvas {
  protected readonly nodes: GraphNode[] = [];
  protected readonly edges: GraphEdge[] = [];
  private readonly seenEdges = new Set<string>();
  private readonly free = new Set<string>();
  protected omitted = 0;

  protected operator(op: string, args: Flow[], attributes: Attribute[], offset: number): Flow {
    const all = merge(args);
    const node: GraphNode = {
      id: `o:${offset}:${this.nodes.length}`,
      label: op.split('.').pop() as string,
      kind: 'op',
      op,
    };
    if (attributes.length > 0) node.attributes = attributes;
    if (all.kind === 'values' && all.parameters.length > 0) node.parameters = [...new Set(all.parameters)];
    const id = this.add(node);
    this.connect(all, id);
    return { kind: 'values', sources: [id], parameters: [] };
  }

  protected output(label: string, flow: Flow): void {
    if (flow.kind !== 'values' || (flow.sources.length === 0 && flow.parameters.length === 0)) return;
    const id = this.add({
      id: `out:${this.nodes.length}`,
      label,
      kind: 'output',
      ...(flow.parameters.length > 0 ? { parameters: flow.parameters } : {}),
    });
    this.connect(flow, id);
  }

  protected add(node: GraphNode): string {
    if (this.nodes.length >= MAX_NODES) {
      this.omitted++;
      this.free.add(node.id);
      return node.id;
    }
    this.nodes.push(node);
    return node.id;
  }

  protected connect(flow: Flow, to: string, label?: string): void {
    if (flow.kind !== 'values' || this.free.has(to)) return;
    for (const from of flow.sources) {
      const key = `${from}\n${to}`;
      if (from === to || this.free.has(from) || this.seenEdges.has(key)) continue;
      this.seenEdges.add(key);
      this.edges.push(label === undefined ? { from, to } : { from, to, label });
    }
  }
}

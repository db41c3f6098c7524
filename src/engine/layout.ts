import { layout as dagreLayout, Graph } from '@dagrejs/dagre';
import type { GraphLevel, GraphNode } from '../model/model';
import type { GraphLayout } from './contract';
import { type Box, edgeSpan, layered } from './layered-layout';

/** Milliseconds that a level may take. dagre cannot be stopped half-way, so its time is foretold from the size and from earlier levels. */
const DEADLINE = 300;
/** Above this many nodes dagre ranks by longest paths, which is quick, instead of by network simplex, which is prettier. */
const SIMPLEX_NODES = 60;
/** Milliseconds of dagre for each node and each layer that an edge crosses; follows what this machine shows. */
let perUnit = 0.5;

const LINE = 18;
const CHARACTER = 7.2;

/** Places the nodes and edges of a level: top to bottom, centres of boxes in pixels. `undefined` for a level without nodes. */
export function layoutLevel(level: GraphLevel): GraphLayout | undefined {
  if (level.nodes.length === 0) return undefined;
  const boxes = new Map<string, Box>(level.nodes.map((node) => [node.id, sizeOf(node)]));
  const edges = level.edges.filter((edge) => edge.from !== edge.to && boxes.has(edge.from) && boxes.has(edge.to));
  const units = boxes.size + edgeSpan(boxes, edges);
  const started = performance.now();
  if (units * perUnit > DEADLINE) {
    // A machine that was busy once may have been let alone since.
    perUnit = Math.max(0.2, perUnit * 0.95);
    return layered(boxes, edges, started + DEADLINE / 2);
  }
  try {
    const layout = byDagre(boxes, edges);
    perUnit = (perUnit + (performance.now() - started) / units) / 2;
    return layout;
  } catch {
    return layered(boxes, edges, performance.now() + DEADLINE / 2);
  }
}

/** Width by the longest line of text, height by the number of lines. */
function sizeOf(node: GraphNode): Box {
  const lines = [
    node.label,
    ...(node.op !== undefined && node.op !== node.label ? [node.op] : []),
    ...(node.parameters?.slice(0, 1) ?? []),
  ];
  const longest = lines.reduce((most, line) => Math.max(most, line.length), 0);
  return { width: Math.round(Math.min(280, Math.max(64, longest * CHARACTER + 24))), height: 16 + LINE * lines.length };
}

function byDagre(boxes: ReadonlyMap<string, Box>, edges: readonly { from: string; to: string }[]): GraphLayout {
  const graph = new Graph();
  graph.setGraph({
    rankdir: 'TB',
    nodesep: 24,
    edgesep: 12,
    ranksep: 36,
    marginx: 16,
    marginy: 16,
    ranker: boxes.size > SIMPLEX_NODES ? 'longest-path' : 'network-simplex',
  });
  graph.setDefaultEdgeLabel(() => ({}));
  // Names of nodes come from a file; numbers keep them out of the library's own keys.
  const ids = [...boxes.keys()];
  const number = new Map(ids.map((id, i) => [id, String(i)]));
  for (const [id, box] of boxes) graph.setNode(number.get(id)!, { ...box });
  for (const edge of edges) graph.setEdge(number.get(edge.from)!, number.get(edge.to)!);
  dagreLayout(graph);
  const size = graph.graph() as { width?: number; height?: number };
  const nodes = ids.map((id, i) => {
    const { x, y, width, height } = graph.node(String(i)) as { x: number; y: number; width: number; height: number };
    return [id, { x, y, width, height }] as const;
  });
  return {
    width: Math.ceil(size.width ?? 0),
    height: Math.ceil(size.height ?? 0),
    // Not by assignment: a node may be called `__proto__`.
    nodes: Object.fromEntries(nodes),
    edges: edges.map(({ from, to }) => {
      const { points } = graph.edge(number.get(from)!, number.get(to)!) as { points?: { x: number; y: number }[] };
      return { from, to, points: (points ?? []).map(({ x, y }) => ({ x, y })) };
    }),
  };
}

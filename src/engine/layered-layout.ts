import type { GraphLayout } from './contract';

export interface Box {
  width: number;
  height: number;
}

const GAP = 20;
const RANK_GAP = 56;
const MARGIN = 16;
/** A layer wider than this goes on in another row. */
const MAX_ROW = 12_000;
const SWEEPS = 6;

/**
 * A quick layout for big levels: nodes in layers by the longest way from a source (cycles are cut where they close), each layer ordered by
 * where its neighbours lie (barycentre, alternating up and down), edges straight. Linear in the graph but for the sorting of layers.
 * @param until time (`performance.now()`) after which the ordering stays as it is.
 */
export function layered(
  boxes: ReadonlyMap<string, Box>,
  edges: readonly { from: string; to: string }[],
  until: number,
): GraphLayout {
  const { ids, at, next, before } = neighbours(boxes, edges);
  const rank = ranks(next);
  const layers: number[][] = [];
  rank.forEach((r, i) => {
    layers[r] ??= [];
    layers[r].push(i);
  });
  const position = new Array<number>(ids.length).fill(0);
  const number = (layer: readonly number[]): void => {
    layer.forEach((node, i) => {
      position[node] = i / Math.max(1, layer.length - 1);
    });
  };
  for (const layer of layers) number(layer);
  for (let sweep = 0; sweep < SWEEPS && performance.now() < until; sweep++) {
    const down = sweep % 2 === 0;
    for (let r = 0; r < layers.length; r++) {
      const layer = layers[down ? r : layers.length - 1 - r]!;
      const weight = new Map(
        layer.map((node) => [node, mean(down ? before[node]! : next[node]!, position) ?? position[node]!]),
      );
      layer.sort((a, b) => weight.get(a)! - weight.get(b)!);
      number(layer);
    }
  }
  const places = new Array<{ x: number; y: number; width: number; height: number }>(ids.length);
  const rows = layers.flatMap((layer) => rowsOf(layer, ids, boxes));
  const width = rows.reduce((most, row) => Math.max(most, row.width), 0) + 2 * MARGIN;
  let y = MARGIN;
  for (const row of rows) {
    let x = (width - row.width) / 2;
    for (const node of row.nodes) {
      const box = boxes.get(ids[node]!)!;
      places[node] = { x: x + box.width / 2, y: y + row.height / 2, ...box };
      x += box.width + GAP;
    }
    y += row.height + RANK_GAP;
  }
  return {
    width: Math.ceil(width),
    height: Math.ceil(y - RANK_GAP + MARGIN),
    nodes: Object.fromEntries(ids.map((id, i) => [id, places[i]!])),
    edges: edges.map(({ from, to }) => {
      const a = places[at.get(from)!]!;
      const b = places[at.get(to)!]!;
      const downwards = a.y <= b.y;
      return {
        from,
        to,
        points: [
          { x: a.x, y: a.y + (downwards ? a.height : -a.height) / 2 },
          { x: b.x, y: b.y + (downwards ? -b.height : b.height) / 2 },
        ],
      };
    }),
  };
}

/** Layers that the edges cross together: what a layout with bends has to order. */
export function edgeSpan(boxes: ReadonlyMap<string, Box>, edges: readonly { from: string; to: string }[]): number {
  const { at, next } = neighbours(boxes, edges);
  const rank = ranks(next);
  return edges.reduce((n, { from, to }) => n + Math.abs(rank[at.get(to)!]! - rank[at.get(from)!]!), 0);
}

function neighbours(boxes: ReadonlyMap<string, Box>, edges: readonly { from: string; to: string }[]) {
  const ids = [...boxes.keys()];
  const at = new Map(ids.map((id, i) => [id, i]));
  const next: number[][] = ids.map(() => []);
  const before: number[][] = ids.map(() => []);
  for (const { from, to } of edges) {
    next[at.get(from)!]!.push(at.get(to)!);
    before[at.get(to)!]!.push(at.get(from)!);
  }
  return { ids, at, next, before };
}

/** Longest way from a source for every node; edges that close a cycle are passed over. Iterative depth-first search. */
function ranks(next: readonly (readonly number[])[]): number[] {
  const state = new Uint8Array(next.length);
  const finished: number[] = [];
  const closing = new Set<string>();
  for (let start = 0; start < next.length; start++) {
    if (state[start]) continue;
    const stack: [node: number, edge: number][] = [[start, 0]];
    state[start] = 1;
    while (stack.length > 0) {
      const top = stack.at(-1)!;
      const to = next[top[0]]![top[1]++];
      if (to === undefined) {
        state[top[0]] = 2;
        finished.push(top[0]);
        stack.pop();
      } else if (state[to] === 1) closing.add(`${top[0]}:${to}`);
      else if (state[to] === 0) {
        state[to] = 1;
        stack.push([to, 0]);
      }
    }
  }
  const rank = new Array<number>(next.length).fill(0);
  for (let i = finished.length - 1; i >= 0; i--) {
    const node = finished[i]!;
    for (const to of next[node]!) if (!closing.has(`${node}:${to}`)) rank[to] = Math.max(rank[to]!, rank[node]! + 1);
  }
  return rank;
}

function mean(around: readonly number[], position: readonly number[]): number | undefined {
  if (around.length === 0) return undefined;
  let sum = 0;
  for (const node of around) sum += position[node]!;
  return sum / around.length;
}

interface Row {
  nodes: number[];
  width: number;
  height: number;
}

function rowsOf(layer: readonly number[], ids: readonly string[], boxes: ReadonlyMap<string, Box>): Row[] {
  const rows: Row[] = [];
  let row: Row = { nodes: [], width: 0, height: 0 };
  for (const node of layer) {
    const box = boxes.get(ids[node]!)!;
    if (row.nodes.length > 0 && row.width + GAP + box.width > MAX_ROW) {
      rows.push(row);
      row = { nodes: [], width: 0, height: 0 };
    }
    row.width += box.width + (row.nodes.length > 0 ? GAP : 0);
    row.height = Math.max(row.height, box.height);
    row.nodes.push(node);
  }
  rows.push(row);
  return rows;
}

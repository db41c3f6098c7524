import type { Model, ModuleNode } from '../model/model';
import type { ModuleRow } from './contract';
import { isUnder } from './parameter-table';

interface Weight {
  count: number;
  bytes: number;
}

/** Answers questions on the hierarchy: children of a path, with the weight of everything below. */
export class ModuleIndex {
  private readonly byPath = new Map<string, ModuleNode>();
  private readonly weights = new Map<ModuleNode, Weight>();
  private readonly total: number;

  constructor(model: Model) {
    const { parameters } = model;
    // Children before parents, without recursion: hierarchies can be as deep as a hostile file likes.
    const order: ModuleNode[] = [];
    const pending = [model.root];
    for (let node = pending.pop(); node; node = pending.pop()) {
      order.push(node);
      this.byPath.set(node.path, node);
      for (const child of node.children) pending.push(child);
    }
    for (let i = order.length - 1; i >= 0; i--) {
      const node = order[i];
      const weight: Weight = { count: 0, bytes: 0 };
      for (const name of node.parameters) {
        const row = parameters.indexOf(name);
        if (row < 0 || parameters.tiedTo(row) !== undefined) continue;
        weight.count += parameters.count(row);
        weight.bytes += parameters.bytes(row);
      }
      for (const child of node.children) {
        const below = this.weights.get(child);
        if (!below) continue;
        const times = timesCounted(child);
        weight.count += below.count * times;
        weight.bytes += below.bytes * times;
      }
      this.weights.set(node, weight);
    }
    this.total = Math.max(1, this.weights.get(model.root)?.bytes ?? 1);
    this.root = model.root;
  }

  private readonly root: ModuleNode;

  /** Children of `path`, or the root itself for `null`. */
  children(path: string | null, start: number, count: number): { total: number; rows: ModuleRow[] } {
    if (path === null) return { total: 1, rows: start === 0 && count > 0 ? [this.row(this.root)] : [] };
    const node = this.byPath.get(path);
    if (!node) return { total: 0, rows: [] };
    return {
      total: node.children.length,
      rows: node.children.slice(start, start + count).map((child) => this.row(child)),
    };
  }

  private row(node: ModuleNode): ModuleRow {
    const weight = this.weights.get(node) ?? { count: 0, bytes: 0 };
    const times = timesCounted(node);
    const row: ModuleRow = {
      path: node.path,
      name: node.name,
      kind: node.kind,
      attributes: node.attributes,
      parameters: node.parameters,
      childCount: node.children.length,
      parameterCount: weight.count * times,
      bytes: weight.bytes * times,
      share: (weight.bytes * times) / this.total,
    };
    if (node.inferredFrom !== undefined) row.inferredFrom = node.inferredFrom;
    if (node.summary !== undefined) row.summary = node.summary;
    if (node.repeated !== undefined) {
      const { count, first, last } = node.repeated;
      row.repeated = { count, first, last };
    }
    return row;
  }
}

/**
 * How often what lies below a node counts. A node that stands for several alike may hold the parameters of the first alone,
 * or those of all of them; the names tell.
 */
function timesCounted(node: ModuleNode): number {
  const { repeated } = node;
  if (!repeated) return 1;
  const pending = [node];
  for (let at = pending.pop(); at; at = pending.pop()) {
    if (repeated.first !== repeated.last && at.parameters.some((name) => isUnder(name, repeated.last))) return 1;
    for (const child of at.children) pending.push(child);
  }
  return repeated.count;
}

import type { tensorflow } from '../../../generated/tensorflow';

export type SavedObject = tensorflow.SavedObject.$Properties;

export type ObjectKind =
  | 'userObject'
  | 'asset'
  | 'function'
  | 'variable'
  | 'bareConcreteFunction'
  | 'constant'
  | 'resource'
  | 'capturedTensor'
  | 'unknown';

export interface Child {
  name: string;
  id: number;
}

/** Where a node hangs in the tree that covers the object graph. */
export interface Place {
  parent: number;
  /** Name of the edge from the parent. */
  name: string;
}

/** The object graph of a SavedModel: what the author's Python objects tracked, with edges checked to lead somewhere. */
export class ObjectGraph {
  readonly nodes: readonly SavedObject[];
  /** Edges that lead to no node, for a finding. */
  readonly dangling: { node: number; name: string; to: number }[] = [];
  private readonly childLists: (Child[] | undefined)[] = [];
  private readonly functionTable: Map<string, tensorflow.SavedConcreteFunction.$Properties>;

  constructor(message: tensorflow.SavedObjectGraph.$Properties) {
    this.nodes = message.nodes ?? [];
    this.functionTable = new Map(Object.entries(message.concreteFunctions ?? {}));
  }

  get size(): number {
    return this.nodes.length;
  }

  kind(id: number): ObjectKind {
    const node = this.nodes[id];
    if (!node) return 'unknown';
    if (node.userObject) return 'userObject';
    if (node.variable) return 'variable';
    if (node.function) return 'function';
    if (node.bareConcreteFunction) return 'bareConcreteFunction';
    if (node.resource) return 'resource';
    if (node.constant) return 'constant';
    if (node.asset) return 'asset';
    if (node.capturedTensor) return 'capturedTensor';
    return 'unknown';
  }

  children(id: number): readonly Child[] {
    const known = this.childLists[id];
    if (known) return known;
    const list: Child[] = [];
    for (const child of this.nodes[id]?.children ?? []) {
      const to = child.nodeId ?? 0;
      const name = child.localName ?? '';
      if (to < 0 || to >= this.nodes.length) this.dangling.push({ node: id, name, to });
      else list.push({ name, id: to });
    }
    this.childLists[id] = list;
    return list;
  }

  child(id: number, name: string): number | undefined {
    return this.children(id).find((child) => child.name === name)?.id;
  }

  /** Identifier of a user object: `_tf_keras_layer`, `_generic_user_object`, `signature_map`, … */
  identifier(id: number): string {
    return this.nodes[id]?.userObject?.identifier ?? '';
  }

  concreteFunction(name: string): tensorflow.SavedConcreteFunction.$Properties | undefined {
    return this.functionTable.get(name);
  }

  /** Names of the traces of a function object, in the order of the file. */
  tracesOf(id: number): readonly string[] {
    const node = this.nodes[id];
    if (node?.function) return node.function.concreteFunctions ?? [];
    const name = node?.bareConcreteFunction?.concreteFunctionName;
    return name ? [name] : [];
  }

  /**
   * A tree that covers what can be reached from the root, breadth first, as TensorFlow itself names checkpoint keys. `skip` leaves out
   * an edge. Cycles and shared objects end at the place where they were first met.
   */
  cover(skip: (parent: number, child: Child) => boolean = () => false): Map<number, Place> {
    const places = new Map<number, Place>();
    if (this.nodes.length === 0) return places;
    const queue = [0];
    const seen = new Set(queue);
    for (let head = 0; head < queue.length; head++) {
      const id = queue[head]!;
      for (const child of this.children(id)) {
        if (seen.has(child.id) || skip(id, child)) continue;
        seen.add(child.id);
        places.set(child.id, { parent: id, name: child.name });
        queue.push(child.id);
      }
    }
    return places;
  }
}

/** Edge names from the root to a node along a covering tree; empty for the root. */
export function pathOf(places: ReadonlyMap<number, Place>, id: number): string[] {
  const path: string[] = [];
  for (let place = places.get(id); place; place = places.get(place.parent)) path.push(place.name);
  return path.reverse();
}

/** A child name as it stands in a checkpoint key: `.` and `/` are escaped (TensorFlow, `trackable/base.py`). */
export function escapeLocalName(name: string): string {
  return name.replace(/\./g, '..').replace(/\//g, '.S');
}

/** The inverse of `escapeLocalName`. */
export function unescapeLocalName(name: string): string {
  return name.replace(/\.([.S])/g, (_, c: string) => (c === '.' ? '.' : '/'));
}

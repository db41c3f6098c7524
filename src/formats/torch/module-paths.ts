import type { ModuleNode } from '../../model/model';

/** Children of one node that are searched one by one. */
const MAX_SEARCHED = 8;

/** Children by name, of nodes that have many. */
const tables = new WeakMap<ModuleNode, Map<string, ModuleNode>>();

/** The child of that name, made if there is none. @param path its path, where that is at hand. */
export function childOf(node: ModuleNode, name: string, path?: string): ModuleNode {
  const { children } = node;
  const last = children[children.length - 1];
  if (last?.name === name) return last;
  const known =
    children.length <= MAX_SEARCHED ? children.find((child) => child.name === name) : tableOf(node).get(name);
  if (known) return known;
  // With room for what is inferred later: an object that grows takes more memory than one that is made whole.
  const child: ModuleNode = {
    path: path ?? (node.path === '' ? name : `${node.path}.${name}`),
    name,
    kind: '',
    inferredFrom: undefined,
    summary: undefined,
    attributes: [],
    parameters: [],
    children: [],
  };
  if (children.length === 0) node.children = [child];
  else children.push(child);
  if (children.length > MAX_SEARCHED) tableOf(node).set(name, child);
  return child;
}

function tableOf(node: ModuleNode): Map<string, ModuleNode> {
  let table = tables.get(node);
  if (!table) {
    table = new Map(node.children.map((child) => [child.name, child]));
    tables.set(node, table);
  }
  return table;
}

/**
 * The modules that dotted names lead to, below one node. Names of one module follow each other, and those of its neighbours come next: each is
 * found from where the name before it led to, so that only the components in which they differ are looked at.
 */
export class ModulePaths {
  /** The path that was asked for last, the nodes on it, and where the name of each ends in the path. */
  private last = '';
  private length = 0;
  private readonly nodes: ModuleNode[] = [];
  private readonly ends: number[] = [];

  constructor(readonly root: ModuleNode) {}

  /** The node whose path below the root the first `length` characters of a name are, made if there is none. */
  at(name: string, length: number): ModuleNode {
    const { nodes, ends } = this;
    const most = Math.min(length, this.length);
    let same = 0;
    while (same < most && name.charCodeAt(same) === this.last.charCodeAt(same)) same++;
    while (nodes.length > 0) {
      const end = ends[ends.length - 1];
      // A component is shared if both paths end it where it ends.
      if (end <= same && (end === length || name.charCodeAt(end) === DOT)) break;
      nodes.pop();
      ends.pop();
    }
    let node = nodes[nodes.length - 1] ?? this.root;
    let start = nodes.length > 0 ? ends[ends.length - 1] + 1 : 0;
    while (start <= length && !(nodes.length > 0 && ends[ends.length - 1] === length)) {
      const dot = name.indexOf('.', start);
      const end = dot < 0 || dot > length ? length : dot;
      node = childOf(node, name.slice(start, end), this.root.path === '' ? name.slice(0, end) : undefined);
      nodes.push(node);
      ends.push(end);
      start = end + 1;
    }
    this.last = name;
    this.length = length;
    return node;
  }
}

const DOT = 0x2e;

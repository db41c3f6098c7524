import type { Attribute, GraphEdge, GraphLevel, GraphNode } from './model';

/** An operator of a flat graph on its way to being drawn a level at a time. */
export interface FlatNode {
  /** Unique in its graph; `/` separates the scopes that become groups. */
  id: string;
  kind: 'op' | 'input' | 'output' | 'constant';
  op?: string;
  label?: string;
  /** Ids of the nodes whose results it takes, in order; unknown ids are passed over. */
  inputs: readonly string[];
  /** Rows of the parameter table that it reads. */
  parameters?: readonly string[];
  /** Path to ask for when it opens as a graph of its own: a function that is called, a loop's body. */
  enter?: string;
  /** Operators inside, for a node that opens. */
  size?: number;
}

/** Nodes of one level that are drawn; what is more is counted and said. */
export const MAX_LEVEL_NODES = 1500;
const MAX_LEVEL_EDGES = 6000;
/** Inputs and outputs of a group that are drawn as nodes of their own. */
const MAX_BOUNDARY = 60;
/** Edges into one node that are drawn; a sum of thousands would hide everything else. */
const MAX_FAN_IN = 64;
/** Scopes that nest deeper are one group. */
const MAX_DEPTH = 48;
const MAX_GROUP_PARAMETERS = 40;

interface Scope {
  groups: Map<string, number>;
  nodes: FlatNode[];
}

/** A flat graph, indexed by the scopes in the names of its nodes, so that any level is made from its own nodes only. */
export class GraphIndex {
  private readonly scopes = new Map<string, Scope>();
  private readonly byId = new Map<string, FlatNode>();
  private users: Map<string, FlatNode[]> | undefined;

  /** @param describe gives the attributes of a node that is drawn. */
  constructor(
    readonly nodes: readonly FlatNode[],
    private readonly describe: (node: FlatNode) => Attribute[] = () => [],
  ) {
    for (const node of nodes) {
      this.byId.set(node.id, node);
      let at = '';
      let from = 0;
      for (let depth = 0; depth < MAX_DEPTH; depth++) {
        const slash = node.kind === 'op' || node.kind === 'constant' ? node.id.indexOf('/', from) : -1;
        if (slash < 0) break;
        const next = node.id.slice(0, slash);
        const scope = this.scope(at);
        scope.groups.set(next, (scope.groups.get(next) ?? 0) + 1);
        at = next;
        from = slash + 1;
      }
      this.scope(at).nodes.push(node);
    }
  }

  /**
   * The nodes directly in a scope, groups for the scopes below, and what leads in and out.
   * @param prefix is put before the paths of groups, so that they lead back here.
   */
  level(asked: string, prefix: string): GraphLevel {
    const at = this.interesting(asked);
    const shown = new Map<string, GraphNode>();
    let omitted = 0;
    const add = (node: GraphNode): boolean => {
      if (shown.has(node.id)) return true;
      if (shown.size >= MAX_LEVEL_NODES) return false;
      shown.set(node.id, node);
      return true;
    };
    const inside = this.below(at);
    const groupOf = new Map<string, GraphNode>();
    /** What stands for each node inside. */
    const places = new Map<FlatNode, string>();
    for (const node of inside) {
      const group = this.groupIn(at, node);
      if (group === undefined) {
        places.set(node, node.id);
        if (shown.size >= MAX_LEVEL_NODES || !add(this.drawn(node))) omitted++;
        continue;
      }
      let made = groupOf.get(group);
      if (!made) {
        const label = at === '' ? group : group.slice(at.length + 1);
        made = { id: `group:${group}`, label, kind: 'group', path: prefix + group, size: 0 };
        groupOf.set(group, made);
        if (!add(made)) omitted++;
      }
      places.set(node, made.id);
      made.size! += 1 + (node.size ?? 0);
      for (const name of node.parameters ?? []) {
        made.parameters ??= [];
        if (made.parameters.length < MAX_GROUP_PARAMETERS && !made.parameters.includes(name))
          made.parameters.push(name);
      }
    }
    const edges: GraphEdge[] = [];
    const linked = new Map<string, Set<string>>();
    const left = new Set<string>();
    const fanIn = new Map<string, number>();
    let boundary = 0;
    const link = (from: string, to: string): void => {
      if (from === to) return;
      let targets = linked.get(from);
      if (!targets) {
        targets = new Set();
        linked.set(from, targets);
      }
      if (targets.has(to)) return;
      targets.add(to);
      if (edges.length >= MAX_LEVEL_EDGES || !shown.has(from) || !shown.has(to)) return;
      const count = (fanIn.get(to) ?? 0) + 1;
      fanIn.set(to, count);
      if (count <= MAX_FAN_IN) edges.push({ from, to });
    };
    const outside = (kind: 'input' | 'output', node: FlatNode): string | undefined => {
      const label = this.neighbourOf(at, node);
      const id = `${kind}:${label}`;
      if (!shown.has(id)) {
        if (boundary >= MAX_BOUNDARY || !add({ id, label, kind })) {
          left.add(id);
          return undefined;
        }
        boundary++;
      }
      return id;
    };
    for (const node of inside) {
      const to = places.get(node)!;
      for (const input of node.inputs) {
        const source = this.byId.get(input);
        if (!source) continue;
        const from = places.get(source) ?? outside('input', source);
        if (from !== undefined) link(from, to);
      }
    }
    if (at !== '') {
      for (const node of inside) {
        for (const user of this.usersOf(node.id)) {
          if (places.has(user)) continue;
          const to = outside('output', user);
          if (to !== undefined) link(places.get(node)!, to);
        }
      }
    }
    for (const [id, count] of fanIn) {
      const node = shown.get(id);
      if (count > MAX_FAN_IN && node) {
        node.attributes = [
          ...(node.attributes ?? []),
          { name: 'inputs', text: `${count}, of which ${MAX_FAN_IN} are drawn` },
        ];
      }
    }
    const level: GraphLevel = { nodes: [...shown.values()], edges };
    if (omitted + left.size > 0) level.omitted = omitted + left.size;
    return level;
  }

  /** Scopes that hold nothing but one other scope are stepped through. */
  private interesting(asked: string): string {
    let at = asked;
    for (let i = 0; i < MAX_DEPTH; i++) {
      const scope = this.scopes.get(at);
      if (scope?.groups.size !== 1 || scope.nodes.some((node) => node.kind === 'op')) return at;
      const [only] = scope.groups.keys();
      if (at === '' && scope.nodes.length > 0) return at;
      at = only!;
    }
    return at;
  }

  private scope(path: string): Scope {
    let scope = this.scopes.get(path);
    if (!scope) {
      scope = { groups: new Map(), nodes: [] };
      this.scopes.set(path, scope);
    }
    return scope;
  }

  /** All nodes in a scope and below it. */
  private below(at: string): readonly FlatNode[] {
    if (at === '') return this.nodes;
    const out: FlatNode[] = [];
    const pending = [at];
    for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
      const scope = this.scopes.get(path);
      if (!scope) continue;
      for (const node of scope.nodes) out.push(node);
      for (const group of scope.groups.keys()) pending.push(group);
    }
    return out;
  }

  /** The group that stands for a node in a scope; `undefined` if the node itself is drawn. A group of one is not worth opening. */
  private groupIn(at: string, node: FlatNode): string | undefined {
    if (node.kind === 'input' || node.kind === 'output') return undefined;
    const slash = node.id.indexOf('/', at === '' ? 0 : at.length + 1);
    if (slash < 0) return undefined;
    const group = node.id.slice(0, slash);
    return (this.scopes.get(at)?.groups.get(group) ?? 0) > 1 ? group : undefined;
  }

  /** What a node outside a scope is called there: the part of its name that differs first. */
  private neighbourOf(at: string, node: FlatNode): string {
    if (node.kind === 'input' || node.kind === 'output') return node.label ?? node.id;
    let common = 0;
    for (let slash = at.indexOf('/'); ; slash = at.indexOf('/', slash + 1)) {
      const end = slash < 0 ? at.length : slash;
      if (node.id.slice(0, end + 1) !== `${at.slice(0, end)}/`) break;
      common = end + 1;
      if (slash < 0) break;
    }
    const next = node.id.indexOf('/', common);
    return next < 0 ? node.id : node.id.slice(0, next);
  }

  private usersOf(id: string): readonly FlatNode[] {
    if (!this.users) {
      this.users = new Map();
      for (const node of this.nodes) {
        for (const input of node.inputs) {
          const list = this.users.get(input);
          if (list) list.push(node);
          else this.users.set(input, [node]);
        }
      }
    }
    return this.users.get(id) ?? [];
  }

  private drawn(node: FlatNode): GraphNode {
    const slash = node.id.lastIndexOf('/');
    const out: GraphNode = {
      id: node.id,
      label: node.label ?? node.id.slice(slash + 1),
      kind: node.enter === undefined ? node.kind : 'group',
    };
    if (node.op !== undefined) out.op = node.op;
    if (node.enter !== undefined) out.path = node.enter;
    if (node.size !== undefined) out.size = node.size;
    const attributes = this.describe(node);
    if (attributes.length > 0) out.attributes = attributes;
    if (node.parameters && node.parameters.length > 0) out.parameters = [...node.parameters];
    return out;
  }
}

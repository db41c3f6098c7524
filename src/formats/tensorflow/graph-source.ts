import { GraphIndex } from '../../model/graph-index';
import type { GraphLevel, GraphSource } from '../../model/model';
import { dtypeName } from './dtypes';
import { type Body, calledFunctions, FoldedBody, functionBody } from './graph-body';
import type { GraphDefView, GraphNodeDef } from './graph-def';
import type { MetaGraph } from './meta-graph';
import { shapeOf } from './structured';

/** Calls inside calls that a path may hold; functions can call themselves. */
const MAX_CALLS = 64;
/** Functions that hold nothing but the call of another one are stepped through. */
const MAX_WRAPPERS = 16;
const MAX_BODIES = 24;
const MAX_FUNCTION_ROOTS = 400;

/** Functions that save, restore and initialise. */
const HIDDEN_FUNCTION =
  /__inference__(traced_(save|restore)|creator|destroyer|initializer)|^__forward|^__backward|^__inference___backward/;

/** What the graph needs to know of the model around it. */
export interface GraphContext {
  /** Row of the parameter table of a variable by TensorFlow's name, or of a constant by its node's. */
  rowOf(variableName: string): string | undefined;
  /** Rows of the captured inputs of a concrete function, which are its last arguments. */
  captures(concreteFunction: string): (string | undefined)[];
  /** Rows of the handles of the main graph, where the functions that capture them tell. */
  handles(): ReadonlyMap<string, string>;
  /** Names of signatures to offer, in order; functions for models without. */
  signatures: readonly { name: string; concreteFunction?: string }[];
}

/**
 * The graphs of a SavedModel: one for each signature, the whole main graph, and each function. A path is the calls that lead to a function,
 * each followed by `|`, and then a scope: `StatefulPartitionedCall|model/dense`.
 */
export class TensorFlowGraph implements GraphSource {
  private readonly cache = new Map<string, { folded: FoldedBody; index: GraphIndex }>();

  constructor(
    private readonly meta: Pick<MetaGraph, 'graph' | 'signatures'>,
    private readonly context: GraphContext,
  ) {}

  roots(): { id: string; label: string }[] {
    const out = this.context.signatures.map((s) => ({
      id: s.concreteFunction ? `function:${s.concreteFunction}` : `signature:${s.name}`,
      label: s.name,
    }));
    const { graph } = this.meta;
    if (graph.nodes.length > 0) {
      out.push({ id: 'graph', label: 'main graph' });
      out.push({ id: 'everything', label: 'main graph with saving and initialisation' });
    }
    let count = 0;
    for (const name of graph.functions.keys()) {
      if (HIDDEN_FUNCTION.test(name)) continue;
      if (++count > MAX_FUNCTION_ROOTS) break;
      out.push({
        id: `function:${name}`,
        label: `function ${name.replace(/^__inference_/, '').replace(/_[0-9]+$/, '')}`,
      });
    }
    return out;
  }

  level(root: string, path: string): GraphLevel {
    const parts = path.split('|');
    const scope = parts.pop() ?? '';
    const calls = parts.slice(0, MAX_CALLS);
    let at = this.body(root, calls);
    for (let i = 0; scope === '' && i < MAX_WRAPPERS; i++) {
      const only = onlyCall(at.folded);
      if (!only) break;
      const next = this.tryBody(root, [...calls, only]);
      if (!next) break;
      calls.push(only);
      at = next;
    }
    return at.index.level(scope, calls.map((call) => `${call}|`).join(''));
  }

  private tryBody(root: string, calls: readonly string[]): { folded: FoldedBody; index: GraphIndex } | undefined {
    try {
      return this.body(root, calls);
    } catch {
      return undefined;
    }
  }

  private body(root: string, calls: readonly string[]): { folded: FoldedBody; index: GraphIndex } {
    const key = [root, ...calls].join('|');
    const known = this.cache.get(key);
    if (known) return known;
    const { graph } = this.meta;
    let body: Body;
    const last = calls.at(-1);
    if (last === undefined) body = this.rootBody(root);
    else {
      const outer = this.body(root, calls.slice(0, -1));
      const hash = last.lastIndexOf('#');
      const call = outer.folded.calls.get(hash < 0 ? last : last.slice(0, hash));
      if (!call) return EMPTY;
      const called = calledFunctions(call, graph.functions);
      const rows = outer.folded.rowsOfInputs(call);
      const chosen = hash < 0 && called.length === 1 ? called[0]! : hash < 0 ? undefined : last.slice(hash + 1);
      if (chosen === undefined) return this.keep(key, choice(call, called, calls, graph));
      const def = graph.functions.get(chosen);
      if (!def) return EMPTY;
      // The condition of a branch is not an argument of its functions.
      const skip = /^(Stateless)?(If|Case)$/.test(call.op) ? 1 : 0;
      const args = rows.slice(skip);
      const captures = this.context.captures(chosen);
      captures.forEach((row, i) => {
        const at = args.length - captures.length + i;
        if (at >= 0) args[at] ??= row;
      });
      body = functionBody(def, args);
    }
    const folded = new FoldedBody(
      body,
      this.context.rowOf,
      graph.functions,
      (node) => `${[...calls, node.name].join('|')}|`,
      root === 'everything' && calls.length === 0,
    );
    return this.keep(key, { folded, index: new GraphIndex(folded.nodes, (node) => folded.describe(node.id)) });
  }

  private keep(
    key: string,
    made: { folded: FoldedBody; index: GraphIndex },
  ): { folded: FoldedBody; index: GraphIndex } {
    if (this.cache.size >= MAX_BODIES) this.cache.delete(this.cache.keys().next().value!);
    this.cache.set(key, made);
    return made;
  }

  private rootBody(root: string): Body {
    const { graph } = this.meta;
    if (root.startsWith('function:')) {
      const name = root.slice('function:'.length);
      const def = graph.functions.get(name);
      if (!def) return { nodes: [], inputs: [], outputs: [], variables: new Map() };
      const captures = this.context.captures(name);
      const args = def.definition.signature?.inputArg?.length ?? 0;
      return functionBody(def, [...new Array<undefined>(Math.max(0, args - captures.length)), ...captures]);
    }
    const body: Body = {
      nodes: graph.nodes,
      inputs: [],
      outputs: [],
      variables: new Map(this.context.handles()),
    };
    const names = root.startsWith('signature:')
      ? [root.slice('signature:'.length)]
      : root === 'graph'
        ? [...this.meta.signatures.keys()]
        : [];
    const seen = new Set<string>();
    for (const name of names) {
      const signature = this.meta.signatures.get(name);
      for (const [label, info] of Object.entries(signature?.inputs ?? {})) {
        const node = nodeOf(info.name);
        if (node === undefined || seen.has(node)) continue;
        seen.add(node);
        const shape = shapeOf(info.tensorShape);
        body.inputs.push({
          name: node,
          label,
          type: `${dtypeName(info.dtype)}${shape ? ` [${shape.map((d) => d ?? '?').join(', ')}]` : ''}`,
        });
      }
      for (const [label, info] of Object.entries(signature?.outputs ?? {})) {
        if (info.name && !name.startsWith('__saved_model'))
          body.outputs.push({ label: names.length > 1 ? `${name}: ${label}` : label, from: info.name });
      }
    }
    return body;
  }
}

const NOTHING: Body = { nodes: [], inputs: [], outputs: [], variables: new Map() };
const EMPTY = {
  folded: new FoldedBody(
    NOTHING,
    () => undefined,
    new Map(),
    () => '',
  ),
  index: new GraphIndex([]),
};

/** The level of an operator with several functions: one group for each. */
function choice(
  call: GraphNodeDef,
  called: readonly string[],
  calls: readonly string[],
  graph: GraphDefView,
): { folded: FoldedBody; index: GraphIndex } {
  const outer = calls.slice(0, -1);
  const nodes = called.map((name) => ({
    id: name.replace(/\//g, '_'),
    kind: 'op' as const,
    op: roleOf(call, name),
    label: roleOf(call, name),
    inputs: [],
    enter: `${[...outer, `${call.name}#${name}`].join('|')}|`,
    size: graph.functions.get(name)?.nodeCount ?? 0,
  }));
  return { folded: EMPTY.folded, index: new GraphIndex(nodes) };
}

/** The attribute through which an operator runs a function: `cond`, `body`, `then_branch`. */
function roleOf(call: GraphNodeDef, name: string): string {
  for (const [attribute, value] of call.attr) {
    if (value.func?.name === name) return attribute;
    const at = (value.list?.func ?? []).findIndex((f) => f.name === name);
    if (at >= 0) return `${attribute} ${at}`;
  }
  return name;
}

/** The call that a function consists of, if it has nothing else. */
function onlyCall(folded: FoldedBody): string | undefined {
  if (folded.calls.size !== 1 || folded.nodes.filter((node) => node.kind === 'op').length !== 1) return undefined;
  return folded.calls.keys().next().value;
}

function nodeOf(tensor: string | null | undefined): string | undefined {
  if (!tensor) return undefined;
  const colon = tensor.lastIndexOf(':');
  return colon < 0 ? tensor : tensor.slice(0, colon);
}

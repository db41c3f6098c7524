import { asModelError, ModelError } from '../../bytes/errors';
import { BYTES, WireReader } from '../../bytes/wire';
import { type AttrValue, GraphDefView, type GraphFunctionDef, type GraphNodeDef } from './graph-def';
import { readMetaGraphs } from './meta-graph';

/** One operator of a graph, wherever in the file it stands. Data only; what it means for safety is judged elsewhere. */
export interface OperatorUse {
  op: string;
  /** Name of the node. */
  name: string;
  /** Where it stands: `meta graph "serve"`, `function __inference_call_12`, `graph in a string of node x`. */
  location: string;
  /** Byte offset of the node, in the file or in the nested graph. */
  offset: number;
  device: string;
  /** Attributes, decoded when asked for. @throws ModelError when they are damaged. */
  attributes(): ReadonlyMap<string, AttrValue>;
}

/** Graphs inside graphs that are opened; data set options and converted segments nest once. */
const MAX_NESTING = 8;
/** A serialized graph with one operator has at least this many bytes. */
const SMALLEST_GRAPH = 8;

interface Pending {
  graph: GraphDefView;
  location: string;
  depth: number;
}

/**
 * Every operator of a SavedModel: nodes and function libraries of all meta graphs, and graphs serialized into strings of theirs.
 * @param problems gets what could not be read; the rest is still walked.
 */
export function* savedModelOperators(bytes: Uint8Array, problems: ModelError[]): Generator<OperatorUse> {
  const { graphs, error } = readMetaGraphs(bytes);
  if (error) problems.push(error);
  for (let i = 0; i < graphs.length; i++) {
    const meta = graphs[i]!;
    const tags = meta.tags.join(', ');
    yield* walk(
      { graph: meta.graph, location: `meta graph ${tags === '' ? i : JSON.stringify(tags)}`, depth: 0 },
      problems,
    );
    problems.push(...meta.errors);
  }
}

/** The same for a bare GraphDef. */
export function* graphDefOperators(bytes: Uint8Array, problems: ModelError[]): Generator<OperatorUse> {
  yield* graphOperators(new GraphDefView({ bytes, from: 0, to: bytes.length }), 'graph', problems);
}

/** The same for a graph that is read already. */
export function* graphOperators(graph: GraphDefView, location: string, problems: ModelError[]): Generator<OperatorUse> {
  if (graph.error) problems.push(graph.error);
  yield* walk({ graph, location, depth: 0 }, problems);
}

function* walk(start: Pending, problems: ModelError[]): Generator<OperatorUse> {
  const pending: Pending[] = [start];
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { graph, location, depth } = next;
    yield* nodes(graph.nodes, location, depth, pending, problems);
    for (const f of graph.functions.values()) {
      const inside = depth === 0 ? `function ${f.name}` : `function ${f.name} in ${location}`;
      try {
        yield* nodes(nodesOf(f), inside, depth, pending, problems);
      } catch (error) {
        problems.push(asModelError(error, inside));
      }
    }
  }
}

function nodesOf(f: GraphFunctionDef): readonly GraphNodeDef[] {
  return f.nodes;
}

function* nodes(
  list: readonly GraphNodeDef[],
  location: string,
  depth: number,
  pending: Pending[],
  problems: ModelError[],
): Generator<OperatorUse> {
  for (const node of list) {
    yield {
      op: node.op,
      name: node.name,
      location,
      offset: node.offset,
      device: node.device,
      attributes: () => node.attr,
    };
    try {
      for (const bytes of node.strings(SMALLEST_GRAPH)) {
        const nested = nestedGraph(bytes);
        if (!nested) continue;
        const where = `graph in a string of node ${node.name} (${location})`;
        if (depth >= MAX_NESTING) {
          problems.push(
            new ModelError(
              'limit',
              `Graphs nest more than ${MAX_NESTING} deep at ${where}; what is below was not read.`,
            ),
          );
        } else pending.push({ graph: nested, location: where, depth: depth + 1 });
      }
    } catch (error) {
      problems.push(asModelError(error, `Node ${node.name}`));
    }
  }
}

/**
 * A graph that a string holds: a GraphDef, a FunctionDef, a function library or a whole SavedModel. Strings of other kinds do not parse as
 * one with operators in it.
 */
function nestedGraph(bytes: Uint8Array): GraphDefView | undefined {
  const first = bytes[0];
  // A node, a library or an old version number can come first in a GraphDef; 0x0a also starts a FunctionDef and a library.
  if (first === 0x0a || first === 0x12) {
    if (holdsNodes(bytes, 0, bytes.length, 1)) return new GraphDefView({ bytes, from: 0, to: bytes.length });
    const wrapped = asLibrary(bytes);
    if (wrapped) return wrapped;
  }
  if (first === 0x08) {
    const { graphs } = readMetaGraphs(bytes);
    for (const meta of graphs) if (meta.graph.totalNodes > 0) return meta.graph;
    if (holdsNodes(bytes, 0, bytes.length, 1)) return new GraphDefView({ bytes, from: 0, to: bytes.length });
  }
  return undefined;
}

/** A FunctionDef or FunctionDefLibrary as the library of a graph without nodes. */
function asLibrary(bytes: Uint8Array): GraphDefView | undefined {
  if (holdsNodes(bytes, 0, bytes.length, 3)) return new GraphDefView(library(field(1, bytes)));
  const fields = new WireReader(bytes, 0, bytes.length, 'A string');
  while (fields.nextTolerant()) {
    if (fields.error || fields.wire !== BYTES) return undefined;
    if (fields.field === 1 && holdsNodes(bytes, fields.from, fields.to, 3)) return new GraphDefView(library(bytes));
    // A GraphDef that has a library only.
    if (fields.field === 2 && asFunctions(bytes, fields.from, fields.to))
      return new GraphDefView({ bytes, from: 0, to: bytes.length });
  }
  return undefined;
}

function asFunctions(bytes: Uint8Array, from: number, to: number): boolean {
  const fields = new WireReader(bytes, from, to, 'A string');
  while (fields.nextTolerant()) {
    if (fields.error) return false;
    if (fields.field === 1 && fields.wire === BYTES && holdsNodes(bytes, fields.from, fields.to, 3)) return true;
  }
  return false;
}

function library(bytes: Uint8Array): { bytes: Uint8Array; from: number; to: number } {
  const whole = field(2, bytes);
  return { bytes: whole, from: 0, to: whole.length };
}

/** A length-delimited field around bytes. */
function field(number: number, content: Uint8Array): Uint8Array {
  const head = [number * 8 + 2];
  let length = content.length;
  for (; length > 127; length = Math.floor(length / 128)) head.push((length % 128) | 128);
  head.push(length);
  const out = new Uint8Array(head.length + content.length);
  out.set(head);
  out.set(content, head.length);
  return out;
}

/** Whether a message has a field with nodes: messages with a name and the name of an operator. */
function holdsNodes(bytes: Uint8Array, from: number, to: number, nodeField: number): boolean {
  const fields = new WireReader(bytes, from, to, 'A string');
  while (fields.nextTolerant()) {
    if (fields.error) return false;
    if (fields.field !== nodeField || fields.wire !== BYTES) continue;
    const node = new WireReader(bytes, fields.from, fields.to, 'A string');
    let name = false;
    let op = false;
    while (node.nextTolerant()) {
      if (node.error) return false;
      if (node.field === 1 && node.wire === BYTES) name = /^[A-Za-z0-9.>_][\w.\\/>-]*$/.test(node.text());
      else if (node.field === 2 && node.wire === BYTES) op = /^[A-Za-z_][\w>]*$/.test(node.text());
      else if (node.field > 7) return false;
    }
    return name && op;
  }
  return false;
}

import { tensorflow } from '../../../generated/tensorflow';
import { ModelError } from '../../bytes/errors';
import { decodeMessage } from '../../bytes/protobuf';
import { BYTES, utf8, WireReader } from '../../bytes/wire';

export type AttrValue = tensorflow.AttrValue.$Properties;

/** A piece of the file's bytes that holds one message. */
export interface Piece {
  bytes: Uint8Array;
  from: number;
  to: number;
}

const NO_INPUTS: readonly string[] = [];

/** Names of operators repeat; one string for each saves memory. TensorFlow has some 1,500. */
const ops = new Map<string, string>();
const MAX_INTERNED = 10_000;

function interned(op: string): string {
  const known = ops.get(op);
  if (known !== undefined) return known;
  if (ops.size < MAX_INTERNED) ops.set(op, op);
  return op;
}

/** One operator of a graph. Name, operator and inputs are read at once, attributes when asked for. */
export class GraphNodeDef {
  readonly name: string;
  readonly op: string;
  /** `node`, `node:1`, `node:output:0` (in functions) or `^node` (control). */
  readonly inputs: readonly string[];
  private attributes: ReadonlyMap<string, AttrValue> | undefined;
  // Single fields instead of a piece: a graph can have a million nodes.
  private readonly bytes: Uint8Array;
  private readonly from: number;
  private readonly to: number;

  constructor(piece: Piece) {
    this.bytes = piece.bytes;
    this.from = piece.from;
    this.to = piece.to;
    let name = '';
    let op = '';
    let inputs: string[] | undefined;
    const fields = new WireReader(piece.bytes, piece.from, piece.to, 'A node of the graph');
    while (fields.next()) {
      if (fields.wire !== BYTES) continue;
      if (fields.field === 1) name = fields.text();
      else if (fields.field === 2) op = interned(fields.text());
      else if (fields.field === 3) {
        inputs ??= [];
        inputs.push(fields.text());
      }
    }
    this.name = name;
    this.op = op;
    this.inputs = inputs ?? NO_INPUTS;
  }

  get device(): string {
    const fields = new WireReader(this.bytes, this.from, this.to, `The node ${this.name}`);
    while (fields.next()) if (fields.field === 4 && fields.wire === BYTES) return fields.text();
    return '';
  }

  /** @throws ModelError when the node is damaged inside. */
  get attr(): ReadonlyMap<string, AttrValue> {
    this.attributes ??= new Map(Object.entries(this.decode().attr ?? {}));
    return this.attributes;
  }

  /** Byte offset of the node in what it was read from. */
  get offset(): number {
    return this.from;
  }

  /** Strings in the attributes of at least a number of bytes, found without decoding: text, lists of text, text constants. */
  *strings(least: number): Generator<Uint8Array> {
    const { bytes } = this;
    const pending: [kind: 'node' | 'entry' | 'value' | 'list' | 'tensor' | 'func', from: number, to: number][] = [
      ['node', this.from, this.to],
    ];
    for (let next = pending.pop(); next; next = pending.pop()) {
      const [kind, from, to] = next;
      const fields = new WireReader(bytes, from, to, `The node ${this.name}`);
      while (fields.next()) {
        if (fields.wire !== BYTES) continue;
        const { field } = fields;
        const text =
          (kind === 'value' && field === 2) || (kind === 'list' && field === 2) || (kind === 'tensor' && field === 8);
        if (text) {
          if (fields.to - fields.from >= least) yield bytes.subarray(fields.from, fields.to);
          continue;
        }
        const inner =
          kind === 'node' && field === 5
            ? 'entry'
            : kind === 'entry' && field === 2
              ? 'value'
              : kind === 'value'
                ? field === 1
                  ? 'list'
                  : field === 8
                    ? 'tensor'
                    : field === 10
                      ? 'func'
                      : undefined
                : kind === 'list'
                  ? field === 8
                    ? 'tensor'
                    : field === 9
                      ? 'func'
                      : undefined
                  : kind === 'func' && field === 2
                    ? 'entry'
                    : undefined;
        if (inner) pending.push([inner, fields.from, fields.to]);
      }
    }
  }

  /** The whole message. */
  decode(): tensorflow.NodeDef.$Properties {
    return decodeMessage(tensorflow.NodeDef, this.bytes.subarray(this.from, this.to), `The node ${this.name}`);
  }
}

/** A function of a graph's library: a signature and nodes. The nodes are read when asked for. */
export class GraphFunctionDef {
  readonly name: string;
  private nodeList: GraphNodeDef[] | undefined;
  private head: tensorflow.FunctionDef.$Properties | undefined;
  private readonly nodePieces: [number, number][] = [];
  private readonly otherPieces: [number, number][] = [];

  constructor(private readonly piece: Piece) {
    let name = '';
    const fields = new WireReader(piece.bytes, piece.from, piece.to, 'A function of the graph');
    let start = piece.from;
    while (fields.next()) {
      if (fields.field === 3 && fields.wire === BYTES) this.nodePieces.push([fields.from, fields.to]);
      else this.otherPieces.push([start, fields.to]);
      if (fields.field === 1 && fields.wire === BYTES) name = nameOf(piece.bytes, fields.from, fields.to);
      start = fields.to;
    }
    this.name = name;
  }

  get nodeCount(): number {
    return this.nodePieces.length;
  }

  get nodes(): readonly GraphNodeDef[] {
    this.nodeList ??= this.nodePieces.map(([from, to]) => new GraphNodeDef({ bytes: this.piece.bytes, from, to }));
    return this.nodeList;
  }

  /** Signature, attributes and return values, without the nodes. @throws ModelError */
  get definition(): tensorflow.FunctionDef.$Properties {
    if (!this.head) {
      const size = this.otherPieces.reduce((n, [from, to]) => n + to - from, 0);
      const bytes = new Uint8Array(size);
      let at = 0;
      for (const [from, to] of this.otherPieces) {
        bytes.set(this.piece.bytes.subarray(from, to), at);
        at += to - from;
      }
      this.head = decodeMessage(tensorflow.FunctionDef, bytes, `The function ${this.name}`);
    }
    return this.head;
  }
}

/** Name of an OpDef, its first field. */
function nameOf(bytes: Uint8Array, from: number, to: number): string {
  const fields = new WireReader(bytes, from, to, 'The signature of a function');
  while (fields.next()) if (fields.field === 1 && fields.wire === BYTES) return fields.text();
  return '';
}

/** A GraphDef: its nodes and its function library, indexed without decoding attributes. */
export class GraphDefView {
  readonly nodes: readonly GraphNodeDef[];
  readonly functions: ReadonlyMap<string, GraphFunctionDef>;
  readonly producer: number | undefined;
  /** Set when the message is damaged; what stands before the damage is there. */
  readonly error: ModelError | undefined;
  private index: Map<string, GraphNodeDef> | undefined;

  constructor(piece: Piece) {
    const nodes: GraphNodeDef[] = [];
    const functions = new Map<string, GraphFunctionDef>();
    const fields = new WireReader(piece.bytes, piece.from, piece.to, 'The graph');
    let error: ModelError | undefined;
    let producer: number | undefined;
    const library = (from: number, to: number): void => {
      const entries = new WireReader(piece.bytes, from, to, 'The function library');
      while (entries.nextTolerant()) {
        if (entries.error) break;
        if (entries.field !== 1 || entries.wire !== BYTES) continue;
        const made = new GraphFunctionDef({ bytes: piece.bytes, from: entries.from, to: entries.to });
        functions.set(made.name, made);
      }
      error ??= entries.error;
    };
    while (fields.nextTolerant()) {
      try {
        if (fields.wire !== BYTES) continue;
        // The last node of a cut file is not whole, but the functions before the cut are.
        if (fields.error && fields.field !== 2) break;
        if (fields.field === 1) nodes.push(new GraphNodeDef({ bytes: piece.bytes, from: fields.from, to: fields.to }));
        else if (fields.field === 2) library(fields.from, fields.to);
        else if (fields.field === 4) {
          producer =
            decodeMessage(
              tensorflow.VersionDef,
              piece.bytes.subarray(fields.from, fields.to),
              'The version of the graph',
            ).producer ?? 0;
        }
      } catch (thrown) {
        if (!(thrown instanceof ModelError)) throw thrown;
        error ??= thrown;
      }
    }
    this.nodes = nodes;
    this.functions = functions;
    this.producer = producer;
    this.error = error ?? fields.error;
  }

  node(name: string): GraphNodeDef | undefined {
    this.index ??= new Map(this.nodes.map((node) => [node.name, node]));
    return this.index.get(name);
  }

  /** Nodes of the graph and of all functions. */
  get totalNodes(): number {
    let total = this.nodes.length;
    for (const f of this.functions.values()) total += f.nodeCount;
    return total;
  }
}

/** Text of a bytes attribute. */
export function attrText(value: AttrValue | undefined): string | undefined {
  return value?.s ? utf8(value.s, 0, value.s.length) : undefined;
}

/** Node, output index and whether it is a control dependency, of an input's text. */
export function parseInput(input: string): { node: string; output: string; control: boolean } {
  if (input.startsWith('^')) return { node: input.slice(1), output: '', control: true };
  const colon = input.indexOf(':');
  return colon < 0
    ? { node: input, output: '0', control: false }
    : { node: input.slice(0, colon), output: input.slice(colon + 1), control: false };
}

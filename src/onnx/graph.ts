import { onnx } from '../../generated/onnx';
import type { Int64 } from '../bytes/protobuf';
import { ConstantPool } from './constants';
import { Ops } from './ops';
import { DTYPE_CODES, type Dtype, type Tensor } from './tensor';

/** A value of a graph: what a node made, an input or a constant. */
export interface Value {
  readonly name: string;
  readonly dtype: Dtype;
}

/** One dimension of a declared shape: a size, or a name (`null` for one without a name) where it varies. */
export type Dimension = number | string | null;

/** A tensor attribute, told apart from a constant by being wrapped. */
export interface TensorAttribute {
  readonly tensor: Tensor;
}

/** A whole number is an INT, any other a FLOAT; `float(1)` forces FLOAT. */
export type Attribute =
  | number
  | bigint
  | string
  | readonly number[]
  | readonly string[]
  | FloatAttribute
  | TensorAttribute
  | Graph;

export interface FloatAttribute {
  readonly float: number | readonly number[];
}

/** A FLOAT or FLOATS attribute, also for whole numbers. ONNX stores float32. */
export function float(value: number | readonly number[]): FloatAttribute {
  return { float: value };
}

export interface NodeOptions {
  readonly attributes?: Readonly<Record<string, Attribute | undefined>>;
  /** `ai.onnx.ml`, `com.microsoft`; the default is ai.onnx. */
  readonly domain?: string;
  /** What the first output is called; a readable name is made from the operator otherwise. */
  readonly name?: string;
}

export interface Port {
  readonly value: Value;
  readonly shape: readonly Dimension[] | undefined;
}

/** An initializer: its tensor is written as raw data, straight from its own memory. */
export interface Initializer {
  readonly name: string;
  readonly tensor: Tensor;
}

/** Names used in one model, so that a graph, its subgraphs and the other graphs of a plan never shadow each other. */
export class Names {
  private readonly used = new Map<string, number>();

  unique(wanted: string): string {
    const count = this.used.get(wanted) ?? 0;
    this.used.set(wanted, count + 1);
    return count === 0 ? wanted : this.unique(`${wanted}_${count}`);
  }
}

/**
 * Builds one ONNX graph node by node. Values are referred to by objects, names are made unique and stay readable, equal
 * constants are stored once. `writer.ts` turns the finished graph into a model.
 */
export class Graph extends Ops {
  readonly inputs: Port[] = [];
  readonly outputs: Port[] = [];
  readonly nodes: onnx.NodeProto.$Properties[] = [];
  readonly initializers: Initializer[] = [];
  readonly domains = new Set<string>(['']);
  private readonly names: Names;
  private readonly pool: ConstantPool<Value>;
  private readonly constantNames = new Set<string>();
  private prefix = '';

  constructor(
    readonly name: string,
    names?: Names,
    private readonly parent?: Graph,
  ) {
    super();
    this.names = names ?? new Names();
    this.pool = parent?.pool ?? new ConstantPool();
  }

  /** A graph for an attribute of `If`, `Loop` or `Scan`: it sees this graph's values, and its constants live here. */
  subgraph(name: string): Graph {
    return new Graph(this.names.unique(name), this.names, this);
  }

  /** Runs `body` with `name/` before the names that it makes. */
  scope<T>(name: string, body: () => T): T {
    const before = this.prefix;
    this.prefix = `${before}${name}/`;
    try {
      return body();
    } finally {
      this.prefix = before;
    }
  }

  input(name: string, dtype: Dtype, shape?: readonly Dimension[]): Value {
    const value = { name: this.names.unique(name), dtype };
    this.inputs.push({ value, shape });
    return value;
  }

  /** Makes a value that another graph computes an input of this one, under the same name. */
  adopt(value: Value, shape?: readonly Dimension[]): void {
    this.inputs.push({ value, shape });
  }

  /** Makes `value` an output called `name` (or something like it, if that is taken); returns the value under that name. */
  output(value: Value, name: string = value.name, shape?: readonly Dimension[]): Value {
    let port = value;
    const taken = this.outputs.some((output) => output.value.name === value.name);
    const passedOn = this.isConstant(value) || this.inputs.some((input) => input.value.name === value.name);
    if (name !== value.name || taken || passedOn) port = this.node('Identity', [value], value.dtype, { name });
    this.outputs.push({ value: port, shape });
    return port;
  }

  /** A constant, shared with every equal one. */
  constant(tensor: Tensor, name?: string): Value {
    const root = this.root();
    return this.pool.get(tensor, () => {
      const value = {
        name: this.unique(name ?? `${tensor.dtype}_${tensor.shape.join('x') || 'scalar'}`),
        dtype: tensor.dtype,
      };
      root.initializers.push({ name: value.name, tensor });
      root.constantNames.add(value.name);
      return value;
    });
  }

  isConstant(value: Value): boolean {
    return this.root().constantNames.has(value.name);
  }

  /** Adds a node with several outputs, in order. */
  nodeWithOutputs(
    op: string,
    inputs: readonly (Value | undefined)[],
    dtypes: readonly Dtype[],
    options: NodeOptions = {},
  ): Value[] {
    const domain = options.domain ?? '';
    this.root().domains.add(domain);
    const base = options.name ?? op.toLowerCase();
    const outputs = dtypes.map((dtype, i) => ({ name: this.unique(i === 0 ? base : `${base}_${i}`), dtype }));
    this.nodes.push({
      name: `${op}:${outputs[0]?.name ?? this.unique(base)}`,
      opType: op,
      domain,
      input: inputs.map((value) => value?.name ?? ''),
      output: outputs.map((value) => value.name),
      attribute: Object.entries(options.attributes ?? {}).flatMap(([name, value]) =>
        value === undefined ? [] : [attribute(name, value)],
      ),
    });
    return outputs;
  }

  private unique(name: string): string {
    return this.names.unique(this.prefix + name);
  }

  private root(): Graph {
    let graph: Graph = this;
    while (graph.parent) graph = graph.parent;
    return graph;
  }
}

const encoder = new TextEncoder();
const Type = onnx.AttributeProto.AttributeType;

function attribute(name: string, value: Attribute): onnx.AttributeProto.$Properties {
  if (value instanceof Graph) return { name, type: Type.GRAPH, g: graphProto(value) };
  if (typeof value === 'bigint') return { name, type: Type.INT, i: value };
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) ? { name, type: Type.INT, i: value } : { name, type: Type.FLOAT, f: value };
  }
  if (typeof value === 'string') return { name, type: Type.STRING, s: encoder.encode(value) };
  if ('tensor' in value) return { name, type: Type.TENSOR, t: tensorProto(value.tensor, name) };
  if ('float' in value) {
    return typeof value.float === 'number'
      ? { name, type: Type.FLOAT, f: value.float }
      : { name, type: Type.FLOATS, floats: [...value.float] };
  }
  if (typeof value[0] === 'string') {
    return { name, type: Type.STRINGS, strings: (value as readonly string[]).map((text) => encoder.encode(text)) };
  }
  const ints = value as readonly Int64[];
  return { name, type: Type.INTS, ints: ints as number[] };
}

/** A small tensor as a message of its own (attributes); initializers are written by `writer.ts`. */
export function tensorProto(tensor: Tensor, name: string): onnx.TensorProto.$Properties {
  const head = { name, dims: [...tensor.shape], dataType: DTYPE_CODES[tensor.dtype] };
  if (Array.isArray(tensor.data)) return { ...head, stringData: tensor.data.map((text) => encoder.encode(text)) };
  const { buffer, byteOffset, byteLength } = tensor.data;
  return { ...head, rawData: new Uint8Array(buffer, byteOffset, byteLength) };
}

/** The message of a graph without its initializers. */
export function graphProto(graph: Graph): onnx.GraphProto.$Properties {
  return {
    name: graph.name,
    node: graph.nodes,
    input: graph.inputs.map(portProto),
    output: graph.outputs.map(portProto),
  };
}

function portProto({ value, shape }: Port): onnx.ValueInfoProto.$Properties {
  const dim = shape?.map((size) =>
    size === null ? {} : typeof size === 'number' ? { dimValue: size } : { dimParam: size },
  );
  const tensorType = { elemType: DTYPE_CODES[value.dtype], ...(dim ? { shape: { dim } } : {}) };
  return { name: value.name, type: { tensorType } };
}

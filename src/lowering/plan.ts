import { ConstantPool } from '../onnx/constants';
import { Graph, Names, type NodeOptions, type Value } from '../onnx/graph';
import { Ops } from '../onnx/ops';
import type { Dtype, Tensor } from '../onnx/tensor';
import type { CodeStep, GraphRunner, HostValue, PredictorStep } from './predictor';

/** A value that no graph can take: rows of cells of any type. */
export interface Cells {
  readonly name: string;
  readonly dtype: 'mixed';
}

export type PlanValue = Value | Cells;

/** Where a value comes from. Stages count graphs: what graph `k` makes is there for code after it and for graph `k + 1`. */
type Home =
  | { readonly kind: 'input' }
  | { readonly kind: 'constant'; readonly tensor: Tensor; readonly name: string | undefined }
  | { readonly kind: 'graph'; readonly stage: number }
  /** Made by code that runs after graph `after`; -1 before the first. */
  | { readonly kind: 'code'; readonly after: number };

/**
 * Builds a predictor out of operators and code as if both went into one graph. Operators are put into as few graphs as the
 * code between them allows: one that depends on no code lands in the first, one that depends on code in the graph after it.
 * Equal operators on equal values are made once, so methods of an estimator share what they have in common by themselves.
 */
export class Plan extends Ops {
  private readonly names = new Names();
  private readonly graphs: Graph[] = [];
  private readonly code: { step: CodeStep; after: number }[] = [];
  private readonly homes = new Map<PlanValue, Home>();
  private readonly numbers = new Map<PlanValue | undefined, number>();
  private readonly known = new Map<string, Value[]>();
  private readonly pool = new ConstantPool<Value>();
  private readonly imports = new Set<string>();
  private readonly exports = new Map<Value, string>();
  private prefix = '';

  constructor(readonly title: string) {
    super();
  }

  /** An input of the whole predictor. */
  input<T extends Dtype | 'mixed'>(name: string, dtype: T): { readonly name: string; readonly dtype: T } {
    const value = { name: this.names.unique(name), dtype };
    this.homes.set(value as PlanValue, { kind: 'input' });
    return value;
  }

  /** What stands before the names of nodes at the moment: the steps that are being lowered, each with a slash. */
  get path(): string {
    return this.prefix;
  }

  /** Runs `body` with `name/` before the names of the nodes that it makes. */
  scope<T>(name: string, body: () => T): T {
    const before = this.prefix;
    this.prefix = `${before}${name}/`;
    try {
      return body();
    } finally {
      this.prefix = before;
    }
  }

  constant(tensor: Tensor, name?: string): Value {
    return this.pool.get(tensor, () => {
      const value = { name: name ?? 'constant', dtype: tensor.dtype };
      this.homes.set(value, { kind: 'constant', tensor, name: name === undefined ? undefined : this.prefix + name });
      return value;
    });
  }

  nodeWithOutputs(
    op: string,
    inputs: readonly (Value | undefined)[],
    dtypes: readonly Dtype[],
    options: NodeOptions = {},
  ): Value[] {
    const key = this.key(op, inputs, options);
    const same = key === undefined ? undefined : this.known.get(key);
    if (same) return same;
    const stage = Math.max(0, ...inputs.map((value) => (value ? this.availableAt(value) : 0)));
    const graph = this.graph(stage);
    const local = inputs.map((value) => value && this.localise(value, stage));
    const name = this.prefix + (options.name ?? op.toLowerCase());
    const outputs = graph.nodeWithOutputs(op, local, dtypes, { ...options, name });
    for (const value of outputs) this.homes.set(value, { kind: 'graph', stage });
    if (key !== undefined) this.known.set(key, outputs);
    return outputs;
  }

  /**
   * Adds a step of code. `run` gets the inputs in order and gives the outputs in order; row counts must be kept where the
   * predictor is row-wise.
   */
  step<const T extends readonly { readonly name: string; readonly dtype: Dtype | 'mixed' }[]>(
    name: string,
    inputs: readonly PlanValue[],
    outputs: T,
    run: (inputs: readonly HostValue[], runner: GraphRunner) => readonly HostValue[] | Promise<readonly HostValue[]>,
  ): { [K in keyof T]: { readonly name: string; readonly dtype: T[K]['dtype'] } } {
    let after = -1;
    for (const value of inputs) {
      const home = this.home(value);
      if (home.kind === 'graph') {
        after = Math.max(after, home.stage);
        this.export(value as Value, home.stage);
      } else if (home.kind === 'code') after = Math.max(after, home.after);
      else if (home.kind === 'constant') throw new TypeError('code has its constants itself');
    }
    const made = outputs.map((output) => ({ name: this.names.unique(this.prefix + output.name), dtype: output.dtype }));
    for (const value of made) this.homes.set(value as PlanValue, { kind: 'code', after });
    const step: CodeStep = {
      kind: 'code',
      name: this.prefix + name,
      inputs: inputs.map((value) => value.name),
      outputs: made.map((value) => value.name),
      run,
    };
    this.code.push({ step, after });
    return made as never;
  }

  /** Whether a step of code makes the value, so that what code makes of it needs no graph. */
  isFromCode(value: PlanValue): boolean {
    return this.home(value).kind === 'code';
  }

  /** Makes `value` something the predictor gives out, if possible under `name`; returns the name it has. */
  output(value: Value, name: string): string {
    const home = this.home(value);
    if (home.kind === 'graph') return this.export(value, home.stage, name);
    if (home.kind === 'constant') return this.output(this.node('Identity', [value], value.dtype), name);
    return value.name;
  }

  /** The steps in the order they run. */
  steps(): PredictorStep[] {
    const steps: PredictorStep[] = this.codeAfter(-1);
    this.graphs.forEach((graph, stage) => {
      if (graph.outputs.length > 0) {
        steps.push({
          kind: 'graph',
          name: graph.name,
          model: { graph, description: this.title },
          inputs: graph.inputs.map((port) => port.value.name),
          outputs: graph.outputs.map((port) => port.value.name),
        });
      }
      steps.push(...this.codeAfter(stage));
    });
    return steps;
  }

  private codeAfter(stage: number): CodeStep[] {
    return this.code.filter(({ after }) => after === stage).map(({ step }) => step);
  }

  private graph(stage: number): Graph {
    while (this.graphs.length <= stage) {
      const name = this.graphs.length === 0 ? this.title : `${this.title}_part_${this.graphs.length + 1}`;
      this.graphs.push(new Graph(name, this.names));
    }
    return this.graphs[stage]!;
  }

  private home(value: PlanValue): Home {
    const home = this.homes.get(value);
    if (!home) throw new TypeError(`${value.name} is not a value of this plan`);
    return home;
  }

  private availableAt(value: Value): number {
    const home = this.home(value);
    if (home.kind === 'graph') return home.stage;
    return home.kind === 'code' ? home.after + 1 : 0;
  }

  /** The value as graph `stage` sees it: constants are written into each graph that uses them, others come in as inputs. */
  private localise(value: Value, stage: number): Value {
    const home = this.home(value);
    const graph = this.graph(stage);
    if (home.kind === 'constant') return graph.constant(home.tensor, home.name);
    if (home.kind === 'graph' && home.stage === stage) return value;
    const name = home.kind === 'graph' ? this.export(value, home.stage) : value.name;
    const local = name === value.name ? value : { name, dtype: value.dtype };
    if (!this.imports.has(`${stage}:${name}`)) {
      this.imports.add(`${stage}:${name}`);
      graph.adopt(local);
    }
    return local;
  }

  private export(value: Value, stage: number, name?: string): string {
    const known = this.exports.get(value);
    if (known !== undefined) return known;
    const port = this.graph(stage).output(value, name);
    this.exports.set(value, port.name);
    return port.name;
  }

  private key(op: string, inputs: readonly (Value | undefined)[], options: NodeOptions): string | undefined {
    const attributes = Object.entries(options.attributes ?? {}).filter(([, value]) => value !== undefined);
    // Trees and subgraphs are large or not comparable; they are made as often as they are asked for.
    const simple = (value: unknown) => typeof value !== 'object' || (Array.isArray(value) && value.length < 64);
    if (!attributes.every(([, value]) => simple(value))) return undefined;
    const text = attributes.map(([name, value]) => `${name}=${typeof value}:${String(value)}`).join(';');
    return `${options.domain ?? ''}.${op}(${inputs.map((value) => this.number(value)).join()}){${text}}`;
  }

  private number(value: PlanValue | undefined): number {
    if (!value) return -1;
    const known = this.numbers.get(value);
    if (known !== undefined) return known;
    const number = this.numbers.size;
    this.numbers.set(value, number);
    return number;
  }
}

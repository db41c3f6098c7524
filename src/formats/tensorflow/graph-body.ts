import type { FlatNode } from '../../model/graph-index';
import type { Attribute } from '../../model/model';
import { nodeAttributes } from './attributes';
import { constantText } from './constants';
import { dtypeName } from './dtypes';
import { attrText, type GraphFunctionDef, type GraphNodeDef, parseInput } from './graph-def';
import { VARIABLE_OPS } from './graph-variables';

/** Operators that hand their first input on. */
const PASSES = new Set(['Identity', 'ReadVariableOp', 'StopGradient', 'PreventGradient', 'Enter', 'RefEnter']);
/** Constant inputs of an operator that are shown with it. */
const MAX_CONSTANTS = 8;
/** Operators that load, save and initialise; hidden where a graph has no outputs to start from. */
const PLUMBING =
  /^(Save|SaveV2|RestoreV2|Restore|MergeV2Checkpoints|ShardedFilename|Assign|AssignVariableOp|VarIsInitializedOp|IsVariableInitialized|NoOp|Assert|InitializeTableV2|InitializeTableFromTextFileV2|LookupTableImportV2)$/;

/** A graph whose variables are known: the main graph or a function as it is called at one place. */
export interface Body {
  nodes: readonly GraphNodeDef[];
  /** Drawn inputs by the name that nodes refer to them, with the label for people. */
  inputs: { name: string; label: string; type?: string }[];
  outputs: { label: string; from: string }[];
  /** Rows of the parameter table by the argument or handle that stands for them. */
  variables: Map<string, string>;
}

/** What an input of a node turns out to be. */
interface Source {
  node?: string;
  row?: string;
  constant?: GraphNodeDef;
}

const NOTHING: Source = {};

/** The node of an input that is no control dependency. */
function sourceName(text: string): string {
  const colon = text.indexOf(':');
  return colon < 0 ? text : text.slice(0, colon);
}

/** A body, with variables and constants folded into the operators that read them, and only what leads to an output. */
export class FoldedBody {
  readonly nodes: FlatNode[] = [];
  /** Operators that are drawn, by name. */
  readonly calls = new Map<string, GraphNodeDef>();
  private readonly byName: Map<string, GraphNodeDef>;
  private readonly passed = new Map<string, Source>();
  private readonly inputs: Set<string>;

  /** @param enter the path to open for an operator that calls functions; `undefined` for all others. */
  constructor(
    readonly body: Body,
    private readonly rowOf: (variableName: string) => string | undefined,
    readonly functions: ReadonlyMap<string, GraphFunctionDef>,
    enter: (node: GraphNodeDef, functions: readonly string[]) => string,
    everything = false,
  ) {
    this.byName = new Map();
    for (const node of body.nodes) this.byName.set(node.name, node);
    this.inputs = new Set(body.inputs.map((input) => input.name));
    for (const input of body.inputs) {
      const node: FlatNode = { id: input.name, kind: 'input', label: input.label, inputs: [] };
      if (input.type !== undefined) node.op = input.type;
      this.nodes.push(node);
    }
    for (const node of everything ? body.nodes : this.wanted()) {
      if (this.inputs.has(node.name) || (!everything && this.isFolded(node))) continue;
      const called = calledFunctions(node, functions);
      const flat: FlatNode = { id: node.name, kind: 'op', op: node.op, inputs: [] };
      let rows: string[] | undefined;
      const inputs: string[] = [];
      for (const text of node.inputs) {
        const source = this.source(text);
        if (source.node !== undefined) inputs.push(source.node);
        else if (source.row !== undefined) {
          rows ??= [];
          if (!rows.includes(source.row)) rows.push(source.row);
        }
      }
      flat.inputs = inputs;
      if (rows) flat.parameters = rows;
      if (called.length > 0) {
        flat.enter = enter(node, called);
        flat.size = called.reduce((n, name) => n + (functions.get(name)?.nodeCount ?? 0), 0);
        this.calls.set(node.name, node);
      }
      this.nodes.push(flat);
    }
    body.outputs.forEach(({ label, from }, i) => {
      const source = this.source(from);
      const node: FlatNode = {
        id: `output ${i}: ${label}`,
        kind: 'output',
        label,
        inputs: source.node === undefined ? [] : [source.node],
      };
      if (source.row !== undefined) node.parameters = [source.row];
      this.nodes.push(node);
    });
  }

  /** Attributes of a drawn operator, with the constants that it takes. */
  describe(id: string): Attribute[] {
    const node = this.byName.get(id);
    if (!node) return [];
    const out = nodeAttributes(node);
    for (let i = 0, shown = 0; i < node.inputs.length && shown < MAX_CONSTANTS; i++) {
      const { constant } = this.source(node.inputs[i]!);
      if (!constant) continue;
      out.push({ name: `input ${i}`, text: constantText(constant.attr.get('value')?.tensor ?? {}) });
      shown++;
    }
    return out;
  }

  /** The rows that the inputs of a call stand for, by position; undefined for those that are computed. */
  rowsOfInputs(node: GraphNodeDef): (string | undefined)[] {
    return node.inputs.filter((text) => !text.startsWith('^')).map((text) => this.source(text).row);
  }

  /** Follows an input through operators that only hand on. What each of them leads to is kept, so that long chains are walked once. */
  source(text: string): Source {
    if (text.startsWith('^')) return NOTHING;
    let name = sourceName(text);
    let walked: string[] | undefined;
    let found: Source | undefined;
    while (!found) {
      const node = this.byName.get(name);
      const next = node && !this.inputs.has(name) && PASSES.has(node.op) ? node.inputs[0] : undefined;
      if (next === undefined || next.startsWith('^') || this.body.variables.has(name)) found = this.end(name, node);
      else {
        const known = this.passed.get(name);
        if (known) found = known;
        else {
          // A loop of such operators leads nowhere.
          this.passed.set(name, NOTHING);
          walked ??= [];
          walked.push(name);
          name = sourceName(next);
        }
      }
    }
    if (walked) for (const passed of walked) this.passed.set(passed, found);
    return found;
  }

  /** What a node is that does not hand on. */
  private end(name: string, node: GraphNodeDef | undefined): Source {
    const row = this.body.variables.get(name);
    if (row !== undefined) return { row };
    if (!node) return this.inputs.has(name) ? { node: name } : NOTHING;
    if (this.inputs.has(name)) return { node: name };
    if (VARIABLE_OPS.has(node.op)) {
      const variable = this.rowOf(attrText(node.attr.get('shared_name')) || name) ?? this.rowOf(name);
      return variable === undefined ? { node: name } : { row: variable };
    }
    if (node.op === 'Const') {
      const own = this.rowOf(name);
      return own === undefined ? { constant: node } : { row: own };
    }
    return { node: name };
  }

  private isFolded(node: GraphNodeDef): boolean {
    if (node.op === 'NoOp') return true;
    return this.source(node.name).node !== node.name;
  }

  /** What leads to an output, in the order of the file; all but plumbing where there is no output. */
  private wanted(): readonly GraphNodeDef[] {
    if (this.body.outputs.length === 0) return this.body.nodes.filter((node) => !PLUMBING.test(node.op));
    const needed = new Set<string>();
    const pending = this.body.outputs.map((output) => parseInput(output.from).node);
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      if (needed.has(name)) continue;
      needed.add(name);
      if (this.inputs.has(name)) continue;
      for (const input of this.byName.get(name)?.inputs ?? [])
        if (!input.startsWith('^')) pending.push(parseInput(input).node);
    }
    return this.body.nodes.filter((node) => needed.has(node.name));
  }
}

/** Functions that an operator runs, each with the attribute that names it. */
export function calledFunctions(node: GraphNodeDef, functions: ReadonlyMap<string, GraphFunctionDef>): string[] {
  // Reading attributes is what costs; most operators have none that could be a function.
  if (functions.size === 0) return [];
  if (functions.has(node.op)) return [node.op];
  if (!MAY_CALL.test(node.op)) return [];
  const out: string[] = [];
  for (const value of node.attr.values()) {
    const names = value.func ? [value.func] : (value.list?.func ?? []);
    for (const { name } of names) if (name && functions.has(name) && !out.includes(name)) out.push(name);
  }
  return out;
}

/** Operators of TensorFlow that take functions. */
const MAY_CALL =
  /Call|While|If|Case|For|Map|Reduce|Filter|Scan|Dataset|Gradient|Remote|Defun|Xla|TPU|Function|Worker|Batch/;

/** The body of a function, its arguments bound to rows where they are variables. */
export function functionBody(def: GraphFunctionDef, rows: readonly (string | undefined)[]): Body {
  const { signature, ret } = def.definition;
  const variables = new Map<string, string>();
  const inputs: Body['inputs'] = [];
  (signature?.inputArg ?? []).forEach((arg, i) => {
    const name = arg.name ?? '';
    const row = rows[i];
    if (row !== undefined) variables.set(name, row);
    else inputs.push(arg.type ? { name, label: name, type: dtypeName(arg.type) } : { name, label: name });
  });
  const outputs = (signature?.outputArg ?? [])
    .map((arg) => ({ label: arg.name ?? '', from: ret?.[arg.name ?? ''] ?? '' }))
    .filter((o) => o.from !== '');
  return { nodes: def.nodes, inputs, outputs, variables };
}

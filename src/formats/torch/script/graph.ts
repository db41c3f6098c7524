import { asModelError } from '../../../bytes/errors';
import type { Attribute, GraphEdge, GraphLevel, GraphNode, GraphSource } from '../../../model/model';
import { Instance, isDict, type Value } from '../../../pickle/values';
import type { TensorReader } from '../pickled-tensor';
import { classGlobal } from '../python-class';
import { mappingOf } from '../walk';
import type { Expression, FunctionDefinition, Statement } from './ast';
import { type ScriptCode, unmangled } from './code';
import { expressionText } from './text';
import { assignedIn, countWork, dottedName, hasWork, namesIn, readIn, TRANSPARENT } from './visit';

/** Nodes of one level; more are counted and left out. */
const MAX_NODES = 2000;
/** Expressions inside each other that are followed. */
const MAX_DEPTH = 400;

/** What a name or expression stands for while a body is walked. */
type Flow =
  | { kind: 'module'; path: string; value: Value }
  | { kind: 'values'; sources: string[]; parameters: string[] };

const NOTHING: Flow = { kind: 'values', sources: [], parameters: [] };

/** Where a level stands: a method of a module or a function, and the blocks inside it. */
interface Place {
  module: string;
  callable: string;
  isFunction: boolean;
  /** Offsets of the statements whose blocks were entered. */
  blocks: { offset: number; arm: 'then' | 'otherwise' | 'body' }[];
}

/**
 * The graph of TorchScript code, one method at a time: operators are nodes, calls of submodules and functions are groups to open, and so
 * are the arms of `if` and the bodies of loops. Paths: `layer1.0:forward`, `fn:__torch__.torch.nn.functional.relu`, `:forward@120t`.
 */
export class ScriptGraph implements GraphSource {
  constructor(
    private readonly code: ScriptCode,
    private readonly root: Value,
    private readonly reader: TensorReader,
  ) {}

  roots(): { id: string; label: string }[] {
    const cls = classGlobal(this.root);
    if (!cls) return [];
    try {
      const methods = this.code.methods(cls.path).filter((m) => !/^__\w+__$/.test(m.name));
      const names = methods.map((m) => m.name);
      return [...names.filter((n) => n === 'forward'), ...names.filter((n) => n !== 'forward')].map((id) => ({
        id,
        label: id,
      }));
    } catch {
      return [];
    }
  }

  /** One level. Code that cannot be parsed gives an empty level with a node that says so. */
  level(root: string, path: string): GraphLevel {
    try {
      const place = parsePlace(path === '' ? `:${root}` : path);
      const body = this.body(place);
      return body
        ? new LevelBuilder(this.code, this.reader, place, this.moduleAt(place.module)).build(body)
        : { nodes: [], edges: [] };
    } catch (error) {
      return { nodes: [{ id: 'error', kind: 'op', label: asModelError(error).message }], edges: [] };
    }
  }

  private body(place: Place): { definition: FunctionDefinition; statements: Statement[] } | undefined {
    const definition = place.isFunction
      ? this.code.functionOf(place.callable)?.definition
      : this.code.methods(classGlobal(this.moduleAt(place.module))?.path ?? '').find((m) => m.name === place.callable);
    if (!definition) return undefined;
    let statements = definition.body;
    for (const { offset, arm } of place.blocks) {
      const owner = statements.find((s) => s.offset === offset);
      if (!owner) return undefined;
      if (owner.kind === 'if') statements = arm === 'then' ? owner.body : owner.otherwise;
      else if (owner.kind === 'for' || owner.kind === 'while' || owner.kind === 'with') statements = owner.body;
      else return undefined;
    }
    return { definition, statements };
  }

  private moduleAt(path: string): Value {
    let value = this.root;
    if (path === '') return value;
    for (const name of path.split('.')) value = stateEntry(value, name) ?? null;
    return value;
  }
}

/** An attribute of a pickled TorchScript object. */
export function stateEntry(value: Value, name: string): Value | undefined {
  if (!(value instanceof Instance)) return undefined;
  return isDict(value.state) ? value.state.get(name) : mappingOf(value.state)?.get(name);
}

function parsePlace(path: string): Place {
  const [head, ...blocks] = path.split('@');
  const place: Place = { module: '', callable: '', isFunction: false, blocks: [] };
  if (head.startsWith('fn:')) {
    place.isFunction = true;
    place.callable = head.slice(3);
  } else {
    const colon = head.lastIndexOf(':');
    place.module = head.slice(0, colon);
    place.callable = head.slice(colon + 1);
  }
  for (const block of blocks) {
    const arm = block.endsWith('t') ? 'then' : block.endsWith('e') ? 'otherwise' : 'body';
    place.blocks.push({ offset: Number.parseInt(block, 10), arm });
  }
  return place;
}

function placePath(place: Place): string {
  const head = place.isFunction ? `fn:${place.callable}` : `${place.module}:${place.callable}`;
  return (
    head + place.blocks.map((b) => `@${b.offset}${b.arm === 'then' ? 't' : b.arm === 'otherwise' ? 'e' : 'b'}`).join('')
  );
}

class LevelBuilder {
  private readonly nodes: GraphNode[] = [];
  private readonly edges: GraphEdge[] = [];
  private readonly seenEdges = new Set<string>();
  private readonly names = new Map<string, Flow>();
  private readonly free = new Set<string>();
  private omitted = 0;
  private depth = 0;

  constructor(
    private readonly code: ScriptCode,
    private readonly reader: TensorReader,
    private readonly place: Place,
    private readonly self: Value,
  ) {}

  build({ definition, statements }: { definition: FunctionDefinition; statements: Statement[] }): GraphLevel {
    const inBlock = this.place.blocks.length > 0;
    definition.parameters.forEach((parameter, i) => {
      if (i === 0 && !this.place.isFunction && parameter.name === 'self') {
        this.names.set('self', { kind: 'module', path: this.place.module, value: this.self });
      } else if (!inBlock) {
        const detail: Attribute[] = parameter.annotation
          ? [{ name: 'type', text: expressionText(parameter.annotation) }]
          : [];
        this.names.set(parameter.name, {
          kind: 'values',
          sources: [this.add({ id: `in:${parameter.name}`, label: parameter.name, kind: 'input', attributes: detail })],
          parameters: [],
        });
      }
    });
    if (inBlock) this.bindModules(definition.body);
    this.statements(statements);
    if (inBlock) {
      for (const name of assignedIn(statements)) {
        const flow = this.names.get(name);
        if (flow?.kind === 'values' && flow.sources.length > 0) this.output(name, flow);
      }
    }
    const level: GraphLevel = { nodes: this.nodes, edges: this.edges };
    if (this.omitted > 0) level.omitted = this.omitted;
    return level;
  }

  /** Names that stand for submodules (`conv1 = self.conv1`) in the code around a block. */
  private bindModules(statements: readonly Statement[]): void {
    for (const statement of statements) {
      if (statement.kind !== 'assign' || !statement.value || statement.targets.length !== 1) continue;
      const [target] = statement.targets;
      if (target.kind !== 'name') continue;
      const module = this.moduleOf(statement.value);
      if (module) this.names.set(target.id, module);
    }
  }

  private statements(statements: readonly Statement[]): void {
    for (const statement of statements) this.statement(statement);
  }

  private statement(s: Statement): void {
    switch (s.kind) {
      case 'assign':
        if (s.value) this.assign(s.targets, s.value);
        return;
      case 'augmented':
        this.bind(s.target, merge([this.evaluate(s.target), this.evaluate(s.value)]));
        return;
      case 'expression':
        this.evaluate(s.value);
        return;
      case 'return': {
        if (!s.value) return;
        const items = s.value.kind === 'tuple' ? s.value.items : [s.value];
        for (const [i, item] of items.entries())
          this.output(items.length > 1 ? `output ${i}` : 'output', this.evaluate(item));
        return;
      }
      case 'raise':
        this.operator('raise', s.value ? [this.evaluate(s.value)] : [], [], s.offset);
        return;
      case 'if':
        // Both arms bind the same names; each arm with something in it can be opened.
        this.block(
          s,
          'if',
          [s.test],
          [
            { arm: 'then', body: s.body, label: `if ${clip(expressionText(s.test))}` },
            { arm: 'otherwise', body: s.otherwise, label: 'else' },
          ],
        );
        return;
      case 'for':
        this.block(
          s,
          'for',
          [s.iterable],
          [
            {
              arm: 'body',
              body: s.body,
              label: `for ${clip(expressionText(s.target))} in ${clip(expressionText(s.iterable))}`,
            },
          ],
        );
        return;
      case 'while':
        this.block(
          s,
          'while',
          [s.test],
          [{ arm: 'body', body: s.body, label: `while ${clip(expressionText(s.test))}` }],
        );
        return;
      case 'with':
        this.statements(s.body);
        return;
    }
  }

  private block(
    s: Statement,
    op: string,
    heads: Expression[],
    arms: { arm: 'then' | 'otherwise' | 'body'; body: Statement[]; label: string }[],
  ): void {
    const head = merge(heads.map((e) => this.evaluate(e)));
    const results = new Map<string, Flow[]>();
    for (const { arm, body, label } of arms) {
      const written = assignedIn(body);
      if (!hasWork(body)) {
        // An arm that only renames or passes is no node: its values flow through.
        for (const statement of body) {
          if (statement.kind !== 'assign' || !statement.value) continue;
          const flow = this.evaluate(statement.value);
          for (const name of namesIn(statement.targets)) results.set(name, [...(results.get(name) ?? []), flow]);
        }
        continue;
      }
      const path = placePath({ ...this.place, blocks: [...this.place.blocks, { offset: s.offset, arm }] });
      const id = this.add({ id: `b:${s.offset}:${arm}`, label, kind: 'group', op, path, size: countWork(body) });
      this.connect(head, id);
      const own = new Set(written);
      for (const name of readIn(body)) {
        const flow = this.names.get(name);
        if (flow?.kind === 'values') this.connect(flow, id, own.has(name) ? name : undefined);
      }
      for (const name of written)
        results.set(name, [...(results.get(name) ?? []), { kind: 'values', sources: [id], parameters: [] }]);
    }
    for (const [name, flows] of results) this.names.set(name, merge(flows));
  }

  /** `a, b = x, y` binds each name to its own value; everything is evaluated once, before anything is bound. */
  private assign(targets: readonly Expression[], value: Expression): void {
    const [target] = targets;
    const pairwise =
      targets.length === 1 &&
      target.kind === 'tuple' &&
      value.kind === 'tuple' &&
      target.items.length === value.items.length;
    if (!pairwise) {
      const flow = this.evaluate(value);
      for (const each of targets) this.bind(each, flow);
      return;
    }
    const flows = value.items.map((item) => this.evaluate(item));
    for (const [i, item] of target.items.entries()) this.bind(item, flows[i]);
  }

  private bind(target: Expression, flow: Flow): void {
    if (target.kind === 'name') this.names.set(target.id, flow);
    else if (target.kind === 'tuple' || target.kind === 'list') for (const item of target.items) this.bind(item, flow);
    else if (target.kind === 'subscript') {
      const name = target.value.kind === 'name' ? target.value.id : undefined;
      if (name !== undefined) this.names.set(name, merge([this.names.get(name) ?? NOTHING, flow]));
    }
  }

  /** The submodule that an expression names: `self.conv1`, `getattr(self, "0")`, a local name for one. */
  private moduleOf(e: Expression): (Flow & { kind: 'module' }) | undefined {
    if (e.kind === 'name') {
      const flow = this.names.get(e.id);
      return flow?.kind === 'module' ? flow : undefined;
    }
    let owner: Expression | undefined;
    let name: string | undefined;
    if (e.kind === 'attribute') [owner, name] = [e.value, e.attribute];
    else if (e.kind === 'call' && e.callee.kind === 'name' && e.callee.id === 'getattr' && e.args[1]?.kind === 'string')
      [owner, name] = [e.args[0], e.args[1].value];
    if (owner === undefined || name === undefined) return undefined;
    const module = this.moduleOf(owner);
    const value = module && stateEntry(module.value, name);
    if (
      !module ||
      !(value instanceof Instance) ||
      this.reader.read(value) ||
      !classGlobal(value)?.path.startsWith('__torch__.')
    )
      return undefined;
    return { kind: 'module', path: module.path === '' ? name : `${module.path}.${name}`, value };
  }

  private evaluate(e: Expression): Flow {
    if (this.depth > MAX_DEPTH) return NOTHING;
    this.depth++;
    try {
      return this.evaluateInner(e);
    } finally {
      this.depth--;
    }
  }

  private evaluateInner(e: Expression): Flow {
    switch (e.kind) {
      case 'name': {
        const known = this.names.get(e.id);
        if (known) return known;
        if (this.place.blocks.length === 0 || isLibrary(e.id)) return NOTHING;
        // A value from the code around this block.
        const flow: Flow = {
          kind: 'values',
          sources: [this.add({ id: `in:${e.id}`, label: e.id, kind: 'input' })],
          parameters: [],
        };
        this.names.set(e.id, flow);
        return flow;
      }
      case 'attribute': {
        const module = this.moduleOf(e);
        if (module) return module;
        if (e.value.kind === 'name' && e.value.id === 'CONSTANTS')
          return { kind: 'values', sources: [], parameters: [`CONSTANTS.${e.attribute}`] };
        const owner = this.moduleOf(e.value);
        if (owner) {
          const tensor = this.reader.read(stateEntry(owner.value, e.attribute));
          return tensor
            ? {
                kind: 'values',
                sources: [],
                parameters: [owner.path === '' ? e.attribute : `${owner.path}.${e.attribute}`],
              }
            : NOTHING;
        }
        return this.evaluate(e.value);
      }
      case 'subscript':
        return merge([this.evaluate(e.value), this.evaluate(e.index)]);
      case 'slice':
        return merge([e.start, e.stop, e.step].filter((x) => x !== undefined).map((x) => this.evaluate(x)));
      case 'list':
      case 'tuple':
      case 'set':
        return merge(e.items.map((item) => this.evaluate(item)));
      case 'dict':
        return merge(e.entries.flatMap(({ key, value }) => [this.evaluate(key), this.evaluate(value)]));
      case 'unary':
        return this.evaluate(e.operand);
      case 'binary':
        return merge([this.evaluate(e.left), this.evaluate(e.right)]);
      case 'conditional':
        return merge([this.evaluate(e.test), this.evaluate(e.consequent), this.evaluate(e.otherwise)]);
      case 'starred':
        return this.evaluate(e.value);
      case 'call':
        return this.call(e);
    }
    return NOTHING;
  }

  private call(e: Expression & { kind: 'call' }): Flow {
    const module = this.moduleOf(e);
    if (module) return module;
    const { callee } = e;
    const name = dottedName(callee);
    const argumentsOf = () => [...e.args, ...e.keywords.map((k) => k.value)].map((a) => this.evaluate(a));
    if (name === 'annotate' || name === 'unchecked_cast' || name === 'uninitialized')
      return merge(e.args.slice(1).map((a) => this.evaluate(a)));
    if (name === 'getattr' && e.args[1]?.kind === 'string')
      return this.evaluate({ kind: 'attribute', value: e.args[0], attribute: e.args[1].value, offset: e.offset });
    if (name !== undefined && TRANSPARENT.has(name)) return merge(argumentsOf());
    if (callee.kind === 'attribute') {
      const owner = this.moduleOf(callee.value);
      if (owner) return this.group(owner, callee.attribute, argumentsOf(), e.offset);
    }
    if (name?.startsWith('__torch__.')) {
      const called = this.code.functionOf(name) ? `fn:${name}` : undefined;
      return this.groupOf(unmangled(name).split('.').pop() as string, unmangled(name), called, argumentsOf(), e.offset);
    }
    if (name !== undefined && (name.startsWith('torch.') || name.startsWith('ops.')))
      return this.operator(name.replace(/^torch\.|^ops\./, ''), argumentsOf(), literals(e), e.offset);
    if (callee.kind === 'attribute')
      return this.operator(callee.attribute, [this.evaluate(callee.value), ...argumentsOf()], literals(e), e.offset);
    return merge(argumentsOf());
  }

  private group(owner: Flow & { kind: 'module' }, method: string, args: Flow[], offset: number): Flow {
    const cls = classGlobal(owner.value);
    const kind =
      unmangled(cls?.path ?? '')
        .split('.')
        .pop() ?? '';
    const own =
      owner.path === this.place.module
        ? method
        : owner.path.slice(this.place.module === '' ? 0 : this.place.module.length + 1) || owner.path;
    const flow = this.groupOf(
      method === 'forward' || own === method ? own : `${own}.${method}`,
      kind,
      `${owner.path}:${method}`,
      args,
      offset,
    );
    return flow;
  }

  private groupOf(label: string, op: string, path: string | undefined, args: Flow[], offset: number): Flow {
    const node: GraphNode = {
      id: `g:${offset}:${this.nodes.length}`,
      label,
      kind: path === undefined ? 'op' : 'group',
      op,
    };
    if (path !== undefined) {
      node.path = path;
      const size = this.sizeOf(path);
      if (size > 0) node.size = size;
    }
    const all = merge(args);
    if (all.kind === 'values' && all.parameters.length > 0) node.parameters = all.parameters;
    const id = this.add(node);
    this.connect(all, id);
    return { kind: 'values', sources: [id], parameters: [] };
  }

  /** Calls in the body that a group leads to, not counting what lies in groups below it. */
  private sizeOf(path: string): number {
    try {
      const place = parsePlace(path);
      if (place.isFunction) return countWork(this.code.functionOf(place.callable)?.definition.body ?? []);
      const relative = this.place.module === '' ? place.module : place.module.slice(this.place.module.length + 1);
      let value = this.self;
      if (relative !== '') for (const name of relative.split('.')) value = stateEntry(value, name) ?? null;
      return countWork(
        this.code.methods(classGlobal(value)?.path ?? '').find((m) => m.name === place.callable)?.body ?? [],
      );
    } catch {
      return 0;
    }
  }

  private operator(op: string, args: Flow[], attributes: Attribute[], offset: number): Flow {
    const all = merge(args);
    const node: GraphNode = {
      id: `o:${offset}:${this.nodes.length}`,
      label: op.split('.').pop() as string,
      kind: 'op',
      op,
    };
    if (attributes.length > 0) node.attributes = attributes;
    if (all.kind === 'values' && all.parameters.length > 0) node.parameters = [...new Set(all.parameters)];
    const id = this.add(node);
    this.connect(all, id);
    return { kind: 'values', sources: [id], parameters: [] };
  }

  private output(label: string, flow: Flow): void {
    if (flow.kind !== 'values' || (flow.sources.length === 0 && flow.parameters.length === 0)) return;
    const id = this.add({
      id: `out:${this.nodes.length}`,
      label,
      kind: 'output',
      ...(flow.parameters.length > 0 ? { parameters: flow.parameters } : {}),
    });
    this.connect(flow, id);
  }

  private add(node: GraphNode): string {
    if (this.nodes.length >= MAX_NODES) {
      this.omitted++;
      this.free.add(node.id);
      return node.id;
    }
    this.nodes.push(node);
    return node.id;
  }

  private connect(flow: Flow, to: string, label?: string): void {
    if (flow.kind !== 'values' || this.free.has(to)) return;
    for (const from of flow.sources) {
      const key = `${from}\n${to}`;
      if (from === to || this.free.has(from) || this.seenEdges.has(key)) continue;
      this.seenEdges.add(key);
      this.edges.push(label === undefined ? { from, to } : { from, to, label });
    }
  }
}

function merge(flows: readonly Flow[]): Flow {
  const sources: string[] = [];
  const parameters: string[] = [];
  for (const flow of flows) {
    if (flow.kind !== 'values') continue;
    for (const source of flow.sources) if (!sources.includes(source)) sources.push(source);
    for (const parameter of flow.parameters) if (!parameters.includes(parameter)) parameters.push(parameter);
  }
  return flows.length === 1 ? flows[0] : { kind: 'values', sources, parameters };
}

function isLibrary(name: string): boolean {
  return [
    'torch',
    'ops',
    'CONSTANTS',
    '__torch__',
    'int',
    'float',
    'bool',
    'str',
    'Tensor',
    'List',
    'Optional',
    'Dict',
    'Tuple',
    'number',
    'NoneType',
    'inf',
    'nan',
    'infj',
    'nanj',
    'Any',
  ].includes(name);
}

/** Arguments of an operator that are written out: numbers, strings, lists of them. */
function literals(e: Expression & { kind: 'call' }): Attribute[] {
  const out: Attribute[] = [];
  e.args.forEach((arg, i) => {
    if (isLiteral(arg)) out.push({ name: `argument ${i}`, text: expressionText(arg) });
  });
  for (const { name, value } of e.keywords) if (isLiteral(value)) out.push({ name, text: expressionText(value) });
  return out;
}

function isLiteral(e: Expression): boolean {
  switch (e.kind) {
    case 'number':
    case 'string':
    case 'constant':
      return true;
    case 'list':
    case 'tuple':
      return (
        e.items.length <= 64 &&
        e.items.every((item) => item.kind === 'number' || item.kind === 'constant' || item.kind === 'string')
      );
    case 'call':
      return (
        dottedName(e.callee) === 'torch.device' ||
        (dottedName(e.callee) === 'annotate' && e.args[1] !== undefined && isLiteral(e.args[1]))
      );
  }
  return false;
}

function clip(text: string): string {
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

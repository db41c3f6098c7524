import type { Attribute, GraphNode } from '../../../model/model';
import { Instance, isDict, type Value } from '../../../pickle/values';
import type { TensorReader } from '../pickled-tensor';
import { classGlobal } from '../python-class';
import { mappingOf } from '../walk';
import type { Expression } from './ast';
import { type ScriptCode, unmangled } from './code';
import { LevelCanvas } from './graph-canvas';
import { type Flow, merge, NOTHING } from './graph-flow';
import { type Place, parsePlace } from './graph-place';
import { expressionText } from './text';
import { countWork, dottedName, TRANSPARENT } from './visit';

/** Expressions inside each other that are followed. */
const MAX_DEPTH = 400;

/** An attribute of a pickled TorchScript object. */
export function stateEntry(value: Value, name: string): Value | undefined {
  if (!(value instanceof Instance)) return undefined;
  return isDict(value.state) ? value.state.get(name) : mappingOf(value.state)?.get(name);
}

/** Expressions as nodes: operators, and calls of submodules and functions as groups to open. */
export class ExpressionGraph extends LevelCanvas {
  protected readonly names = new Map<string, Flow>();
  private depth = 0;

  constructor(
    protected readonly code: ScriptCode,
    protected readonly reader: TensorReader,
    protected readonly place: Place,
    protected readonly self: Value,
  ) {
    super();
  }

  /** The submodule that an expression names: `self.conv1`, `getattr(self, "0")`, a local name for one. */
  protected moduleOf(e: Expression): (Flow & { kind: 'module' }) | undefined {
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

  protected evaluate(e: Expression): Flow {
    if (this.depth > MAX_DEPTH) return NOTHING;
    this.depth++;
    try {
      return this.evaluateInner(e);
    } finally {
      this.depth--;
    }
  }

  protected evaluateInner(e: Expression): Flow {
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

  protected call(e: Expression & { kind: 'call' }): Flow {
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

  protected group(owner: Flow & { kind: 'module' }, method: string, args: Flow[], offset: number): Flow {
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

  protected groupOf(label: string, op: string, path: string | undefined, args: Flow[], offset: number): Flow {
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
  protected sizeOf(path: string): number {
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

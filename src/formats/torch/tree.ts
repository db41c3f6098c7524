import type { ModuleNode, ParameterKind } from '../../model/model';
import { Instance, isDict, PyTuple, stateDict, type Value } from '../../pickle/values';
import { attributeOf, isEmpty, kindOf } from './attributes';
import { childOf, ModulePaths } from './module-paths';
import type { ParameterCollector } from './parameters';
import type { TensorReader } from './pickled-tensor';
import { asModule, classGlobal, type PickledModule, shortName } from './python-class';
import type { TorchTensor } from './tensor';
import { entriesOf, isContainer, leadingToTensors, mappingOf } from './walk';

/** Items of one container that become attributes or nodes of their own; the object view shows all. */
const MAX_ATTRIBUTES = 2000;

/** State of `nn.Module` that is the machinery of every module, not a property of this one. */
const MACHINERY = new Set([
  '_parameters',
  '_buffers',
  '_modules',
  '_backend',
  '_non_persistent_buffers_set',
  '_is_full_backward_hook',
  '_compiled_call_impl',
  // Of torch.fx: shown as a source text.
  '_code',
  'call_super_init',
  'dump_patches',
  '_version',
  '_initialized',
]);

/** What the tree builder knows of a mapping by its place: weights, optimiser state, or anything else. */
export type MappingRole = 'weights' | 'optimizer' | 'other';

export interface TreeOptions {
  /** Role of the mapping at a path; asked for every mapping that leads to tensors. */
  roleOf(path: string, mapping: Map<string, Value>): MappingRole | undefined;
  /** Whether a tensor of an object is a parameter or a buffer of its class, where that is known (TorchScript). */
  attributeKind?(owner: Value, name: string): ParameterKind | undefined;
}

interface Task {
  value: Value;
  node: ModuleNode;
  role: MappingRole;
}

/**
 * Builds one hierarchy from dotted names, module trees and nested containers alike, and puts every tensor into the parameter table.
 * Iterative; an object that stands in several places is opened at the first one.
 */
export class TreeBuilder {
  private readonly seen = new Map<Value, string>();
  /** Nodes whose kind the file itself says. */
  readonly declared = new Set<ModuleNode>();
  readonly modules = new Map<string, PickledModule>();

  constructor(
    private readonly collector: ParameterCollector,
    private readonly reader: TensorReader,
    private readonly options: TreeOptions,
  ) {}

  /** @param beside more values, shown as children of the root under these names (constants of TorchScript code). */
  build(root: Value, beside: readonly { name: string; value: Value }[] = []): ModuleNode {
    const node: ModuleNode = { path: '', name: '', kind: '', attributes: [], parameters: [], children: [] };
    const tensor = this.reader.read(root);
    if (tensor) {
      this.addTensor(node, 'tensor', tensor, tensor.isParameter ? 'parameter' : 'attribute');
      node.kind = tensor.subclass ?? 'Tensor';
      this.declared.add(node);
      return node;
    }
    const leading = leadingToTensors(root, this.reader);
    const pending: Task[] = [{ value: root, node, role: 'other' }];
    for (const { name, value } of beside) {
      for (const container of leadingToTensors(value, this.reader)) leading.add(container);
      pending.unshift({ value, node: this.child(node, name), role: 'other' });
    }
    for (let task = pending.pop(); task; task = pending.pop()) {
      const found: Task[] = [];
      this.visit(task, leading, found);
      // Optimisers list the parameters of modules: what they share with one belongs to it, wherever the file has it first.
      const optimizers = found.filter(({ value }) => isOptimizer(value));
      const below =
        optimizers.length === 0 ? found : [...found.filter((one) => !optimizers.includes(one)), ...optimizers];
      for (let i = below.length - 1; i >= 0; i--) pending.push(below[i]);
    }
    return node;
  }

  private visit(task: Task, leading: Set<Value>, below: Task[]): void {
    const { value, node } = task;
    const first = this.seen.get(value);
    if (first !== undefined) {
      node.attributes.push({ name: 'shared', text: `the same object as ${first || 'the root'}` });
      const cls = classGlobal(value);
      if (cls) this.declare(node, shortName(cls));
      return;
    }
    this.seen.set(value, node.path);
    const module = asModule(value);
    if (module) this.visitModule(module, node, leading, below);
    else if (isDict(value) || mappingOf(value)) this.visitMapping(value, task, leading, below);
    else this.visitObject(value, task, leading, below);
  }

  private visitModule(module: PickledModule, node: ModuleNode, leading: Set<Value>, below: Task[]): void {
    this.declare(node, shortName(module.cls));
    this.modules.set(node.path, module);
    node.attributes.push({ name: 'class', text: module.cls.path, role: 'attribute' });
    for (const [name, value] of module.parameters) {
      const tensor = this.reader.read(value);
      if (tensor) this.addTensor(node, name, tensor, 'parameter');
      else if (value === null) node.attributes.push({ name, text: 'None', value: null });
    }
    for (const [name, value] of module.buffers) {
      const tensor = this.reader.read(value);
      if (tensor) this.addTensor(node, name, tensor, 'buffer');
    }
    for (const [name, value] of module.modules) {
      if (value === null) {
        node.attributes.push({ name, text: 'None', value: null });
        continue;
      }
      below.push({ value, node: this.child(node, name), role: 'other' });
    }
    for (const { name, value } of entriesOf(module.state)) {
      // Recurrent layers keep their parameters a second time in lists.
      if (/^_?(flat|all)_weights$/.test(name) && module.parameters.size > 0) continue;
      if (MACHINERY.has(name) || (/_hooks?(_|$)/.test(name) && isEmpty(value))) continue;
      this.place(name, value, node, 'other', leading, below);
    }
  }

  private visitMapping(value: Value, task: Task, leading: Set<Value>, below: Task[]): void {
    const { node } = task;
    const mapping = mappingOf(value) ?? new Map<string, Value>();
    // What lies below an optimiser is its state, whatever it looks like.
    const role = task.role === 'optimizer' ? task.role : (this.options.roleOf(node.path, mapping) ?? task.role);
    // A mapping that holds no weights is a dictionary and no layer, whatever its keys suggest.
    if (role !== 'weights' && node.path !== '') this.declare(node, 'dict');
    let shown = 0;
    for (const [name, item] of mapping) {
      const tensor = isContainer(item) ? this.reader.read(item) : undefined;
      if (!tensor && !leading.has(item) && shown++ >= MAX_ATTRIBUTES) continue;
      // State dictionaries name modules by dotted keys, also for what is no tensor (`fc._packed_params.dtype`).
      const dot = tensor || role === 'weights' ? name.lastIndexOf('.') : -1;
      const last = name.slice(dot + 1);
      const owner = dot < 0 ? node : this.ownerAt(node, name, dot);
      if (tensor) {
        const full = node.path === '' ? name : `${node.path}.${name}`;
        this.addTensor(owner, last, tensor, kindOf(last, tensor, role), full);
      } else this.place(last, item, owner, role, leading, below);
    }
  }

  private visitObject(value: Value, task: Task, leading: Set<Value>, below: Task[]): void {
    const { node } = task;
    const cls = classGlobal(value);
    if (cls) {
      this.declare(node, shortName(cls));
      node.attributes.push({ name: 'class', text: cls.path, role: 'attribute' });
    } else if (Array.isArray(value)) this.declare(node, 'list');
    else if (value instanceof PyTuple) this.declare(node, 'tuple');
    const role = cls && isOptimizer(value) ? 'optimizer' : task.role;
    let shown = 0;
    for (const { name, value: item } of entriesOf(value)) {
      const tensor = isContainer(item) ? this.reader.read(item) : undefined;
      if (tensor)
        this.addTensor(node, name, tensor, this.options.attributeKind?.(value, name) ?? objectKind(name, tensor, role));
      else if (leading.has(item) || isScriptModule(item) || shown++ < MAX_ATTRIBUTES)
        this.place(name, item, node, role, leading, below);
    }
  }

  /** Puts a value that is no tensor below a node: as a node if it leads to tensors or holds settings, else as an attribute. */
  private place(
    name: string,
    value: Value,
    node: ModuleNode,
    role: MappingRole,
    leading: Set<Value>,
    below: Task[],
  ): void {
    if (isContainer(value)) {
      const tensor = this.reader.read(value);
      if (tensor) {
        this.addTensor(node, name, tensor, tensor.isParameter ? 'parameter' : 'attribute');
        return;
      }
      const settings = node.path === '' && isDict(value) && value.size > 0 && mappingOf(value) !== undefined;
      if (leading.has(value) || settings || isScriptModule(value)) {
        below.push({ value, node: this.child(node, name), role });
        return;
      }
    }
    node.attributes.push(attributeOf(name, value));
  }

  private declare(node: ModuleNode, kind: string): void {
    node.kind = kind;
    this.declared.add(node);
  }

  private addTensor(owner: ModuleNode, name: string, tensor: TorchTensor, kind: ParameterKind, full?: string): void {
    const wanted = full ?? (owner.path === '' ? name : `${owner.path}.${name}`);
    this.collector.add(wanted, tensor, kind, owner);
  }

  /** The module that the first `end` characters of a dotted name are the path of, below a node. */
  ownerAt(node: ModuleNode, name: string, end: number): ModuleNode {
    if (this.paths?.root !== node) this.paths = new ModulePaths(node);
    return this.paths.at(name, end);
  }

  private paths: ModulePaths | undefined;

  /** The child of that name, made if there is none. */
  child(node: ModuleNode, name: string): ModuleNode {
    return childOf(node, name);
  }
}

/** A module of TorchScript, which is part of the hierarchy even without tensors. */
function isScriptModule(value: Value): boolean {
  return (
    value instanceof Instance && (classGlobal(value)?.path.startsWith('__torch__.') ?? false) && isDict(value.state)
  );
}

/** An optimiser as an object, of torch or of a class that is like its. */
function isOptimizer(value: Value): boolean {
  const state = stateDict(value);
  return state?.has('param_groups') === true && state.has('state') && state.has('defaults');
}

/** Kind of a tensor inside an object or a tuple: that of the weights around it, for quantised layers. */
function objectKind(name: string, tensor: TorchTensor, role: MappingRole): ParameterKind {
  if (role === 'weights') return kindOf(name, tensor, role);
  return tensor.isParameter ? 'parameter' : 'attribute';
}

import type { ModuleNode } from '../../model/model';
import { Instance, type Value } from '../../pickle/values';
import type { FoundStateDict } from './checkpoint';
import { ownTensors } from './infer/own';
import type { NamedTensors } from './parameters';
import { constructionOf } from './skeleton-layers';
import { quoted, type Snippet } from './snippets';
import { wrappingOf } from './wrappers';

/** Lines of a skeleton before the rest is summed up. */
const MAX_LINES = 4000;

/**
 * A module whose `load_state_dict` would accept the weights, as far as names and shapes tell. What cannot be known (strides, padding,
 * activations, the forward function) is marked in the code. `undefined` where there is no state dictionary.
 */
export function skeletonSnippet(
  root: ModuleNode,
  dicts: readonly FoundStateDict[],
  tensors: NamedTensors,
): Snippet | undefined {
  const dict = dicts[0];
  const found = dict && nodeAt(root, dict.path);
  // The load snippet takes wrappers off; so does the skeleton.
  const { prefix } = wrappingOf(dict?.mapping.keys() ?? []);
  const start = prefix === '' || !found ? found : nodeAt(found, joined(found.path, prefix.slice(0, -1)));
  if (!start || !isExpressible(start, dict.mapping)) return undefined;
  const body = new SkeletonWriter(tensors).write(start);
  const code = [
    'import torch',
    'from torch import nn',
    '',
    '',
    ...body,
    '',
    '',
    'model = Model()',
    'model.load_state_dict(state_dict)',
    '',
  ];
  return { label: 'Skeleton module', language: 'python', code: code.join('\n') };
}

function joined(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

/**
 * Whether modules and tensors alone can make such a state dictionary: not where a name is a tensor and a module at once (the parts that
 * bitsandbytes keeps below a weight), nor where values are no tensors (packed parameters of quantised layers).
 */
function isExpressible(start: ModuleNode, mapping: ReadonlyMap<string, Value>): boolean {
  for (const [key, value] of mapping) {
    if (typeof key !== 'string' || /(^|\.)(_packed_params|_extra_state)(\.|$)/.test(key)) return false;
    if (!(value instanceof Instance)) return false;
  }
  const pending = [start];
  for (let node = pending.pop(); node; node = pending.pop()) {
    const own = new Set(node.parameters);
    for (const child of node.children) {
      if (own.has(child.path)) return false;
      pending.push(child);
    }
  }
  return true;
}

function nodeAt(root: ModuleNode, path: string): ModuleNode | undefined {
  const pending = [root];
  for (let node = pending.pop(); node; node = pending.pop()) {
    if (node.path === path) return node;
    if (node.path === '' || path.startsWith(`${node.path}.`)) pending.push(...node.children);
  }
  return undefined;
}

/** A module to write, or a line to write after what was pushed above it. */
type Task = { node: ModuleNode; parent: string; indent: string } | string;

/** Writes the constructor of one class; containers are plain `nn.Module` objects filled in place, repeated blocks are loops. */
class SkeletonWriter {
  private readonly lines: string[] = [];
  private loops = 0;
  constructor(private readonly tensors: NamedTensors) {}

  write(root: ModuleNode): string[] {
    const indent = '        ';
    this.lines.push('class Model(nn.Module):', '    def __init__(self):', `${indent}super().__init__()`);
    const pending: Task[] = [];
    this.ownTensors(root, 'self', indent);
    this.pushChildren(root, 'self', indent, pending);
    for (let task = pending.pop(); task !== undefined; task = pending.pop()) {
      if (typeof task === 'string') this.lines.push(task);
      else if (this.lines.length > MAX_LINES) {
        this.lines.push(`${indent}# …and so on: the skeleton is cut after ${MAX_LINES} lines.`);
        break;
      } else this.module(task, pending);
    }
    const message = 'the file does not say how these layers are connected';
    this.lines.push('', '    def forward(self, x):', `        raise NotImplementedError("${message}")`);
    return this.lines;
  }

  private module(task: Exclude<Task, string>, pending: Task[]): void {
    const { node, parent, indent } = task;
    const layer = this.layer(node);
    const kind = node.kind && node.kind !== 'Module' ? `  # ${node.kind}` : '';
    const value = layer ?? `nn.Module()${kind}`;
    if (node.repeated) {
      const level = ++this.loops;
      const first = lastName(node.repeated.first);
      const last = lastName(node.repeated.last);
      this.lines.push(`${indent}for i${level} in range(${first}, ${Number(last) + 1}):`);
      const inner = `${indent}    `;
      const block = `block${level}`;
      this.lines.push(`${inner}${block} = ${value}`);
      pending.push(`${inner}${parent}.add_module(str(i${level}), ${block})`);
      if (layer === undefined) this.inside(node, block, inner, pending);
      return;
    }
    const name = lastName(node.path);
    const identifier = /^[A-Za-z_]\w*$/.test(name) && !KEYWORDS.has(name);
    const [code, comment] = splitComment(value);
    this.lines.push(
      identifier
        ? `${indent}${parent}.${name} = ${value}`
        : `${indent}${parent}.add_module(${quoted(name)}, ${code})${comment}`,
    );
    if (layer === undefined) {
      this.inside(node, identifier ? `${parent}.${name}` : `getattr(${parent}, ${quoted(name)})`, indent, pending);
    }
  }

  private inside(node: ModuleNode, target: string, indent: string, pending: Task[]): void {
    this.ownTensors(node, target, indent);
    this.pushChildren(node, target, indent, pending);
  }

  private pushChildren(node: ModuleNode, parent: string, indent: string, pending: Task[]): void {
    for (let i = node.children.length - 1; i >= 0; i--) pending.push({ node: node.children[i], parent, indent });
  }

  private ownTensors(node: ModuleNode, target: string, indent: string): void {
    for (const [name, tensor] of ownTensors(node, this.tensors)) {
      const shape = tensor.shape.length === 1 ? `(${tensor.shape[0]},)` : `(${tensor.shape.join(', ')})`;
      const trained = /^(float|bfloat|complex)/.test(tensor.dtype);
      const empty = `torch.empty(${shape}${tensor.dtype === 'float32' ? '' : `, dtype=torch.${tensor.dtype}`})`;
      this.lines.push(
        trained
          ? `${indent}${target}.register_parameter(${quoted(name)}, nn.Parameter(${empty}))`
          : `${indent}${target}.register_buffer(${quoted(name)}, ${empty})`,
      );
    }
  }

  /** The constructor call of a layer; what shapes do not tell is a comment. */
  private layer(node: ModuleNode): string | undefined {
    const made = constructionOf(node, ownTensors(node, this.tensors));
    return made && `${made.code}${made.unknown === undefined ? '' : `  # ${made.unknown} unknown`}`;
  }
}

/** Words of Python that are no attribute names. */
const KEYWORDS = new Set(
  'and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield None True False'.split(
    ' ',
  ),
);

function lastName(path: string): string {
  return path.split('.').pop() as string;
}

/** Code and its trailing comment apart. */
function splitComment(value: string): [string, string] {
  const at = value.indexOf('  # ');
  return at < 0 ? [value, ''] : [value.slice(0, at), value.slice(at)];
}

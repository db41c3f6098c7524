import type { ModuleNode } from '../../../model/model';
import type { NamedTensors } from '../parameters';
import type { TorchTensor } from '../tensor';

/** What names and shapes of a node's own tensors say it is. */
export interface Inference {
  kind: string;
  from: string;
  summary?: string;
}

/**
 * A node's own tensors by the last component of their names. Few nodes have more than a handful, and files can have 100,000 nodes: two
 * arrays are made and searched faster than a table.
 */
export class Own {
  private readonly names: string[] = [];
  private readonly tensors: TorchTensor[] = [];
  private table: Map<string, number> | undefined;

  add(name: string, tensor: TorchTensor): void {
    this.table?.set(name, this.names.length);
    this.names.push(name);
    this.tensors.push(tensor);
    if (!this.table && this.names.length > MAX_SEARCHED) this.table = new Map(this.names.map((known, i) => [known, i]));
  }

  get size(): number {
    return this.names.length;
  }

  get(name: string): TorchTensor | undefined {
    const at = this.table ? (this.table.get(name) ?? -1) : this.names.indexOf(name);
    return at < 0 ? undefined : this.tensors[at];
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  keys(): readonly string[] {
    return this.names;
  }

  values(): readonly TorchTensor[] {
    return this.tensors;
  }

  *[Symbol.iterator](): Generator<[string, TorchTensor]> {
    for (let i = 0; i < this.names.length; i++) yield [this.names[i], this.tensors[i]];
  }
}

/** Of a node without tensors. */
const NONE = new Own();

/** Tensors of one node that are searched one by one. */
const MAX_SEARCHED = 16;

/** A node's own tensors by the last component of their names; components of sparse and wrapped tensors are left out. */
export function ownTensors(node: ModuleNode, tensors: NamedTensors): Own {
  if (node.parameters.length === 0) return NONE;
  const own = new Own();
  const skip = node.path === '' ? 0 : node.path.length + 1;
  for (const name of node.parameters) {
    const tensor = tensors.get(name);
    if (tensor) own.add(name.slice(skip), tensor);
  }
  return own;
}

/** `64 × 3 × 7 × 7`, or `scalar`. */
export function dims(tensor: TorchTensor): string {
  return tensor.shape.join(' × ') || 'scalar';
}

/** The weight of a layer, also where weight or spectral normalisation keeps it in parts. */
export function weightOf(own: Own): TorchTensor | undefined {
  return own.get('weight') ?? own.get('weight_v') ?? own.get('weight_orig');
}

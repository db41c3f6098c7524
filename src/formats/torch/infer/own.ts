import type { ModuleNode } from '../../../model/model';
import type { TorchTensor } from '../tensor';

/** What names and shapes of a node's own tensors say it is. */
export interface Inference {
  kind: string;
  from: string;
  summary?: string;
}

/** A node's own tensors by the last component of their names. */
export type Own = Map<string, TorchTensor>;

/** A node's own tensors by the last component of their names; components of sparse and wrapped tensors are left out. */
export function ownTensors(node: ModuleNode, tensors: ReadonlyMap<string, TorchTensor>): Own {
  const own: Own = new Map();
  const skip = node.path === '' ? 0 : node.path.length + 1;
  for (const name of node.parameters) {
    const tensor = tensors.get(name);
    if (tensor) own.set(name.slice(skip), tensor);
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

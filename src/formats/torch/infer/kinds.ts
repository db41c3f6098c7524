import type { ModuleNode } from '../../../model/model';
import type { TorchTensor } from '../tensor';
import { containerOf } from './containers';
import { layerOf } from './layers';
import { Neighbours } from './neighbours';
import { type Own, ownTensors } from './own';

/**
 * Names the layers of a hierarchy that only has tensors: `Linear`, `Conv2d`, `BatchNorm2d`, … from shapes and sibling names.
 * Everything found here is marked with what it was inferred from. Nodes in `declared` keep the class that the file names.
 */
export function inferKinds(
  root: ModuleNode,
  tensors: ReadonlyMap<string, TorchTensor>,
  declared: ReadonlySet<ModuleNode>,
): void {
  const order: ModuleNode[] = [];
  const places = new Map<ModuleNode, Neighbours>([[root, new Neighbours(undefined, 0, tensors)]]);
  const pending = [root];
  for (let node = pending.pop(); node; node = pending.pop()) {
    order.push(node);
    for (const [i, child] of node.children.entries()) {
      places.set(child, new Neighbours(node, i, tensors));
      pending.push(child);
    }
  }
  // Children first, as a container is named after what it holds.
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i];
    const own = ownTensors(node, tensors);
    if (declared.has(node)) {
      node.summary ??= summaryOf(node.kind, own);
      continue;
    }
    const found = layerOf(node, own, places.get(node) as Neighbours, tensors) ?? containerOf(node, own);
    if (!found) continue;
    node.kind = found.kind;
    node.inferredFrom = found.from;
    if (found.summary !== undefined) node.summary = found.summary;
  }
  for (const node of order)
    if (!node.kind && node !== root)
      node.kind = node.children.length > 0 || node.parameters.length > 0 ? 'Module' : 'dict';
}

/** `10 → 2, bias` and the like for a layer whose kind is known. */
export function summaryOf(kind: string, own: Own): string | undefined {
  const weight = own.get('weight');
  const bias = own.has('bias') ? ', bias' : ', no bias';
  if (!weight) return undefined;
  const s = weight.shape;
  if (/^(Linear|LazyLinear|NonDynamicallyQuantizableLinear)$/.test(kind) && s.length === 2)
    return `${s[1]} → ${s[0]}${bias}`;
  if (/^Conv\d?d$/.test(kind) && s.length >= 3) return `${s[1]} → ${s[0]}, ${s.slice(2).join('×')}${bias}`;
  if (/^ConvTranspose\dd$/.test(kind) && s.length >= 3) return `${s[0]} → ${s[1]}, ${s.slice(2).join('×')}${bias}`;
  if (/^Embedding(Bag)?$/.test(kind) && s.length === 2) return `${s[0]} × ${s[1]}`;
  if (/Norm/.test(kind)) return s.join(' × ');
  return undefined;
}

import type { ModuleNode } from '../../../model/model';
import type { NamedTensors } from '../parameters';
import { Alike, type LikeBlock } from './alike';
import { containerOf } from './containers';
import { layerOf } from './layers';
import { Neighbours } from './neighbours';
import { type Inference, type Own, ownTensors } from './own';

/**
 * Names the layers of a hierarchy that only has tensors: `Linear`, `Conv2d`, `BatchNorm2d`, … from shapes and sibling names.
 * Everything found here is marked with what it was inferred from. Nodes in `declared` keep the class that the file names.
 * @returns which blocks of lists are built alike, for `collapseRepeats`.
 */
export function inferKinds(root: ModuleNode, tensors: NamedTensors, declared: ReadonlySet<ModuleNode>): Alike {
  const alike = new Alike(tensors, declared);
  const blocks: LikeBlock[] = [];
  const order: ModuleNode[] = [root];
  // Where each node of `order` stands: its parent, and its place among the children.
  const parents: (ModuleNode | undefined)[] = [undefined];
  const places: number[] = [0];
  for (let at = 0; at < order.length; at++) {
    const node = order[at];
    if (alike.has(node)) continue;
    for (const block of alike.find(node)) blocks.push(block);
    for (let i = 0; i < node.children.length; i++) {
      order.push(node.children[i]);
      parents.push(node);
      places.push(i);
    }
  }
  let like: ModuleNode | undefined;
  let container: Inference | undefined;
  // Children first, as a container is named after what it holds.
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i];
    // The blocks stand in the same order as their nodes.
    const block = blocks[blocks.length - 1];
    if (block?.node === node) {
      blocks.pop();
      alike.copyInside(block);
    }
    const own = ownTensors(node, tensors);
    if (declared.has(node)) {
      node.summary ??= summaryOf(node.kind, own);
      continue;
    }
    let found = layerOf(node, own, new Neighbours(parents[i], places[i], tensors), tensors);
    if (!found && block?.node === node) {
      // What a block holds makes all blocks of its row the same container.
      if (like !== block.first) container = containerOf(node, own);
      like = block.first;
      found = container;
    } else found ??= containerOf(node, own);
    if (!found) continue;
    node.kind = found.kind;
    node.inferredFrom = found.from;
    if (found.summary !== undefined) node.summary = found.summary;
  }
  const pending = [...root.children];
  for (let node = pending.pop(); node; node = pending.pop()) {
    if (!node.kind) node.kind = node.children.length > 0 || node.parameters.length > 0 ? 'Module' : 'dict';
    for (let i = 0; i < node.children.length; i++) pending.push(node.children[i]);
  }
  return alike;
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

import type { ModuleNode } from '../../../model/model';
import type { NamedTensors } from '../parameters';

/** Siblings in a row from which on they are shown as one. */
const MIN_REPEAT = 3;

/**
 * Collapses runs of identical numbered siblings (`layer.0` to `layer.31`) into one node that stands for all of them.
 * Identical means: same kinds, same child names, same tensor names, shapes and dtypes, all the way down.
 */
export function collapseRepeats(root: ModuleNode, tensors: NamedTensors): void {
  const order: ModuleNode[] = [];
  const pending = [root];
  for (let node = pending.pop(); node; node = pending.pop()) {
    order.push(node);
    for (const child of node.children) pending.push(child);
  }
  // Equal structures get equal numbers, so that comparing two blocks costs one comparison, however large they are.
  const numbers = new Map<string, number>();
  const numberOf = new Map<ModuleNode, number>();
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i];
    const skip = node.path === '' ? 0 : node.path.length + 1;
    let text = `${node.kind}|`;
    for (const name of node.parameters) {
      const tensor = tensors.get(name);
      text += `${name.slice(skip)}:${tensor?.dtype}:${tensor ? String(tensor.shape) : ''},`;
    }
    text += '|';
    for (const { name, text: value } of node.attributes) text += `${name}=${value},`;
    text += '|';
    for (const child of node.children) text += `${child.name}#${numberOf.get(child)},`;
    let number = numbers.get(text);
    if (number === undefined) {
      number = numbers.size;
      numbers.set(text, number);
    }
    numberOf.set(node, number);
  }
  for (const node of order) {
    if (node.children.length < MIN_REPEAT) continue;
    const out: ModuleNode[] = [];
    for (let i = 0; i < node.children.length; ) {
      const first = node.children[i];
      let end = i + 1;
      while (
        end < node.children.length &&
        follows(node.children[end - 1], node.children[end]) &&
        numberOf.get(node.children[end]) === numberOf.get(first)
      )
        end++;
      const count = end - i;
      if (count >= MIN_REPEAT && /^\d+$/.test(first.name)) {
        const last = node.children[end - 1];
        out.push({
          ...first,
          name: `${first.name}–${last.name}`,
          repeated: { count, first: first.path, last: last.path, others: node.children.slice(i + 1, end) },
        });
      } else for (let k = i; k < end; k++) out.push(node.children[k]);
      i = end;
    }
    node.children = out;
  }
}

function follows(a: ModuleNode, b: ModuleNode): boolean {
  return /^\d+$/.test(a.name) && /^\d+$/.test(b.name) && Number(b.name) === Number(a.name) + 1;
}

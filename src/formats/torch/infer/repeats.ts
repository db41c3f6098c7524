import type { ModuleNode } from '../../../model/model';
import { type Alike, isNumber } from './alike';

/** Siblings in a row from which on they are shown as one. */
const MIN_REPEAT = 3;

/**
 * Collapses runs of identical numbered siblings (`layer.0` to `layer.31`) into one node that stands for all of them.
 * Identical means: same kinds, same child names, same tensor names, shapes and dtypes, all the way down.
 * @param alike what `inferKinds` found of the same hierarchy.
 */
export function collapseRepeats(root: ModuleNode, alike: Alike): void {
  const lists: ModuleNode[] = [];
  const pending = [root];
  for (let node = pending.pop(); node; node = pending.pop()) {
    if (node.children.length >= MIN_REPEAT) lists.push(node);
    for (const child of node.children) if (child.children.length > 0) pending.push(child);
  }
  // Those inside first: the node that stands for several has the children of the first of them.
  for (let at = lists.length - 1; at >= 0; at--) {
    const node = lists[at];
    const { children } = node;
    const out: ModuleNode[] = [];
    for (let i = 0; i < children.length; ) {
      const first = children[i];
      let end = i + 1;
      while (end < children.length && alike.has(children[end]) && children[end].kind === first.kind) end++;
      const count = end - i;
      if (count >= MIN_REPEAT && isNumber(first.name)) {
        const last = children[end - 1];
        out.push({
          ...first,
          name: `${first.name}–${last.name}`,
          repeated: { count, first: first.path, last: last.path, others: children.slice(i + 1, end) },
        });
      } else for (let k = i; k < end; k++) out.push(children[k]);
      i = end;
    }
    node.children = out;
  }
}

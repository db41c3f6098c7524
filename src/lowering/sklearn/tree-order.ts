import type { Estimator } from './estimator';

/** Nodes of a tree in whatever order a library keeps them; a leaf has no children. */
export interface LooseTree {
  readonly count: number;
  readonly isLeaf: (node: number) => boolean;
  readonly left: (node: number) => number;
  readonly right: (node: number) => number;
}

/** The order that `Branching` asks for, parents before children, and the node that each place stands for. */
export interface OrderedTree {
  readonly nodes: Int32Array;
  readonly left: Float64Array;
  readonly right: Float64Array;
}

/**
 * Walks a tree from its root. Nodes that nothing leads to (deleted by pruning) are left out.
 * @throws ModelError `unsupported` if a node is reached twice or a child does not exist.
 */
export function orderTree(estimator: Estimator, tree: LooseTree): OrderedTree {
  const nodes: number[] = [];
  const left: number[] = [];
  const right: number[] = [];
  const seen = new Uint8Array(tree.count);
  const stack = [{ node: 0, parent: -1, side: left }];
  while (stack.length > 0) {
    const { node, parent, side } = stack.pop()!;
    if (!(Number.isInteger(node) && node >= 0 && node < tree.count) || seen[node]) {
      throw estimator.unsupported(`a tree in it is damaged at node ${node}`);
    }
    seen[node] = 1;
    const place = nodes.length;
    if (parent >= 0) side[parent] = place;
    nodes.push(node);
    left.push(-1);
    right.push(-1);
    if (!tree.isLeaf(node)) {
      stack.push(
        { node: tree.right(node), parent: place, side: right },
        { node: tree.left(node), parent: place, side: left },
      );
    }
  }
  return { nodes: Int32Array.from(nodes), left: Float64Array.from(left), right: Float64Array.from(right) };
}

/** Values of the nodes in their new order. */
export function inOrder(order: OrderedTree, value: (node: number) => number): Float64Array {
  return Float64Array.from(order.nodes, value);
}

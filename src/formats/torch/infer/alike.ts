import type { ModuleNode } from '../../../model/model';
import type { NamedTensors } from '../parameters';
import type { TorchTensor } from '../tensor';

/** A block of a list that is built like the block before it. */
export interface LikeBlock {
  node: ModuleNode;
  /** The first block of the row. */
  first: ModuleNode;
}

/**
 * The numbered siblings that are built like the one before them: same names, shapes and dtypes, all the way down. What is inferred inside
 * such a block is inferred for the first one, and copied.
 */
export class Alike {
  private readonly nodes = new Set<ModuleNode>();
  /** What is still to be copied; empty between two blocks. */
  private readonly from: ModuleNode[] = [];
  private readonly to: ModuleNode[] = [];

  constructor(
    private readonly tensors: NamedTensors,
    private readonly declared: ReadonlySet<ModuleNode>,
  ) {}

  /** Whether a node is known to be built like the sibling before it. */
  has(node: ModuleNode): boolean {
    return this.nodes.has(node);
  }

  /** Finds those among the children of one node. */
  find(parent: ModuleNode): LikeBlock[] {
    const { children } = parent;
    const found: LikeBlock[] = [];
    let first = children[0];
    for (let i = 1; i < children.length; i++) {
      const node = children[i];
      if (follows(children[i - 1], node) && this.same(children[i - 1], node)) {
        this.nodes.add(node);
        found.push({ node, first });
      } else first = node;
    }
    return found;
  }

  /** Copies what was inferred below the first block of a row to another one. */
  copyInside({ node, first }: LikeBlock): void {
    const { from, to } = this;
    from.push(first);
    to.push(node);
    for (let source = from.pop(); source; source = from.pop()) {
      const target = to.pop()!;
      for (let i = 0; i < source.children.length; i++) {
        const [inner, copy] = [source.children[i], target.children[i]];
        copy.kind = inner.kind;
        if (inner.inferredFrom !== undefined) copy.inferredFrom = inner.inferredFrom;
        if (inner.summary !== undefined) copy.summary = inner.summary;
        if (this.nodes.has(inner)) this.nodes.add(copy);
        if (inner.children.length > 0) {
          from.push(inner);
          to.push(copy);
        }
      }
    }
  }

  /** Whether two nodes are built alike. Iterative: blocks can be nested as deep as a name is long. */
  private same(a: ModuleNode, b: ModuleNode): boolean {
    if (!this.sameNode(a, b)) return false;
    if (a.children.length === 0) return true;
    const left = [a];
    const right = [b];
    for (let one = left.pop(); one; one = left.pop()) {
      const other = right.pop()!;
      for (let i = 0; i < one.children.length; i++) {
        const [x, y] = [one.children[i], other.children[i]];
        if (x.name !== y.name || !this.sameNode(x, y)) return false;
        if (x.children.length > 0) {
          left.push(x);
          right.push(y);
        }
      }
    }
    return true;
  }

  private sameNode(a: ModuleNode, b: ModuleNode): boolean {
    if (
      a.children.length !== b.children.length ||
      a.parameters.length !== b.parameters.length ||
      a.attributes.length !== b.attributes.length ||
      a.kind !== b.kind ||
      (this.declared.size > 0 && this.declared.has(a) !== this.declared.has(b))
    )
      return false;
    for (let i = 0; i < a.attributes.length; i++)
      if (a.attributes[i].name !== b.attributes[i].name || a.attributes[i].text !== b.attributes[i].text) return false;
    const skipA = a.path === '' ? 0 : a.path.length + 1;
    const skipB = b.path === '' ? 0 : b.path.length + 1;
    for (let i = 0; i < a.parameters.length; i++) {
      if (!sameRest(a.parameters[i], skipA, b.parameters[i], skipB)) return false;
      if (!sameTensor(this.tensors.get(a.parameters[i]), this.tensors.get(b.parameters[i]))) return false;
    }
    return true;
  }
}

/** Whether a sibling has the number after the other's. */
export function follows(before: ModuleNode, node: ModuleNode): boolean {
  return isNumber(before.name) && isNumber(node.name) && Number(node.name) === Number(before.name) + 1;
}

/** Whether a name is nothing but digits. */
export function isNumber(name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (code < 0x30 || code > 0x39) return false;
  }
  return name.length > 0;
}

/** Whether two texts are the same after so many characters of each. */
function sameRest(a: string, skipA: number, b: string, skipB: number): boolean {
  if (a.length - skipA !== b.length - skipB) return false;
  for (let i = a.length - 1, j = b.length - 1; i >= skipA; i--, j--)
    if (a.charCodeAt(i) !== b.charCodeAt(j)) return false;
  return true;
}

function sameTensor(a: TorchTensor | undefined, b: TorchTensor | undefined): boolean {
  if (!a || !b) return a === b;
  if (a.dtype !== b.dtype || a.shape.length !== b.shape.length) return false;
  if ((a.quantizer === undefined) !== (b.quantizer === undefined)) return false;
  for (let i = 0; i < a.shape.length; i++) if (a.shape[i] !== b.shape[i]) return false;
  return true;
}

import type { Branching, Forest } from './forest';
import { IS_SET, LANES, MISSING_GOES_LEFT, NODE_BYTES } from './kernel';

/** A forest as the kernel reads it, for the address that it was made for. */
export interface ForestLayout {
  readonly bytes: Uint8Array;
  /** Addresses of the trees' roots. */
  readonly roots: Int32Array;
  /** Bases for `walk` and `walkAny`: numbers of leaves and flags of nodes. */
  readonly numbers: number;
  readonly flags: number;
  /** Columns that a node looks at, in the order of the kernel's groups. */
  readonly columns: Int32Array;
  readonly hasSets: boolean;
}

/** Larger members would make bit sets out of proportion to the file. */
const MAX_MEMBER = 2 ** 20;
const MAX_SET_BYTES = 2 ** 26;

/** Whether the kernel can hold a forest: the members of its sets are small whole numbers. */
export function fitsKernel({ trees }: Forest): boolean {
  let bytes = 0;
  for (const { members } of trees) {
    for (const set of members?.values() ?? []) {
      if (!set.every((member) => Number.isInteger(member) && member >= 0 && member < MAX_MEMBER)) return false;
      bytes += setBytes(set);
    }
  }
  return bytes <= MAX_SET_BYTES;
}

function setBytes(set: readonly number[]): number {
  return 1 + (set.reduce((most, member) => Math.max(most, member), 0) >> 3);
}

/** Lays out a forest at `base`, a multiple of 16: nodes, numbers of leaves, flags, sets. */
export function layOut(forest: Forest, base: number): ForestLayout {
  const { trees } = forest;
  const nodeCount = trees.reduce((sum, tree) => sum + tree.nodeCount, 0);
  const sets = trees.flatMap((tree) => [...(tree.members?.values() ?? [])]);
  const columns = usedColumns(trees);
  const numbersAt = nodeCount * NODE_BYTES;
  const flagsAt = numbersAt + nodeCount * 4;
  const setsAt = flagsAt + nodeCount;
  const buffer = new ArrayBuffer(setsAt + sets.reduce((sum, set) => sum + setBytes(set), 0));
  const writer = new NodeWriter(buffer, base, columns, flagsAt, numbersAt, setsAt);
  const roots = new Int32Array(trees.length);
  let firstLeaf = 0;
  trees.forEach((tree, t) => {
    roots[t] = base + writer.next * NODE_BYTES;
    firstLeaf += writer.tree(tree, firstLeaf);
  });
  return {
    bytes: new Uint8Array(buffer),
    roots,
    numbers: base + numbersAt - base / 4,
    flags: base + flagsAt - base / 16,
    columns: Int32Array.from(columns),
    hasSets: sets.length > 0,
  };
}

/** Columns that nodes look at. */
function usedColumns(trees: readonly Branching[]): number[] {
  const used = new Set<number>();
  for (const { nodeCount, left, feature } of trees) {
    for (let node = 0; node < nodeCount; node++) if (left[node] !== -1) used.add(feature[node]!);
  }
  return [...used].sort((a, b) => a - b);
}

class NodeWriter {
  /** Nodes written so far, or promised to a parent. */
  next = 0;
  private readonly placeOf: ReadonlyMap<number, number>;
  private readonly doubles: Float64Array;
  private readonly ints: Int32Array;
  private readonly bytes: Uint8Array;

  constructor(
    buffer: ArrayBuffer,
    private readonly base: number,
    columns: readonly number[],
    private readonly flagsAt: number,
    private readonly numbersAt: number,
    private setsAt: number,
  ) {
    this.placeOf = new Map(columns.map((column, place) => [column, place]));
    this.doubles = new Float64Array(buffer, 0, numbersAt / 8);
    this.ints = new Int32Array(buffer, 0, flagsAt / 4);
    this.bytes = new Uint8Array(buffer);
  }

  /**
   * Writes a tree whose leaves are numbered from `firstLeaf` and returns how many it has. A pair of children follows the pair that its
   * parent belongs to, left branches first, so that a row mostly goes forward through memory.
   */
  tree(tree: Branching, firstLeaf: number): number {
    const leaves = new Int32Array(tree.nodeCount);
    let count = 0;
    for (let node = 0; node < tree.nodeCount; node++) if (tree.left[node] === -1) leaves[node] = firstLeaf + count++;
    const nodes = [0];
    const places = [this.next++];
    while (nodes.length > 0) {
      const node = nodes.pop()!;
      const place = places.pop()!;
      if (tree.left[node] === -1) {
        this.leaf(place, leaves[node]!);
        continue;
      }
      const children = this.next;
      this.next += 2;
      this.inner(tree, node, place, children);
      nodes.push(tree.right[node]!, tree.left[node]!);
      places.push(children + 1, children);
    }
    return count;
  }

  private leaf(place: number, number: number): void {
    this.doubles[place * 2] = Number.POSITIVE_INFINITY;
    this.ints[place * 4 + 3] = this.base + place * NODE_BYTES;
    this.ints[this.numbersAt / 4 + place] = number;
    this.bytes[this.flagsAt + place] = MISSING_GOES_LEFT;
  }

  private inner(tree: Branching, node: number, place: number, children: number): void {
    this.ints[place * 4 + 2] = this.placeOf.get(tree.feature[node]!)! * LANES * 8;
    this.ints[place * 4 + 3] = this.base + children * NODE_BYTES;
    let flags = tree.missingLeft?.[node] === 1 ? MISSING_GOES_LEFT : 0;
    const set = tree.members?.get(node);
    if (set) {
      flags |= IS_SET;
      const length = setBytes(set);
      this.ints[place * 4] = this.base + this.setsAt;
      this.ints[place * 4 + 1] = length * 8;
      for (const member of set) this.bytes[this.setsAt + (member >> 3)]! |= 1 << (member & 7);
      this.setsAt += length;
    } else {
      const threshold = tree.threshold[node]!;
      this.doubles[place * 2] = tree.strict ? below(threshold) : threshold;
    }
    this.bytes[this.flagsAt + place] = flags;
  }
}

const double = new Float64Array(1);
const bits = new BigInt64Array(double.buffer);

/** The largest number below `threshold`: `x <= below(t)` is `x < t`. Nothing is below minus infinity. */
export function below(threshold: number): number {
  if (Number.isNaN(threshold) || threshold === Number.NEGATIVE_INFINITY) return Number.NaN;
  if (threshold === 0) return -Number.MIN_VALUE;
  double[0] = threshold;
  bits[0]! += threshold > 0 ? -1n : 1n;
  return double[0]!;
}

import { assembleModule, FunctionBody } from '../kernels/assembler';

/**
 * The inner loops of trees, as WebAssembly. Compiled JavaScript takes four times as long: it branches where the comparison should be
 * added to an address, and it checks the bounds of every array.
 *
 * A node takes 16 bytes: the threshold (float64), the offset of its column in a group of rows (int32), the address of its left
 * child (int32); the right child lies behind the left one. A leaf is its own left child, with a threshold of infinity. Rows
 * come in groups of `LANES`, column by column, so that the processor follows that many rows at once: a single one would wait for
 * memory at every node.
 */
export const LANES = 8;
export const NODE_BYTES = 16;
const THRESHOLD = 0;
const COLUMN = 8;
const LEFT = 12;

/** Bits of a node's flags. */
export const MISSING_GOES_LEFT = 1;
/** The node tests for membership: its threshold holds the address of a bit set and the number of its bits. */
export const IS_SET = 2;
const SET_ADDRESS = 0;
const SET_BITS = 4;

/** Levels between two looks whether all rows of a group have reached their leaves; more make a longer kernel, which takes its time to assemble. */
const LEVELS = 2;

export interface TreeKernel {
  /** Leaves of `groups` groups in the tree at `root`; no row may hold a missing value and no node be a set. Arguments are those of `walkAny`. */
  walk(groups: number, rows: number, groupBytes: number, root: number, leaves: number, numbers: number): void;
  /**
   * @param rows address of the first group, `groupBytes` before the next
   * @param leaves where the leaves' numbers go, int32, one a row
   * @param numbers numbers of the leaves, int32 for every node: that of the node at `a` lies at `numbers + a / 4`
   * @param flags of every node, a byte each: those of the node at `a` lie at `flags + a / 16`
   */
  walkAny(
    groups: number,
    rows: number,
    groupBytes: number,
    root: number,
    leaves: number,
    numbers: number,
    flags: number,
  ): void;
  /** For every row, adds the `rowBytes` bytes of the table at its leaf to the float64 at `sums`; `step` bytes lie between the sums of two rows. */
  add(rows: number, leaves: number, table: number, rowBytes: number, sums: number, step: number): void;
}

/** The module of a `TreeKernel`. */
export function treeKernelModule(): Uint8Array<ArrayBuffer> {
  return assembleModule({ walk: walk(false), walkAny: walk(true), add: add() });
}

function walk(any: boolean): FunctionBody {
  const f = new FunctionBody(any ? 7 : 6);
  const [groups, rows, groupBytes, root, leaves, numbers, flags] = [0, 1, 2, 3, 4, 5, 6] as const;
  const nodes = Array.from({ length: LANES }, () => f.local());
  const right = any ? anyStep(f, rows, flags) : plainStep(f, rows);
  f.loopWhile(() => {
    for (const node of nodes) f.get(root).set(node);
    f.loopWhile(() => {
      for (let level = 0; level < (any ? 1 : LEVELS); level++) {
        nodes.forEach((node, lane) => {
          right(node, lane);
          f.int(4).shiftLeft().get(node).loadInt(LEFT).add().set(node);
        });
      }
      nodes.forEach((node, lane) => {
        f.get(node).loadInt(LEFT).get(node).xor();
        if (lane > 0) f.or();
      });
    });
    nodes.forEach((node, lane) => {
      f.get(leaves)
        .get(node)
        .int(2)
        .shiftRightUnsigned()
        .get(numbers)
        .add()
        .loadInt(0)
        .storeInt(lane * 4);
    });
    f.get(rows).get(groupBytes).add().set(rows);
    f.get(leaves)
      .int(LANES * 4)
      .add()
      .set(leaves);
    f.get(groups).int(1).subtract().tee(groups);
  });
  return f;
}

type Step = (node: number, lane: number) => void;

/** 1 if the row goes right: not (x <= threshold). */
function plainStep(f: FunctionBody, rows: number): Step {
  return (node, lane) => {
    f.get(rows)
      .get(node)
      .loadInt(COLUMN)
      .add()
      .loadDouble(lane * 8);
    f.get(node).loadDouble(THRESHOLD).doubleLessOrEqual().isZero();
  };
}

/** The same where the row may lack the value or the node be a set. */
function anyStep(f: FunctionBody, rows: number, flags: number): Step {
  const [flag, cell, whole] = [f.local(), f.local(), f.local()];
  return (node, lane) => {
    const x = () => f.get(cell).loadDouble(lane * 8);
    f.get(node).int(4).shiftRightUnsigned().get(flags).add().loadByte(0).set(flag);
    f.get(rows).get(node).loadInt(COLUMN).add().set(cell);
    x();
    x().doubleNotEqual();
    f.choose(
      () => f.get(flag).int(MISSING_GOES_LEFT).and().isZero(),
      () => {
        f.get(flag).int(IS_SET).and();
        f.choose(
          () => {
            x().truncateUnsigned().tee(whole).get(node).loadInt(SET_BITS).lessUnsigned();
            x().get(whole).doubleOfUnsigned().doubleEqual().and();
            f.choose(
              () => {
                f.get(node).loadInt(SET_ADDRESS).get(whole).int(3).shiftRightUnsigned().add().loadByte(0);
                f.get(whole).int(7).and().shiftRightUnsigned().int(1).and().isZero();
              },
              () => f.int(1),
            );
          },
          () => x().get(node).loadDouble(THRESHOLD).doubleLessOrEqual().isZero(),
        );
      },
    );
  };
}

function add(): FunctionBody {
  const f = new FunctionBody(6);
  const [rows, leaves, table, rowBytes, sums, step] = [0, 1, 2, 3, 4, 5] as const;
  const [from, to, end] = [f.local(), f.local(), f.local()];
  f.loopWhile(() => {
    f.get(leaves).loadInt(0).get(rowBytes).multiply().get(table).add().tee(from).get(rowBytes).add().set(end);
    f.get(sums).set(to);
    f.loopWhile(() => {
      f.get(to).get(to).loadDouble(0).get(from).loadDouble(0).doubleAdd().storeDouble(0);
      f.get(to).int(8).add().set(to);
      f.get(from).int(8).add().tee(from).get(end).lessUnsigned();
    });
    f.get(sums).get(step).add().set(sums);
    f.get(leaves).int(4).add().set(leaves);
    f.get(rows).int(1).subtract().tee(rows);
  });
  return f;
}

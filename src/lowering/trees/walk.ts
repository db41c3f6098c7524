import { ModelError } from '../../bytes/errors';
import type { Tensor } from '../../onnx/tensor';
import type { Forest } from './forest';
import { LANES, type TreeKernel, treeKernelModule } from './kernel';
import { type ForestLayout, layOut } from './layout';

/** What the trees of a forest add up to. */
export interface LeafValues {
  /** leaves × width: what a row gets from a tree, by the leaf that it reaches there. */
  readonly table: Float64Array;
  readonly width: number;
  /** Trees that add to one column each, of so many: tree t to column `of(t)`; `width` is 1. Without it, every tree adds to the first `width`. */
  readonly columns?: { readonly count: number; of(tree: number): number };
  /** What the sums begin with, one number a column; 0 by default. */
  readonly start?: ArrayLike<number>;
  /** Every sum is rounded to float32. */
  readonly single?: boolean;
}

/** Number of columns of the sums. */
export function sumWidth({ width, columns }: LeafValues): number {
  return columns?.count ?? width;
}

/** Where a forest lies in the kernel's memory. */
const BASE = 64;
const PAGE = 65_536;
const MAX_BYTES = 2 ** 32 - PAGE;

/** Rows that go through all trees together: their columns and sums should stay in the processor's cache. */
const BLOCK_ROWS = 2048;
const BLOCK_BYTES = 2 ** 20;

/**
 * Sends rows through a forest, block by block, tree by tree. Sums are made in the order of the trees, each row for itself, as
 * scikit-learn makes them, so it makes no difference how many rows are asked together.
 */
export class ForestWalk {
  private layout: ForestLayout | undefined;

  /** @param rounded rows are rounded to float32 before they are compared */
  constructor(
    private readonly forest: Forest,
    private readonly rounded: boolean,
  ) {}

  /** The leaf of every row in every tree. `rows`: float64, rows × columns. Result: int64, rows × trees. */
  leaves(rows: Tensor): Tensor {
    const trees = this.forest.trees.length;
    const count = rows.shape[0]!;
    const data = new BigInt64Array(count * trees);
    // Numbers of leaves are small: the upper halves stay 0.
    const halves = new Int32Array(data.buffer);
    this.each(rows, undefined, {
      tree: (machine, tree, first, blockRows, at) => {
        const found = new Int32Array(machine.memory.buffer, at, blockRows);
        for (let row = 0, to = (first * trees + tree) * 2; row < blockRows; row++, to += trees * 2)
          halves[to] = found[row]!;
      },
    });
    return { dtype: 'int64', shape: [count, trees], data };
  }

  /** What the leaves of every row add up to: float64, rows × `sumWidth(values)`. */
  sums(rows: Tensor, values: LeafValues): Tensor {
    const count = rows.shape[0]!;
    const width = sumWidth(values);
    const data = new Float64Array(count * width);
    const { columns, start } = values;
    this.each(rows, values, {
      begin: (machine, blockRows, at) => {
        const sums = new Float64Array(machine.memory.buffer, at, blockRows * width);
        sums.fill(0);
        if (start) for (let i = 0; i < sums.length; i++) sums[i] = start[i % width]!;
      },
      tree: (machine, tree, _first, blockRows, leaves, table, sums) => {
        const to = sums + (columns ? columns.of(tree) * 8 : 0);
        if (values.single) addSingle(machine, values, blockRows, leaves, to, width);
        else machine.kernel.add(blockRows, leaves, table, values.width * 8, to, width * 8);
      },
      end: (machine, first, blockRows, at) =>
        data.set(new Float64Array(machine.memory.buffer, at, blockRows * width), first * width),
    });
    return { dtype: 'float64', shape: [count, width], data };
  }

  private each(rows: Tensor, values: LeafValues | undefined, visit: Visitor): void {
    this.layout ??= layOut(this.forest, BASE);
    const { layout } = this;
    const { columns } = layout;
    const [count, width = 0] = rows.shape as [number, number?];
    const lastColumn = columns.at(-1) ?? -1;
    if (lastColumn >= width)
      throw new ModelError('usage', `The trees look at column ${lastColumn}, but the rows have ${width} columns.`);
    const sumBytes = values ? sumWidth(values) * 8 : 0;
    const rowBytes = Math.max(1, columns.length) * 8;
    const fitting = Math.floor(BLOCK_BYTES / Math.max(rowBytes, sumBytes));
    const blockRows = Math.min(
      roundUp(count, LANES),
      Math.max(LANES, Math.min(BLOCK_ROWS, fitting - (fitting % LANES))),
    );
    const machine = kernelMachine();
    const tableAt = roundUp(BASE + layout.bytes.length, 64);
    const rowsAt = roundUp(tableAt + (values?.table.byteLength ?? 0), 64);
    const leavesAt = rowsAt + blockRows * rowBytes;
    const sumsAt = leavesAt + blockRows * 4;
    machine.load(layout, tableAt, values?.table, sumsAt + blockRows * sumBytes);
    const { kernel } = machine;
    const block = new Float64Array(machine.memory.buffer, rowsAt, (blockRows * rowBytes) / 8);
    // Trees without a node that looks at a column still load a number.
    if (columns.length === 0) block.fill(0);
    const groupBytes = LANES * rowBytes;
    for (let first = 0; first < count; first += blockRows) {
      const inBlock = Math.min(blockRows, count - first);
      const missing = fillBlock(block, rows.data as Float64Array, width, first, inBlock, columns, this.rounded);
      const groups = Math.ceil(inBlock / LANES);
      const any = missing || layout.hasSets;
      visit.begin?.(machine, inBlock, sumsAt);
      for (let t = 0; t < layout.roots.length; t++) {
        const root = layout.roots[t]!;
        if (any) kernel.walkAny(groups, rowsAt, groupBytes, root, leavesAt, layout.numbers, layout.flags);
        else kernel.walk(groups, rowsAt, groupBytes, root, leavesAt, layout.numbers);
        visit.tree(machine, t, first, inBlock, leavesAt, tableAt, sumsAt);
      }
      visit.end?.(machine, first, inBlock, sumsAt);
    }
  }
}

/** What the kernel's `add` does, each sum rounded to float32. */
function addSingle(
  { memory }: Machine,
  { table, width }: LeafValues,
  rows: number,
  leaves: number,
  to: number,
  step: number,
): void {
  const found = new Int32Array(memory.buffer, leaves, rows);
  const sums = new Float64Array(memory.buffer, to);
  for (let row = 0; row < rows; row++) {
    const [at, from] = [row * step, found[row]! * width];
    for (let k = 0; k < width; k++) sums[at + k] = Math.fround(sums[at + k]! + table[from + k]!);
  }
}

/** What is done with a block of rows: before, after each tree, and at the end. The last arguments are addresses. */
interface Visitor {
  begin?(machine: Machine, rows: number, sums: number): void;
  tree(machine: Machine, tree: number, first: number, rows: number, leaves: number, table: number, sums: number): void;
  end?(machine: Machine, first: number, rows: number, sums: number): void;
}

/** Puts rows into groups of lanes, used columns only; tells whether one of their values is missing. */
function fillBlock(
  block: Float64Array,
  data: Float64Array,
  width: number,
  first: number,
  rows: number,
  columns: Int32Array,
  rounded: boolean,
): boolean {
  const used = columns.length;
  let missing = false;
  // Lanes without a row follow zeros.
  if (rows % LANES !== 0) block.fill(0, Math.floor(rows / LANES) * LANES * Math.max(1, used));
  for (let row = 0; row < rows; row++) {
    const from = (first + row) * width;
    let to = Math.floor(row / LANES) * LANES * Math.max(1, used) + (row % LANES);
    for (let i = 0; i < used; i++, to += LANES) {
      const value = data[from + columns[i]!]!;
      missing ||= Number.isNaN(value);
      block[to] = rounded ? Math.fround(value) : value;
    }
  }
  return missing;
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}

/** The kernel with its memory, which holds one forest at a time: what is there already need not be copied again. */
class Machine {
  readonly memory = new WebAssembly.Memory({ initial: 1 });
  readonly kernel: TreeKernel;
  private layout: ForestLayout | undefined;
  private table: Float64Array | undefined;

  constructor() {
    const module = new WebAssembly.Module(treeKernelModule());
    const { exports } = new WebAssembly.Instance(module, { env: { memory: this.memory } });
    this.kernel = exports as unknown as TreeKernel;
  }

  /** @throws ModelError `limit` if there is not as much memory. */
  load(layout: ForestLayout, tableAt: number, table: Float64Array | undefined, bytes: number): void {
    this.grow(bytes);
    if (layout !== this.layout) {
      new Uint8Array(this.memory.buffer).set(layout.bytes, BASE);
      this.layout = layout;
      this.table = undefined;
    }
    if (table && table !== this.table) new Float64Array(this.memory.buffer, tableAt, table.length).set(table);
    // Without a table the rows lie where one was.
    this.table = table;
  }

  private grow(bytes: number): void {
    const missing = Math.ceil((bytes - this.memory.buffer.byteLength) / PAGE);
    if (missing <= 0) return;
    try {
      if (bytes > MAX_BYTES) throw new RangeError('beyond 32-bit addresses');
      this.memory.grow(missing);
    } catch (error) {
      throw new ModelError(
        'limit',
        `The trees of this model need ${bytes} bytes of memory in one piece, which are not to be had.`,
        {
          cause: error,
        },
      );
    }
  }
}

let shared: Machine | undefined;

function kernelMachine(): Machine {
  shared ??= new Machine();
  return shared;
}

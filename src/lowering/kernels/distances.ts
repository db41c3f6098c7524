import { ModelError } from '../../bytes/errors';
import { assembleModule, FunctionBody } from './assembler';

/**
 * Squared Euclidean distances from differences, eight points at a time: each sum is made feature by feature, as a plain loop makes it,
 * so that the numbers are the same to the last bit. Products of matrices would be as fast, but lose small distances.
 */
const POINTS = 8;
const PAGE = 65_536;
const MAX_BYTES = 2 ** 32 - PAGE;

/** Bytes of distances that are computed before they are looked at, and rows at most: they should stay in the processor's cache. */
const BLOCK_BYTES = 2 ** 19;
const BLOCK_ROWS = 64;

interface DistanceKernel {
  /**
   * @param blocks number of blocks of points, which lie at `points`, feature by feature
   * @param rowCount number of rows, which lie at `rows`, `rowBytes` (not 0) each
   * @param out where the distances go, `outBytes` a row
   */
  distances(
    blocks: number,
    points: number,
    rows: number,
    rowCount: number,
    rowBytes: number,
    out: number,
    outBytes: number,
  ): void;
}

function distances(): FunctionBody {
  const f = new FunctionBody(7);
  const [blocks, points, rows, rowCount, rowBytes, out, outBytes] = [0, 1, 2, 3, 4, 5, 6] as const;
  const [row, left, to, end, point] = [f.local(), f.local(), f.local(), f.local(), f.local()];
  const sums = Array.from({ length: POINTS / 2 }, () => f.pair());
  const [x, difference] = [f.pair(), f.pair()];
  f.loopWhile(() => {
    f.get(rows).set(row).get(rowCount).set(left).get(out).set(to);
    f.loopWhile(() => {
      for (const sum of sums) f.zeroPair().set(sum);
      f.get(points).set(point).get(row).get(rowBytes).add().set(end);
      f.loopWhile(() => {
        f.get(row).loadBoth(0).set(x);
        sums.forEach((sum, i) => {
          f.get(x)
            .get(point)
            .loadPair(i * 16)
            .pairSubtract()
            .tee(difference);
          f.get(difference).pairMultiply().get(sum).pairAdd().set(sum);
        });
        f.get(point)
          .int(POINTS * 8)
          .add()
          .set(point);
        f.get(row).int(8).add().tee(row).get(end).lessUnsigned();
      });
      sums.forEach((sum, i) => {
        f.get(to)
          .get(sum)
          .storePair(i * 16);
      });
      f.get(to).get(outBytes).add().set(to);
      f.get(left).int(1).subtract().tee(left);
    });
    f.get(point).set(points);
    f.get(out)
      .int(POINTS * 8)
      .add()
      .set(out);
    f.get(blocks).int(1).subtract().tee(blocks);
  });
  return f;
}

/** Points to which distances are asked, again and again. */
export class DistanceTable {
  private packed: Float64Array | undefined;
  private readonly blocks: number;

  /** @param points count × features, row-major */
  constructor(
    private readonly points: Float64Array,
    private readonly count: number,
    private readonly features: number,
  ) {
    this.blocks = Math.ceil(count / POINTS);
  }

  /**
   * Calls `visit` for every row in order, with its squared distances to the points from place `at` of `squares` on. The array is good
   * until `visit` returns.
   * @throws ModelError `limit` if there is not enough memory for the points
   */
  each(rows: Float64Array, total: number, visit: (row: number, squares: Float64Array, at: number) => void): void {
    const { features, blocks } = this;
    if (features === 0 || blocks === 0) {
      const zeros = new Float64Array(this.count);
      for (let row = 0; row < total; row++) visit(row, zeros, 0);
      return;
    }
    const packed = this.pack();
    const stride = blocks * POINTS;
    const blockRows = Math.max(1, Math.min(BLOCK_ROWS, total, Math.floor(BLOCK_BYTES / (stride * 8))));
    const rowsAt = packed.byteLength;
    const outAt = rowsAt + Math.ceil((blockRows * features) / 2) * 16;
    const { kernel, memory } = machine(packed, outAt + blockRows * stride * 8);
    const given = new Float64Array(memory.buffer, rowsAt, blockRows * features);
    const squares = new Float64Array(memory.buffer, outAt, blockRows * stride);
    for (let first = 0; first < total; first += blockRows) {
      const inBlock = Math.min(blockRows, total - first);
      given.set(rows.subarray(first * features, (first + inBlock) * features));
      kernel.distances(blocks, 0, rowsAt, inBlock, features * 8, outAt, stride * 8);
      for (let row = 0; row < inBlock; row++) visit(first + row, squares, row * stride);
    }
  }

  /** Blocks of points, feature by feature; the last one is filled up with zeros. */
  private pack(): Float64Array {
    if (this.packed) return this.packed;
    const { points, count, features } = this;
    const packed = new Float64Array(this.blocks * POINTS * features);
    for (let p = 0; p < count; p++) {
      const at = Math.floor(p / POINTS) * POINTS * features + (p % POINTS);
      for (let i = 0; i < features; i++) packed[at + i * POINTS] = points[p * features + i]!;
    }
    this.packed = packed;
    return packed;
  }
}

interface Machine {
  readonly memory: WebAssembly.Memory;
  readonly kernel: DistanceKernel;
  /** The points that lie in the memory. */
  resident?: Float64Array;
}

let shared: Machine | undefined;

/** The kernel with `points` at the beginning of a memory of at least `bytes`. */
function machine(points: Float64Array, bytes: number): Machine {
  if (!shared) {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const module = new WebAssembly.Module(assembleModule({ distances: distances() }));
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    shared = { memory, kernel: exports as unknown as DistanceKernel };
  }
  const missing = Math.ceil((bytes - shared.memory.buffer.byteLength) / PAGE);
  if (missing > 0) {
    try {
      if (bytes > MAX_BYTES) throw new RangeError('beyond 32-bit addresses');
      shared.memory.grow(missing);
    } catch (error) {
      throw new ModelError(
        'limit',
        `The points of this model need ${bytes} bytes of memory in one piece, which are not to be had.`,
        { cause: error },
      );
    }
  }
  if (shared.resident !== points) {
    // Other points may have been longer: from here on the memory is written anew.
    new Float64Array(shared.memory.buffer, 0, points.length).set(points);
    shared.resident = points;
  }
  return shared;
}

import { asArray, toNumber } from '../../formats/numpy/pickled';
import { asSequence, Instance, type Value } from '../../pickle/values';
import { asTensor, type Estimator, textKeys } from './estimator';
import type { Metric } from './metrics';

/** The `k` nearest points of one row: their numbers and distances, nearest first. */
export type Search = (x: Float64Array, at: number, distances: Float64Array, indices: Int32Array) => void;

/**
 * Which of equally near points count, and their order, depends on the order in which scikit-learn meets them. Here the tree that was pickled is
 * searched as scikit-learn does: depth first, the nearer child first, a heap of the k best, a sort that is not stable. Source: sklearn
 * `neighbors/_binary_tree.pxi.tp`, `utils/_heap.pyx`, `utils/_sorting.pyx`.
 */
interface Tree {
  readonly data: Float64Array;
  readonly features: number;
  /** Numbers of the points in the order of the leaves. */
  readonly order: Float64Array;
  readonly start: Float64Array;
  readonly end: Float64Array;
  readonly leaf: Float64Array;
  readonly radius: Float64Array;
  /** KD-tree: lower bounds of all nodes, then upper ones; ball tree: centres. */
  readonly bounds: Float64Array;
  readonly ball: boolean;
}

/** Distances before the last step (a root), in which the search compares; and that step. */
interface Reduced {
  readonly distance: Metric;
  readonly restore: (reduced: number) => number;
  readonly reduce: (distance: number) => number;
  /** Exponent of a Minkowski distance; undefined for other metrics, which only ball trees have. */
  readonly power: number | undefined;
}

/** The search of the pickled tree; undefined where the estimator has none (it compares with every point). */
export function treeSearch(estimator: Estimator, metric: Metric): Search | undefined {
  const tree = readTree(estimator.value('_tree'));
  if (!tree) return undefined;
  const reduced = reducedMetric(estimator, metric);
  if (!tree.ball && reduced.power === undefined) return undefined;
  const lowest = tree.ball ? ballBound(tree, metric, reduced) : boxBound(tree, reduced.power!);
  // Sorting changed in 1.9; ties are kept in another order since.
  const sort = estimator.since('1.9') ? introsort : quicksort;
  const { data, features, order, start, end, leaf } = tree;
  return (x, at, distances, indices) => {
    distances.fill(Number.POSITIVE_INFINITY);
    indices.fill(0);
    const stack: number[] = [0];
    const bound: number[] = [lowest(0, x, at)];
    while (stack.length > 0) {
      const node = stack.pop()!;
      if (bound.pop()! > distances[0]!) continue;
      if (leaf[node]) {
        for (let i = start[node]!; i < end[node]!; i++) {
          const point = order[i]!;
          pushHeap(distances, indices, reduced.distance(x, at, data, point * features, features), point);
        }
        continue;
      }
      const [first, second] = [2 * node + 1, 2 * node + 2];
      const [a, b] = [lowest(first, x, at), lowest(second, x, at)];
      // The nearer one is taken off first.
      if (a <= b) {
        stack.push(second, first);
        bound.push(b, a);
      } else {
        stack.push(first, second);
        bound.push(a, b);
      }
    }
    sort(distances, indices);
    for (let i = 0; i < distances.length; i++) distances[i] = reduced.restore(distances[i]!);
  };
}

/** State of a pickled tree: `(data, idx_array, node_data, node_bounds, …)`. */
function readTree(value: Value | undefined): Tree | undefined {
  const state = value instanceof Instance ? asSequence(value.state) : undefined;
  const [points, order, bounds] = [0, 1, 3].map((i) => asTensor(state?.[i] ?? null));
  const nodes = asArray(state?.[2] ?? null);
  const field = (name: string) => nodes?.field(name)?.toFloat64();
  const [start, end, leaf, radius] = ['idx_start', 'idx_end', 'is_leaf', 'radius'].map(field);
  if (!points || !order || !bounds || !start || !end || !leaf || !radius) return undefined;
  const [count = 0, features = 0] = points.shape;
  const tree = {
    data: points.data as Float64Array,
    features,
    order: order.data as Float64Array,
    start,
    end,
    leaf,
    radius,
    bounds: bounds.data as Float64Array,
    ball: bounds.shape[0] === 1,
  };
  return isSound(tree, count, bounds.shape) ? tree : undefined;
}

/** Whether every node lies inside the arrays; a damaged tree is not searched. */
function isSound(tree: Tree, count: number, shape: readonly number[]): boolean {
  const nodes = tree.start.length;
  if (shape.length !== 3 || shape[1] !== nodes || shape[2] !== tree.features || tree.order.length !== count)
    return false;
  if (!tree.order.every((point) => point >= 0 && point < count)) return false;
  return tree.start.every((from, node) => {
    if (tree.leaf[node]) return from >= 0 && tree.end[node]! <= count;
    return 2 * node + 2 < nodes;
  });
}

function reducedMetric(estimator: Estimator, metric: Metric): Reduced {
  const name = estimator.optionalText('effective_metric_') ?? estimator.optionalText('metric') ?? '';
  const parameters = textKeys(estimator.value('effective_metric_params_', 'metric_params'));
  const weighted = parameters.get('w') !== undefined && parameters.get('w') !== null;
  const given = toNumber(parameters.get('p')) ?? estimator.optionalNumber('p') ?? 2;
  const power = weighted ? undefined : powerOf(name, given);
  if (power === 2) {
    const distance: Metric = (a, at, b, bt, count) => {
      let sum = 0;
      for (let i = 0; i < count; i++) {
        const d = a[at + i]! - b[bt + i]!;
        sum += d * d;
      }
      return sum;
    };
    return { distance, restore: Math.sqrt, reduce: (d) => d * d, power };
  }
  if (power !== undefined && power !== 1 && Number.isFinite(power)) {
    const distance: Metric = (a, at, b, bt, count) => {
      let sum = 0;
      for (let i = 0; i < count; i++) sum += Math.abs(a[at + i]! - b[bt + i]!) ** power;
      return sum;
    };
    return { distance, restore: (r) => r ** (1 / power), reduce: (d) => d ** power, power };
  }
  return { distance: metric, restore: (r) => r, reduce: (d) => d, power };
}

function powerOf(name: string, p: number): number | undefined {
  if (name === 'euclidean' || name === 'l2') return 2;
  if (name === 'manhattan' || name === 'l1' || name === 'cityblock') return 1;
  if (name === 'chebyshev' || name === 'infinity') return Number.POSITIVE_INFINITY;
  return name === 'minkowski' || name === 'p' ? p : undefined;
}

/** The least reduced distance from a row to the box of a node. */
function boxBound(tree: Tree, power: number): (node: number, x: Float64Array, at: number) => number {
  const { bounds, features } = tree;
  const upper = bounds.length / 2;
  return (node, x, at) => {
    let out = 0;
    for (let j = 0; j < features; j++) {
      const low = bounds[node * features + j]! - x[at + j]!;
      const high = x[at + j]! - bounds[upper + node * features + j]!;
      const d = 0.5 * (low + Math.abs(low) + (high + Math.abs(high)));
      out = Number.isFinite(power) ? out + (power === 2 ? d * d : d ** power) : Math.max(out, d);
    }
    return out;
  };
}

/** The least reduced distance from a row to the ball of a node. */
function ballBound(tree: Tree, metric: Metric, { reduce }: Reduced) {
  return (node: number, x: Float64Array, at: number): number =>
    reduce(Math.max(0, metric(x, at, tree.bounds, node * tree.features, tree.features) - tree.radius[node]!));
}

/** Puts a value in the place of the largest of a heap, if it is smaller. */
export function pushHeap(values: Float64Array, indices: Int32Array, value: number, index: number): void {
  // Also refuses NaN, as `>=` in C would not: rows hold none.
  if (!(value < values[0]!)) return;
  const size = values.length;
  let at = 0;
  for (;;) {
    const left = 2 * at + 1;
    if (left >= size) break;
    const right = left + 1;
    const child = right >= size || values[left]! >= values[right]! ? left : right;
    if (!(value < values[child]!)) break;
    values[at] = values[child]!;
    indices[at] = indices[child]!;
    at = child;
  }
  values[at] = value;
  indices[at] = index;
}

function swap(values: Float64Array, indices: Int32Array, a: number, b: number): void {
  [values[a], values[b]] = [values[b]!, values[a]!];
  [indices[a], indices[b]] = [indices[b]!, indices[a]!];
}

/** The median of the first, middle and last value to the end, the smallest to the front, the largest to the middle. */
function medianToEnd(values: Float64Array, indices: Int32Array, from: number, to: number): number {
  const [last, middle] = [to - 1, from + ((to - from) >> 1)];
  if (values[from]! > values[last]!) swap(values, indices, from, last);
  if (values[last]! > values[middle]!) {
    swap(values, indices, last, middle);
    if (values[from]! > values[last]!) swap(values, indices, from, last);
  }
  return values[last]!;
}

/** `simultaneous_sort` up to 1.8: quicksort all the way down. Parts yet to be sorted wait on a stack, in any order. */
export function quicksort(values: Float64Array, indices: Int32Array): void {
  const stack = [0, values.length];
  while (stack.length > 0) {
    const to = stack.pop()!;
    const from = stack.pop()!;
    const size = to - from;
    if (size <= 1) continue;
    if (size <= 3) {
      if (values[from]! > values[from + 1]!) swap(values, indices, from, from + 1);
      if (size === 3 && values[from + 1]! > values[from + 2]!) {
        swap(values, indices, from + 1, from + 2);
        if (values[from]! > values[from + 1]!) swap(values, indices, from, from + 1);
      }
      continue;
    }
    const pivot = medianToEnd(values, indices, from, to);
    let store = from;
    for (let i = from; i < to - 1; i++) {
      if (values[i]! < pivot) {
        swap(values, indices, i, store);
        store++;
      }
    }
    swap(values, indices, store, to - 1);
    stack.push(from, store, store + 1, to);
  }
}

/** `simultaneous_sort` since 1.9: quicksort with pointers from both ends, insertion for 15 or fewer, heapsort where it goes too deep. */
export function introsort(values: Float64Array, indices: Int32Array): void {
  const stack = [{ from: 0, to: values.length, depth: 2 * Math.floor(Math.log2(Math.max(1, values.length))) }];
  while (stack.length > 0) {
    const { from, to, depth } = stack.pop()!;
    if (to - from <= 15) {
      insertion(values, indices, from, to);
      continue;
    }
    if (depth <= 0) {
      heapsort(values.subarray(from, to), indices.subarray(from, to));
      continue;
    }
    const pivot = medianToEnd(values, indices, from, to);
    let [i, j] = [from + 1, to - 2];
    for (;;) {
      while (i <= j && values[i]! < pivot) i++;
      while (i <= j && values[j]! > pivot) j--;
      if (i >= j) break;
      swap(values, indices, i, j);
      i++;
      j--;
    }
    swap(values, indices, i, to - 1);
    stack.push({ from, to: i, depth: depth - 1 }, { from: i + 1, to, depth: depth - 1 });
  }
}

function insertion(values: Float64Array, indices: Int32Array, from: number, to: number): void {
  for (let i = from + 1; i < to; i++) {
    const [value, index] = [values[i]!, indices[i]!];
    let j = i;
    for (; j > from && values[j - 1]! > value; j--) {
      values[j] = values[j - 1]!;
      indices[j] = indices[j - 1]!;
    }
    values[j] = value;
    indices[j] = index;
  }
}

function heapsort(values: Float64Array, indices: Int32Array): void {
  const sift = (start: number, end: number): void => {
    for (let root = start; ; ) {
      const child = 2 * root + 1;
      let largest = root;
      if (child < end && values[largest]! < values[child]!) largest = child;
      if (child + 1 < end && values[largest]! < values[child + 1]!) largest = child + 1;
      if (largest === root) return;
      swap(values, indices, root, largest);
      root = largest;
    }
  };
  const n = values.length;
  for (let start = (n - 2) >> 1; start >= 0; start--) sift(start, n);
  for (let end = n - 1; end > 0; end--) {
    swap(values, indices, 0, end);
    sift(0, end);
  }
}

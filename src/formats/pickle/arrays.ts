import type { Parameter, ParameterKind } from '../../model/model';
import { printValue } from '../../pickle/print';
import {
  classOf,
  Global,
  Instance,
  OutOfBandBuffer,
  PersistentId,
  PyBytes,
  PySet,
  PyTuple,
  type Value,
} from '../../pickle/values';
import { arrayTable } from '../numpy/cells';
import type { NumpyDType } from '../numpy/dtype';
import { NdArray } from '../numpy/ndarray';
import { asArray } from '../numpy/pickled';
import { describe } from './describe';
import { asFrame, type Frame, frameTable } from './pandas';

/** An array that was found in an object graph. */
export interface FoundArray {
  path: string;
  array: NdArray;
  /** Set for a DataFrame or Series: `array` then only stands for its shape. */
  frame?: Frame;
  /** The pickled object that is the array. */
  value: Instance;
  /** Path under which the same object was found before. */
  tiedTo?: string;
}

export interface ArrayWalk {
  /** Objects that were visited already, with the path of each array; shared between walks over one model. */
  seen: Map<object, string>;
  /** Objects that the walk does not go into: they are somebody else's. */
  skip?: (value: Instance, path: string) => boolean;
  /** Values looked at before the walk gives up. */
  maximum?: number;
}

/** Objects a walk looks at before it stops: a dictionary of some millions of entries is still searched. */
const MAX_VISITED = 50_000_000;

/** Names of constructor arguments and state entries of classes that pickle themselves as plain tuples. */
const ARGUMENT_NAMES: Record<string, string[]> = {
  Tree: ['n_features', 'n_classes', 'n_outputs'],
};
/** scikit-learn's trees of neighbours, whichever way they split. */
const NEIGHBOUR_TREE = [
  'data',
  'idx_array',
  'node_data',
  'node_bounds',
  'leaf_size',
  'n_levels',
  'n_nodes',
  'n_trims',
  'n_leaves',
  'n_splits',
  'n_calls',
  'dist_metric',
  'sample_weight',
];
const STATE_NAMES: Record<string, string[]> = {
  KDTree: NEIGHBOUR_TREE,
  BallTree: NEIGHBOUR_TREE,
  BinaryTree: NEIGHBOUR_TREE,
};

/**
 * Every array below `root`, in the order of the file, each object once: a second reference to an array yields an entry that is tied to the
 * first. Iterative; arrays of objects are searched like lists.
 */
export function findArrays(root: Value, path: string, walk: ArrayWalk): FoundArray[] {
  const found: FoundArray[] = [];
  const stack: { value: Value; path: string }[] = [{ value: root, path }];
  let budget = walk.maximum ?? MAX_VISITED;
  for (let next = stack.pop(); next && budget-- > 0; next = stack.pop()) {
    const { value } = next;
    if (value === null || typeof value !== 'object' || value instanceof PyBytes) continue;
    const here = next.path;
    if (value instanceof Instance) {
      const array = asArray(value);
      if (array) {
        const first = walk.seen.get(value);
        found.push({ path: here, array, value, ...(first === undefined ? {} : { tiedTo: first }) });
        if (first !== undefined) continue;
        walk.seen.set(value, here);
        if (array.objects) pushAll(stack, array.objects, here, (i) => `[${i}]`);
        continue;
      }
      if (walk.skip?.(value, here)) continue;
      const frame = asFrame(value);
      if (frame) {
        const first = walk.seen.get(value);
        found.push({
          path: here,
          array: frameShape(frame),
          frame,
          value,
          ...(first === undefined ? {} : { tiedTo: first }),
        });
        walk.seen.set(value, here);
        continue;
      }
    }
    if (walk.seen.has(value)) continue;
    walk.seen.set(value, here);
    if (Array.isArray(value)) pushAll(stack, value, here, (i) => `[${i}]`);
    else if (value instanceof PyTuple || value instanceof PySet) pushAll(stack, value.items, here, (i) => `[${i}]`);
    else if (value instanceof Map) pushEntries(stack, value, here, false);
    else if (value instanceof Instance) pushInstance(stack, value, here);
    else if (value instanceof PersistentId) stack.push({ value: value.id, path: `${here}.id` });
    else if (value instanceof Global || value instanceof OutOfBandBuffer) continue;
  }
  return found;
}

type Pending = { value: Value; path: string };

function pushAll(stack: Pending[], items: readonly Value[], path: string, name: (index: number) => string): void {
  for (let i = items.length - 1; i >= 0; i--) {
    const value = items[i];
    if (value !== null && typeof value === 'object') stack.push({ value, path: path + name(i) });
  }
}

function pushEntries(stack: Pending[], dict: Map<Value, Value>, path: string, attributes: boolean): void {
  const entries: Pending[] = [];
  for (const [key, value] of dict) {
    if (value === null || typeof value !== 'object') continue;
    if (attributes && typeof key === 'string') entries.push({ value, path: path === '' ? key : `${path}.${key}` });
    else entries.push({ value, path: `${path}[${printValue(key, { width: 60, depth: 1 })}]` });
  }
  for (let i = entries.length - 1; i >= 0; i--) stack.push(entries[i]);
}

/** Arguments first, then what was added, then the state: the reverse order on the stack. */
function pushInstance(stack: Pending[], value: Instance, path: string): void {
  const name = classOf(value)?.name ?? '';
  const { state } = value;
  if (state instanceof Map) pushEntries(stack, state, path, true);
  else if (state instanceof PyTuple && isSlotPair(state)) {
    for (const part of [...state.items].reverse()) if (part instanceof Map) pushEntries(stack, part, path, true);
  } else if (state instanceof PyTuple || Array.isArray(state)) {
    const names = STATE_NAMES[name];
    pushAll(stack, state instanceof PyTuple ? state.items : state, path, (i) =>
      names?.[i] ? `.${names[i]}` : `[${i}]`,
    );
  } else if (state !== undefined) stack.push({ value: state, path });
  for (const earlier of value.earlierStates ?? []) stack.push({ value: earlier.value, path });
  if (value.entries) pushEntries(stack, value.entries, path, false);
  if (value.items) pushAll(stack, value.items, path, (i) => `[${i}]`);
  if (value.kwargs instanceof Map) pushEntries(stack, value.kwargs, path, true);
  const args = value.args instanceof PyTuple ? value.args.items : Array.isArray(value.args) ? value.args : [value.args];
  const names = ARGUMENT_NAMES[name];
  if (args.length === 1) pushAll(stack, args, path, () => '');
  else pushAll(stack, args, path, (i) => (names?.[i] ? `.${names[i]}` : `[${i}]`));
  if (value.callable instanceof Instance) stack.push({ value: value.callable, path });
}

function isSlotPair(state: PyTuple): boolean {
  return (
    state.items.length === 2 &&
    state.items.every((part) => part === null || part instanceof Map) &&
    state.items.some((part) => part !== null)
  );
}

/** A table's shape and the bytes of the arrays that it is made of. */
function frameShape(frame: Frame): NdArray {
  const shape = frame.kind === 'Series' ? [frame.rows] : [frame.rows, frame.columns.length];
  return new NdArray(FRAME_TYPE[frame.kind], shape, false, undefined, undefined);
}

const FRAME_TYPE: Record<Frame['kind'], NumpyDType> = {
  DataFrame: { type: 'object', kind: 'O', itemsize: 8, byteOrder: 'little', text: 'DataFrame' },
  Series: { type: 'object', kind: 'O', itemsize: 8, byteOrder: 'little', text: 'Series' },
};

/** Rows of the parameter table. `storages` numbers the distinct objects over the whole model. */
export function parameterRow(found: FoundArray, storages: Map<object, string>, kind: ParameterKind): Parameter {
  const { array, value } = found;
  let storage = storages.get(value);
  if (storage === undefined) {
    storage = String(storages.size);
    storages.set(value, storage);
  }
  const tensor = array.tensor();
  const row: Parameter = {
    name: found.path,
    shape: [...array.shape],
    dtype: array.dtype.type,
    count: array.size,
    bytes: array.byteLength,
    storage,
    kind,
  };
  if (!/^(bool|u?int\d+|b?float\d+|complex\d+)$/.test(array.dtype.type)) row.dtypeDetail = array.dtype.text;
  if (found.tiedTo !== undefined) row.tiedTo = found.tiedTo;
  if (tensor) row.tensor = tensor;
  if (tensor?.strides) row.strides = [...tensor.strides];
  const table = found.frame
    ? frameTable(found.frame)
    : tensor
      ? undefined
      : arrayTable(array, (item) => describe(item, 120));
  if (table) row.table = table;
  const notes = [array.subclass, array.note].filter(Boolean);
  if (notes.length > 0) row.note = notes.join('; ');
  return row;
}

/** Position of the first row of each object that has one. */
export function rowsByObject(rows: readonly Parameter[], storages: ReadonlyMap<object, string>): Map<object, number> {
  const first = new Map<string, number>();
  rows.forEach((row, i) => {
    if (!first.has(row.storage)) first.set(row.storage, i);
  });
  const found = new Map<object, number>();
  for (const [object, storage] of storages) {
    const index = first.get(storage);
    if (index !== undefined) found.set(object, index);
  }
  return found;
}

/** Elements and bytes over rows, what several rows share counted once. */
export function totalsOf(rows: readonly Parameter[]): {
  parameters: number;
  bytes: number;
  byDtype: Record<string, number>;
} {
  const totals = { parameters: 0, bytes: 0, byDtype: Object.create(null) as Record<string, number> };
  const seen = new Set<string>();
  for (const row of rows) {
    if (row.tiedTo !== undefined || seen.has(row.storage)) continue;
    seen.add(row.storage);
    totals.parameters += row.count;
    totals.bytes += row.bytes;
    totals.byDtype[row.dtype] = (totals.byDtype[row.dtype] ?? 0) + row.count;
  }
  return { ...totals, byDtype: { ...totals.byDtype } };
}

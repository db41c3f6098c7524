import type { TableSource } from '../../model/model';
import {
  asNumber,
  asSequence,
  asText,
  classOf,
  Global,
  Instance,
  isDict,
  stateDict,
  type Value,
} from '../../pickle/values';
import { arrayTexts } from '../numpy/cells';
import { dtypeLabel } from '../numpy/dtype';
import type { NdArray } from '../numpy/ndarray';
import { asArray, shapeOf } from '../numpy/pickled';
import { describe } from './describe';

/** A column or index: its element type and the texts of some of its rows. */
export interface Series {
  dtype: string;
  length: number;
  texts(start: number, count: number): string[];
}

/** A pickled DataFrame or Series of pandas 0.20 to 3, read from its blocks. */
export interface Frame {
  kind: 'DataFrame' | 'Series';
  rows: number;
  columns: { name: string; series: Series }[];
  index: Series & { name: string };
}

const cache = new WeakMap<Instance, Frame | null>();

/** The table a value stands for; `undefined` if it is none, or of a layout that is not known. */
export function asFrame(value: Value | undefined): Frame | undefined {
  if (!(value instanceof Instance)) return undefined;
  const global = classOf(value);
  if (global === undefined || (global.name !== 'DataFrame' && global.name !== 'Series')) return undefined;
  const known = cache.get(value);
  if (known !== undefined) return known ?? undefined;
  cache.set(value, null);
  const made = readFrame(value);
  cache.set(value, made ?? null);
  return made;
}

function readFrame(value: Instance): Frame | undefined {
  const global = classOf(value);
  if (!global || !/^pandas(\.|$)/.test(global.module) || (global.name !== 'DataFrame' && global.name !== 'Series'))
    return undefined;
  const state = stateDict(value);
  const manager = state?.get('_mgr') ?? state?.get('_data');
  const parts = manager instanceof Instance ? managerParts(manager) : undefined;
  if (!parts) return undefined;
  const { axes, blocks } = parts;
  const rowAxis = indexOf(axes[axes.length - 1]);
  if (!rowAxis) return undefined;
  const index = { ...rowAxis, name: indexName(axes[axes.length - 1]) };
  if (global.name === 'Series') {
    const series = blocks[0] && columnOf(blocks[0].values, 0);
    const name = asText(state?.get('_name') ?? state?.get('name')) ?? 'value';
    return series && { kind: 'Series', rows: rowAxis.length, columns: [{ name, series }], index };
  }
  const names = indexOf(axes[0]);
  if (!names) return undefined;
  const columns: Frame['columns'] = names.texts(0, names.length).map((name) => ({ name, series: UNKNOWN }));
  for (const { values, places } of blocks) {
    places(columns.length).forEach((place, i) => {
      const series = columnOf(values, i);
      if (series && columns[place]) columns[place].series = series;
    });
  }
  return { kind: 'DataFrame', rows: rowAxis.length, columns, index };
}

const UNKNOWN: Series = { dtype: 'unknown', length: 0, texts: (_, count) => new Array<string>(count).fill('…') };

interface Block {
  values: Value;
  /** Column positions of the block's rows. */
  places(total: number): number[];
}

/** BlockManager: `(blocks, axes)` as arguments since pandas 1.3, a tuple state with `0.14.1` in it before. */
function managerParts(manager: Instance): { axes: Value[]; blocks: Block[] } | undefined {
  const args = asSequence(manager.args) ?? [];
  if (args.length >= 2) {
    const blocks = asSequence(args[0]) ?? [args[0]];
    const axes = asSequence(args[1]) ?? [args[1]];
    return { axes, blocks: blocks.map(unpickledBlock).filter((block): block is Block => block !== undefined) };
  }
  const state = asSequence(manager.state);
  const newest = state?.find((part) => isDict(part) && part.has('0.14.1'));
  const layout = isDict(newest) ? newest.get('0.14.1') : undefined;
  if (!isDict(layout)) return undefined;
  const axes = asSequence(layout.get('axes')) ?? [];
  const blocks = (asSequence(layout.get('blocks')) ?? []).map((block): Block | undefined =>
    isDict(block)
      ? { values: block.get('values') ?? null, places: (total) => placesOf(block.get('mgr_locs'), total) }
      : undefined,
  );
  return { axes, blocks: blocks.filter((block): block is Block => block !== undefined) };
}

function unpickledBlock(block: Value): Block | undefined {
  const args = block instanceof Instance ? asSequence(block.args) : undefined;
  if (!args || args.length < 2) return undefined;
  return { values: args[0], places: (total) => placesOf(args[1], total) };
}

/** A slice object, or an array of positions. */
function placesOf(value: Value | undefined, total: number): number[] {
  const array = asArray(value);
  if (array) return array.size <= total ? [...array.toFloat64()] : [];
  if (!(value instanceof Instance) || !(value.callable instanceof Global) || value.callable.name !== 'slice') return [];
  const [start, stop, step] = (asSequence(value.args) ?? []).map((part) =>
    part === null ? undefined : asNumber(part),
  );
  const places: number[] = [];
  const by = step ?? 1;
  for (let at = start ?? 0; by > 0 && at < Math.min(stop ?? total, total) && places.length < total; at += by)
    places.push(at);
  return places;
}

/** Row `row` of a block's values: two-dimensional for plain arrays, one column for extension arrays. */
function columnOf(values: Value, row: number): Series | undefined {
  const array = asArray(values) ?? backing(values)?.array;
  if (array && array.shape.length === 2 && !categoriesOf(values)) return rowOf(array, row);
  return seriesOf(values);
}

function rowOf(array: NdArray, row: number): Series {
  const length = array.shape[1];
  return {
    dtype: dtypeLabel(array.dtype),
    length,
    texts: (start, count) => texts(array, range(row * length + start, Math.min(count, length - start))),
  };
}

function texts(array: NdArray, positions: number[]): string[] {
  return arrayTexts(array, positions, { quote: false, describe: (item) => describe(item, 120) });
}

function range(start: number, count: number): number[] {
  return Array.from({ length: Math.max(0, count) }, (_, i) => start + i);
}

/** An array of any of pandas' kinds. */
function seriesOf(value: Value | undefined): Series | undefined {
  const plain = asArray(value);
  if (plain) return whole(plain, dtypeLabel(plain.dtype));
  if (!(value instanceof Instance)) return undefined;
  const attributes = stateDict(value);
  const categories = categoriesOf(value);
  const inner = backing(value);
  if (categories && inner) return categorical(inner.array, categories);
  const data = asArray(attributes?.get('_data'));
  const mask = asArray(attributes?.get('_mask'));
  if (data && mask) return masked(data, mask);
  if (inner) return whole(inner.array, inner.dtype);
  return undefined;
}

function whole(array: NdArray, dtype: string): Series {
  return {
    dtype,
    length: array.size,
    texts: (start, count) => texts(array, range(start, Math.min(count, array.size - start))),
  };
}

/** The NumPy array inside an extension array: an attribute before pandas 1.3, part of a tuple state since. */
function backing(value: Value | undefined): { array: NdArray; dtype: string } | undefined {
  if (!(value instanceof Instance)) return undefined;
  const attributes = stateDict(value);
  const candidates = [
    attributes?.get('_ndarray'),
    attributes?.get('_codes'),
    attributes?.get('_data'),
    ...(asSequence(value.state) ?? []),
  ];
  for (const candidate of candidates) {
    const array = asArray(candidate);
    if (array) return { array, dtype: dtypeName(value) ?? dtypeLabel(array.dtype) };
    const deeper = candidate instanceof Instance ? asArray(stateDict(candidate)?.get('_ndarray')) : undefined;
    if (deeper) return { array: deeper, dtype: dtypeName(value) ?? dtypeLabel(deeper.dtype) };
  }
  return undefined;
}

function dtypeName(value: Instance): string | undefined {
  const dtype =
    stateDict(value)?.get('_dtype') ?? asSequence(value.state)?.find((part) => classOf(part)?.name.endsWith('Dtype'));
  const name = classOf(dtype)?.name;
  if (name === 'StringDtype') return 'string';
  return name?.replace(/Dtype$/, '');
}

/** What pandas calls a dtype whose values may be missing: `Int64`, `UInt8`, `Float32`, `boolean`. */
function nullableName(name: string): string {
  if (name === 'bool') return 'boolean';
  return name
    .replace(/^u/, 'U')
    .replace(/int/, 'Int')
    .replace(/^float/, 'Float');
}

/** The categories of a Categorical: an Index inside its dtype. */
function categoriesOf(value: Value | undefined): Series | undefined {
  if (!(value instanceof Instance)) return undefined;
  const dtype =
    stateDict(value)?.get('_dtype') ??
    asSequence(value.state)?.find((part) => classOf(part)?.name === 'CategoricalDtype');
  return classOf(dtype)?.name === 'CategoricalDtype' ? indexOf(stateDict(dtype)?.get('categories')) : undefined;
}

function categorical(codes: NdArray, categories: Series): Series {
  return {
    dtype: `category (${categories.length})`,
    length: codes.size,
    texts: (start, count) =>
      texts(codes, range(start, Math.min(count, codes.size - start))).map((code) =>
        code === '-1' ? 'nan' : (categories.texts(Number(code), 1)[0] ?? '?'),
      ),
  };
}

function masked(data: NdArray, mask: NdArray): Series {
  return {
    dtype: nullableName(dtypeLabel(data.dtype)),
    length: data.size,
    texts(start, count) {
      const positions = range(start, Math.min(count, data.size - start));
      const hidden = texts(mask, positions);
      return texts(data, positions).map((text, i) => (hidden[i] === 'True' ? '<NA>' : text));
    },
  };
}

/** `_new_Index(cls, dict)` and its relatives. */
function indexOf(value: Value | undefined): Series | undefined {
  const parts = indexParts(value);
  if (!parts) return seriesOf(value);
  const [start, stop, step] = ['start', 'stop', 'step'].map((name) => asNumber(parts.get(name)));
  if (start !== undefined && stop !== undefined && step) {
    const length = Math.max(0, Math.ceil((stop - start) / step));
    return {
      dtype: 'int64',
      length,
      texts: (from, count) => range(from, Math.min(count, length - from)).map((i) => String(start + i * step)),
    };
  }
  const levels = asSequence(parts.get('levels'));
  const codes = asSequence(parts.get('codes') ?? parts.get('labels'));
  if (levels && codes) return multiIndex(levels, codes);
  const data = parts.get('data');
  return seriesOf(data) ?? indexOf(data);
}

function indexParts(value: Value | undefined): Map<Value, Value> | undefined {
  if (
    !(value instanceof Instance) ||
    !(value.callable instanceof Global) ||
    !/_new_\w*Index$/.test(value.callable.name)
  )
    return undefined;
  const parts = asSequence(value.args)?.[1];
  return isDict(parts) ? parts : undefined;
}

function indexName(value: Value | undefined): string {
  const parts = indexParts(value);
  const name = parts?.get('name');
  const names = asSequence(parts?.get('names'));
  return asText(name) ?? (names ? names.map((part) => asText(part) ?? '').join(', ') : '');
}

function multiIndex(levels: Value[], codes: Value[]): Series | undefined {
  const series = levels.map(indexOf);
  const arrays = codes.map((code) => asArray(code) ?? backing(code)?.array);
  const [first] = arrays;
  if (!first || series.some((one) => !one) || arrays.some((one) => !one)) return undefined;
  return {
    dtype: `MultiIndex of ${levels.length} levels`,
    length: first.size,
    texts(start, count) {
      const positions = range(start, Math.min(count, first.size - start));
      const columns = arrays.map((array, level) =>
        texts(array as NdArray, positions).map((code) =>
          code === '-1' ? 'nan' : (series[level]?.texts(Number(code), 1)[0] ?? '?'),
        ),
      );
      return positions.map((_, i) => `(${columns.map((column) => column[i]).join(', ')})`);
    },
  };
}

/** The index and the columns as one table; the first column is the index. */
export function frameTable(frame: Frame): TableSource {
  const all = [{ name: frame.index.name || '(index)', series: frame.index as Series }, ...frame.columns];
  return {
    columns: all.map((column) => column.name),
    dtypes: all.map((column) => column.series.dtype),
    rowCount: frame.rows,
    cells(rowStart, rowCount, columnStart, columnCount) {
      const count = Math.max(0, Math.min(rowCount, frame.rows - rowStart));
      const columns = all
        .slice(columnStart, columnStart + columnCount)
        .map((column) => column.series.texts(rowStart, count));
      return Array.from({ length: count }, (_, row) => columns.map((column) => column[row] ?? '…'));
    },
  };
}

/** Shape and storage of a scipy.sparse matrix. */
export interface SparseMatrix {
  format: string;
  shape: number[];
  stored: number;
  dtype: string;
}

export function asSparse(value: Value | undefined): SparseMatrix | undefined {
  const global = classOf(value);
  if (!global?.module.startsWith('scipy.sparse')) return undefined;
  const match = /^(csr|csc|coo|bsr|dia|lil|dok)_(matrix|array)$/.exec(global.name);
  const state = stateDict(value);
  if (!match || !state) return undefined;
  const shape = shapeOf(state.get('_shape') ?? state.get('shape'));
  const data = asArray(state.get('data'));
  if (!shape) return undefined;
  return { format: match[1], shape, stored: data?.size ?? 0, dtype: data?.dtype.text ?? '' };
}

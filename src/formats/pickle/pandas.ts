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
import { asArray } from '../numpy/pickled';
import { columnOf, indexName, indexOf, type Series } from './pandas-series';

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

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
import { asArray } from '../numpy/pickled';
import { describe } from './describe';

/** A column or index: its element type and the texts of some of its rows. */
export interface Series {
  dtype: string;
  length: number;
  texts(start: number, count: number): string[];
}

/** Row `row` of a block's values: two-dimensional for plain arrays, one column for extension arrays. */
export function columnOf(values: Value, row: number): Series | undefined {
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
export function indexOf(value: Value | undefined): Series | undefined {
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

export function indexName(value: Value | undefined): string {
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

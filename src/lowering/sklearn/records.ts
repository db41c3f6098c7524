import { ModelError } from '../../bytes/errors';
import { plain, toNumber } from '../../formats/numpy/pickled';
import type { Value } from '../../onnx/graph';
import { float64, type Tensor } from '../../onnx/tensor';
import { asText, isDict } from '../../pickle/values';
import type { PlanValue } from '../plan';
import { inOutputDtype } from './categories';
import { type Context, type Entry, isCells, type Lowered, type Method } from './context';
import type { Estimator } from './estimator';
import { jsonRows, parseRecord } from './label-encoders';
import { hashColumn, murmurHash3 } from './murmur';
import { hashWidth, widthOf } from './text';

/** Records (objects from name to value) to columns. Source: sklearn `feature_extraction/_dict_vectorizer.py`, `_hash.py`. */
export const RECORD_VECTORIZERS: Readonly<Record<string, Entry>> = {
  'sklearn.DictVectorizer': { lower: dictVectorizer, input: 'records', names: fieldNames },
  'sklearn.FeatureHasher': { lower: featureHasher, input: 'records' },
};

/** Names of the fields: of the columns, up to the separator. */
function fieldNames(estimator: Estimator): string[] {
  const separator = estimator.optionalText('separator') ?? '=';
  const names = (estimator.items('feature_names_') ?? []).map((name) => asText(plain(name)) ?? '');
  return [...new Set(names.map((name) => (name.includes(separator) ? name.slice(0, name.indexOf(separator)) : name)))];
}

function recordStep(
  estimator: Estimator,
  context: Context,
  width: number,
  fill: (record: unknown, row: Float64Array, index: number) => void,
): Lowered {
  context.widest = Math.max(context.widest, width);
  const made = context.memo((x: PlanValue): Value => {
    if (isCells(x) || x.dtype !== 'string')
      throw estimator.unsupported('it takes records (objects), which no step before it makes');
    return context.plan.step('records', [x], [{ name: 'records', dtype: 'float64' }], ([value]): Tensor[] => {
      const rows = value!.data as readonly string[];
      const out = new Float64Array(rows.length * width);
      rows.forEach((text, row) => {
        fill(parseRecord(text), out.subarray(row * width, (row + 1) * width), row);
      });
      return [float64(out, [rows.length, width])];
    })[0];
  });
  return { methods: { transform: (x) => inOutputDtype(estimator, context, made(x)) }, passes: made };
}

function fieldsOf(record: unknown, index: number): [string, unknown][] {
  if (typeof record === 'object' && record !== null && !Array.isArray(record)) return Object.entries(record);
  throw new ModelError(
    'usage',
    `Row ${index + 1} is not an object from name to value, which is what this model takes.`,
  );
}

/** The column of `name` gets the number, the column of `name=text` gets 1; names that are not known are left out. */
function dictVectorizer(estimator: Estimator, context: Context): Lowered {
  const separator = estimator.optionalText('separator') ?? '=';
  const columns = new Map<string, number>();
  const vocabulary = estimator.value('vocabulary_');
  if (!isDict(vocabulary)) throw estimator.unsupported('it has no vocabulary_; it may not have been fitted');
  for (const [name, column] of vocabulary) {
    const [text, number] = [plain(name), toNumber(column)];
    if (number !== undefined) columns.set(asText(text) ?? String(text), number);
  }
  const width = widthOf(estimator, columns);
  const names = new Map([...columns].map(([name, column]) => [column, name]));
  const encoded = recordStep(estimator, context, width, (record, row, index) => {
    const add = (name: string, value: number) => {
      const column = columns.get(name);
      if (column !== undefined) row[column]! += value;
    };
    for (const [name, value] of fieldsOf(record, index)) {
      if (typeof value === 'string') add(`${name}${separator}${value}`, 1);
      else if (value === null) add(name, Number.NaN);
      else if (typeof value === 'number' || typeof value === 'boolean') add(name, Number(value));
      else if (Array.isArray(value) && value.every((item) => typeof item === 'string')) {
        for (const item of value) add(`${name}${separator}${item}`, 1);
      } else
        throw new ModelError('usage', `Row ${index + 1}, "${name}" is neither a number, a text nor a list of texts.`);
    }
  });
  // The columns that are not 0, by name, as one object for each row (given as JSON).
  const inverse: Method = (x) =>
    jsonRows(context, context.numeric(x), width, (row) =>
      Object.fromEntries(Array.from(row.keys()).flatMap((i) => (row[i] === 0 ? [] : [[names.get(i) ?? '', row[i]]]))),
    );
  return { ...encoded, methods: { ...encoded.methods, inverse_transform: inverse }, inverseWidth: width };
}

/** Every name adds its value to the column of its hash; a text is hashed as `name=text` and counts 1. `input_type`: dict, pair or string. */
function featureHasher(estimator: Estimator, context: Context): Lowered {
  const width = hashWidth(estimator);
  const alternate = estimator.flag('alternate_sign', true);
  const absolute = estimator.flag('non_negative', false);
  const kind = estimator.optionalText('input_type') ?? 'dict';
  const pairs = (record: unknown, index: number): [unknown, unknown][] => {
    if (kind === 'dict') return fieldsOf(record, index);
    if (!Array.isArray(record))
      throw new ModelError('usage', `Row ${index + 1} is not a list, which is what this model takes.`);
    return kind === 'string' ? record.map((name) => [name, 1]) : (record as [unknown, unknown][]);
  };
  return recordStep(estimator, context, width, (record, row, index) => {
    for (const [name, value] of pairs(record, index)) {
      if (typeof name !== 'string') throw new ModelError('usage', `Row ${index + 1} has a name that is not text.`);
      const number = typeof value === 'string' ? 1 : Number(value);
      if (number === 0) continue;
      const hash = murmurHash3(typeof value === 'string' ? `${name}=${value}` : name);
      row[hashColumn(hash, width)]! += alternate && hash < 0 ? -number : number;
    }
    if (absolute) for (const [i, value] of row.entries()) row[i] = Math.abs(value);
  });
}

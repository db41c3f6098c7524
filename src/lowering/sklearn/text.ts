import { asArray, plain, toNumber } from '../../formats/numpy/pickled';
import type { Value } from '../../onnx/graph';
import { float64, type Tensor, toNumbers } from '../../onnx/tensor';
import { asSequence, asText, isDict, PySet, stateDict } from '../../pickle/values';
import type { PlanValue } from '../plan';
import { buildAnalyzer } from './analyzer';
import { inOutputDtype, outputDtype } from './categories';
import { textColumn } from './cells';
import { type Context, type Entry, isCells, type Lowered, type Method } from './context';
import type { Estimator } from './estimator';
import { jsonRows } from './label-encoders';
import { hashColumn, murmurHash3 } from './murmur';

/** Texts to counts of terms. Source: sklearn `feature_extraction/text.py`. */
export const TEXT_VECTORIZERS: Readonly<Record<string, Entry>> = {
  'sklearn.CountVectorizer': { lower: countVectorizer, input: 'text' },
  'sklearn.TfidfVectorizer': { lower: tfidfVectorizer, input: 'text' },
  'sklearn.HashingVectorizer': { lower: hashingVectorizer, input: 'text' },
  'sklearn.TfidfTransformer': {
    lower: tfidfTransformer,
    features: (estimator) => weightsOf(estimator)?.length,
  },
};

/** The non-zero columns of one text. */
type Counts = Map<number, number>;

/** A code step from texts to rows, written sparse and given dense. */
function textStep(
  context: Context,
  name: string,
  width: number,
  count: (text: string) => Counts,
): (x: PlanValue) => Value {
  context.widest = Math.max(context.widest, width);
  return context.memo((x: PlanValue) => {
    const texts = isCells(x) ? textColumn(context, x, 0) : x;
    return context.plan.step(name, [texts], [{ name, dtype: 'float64' }], ([value]): Tensor[] => {
      const rows = value!.data as readonly string[];
      const out = new Float64Array(rows.length * width);
      rows.forEach((text, row) => {
        for (const [column, number] of count(String(text))) out[row * width + column] = number;
      });
      return [float64(out, [rows.length, width])];
    })[0];
  });
}

/** The column of each term: `vocabulary_`, or the one that was given where nothing was fitted. */
function vocabularyOf(estimator: Estimator): { columns: Map<string, number>; width: number } {
  const value = estimator.value('vocabulary_', 'vocabulary');
  const columns = new Map<string, number>();
  if (isDict(value)) {
    for (const [term, column] of value) {
      const [text, number] = [asText(plain(term)), toNumber(column)];
      if (text !== undefined && number !== undefined) columns.set(text, number);
    }
  } else {
    const items = value instanceof PySet ? value.items : (asSequence(value) ?? asArray(value)?.toList());
    if (!items) throw estimator.unsupported('it has no vocabulary_; it may not have been fitted');
    const terms = items.map((item) => asText(plain(item)) ?? '');
    if (value instanceof PySet) terms.sort(byCodePoint);
    for (const [i, term] of terms.entries()) columns.set(term, i);
  }
  return { columns, width: widthOf(estimator, columns) };
}

/** Number of columns of a vocabulary, which leaves next to none out. */
export function widthOf(estimator: Estimator, columns: ReadonlyMap<string, number>): number {
  let width = 0;
  for (const column of columns.values()) {
    if (!Number.isInteger(column) || column < 0 || column > 2 * columns.size + 1024)
      throw estimator.unsupported('the columns of its vocabulary_ are not numbered one after the other');
    width = Math.max(width, column + 1);
  }
  return width;
}

/** Columns of a hashing vectorizer; the framework's default is 2²⁰. */
export function hashWidth(estimator: Estimator): number {
  const width = estimator.number('n_features');
  if (Number.isInteger(width) && width > 0 && width <= 2 ** 24) return width;
  throw estimator.unsupported(`it has ${width} columns; up to ${2 ** 24} are computed here`);
}

/** Python's order of text. */
function byCodePoint(a: string, b: string): number {
  const [x, y] = [Array.from(a), Array.from(b)];
  for (let i = 0; i < Math.min(x.length, y.length); i++) {
    const difference = x[i]!.codePointAt(0)! - y[i]!.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return x.length - y.length;
}

function termCounter(estimator: Estimator): { width: number; count: (text: string) => Counts } {
  const analyze = buildAnalyzer(estimator);
  const { columns, width } = vocabularyOf(estimator);
  const binary = estimator.flag('binary', false);
  return {
    width,
    count: (text) => {
      const counts: Counts = new Map();
      for (const term of analyze(text)) {
        const column = columns.get(term);
        if (column !== undefined) counts.set(column, binary ? 1 : (counts.get(column) ?? 0) + 1);
      }
      return counts;
    },
  };
}

/** `inverse_transform`: the terms whose columns are not 0, a list for each row (given as JSON). */
function termsOf(estimator: Estimator, context: Context): { readonly inverse_transform: Method } {
  const { columns, width } = vocabularyOf(estimator);
  const terms = new Map([...columns].map(([term, column]) => [column, term]));
  return {
    inverse_transform: (x) =>
      jsonRows(context, context.numeric(x), width, (row) =>
        Array.from(row.keys()).flatMap((column) => (row[column] === 0 ? [] : [terms.get(column) ?? ''])),
      ),
  };
}

/** How often each term of the vocabulary occurs; with `binary` whether it does. */
function countVectorizer(estimator: Estimator, context: Context): Lowered {
  const { width, count } = termCounter(estimator);
  const counted = textStep(context, 'term_counts', width, count);
  return {
    methods: { transform: (x) => inOutputDtype(estimator, context, counted(x)), ...termsOf(estimator, context) },
    inverseWidth: width,
    passes: counted,
  };
}

/** Counts weighted by the TfidfTransformer inside. */
function tfidfVectorizer(estimator: Estimator, context: Context): Lowered {
  const { width, count } = termCounter(estimator);
  const round = rounding(estimator);
  const weigh = weighting(estimator.child('_tfidf'), round);
  const weighted = textStep(context, 'tfidf', width, (text) => weigh(count(text)));
  // Before 0.20 the dtype was that of the counts and changed nothing here.
  const single = outputDtype(estimator) === 'float32';
  return {
    methods: {
      transform: (x) => (single ? context.plan.cast(weighted(x), 'float32') : weighted(x)),
      ...termsOf(estimator, context),
    },
    inverseWidth: width,
    passes: weighted,
  };
}

/** Inverse document frequencies: `idf_`, before 1.5 a diagonal matrix. Undefined without. */
function weightsOf(estimator: Estimator): Float64Array | undefined {
  if (!estimator.flag('use_idf', true)) return undefined;
  const diagonal = estimator.value('_idf_diag');
  if (diagonal !== undefined) return asArray(stateDict(diagonal)?.get('data'))?.toFloat64();
  return estimator.optionalArray('idf_')?.toFloat64() ?? undefined;
}

/** Vectorizers of float32 round every intermediate result. */
function rounding(estimator: Estimator): (x: number) => number {
  return outputDtype(estimator) === 'float32' ? Math.fround : (x) => x;
}

/** (1 + log count if sublinear) · idf, then divided by the norm of the row. Rows without terms stay 0. */
function weighting(estimator: Estimator, round: (x: number) => number): (counts: Counts) => Counts {
  const idf = weightsOf(estimator);
  if (estimator.flag('use_idf', true) && !idf)
    throw estimator.unsupported('it has no idf_; it may not have been fitted');
  const sublinear = estimator.flag('sublinear_tf', false);
  const norm = normOf(estimator);
  return (counts) => {
    for (const [column, number] of counts) {
      let value = sublinear ? round(round(Math.log(number)) + 1) : number;
      if (idf) value = round(value * (idf[column] ?? Number.NaN));
      counts.set(column, value);
    }
    const length = norm(counts.values());
    if (length !== 0) for (const [column, value] of counts) counts.set(column, round(value / length));
    return counts;
  };
}

/** The norm that rows are divided by; 0 where they are not. */
function normOf(estimator: Estimator): (values: Iterable<number>) => number {
  const norm = estimator.optionalText('norm');
  if (norm === undefined) return () => 0;
  if (norm === 'l1') return (values) => Array.from(values).reduce((sum, value) => sum + Math.abs(value), 0);
  if (norm === 'l2') return (values) => Math.sqrt(Array.from(values).reduce((sum, value) => sum + value * value, 0));
  if (norm === 'max') return (values) => Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  throw estimator.unsupported(`its norm ${norm} is not known`);
}

function tfidfTransformer(estimator: Estimator, context: Context): Lowered {
  const weigh = weighting(estimator, (x) => x);
  return {
    methods: {
      transform: (x) =>
        context.plan.step('tfidf', [context.numeric(x)], [{ name: 'tfidf', dtype: 'float64' }], ([value]): Tensor[] => {
          const counts = toNumbers(value as Tensor);
          const [rows = 0, width = 0] = value!.shape;
          const out = new Float64Array(counts.length);
          for (let row = 0; row < rows; row++) {
            const own: Counts = new Map();
            for (let column = 0; column < width; column++) {
              const number = counts[row * width + column]!;
              if (number !== 0) own.set(column, number);
            }
            for (const [column, number] of weigh(own)) out[row * width + column] = number;
          }
          return [float64(out, value!.shape)];
        })[0],
    },
  };
}

/** Each term adds 1 to the column of its hash, or takes 1 away where the hash is negative (`alternate_sign`); then divided by the norm. */
function hashingVectorizer(estimator: Estimator, context: Context): Lowered {
  const analyze = buildAnalyzer(estimator);
  const width = hashWidth(estimator);
  const alternate = estimator.flag('alternate_sign', true);
  const absolute = estimator.flag('non_negative', false);
  const binary = estimator.flag('binary', false);
  const norm = normOf(estimator);
  const round = rounding(estimator);
  const hashed = textStep(context, 'hashed_terms', width, (text) => {
    const counts: Counts = new Map();
    for (const term of analyze(text)) {
      const hash = murmurHash3(term);
      const column = hashColumn(hash, width);
      counts.set(column, (counts.get(column) ?? 0) + (alternate && hash < 0 ? -1 : 1));
    }
    for (const [column, value] of counts) counts.set(column, binary ? 1 : absolute ? Math.abs(value) : value);
    const length = norm(counts.values());
    if (length !== 0) for (const [column, value] of counts) counts.set(column, round(value / length));
    return counts;
  });
  return { methods: { transform: (x) => inOutputDtype(estimator, context, hashed(x)) }, passes: hashed };
}

import { asArray, toNumber } from '../../formats/numpy/pickled';
import { columnTransformerNames } from '../../formats/sklearn/column-names';
import { asSequence, asText, isDict, type Value as Pickled } from '../../pickle/values';
import type { PlanValue } from '../plan';
import { Grid, selectColumns, sideBySide, textColumn } from './cells';
import { type ColumnChoice, chooseColumns } from './columns';
import type { Context, Entry, Lowered } from './context';
import { Estimator, textKeys } from './estimator';
import { namedEstimators } from './pipeline';

/** Transformers side by side. Source: sklearn `compose/_column_transformer.py`, `pipeline.py`. */
export const COMPOSITES: Readonly<Record<string, Entry>> = {
  'sklearn.ColumnTransformer': {
    lower: columnTransformer,
    input: (estimator, context) => {
      const parts = columnParts(estimator);
      // Columns that pass through may hold anything, unless all the others take numbers and nothing has a name.
      const kinds = parts.flatMap(({ inner }) => (inner ? [context.inputKind(inner)] : []));
      const plainPassage =
        parts.some(({ inner }) => !inner) && columnTransformerNames(estimator.instance) !== undefined;
      return plainPassage || kinds.some((kind) => kind !== 'numeric') ? 'mixed' : 'numeric';
    },
    missing: (estimator, context) => columnParts(estimator).some(({ inner }) => !inner || context.takesMissing(inner)),
    fillsMissing: false,
    names: (estimator) => columnTransformerNames(estimator.instance),
    features: (estimator) => widthOf(estimator),
  },
  'sklearn.FeatureUnion': {
    lower: featureUnion,
    input: (estimator, context) => {
      const kinds = unionParts(estimator).flatMap(({ inner }) => (inner ? [context.inputKind(inner)] : []));
      if (kinds.includes('records')) return 'records';
      if (kinds.includes('text')) return 'text';
      return kinds.includes('mixed') ? 'mixed' : 'numeric';
    },
    missing: (estimator, context) => unionParts(estimator).every(({ inner }) => !inner || context.takesMissing(inner)),
    first: (estimator) => unionParts(estimator).find(({ inner }) => inner)?.inner,
  },
};

interface Part {
  readonly name: string;
  /** Undefined: the columns pass through as they are. */
  readonly inner: Estimator | undefined;
}

interface ColumnPart extends Part {
  readonly columns: Pickled;
}

/** `transformers_` without what is dropped or has no columns. Before fitting ended in 1.0 a `remainder` is the last of them. */
function columnParts(estimator: Estimator): ColumnPart[] {
  const items = estimator.items('transformers_');
  if (!items) throw estimator.unsupported('it has no transformers_; it may not have been fitted');
  return items.flatMap((item) => {
    const [name = null, what = null, columns = null] = asSequence(item) ?? [];
    const text = asText(what);
    if (text === 'drop' || isEmpty(columns)) return [];
    const inner = Estimator.of(what);
    if (!inner && text !== 'passthrough')
      throw estimator.unsupported(`its part ${asText(name) ?? ''} is not an estimator`);
    return [{ name: asText(name) ?? '', inner, columns }];
  });
}

function isEmpty(columns: Pickled): boolean {
  if (columns === null) return true;
  const items = asSequence(columns) ?? asArray(columns)?.toList();
  return items?.every((item) => item === false) ?? false;
}

function widthOf(estimator: Estimator): number | undefined {
  return (
    estimator.optionalNumber('n_features_in_', '_n_features') ?? columnTransformerNames(estimator.instance)?.length
  );
}

function choicesOf(estimator: Estimator, parts: readonly ColumnPart[]): ColumnChoice[] {
  const names = columnTransformerNames(estimator.instance);
  const width = widthOf(estimator);
  return parts.map(({ columns }) => chooseColumns(estimator, columns, names, width));
}

/** The outputs of all parts side by side, in their order, each times its weight. A column given alone goes in as a vector. */
function columnTransformer(estimator: Estimator, context: Context): Lowered {
  const parts = columnParts(estimator);
  const choices = choicesOf(estimator, parts);
  const weights = weightsOf(estimator);
  const passes = context.memo((x: PlanValue): PlanValue => {
    const made = parts.map((part, i) => {
      const { indices, single } = choices[i]!;
      const { inner } = part;
      if (!inner) return weighted(context, selectColumns(context, x, indices), weights.get(part.name));
      const text = context.inputKind(inner) === 'text';
      if (text && !single)
        throw estimator.unsupported(`its part ${part.name} takes one column of text, given as a single column`);
      const columns =
        text || (single && isText(x)) ? textColumn(context, x, indices[0]!) : selectColumns(context, x, indices);
      return part_(context, part, columns, weights);
    });
    if (made.length === 0) return noColumns(context, x);
    const beside = sideBySide(context, made);
    // A sparse result holds numbers only.
    return estimator.flag('sparse_output_', false) ? context.numeric(beside) : beside;
  });
  return { methods: { transform: (x) => context.cellsOutput(passes(x)) }, passes };
}

function isText(x: PlanValue): boolean {
  return x.dtype === 'string';
}

function part_(context: Context, part: Part, x: PlanValue, weights: ReadonlyMap<string, number>): PlanValue {
  const value = part.inner ? context.plan.scope(part.name, () => context.transformed(part.inner!)(x)) : x;
  const result = weighted(context, value, weights.get(part.name));
  context.expose(part.name, 'transform', result);
  return result;
}

function weighted(context: Context, x: PlanValue, weight: number | undefined): PlanValue {
  return weight === undefined ? x : context.plan.mul(context.numeric(x), weight);
}

function weightsOf(estimator: Estimator): Map<string, number> {
  const weights = new Map<string, number>();
  const value = estimator.value('transformer_weights');
  if (isDict(value)) for (const [name, weight] of textKeys(value)) weights.set(name, toNumber(weight) ?? 1);
  return weights;
}

/** Everything was dropped: rows without columns. */
function noColumns(context: Context, x: PlanValue): PlanValue {
  return context.plan.step('no_columns', [x], [{ name: 'none', dtype: 'float64' }], ([value]) => [
    { dtype: 'float64', shape: [new Grid(value!).rows, 0], data: new Float64Array(0) },
  ])[0];
}

function unionParts(estimator: Estimator): Part[] {
  return namedEstimators(estimator, 'transformer_list').flatMap(({ name, value, estimator: inner }) => {
    if (value === null || asText(value) === 'drop') return [];
    if (!inner && asText(value) !== 'passthrough') throw estimator.unsupported(`its part ${name} is not an estimator`);
    return [{ name, inner }];
  });
}

/** Every part's transform of the same rows, side by side, each times its weight. */
function featureUnion(estimator: Estimator, context: Context): Lowered {
  const parts = unionParts(estimator);
  const weights = weightsOf(estimator);
  const passes = context.memo((x: PlanValue): PlanValue => {
    const made = parts.map((part) => part_(context, part, x, weights));
    return made.length === 0 ? noColumns(context, x) : sideBySide(context, made);
  });
  return { methods: { transform: (x) => context.cellsOutput(passes(x)) }, passes };
}

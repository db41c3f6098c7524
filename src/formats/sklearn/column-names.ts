import { asSequence, asText, Global, Instance, isDict, stateDict, type Value } from '../../pickle/values';
import { asArray, plain, toNumber } from '../numpy/pickled';
import { attribute } from './estimator';

/**
 * Names of the columns that a `ColumnTransformer` takes: kept since 1.0; before that as a data frame's index, or only where a specification
 * has them.
 */
export function columnTransformerNames(estimator: Instance): string[] | undefined {
  for (const name of ['feature_names_in_', '_feature_names_in', '_df_columns']) {
    const value = attribute(estimator, name) ?? undefined;
    const names = (asArray(value)?.toList() ?? indexValues(value))?.map((item) => asText(plain(item)));
    if (names?.length && names.every((item) => item !== undefined)) return names as string[];
  }
  const items = (asSequence(attribute(estimator, 'transformers_')) ?? []).map((item) => asSequence(item)?.[2] ?? null);
  const named = [...new Set(items.flatMap(namesIn))];
  if (named.length === 0) return undefined;
  // The columns that no specification names stand where the remainder says; the others are in their first order.
  const width = toNumber(attribute(estimator, 'n_features_in_') ?? attribute(estimator, '_n_features') ?? undefined);
  const rest = new Set((asSequence(items.at(-1)) ?? []).map(toNumber));
  if (width === undefined || width <= named.length) return named;
  const waiting = [...named];
  return Array.from({ length: width }, (_, i) => (rest.has(i) ? `x${i}` : (waiting.shift() ?? `x${i}`)));
}

/** Every name that occurs in a specification, for models that did not keep the names of their columns. */
export function namesIn(spec: Value): string[] {
  const value = plain(spec);
  if (typeof value === 'string') return [value];
  const range = sliceOf(spec);
  const items = range ?? asSequence(spec) ?? asArray(spec)?.toList() ?? remainderList(spec) ?? indexValues(spec) ?? [];
  return items.map(plain).filter((item): item is string => typeof item === 'string');
}

/** Values of a pickled pandas Index: `_new_Index(Index, {data, name})`. */
export function indexValues(value: Value | undefined): Value[] | undefined {
  if (!(value instanceof Instance) || !(value.callable instanceof Global)) return undefined;
  if (value.callable.name !== '_new_Index') return undefined;
  const given = asSequence(value.args)?.[1];
  if (!isDict(given)) return undefined;
  const data = given.get('data');
  const array = asArray(data);
  if (array) return array.toList();
  const [start, stop, step] = ['start', 'stop', 'step'].map((key) => plain(given.get(key) ?? null));
  if (typeof start === 'number' && typeof stop === 'number' && typeof step === 'number' && step !== 0)
    return Array.from(
      { length: Math.min(1e6, Math.max(0, Math.ceil((stop - start) / step))) },
      (_, i) => start + i * step,
    );
  // Newer pandas wraps the array: StringArray and the like keep it in their state.
  const state = stateDict(data);
  return asArray(state?.get('_ndarray'))?.toList();
}

/** scikit-learn 1.5 to 1.7 keep the remaining columns in `_RemainderColsList`, a list in its attribute `data`. */
export function remainderList(value: Value): Value[] | undefined {
  return asSequence(stateDict(value)?.get('data'));
}

export function sliceOf(value: Value): Value[] | undefined {
  if (!(value instanceof Instance) || !(value.callable instanceof Global) || value.callable.name !== 'slice')
    return undefined;
  return asSequence(value.args);
}

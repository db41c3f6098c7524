import { asNumber, asSequence, asText, isFloat, isInt, type Value } from '../../pickle/values';
import { asArray, plain } from '../numpy/pickled';

/** Labels beyond which an output's columns are not named. */
const MAX_LABELS = 10_000;

/** The labels of one output of a classifier, and the type of an array of them. */
export interface ClassList {
  readonly values: Value[];
  readonly dtype: string;
}

/** Labels `0 … count - 1`. */
export function range(count: number): ClassList {
  return { values: Array.from({ length: count }, (_, i) => i), dtype: 'int64' };
}

/** Type of an array of labels: objects are text, integers, truth values or floats by what they are. */
export function labelDtype(value: Value | undefined): string {
  const array = asArray(value);
  if (!array) return objectDtype(asSequence(value) ?? []);
  const { kind, type } = array.dtype;
  if (kind === 'U' || kind === 'S') return 'string';
  return array.objects ? objectDtype(array.objects) : type;
}

function objectDtype(items: readonly Value[]): string {
  if (items.length === 0) return 'int64';
  if (items.every((item) => typeof item === 'boolean')) return 'bool';
  if (items.every((item) => isInt(item) || (isInt(plain(item)) && !isFloat(item)))) return 'int64';
  return items.every((item) => typeof plain(item) === 'number') ? 'float64' : 'string';
}

/** `labels` of the columns of an output, as Python prints them. */
export function labelled(classes: ClassList | undefined): { labels?: string[] } {
  const labels = classes && labelTexts(classes);
  return labels ? { labels } : {};
}

export function labelTexts({ values, dtype }: ClassList): string[] | undefined {
  if (values.length > MAX_LABELS) return undefined;
  const float = dtype.startsWith('float');
  return values.map((label) => {
    if (label === null) return 'None';
    if (typeof label === 'boolean') return label ? 'True' : 'False';
    if (typeof label === 'object') return asText(label) ?? String(asNumber(label) ?? '?');
    return float && typeof label === 'number' && Number.isInteger(label) ? `${label}.0` : String(label);
  });
}

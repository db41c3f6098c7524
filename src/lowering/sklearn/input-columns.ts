import { asModelError } from '../../bytes/errors';
import { asArray, plain } from '../../formats/numpy/pickled';
import type { InputColumn } from '../../model/model';
import { asSequence, asText, type Value as Pickled } from '../../pickle/values';
import type { PredictorInput } from '../predictor';
import { boosterColumns } from './booster-columns';
import { chooseColumns } from './columns';
import { Estimator } from './estimator';
import { typicalValues } from './typical-values';

/** Categories beyond which a column is typed in rather than chosen from. */
const MAX_CHOICES = 500;
/** Estimators inside estimators that are followed. */
const MAX_DEPTH = 32;

/** Steps after which a column still means what it meant before: they only fill gaps. */
const KEEPS_MEANING = /Imputer$|^FunctionTransformer$|^MissingIndicator$/;

/** Columns beyond which nobody fills in a form. */
const MAX_COLUMNS = 4096;

/**
 * The columns of the input of a pickled estimator, for a form; `undefined` where it takes something else than rows of cells.
 * What a damaged file cannot tell is left out.
 */
export function columnsOfInput(value: Pickled, input: PredictorInput): InputColumn[] | undefined {
  const estimator = Estimator.of(value);
  if (!estimator) return undefined;
  try {
    if (input.records) {
      const first = firstStep(estimator);
      return first.className === 'DictVectorizer' ? recordColumns(first) : undefined;
    }
    const count = input.shape.length === 2 ? input.shape[1] : undefined;
    return count && count <= MAX_COLUMNS && exampleItem(value, input) === undefined
      ? tableColumns(estimator, input.features, count)
      : undefined;
  } catch (error) {
    asModelError(error);
    return undefined;
  }
}

/** A row of an input whose rows are not made of columns: a label, a list of labels, words to hash. `undefined` where nothing tells. */
export function exampleItem(value: Pickled, input: PredictorInput): unknown {
  const outer = Estimator.of(value);
  const estimator = outer && firstStep(outer);
  // Binary indicators of several labels are columns like any other.
  if (!estimator || (input.shape[1] ?? 1) > 1) return undefined;
  const cell = (item: unknown): unknown => (item === undefined || input.shape.length === 1 ? item : [item]);
  switch (estimator.className) {
    case 'FeatureHasher': {
      const kind = estimator.optionalText('input_type') ?? 'dict';
      return kind === 'dict' ? { name: 1 } : kind === 'pair' ? [['name', 1]] : ['name'];
    }
    case 'MultiLabelBinarizer':
      return (itemsOf(estimator.value('classes_')) ?? []).slice(0, 1);
    case 'LabelEncoder':
    case 'LabelBinarizer':
      return cell(itemsOf(estimator.value('classes_'))?.[0]);
    case 'IsotonicRegression':
      return cell(estimator.optionalNumber('X_min_'));
    default:
      return undefined;
  }
}

function firstStep(estimator: Estimator): Estimator {
  let current = estimator;
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    const next = current.optionalChild('best_estimator_', 'estimator_') ?? innerOf(current, 'steps')[0];
    if (!next) return current;
    current = next;
  }
  return current;
}

/**
 * What the fitted parts of an estimator tell about each column of its input: the categories that an encoder knows, and a value that is
 * typical of the data it was fitted on (means, medians of thresholds, a training row), so that a form can begin with a row that means something.
 * @param names names of the columns, where they are known; `count` their number
 */
function tableColumns(estimator: Estimator, names: readonly string[] | undefined, count: number): InputColumn[] {
  const columns: Draft[] = Array.from({ length: count }, (_, i) => ({ name: names?.[i] ?? `x${i}` }));
  learn(estimator, columns, names, 0);
  return columns.map(({ name, choices, example, text }) => {
    const first = choices?.find((choice) => choice !== null);
    return {
      name,
      example: example ?? first ?? (text ? 'text' : 0),
      ...(choices && choices.length <= MAX_CHOICES ? { choices } : {}),
      ...(text || (choices ?? []).some((choice) => typeof choice === 'string') ? { text: true } : {}),
    };
  });
}

/** The fields of a `DictVectorizer`: those whose columns are `field=value` take one of the values as text, the others a number. */
function recordColumns(estimator: Estimator): InputColumn[] {
  const separator = estimator.optionalText('separator') ?? '=';
  const values = new Map<string, string[]>();
  for (const item of estimator.items('feature_names_') ?? []) {
    const name = asText(plain(item)) ?? '';
    const at = name.indexOf(separator);
    const field = at < 0 ? name : name.slice(0, at);
    if (!values.has(field)) values.set(field, []);
    if (at >= 0) values.get(field)!.push(name.slice(at + separator.length));
  }
  return [...values].map(([name, choices]) =>
    choices.length === 0
      ? { name, example: 1 }
      : { name, example: choices[0]!, text: true, ...(choices.length <= MAX_CHOICES ? { choices } : {}) },
  );
}

interface Draft {
  readonly name: string;
  choices?: (string | number | boolean | null)[];
  example?: string | number | boolean;
  text?: boolean;
}

/** Lets the parts of an estimator say what they know of the columns that they get; the first to know counts. */
function learn(
  estimator: Estimator | undefined,
  columns: readonly Draft[],
  names: readonly string[] | undefined,
  depth: number,
): void {
  if (!estimator || depth > MAX_DEPTH) return;
  const { className } = estimator;
  if (className.endsWith('Pipeline')) {
    for (const step of innerOf(estimator, 'steps')) {
      learn(step, columns, names, depth + 1);
      if (!KEEPS_MEANING.test(step.className)) break;
    }
  } else if (className === 'ColumnTransformer') learnParts(estimator, columns, names, depth);
  else if (className === 'FeatureUnion') {
    for (const part of innerOf(estimator, 'transformer_list')) learn(part, columns, names, depth + 1);
  } else if (/^(Count|Tfidf|Hashing)Vectorizer$/.test(className)) {
    for (const column of columns) column.text = true;
  } else {
    learnCategories(estimator, columns);
    learnBooster(estimator, columns);
    const values = typicalValues(estimator, columns.length);
    columns.forEach((column, i) => {
      if (column.choices === undefined) column.example ??= values?.[i];
    });
    // Since 1.4 histogram boosting encodes its categories with a column transformer of its own.
    learn(estimator.optionalChild('_preprocessor'), columns, names, depth + 1);
    for (const inner of delegates(estimator)) learn(inner, columns, names, depth + 1);
  }
}

/** The parts of a column transformer, each with the columns that it gets. Specifications that cannot be resolved are passed over. */
function learnParts(
  estimator: Estimator,
  columns: readonly Draft[],
  names: readonly string[] | undefined,
  depth: number,
): void {
  for (const item of estimator.items('transformers_') ?? []) {
    const [, what = null, spec = null] = asSequence(item) ?? [];
    const inner = Estimator.of(what);
    if (!inner) continue;
    try {
      const { indices } = chooseColumns(estimator, spec, names ?? columns.map(({ name }) => name), columns.length);
      const chosen = indices.map((index) => columns[index]);
      if (chosen.every((column) => column !== undefined)) learn(inner, chosen, undefined, depth + 1);
    } catch {
      // What it cannot resolve the lowering refuses, with a sentence; a form can do without.
    }
  }
}

function innerOf(estimator: Estimator, attribute: string): Estimator[] {
  return (estimator.items(attribute) ?? []).flatMap((item) => {
    const inner = Estimator.of(asSequence(item)?.[1] ?? null);
    return inner ? [inner] : [];
  });
}

/** Estimators that get the same columns: of searches, wrappers, stacks, bags. The first of many speaks for all. */
function delegates(estimator: Estimator): Estimator[] {
  if (estimator.has('estimators_features_')) return [];
  const single = estimator.optionalChild('best_estimator_', 'estimator_', 'regressor_', 'classifier_', 'estimator');
  const [first] = estimator.items('estimators_', 'calibrated_classifiers_') ?? [];
  const listed = Estimator.of(first ?? null);
  return [single, listed].filter((inner): inner is Estimator => inner !== undefined);
}

function learnBooster(estimator: Estimator, columns: readonly Draft[]): void {
  const known = boosterColumns(estimator);
  if (!known) return;
  columns.forEach((column, i) => {
    const items = known.categories.get(i)?.items.filter((item) => item !== undefined && typeof item !== 'bigint');
    if (items) column.choices ??= [...items] as Draft['choices'];
    column.example ??= items ? undefined : known.typical.get(i);
  });
}

function learnCategories(estimator: Estimator, columns: readonly Draft[]): void {
  const lists = estimator.items('categories_');
  if (lists?.length !== columns.length) return;
  lists.forEach((list, i) => {
    const choices = itemsOf(list);
    if (choices) columns[i]!.choices ??= choices;
  });
}

function itemsOf(list: Pickled | undefined): Draft['choices'] | undefined {
  const items = (asArray(list)?.toList() ?? asSequence(list))?.map(plain);
  if (!items) return undefined;
  const out: (string | number | boolean | null)[] = [];
  for (const item of items) {
    if (item === null || (typeof item === 'number' && Number.isNaN(item))) out.push(null);
    else if (typeof item === 'string' || typeof item === 'number' || typeof item === 'boolean') out.push(item);
    else {
      const text = asText(item);
      if (text === undefined) return undefined;
      out.push(text);
    }
  }
  return [...new Set(out)];
}

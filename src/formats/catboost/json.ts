import { ModelError } from '../../bytes/errors';
import { parseJson } from '../../bytes/json';
import type { CatBoostModel, CatBoostTree, FloatFeature } from './model';
import { usesCategories, usesTexts } from './obstacles';

type Json = unknown;
type Fields = Readonly<Record<string, Json>>;

/** Nodes of all trees; each takes a few dozen bytes of text. */
const MAX_NODES = 2 ** 26;

/**
 * Reads what `save_model(format="json")` writes: the features with their borders, the trees with the borders that they compare with,
 * scale and bias. Leaves and comparisons mean what they mean in the binary form.
 * Source: CatBoost `libs/model/model_export/json_model_helpers.cpp`.
 * @throws ModelError `malformed` that says what is missing.
 */
export function parseCatBoostJson(bytes: Uint8Array): CatBoostModel {
  const root = fields(parse(bytes), 'document');
  const features = fields(root['features_info'], 'features_info');
  const numbers = records(features['float_features']);
  const floatFeatures = numbers.map(
    (feature): FloatFeature => ({
      column: integer(feature['flat_feature_index'], 'flat_feature_index'),
      name: String(feature['feature_id'] ?? ''),
      borders: Float32Array.from(list(feature['borders']), Number),
      missingIsAbove: feature['nan_value_treatment'] === 'AsTrue',
    }),
  );
  const categorical = records(features['categorical_features']);
  const texts = [...records(features['text_features']), ...records(features['embedding_features'])];
  const columnNames = namesByColumn([...numbers, ...categorical, ...texts]);
  const categories = categorical.map(nameOf);
  const [scale, bias] = list(root['scale_and_bias']);
  const biases = (Array.isArray(bias) ? bias : [bias ?? 0]).map(Number);
  const splitNumber = splitNumbers(numbers);
  const found = Array.isArray(root['oblivious_trees'])
    ? symmetricTrees(records(root['oblivious_trees']), splitNumber)
    : freeTrees(records(root['trees']), splitNumber);
  const obstacle =
    categories.length > 0 ? usesCategories(categories) : texts.length > 0 ? usesTexts(texts.map(nameOf)) : undefined;
  return {
    dimensions: Math.max(1, found.dimensions, biases.length),
    floatFeatures,
    columns: columnNames.length,
    columnNames,
    categories,
    textColumns: categories.length > 0 || records(features['text_features']).length > 0,
    trees: found.trees,
    leafValues: found.leafValues,
    scale: Number(scale ?? 1),
    bias: biases,
    ...(obstacle === undefined ? {} : { unsupported: obstacle }),
    info: infoOf(root['model_info']),
  };
}

function parse(bytes: Uint8Array): Json {
  try {
    return parseJson(new TextDecoder().decode(bytes));
  } catch {
    throw malformed('it is not JSON, or is cut off');
  }
}

interface Trees {
  readonly trees: readonly CatBoostTree[];
  readonly leafValues: Float64Array;
  readonly dimensions: number;
}

type SplitNumber = (split: Json) => number;

/** The number of a comparison among all borders of all number columns; -1 for a comparison with a category. */
function splitNumbers(features: readonly Fields[]): SplitNumber {
  const known = new Map<string, number>();
  let count = 0;
  for (const [i, feature] of features.entries()) {
    for (const border of list(feature['borders'])) known.set(`${feature['feature_index'] ?? i}:${border}`, count++);
  }
  return (given) => {
    const split = fields(given, 'split');
    if (split['split_type'] !== undefined && split['split_type'] !== 'FloatFeature') return -1;
    const number = known.get(`${split['float_feature_index']}:${split['border']}`);
    if (number === undefined) throw malformed('a tree in it compares with a border that is not there');
    return number;
  };
}

function symmetricTrees(given: readonly Fields[], splitNumber: SplitNumber): Trees {
  const values: number[] = [];
  let dimensions = 1;
  const trees = given.map((tree, i): CatBoostTree => {
    const splits = list(tree['splits']).map(splitNumber);
    const leaves = list(tree['leaf_values']);
    const each = leaves.length / 2 ** splits.length;
    if (!Number.isInteger(each) || each < 1) throw malformed(`tree ${i} has ${leaves.length} values for its leaves`);
    dimensions = Math.max(dimensions, each);
    for (const value of leaves) values.push(Number(value));
    return { kind: 'symmetric', splits };
  });
  return { trees, leafValues: Float64Array.from(values), dimensions };
}

/** Nodes that hold their children, `left` where the comparison fails; a leaf has `value`, one number or one for each output. */
function freeTrees(given: readonly Fields[], splitNumber: SplitNumber): Trees {
  const values: number[] = [];
  let dimensions = 1;
  const trees = given.map((root): CatBoostTree => {
    const [splits, left, right, places] = [[], [], [], []] as [number[], number[], number[], number[]];
    const pending: { node: Fields; set: (place: number) => void }[] = [{ node: root, set: () => {} }];
    for (let next = pending.pop(); next; next = pending.pop()) {
      const { node, set } = next;
      const place = splits.length;
      if (place + values.length > MAX_NODES) throw malformed(`its trees have more than ${MAX_NODES} nodes`);
      set(place);
      left.push(-1);
      right.push(-1);
      if (node['split'] === undefined) {
        const own = Array.isArray(node['value']) ? node['value'] : [node['value']];
        if (own.length === 0 || !own.every((value) => typeof value === 'number'))
          throw malformed('a leaf has no value');
        dimensions = Math.max(dimensions, own.length);
        splits.push(0);
        places.push(values.length);
        for (const value of own) values.push(value as number);
      } else {
        splits.push(splitNumber(node['split']));
        places.push(0);
        pending.push(
          { node: fields(node['right'], 'right'), set: (child) => (right[place] = child) },
          { node: fields(node['left'], 'left'), set: (child) => (left[place] = child) },
        );
      }
    }
    return {
      kind: 'free',
      splits: Int32Array.from(splits),
      left: Int32Array.from(left),
      right: Int32Array.from(right),
      values: Int32Array.from(places),
    };
  });
  return { trees, leafValues: Float64Array.from(values), dimensions };
}

function namesByColumn(features: readonly Fields[]): string[] {
  const names = features.map(() => '');
  for (const feature of features) {
    const column = Number(feature['flat_feature_index'] ?? -1);
    if (column >= 0 && column < names.length) names[column] = String(feature['feature_id'] ?? '');
  }
  return names;
}

function nameOf(feature: Fields): string {
  return String(feature['feature_id'] || `column ${feature['flat_feature_index'] ?? '?'}`);
}

/** What the binary form keeps as text is JSON of its own here. */
function infoOf(value: Json): Map<string, string> {
  const info = isRecord(value) ? value : {};
  return new Map(
    Object.entries(info).map(([name, item]) => [name, typeof item === 'string' ? item : JSON.stringify(item)]),
  );
}

function list(value: Json): Json[] {
  return Array.isArray(value) ? value : [];
}

function records(value: Json): Fields[] {
  return list(value).map((item) => fields(item, 'list'));
}

function fields(value: Json, what: string): Fields {
  if (isRecord(value)) return value;
  throw malformed(`its ${what} is not there, or is no object`);
}

function integer(value: Json, what: string): number {
  if (Number.isSafeInteger(value)) return value as number;
  throw malformed(`a column has no ${what}`);
}

function isRecord(value: Json): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(reason: string): ModelError {
  return new ModelError('malformed', `The CatBoost model cannot be understood: ${reason}.`);
}

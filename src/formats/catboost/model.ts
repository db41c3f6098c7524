import { ModelError } from '../../bytes/errors';
import { FlatTable } from './flatbuffer';
import { parseCatBoostJson } from './json';
import { usesCategories, usesTexts } from './obstacles';

/** A number column and the borders that trees compare it with. */
export interface FloatFeature {
  /** Column of the input. */
  readonly column: number;
  readonly name: string;
  readonly borders: Float32Array;
  /** What a missing value answers to `x > border`. */
  readonly missingIsAbove: boolean;
}

/** A comparison is meant by its number among all borders of all columns. */
export type CatBoostTree =
  /** All nodes of a level make the same comparison; the leaves follow those of the tree before. */
  | { readonly kind: 'symmetric'; readonly splits: readonly number[] }
  /** Nodes in any form (`grow_policy` Depthwise and Lossguide). A side without a child ends in the node's own leaf. */
  | {
      readonly kind: 'free';
      readonly splits: Int32Array;
      /** Child of each node if the comparison fails, and if it holds; -1 for none. */
      readonly left: Int32Array;
      readonly right: Int32Array;
      /** Where the values of the node's leaf begin. */
      readonly values: Int32Array;
    };

/** Leaves of a tree. */
export function leafCount(tree: CatBoostTree): number {
  if (tree.kind === 'symmetric') return 2 ** tree.splits.length;
  return tree.left.reduce((sum, left, node) => sum + (left < 0 || tree.right[node]! < 0 ? 1 : 0), 0);
}

export interface CatBoostModel {
  /** Outputs: 1, or the number of classes. */
  readonly dimensions: number;
  readonly floatFeatures: readonly FloatFeature[];
  /** Columns in all: numbers, categories, texts. */
  readonly columns: number;
  /** Name of each column, '' for one without. */
  readonly columnNames: readonly string[];
  /** Columns of categories, by name or number. */
  readonly categories: readonly string[];
  /** Whether some column holds categories or text. */
  readonly textColumns: boolean;
  readonly trees: readonly CatBoostTree[];
  /** Values of the leaves of all trees, one after another, each with `dimensions` numbers. */
  readonly leafValues: Float64Array;
  readonly scale: number;
  readonly bias: readonly number[];
  /** Why the model cannot be computed from numbers alone. */
  readonly unsupported?: string;
  readonly info: ReadonlyMap<string, string>;
}

/** `AsTrue` of `nan_value_treatment`. */
const MISSING_IS_ABOVE = 2;

/** Fields of `TModelTrees`. */
const CATEGORIES = 4;
const NUMBERS = 5;
const STEP_NODES = 10;
const TEXTS = 12;
const EMBEDDINGS = 18;

/** Fields of the tables of features: the column, and the name that it was given. */
const PLACES: readonly { readonly field: number; readonly column: number; readonly name: number }[] = [
  { field: NUMBERS, column: 2, name: 4 },
  { field: CATEGORIES, column: 1, name: 2 },
  { field: TEXTS, column: 1, name: 2 },
  { field: EMBEDDINGS, column: 1, name: 2 },
];

/**
 * Reads CatBoost's own format (`CBM1`, a length, a FlatBuffer), or its export as JSON.
 * Source: CatBoost `libs/model/flatbuffers/model.fbs`, `features.fbs`: fields by their numbers there.
 * @throws ModelError `malformed` or `truncated`.
 */
export function parseCatBoost(bytes: Uint8Array): CatBoostModel {
  if (bytes[0] === 0x7b) return parseCatBoostJson(bytes);
  const magic = String.fromCharCode(...bytes.subarray(0, 4));
  if (magic !== 'CBM1' || bytes.length < 8)
    throw new ModelError('malformed', 'The CatBoost model does not begin with CBM1.');
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true);
  if (8 + length > bytes.length) {
    throw new ModelError(
      'truncated',
      `The CatBoost model declares ${length} bytes, but only ${bytes.length - 8} follow.`,
      { offset: 4 },
    );
  }
  const core = FlatTable.root(bytes.subarray(8, 8 + length));
  const trees = core.table(1);
  if (!trees) throw new ModelError('malformed', 'The CatBoost model holds no trees.');
  const floatFeatures = trees.tables(NUMBERS).map((feature) => ({
    column: feature.int(2, -1),
    name: feature.text(4) ?? '',
    borders: feature.floats(3),
    missingIsAbove: feature.byte(5, 0) === MISSING_IS_ABOVE,
  }));
  const bias = trees.doubles(16);
  const named = namedColumns(trees);
  const categories = namesOf(trees, CATEGORIES);
  const model: CatBoostModel = {
    dimensions: Math.max(1, trees.int(0, 1)),
    floatFeatures,
    columns: named.length,
    columnNames: named,
    categories,
    textColumns: categories.length > 0 || trees.count(TEXTS) > 0,
    trees:
      trees.count(STEP_NODES) > 0
        ? freeTrees(trees.ints(1), trees.ints(2), trees.ints(STEP_NODES), trees.ints(STEP_NODES + 1))
        : symmetricTrees(trees.ints(1), trees.ints(2)),
    leafValues: trees.doubles(8),
    scale: trees.double(14, 1),
    bias: bias.length > 0 ? [...bias] : [trees.double(15, 0)],
    info: new Map(core.tables(2).map((pair) => [pair.text(0) ?? '', pair.text(1) ?? ''])),
  };
  // Every leaf has a value for each output.
  if (model.dimensions > Math.max(1, model.leafValues.length))
    throw new ModelError('malformed', 'The CatBoost model has more outputs than values.');
  const reason = obstacle(trees);
  return reason === undefined ? model : { ...model, unsupported: reason };
}

function symmetricTrees(splits: Int32Array, sizes: Int32Array): CatBoostTree[] {
  let at = 0;
  return Array.from(sizes, (size) => {
    if (!(size >= 0 && size <= 31 && at + size <= splits.length)) throw tooLong();
    at += size;
    return { kind: 'symmetric', splits: [...splits.subarray(at - size, at)] };
  });
}

/** Nodes hold two distances to their children as 16-bit numbers, 0 for none; `sizes` counts the nodes of each tree. */
function freeTrees(splits: Int32Array, sizes: Int32Array, steps: Int32Array, leaves: Int32Array): CatBoostTree[] {
  let at = 0;
  return Array.from(sizes, (size) => {
    const end = at + size;
    if (!(size >= 1 && end <= splits.length && end <= steps.length && end <= leaves.length)) throw tooLong();
    const nodes = steps.subarray(at, end);
    const child = (distance: number, node: number) => (distance === 0 ? -1 : node + distance);
    const tree: CatBoostTree = {
      kind: 'free',
      splits: splits.subarray(at, end),
      left: nodes.map((step, node) => child(step & 0xffff, node)),
      right: nodes.map((step, node) => child(step >>> 16, node)),
      values: leaves.subarray(at, end),
    };
    at = end;
    return tree;
  });
}

function tooLong(): ModelError {
  return new ModelError('malformed', 'The trees of the CatBoost model are longer than its list of splits.');
}

/** Why numbers alone do not make a prediction, with the columns by name. */
function obstacle(trees: FlatTable): string | undefined {
  const categories = namesOf(trees, CATEGORIES);
  if (trees.count(6) > 0 || trees.count(7) > 0 || categories.length > 0) return usesCategories(categories);
  const texts = [...namesOf(trees, TEXTS), ...namesOf(trees, EMBEDDINGS)];
  if (texts.length > 0 || trees.count(13) > 0) return usesTexts(texts);
  return undefined;
}

/** The name of each column, in the order of the input. */
function namedColumns(trees: FlatTable): string[] {
  const places = PLACES.flatMap(({ field, column, name }) =>
    trees.tables(field).map((feature) => ({ column: feature.int(column, -1), name: feature.text(name) ?? '' })),
  );
  const names = places.map(() => '');
  for (const { column, name } of places) if (column >= 0 && column < names.length) names[column] = name;
  return names;
}

/** Names of the columns of a kind: the given one, or the number. */
function namesOf(trees: FlatTable, field: number): string[] {
  return trees.tables(field).map((feature) => feature.text(2) || `column ${feature.int(1, -1)}`);
}

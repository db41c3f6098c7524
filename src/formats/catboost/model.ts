import { ModelError } from '../../bytes/errors';
import { FlatTable } from './flatbuffer';

/** A number column and the borders that trees compare it with. */
export interface FloatFeature {
  /** Column of the input. */
  readonly column: number;
  readonly name: string;
  readonly borders: Float32Array;
  /** What a missing value answers to `x > border`. */
  readonly missingIsAbove: boolean;
}

export interface CatBoostModel {
  /** Outputs: 1, or the number of classes. */
  readonly dimensions: number;
  readonly floatFeatures: readonly FloatFeature[];
  /** Columns in all: numbers, categories, texts. */
  readonly columns: number;
  /** Trees are oblivious: all nodes of a level make the same comparison. Each is a list of numbers of comparisons. */
  readonly trees: readonly (readonly number[])[];
  /** Values of the leaves of all trees, one after another, each with `dimensions` numbers. */
  readonly leafValues: Float64Array;
  readonly scale: number;
  readonly bias: readonly number[];
  /** Why the model cannot be computed from numbers alone. */
  readonly unsupported?: string;
  readonly info: ReadonlyMap<string, string>;
}

const MISSING_IS_ABOVE = 2;

/**
 * Reads CatBoost's own format (`CBM1`, a length, a FlatBuffer).
 * Source: CatBoost `libs/model/flatbuffers/model.fbs`, `features.fbs`: fields by their numbers there.
 * @throws ModelError `malformed` or `truncated`.
 */
export function parseCatBoost(bytes: Uint8Array): CatBoostModel {
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
  const floatFeatures = trees.tables(5).map((feature) => ({
    column: feature.int(2, -1),
    name: feature.text(4) ?? '',
    borders: feature.floats(3),
    missingIsAbove: feature.byte(5, 0) === MISSING_IS_ABOVE,
  }));
  const bias = trees.doubles(16);
  const model: CatBoostModel = {
    dimensions: Math.max(1, trees.int(0, 1)),
    floatFeatures,
    columns: floatFeatures.length + trees.count(4) + trees.count(12) + trees.count(18),
    trees: treesOf(trees.ints(1), trees.ints(2)),
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

function treesOf(splits: Int32Array, sizes: Int32Array): number[][] {
  let at = 0;
  return Array.from(sizes, (size) => {
    if (!(size >= 0 && size <= 31 && at + size <= splits.length)) {
      throw new ModelError('malformed', 'The trees of the CatBoost model are longer than its list of splits.');
    }
    at += size;
    return [...splits.subarray(at - size, at)];
  });
}

function obstacle(trees: FlatTable): string | undefined {
  if (trees.count(10) > 0) return 'its trees are not symmetric';
  if (trees.count(6) > 0 || trees.count(7) > 0 || trees.count(4) > 0)
    return 'it uses categories, which it turns into numbers by statistics of the training data';
  if (trees.count(12) > 0 || trees.count(13) > 0 || trees.count(18) > 0) return 'it uses text or embeddings';
  return undefined;
}

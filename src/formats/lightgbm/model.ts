import { ModelError } from '../../bytes/errors';

/** What a node does with a missing value. `zero`: numbers next to 0 count as missing, too. */
export type MissingRule = 'none' | 'zero' | 'nan';

/** A tree of `leafCount - 1` inner nodes; a child below 0 is the leaf `-child - 1`. */
export interface LightGbmTree {
  readonly leafCount: number;
  readonly feature: readonly number[];
  readonly threshold: readonly number[];
  readonly left: readonly number[];
  readonly right: readonly number[];
  readonly missing: readonly MissingRule[];
  readonly defaultLeft: readonly boolean[];
  /** Categories that go left, for nodes that test for a category. */
  readonly categories: ReadonlyMap<number, readonly number[]>;
  readonly leafValue: readonly number[];
  /** Linear functions of leaves, where they have such: used instead of the value unless one of their columns is missing. */
  readonly linear?: readonly LinearLeaf[];
}

/** constant + Σ coefficient · column */
export interface LinearLeaf {
  readonly constant: number;
  readonly columns: readonly number[];
  readonly coefficients: readonly number[];
}

/** What was seen in a column: nothing worth a split, numbers from `low` to `high`, or categories up to `high`. */
export interface ColumnInfo {
  readonly kind: 'unused' | 'numbers' | 'categories';
  readonly low: number;
  readonly high: number;
}

/** What the text says before its trees and after them. */
export interface LightGbmHead {
  /** Of the text form: `v2`, `v3`, `v4`. */
  readonly version: string;
  readonly classes: number;
  /** Trees of one iteration, one for each output; tree i adds to output i mod this. */
  readonly treesPerIteration: number;
  readonly features: number;
  readonly featureNames: readonly string[];
  readonly columnInfos: readonly ColumnInfo[];
  /** `binary sigmoid:1`, `multiclass num_class:3`; empty for a function of the user's own. */
  readonly objective: string;
  /** Names of the training parameters at the end of the file (2.2 and later): they tell versions apart. */
  readonly parameters: ReadonlySet<string>;
  /** Random forests give the mean of their iterations. */
  readonly averages: boolean;
}

export interface LightGbmModel extends LightGbmHead {
  readonly trees: readonly LightGbmTree[];
}

/** More classes than any model has, few enough to make room for. */
const MAX_OUTPUTS = 100_000;

const CATEGORICAL = 1;
const DEFAULT_LEFT = 2;
const RULES: readonly MissingRule[] = ['none', 'zero', 'nan'];

/**
 * Reads the text form of a LightGBM model, as model files and pickles hold it.
 * Source: LightGBM `gbdt_model_text.cpp`, `tree.cpp` (`Tree::ToString`), `tree.h` (bits of `decision_type`).
 * @throws ModelError `malformed` with the tree or line that does not fit.
 */
export function parseLightGbm(text: string): LightGbmModel {
  const head = parseLightGbmHead(text);
  const end = text.indexOf('end of trees');
  const content = end < 0 ? text : text.slice(0, end);
  const [, ...blocks] = content.split(/^Tree=/m);
  if (blocks.length > 0 && head.treesPerIteration > blocks.length)
    throw malformed('an iteration has more trees than there are');
  return {
    ...head,
    trees: blocks.map((block) =>
      parseTree(fields(block.slice(block.indexOf('\n') + 1)), block.split('\n', 1)[0]!.trim()),
    ),
  };
}

/** The same without the trees, which are nearly all of it. @throws ModelError `malformed` with the line that does not fit. */
export function parseLightGbmHead(text: string): LightGbmHead {
  const trees = text.indexOf('\nTree=');
  const end = text.lastIndexOf('end of trees');
  const head = text.slice(0, trees < 0 ? (end < 0 ? undefined : end) : trees);
  if (!/^tree\s/.test(head)) throw malformed('it does not begin with "tree"');
  const header = fields(head);
  const number = (name: string) => Number(header.get(name) ?? Number.NaN);
  const features = number('max_feature_idx') + 1;
  const treesPerIteration = number('num_tree_per_iteration');
  if (!Number.isInteger(features) || !(treesPerIteration >= 1))
    throw malformed('its header lacks max_feature_idx or num_tree_per_iteration');
  const featureNames = (header.get('feature_names') ?? '').split(' ').filter(Boolean);
  if (featureNames.length !== features) throw malformed(`it names ${featureNames.length} of ${features} columns`);
  if (treesPerIteration > MAX_OUTPUTS || number('num_class') > MAX_OUTPUTS)
    throw malformed('it declares too many classes');
  return {
    version: header.get('version') ?? '',
    classes: number('num_class'),
    treesPerIteration,
    features,
    featureNames,
    columnInfos: (header.get('feature_infos') ?? '').split(' ').filter(Boolean).map(columnInfo),
    objective: header.get('objective') ?? '',
    parameters: new Set(Array.from(text.slice(Math.max(0, end)).matchAll(/^\[(\w+):/gm), (match) => match[1]!)),
    averages: header.has('average_output'),
  };
}

/** `key=value` lines; a line without `=` is a key alone. */
function fields(block: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of block.split('\n')) {
    const at = line.indexOf('=');
    if (at < 0) {
      if (line.trim() !== '') found.set(line.trim(), '');
    } else found.set(line.slice(0, at), line.slice(at + 1).trim());
  }
  return found;
}

function parseTree(tree: Map<string, string>, name: string): LightGbmTree {
  const numbers = (key: string) =>
    (tree.get(key) ?? '')
      .split(' ')
      .filter((word) => word !== '')
      .map(asNumber);
  const leafCount = Number(tree.get('num_leaves') ?? Number.NaN);
  const inner = leafCount - 1;
  const leafValue = numbers('leaf_value');
  const decision = numbers('decision_type');
  const threshold = numbers('threshold');
  const made = {
    feature: numbers('split_feature'),
    threshold,
    left: numbers('left_child'),
    right: numbers('right_child'),
  };
  const short = [...Object.values(made), decision].some((list) => list.length !== inner);
  if (!(leafCount >= 1) || leafValue.length !== leafCount || (inner > 0 && short))
    throw malformed(`tree ${name} has lists of different lengths`);
  return {
    leafCount,
    ...made,
    missing: decision.map((bits) => RULES[(bits >> 2) & 3] ?? 'none'),
    defaultLeft: decision.map((bits) => (bits & DEFAULT_LEFT) !== 0),
    categories: categoriesOf(decision, threshold, numbers('cat_boundaries'), numbers('cat_threshold')),
    leafValue,
    ...(tree.get('is_linear') === '1' ? { linear: linearLeaves(name, leafCount, numbers) } : {}),
  };
}

/** `leaf_features` and `leaf_coeff` hold the lists of all leaves one after another, `num_features` their lengths. */
function linearLeaves(name: string, leafCount: number, numbers: (key: string) => number[]): LinearLeaf[] {
  const constants = numbers('leaf_const');
  const sizes = numbers('num_features');
  const columns = numbers('leaf_features');
  const coefficients = numbers('leaf_coeff');
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const fits = sizes.length === leafCount && sizes.every((size) => Number.isInteger(size) && size >= 0);
  if (constants.length !== leafCount || !fits || columns.length !== total || coefficients.length !== total)
    throw malformed(`the linear functions of tree ${name} have lists of different lengths`);
  let at = 0;
  return constants.map((constant, leaf) => {
    at += sizes[leaf]!;
    const from = at - sizes[leaf]!;
    return { constant, columns: columns.slice(from, at), coefficients: coefficients.slice(from, at) };
  });
}

/** `none`, `[-1.5:3]`, or categories as `-1:3:0`, where -1 stands for missing ones. */
function columnInfo(text: string): ColumnInfo {
  if (text === 'none') return { kind: 'unused', low: 0, high: 0 };
  const items = text.replace(/[[\]]/g, '').split(':').map(asNumber);
  const bounds = items.reduce(([low, high], item) => [Math.min(low, item), Math.max(high, item)] as [number, number], [
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ] as [number, number]);
  return { kind: text.startsWith('[') ? 'numbers' : 'categories', low: bounds[0], high: bounds[1] };
}

/** A categorical node's threshold is the number of its set: words `boundaries[k]` to `boundaries[k + 1]`, 32 bits each. */
function categoriesOf(
  decision: readonly number[],
  threshold: readonly number[],
  boundaries: readonly number[],
  words: readonly number[],
): Map<number, number[]> {
  const found = new Map<number, number[]>();
  decision.forEach((bits, node) => {
    if ((bits & CATEGORICAL) === 0) return;
    const set = threshold[node]!;
    const [from, to] = [boundaries[set], boundaries[set + 1]];
    if (from === undefined || to === undefined)
      throw malformed(`node ${node} refers to a set of categories that is not there`);
    const members: number[] = [];
    for (let word = from; word < Math.min(to, words.length); word++) {
      for (let bit = 0; bit < 32; bit++) if ((words[word]! >>> bit) & 1) members.push((word - from) * 32 + bit);
    }
    found.set(node, members);
  });
  return found;
}

function asNumber(word: string): number {
  if (/^[+-]?inf$/i.test(word)) return word.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return Number(word);
}

function malformed(reason: string): ModelError {
  return new ModelError('malformed', `The LightGBM model cannot be understood: ${reason}.`);
}

import { ModelError } from '../../bytes/errors';
import { integer, list, malformed, map, numbers, text } from './fields';
import { parseLegacy } from './legacy';
import { categoriesOf, treesOf } from './trees';
import { parseJsonTree, parseUbjson, type Tree } from './ubjson';

/** A regression tree; a leaf has `left[i] === -1` and its value in `condition`. */
export interface BoosterTree {
  readonly left: ArrayLike<number>;
  readonly right: ArrayLike<number>;
  readonly feature: ArrayLike<number>;
  /** `x < condition` goes left; in float32. */
  readonly condition: ArrayLike<number>;
  readonly defaultLeft: ArrayLike<number>;
  /** Nodes that test for a category instead, with the categories that go right. */
  readonly categories?: ReadonlyMap<number, readonly number[]>;
  /** Index of the output that the tree adds to. */
  readonly group: number;
  /** Factor of its leaves (dart). */
  readonly weight: number;
  /** More than one for trees with a vector in each leaf. */
  readonly leafSize: number;
  /** The vectors of such a tree, `leafSize` numbers each, and the place of each leaf's (2.x: the node's own number). */
  readonly vectors?: { readonly values: ArrayLike<number>; readonly place?: ArrayLike<number> };
}

/** Categories of a column by their codes. */
export interface Categories {
  /** Undefined where the name was lost. */
  readonly items: readonly (string | number | undefined)[];
  /** Other readings of the names: where offsets may be of bytes or of characters. */
  readonly aliases?: ReadonlyMap<string, number>;
  /** A name of which only the beginning was kept, and its length in characters. */
  readonly cut?: { readonly beginning: string; readonly length: number; readonly code: number };
}

/** What an xgboost model computes. */
export interface Booster {
  readonly version?: readonly number[];
  readonly booster: 'gbtree' | 'dart' | 'gblinear';
  readonly objective: string;
  readonly features: number;
  /** 0 for anything but multi-class objectives. */
  readonly classes: number;
  readonly targets: number;
  /** One value, or one for each output. */
  readonly baseScore: readonly number[];
  /** True for models before 1.0, which stored the base score as a raw value. */
  readonly baseIsRaw: boolean;
  readonly trees: readonly BoosterTree[];
  /** Trees of each boosting round, one after another: round r has those from `rounds[r]` to `rounds[r + 1]`. */
  readonly rounds: readonly number[];
  /** gblinear: weights of features × outputs, then the biases. */
  readonly weights?: ArrayLike<number>;
  readonly attributes: ReadonlyMap<string, string>;
  readonly featureNames: readonly string[];
  /** Columns of categories, where the model says so: `c` (categories) or `q`, `float`, `int`, `i` for each column. */
  readonly featureTypes: readonly string[];
  /** Categories that the columns of the training frame had (3.1 and later). */
  readonly categories: ReadonlyMap<number, Categories>;
  /** Levels of `reg:quantileerror` and `reg:expectileerror`. */
  readonly levels: number;
}

/**
 * Reads what a pickled `Booster` keeps in `handle`, or a model file: UBJSON (1.6 and later), JSON (1.0 and later), the binary
 * form before that, each alone or with the configuration that pickles carry.
 * @throws ModelError `malformed`, `truncated`, or `unsupported` for a form that is not known.
 */
export function parseBooster(bytes: Uint8Array): Booster {
  let content = bytes;
  if (startsWith(content, 'CONFIG-offset:')) content = content.subarray(22);
  if (content[0] === 0x7b) {
    const next = String.fromCharCode(content[1] ?? 0);
    const root = /["\s}]/.test(next)
      ? parseJsonTree(new TextDecoder().decode(jsonPart(content)))
      : parseUbjson(content);
    return fromTree(root);
  }
  return parseLegacy(startsWith(content, 'binf') ? content.subarray(4) : content);
}

/** A document followed by others ends at its own closing brace. */
function jsonPart(bytes: Uint8Array): Uint8Array {
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < bytes.length; i++) {
    const code = bytes[i];
    if (quoted) {
      if (code === 0x5c) i++;
      else if (code === 0x22) quoted = false;
    } else if (code === 0x22) quoted = true;
    else if (code === 0x7b) depth++;
    else if (code === 0x7d && --depth === 0) return bytes.subarray(0, i + 1);
  }
  return bytes;
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  return bytes.length >= text.length && [...text].every((char, i) => bytes[i] === char.charCodeAt(0));
}

function fromTree(root: Tree): Booster {
  const document = map(root, 'document');
  const model = document.has('Model') ? map(document.get('Model'), 'Model') : document;
  const learner = map(model.get('learner'), 'learner');
  const param = map(learner.get('learner_model_param'), 'learner_model_param');
  const objective = map(learner.get('objective'), 'objective');
  const outer = map(learner.get('gradient_booster'), 'gradient_booster');
  const name = text(outer.get('name')) ?? 'gbtree';
  if (name !== 'gbtree' && name !== 'dart' && name !== 'gblinear') {
    throw new ModelError('unsupported', `The xgboost booster "${name}" is not known.`);
  }
  const inner = name === 'dart' ? map(outer.get('gbtree'), 'gbtree') : outer;
  const content = map(inner.get('model'), 'model');
  const classes = integer(param.get('num_class'));
  const targets = Math.max(1, integer(param.get('num_target')));
  // Since 3.4 the weights of dart are kept with the trees.
  const drops = numbers(content.get('weight_drop') ?? outer.get('weight_drop'));
  const trees = name === 'gblinear' ? [] : treesOf(content, drops);
  const version = numbers(model.get('version'));
  const attributes = new Map(
    [...map(learner.get('attributes') ?? new Map(), 'attributes')].map(([key, value]) => [key, String(value)] as const),
  );
  const base = {
    ...(version.length > 0 ? { version: Array.from(version, Number) } : {}),
    booster: name as Booster['booster'],
    objective: text(objective.get('name')) ?? '',
    features: integer(param.get('num_feature')),
    classes,
    targets,
    baseScore: scores(param.get('base_score')),
    baseIsRaw: false,
    trees,
    rounds: roundsOf(content, trees.length, Math.max(classes, targets, 1), parallelTrees(content, attributes)),
    attributes,
    featureNames: list(learner.get('feature_names')).map(String),
    featureTypes: list(learner.get('feature_types')).map(String),
    categories: categoriesOf(content.get('cats')),
    levels: levelsOf(objective),
  };
  return name === 'gblinear' ? { ...base, weights: numbers(content.get('weights')) } : base;
}

/** Where the trees of each round begin. Before 2.0 every round had `parallel` trees for each output. */
function roundsOf(content: Map<string, Tree>, trees: number, groups: number, parallel: number): number[] {
  const pointers = Array.from(numbers(content.get('iteration_indptr')));
  return pointers.length > 1 ? pointers : evenRounds(trees, groups * parallel);
}

/** Trees of one round and output: written with the model since 1.6; before, only how many trees early stopping counted. */
function parallelTrees(content: Map<string, Tree>, attributes: ReadonlyMap<string, string>): number {
  const param = map(content.get('gbtree_model_param') ?? new Map(), 'gbtree_model_param');
  const written = integer(param.get('num_parallel_tree'));
  return written > 0 ? written : (countedParallel(attributes) ?? 1);
}

/** What early stopping counted: `best_ntree_limit` trees in `best_iteration + 1` rounds. */
export function countedParallel(attributes: ReadonlyMap<string, string>): number | undefined {
  const counted = Number(attributes.get('best_ntree_limit')) / (Number(attributes.get('best_iteration')) + 1);
  return Number.isInteger(counted) && counted > 0 ? counted : undefined;
}

export function evenRounds(trees: number, size: number): number[] {
  const rounds: number[] = [];
  for (let at = 0; at < trees; at += size) rounds.push(at);
  return [...rounds, trees];
}

/** `5E-1`, `0.5`, or since 3.1 a list: `[4.9E-1]`. */
function scores(value: Tree | undefined): number[] {
  const found = (typeof value === 'string' ? value : String(value ?? '0.5'))
    .replace(/[[\]]/g, '')
    .split(',')
    .map(Number);
  if (found.length === 0 || found.some(Number.isNaN)) throw malformed('base_score is not a number');
  return found;
}

/** How many quantiles or expectiles are asked for at once: `"[1E-1,5E-1]"`. */
function levelsOf(objective: Map<string, Tree>): number {
  const param = objective.get('quantile_loss_param') ?? objective.get('expectile_loss_param');
  if (!(param instanceof Map)) return 0;
  return (text(param.get('quantile_alpha') ?? param.get('expectile_alpha')) ?? '').split(',').filter(Boolean).length;
}

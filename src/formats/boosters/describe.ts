import type { Attribute, Fact, FormatId, ModuleNode } from '../../model/model';
import { ParameterTable } from '../../model/parameter-table';
import { type CallOpcode, Global, Instance, type Value } from '../../pickle/values';
import type { SklearnModel } from '../sklearn';
import { signaturesOf } from '../sklearn/signatures';

/** A tree as the hierarchy shows it. */
export interface TreeShape {
  readonly leaves: number;
  readonly depth?: number;
  /** The output that it adds to, where there are several. */
  readonly output?: number;
}

/** What a file of a boosting library says, in the words of the library. */
export interface BoosterDescription {
  readonly format: FormatId;
  readonly library: string;
  readonly version?: string;
  readonly kind: string;
  readonly objective?: string;
  readonly features: number;
  readonly featureNames?: readonly string[];
  readonly outputs: number;
  readonly trees: readonly TreeShape[];
  readonly attributes: readonly Attribute[];
  /** Package and class whose methods answer, with the attributes that they read. */
  readonly estimator: Instance;
  /** Columns that are categories, with the number of categories where the model knows them. */
  readonly categories?: readonly string[];
}

/** Trees beyond which the hierarchy shows the first ones and says how many more there are. */
const MAX_TREES = 10_000;

/** The object that the library would make of a file, as its pickle would hold it: predictions go the same way. */
export function objectOf(module: string, name: string, state: ReadonlyMap<string, Value>): Instance {
  const made = new Instance(new Global(module, name, module, name, 0, false), [], 'NEWOBJ' as CallOpcode, 0);
  made.state = new Map<Value, Value>(state);
  return made;
}

/** A file of a boosting library as a model: its trees as hierarchy, its columns as the input of `predict`. */
export function boosterModel(description: BoosterDescription): SklearnModel {
  const { library, version, objective, features, featureNames, outputs, trees } = description;
  const facts: Fact[] = [
    { label: 'Trees', value: String(trees.length) },
    { label: 'Leaves', value: String(trees.reduce((sum, tree) => sum + tree.leaves, 0)) },
    { label: 'Features', value: String(features) },
  ];
  if (objective) facts.unshift({ label: 'Objective', value: objective });
  if (featureNames) facts.push({ label: 'Feature names', value: listed(featureNames) });
  if (description.categories?.length) facts.push({ label: 'Categories', value: listed(description.categories) });
  if (outputs > 1) facts.push({ label: 'Outputs', value: String(outputs) });
  return {
    format: description.format,
    summary: {
      title: description.kind,
      ...(objective ? { subtitle: objective } : {}),
      producer: { name: library, ...(version ? { version } : {}) },
      facts,
      totals: { parameters: 0, bytes: 0, byDtype: {} },
    },
    root: rootOf(description),
    parameters: new ParameterTable(),
    signatures: signaturesOf(description.estimator, undefined),
    warnings: [],
    pickles: [],
    estimator: description.estimator,
    estimatorPath: '',
  };
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 12).join(', ');
  return names.length > 12 ? `${shown}, … (${names.length})` : shown;
}

function rootOf({ kind, attributes, trees }: BoosterDescription): ModuleNode {
  const children = trees.slice(0, MAX_TREES).map((tree, i): ModuleNode => {
    const parts = [`${tree.leaves} ${tree.leaves === 1 ? 'leaf' : 'leaves'}`];
    if (tree.depth !== undefined) parts.push(`depth ${tree.depth}`);
    if (tree.output !== undefined) parts.push(`output ${tree.output}`);
    return {
      path: `tree.${i}`,
      name: String(i),
      kind: 'Tree',
      attributes: [],
      parameters: [],
      children: [],
      summary: parts.join(', '),
    };
  });
  const rest = trees.length - children.length;
  return {
    path: '',
    name: '',
    kind,
    attributes: [...attributes],
    parameters: [],
    children,
    summary: rest > 0 ? `${trees.length} trees, ${rest} of them not listed` : `${trees.length} trees`,
  };
}

/** Depth of a tree given as child lists, iteratively. `isLeaf` looks at the children of a node; a negative child is a leaf of its own. */
export function depthOf(
  left: ArrayLike<number>,
  right: ArrayLike<number>,
  isLeaf: (left: number, right: number) => boolean = (l) => l < 0,
): number {
  const stack: [node: number, depth: number][] = left.length > 0 ? [[0, 0]] : [];
  let [deepest, visited] = [0, 0];
  while (stack.length > 0 && visited++ <= left.length) {
    const [node, depth] = stack.pop()!;
    const [l, r] = [left[node], right[node]];
    if (l === undefined || r === undefined) continue;
    const leaf = isLeaf(l, r);
    deepest = Math.max(deepest, leaf ? depth : depth + 1);
    if (!leaf) for (const child of [l, r]) if (child >= 0) stack.push([child, depth + 1]);
  }
  return deepest;
}

import type { ModuleNode, Parameter, ParameterKind } from '../../model/model';
import { type Instance, isDict, type Value } from '../../pickle/values';
import { type ArrayWalk, type FoundArray, findArrays, parameterRow, rowsByObject } from '../pickle/arrays';
import { describe } from '../pickle/describe';
import { estimatorAttributes } from './attributes';
import { type Part, partsOf } from './children';
import { attributesOf, kindOf, knownClass } from './estimator';

export interface Hierarchy {
  root: ModuleNode;
  parameters: Parameter[];
  /** Row of each pickled array. */
  rows: ReadonlyMap<object, number>;
}

/** Siblings of one list that are alike are shown as one node from this many on. */
const COLLAPSE_FROM = 4;

/** Nesting of estimators in estimators; deeper ones stay attributes. */
const DEEPEST = 64;

interface Context {
  version: string | undefined;
  walk: ArrayWalk;
  storages: Map<object, string>;
  rows: Parameter[];
  /** Objects that are nodes of their own. */
  nodes: Set<Value>;
}

/** The tree of estimators below `estimator`, and every array in it as a row. Paths start with `path`. */
export function hierarchyOf(
  estimator: Instance,
  version: string | undefined,
  path = '',
  shared?: Omit<Context, 'version'>,
): Hierarchy {
  const context: Context = {
    version,
    walk: { seen: new Map() },
    storages: new Map(),
    rows: [],
    nodes: new Set(),
    ...shared,
  };
  const root = node({ path, name: path, value: estimator }, path, context, 0);
  return { root, parameters: context.rows, rows: rowsByObject(context.rows, context.storages) };
}

/** Joins a path and a component of it. */
export function join(path: string, part: string): string {
  if (path === '') return part;
  return part.startsWith('[') ? path + part : `${path}.${part}`;
}

/** `bare` leaves the attributes out: nobody sees those of a node that its first sibling stands for. */
function node(part: Part, path: string, context: Context, depth: number, bare = false): ModuleNode {
  const { value } = part;
  context.nodes.add(value);
  const parts = depth < DEEPEST ? partsOf(value).filter((child) => !context.nodes.has(child.value)) : [];
  for (const child of parts) context.nodes.add(child.value);
  const first = context.rows.length;
  ownArrays(value, path, context);
  const made: ModuleNode = {
    path,
    name: part.name,
    kind: kindOf(value),
    attributes: bare ? [] : estimatorAttributes(value, knownClass(value), context.version),
    parameters: context.rows.slice(first).map((row) => row.name),
    children: [],
  };
  const said = summaryOf(value, part);
  if (said) made.summary = said;
  for (const group of alike(parts)) {
    const nodes =
      group.length >= COLLAPSE_FROM
        ? repeated(group, path, context, depth + 1)
        : group.map((child) => node(child, join(path, child.path), context, depth + 1));
    made.children.push(...nodes);
  }
  return made;
}

/** Arrays of this estimator that belong to none of its parts. */
function ownArrays(value: Instance, path: string, context: Context): void {
  const walk: ArrayWalk = { ...context.walk, skip: (inner) => inner !== value && context.nodes.has(inner) };
  context.walk.seen.set(value, path);
  const attributes = attributesOf(value);
  if (!attributes) {
    context.walk.seen.delete(value);
    for (const found of findArrays(value, path, walk)) add(found, 'parameter', context);
    return;
  }
  for (const [key, item] of attributes) {
    if (item === null || typeof item !== 'object') continue;
    const name = typeof key === 'string' ? key : `[${describe(key, 60)}]`;
    for (const found of findArrays(item, join(path, name), walk)) add(found, kindFor(name), context);
  }
  for (const extra of [value.entries, value.items, value.args]) {
    if (extra !== undefined) for (const found of findArrays(extra, path, walk)) add(found, 'attribute', context);
  }
}

/** What fitting left is a parameter; a constructor argument that happens to be an array is an attribute. */
function kindFor(name: string): ParameterKind {
  return name.endsWith('_') || name.startsWith('_') ? 'parameter' : 'attribute';
}

function add(found: FoundArray, kind: ParameterKind, context: Context): void {
  context.rows.push(parameterRow(found, context.storages, kind));
}

function summaryOf(value: Instance, part: Part): string | undefined {
  if (part.note !== undefined && part.note !== null) return `columns ${describe(part.note, 80)}`;
  const vocabulary = attributesOf(value)?.get('vocabulary_');
  return isDict(vocabulary) ? `${vocabulary.size} terms` : undefined;
}

/** Runs of siblings of one list that have the same kind and the same settings; everything else alone. */
function alike(parts: readonly Part[]): Part[][] {
  const groups: Part[][] = [];
  for (const part of parts) {
    const last = groups[groups.length - 1];
    if (last && part.list !== undefined && last[0].list === part.list && sameSettings(last[0].value, part.value))
      last.push(part);
    else groups.push([part]);
  }
  return groups;
}

/** Same class and same constructor parameters; the seed of the random generator differs by design. */
function sameSettings(a: Instance, b: Instance): boolean {
  if (kindOf(a) !== kindOf(b)) return false;
  const [mine, other] = [attributesOf(a), attributesOf(b)];
  const names = knownClass(a)?.parameters.keys();
  if (!mine || !other || !names) return mine === other;
  for (const name of names) {
    if (name === 'random_state') continue;
    const [x, y] = [mine.get(name), other.get(name)];
    if (x === y) continue;
    if (x === undefined || y === undefined || describe(x, 200) !== describe(y, 200)) return false;
  }
  return true;
}

/** One node for several alike: the first, with the parameters of all, so that counts add up. */
function repeated(group: readonly Part[], path: string, context: Context, depth: number): ModuleNode[] {
  const nodes = group.map((part, i) => node(part, join(path, part.path), context, depth, i > 0));
  const [first] = nodes;
  const last = nodes[nodes.length - 1];
  const whole = join(path, group[0].list as string);
  const inside = nodes.every((one) => one.path.startsWith(`${whole}[`));
  return [
    {
      ...merge(nodes),
      path: inside ? whole : first.path,
      name: `${first.name} … ${last.name}`,
      repeated: { count: nodes.length, first: first.path, last: last.path },
    },
  ];
}

/** The first of several nodes of one shape with the parameters of all of them, at every level. */
function merge(nodes: readonly ModuleNode[]): ModuleNode {
  const [first] = nodes;
  const merged: ModuleNode = { ...first, parameters: nodes.flatMap((one) => one.parameters), children: [] };
  const width = Math.max(...nodes.map((one) => one.children.length));
  for (let i = 0; i < width; i++) {
    merged.children.push(
      merge(nodes.map((one) => one.children[i]).filter((one): one is ModuleNode => one !== undefined)),
    );
  }
  return merged;
}

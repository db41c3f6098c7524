import type { ModuleNode, Parameter, ParameterKind } from '../../model/model';
import { type Instance, isDict, type Value } from '../../pickle/values';
import { type ArrayWalk, type FoundArray, findArrays, parameterRow } from '../pickle/arrays';
import { describe } from '../pickle/describe';
import { estimatorAttributes } from './attributes';
import { type Part, partsOf } from './children';
import { attributesOf, kindOf, knownClass } from './estimator';

export interface Hierarchy {
  root: ModuleNode;
  parameters: Parameter[];
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
export function hierarchyOf(estimator: Instance, version: string | undefined, path = '', shared?: Omit<Context, 'version'>): Hierarchy {
  const context: Context = { version, walk: { seen: new Map() }, storages: new Map(), rows: [], nodes: new Set(), ...shared };
  const root = node({ path, name: path, value: estimator }, path, context, 0);
  return { root, parameters: context.rows };
}

/** Joins a path and a component of it. */
export function join(path: string, part: string): string {
  if (path === '') return part;
  return part.startsWith('[') ? path + part : `${path}.${part}`;
}

function node(part: Part, path: string, context: Context, depth: number): ModuleNode {
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
    attributes: estimatorAttributes(value, knownClass(value), context.version),
    parameters: context.rows.slice(first).map((row) => row.name),
    children: [],
  };
  const said = summaryOf(value, part);
  if (said) made.summary = said;
  const children = parts.map((child) => node(child, join(path, child.path), context, depth + 1));
  made.children = collapse(children, parts, path);
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

/** Stands one node for runs of siblings of one list that have the same kind and the same settings. */
function collapse(nodes: ModuleNode[], parts: Part[], path: string): ModuleNode[] {
  const out: ModuleNode[] = [];
  for (let i = 0; i < nodes.length; ) {
    let end = i + 1;
    const list = parts[i].list;
    if (list) {
      const key = settings(nodes[i]);
      while (end < nodes.length && parts[end].list === list && settings(nodes[end]) === key) end++;
    }
    if (end - i >= COLLAPSE_FROM) out.push(repeated(nodes.slice(i, end), list as string, path));
    else out.push(...nodes.slice(i, end));
    i = end;
  }
  return out;
}

/** What makes two siblings alike: kind and constructor parameters; the seed of the random generator differs by design. */
function settings(made: ModuleNode): string {
  const parameters = made.attributes.filter((a) => a.role === 'parameter' && a.name !== 'random_state').map((a) => `${a.name}=${a.text}`);
  return [made.kind, ...parameters].join('\n');
}

function repeated(group: ModuleNode[], list: string, path: string): ModuleNode {
  const [first] = group;
  const last = group[group.length - 1];
  const whole = join(path, list);
  const inside = group.every((one) => one.path.startsWith(`${whole}[`));
  return {
    ...first,
    path: inside ? whole : first.path,
    name: `${first.name} … ${last.name}`,
    parameters: group.flatMap((one) => one.parameters),
    children: mergeChildren(group),
    repeated: { count: group.length, first: first.path, last: last.path },
  };
}

/** Children of a collapsed node: those of the first, with the parameters of all, so that counts add up. */
function mergeChildren(group: ModuleNode[]): ModuleNode[] {
  const [first] = group;
  return first.children.map((child, i) => ({
    ...child,
    parameters: group.flatMap((one) => one.children[i]?.parameters ?? []),
    children: mergeChildren(group.map((one) => one.children[i]).filter((one): one is ModuleNode => one !== undefined)),
  }));
}

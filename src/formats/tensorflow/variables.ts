import type { Parameter } from '../../model/model';
import { byteLengthOf, type DType, elementCount } from '../../tensors/dtype';
import type { BundleEntry, TensorBundle } from './bundle';
import type { SavedAttribute } from './checkpoint-keys';
import { dtypeName, dtypeOf } from './dtypes';
import { type ObjectGraph, type Place, pathOf } from './object-graph';

/** What a variable is for: the model's own weights, or what training and serving keep beside them. */
export type VariableRole = 'model' | 'optimizer' | 'metric' | 'state';

/** A variable of the object graph together with its checkpoint entry. */
export interface SavedVariable {
  /** Number in the object graph. */
  id: number;
  /** As TensorFlow names it, without `:0`; need not be unique. */
  variableName: string;
  /** Child names from the root, along the shortest way. */
  path: string[];
  role: VariableRole;
  trainable: boolean;
  /** Row of the table. */
  parameter: Parameter;
  /** Key in the checkpoint, when there is one. */
  key?: string;
  /** The variable that this one is a copy of, in exports that hold every variable twice. */
  copyOf?: SavedVariable;
}

export interface VariableTable {
  variables: SavedVariable[];
  byId: Map<number, SavedVariable>;
  parameters: Parameter[];
  /** Checkpoint keys that belong to no variable of the object graph: contents of lookup tables, counters. */
  rest: BundleEntry[];
  /** Whether the root lists the weights, in Keras's order. */
  ordered: boolean;
}

/**
 * Joins the variables of the object graph with the checkpoint.
 * @param places the full cover of the object graph.
 * @param keras whether Keras made the model, so that variable names are the names its users know.
 * @param frozen whether an object is a layer that is not trained.
 */
export function joinVariables(
  graph: ObjectGraph,
  places: ReadonlyMap<number, Place>,
  keys: ReadonlyMap<number, SavedAttribute[]>,
  bundle: TensorBundle | undefined,
  keras: boolean,
  frozen: (id: number) => boolean,
): VariableTable {
  const listed = listOf(graph, 'variables');
  const trainable = new Set(listOf(graph, 'trainable_variables'));
  const hasTrainableList = graph.child(0, 'trainable_variables') !== undefined;
  const inModel = new Set(listed);
  const slots = slotVariables(graph);
  const ids = [...listed];
  const queued = new Set(ids);
  for (let id = 0; id < graph.size; id++) if (graph.kind(id) === 'variable' && !queued.has(id)) ids.push(id);

  const used = new Set<string>();
  const made = ids.map((id): SavedVariable => {
    const proto = graph.nodes[id]!.variable!;
    const path = pathOf(places, id);
    const key = keys.get(id)?.[0]?.key;
    for (const attribute of keys.get(id) ?? []) used.add(attribute.key);
    const role: VariableRole = slots.has(id)
      ? 'optimizer'
      : isSeed(proto.name ?? '')
        ? 'state'
        : inModel.has(id)
          ? 'model'
          : roleOf(path, keras && listed.length > 0);
    const entry = key === undefined ? undefined : bundle?.entries.get(key);
    const isTrainable =
      hasTrainableList && inModel.has(id)
        ? trainable.has(id)
        : (proto.trainable ?? false) && role === 'model' && !ownedBy(id, places, frozen);
    const parameter = row(entry, {
      shape: (proto.shape?.dim ?? []).map((dim) => Number(dim.size ?? 0)),
      unknownRank: proto.shape?.unknownRank ?? false,
      type: proto.dtype ?? 0,
    });
    if (entry && bundle) attach(parameter, entry, bundle);
    else
      parameter.note = bundle
        ? 'The checkpoint has no values for it.'
        : 'Values are in the variables/ folder, which is not there.';
    parameter.storage = key ?? `object ${id}`;
    parameter.kind = role === 'model' ? (isTrainable ? 'parameter' : 'buffer') : 'attribute';
    if (role === 'model') parameter.requiresGrad = isTrainable;
    if (proto.device) parameter.device = proto.device;
    const variable: SavedVariable = {
      id,
      variableName: (proto.name ?? '').replace(/:0$/, ''),
      path,
      role,
      trainable: isTrainable,
      parameter,
    };
    if (key !== undefined) variable.key = key;
    return variable;
  });
  const variables = foldCopies(made, bundle);
  nameAll(variables, keras);
  const rest = bundle
    ? [...bundle.entries.values()].filter(
        (entry) => !used.has(entry.key) && entry.key !== '_CHECKPOINTABLE_OBJECT_GRAPH',
      )
    : [];
  const parameters = variables.filter((v) => !v.copyOf).map((v) => v.parameter);
  const taken = new Set(parameters.map((p) => p.name));
  for (const entry of rest) {
    const parameter = checkpointRow(entry, bundle!);
    parameter.kind = 'attribute';
    parameter.name = unique(plainKey(entry.key), entry.key, taken);
    parameters.push(parameter);
  }
  return { variables, byId: new Map(variables.map((v) => [v.id, v])), parameters, rest, ordered: listed.length > 0 };
}

/** A row for a checkpoint entry as such. */
export function checkpointRow(entry: BundleEntry, bundle: TensorBundle): Parameter {
  const parameter = row(entry, { shape: entry.shape, unknownRank: false, type: entry.type });
  parameter.name = entry.key;
  attach(parameter, entry, bundle);
  return parameter;
}

function attach(parameter: Parameter, entry: BundleEntry, bundle: TensorBundle): void {
  const result = bundle.tensor(entry);
  if ('tensor' in result) parameter.tensor = result.tensor;
  else parameter.note = result.problem;
  if (entry.slices.length > 1)
    parameter.note = `${parameter.note ? `${parameter.note} ` : ''}Stored in ${entry.slices.length} parts.`;
}

function row(
  entry: BundleEntry | undefined,
  declared: { shape: number[]; unknownRank: boolean; type: number },
): Parameter {
  const shape = entry?.shape ?? declared.shape.map((d) => Math.max(0, d));
  const type = entry?.type ?? declared.type;
  const dtype: DType = dtypeOf(type);
  const count = elementCount(shape);
  const known = declared.shape.every((d) => d >= 0) && !declared.unknownRank;
  const parameter: Parameter = {
    name: '',
    shape,
    dtype,
    count: entry || known ? count : 0,
    bytes: entry?.bytes ?? sizeOf(dtype, count),
    storage: entry?.key ?? '',
    kind: 'parameter',
  };
  if (dtypeName(type) !== dtype) parameter.dtypeDetail = dtypeName(type);
  return parameter;
}

/** Bytes that a variable will take once there are values for it; Infinity never leaves this module. */
function sizeOf(dtype: DType, count: number): number {
  return Number.isFinite(count) ? (byteLengthOf(dtype, count) ?? 0) : 0;
}

/** Items of a list that the root tracks, in order. */
function listOf(graph: ObjectGraph, name: string): number[] {
  const list = graph.child(0, name);
  if (list === undefined) return [];
  const items = graph
    .children(list)
    .filter((child) => /^[0-9]+$/.test(child.name) && graph.kind(child.id) === 'variable');
  items.sort((a, b) => Number(a.name) - Number(b.name));
  return [...new Set(items.map((child) => child.id))];
}

function slotVariables(graph: ObjectGraph): Set<number> {
  const out = new Set<number>();
  for (const node of graph.nodes) for (const slot of node.slotVariables ?? []) out.add(slot.slotVariableNodeId ?? 0);
  return out;
}

function ownedBy(id: number, places: ReadonlyMap<number, Place>, test: (id: number) => boolean): boolean {
  for (let place = places.get(id); place; place = places.get(place.parent)) if (test(place.parent)) return true;
  return false;
}

/** Keras 3 keeps the state of a random generator among the variables of a model, and does not count it as a weight. */
function isSeed(name: string): boolean {
  return /(^|\/)seed_generator_state(:0)?$/.test(name);
}

/** The role that a path tells, for variables that the root does not list as its own. */
function roleOf(path: readonly string[], othersAreState: boolean): VariableRole {
  if (path.length === 0) return 'optimizer';
  if (path.some((edge) => /optimizer/i.test(edge))) return 'optimizer';
  if (path.some((edge) => edge === 'metrics' || edge === 'keras_api' || edge === 'compiled_metrics')) return 'metric';
  if (path.some((edge) => edge === 'save_counter' || edge === '_random_generator' || edge === 'seed_generator'))
    return 'state';
  if (path[0] === '_all_variables') return 'model';
  return othersAreState ? 'state' : 'model';
}

/**
 * Keras 3 exports track every variable twice, as two resources with equal content. The second is folded into the first when name, shape and
 * dtype agree and the stored checksums are the same.
 */
function foldCopies(variables: SavedVariable[], bundle: TensorBundle | undefined): SavedVariable[] {
  const first = new Map<string, SavedVariable>();
  for (const v of variables) {
    const { shape, dtype } = v.parameter;
    const entry = v.key === undefined ? undefined : bundle?.entries.get(v.key);
    const identity = JSON.stringify([v.variableName, dtype, shape, entry?.crc32c ?? null, entry?.slices.length ?? 0]);
    if (v.path[0] !== '_all_variables') {
      if (!first.has(identity)) first.set(identity, v);
      continue;
    }
    const original = first.get(identity);
    if (!original) continue;
    v.copyOf = original;
    original.parameter.note = `${original.parameter.note ? `${original.parameter.note} ` : ''}An equal copy is stored as ${v.key ?? v.path.join('/')}.`;
  }
  return variables;
}

/** Row names: what Keras calls a weight, or where the author's objects keep it; unique in any case. */
function nameAll(variables: readonly SavedVariable[], keras: boolean): void {
  const shown = variables.filter((v) => !v.copyOf);
  const uses = new Map<string, number>();
  for (const v of shown) uses.set(v.variableName, (uses.get(v.variableName) ?? 0) + 1);
  const taken = new Set<string>();
  for (const v of shown) {
    const path = v.path.join('/');
    const fromKey = v.key === undefined ? undefined : plainKey(v.key);
    const byVariable = v.variableName !== '' && uses.get(v.variableName) === 1;
    const name =
      (keras || v.role === 'optimizer') && byVariable ? v.variableName : (fromKey ?? (path || v.variableName));
    v.parameter.name = unique(name || `variable ${v.id}`, v.key ?? path, taken);
  }
  for (const v of variables) if (v.copyOf) v.parameter.name = v.copyOf.parameter.name;
}

function unique(name: string, otherwise: string, taken: Set<string>): string {
  let result = name;
  if (taken.has(result) && otherwise !== '') result = otherwise;
  for (let i = 2; taken.has(result); i++) result = `${name} (${i})`;
  taken.add(result);
  return result;
}

/** A checkpoint key without TensorFlow's suffix and escapes. */
export function plainKey(key: string): string {
  return key
    .replace(/\/\.ATTRIBUTES\/VARIABLE_VALUE$/, '')
    .replace(/\.([.S])/g, (_, c: string) => (c === '.' ? '.' : '/'));
}

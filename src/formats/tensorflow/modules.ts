import type { Attribute, ModuleNode } from '../../model/model';
import { configAttributes, layerSummary } from '../keras/layer-config';
import { pythonLiteral, unwrap } from '../keras/literal';
import type { Shape } from '../keras/shapes';
import { type LayerShapes, modelShapes } from '../keras/topology';
import type { KerasObject } from './keras-metadata';
import type { Child, ObjectGraph, Place } from './object-graph';
import { tracedShapes } from './structured';
import type { SavedVariable, VariableTable } from './variables';

/** Edges that lead to what TensorFlow and Keras keep for themselves, or again to what another edge leads to. */
const PLUMBING = new Set([
  'signatures',
  'keras_api',
  'variables',
  'trainable_variables',
  'non_trainable_variables',
  'regularization_losses',
  'layer_regularization_losses',
  'layer_metrics',
  '_all_variables',
  '_misc_assets',
  '_endpoint_names',
  '_self_unconditional_checkpoint_dependencies',
  '_self_unconditional_dependency_names',
  '_self_unconditional_deferred_dependencies',
]);

/** Names of user objects that say less than what they stand for. */
const KINDS: Record<string, string> = {
  trackable_list_wrapper: 'List',
  trackable_dict_wrapper: 'Dict',
  trackable_tuple_wrapper: 'Tuple',
  signature_map: 'Signatures',
  optimizer: 'Optimizer',
  experimentalOptimizer: 'Optimizer',
  _tf_keras_layer: 'Layer',
  _tf_keras_network: 'Model',
  _tf_keras_model: 'Model',
  _tf_keras_sequential: 'Sequential',
  _tf_keras_metric: 'Metric',
  _tf_keras_input_layer: 'InputLayer',
  _tf_keras_rnn_layer: 'RNN',
  _generic_user_object: 'Module',
};

/** Edges of the author's hierarchy. */
function skip(graph: ObjectGraph, hasList: (id: number) => boolean): (parent: number, child: Child) => boolean {
  return (parent, child) => {
    if (PLUMBING.has(child.name)) return true;
    const kind = graph.kind(child.id);
    if (kind !== 'userObject' && kind !== 'variable' && kind !== 'resource') return true;
    // `layer-3` lists every layer of a model in order; `layer_with_weights-1` and an attribute lead to the same ones again.
    return child.name.startsWith('layer_with_weights-') && hasList(parent);
  };
}

/** Makes the hierarchy of layers or tracked objects, each variable under the object that owns it. */
export function buildModules(
  graph: ObjectGraph,
  keras: ReadonlyMap<number, KerasObject>,
  table: VariableTable,
  rootKind: string,
): ModuleNode {
  const hasList = (id: number): boolean => graph.child(id, 'layer-0') !== undefined;
  const places = coverInOrder(graph, skip(graph, hasList));
  const below = new Map<number, number[]>();
  for (const [id, place] of places) {
    const list = below.get(place.parent);
    if (list) list.push(id);
    else below.set(place.parent, [id]);
  }
  const known = new Map<number, Map<string, LayerShapes> | undefined>();
  const shapesIn = (id: number): Map<string, LayerShapes> | undefined => {
    if (!known.has(id)) {
      const layer = keras.get(id)?.layer;
      known.set(id, layer && Array.isArray(layer.config.layers) ? modelShapes(layer) : undefined);
    }
    return known.get(id);
  };
  const root = node('', '', rootKind);
  describe(root, 0, graph, keras);
  const made = new Map<number, ModuleNode>([[0, root]]);
  const pending = [0];
  const order: number[] = [];
  const placed = new Set<number>();
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    order.push(id);
    const parent = made.get(id)!;
    const names = new Set<string>();
    const inside: number[] = [];
    for (const childId of below.get(id) ?? []) {
      const edge = places.get(childId)!.name;
      const variable = table.byId.get(childId);
      if (variable) {
        if (!variable.copyOf) {
          parent.parameters.push(variable.parameter.name);
          placed.add(childId);
        }
        continue;
      }
      const object = keras.get(childId);
      let name =
        object?.name && (/^layer(_with_weights)?-/.test(edge) || graph.identifier(childId).startsWith('_tf_keras'))
          ? object.name
          : edge;
      if (names.has(name)) name = edge;
      names.add(name);
      const child = node(parent.path === '' ? name : `${parent.path}.${name}`, name, kindOf(childId, graph, keras));
      describe(child, childId, graph, keras, shapesIn(id)?.get(name)?.output);
      made.set(childId, child);
      parent.children.push(child);
      inside.push(childId);
    }
    for (let i = inside.length - 1; i >= 0; i--) pending.push(inside[i]!);
  }
  prune(order, made, places, graph, keras);
  placeByName(
    root,
    table.variables.filter((v) => !v.copyOf && !placed.has(v.id)),
  );
  if (table.rest.length > 0) {
    const names = new Set(table.variables.map((v) => v.parameter.name));
    const others = table.parameters.filter((p) => !names.has(p.name)).map((p) => p.name);
    if (others.length > 0)
      root.children.push({ ...node('(other state)', '(other state)', 'State'), parameters: others });
  }
  return root;
}

/** Breadth first, with the layers of a model in their order and before its other attributes. */
function coverInOrder(graph: ObjectGraph, skipEdge: (parent: number, child: Child) => boolean): Map<number, Place> {
  const places = new Map<number, Place>();
  if (graph.size === 0) return places;
  const queue = [0];
  const seen = new Set(queue);
  const rank = (child: Child): number => {
    const match = /^layer-([0-9]+)$/.exec(child.name);
    return match ? Number(match[1]) : Number.MAX_SAFE_INTEGER;
  };
  for (let head = 0; head < queue.length; head++) {
    const id = queue[head]!;
    const children = graph.children(id).filter((child) => !skipEdge(id, child));
    if (children.some((child) => rank(child) < Number.MAX_SAFE_INTEGER)) children.sort((a, b) => rank(a) - rank(b));
    for (const child of children) {
      if (seen.has(child.id)) continue;
      seen.add(child.id);
      places.set(child.id, { parent: id, name: child.name });
      queue.push(child.id);
    }
  }
  return places;
}

function node(path: string, name: string, kind: string): ModuleNode {
  return { path, name, kind, attributes: [], parameters: [], children: [] };
}

function kindOf(id: number, graph: ObjectGraph, keras: ReadonlyMap<number, KerasObject>): string {
  const object = keras.get(id);
  if (object?.className) return object.className;
  const registered = graph.nodes[id]?.registeredName;
  if (registered) return registered.replace(/^tf\./, '');
  const identifier = graph.identifier(id);
  return KINDS[identifier] ?? (identifier || (graph.kind(id) === 'resource' ? 'Resource' : 'Object'));
}

/** Configuration, shapes and the short description of a node. */
function describe(
  target: ModuleNode,
  id: number,
  graph: ObjectGraph,
  keras: ReadonlyMap<number, KerasObject>,
  computed?: Shape,
): void {
  const object = keras.get(id);
  const attributes: Attribute[] = [];
  if (object?.layer) {
    attributes.push(...configAttributes(object.layer));
    const summary = layerSummary(object.layer);
    if (summary) target.summary = summary;
  }
  if (object?.trainable !== undefined && !attributes.some((a) => a.name === 'trainable')) {
    attributes.push({
      name: 'trainable',
      text: object.trainable ? 'True' : 'False',
      value: object.trainable,
      role: 'parameter',
    });
  }
  if (object?.inputShape !== undefined) {
    const value = unwrap(object.inputShape);
    attributes.push({
      name: 'input_shape',
      text: Array.isArray(value) ? pythonLiteral({ class_name: '__tuple__', items: value }) : pythonLiteral(value),
      value,
      role: 'attribute',
    });
  }
  // A trace may leave dimensions open that the model's own input shapes settle.
  const shapes = computed ? [computed] : tracedShapes(graph, id);
  if (shapes) {
    const text = (shape: (number | null)[] | null): string =>
      shape === null ? 'unknown' : pythonLiteral({ class_name: '__tuple__', items: shape });
    if (shapes.length === 1)
      attributes.push({ name: 'output_shape', text: text(shapes[0]!), value: shapes[0], role: 'attribute' });
    else
      attributes.push({
        name: 'output_shape',
        text: `[${shapes.map(text).join(', ')}]`,
        value: shapes,
        role: 'attribute',
      });
  }
  target.attributes = attributes;
}

/** Takes out helper objects that hold neither weights nor a table nor a configuration: random generators, empty lists. */
function prune(
  order: readonly number[],
  made: ReadonlyMap<number, ModuleNode>,
  places: ReadonlyMap<number, Place>,
  graph: ObjectGraph,
  keras: ReadonlyMap<number, KerasObject>,
): void {
  for (let i = order.length - 1; i > 0; i--) {
    const id = order[i]!;
    const own = made.get(id)!;
    const place = places.get(id)!;
    const isLayer = place.name.startsWith('layer-') || (keras.has(id) && graph.identifier(id) !== '_tf_keras_metric');
    if (own.parameters.length > 0 || own.children.length > 0 || isLayer || graph.kind(id) === 'resource') continue;
    const parent = made.get(place.parent)!;
    parent.children.splice(parent.children.indexOf(own), 1);
  }
}

const GROUPS = {
  optimizer: ['optimizer', 'Optimizer'],
  metric: ['metrics', 'Metrics'],
  state: ['(other state)', 'State'],
} as const;

/** Variables that only lists lead to are grouped by the scopes of their names, as Keras 3 exports have no layers. */
function placeByName(root: ModuleNode, variables: readonly SavedVariable[]): void {
  const byPath = new Map<string, ModuleNode>();
  const find = (parent: ModuleNode, name: string, kind: string, inferredFrom?: string): ModuleNode => {
    const path = parent.path === '' ? name : `${parent.path}.${name}`;
    let found = byPath.get(path) ?? parent.children.find((child) => child.path === path);
    if (!found) {
      found = node(path, name, kind);
      if (inferredFrom) found.inferredFrom = inferredFrom;
      parent.children.push(found);
    }
    byPath.set(path, found);
    return found;
  };
  for (const v of variables) {
    let at = root;
    if (v.role === 'model') {
      for (const scope of v.variableName.split('/').slice(0, -1).slice(0, 64))
        if (scope !== '') at = find(at, scope, 'Scope', 'the names of the variables');
    } else {
      const [name, kind] = GROUPS[v.role];
      at = find(root, name, kind);
    }
    at.parameters.push(v.parameter.name);
  }
}

/** The hierarchy of a Keras model: layers of its configuration, groups of its file. */
import type { Attribute, ModuleNode } from '../../model/model';
import type { Hdf5Node } from './hdf5';
import { configAttributes, innerLayers, type LayerConfig, layerSummary, wrappedLayers } from './layer-config';
import { pythonLiteral } from './literal';
import { type LayerShapes, modelShapes } from './topology';

/** Models inside models that are shown; a configuration nests a few levels. */
const MAX_DEPTH = 64;

/** The layers of a configuration as a hierarchy. */
export function layerTree(config: LayerConfig): ModuleNode {
  const root: ModuleNode = {
    path: '',
    name: '',
    kind: config.className,
    attributes: configAttributes(config),
    parameters: [],
    children: [],
  };
  const pending: { config: LayerConfig; node: ModuleNode; depth: number }[] = [{ config, node: root, depth: 0 }];
  for (let next = pending.pop(); next; next = pending.pop()) {
    if (next.depth >= MAX_DEPTH) continue;
    const inner = innerLayers(next.config);
    const shapes = inner.length > 0 ? modelShapes(next.config) : new Map<string, LayerShapes>();
    const parts = [
      ...inner.map((layer) => ({ name: layer.name || layer.className, layer })),
      ...wrappedLayers(next.config).map((w) => ({ name: w.edge, layer: w.layer })),
    ];
    for (const { name, layer } of parts) {
      const node = branch(next.node, name, layer.className);
      node.attributes = configAttributes(layer);
      const summary = layerSummary(layer);
      if (summary) node.summary = summary;
      const own = shapes.get(name);
      if (own?.input) node.attributes.push(shapeAttribute('input_shape', own.input));
      if (own?.output) node.attributes.push(shapeAttribute('output_shape', [own.output]));
      pending.push({ config: layer, node, depth: next.depth + 1 });
    }
  }
  return root;
}

function shapeAttribute(name: string, shapes: readonly (number | null)[][]): Attribute {
  const text = shapes.map((s) => pythonLiteral({ class_name: '__tuple__', items: s }));
  return shapes.length === 1
    ? { name, text: text[0]!, value: shapes[0], role: 'attribute' }
    : { name, text: `[${text.join(', ')}]`, value: shapes, role: 'attribute' };
}

export function groupAttributes(group: Hdf5Node): Attribute[] {
  return [...group.attributes].map(([name, value]) => ({
    name,
    text: value === undefined ? '(not shown)' : pythonLiteral(value),
    role: 'attribute' as const,
  }));
}

export function branch(parent: ModuleNode, name: string, kind: string): ModuleNode {
  const path = parent.path === '' ? name : `${parent.path}.${name}`;
  const made: ModuleNode = { path, name, kind, attributes: [], parameters: [], children: [] };
  parent.children.push(made);
  return made;
}

/** The layer below `top` that the scopes of a weight's name lead to, as far as they do. */
export function deepest(top: ModuleNode, scopes: readonly string[]): ModuleNode {
  let at = top;
  for (const scope of scopes) at = at.children.find((child) => child.name === scope) ?? at;
  return at;
}

/** Takes out helper groups that hold nothing. */
export function prune(root: ModuleNode): void {
  const order: ModuleNode[] = [];
  const pending = [root];
  for (let node = pending.pop(); node; node = pending.pop()) {
    order.push(node);
    pending.push(...node.children);
  }
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i]!;
    node.children = node.children.filter(
      (child) => child.kind !== 'Part' || child.parameters.length > 0 || child.children.length > 0,
    );
  }
}

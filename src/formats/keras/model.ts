import type { ByteSource } from '../../bytes/byte-source';
import type {
  Attribute,
  Fact,
  Finding,
  FormatId,
  Model,
  ModuleNode,
  Parameter,
  PickleSection,
  Signature,
  Summary,
  TensorSpec,
} from '../../model/model';
import { byteLengthOf, elementCount } from '../../tensors/dtype';
import { totalsOf } from '../tensorflow/totals';
import { datasetTensor, type Hdf5Node } from './hdf5';
import {
  configAttributes,
  innerLayers,
  isAutomaticName,
  type LayerConfig,
  layerSummary,
  wrappedLayers,
} from './layer-config';
import { pythonLiteral } from './literal';
import { type LayerShapes, modelShapes } from './topology';

/** What a Keras file gives beside its bytes. */
export interface KerasParts {
  format: FormatId;
  name: string;
  config: LayerConfig | undefined;
  /** Root of the weights, and the file they are in. */
  weights?: { root: Hdf5Node; source: ByteSource };
  /** `saving`: groups by layers with `vars` in them (Keras 3 and `.weights.h5`); `legacy`: groups by layer names with lists of weight names. */
  layout: 'saving' | 'legacy' | 'plain';
  version?: string;
  facts: Fact[];
  warnings: Finding[];
}

/** A model from a Keras file: its configuration as layers, with the weights that the file keeps for each. */
export class KerasModel implements Model {
  readonly format: FormatId;
  readonly summary: Summary;
  readonly root: ModuleNode;
  readonly parameters: Parameter[] = [];
  readonly signatures: Signature[] = [];
  readonly warnings: Finding[];
  readonly pickles: PickleSection[] = [];
  readonly noPrediction?: string;
  /** The configuration as the file has it, for the security side and for translating the model. */
  readonly config: LayerConfig | undefined;
  private readonly names = new Set<string>();

  constructor(parts: KerasParts) {
    const { config } = parts;
    this.format = parts.format;
    this.config = config;
    this.warnings = parts.warnings;
    this.root = config
      ? layerTree(config)
      : {
          path: '',
          name: '',
          kind: parts.layout === 'plain' ? 'HDF5 file' : 'Weights',
          attributes: [],
          parameters: [],
          children: [],
        };
    if (parts.weights) {
      const { root, source } = parts.weights;
      if (parts.layout === 'saving') this.placeSaved(root, source, config);
      else if (parts.layout === 'legacy') this.placeLegacy(root, source);
      else this.placePlain(root, source);
    }
    if (config) this.signatures.push(...callSignature(config));
    else this.noPrediction = 'The file has weights only; the layers that use them are not in it.';
    this.summary = this.summarise(parts);
  }

  /** Groups named after classes and numbered, each with its own weights in `vars` and its parts in groups beside. */
  private placeSaved(root: Hdf5Node, source: ByteSource, config: LayerConfig | undefined): void {
    const pending: { group: Hdf5Node; node: ModuleNode; config?: LayerConfig; state: boolean; frozen: boolean }[] = [
      {
        group: root,
        node: this.root,
        ...(config && { config }),
        state: false,
        frozen: config?.config.trainable === false,
      },
    ];
    for (let next = pending.pop(); next; next = pending.pop()) {
      const { group, node, state } = next;
      const more: typeof pending = [];
      const own = next.config;
      const frozen = next.frozen || own?.config.trainable === false;
      for (const child of ordered(group.children)) {
        if (child.dataset)
          this.add(node, source, child, child.name, state || isSeed(child) ? 'attribute' : 'parameter', !frozen);
        else if (child.name === 'vars') {
          const names = weightNames(own, child.children.length);
          ordered(child.children).forEach((dataset, i) => {
            const name = names[i] ?? dataset.name;
            const seed = state || isSeedGroup(group);
            this.add(node, source, dataset, name, seed ? 'attribute' : 'parameter', !frozen && !isMoving(name));
          });
        } else if (CONTAINERS.has(child.name)) {
          const targets = containerTargets(own, child);
          for (const inner of ordered(child.children)) {
            const layer = targets.get(inner.name) ?? (config ? undefined : guessed(inner));
            let target = layer && node.children.find((n) => n.name === layer.name);
            if (!target) {
              target = branch(node, nameAttribute(inner) ?? inner.name, layer?.className ?? 'Layer');
              if (layer) target.inferredFrom = 'the name of its group';
            }
            more.push({ group: inner, node: target, ...(layer && { config: layer }), state, frozen });
          }
        } else {
          const wrapped = own ? wrappedLayers(own).find((w) => w.edge === child.name)?.layer : undefined;
          const isState = state || (node === this.root && (child.name === 'optimizer' || child.name === 'metrics'));
          const kind =
            wrapped?.className ??
            (child.name === 'optimizer'
              ? 'Optimizer'
              : child.name === 'metrics'
                ? 'Metrics'
                : child.name === 'cell' && own
                  ? `${own.className}Cell`
                  : 'Part');
          const target = node.children.find((n) => n.name === child.name) ?? branch(node, child.name, kind);
          const inner = wrapped ?? (child.name === 'cell' && own ? own : undefined);
          more.push({ group: child, node: target, ...(inner && { config: inner }), state: isState, frozen });
        }
      }
      for (let i = more.length - 1; i >= 0; i--) pending.push(more[i]!);
    }
    prune(this.root);
  }

  /** Keras 1 and 2: `layer_names` at the root, `weight_names` at each layer's group. */
  private placeLegacy(root: Hdf5Node, source: ByteSource): void {
    const groups = new Map(root.children.map((child) => [child.name, child]));
    const listed = strings(root.attributes.get('layer_names'));
    for (const layerName of [...listed, ...[...groups.keys()].filter((name) => !listed.includes(name))]) {
      const group = groups.get(layerName);
      if (!group || group.dataset) continue;
      const weights = strings(group.attributes.get('weight_names'));
      const datasets = new Map(leaves(group).map((leaf) => [leaf.path.slice(group.path.length + 1), leaf]));
      const state = layerName === 'optimizer_weights';
      for (const name of [...weights, ...[...datasets.keys()].filter((path) => !weights.includes(path))]) {
        const dataset = datasets.get(name);
        if (!dataset) {
          this.warnings.push({
            rule: 'keras-weights',
            severity: 'info',
            message: `The weight ${name} of layer ${layerName} is named but not in the file.`,
          });
          continue;
        }
        const top =
          this.root.children.find((n) => n.name === layerName) ??
          branch(this.root, layerName, state ? 'Optimizer' : 'Layer');
        const plain = name.replace(/:0$/, '');
        const node = deepest(top, plain.split('/').slice(0, -1));
        const frozen =
          node.attributes.some((a) => a.name === 'trainable' && a.value === false) ||
          top.attributes.some((a) => a.name === 'trainable' && a.value === false);
        this.add(node, source, dataset, plain, state ? 'attribute' : 'parameter', !frozen && !isMoving(plain), true);
      }
    }
  }

  /** Any other HDF5 file: groups and datasets as they are. */
  private placePlain(root: Hdf5Node, source: ByteSource): void {
    const pending: { group: Hdf5Node; node: ModuleNode }[] = [{ group: root, node: this.root }];
    for (let next = pending.pop(); next; next = pending.pop()) {
      const { group, node } = next;
      node.attributes = attributes(group);
      for (const child of group.children) {
        if (child.dataset) this.add(node, source, child, child.path.slice(1), 'attribute', undefined, true);
        else {
          const made = branch(node, child.name, child.problem ? 'Link' : 'Group');
          if (child.problem) made.summary = child.problem;
          pending.push({ group: child, node: made });
        }
      }
    }
  }

  private add(
    node: ModuleNode,
    source: ByteSource,
    leaf: Hdf5Node,
    name: string,
    kind: 'parameter' | 'attribute',
    trainable: boolean | undefined,
    whole = false,
  ): void {
    const { dataset } = leaf;
    if (!dataset) return;
    const count = elementCount(dataset.shape);
    const base = whole ? name : [...node.path.split('.').filter((part) => part !== ''), name].join('/');
    let unique = base;
    for (let i = 2; this.names.has(unique); i++) unique = `${base} (${i})`;
    this.names.add(unique);
    const row: Parameter = {
      name: unique,
      shape: dataset.shape,
      dtype: dataset.dtype,
      count,
      bytes: byteLengthOf(dataset.dtype, count) ?? count * dataset.itemsize,
      storage: leaf.path,
      kind: kind === 'attribute' ? 'attribute' : trainable === false ? 'buffer' : 'parameter',
    };
    if (kind === 'parameter' && trainable !== undefined) row.requiresGrad = trainable;
    if (dataset.detail) row.dtypeDetail = dataset.detail;
    const tensor = datasetTensor(source, leaf);
    if (tensor) row.tensor = tensor;
    else row.note = leaf.problem ?? 'Values of this type are not shown.';
    this.parameters.push(row);
    node.parameters.push(row.name);
  }

  private summarise(parts: KerasParts): Summary {
    const { config } = parts;
    const weights = { trainable: 0, frozen: 0 };
    for (const p of this.parameters)
      if (p.kind !== 'attribute') weights[p.requiresGrad === false ? 'frozen' : 'trainable'] += p.count;
    const facts = [...parts.facts];
    const layers = config ? innerLayers(config).length : 0;
    if (config) {
      facts.push(
        { label: 'Trainable parameters', value: String(weights.trainable) },
        { label: 'Non-trainable parameters', value: String(weights.frozen) },
      );
      if (!parts.weights) facts.push({ label: 'Weights', value: 'none in the file: structure only' });
    }
    const named = config && config.name !== '' && !isAutomaticName(config.name, config.className);
    const title = config
      ? named
        ? `${config.name} (${config.className})`
        : config.className
      : parts.layout === 'plain'
        ? 'HDF5 file'
        : 'Keras weights';
    const subtitle = config
      ? `Keras model, ${layers} layer${layers === 1 ? '' : 's'}`
      : `${parts.name}, ${this.parameters.length} ${parts.layout === 'plain' ? 'dataset' : 'weight'}${this.parameters.length === 1 ? '' : 's'}`;
    const totals = totalsOf(
      parts.layout === 'plain' ? this.parameters.map((p) => ({ ...p, kind: 'parameter' as const })) : this.parameters,
    );
    const summary: Summary = { title, subtitle, facts, totals };
    if (parts.layout !== 'plain')
      summary.producer = parts.version ? { name: 'Keras', version: parts.version } : { name: 'Keras' };
    return summary;
  }
}

/** Groups that list layers by class names. */
const CONTAINERS = new Set(['layers', '_layer_checkpoint_dependencies', '_layers', '_operations']);

/** Layers of a configuration by the names that Keras's saving gives their groups: snake case, numbered by repetition. */
function containerTargets(config: LayerConfig | undefined, container: Hdf5Node): Map<string, LayerConfig> {
  const out = new Map<string, LayerConfig>();
  if (!config) return out;
  const layers = innerLayers(config);
  // Newer versions say the layer's name in the file.
  for (const group of container.children) {
    const name = nameAttribute(group);
    const layer = name === undefined ? undefined : layers.find((l) => l.name === name);
    if (layer) out.set(group.name, layer);
  }
  if (out.size > 0) return out;
  const used = new Map<string, number>();
  for (const layer of layers) {
    const snake = snakeCase(layer.className);
    const seen = used.get(snake);
    used.set(snake, (seen ?? -1) + 1);
    out.set(seen === undefined ? snake : `${snake}_${seen + 1}`, layer);
  }
  return out;
}

/** Layers whose weights have names here, by the names of their groups. */
const KNOWN = new Map(
  [
    'Dense',
    'EinsumDense',
    'Embedding',
    'LSTM',
    'GRU',
    'SimpleRNN',
    'BatchNormalization',
    'LayerNormalization',
    'GroupNormalization',
    'PReLU',
    'Dropout',
    ...[
      'Conv1D',
      'Conv2D',
      'Conv3D',
      'Conv1DTranspose',
      'Conv2DTranspose',
      'Conv3DTranspose',
      'DepthwiseConv1D',
      'DepthwiseConv2D',
      'SeparableConv1D',
      'SeparableConv2D',
    ],
  ].map((name) => [snakeCase(name), name]),
);

/** What a group of a file without configuration stands for, by its name: `dense_1`. */
function guessed(group: Hdf5Node): LayerConfig | undefined {
  const className = KNOWN.get(group.name.replace(/_[0-9]+$/, ''));
  if (className === undefined) return undefined;
  return { className, name: nameAttribute(group) ?? group.name, config: {}, raw: {} };
}

function nameAttribute(group: Hdf5Node): string | undefined {
  const name = group.children.find((child) => child.name === 'vars')?.attributes.get('name');
  return typeof name === 'string' ? name : undefined;
}

/** `BatchNormalization` → `batch_normalization`, as Keras's saving does it. */
function snakeCase(name: string): string {
  return name
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}

/** Names of a layer's own weights in their order; empty for layers whose weights have no fixed names here. */
function weightNames(layer: LayerConfig | undefined, count: number): string[] {
  if (!layer) return [];
  const c = layer.config;
  const bias = c.use_bias === false ? [] : ['bias'];
  const k = layer.className;
  let names: string[] = [];
  if (/^(Dense|EinsumDense|Conv[123]D(Transpose)?|DepthwiseConv[12]D)$/.test(k)) names = ['kernel', ...bias];
  else if (/^SeparableConv[12]D$/.test(k)) names = ['depthwise_kernel', 'pointwise_kernel', ...bias];
  else if (k === 'Embedding') names = ['embeddings'];
  else if (/^(LSTM|GRU|SimpleRNN)(Cell)?$/.test(k)) names = ['kernel', 'recurrent_kernel', ...bias];
  else if (k === 'BatchNormalization')
    names = [
      ...(c.scale === false ? [] : ['gamma']),
      ...(c.center === false ? [] : ['beta']),
      'moving_mean',
      'moving_variance',
    ];
  else if (k === 'LayerNormalization' || k === 'GroupNormalization')
    names = [...(c.scale === false ? [] : ['gamma']), ...(c.center === false ? [] : ['beta'])];
  else if (k === 'PReLU') names = ['alpha'];
  return names.length === count ? names : [];
}

function isMoving(name: string): boolean {
  return /(^|\/)moving_(mean|variance)$/.test(name);
}

function isSeedGroup(group: Hdf5Node): boolean {
  return group.name === 'seed_generator' || group.name === '_random_generator';
}

function isSeed(node: Hdf5Node): boolean {
  return node.name === 'seed_generator_state';
}

/** `0`, `1`, …, `10` in number order. */
function ordered(children: readonly Hdf5Node[]): Hdf5Node[] {
  return [...children].sort(
    (a, b) =>
      Number(/^[0-9]+$/.test(a.name)) - Number(/^[0-9]+$/.test(b.name)) ||
      (/^[0-9]+$/.test(a.name) ? Number(a.name) - Number(b.name) : 0),
  );
}

function leaves(group: Hdf5Node): Hdf5Node[] {
  const out: Hdf5Node[] = [];
  const pending = [...group.children].reverse();
  for (let node = pending.pop(); node; node = pending.pop()) {
    if (node.dataset) out.push(node);
    for (let i = node.children.length - 1; i >= 0; i--) pending.push(node.children[i]!);
  }
  return out;
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : typeof value === 'string' ? [value] : [];
}

function attributes(group: Hdf5Node): Attribute[] {
  return [...group.attributes].map(([name, value]) => ({
    name,
    text: value === undefined ? '(not shown)' : pythonLiteral(value),
    role: 'attribute' as const,
  }));
}

function branch(parent: ModuleNode, name: string, kind: string): ModuleNode {
  const path = parent.path === '' ? name : `${parent.path}.${name}`;
  const made: ModuleNode = { path, name, kind, attributes: [], parameters: [], children: [] };
  parent.children.push(made);
  return made;
}

/** The layer below `top` that the scopes of a weight's name lead to, as far as they do. */
function deepest(top: ModuleNode, scopes: readonly string[]): ModuleNode {
  let at = top;
  for (const scope of scopes) at = at.children.find((child) => child.name === scope) ?? at;
  return at;
}

/** Takes out helper groups that hold nothing. */
function prune(root: ModuleNode): void {
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

/** Models inside models that are shown; a configuration nests a few levels. */
const MAX_DEPTH = 64;

/** The layers of a configuration as a hierarchy. */
function layerTree(config: LayerConfig): ModuleNode {
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

/** Inputs and outputs of the model as its configuration tells. */
function callSignature(config: LayerConfig): Signature[] {
  const layers = innerLayers(config);
  const shapes = modelShapes(config);
  const spec = (name: string, shape: (number | null)[] | undefined, dtype: unknown): TensorSpec => ({
    name,
    dtype: typeof dtype === 'string' ? dtype : 'float32',
    shape: shape ?? null,
  });
  const first = layers[0];
  if (!first) return [];
  const inputLayers = layers.filter((layer) => layer.className === 'InputLayer');
  const inputs =
    inputLayers.length > 0
      ? inputLayers.map((layer) => spec(layer.name, shapes.get(layer.name)?.output, layer.config.dtype))
      : [spec('inputs', shapes.get(first.name)?.input?.[0], 'float32')];
  const used = new Set<string>();
  for (const s of shapes.values()) for (const name of s.from) used.add(name);
  const results = layers.filter((layer) => !used.has(layer.name) && layer.className !== 'InputLayer');
  const outputs = results.map((layer) => spec(layer.name, shapes.get(layer.name)?.output, 'float32'));
  return [{ name: 'call', inputs, outputs, description: 'The inputs and outputs that the configuration names.' }];
}

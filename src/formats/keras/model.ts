import type { ByteSource } from '../../bytes/byte-source';
import { counted } from '../../model/counted';
import type {
  Fact,
  Finding,
  FormatId,
  Model,
  ModuleNode,
  Parameter,
  PickleSection,
  Signature,
  Summary,
} from '../../model/model';
import { ParameterTable } from '../../model/parameter-table';
import { byteLengthOf, elementCount } from '../../tensors/dtype';
import { totalsOf } from '../tensorflow/totals';
import { callSignature } from './call-signature';
import { datasetTensor, type Hdf5Node } from './hdf5';
import { branch, deepest, groupAttributes, layerTree, prune } from './hierarchy';
import { innerLayers, isAutomaticName, type LayerConfig, wrappedLayers } from './layer-config';
import {
  CONTAINERS,
  containerTargets,
  guessed,
  inLayerOrder,
  isMoving,
  isSeed,
  isSeedGroup,
  leaves,
  nameAttribute,
  ordered,
  strings,
  weightNames,
} from './weight-groups';

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
  readonly parameters = new ParameterTable();
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
          for (const inner of inLayerOrder(child.children, own, targets)) {
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
      node.attributes = groupAttributes(group);
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
    this.parameters.add(row);
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
      ? `Keras model, ${counted(layers, 'layer')}`
      : `${parts.name}, ${counted(this.parameters.length, parts.layout === 'plain' ? 'dataset' : 'weight')}`;
    const totals = totalsOf(
      parts.layout === 'plain' ? this.parameters.map((p) => ({ ...p, kind: 'parameter' as const })) : this.parameters,
    );
    const summary: Summary = { title, subtitle, facts, totals };
    if (parts.layout !== 'plain')
      summary.producer = parts.version ? { name: 'Keras', version: parts.version } : { name: 'Keras' };
    return summary;
  }
}

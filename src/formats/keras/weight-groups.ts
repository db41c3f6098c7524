/** How Keras names the groups and weights of its HDF5 files. */
import type { Hdf5Node } from './hdf5';
import { innerLayers, type LayerConfig } from './layer-config';

/** Groups that list layers by class names. */
export const CONTAINERS = new Set(['layers', '_layer_checkpoint_dependencies', '_layers', '_operations']);

/** Layers of a configuration by the names that Keras's saving gives their groups: snake case, numbered where a class comes again. */
export function containerTargets(config: LayerConfig | undefined, container: Hdf5Node): Map<string, LayerConfig> {
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
  for (const [snake, sameClass] of byClass(layers)) {
    const groups = container.children
      .filter((group) => numberOf(group.name, snake) !== undefined)
      .sort((one, other) => (numberOf(one.name, snake) ?? 0) - (numberOf(other.name, snake) ?? 0));
    // Keras 2.12 counts a layer with weights twice (`dense`, `dense_2`, `dense_4`): the order says which is which, not the number.
    const inOrder = groups.length === sameClass.length;
    for (const [i, group] of groups.entries()) {
      const layer = sameClass[inOrder ? i : (numberOf(group.name, snake) ?? 0)];
      if (layer) out.set(group.name, layer);
    }
  }
  return out;
}

/** Groups in the order of their layers, which HDF5 keeps by name; those of no known layer last. */
export function inLayerOrder(
  groups: readonly Hdf5Node[],
  config: LayerConfig | undefined,
  targets: ReadonlyMap<string, LayerConfig>,
): Hdf5Node[] {
  const place = new Map((config ? innerLayers(config) : []).map((layer, i) => [layer.name, i]));
  const of = ({ name }: Hdf5Node): number => {
    const layer = targets.get(name);
    return (layer && place.get(layer.name)) ?? place.size;
  };
  return ordered(groups).sort((a, b) => of(a) - of(b));
}

/** Layers by the snake case of their class, in order. */
function byClass(layers: readonly LayerConfig[]): Map<string, LayerConfig[]> {
  const out = new Map<string, LayerConfig[]>();
  for (const layer of layers) {
    const snake = snakeCase(layer.className);
    const same = out.get(snake);
    if (same) same.push(layer);
    else out.set(snake, [layer]);
  }
  return out;
}

/** 0 for `dense`, 2 for `dense_2`; `undefined` for the group of another class. */
function numberOf(group: string, snake: string): number | undefined {
  if (group === snake) return 0;
  const number = group.startsWith(`${snake}_`) ? group.slice(snake.length + 1) : '';
  return /^[0-9]+$/.test(number) ? Number(number) : undefined;
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
export function guessed(group: Hdf5Node): LayerConfig | undefined {
  const className = KNOWN.get(group.name.replace(/_[0-9]+$/, ''));
  if (className === undefined) return undefined;
  return { className, name: nameAttribute(group) ?? group.name, config: {}, raw: {} };
}

export function nameAttribute(group: Hdf5Node): string | undefined {
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
export function weightNames(layer: LayerConfig | undefined, count: number): string[] {
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

export function isMoving(name: string): boolean {
  return /(^|\/)moving_(mean|variance)$/.test(name);
}

export function isSeedGroup(group: Hdf5Node): boolean {
  return group.name === 'seed_generator' || group.name === '_random_generator';
}

export function isSeed(node: Hdf5Node): boolean {
  return node.name === 'seed_generator_state';
}

/** `0`, `1`, …, `10` in number order. */
export function ordered(children: readonly Hdf5Node[]): Hdf5Node[] {
  return [...children].sort(
    (a, b) =>
      Number(/^[0-9]+$/.test(a.name)) - Number(/^[0-9]+$/.test(b.name)) ||
      (/^[0-9]+$/.test(a.name) ? Number(a.name) - Number(b.name) : 0),
  );
}

export function leaves(group: Hdf5Node): Hdf5Node[] {
  const out: Hdf5Node[] = [];
  const pending = [...group.children].reverse();
  for (let node = pending.pop(); node; node = pending.pop()) {
    if (node.dataset) out.push(node);
    for (let i = node.children.length - 1; i >= 0; i--) pending.push(node.children[i]!);
  }
  return out;
}

export function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : typeof value === 'string' ? [value] : [];
}

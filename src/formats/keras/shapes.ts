import type { LayerConfig } from './layer-config';
import { type Json, unwrap } from './literal';

/** A shape with the batch first; `null` for what varies. */
export type Shape = (number | null)[];

/** Layers that keep the shape they get. */
const SAME = new Set([
  'Activation',
  'ReLU',
  'LeakyReLU',
  'PReLU',
  'ELU',
  'ThresholdedReLU',
  'Softmax',
  'Dropout',
  'SpatialDropout1D',
  'SpatialDropout2D',
  'SpatialDropout3D',
  'GaussianNoise',
  'GaussianDropout',
  'AlphaDropout',
  'BatchNormalization',
  'LayerNormalization',
  'GroupNormalization',
  'UnitNormalization',
  'RMSNormalization',
  'Normalization',
  'Rescaling',
  'ActivityRegularization',
  'Masking',
  'Identity',
  'InputLayer',
  'RandomFlip',
  'RandomRotation',
  'RandomZoom',
  'RandomContrast',
  'RandomBrightness',
  'RandomTranslation',
  'SpectralNormalization',
]);

/** Layers that join several inputs element by element. */
const MERGE = new Set(['Add', 'Subtract', 'Multiply', 'Average', 'Maximum', 'Minimum']);

/**
 * The shape that a layer gives for the shapes it gets, as `compute_output_shape` of Keras documents it. `undefined` for layers that are not
 * known here, or when an input is not.
 */
export function outputShape(layer: LayerConfig, inputs: readonly (Shape | undefined)[]): Shape | undefined {
  const input = inputs[0];
  if (!input || input.length === 0) return undefined;
  const c = layer.config;
  const name = layer.className;
  const channelsFirst = c.data_format === 'channels_first';
  if (SAME.has(name)) return input;
  if (MERGE.has(name))
    return inputs.every((s) => s?.length === input.length) ? broadcast(inputs as Shape[]) : undefined;
  switch (name) {
    case 'Dense':
    case 'EinsumDense':
      return name === 'Dense' && typeof c.units === 'number' ? [...input.slice(0, -1), c.units] : undefined;
    case 'Embedding':
      return typeof c.output_dim === 'number' ? [...input, c.output_dim] : undefined;
    case 'Flatten': {
      const rest = input.slice(1);
      return [input[0]!, product(rest)];
    }
    case 'Reshape': {
      const target = numbers(c.target_shape);
      if (!target) return undefined;
      const hole = target.indexOf(-1);
      if (hole < 0) return [input[0]!, ...target];
      const total = product(input.slice(1));
      const known = target.reduce((n, d) => (d === -1 ? n : n * d), 1);
      return [input[0]!, ...target.map((d) => (d === -1 ? (total === null || known === 0 ? null : total / known) : d))];
    }
    case 'Permute': {
      const dims = numbers(c.dims);
      return dims ? [input[0]!, ...dims.map((d) => input[d] ?? null)] : undefined;
    }
    case 'RepeatVector':
      return typeof c.n === 'number' ? [input[0]!, c.n, ...input.slice(1)] : undefined;
    case 'Concatenate': {
      if (!inputs.every((s) => s?.length === input.length)) return undefined;
      const axis = typeof c.axis === 'number' ? c.axis : -1;
      const at = axis < 0 ? input.length + axis : axis;
      return input.map((d, i) =>
        i === at ? inputs.reduce<number | null>((n, s) => (n === null || s![i] == null ? null : n + s![i]!), 0) : d,
      );
    }
    case 'LSTM':
    case 'GRU':
    case 'SimpleRNN': {
      if (typeof c.units !== 'number') return undefined;
      return c.return_sequences === true ? [input[0]!, input[1] ?? null, c.units] : [input[0]!, c.units];
    }
  }
  const global = /^Global(Average|Max)Pool(ing)?([123])D$/.exec(name);
  if (global) {
    const channels = channelsFirst ? input[1]! : input.at(-1)!;
    if (c.keepdims !== true) return [input[0]!, channels];
    return channelsFirst
      ? [input[0]!, channels, ...input.slice(2).map(() => 1)]
      : [input[0]!, ...input.slice(1, -1).map(() => 1), channels];
  }
  const spatial = (change: (size: number | null, axis: number) => number | null, channels: number | null): Shape =>
    channelsFirst
      ? [input[0]!, channels, ...input.slice(2).map(change)]
      : [input[0]!, ...input.slice(1, -1).map(change), channels];
  const inChannels = channelsFirst ? input[1]! : input.at(-1)!;
  const window =
    (kernel: number[] | undefined, strides: number[] | undefined, dilation: number[] | undefined) =>
    (size: number | null, axis: number): number | null => {
      const k = pick(kernel, axis) ?? 1;
      const s = pick(strides, axis) ?? 1;
      const d = pick(dilation, axis) ?? 1;
      if (size === null) return null;
      if (c.padding === 'same') return Math.ceil(size / s);
      const effective = (k - 1) * d + 1;
      const padded = c.padding === 'causal' ? size + effective - 1 : size;
      return Math.max(0, Math.floor((padded - effective) / s) + 1);
    };
  if (/^(Separable|Depthwise)?Conv([123])D$/.test(name)) {
    const multiplier = typeof c.depth_multiplier === 'number' ? c.depth_multiplier : 1;
    const filters = name.startsWith('Depthwise')
      ? inChannels === null
        ? null
        : inChannels * multiplier
      : typeof c.filters === 'number'
        ? c.filters
        : null;
    return spatial(window(numbers(c.kernel_size), numbers(c.strides), numbers(c.dilation_rate)), filters);
  }
  if (/^Conv([123])DTranspose$/.test(name)) {
    const kernel = numbers(c.kernel_size);
    const strides = numbers(c.strides);
    const extra = numbers(c.output_padding);
    const dilation = numbers(c.dilation_rate);
    return spatial(
      (size, axis) => {
        if (size === null) return null;
        const s = pick(strides, axis) ?? 1;
        const k = ((pick(kernel, axis) ?? 1) - 1) * (pick(dilation, axis) ?? 1) + 1;
        const more = pick(extra, axis);
        if (more === undefined) return c.padding === 'same' ? size * s : size * s + Math.max(k - s, 0);
        return (size - 1) * s + k - 2 * (c.padding === 'same' ? Math.floor(k / 2) : 0) + more;
      },
      typeof c.filters === 'number' ? c.filters : null,
    );
  }
  if (/^(Average|Max)Pool(ing)?([123])D$/.test(name)) {
    const size = numbers(c.pool_size);
    return spatial(window(size, numbers(c.strides) ?? size, undefined), inChannels);
  }
  if (/^UpSampling([123])D$/.test(name)) {
    const size = numbers(c.size);
    return spatial((n, axis) => (n === null ? null : n * (pick(size, axis) ?? 1)), inChannels);
  }
  if (/^ZeroPadding([123])D$|^Cropping([123])D$/.test(name)) {
    const sign = name.startsWith('Zero') ? 1 : -1;
    const pads = margins((name.startsWith('Zero') ? c.padding : c.cropping) ?? null, input.length - 2);
    return pads ? spatial((n, axis) => (n === null ? null : n + sign * (pads[axis] ?? 0)), inChannels) : undefined;
  }
  return undefined;
}

function pick(list: readonly number[] | undefined, axis: number): number | undefined {
  if (!list || list.length === 0) return undefined;
  return list.length === 1 ? list[0] : list[axis];
}

/** Total of both sides for each dimension: `1`, `(1, 2)` or `((1, 2), (3, 4))`. */
function margins(value: Json, rank: number): number[] | undefined {
  const plain = unwrap(value);
  if (typeof plain === 'number') return new Array<number>(rank).fill(2 * plain);
  if (!Array.isArray(plain)) return undefined;
  const sides = plain.map((item) => numbers(item) ?? []);
  if (rank === 1 && plain.every((n) => typeof n === 'number')) return [(plain as number[]).reduce((a, b) => a + b, 0)];
  return sides.map((pair) => (pair.length === 1 ? 2 * pair[0]! : pair.reduce((a, b) => a + b, 0)));
}

function numbers(value: Json | undefined): number[] | undefined {
  const plain = unwrap(value ?? null);
  if (typeof plain === 'number') return [plain];
  return Array.isArray(plain) && plain.every((n) => typeof n === 'number') ? (plain as number[]) : undefined;
}

function product(dims: readonly (number | null)[]): number | null {
  return dims.reduce<number | null>((n, d) => (n === null || d === null ? null : n * d), 1);
}

function broadcast(shapes: readonly Shape[]): Shape {
  return shapes[0]!.map((_, i) => {
    let size: number | null = 1;
    for (const shape of shapes) {
      const d = shape[i]!;
      if (d === 1) continue;
      if (d === null) size = size === 1 ? null : size;
      else size = d;
    }
    return size;
  });
}

/** A shape as configurations write it, tuples and all. */
export function shapeFrom(value: Json | undefined): Shape | undefined {
  const plain = unwrap(value ?? null);
  return Array.isArray(plain) && plain.every((d) => d === null || typeof d === 'number') ? (plain as Shape) : undefined;
}

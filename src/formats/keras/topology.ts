import { innerLayers, type LayerConfig } from './layer-config';
import { isObject, type Json, unwrap } from './literal';
import { outputShape, type Shape, shapeFrom } from './shapes';

/** What a layer of a model gets and gives. */
export interface LayerShapes {
  /** Names of the layers it is called on, of its first call. */
  from: string[];
  input?: Shape[];
  output?: Shape;
}

/** Layers whose shapes may wait for others before the rest is given up. */
const MAX_ROUNDS = 10_000;
/** Models inside models whose shapes are followed. */
const MAX_NESTING = 8;

/**
 * Shapes of the layers of a Sequential or Functional model, from its input shapes through the documented rule of each layer. Layers that
 * have no rule here, and those behind them, have none.
 * @param given the shape that a model inside a model is called with.
 */
export function modelShapes(model: LayerConfig, given?: Shape, depth = 0): Map<string, LayerShapes> {
  const layers = innerLayers(model);
  const functional = layers.some((layer) => callsOf(layer) !== undefined);
  const out = new Map<string, LayerShapes>();
  let previous: Shape | undefined =
    given ??
    shapeFrom(model.config.build_input_shape) ??
    shapeFrom(
      isObject(model.buildConfig ?? null) ? (model.buildConfig as { [key: string]: Json }).input_shape : undefined,
    );
  let previousName: string | undefined;
  if (!functional) {
    for (const layer of layers) {
      const own = (previousName === undefined ? given : undefined) ?? declaredInput(layer) ?? previous;
      const shapes: LayerShapes = { from: previousName === undefined ? [] : [previousName] };
      if (own) shapes.input = [own];
      const output = layer.className === 'InputLayer' ? own : resultOf(layer, [own], depth);
      if (output) shapes.output = output;
      out.set(layer.name, shapes);
      previous = output;
      previousName = layer.name;
    }
    return out;
  }
  let waiting = layers;
  for (let round = 0; waiting.length > 0 && round < MAX_ROUNDS; round++) {
    const later: LayerConfig[] = [];
    for (const layer of waiting) {
      const from = callsOf(layer) ?? [];
      if (!from.every((name) => out.has(name) || name === layer.name)) {
        later.push(layer);
        continue;
      }
      const shapes: LayerShapes = { from };
      const declared = declaredInput(layer);
      if (layer.className === 'InputLayer') {
        if (declared) {
          shapes.input = [declared];
          shapes.output = declared;
        }
      } else {
        const inputs = from.map((name) => out.get(name)?.output);
        if (inputs.every((s) => s !== undefined)) shapes.input = inputs as Shape[];
        const output = resultOf(layer, inputs, depth);
        if (output) shapes.output = output;
      }
      out.set(layer.name, shapes);
    }
    // A cycle, or a name that no layer has.
    if (later.length === waiting.length) break;
    waiting = later;
  }
  return out;
}

/** The output of a layer, of a model inside a model, or of a wrapper around a layer. */
function resultOf(layer: LayerConfig, inputs: readonly (Shape | undefined)[], depth: number): Shape | undefined {
  if (Array.isArray(layer.config.layers)) {
    if (depth >= MAX_NESTING) return undefined;
    const inside = modelShapes(layer, inputs[0], depth + 1);
    const last = innerLayers(layer).at(-1);
    const named = unwrap(layer.config.output_layers ?? null);
    const first = Array.isArray(named) ? (Array.isArray(named[0]) ? named[0][0] : named[0]) : undefined;
    return inside.get(typeof first === 'string' ? first : (last?.name ?? ''))?.output;
  }
  const wrapped = isObject(layer.config.layer ?? null) ? (layer.config.layer as { [key: string]: Json }) : undefined;
  if (wrapped && typeof wrapped.class_name === 'string' && isObject(wrapped.config ?? null)) {
    const inner: LayerConfig = {
      className: wrapped.class_name,
      name: '',
      config: wrapped.config as { [key: string]: Json },
      raw: wrapped,
    };
    const input = inputs[0];
    if (!input) return undefined;
    if (layer.className === 'Bidirectional') {
      const one = outputShape(inner, [input]);
      if (!one) return undefined;
      const mode = layer.config.merge_mode;
      const last = one.at(-1) ?? null;
      return mode === undefined || mode === 'concat'
        ? [...one.slice(0, -1), last === null ? null : 2 * last]
        : mode === null
          ? undefined
          : one;
    }
    if (layer.className === 'TimeDistributed' && input.length > 2) {
      const one = outputShape(inner, [[input[0]!, ...input.slice(2)]]);
      return one ? [one[0]!, input[1]!, ...one.slice(1)] : undefined;
    }
    return undefined;
  }
  return outputShape(layer, inputs);
}

function declaredInput(layer: LayerConfig): Shape | undefined {
  return shapeFrom(layer.config.batch_input_shape ?? undefined) ?? shapeFrom(layer.config.batch_shape ?? undefined);
}

/** Names of the layers that the first call of a layer takes its inputs from; `undefined` for a layer without a record of calls. */
function callsOf(layer: LayerConfig): string[] | undefined {
  const nodes = layer.raw.inbound_nodes;
  if (!Array.isArray(nodes)) return undefined;
  const names: string[] = [];
  const first = nodes[0];
  if (first === undefined) return names;
  // Keras 2: [[name, node, tensor, arguments], …]. Keras 3: {args, kwargs} with tensors that know where they come from.
  const pending: { value: Json; depth: number }[] = [{ value: first, depth: 0 }];
  for (let next = pending.pop(); next; next = pending.pop()) {
    const value = unwrap(next.value);
    if (next.depth > 16) continue;
    if (Array.isArray(value)) {
      if (typeof value[0] === 'string' && typeof value[1] === 'number' && typeof value[2] === 'number')
        names.push(value[0]);
      else for (let i = value.length - 1; i >= 0; i--) pending.push({ value: value[i]!, depth: next.depth + 1 });
    } else if (isObject(value)) {
      const history = isObject(value.config ?? null)
        ? (value.config as { [key: string]: Json }).keras_history
        : undefined;
      if (Array.isArray(history) && typeof history[0] === 'string') names.push(history[0]);
      else for (const inner of Object.values(value).reverse()) pending.push({ value: inner, depth: next.depth + 1 });
    }
  }
  return names;
}

import { counted } from '../../model/counted';
import type { Attribute } from '../../model/model';
import { constructed, isObject, type Json, pythonLiteral, unwrap } from './literal';

/** A layer or model as Keras serializes it: class, name and constructor arguments. */
export interface LayerConfig {
  className: string;
  /** Module and registered name that Keras 3 and custom objects state. */
  module?: string;
  registeredName?: string;
  name: string;
  config: { [key: string]: Json };
  /** Keras 3: shapes that the layer was built for. */
  buildConfig?: Json;
  /** The serialized object as it stands in the file. */
  raw: { [key: string]: Json };
}

/** Reads `{class_name, config, …}`. `undefined` when it is not a serialized layer. */
export function layerConfig(value: Json | undefined): LayerConfig | undefined {
  if (!isObject(value)) return undefined;
  const made = constructed(value);
  if (!made) return undefined;
  // A Sequential of Keras 2.2 and before keeps its list of layers in the place of the configuration.
  const config = Array.isArray(value.config) ? { layers: value.config } : made.config;
  const name = typeof config.name === 'string' ? config.name : typeof value.name === 'string' ? value.name : '';
  const out: LayerConfig = { className: made.name, name, config, raw: value };
  if (typeof value.module === 'string') out.module = value.module;
  if (typeof value.registered_name === 'string') out.registeredName = value.registered_name;
  if (value.build_config !== undefined) out.buildConfig = value.build_config;
  return out;
}

/** Layers of a Sequential or Functional model, in order. */
export function innerLayers(model: LayerConfig): LayerConfig[] {
  const list = Array.isArray(model.config.layers) ? model.config.layers : [];
  const layers: LayerConfig[] = [];
  for (const item of list) {
    const layer = layerConfig(item);
    if (!layer) continue;
    // A Functional model names its layers beside their configuration.
    if (isObject(item) && typeof item.name === 'string' && item.name !== '') layer.name = item.name;
    layers.push(layer);
  }
  return layers;
}

/** Layers that wrap another one keep it under these names. */
const WRAPPED = ['layer', 'forward_layer', 'backward_layer', 'cell', 'attention_layer'];

/** The layers that a wrapper holds: of `Bidirectional`, `TimeDistributed`, `RNN`. */
export function wrappedLayers(layer: LayerConfig): { edge: string; layer: LayerConfig }[] {
  const out: { edge: string; layer: LayerConfig }[] = [];
  for (const edge of WRAPPED) {
    const inner = layerConfig(layer.config[edge]);
    if (inner) out.push({ edge, layer: inner });
  }
  return out;
}

/** Configuration entries that the tree shows elsewhere. */
const ELSEWHERE = new Set(['name', 'layers', 'input_layers', 'output_layers', ...WRAPPED]);

/** Constructor arguments as attributes, in the order of the file. */
export function configAttributes(layer: LayerConfig): Attribute[] {
  const out: Attribute[] = [];
  for (const [name, value] of Object.entries(layer.config)) {
    if (ELSEWHERE.has(name)) continue;
    out.push({ name, text: pythonLiteral(value), value: plain(value), role: 'parameter' });
  }
  return out;
}

/** JSON form of an attribute; long nested configurations are given as they are. */
function plain(value: Json): Json {
  return unwrap(value);
}

/** A short description of a layer: `8 units, relu`, `4 filters, 3×3, stride 2, relu`. */
export function layerSummary(layer: LayerConfig): string | undefined {
  const c = layer.config;
  const parts: string[] = [];
  const number = (key: string, unit: string): void => {
    const value = c[key];
    if (typeof value === 'number') parts.push(counted(value, unit));
  };
  number('units', 'unit');
  number('filters', 'filter');
  if (typeof c.input_dim === 'number' && typeof c.output_dim === 'number')
    parts.push(`${c.input_dim} → ${c.output_dim}`);
  number('num_heads', 'head');
  const kernel = size(c.kernel_size) ?? size(c.pool_size);
  if (kernel) parts.push(kernel);
  const stride = size(c.strides);
  if (stride && !/^1(×1)*$/.test(stride)) parts.push(`stride ${stride}`);
  if (typeof c.rate === 'number') parts.push(`rate ${c.rate}`);
  const target = unwrap(c.target_shape ?? null);
  if (Array.isArray(target)) parts.push(`to (${target.map((d) => d ?? 'None').join(', ')})`);
  const activation = activationName(c.activation);
  if (activation && activation !== 'linear') parts.push(activation);
  return parts.length > 0 ? parts.join(', ') : undefined;
}

function size(value: Json | undefined): string | undefined {
  const list = unwrap(value ?? null);
  if (typeof list === 'number') return String(list);
  return Array.isArray(list) && list.length > 0 && list.every((n) => typeof n === 'number')
    ? list.join('×')
    : undefined;
}

/** Name of an activation, which is a string or a serialized object. */
export function activationName(value: Json | undefined): string | undefined {
  if (typeof value === 'string') return value;
  const plainValue = unwrap(value ?? null);
  if (typeof plainValue === 'string') return plainValue;
  return constructed(value ?? null)?.name;
}

/** Whether a name is one that Keras makes up: `sequential_3`, `model`, `functional_1`, or the class name in snake case. */
export function isAutomaticName(name: string, className: string): boolean {
  const snake = className.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
  const base = name.replace(/_[0-9]+$/, '');
  return base === '' || base === snake || base === 'model' || base === 'sequential' || base === 'functional';
}

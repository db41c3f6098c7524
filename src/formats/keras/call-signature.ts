import type { Signature, TensorSpec } from '../../model/model';
import { innerLayers, type LayerConfig } from './layer-config';
import { modelShapes } from './topology';

/** Inputs and outputs of the model as its configuration tells. */
export function callSignature(config: LayerConfig): Signature[] {
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

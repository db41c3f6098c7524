import { parseJson } from '../../bytes/json';
import type { Finding } from '../../model/model';
import { type LayerConfig, layerConfig } from './layer-config';
import type { Json } from './literal';

/** The JSON of a text; `null` for what is none. */
export function json(text: string | undefined): Json {
  if (text === undefined) return null;
  try {
    return parseJson(text) as Json;
  } catch {
    return null;
  }
}

/** The configuration of a model; says so in `warnings` when the text is none. */
export function parseConfig(text: string | undefined, where: string, warnings: Finding[]): LayerConfig | undefined {
  if (text === undefined) return undefined;
  const config = layerConfig(json(text));
  if (!config)
    warnings.push({
      rule: 'keras-config',
      severity: 'suspicious',
      message: `${where} is not the configuration of a Keras model, so the layers are not known.`,
      member: where,
    });
  return config;
}

/** JSON with indents; other text as it is. */
export function pretty(text: string): string {
  const value = json(text);
  return value === null ? text : JSON.stringify(value, undefined, 2);
}

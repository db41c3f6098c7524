import { tensorflow } from '../../../generated/tensorflow';
import { asModelError } from '../../bytes/errors';
import { parseJson } from '../../bytes/json';
import { decodeMessage } from '../../bytes/protobuf';
import type { Finding } from '../../model/model';
import { type LayerConfig, layerConfig } from '../keras/layer-config';
import { isObject, type Json } from '../keras/literal';
import type { ObjectGraph } from './object-graph';

/** What Keras 2 wrote about one object of a SavedModel. */
export interface KerasObject {
  identifier: string;
  /** Absent for metrics and for layers that could not be serialized. */
  layer?: LayerConfig;
  className: string;
  name: string;
  trainable?: boolean;
  inputShape?: Json;
  kerasVersion?: string;
  metadata: { [key: string]: Json };
}

/**
 * Keras's own description of the objects, by their number in the object graph: from `keras_metadata.pb` (Keras 2.5 and later) or from the
 * object graph itself (before). Keras 3 exports have neither.
 */
export function kerasObjects(
  graph: Pick<ObjectGraph, 'nodes'>,
  file: Uint8Array | undefined,
  findings: Finding[],
): Map<number, KerasObject> {
  const texts = new Map<number, { identifier: string; metadata: string }>();
  graph.nodes.forEach((node, id) => {
    const user = node.userObject;
    if (user?.metadata) texts.set(id, { identifier: user.identifier ?? '', metadata: user.metadata });
  });
  if (file) {
    try {
      for (const node of decodeMessage(tensorflow.SavedMetadata, file, 'keras_metadata.pb').nodes ?? []) {
        texts.set(node.nodeId ?? 0, { identifier: node.identifier ?? '', metadata: node.metadata ?? '' });
      }
    } catch (error) {
      const problem = asModelError(error, 'keras_metadata.pb');
      findings.push({
        rule: 'keras-metadata',
        severity: 'info',
        message: problem.message,
        member: 'keras_metadata.pb',
        offset: problem.offset,
      });
    }
  }
  const out = new Map<number, KerasObject>();
  for (const [id, { identifier, metadata }] of texts) {
    const made = readObject(identifier, metadata);
    if (made) out.set(id, made);
    else if (identifier.startsWith('_tf_keras')) {
      findings.push({
        rule: 'keras-metadata',
        severity: 'info',
        message: `The Keras metadata of object ${id} (${identifier}) is not JSON and is left out.`,
        member: 'keras_metadata.pb',
      });
    }
  }
  return out;
}

function readObject(identifier: string, text: string): KerasObject | undefined {
  let json: Json;
  try {
    json = parseJson(text) as Json;
  } catch {
    return undefined;
  }
  if (!isObject(json)) return undefined;
  const className = typeof json.class_name === 'string' ? json.class_name : '';
  const object: KerasObject = {
    identifier,
    className,
    name: typeof json.name === 'string' ? json.name : '',
    metadata: json,
  };
  // The metadata of a model repeats its configuration under `model_config`, which has the class that `from_config` needs.
  const layer = layerConfig(isObject(json.model_config) ? json.model_config : json) ?? layerConfig(json);
  if (layer) object.layer = layer;
  if (typeof json.trainable === 'boolean') object.trainable = json.trainable;
  if (json.build_input_shape != null) object.inputShape = json.build_input_shape;
  else if (json.batch_input_shape != null) object.inputShape = json.batch_input_shape;
  if (typeof json.keras_version === 'string') object.kerasVersion = json.keras_version;
  return object;
}

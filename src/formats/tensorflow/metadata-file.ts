import { ModelError } from '../../bytes/errors';
import { latin1 } from '../../bytes/latin1';
import { BYTES, WireReader } from '../../bytes/wire';
import type { Finding, Model, ModuleNode } from '../../model/model';
import type { Confidence, Format, ModelInput } from '../format';
import { innerInput } from '../inner-input';
import { KerasModel } from '../keras/model';
import { type KerasObject, kerasObjects } from './keras-metadata';

/** Metadata of a model of thousands of layers has some megabytes. */
const MAX_BYTES = 256 * 1024 * 1024;

/**
 * `keras_metadata.pb` by itself: Keras's own description of the objects of a SavedModel (Keras 2.5 to 2.15). Beside its `saved_model.pb` it
 * opens as that model. Source: tensorflow `saved_metadata.proto`.
 */
export function metadataFormat(openSavedModel: (input: ModelInput) => Model): Format {
  return {
    id: 'keras-metadata',
    recognise: (head, input) => recognise(head, input.name),
    open(input) {
      const saved = input.neighbour('saved_model.pb');
      return saved ? openSavedModel(innerInput(input, saved, 'saved_model.pb')) : openMetadata(input);
    },
  };
}

/** Field 1 is a node, whose identifier (field 4) begins so. */
function recognise(head: Uint8Array, name: string): Confidence {
  if (head[0] !== 0x0a) return 0;
  const outer = new WireReader(head, 0, head.length, 'The head');
  if (!outer.nextTolerant() || outer.field !== 1 || outer.wire !== BYTES) return 0;
  const text = latin1(head, 0, 512);
  return /_tf_keras_\w+/.test(text) ? (name === 'keras_metadata.pb' ? 1 : 0.95) : 0;
}

function openMetadata(input: ModelInput): Model {
  const { source } = input;
  if (source.size > MAX_BYTES)
    throw new ModelError('limit', `${input.name} has ${source.size} bytes, too many for a description of layers.`);
  const warnings: Finding[] = [];
  const objects = kerasObjects({ nodes: [] }, source.read(0, source.size), warnings);
  if (objects.size === 0)
    throw new ModelError(
      'malformed',
      warnings[0]?.message ?? `${input.name} holds no description of a Keras object that could be read.`,
    );
  const root = objects.get(0);
  const version = [...objects.values()].find((object) => object.kerasVersion !== undefined)?.kerasVersion;
  const model: Model = new KerasModel({
    format: 'savedmodel',
    name: input.name,
    config: root?.layer,
    layout: 'saving',
    facts: [
      { label: 'Objects', value: String(objects.size) },
      {
        label: 'SavedModel',
        value: 'not beside this file',
        note: 'Its graph and weights are in saved_model.pb and variables/.',
      },
    ],
    warnings,
    ...(version === undefined ? {} : { version }),
  });
  if (!root?.layer) describeObjects(model, objects);
  return model;
}

/** A model without a configuration (a subclass, whose `call` is code): the layers that the metadata names, one beside the other. */
function describeObjects(model: Model, objects: ReadonlyMap<number, KerasObject>): void {
  const root = objects.get(0);
  model.summary.title = root?.name || root?.className || 'Keras metadata';
  model.summary.subtitle = 'description of a Keras model without its weights';
  model.root.kind = root?.className || 'Keras model';
  for (const [id, object] of objects) {
    if (id !== 0 && object.identifier.startsWith('_tf_keras_')) model.root.children.push(nodeOf(id, object));
  }
}

function nodeOf(id: number, { name, className, identifier }: KerasObject): ModuleNode {
  const shown = name || `object ${id}`;
  return { path: shown, name: shown, kind: className || identifier, attributes: [], parameters: [], children: [] };
}

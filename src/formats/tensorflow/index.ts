import { readUpTo } from '../../bytes/byte-source';
import type { ModelError } from '../../bytes/errors';
import { type SkimSchema, skim } from '../../bytes/skim';
import { BYTES, VARINT, WireReader } from '../../bytes/wire';
import type { Model } from '../../model/model';
import type { Confidence, Format, ModelInput } from '../format';
import { checkpointFormat } from './checkpoint';
import { GraphModel } from './frozen';
import { looksLikeGraphDef, looksLikeMetaGraph } from './looks-like';
import { metadataFormat } from './metadata-file';
import { tensorflowSchema } from './proto-schema';
import { SavedModelModel } from './saved-model';
import { encodeText } from './text-format';
import { tfliteFormat } from './tflite';

const HEAD_BYTES = 4096;
/** Files up to this size are read whole; of larger ones the contents of constants stay in the file. */
const WHOLE_BYTES = 16 * 1024 * 1024;
const NODE: SkimSchema = { 5: { 2: { 8: { 4: 'bulk' } } } };
const GRAPH: SkimSchema = { 1: NODE, 2: { 1: { 3: NODE } } };

/** The bytes of a message, without the contents of its large constants if it is large. */
function readMessage(input: ModelInput, schema: SkimSchema, what: string): { bytes: Uint8Array; error?: ModelError } {
  const { source } = input;
  return source.size <= WHOLE_BYTES ? { bytes: source.read(0, source.size) } : skim(source, schema, what);
}

/** SavedModels of every TensorFlow version, by their `saved_model.pb`. */
export const savedModelFormat: Format = {
  id: 'savedmodel',
  recognise(head: Uint8Array, input: ModelInput): Confidence {
    const named = input.name === 'saved_model.pb';
    if (looksLikeSavedModel(head, input.source.size)) return named ? 1 : 0.9;
    return named && head.length > 0 ? 0.6 : 0;
  },
  open(input: ModelInput): Model {
    const { bytes, error } = readMessage(input, { 2: { 2: GRAPH } }, 'The SavedModel');
    return new SavedModelModel(input, bytes, { text: false, ...(error && { error }) });
  },
};

/** The text form of a SavedModel or of a GraphDef: `saved_model.pbtxt`, `graph.pbtxt`. */
export const textFormat: Format = {
  id: 'tensorflow-text',
  recognise(head: Uint8Array, input: ModelInput): Confidence {
    const kind = textKind(new TextDecoder().decode(head));
    if (!kind) return 0;
    return input.name === 'saved_model.pbtxt' ? 1 : /\.pb(txt)?$|\.prototxt$/.test(input.name) ? 0.9 : 0.5;
  },
  open(input: ModelInput): Model {
    const text = new TextDecoder().decode(input.source.read(0, input.source.size));
    const kind = textKind(text.slice(0, 4096)) ?? 'SavedModel';
    const bytes = encodeText(text, kind, tensorflowSchema());
    return kind === 'SavedModel'
      ? new SavedModelModel(input, bytes, { text: true })
      : new GraphModel(input, bytes, 'graph');
  },
};

/** Which message a text is, by its first field. */
function textKind(text: string): 'SavedModel' | 'GraphDef' | undefined {
  const start = text.replace(/^(\s|#[^\n]*\n)+/, '');
  if (/^(saved_model_schema_version\s*:|meta_graphs\s*:?\s*[{<]\s*(meta_info_def|graph_def)\b)/.test(start))
    return 'SavedModel';
  if (/^(node\s*:?\s*[{<]\s*name\s*:\s*"[^"]*"\s*op\s*:|versions\s*[{<]\s*producer)/.test(start)) return 'GraphDef';
  return undefined;
}

/** Field 1 is the schema version 1, field 2 a meta graph whose first field is its information. */
export function looksLikeSavedModel(head: Uint8Array, size: number): boolean {
  if (head.length < 4 || head[0] !== 0x08 || head[1] !== 0x01 || head[2] !== 0x12) return false;
  const fields = new WireReader(head, 0, head.length, 'The head');
  let graph = false;
  while (fields.nextTolerant()) {
    if (fields.field === 1 && fields.wire === VARINT) continue;
    if (fields.field !== 2 || fields.wire !== BYTES) return false;
    if (fields.to - fields.from > size) return false;
    const inner = new WireReader(head, fields.from, fields.to, 'The head');
    if (inner.nextTolerant()) graph = inner.wire === BYTES && inner.field >= 1 && inner.field <= 7;
    break;
  }
  return graph || size <= 4;
}

/** A GraphDef by itself, and the MetaGraphDef that a Saver writes as `.meta`. */
export const graphFormat: Format = {
  id: 'tensorflow-graph',
  recognise(head: Uint8Array, input: ModelInput): Confidence {
    if (looksLikeMetaGraph(head)) return /\.meta$/.test(input.name) ? 0.95 : 0.7;
    if (looksLikeGraphDef(head)) return /\.(pb|graphdef)$/i.test(input.name) ? 0.9 : 0.7;
    return 0;
  },
  open(input: ModelInput): Model {
    const meta = looksLikeMetaGraph(readUpTo(input.source, 0, HEAD_BYTES));
    const { bytes, error } = readMessage(input, meta ? { 2: GRAPH } : GRAPH, 'The graph');
    return new GraphModel(input, bytes, meta ? 'meta' : 'graph', error);
  },
};

/** The readers of this folder. */
export const TENSORFLOW_FORMATS: Format[] = [
  savedModelFormat,
  textFormat,
  checkpointFormat,
  graphFormat,
  tfliteFormat,
  metadataFormat((input) => savedModelFormat.open(input)),
];

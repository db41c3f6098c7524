import { onnx } from '../../generated/onnx';
import { ModelError } from '../bytes/errors';
import { encodeMessage } from '../bytes/protobuf';
import { type Graph, graphProto, type Initializer } from './graph';
import { bytesOf, DTYPE_CODES, isStringData } from './tensor';

/** Versions that every runtime since early 2025 loads. */
export const IR_VERSION = 10;
const OPSETS: Readonly<Record<string, number>> = { '': 21, 'ai.onnx.ml': 5, 'com.microsoft': 1 };

/** protobuf messages stop at 2 GB; initializers of a larger model lie beside it. A little room is left for the graph. */
const MAX_MODEL_BYTES = 2 ** 31 - 1;
const EXTERNAL_ABOVE = MAX_MODEL_BYTES - 64 * 1024 * 1024;

/** Initializers smaller than this stay inside the model even when others lie outside. */
const MIN_EXTERNAL_BYTES = 1024;

/** A graph ready to be run or written. */
export interface OnnxModel {
  readonly graph: Graph;
  /** What the graph stands for, in the file's `doc_string`. */
  readonly description?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** A model in memory; `external` holds the initializers that did not fit, by the location that the model names. */
export interface SerializedModel {
  readonly bytes: Uint8Array;
  readonly external: readonly { readonly path: string; readonly data: Uint8Array }[];
}

/**
 * Writes a model into one buffer. Weights are copied once, from where they are to where they go.
 * Above 2 GB every larger initializer becomes an external file of its own, as a runtime takes them from memory.
 */
export function serialize(model: OnnxModel): SerializedModel {
  const { initializers } = model.graph;
  if (weightBytes(initializers) <= EXTERNAL_ABOVE) {
    return { bytes: assemble(model, initializers.map(embedded)), external: [] };
  }
  const external: { path: string; data: Uint8Array }[] = [];
  const parts = initializers.map((initializer) => {
    if (rawSize(initializer) < MIN_EXTERNAL_BYTES) return embedded(initializer);
    const path = `weight_${external.length}`;
    const data = rawBytes(initializer);
    external.push({ path, data });
    return located(initializer, path, 0, data.length);
  });
  return { bytes: assemble(model, parts), external };
}

/** Where an exported model goes. `location` is the name of the weights' file, relative to the model. */
export interface ModelSink {
  writeModel(bytes: Uint8Array): void;
  /** Appends to the file of weights. */
  appendWeights(bytes: Uint8Array): void;
  readonly weightsLocation: string;
}

/** Writes a model for `export --onnx`: one file up to 2 GB, above it one file of weights beside it (4,096-byte aligned). */
export function writeModel(model: OnnxModel, sink: ModelSink): void {
  const { initializers } = model.graph;
  if (weightBytes(initializers) <= EXTERNAL_ABOVE) {
    sink.writeModel(assemble(model, initializers.map(embedded)));
    return;
  }
  let offset = 0;
  const parts = initializers.map((initializer) => {
    if (rawSize(initializer) < MIN_EXTERNAL_BYTES) return embedded(initializer);
    const padding = (4096 - (offset % 4096)) % 4096;
    sink.appendWeights(new Uint8Array(padding));
    const data = rawBytes(initializer);
    sink.appendWeights(data);
    const part = located(initializer, sink.weightsLocation, offset + padding, data.length);
    offset += padding + data.length;
    return part;
  });
  sink.writeModel(assemble(model, parts));
}

/** An initializer as the pieces of its message, so that the raw data need not be copied into a message first. */
type Part = Uint8Array[];

function embedded(initializer: Initializer): Part {
  const { tensor, name } = initializer;
  const head = { name, dims: [...tensor.shape], dataType: DTYPE_CODES[tensor.dtype] };
  if (isStringData(tensor.data)) {
    const encoder = new TextEncoder();
    return [encodeMessage(onnx.TensorProto, { ...head, stringData: tensor.data.map((text) => encoder.encode(text)) })];
  }
  const raw = bytesOf(tensor.data);
  return [encodeMessage(onnx.TensorProto, head), tag(9), varint(raw.length), raw];
}

function located({ tensor, name }: Initializer, location: string, offset: number, length: number): Part {
  const externalData = Object.entries({ location, offset, length }).map(([key, value]) => ({
    key,
    value: String(value),
  }));
  return [
    encodeMessage(onnx.TensorProto, {
      name,
      dims: [...tensor.shape],
      dataType: DTYPE_CODES[tensor.dtype],
      dataLocation: onnx.TensorProto.DataLocation.EXTERNAL,
      externalData,
    }),
  ];
}

function assemble({ graph, description, metadata }: OnnxModel, initializers: readonly Part[]): Uint8Array {
  const head = encodeMessage(onnx.ModelProto, {
    irVersion: IR_VERSION,
    producerName: 'Modelglass',
    docString: description ?? '',
    opsetImport: [...graph.domains].map((domain) => ({ domain, version: opset(domain) })),
    metadataProps: Object.entries(metadata ?? {}).map(([key, value]) => ({ key, value })),
  });
  const body = [encodeMessage(onnx.GraphProto, graphProto(graph))];
  for (const part of initializers) body.push(tag(5), varint(size(part)), ...part);
  return concatenate([head, tag(7), varint(size(body)), ...body]);
}

function opset(domain: string): number {
  const version = OPSETS[domain];
  if (version === undefined) throw new ModelError('unsupported', `No version is known for the operator set ${domain}.`);
  return version;
}

/** Tag of a length-delimited field. */
function tag(field: number): Uint8Array {
  return Uint8Array.of((field << 3) | 2);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  return Uint8Array.from([...bytes, rest]);
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const total = size(parts);
  if (total > MAX_MODEL_BYTES) {
    throw new ModelError('limit', `The graph alone would take ${total} bytes as ONNX; the format stops at 2 GB.`);
  }
  const bytes = new Uint8Array(total);
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

function size(parts: readonly Uint8Array[]): number {
  return parts.reduce((total, part) => total + part.length, 0);
}

function weightBytes(initializers: readonly Initializer[]): number {
  return initializers.reduce((total, initializer) => total + rawSize(initializer), 0);
}

function rawSize({ tensor }: Initializer): number {
  if (isStringData(tensor.data)) return tensor.data.reduce((total, text) => total + text.length * 3, 0);
  return tensor.data.byteLength;
}

function rawBytes({ tensor, name }: Initializer): Uint8Array {
  if (isStringData(tensor.data))
    throw new ModelError('limit', `The strings of ${name} are too large for one ONNX file.`);
  return bytesOf(tensor.data);
}

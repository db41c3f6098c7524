import { onnx } from '../../../generated/onnx';
import { asModelError, ModelError } from '../../bytes/errors';
import { decodeMessage } from '../../bytes/protobuf';
import { type SkimSchema, skim } from '../../bytes/skim';
import { BYTES, VARINT, WireReader } from '../../bytes/wire';
import type { Confidence, Format, ModelInput } from '../format';
import { OnnxModel } from './model';

/** ONNX models, with weights inside or beside them. */
export const onnxFormat: Format = {
  id: 'onnx',
  recognise(head: Uint8Array, input: ModelInput): Confidence {
    return looksLikeOnnx(head) ? (/\.onnx$/i.test(input.name) ? 0.97 : 0.85) : 0;
  },
  open: (input) => openOnnx(input),
};

/** Only raw bytes are left in the file: packed fields are decoded element by element. */
const RAW: SkimSchema = { 9: 'bulk' };
const GRAPH: SkimSchema = { 5: RAW, 1: { 5: { 5: RAW } }, 15: { 1: RAW, 2: RAW } };
const MODEL: SkimSchema = { 7: GRAPH };

function openOnnx(input: ModelInput): OnnxModel {
  const { bytes, error } = skim(input.source, MODEL, `The ONNX model ${input.name}`);
  if (!error) return new OnnxModel(input, decodeMessage(onnx.ModelProto, bytes, `The ONNX model ${input.name}`));
  // What stands before the damage: the decoder gives nothing of a message that it cannot finish, so whole fields are kept.
  const part = wholeFields(bytes);
  if (part.length === 0) throw error;
  try {
    return new OnnxModel(input, decodeMessage(onnx.ModelProto, part, `The ONNX model ${input.name}`), error);
  } catch (thrown) {
    throw thrown instanceof ModelError && thrown.reason === 'no-graph' ? error : asModelError(thrown, input.name);
  }
}

/** The fields of a cut message that are whole, and of a cut graph its nodes and weights that are. */
function wholeFields(bytes: Uint8Array): Uint8Array {
  const fields = new WireReader(bytes, 0, bytes.length, 'The model');
  const chunks: Uint8Array[] = [];
  let start = 0;
  while (fields.nextTolerant()) {
    const cut = fields.error !== undefined;
    if (fields.field !== 7 || fields.wire !== BYTES) {
      if (!cut) chunks.push(bytes.subarray(start, fields.to));
      start = fields.to;
      continue;
    }
    const inner = new WireReader(bytes, fields.from, fields.to, 'The graph');
    const parts: Uint8Array[] = [];
    let at = fields.from;
    while (inner.nextTolerant()) {
      if (inner.error) break;
      if (decodable(bytes, inner)) parts.push(bytes.subarray(at, inner.to));
      at = inner.to;
    }
    const size = parts.reduce((n, p) => n + p.length, 0);
    chunks.push(Uint8Array.from([58, ...varint(size)]), ...parts);
    start = fields.to;
  }
  // In place, so that views of left-out weights stay views of the same buffer.
  const size = chunks.reduce((n, c) => n + c.length, 0);
  if (size > bytes.length + 16) return bytes.subarray(0, 0);
  const copy = Buffer.concat(chunks.map((c) => Uint8Array.from(c)));
  if (size > bytes.length) return bytes.subarray(0, 0);
  bytes.set(copy);
  return bytes.subarray(0, size);
}

/** Whether a node or weight of a graph can be decoded by itself. */
function decodable(bytes: Uint8Array, field: WireReader): boolean {
  if (field.wire !== BYTES || (field.field !== 1 && field.field !== 5)) return true;
  try {
    const content = bytes.subarray(field.from, field.to);
    if (field.field === 1) decodeMessage(onnx.NodeProto, content, 'A node');
    else decodeMessage(onnx.TensorProto, content, 'A weight');
    return true;
  } catch {
    return false;
  }
}

function varint(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) out.push((rest % 128) | 128);
  out.push(rest);
  return out;
}

/** A ModelProto: its version first, then text about the producer, a graph or the operator sets. */
export function looksLikeOnnx(head: Uint8Array): boolean {
  const fields = new WireReader(head, 0, head.length, 'The head');
  let version = false;
  let more = false;
  while (fields.nextTolerant()) {
    const { field, wire } = fields;
    if (field === 1 && wire === VARINT) {
      if (fields.value < 1 || fields.value > 1000) return false;
      version = true;
      continue;
    }
    if (field === 5 && wire === VARINT) continue;
    if (wire !== BYTES) return false;
    if (field === 2 || field === 3 || field === 4 || field === 6) {
      if (!fields.error && /[\u0000-\u0008]/.test(fields.text())) return false;
    } else if (field === 7) {
      more = looksLikeGraph(head, fields.from, fields.to);
      if (!more) return false;
    } else if (field === 8 || field === 14 || field === 25) more = true;
    else return false;
    if (fields.error) break;
  }
  return version && more;
}

/** A GraphProto whose first field is a node, a name, a weight or an input. */
function looksLikeGraph(bytes: Uint8Array, from: number, to: number): boolean {
  const fields = new WireReader(bytes, from, to, 'The head');
  if (!fields.nextTolerant()) return from === to;
  return fields.wire === BYTES && [1, 2, 5, 10, 11, 12, 13, 14, 15, 16].includes(fields.field);
}

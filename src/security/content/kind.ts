import { recogniseArchive } from '../../archives/recognise';
import { isTar } from '../../archives/tar';
import { isZip, openZip } from '../../archives/zip';
import { type ByteSource, readUpTo, SliceSource } from '../../bytes/byte-source';
import { type Compression, recogniseCompression } from '../../bytes/decompress';
import { asBuffer, latin1 } from '../../bytes/latin1';
import { isNpy } from '../../formats/numpy/npy';
import { looksLikeGraphDef, looksLikeMetaGraph } from '../../formats/tensorflow/looks-like';
import { isLegacy } from '../../formats/torch/recognise';
import { looksLikeText } from '../../formats/unknown';
import { HEAD_BYTES } from './head';
import { topFields } from './wire';

/** Formats of models that hold data and a graph or a configuration, by their bytes. */
export type ModelKind =
  | 'hdf5'
  | 'onnx'
  | 'saved-model'
  | 'meta-graph'
  | 'graph-def'
  | 'keras-metadata'
  | 'fingerprint'
  | 'tensor-bundle'
  | 'safetensors'
  | 'tflite'
  | 'gguf'
  | 'coreml'
  | 'parquet'
  | 'catboost'
  | 'sqlite'
  | 'image'
  | 'json'
  | 'xml';

/** What a piece of content is, by its bytes. Several at once is possible: a pickle in front of a zip is both. */
export interface ContentKind {
  zip: boolean;
  /** Begins with a zip's first record, not with something else that a zip stands behind. */
  zipFirst: boolean;
  tar: boolean;
  npy: boolean;
  legacyTorch: boolean;
  compression?: Compression;
  /** An archive or encrypted file that is recognised and not opened. */
  closed?: { id: string; name: string };
  /** Machine code: ELF, PE, Mach-O, WebAssembly. */
  native?: string;
  model?: ModelKind;
  text: boolean;
  /** Could begin a pickle: `certain` starts with PROTO 2 to 5, `possible` with any opcode. */
  pickle: 'certain' | 'possible' | 'no';
}

const NATIVE: readonly [string, string][] = [
  ['\x7fELF', 'an ELF library or program'],
  ['MZ', 'a Windows library or program'],
  ['\xcf\xfa\xed\xfe', 'a Mach-O library or program'],
  ['\xce\xfa\xed\xfe', 'a Mach-O library or program'],
  ['\xca\xfe\xba\xbe', 'a Mach-O universal binary or Java class'],
  ['\0asm', 'a WebAssembly module'],
];

/** First bytes of formats without code of their own. */
const MAGIC: readonly [string, ModelKind][] = [
  ['\x89HDF\r\n\x1a\n', 'hdf5'],
  ['GGUF', 'gguf'],
  ['PAR1', 'parquet'],
  ['CBM1', 'catboost'],
  ['SQLite format 3\0', 'sqlite'],
  ['\x89PNG\r\n\x1a\n', 'image'],
  ['\xff\xd8\xff', 'image'],
  ['GIF8', 'image'],
  ['RIFF', 'image'],
];

/** First bytes of all opcodes that can stand at the start of a pickle that goes on. */
const FIRST_OPCODES = new Set(
  [...'(0FIJKLMNPSTUVX])}c\x80\x82\x83\x84\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f\x95\x96BCGi'].map((c) => c.charCodeAt(0)),
);

export function contentKind(source: ByteSource): ContentKind {
  const head = readUpTo(source, 0, HEAD_BYTES);
  const start = latin1(head, 0, 16);
  const archive = recogniseArchive(head);
  const compression = recogniseCompression(head);
  const native = NATIVE.find(([magic]) => start.startsWith(magic))?.[1];
  const zipFirst = start.startsWith('PK\x03\x04') || start.startsWith('PK\x05\x06');
  const kind: ContentKind = {
    zip: zipFirst || (isZip(source) && hasDirectory(source)),
    zipFirst,
    tar: isTar(head),
    npy: isNpy(head),
    legacyTorch: isLegacy(head),
    text: looksLikeText(head),
    pickle:
      head[0] === 0x80 && head[1] >= 2 && head[1] <= 5
        ? 'certain'
        : head.length > 1 && FIRST_OPCODES.has(head[0])
          ? 'possible'
          : 'no',
  };
  if (compression) kind.compression = compression;
  if (archive && !archive.opened && archive.id !== 'tar') kind.closed = { id: archive.id, name: archive.name };
  // Two letters are too little to call something a Windows program: the header must point to another.
  if (native && !(start.startsWith('MZ') && !isPortableExecutable(head))) kind.native = native;
  const model = modelKind(source, head, start, kind.text);
  if (model) kind.model = model;
  return kind;
}

/**
 * Whether an end record behind something else belongs to an archive: its signature may as well be four bytes of tensor data. A directory, by
 * either rule, must have a record where it should be.
 */
function hasDirectory(source: ByteSource): boolean {
  try {
    openZip(source);
    return true;
  } catch {
    // Damaged in one place, it is an archive all the same if its first record is there.
    const tail = readUpTo(source, Math.max(0, source.size - 128 * 1024), 128 * 1024);
    return asBuffer(tail).includes('PK\x01\x02', 0, 'latin1');
  }
}

function isPortableExecutable(head: Uint8Array): boolean {
  if (head.length < 64) return false;
  const at = head[60] | (head[61] << 8) | (head[62] << 16);
  return (
    at + 4 <= head.length && head[at] === 0x50 && head[at + 1] === 0x45 && head[at + 2] === 0 && head[at + 3] === 0
  );
}

function modelKind(source: ByteSource, head: Uint8Array, start: string, text: boolean): ModelKind | undefined {
  const magic = MAGIC.find(([bytes]) => start.startsWith(bytes))?.[1];
  if (magic) return magic;
  if (start.slice(4, 8) === 'TFL3') return 'tflite';
  if (isSafetensors(head, source.size)) return 'safetensors';
  if (text) {
    const first = /\S/.exec(latin1(head))?.[0];
    return first === '{' || first === '[' ? 'json' : first === '<' ? 'xml' : undefined;
  }
  // HDF5 may stand behind a user block whose size is a power of two.
  for (let at = 512; at + 8 <= Math.min(source.size, 1 << 20); at *= 2) {
    if (latin1(readUpTo(source, at, 8)) === '\x89HDF\r\n\x1a\n') return 'hdf5';
  }
  if (source.size >= 48 && isTable(source)) return 'tensor-bundle';
  return protobufKind(source, head);
}

/** A sorted string table, in which TensorFlow keeps the index of a checkpoint: it ends with a magic number. */
function isTable(source: ByteSource): boolean {
  const end = readUpTo(source, source.size - 8, 8);
  return [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb].every((byte, i) => end[i] === byte);
}

function isSafetensors(head: Uint8Array, size: number): boolean {
  if (head.length < 10 || head[8] !== 0x7b) return false;
  const length = new DataView(head.buffer, head.byteOffset, 8).getBigUint64(0, true);
  return length >= 2n && length <= 100_000_000n && Number(length) + 8 <= size;
}

/** What a protobuf message is, by the fields that it has. */
function protobufKind(source: ByteSource, head: Uint8Array): ModelKind | undefined {
  if (head.length < 2) return undefined;
  const fields = topFields(source, 512);
  if (!fields) return looksLikeGraphDef(head) ? 'graph-def' : undefined;
  const has = (field: number, wire: number): boolean => fields.some((f) => f.field === field && f.wire === wire);
  const only = (numbers: number[]): boolean => fields.every((f) => numbers.includes(f.field));
  if (has(2, 2) && only([1, 2]) && !has(1, 2)) {
    const meta = fields.find((f) => f.field === 2);
    const inner = meta && topFields(new SliceSource(source, meta.from, meta.to - meta.from, source.name), 64);
    if (inner?.some((f) => f.field === 2 && f.wire === 2) && inner.every((f) => f.field <= 7)) return 'saved-model';
  }
  // ModelProto: version of the format, graph, operator sets.
  if (has(7, 2) && (has(1, 0) || has(8, 2)) && fields.every((f) => f.field <= 26)) {
    if (fields.every((f) => ([1, 5].includes(f.field) ? f.wire === 0 : f.wire === 2))) return 'onnx';
  }
  if (looksLikeGraphDef(head)) return 'graph-def';
  if (looksLikeMetaGraph(head)) return 'meta-graph';
  if (only([1]) && fields.length > 0 && fields.every((f) => f.wire === 2) && isKerasMetadata(source, fields[0]))
    return 'keras-metadata';
  if (
    fields.length > 0 &&
    fields.every((f) => f.wire === 0 || f.wire === 1 || f.to - f.from <= 200) &&
    source.size < 1000
  )
    return only([1, 2, 3, 4, 5, 6, 7]) && has(1, 0) ? 'fingerprint' : undefined;
  if (has(1, 0) && fields.some((f) => f.field >= 200 && f.field <= 3000 && f.wire === 2)) return 'coreml';
  return undefined;
}

/** KerasSavedObject: number, path, identifier, JSON. */
function isKerasMetadata(source: ByteSource, first: { from: number; to: number }): boolean {
  const inner = topFields(new SliceSource(source, first.from, first.to - first.from, source.name), 16);
  if (!inner) return false;
  const identifier = inner.find((f) => f.field === 4 && f.wire === 2);
  return (
    identifier !== undefined &&
    Buffer.from(readUpTo(source, first.from + identifier.from, Math.min(200, identifier.to - identifier.from)))
      .toString('latin1')
      .startsWith('_tf_keras_')
  );
}

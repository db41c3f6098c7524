import { type ByteSource, readUpTo } from '../../bytes/byte-source';
import { asModelError } from '../../bytes/errors';
import { looksLikeSafetensors, readHeader } from '../../formats/safetensors/header';
import type { Scanner } from '../scanner';
import { scanGraphs } from './graphs';
import { scanHdf5, scanKerasMetadata } from './keras';
import type { ContentKind, ModelKind } from './kind';
import { scanOnnx } from './onnx';
import { scanGguf } from './templates';
import { scanText } from './texts';
import { scanXml } from './xml';

/** Formats that hold data only: nothing in them runs on load. */
const DATA: Partial<Record<ModelKind, string>> = {
  fingerprint: 'the fingerprint of a SavedModel',
  'tensor-bundle': 'the index of a TensorFlow checkpoint',
  safetensors: 'a safetensors file',
  tflite: 'a TensorFlow Lite model',
  coreml: 'a Core ML model',
  parquet: 'a Parquet table',
  catboost: 'a CatBoost model',
  sqlite: 'an SQLite database',
  image: 'an image or sound',
};

/**
 * Judges content that is no pickle and yet can do something on load: machine code, graphs, configurations, source text. Returns what it is.
 */
export function scanModelContent(
  scanner: Scanner,
  source: ByteSource,
  kind: ContentKind,
  member: string,
): string | undefined {
  if (kind.native && !kind.zip) {
    scanner.cover(member, source.size, kind.native);
    scanner.finding({
      rule: 'native-code',
      severity: 'dangerous',
      member,
      offset: 0,
      message: `${member || 'The file'} is ${kind.native}: machine code that the loader of this format may run.`,
      advice: 'Use it only if you built it, or trust whoever did with your account.',
    });
    return kind.native;
  }
  switch (kind.model) {
    case 'hdf5':
      scanHdf5(scanner, source, member);
      return 'an HDF5 file';
    case 'saved-model':
    case 'meta-graph':
    case 'graph-def':
      scanGraphs(scanner, source, kind.model, member);
      return 'a TensorFlow graph';
    case 'keras-metadata':
      scanKerasMetadata(scanner, source, member);
      return 'Keras metadata';
    case 'onnx':
      scanOnnx(scanner, source, member);
      return 'an ONNX model';
    case 'gguf':
      if (!scanGguf(scanner, source, member)) {
        scanner.finding({
          rule: 'partly-read',
          severity: 'suspicious',
          member,
          message: 'The head of the GGUF file cannot be read to its end, so its chat templates were not looked at.',
        });
      }
      scanner.cover(member, source.size, 'a GGUF model');
      return 'a GGUF model';
    case 'safetensors':
      scanSafetensors(scanner, source, member);
      return DATA.safetensors;
    case 'xml':
      scanXml(scanner, source, member);
      return 'XML';
    case 'json':
      return scanText(scanner, source, 'json', member) ?? 'JSON';
    case undefined:
      return kind.text ? scanText(scanner, source, 'text', member) : undefined;
    default:
      scanner.cover(member, source.size, DATA[kind.model] ?? kind.model);
      return DATA[kind.model];
  }
}

/** Nothing in a safetensors file runs; what its own loader would refuse to read is said all the same. */
function scanSafetensors(scanner: Scanner, source: ByteSource, member: string): void {
  scanner.cover(member, source.size, 'a safetensors file');
  if (!looksLikeSafetensors(readUpTo(source, 0, HEAD), source.size)) return;
  try {
    readHeader(source);
  } catch (error) {
    scanner.finding({
      rule: 'malformed',
      severity: 'suspicious',
      member,
      offset: 8,
      message: asModelError(error, source.name).message,
    });
  }
}

/** Bytes that tell a header from other binary data that begins alike. */
const HEAD = 128;

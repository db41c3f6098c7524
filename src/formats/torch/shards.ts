import type { ByteSource } from '../../bytes/byte-source';
import { readUpTo } from '../../bytes/byte-source';
import { asModelError, ModelError } from '../../bytes/errors';
import { parseJson } from '../../bytes/json';
import { counted } from '../../model/counted';
import type { Finding, Model, PickleSection } from '../../model/model';
import type { ModelInput } from '../format';
import { looksLikeSafetensors, readHeader } from '../safetensors/header';
import { findPrefix, TorchArchive, zipOf } from './archive';
import { openLegacy } from './legacy';
import { modelOfTensors, type NamedTensor } from './plain-tensors';
import { isLegacy } from './recognise';
import { readableReference } from './reference';
import { mappingOf } from './walk';
import { openZipContainer } from './zip';

/** The largest index that is read; one of 100,000 tensors has some 10 MB. */
const MAX_INDEX_BYTES = 256 * 1024 * 1024;

/** Whether a file is the index of a sharded checkpoint: JSON with a `weight_map`. */
export function looksLikeIndex(head: Uint8Array, input: ModelInput): boolean {
  if (!/\.index\.json$/i.test(input.name)) return false;
  return /^\s*\{/.test(Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, 64)).toString('latin1'));
}

/**
 * Opens a sharded checkpoint by its `*.index.json`: every shard that lies beside it is read for its description, missing ones are
 * said and their tensors listed without shape. @throws ModelError `malformed` if the index is not one.
 */
export function openShards(input: ModelInput): Model {
  const { source } = input;
  if (source.size > MAX_INDEX_BYTES)
    throw new ModelError('limit', `${input.name} has ${source.size} bytes; an index is read up to ${MAX_INDEX_BYTES}.`);
  let json: { weight_map?: unknown; metadata?: unknown };
  try {
    json = parseJson(Buffer.from(source.read(0, source.size)).toString('utf8')) as typeof json;
  } catch (error) {
    throw new ModelError(
      'malformed',
      `${input.name} is not valid JSON (${error instanceof Error ? error.message : String(error)}).`,
      { offset: 0 },
    );
  }
  if (typeof json.weight_map !== 'object' || json.weight_map === null)
    throw new ModelError(
      'unsupported',
      `${input.name} has no weight_map, so it is not the index of a sharded checkpoint.`,
    );
  const map = Object.entries(json.weight_map).map(([name, file]) => [name, String(file)] as const);
  const files = [...new Set(map.map(([, file]) => file))];
  const warnings: Finding[] = [];
  const pickles: PickleSection[] = [];
  const found = new Map<string, NamedTensor>();
  for (const file of files) {
    const shard = input.neighbour(file);
    if (!shard) {
      warnings.push({
        rule: 'shard-missing',
        severity: 'info',
        member: file,
        message: `The shard ${file} is not beside the index, so its tensors have no shape here.`,
        advice: 'Fetch the missing shards into the same folder.',
      });
      continue;
    }
    try {
      for (const tensor of readShard(input, shard, file, pickles))
        if (!found.has(tensor.name)) found.set(tensor.name, tensor);
    } catch (error) {
      warnings.push({
        rule: 'shard-damaged',
        severity: 'info',
        member: file,
        message: asModelError(error, file).message,
      });
    }
  }
  const tensors: NamedTensor[] = [];
  for (const [name, file] of map) {
    const known = found.get(name);
    found.delete(name);
    if (known) tensors.push(known);
    else
      tensors.push({
        name,
        tensor: {
          dtype: 'void',
          shape: [],
          offset: 0,
          isParameter: false,
          layout: 'unknown',
          notes: [`in ${file}, which is not here`],
        },
        dtypeDetail: 'unknown',
        kind: 'attribute',
      });
  }
  for (const extra of found.values()) tensors.push(extra);
  const metadata = typeof json.metadata === 'object' && json.metadata !== null ? Object.entries(json.metadata) : [];
  const model = modelOfTensors(tensors, {
    format: files.some((f) => /safetensors$/.test(f)) ? 'safetensors' : 'torch-zip',
    title: (family) =>
      `${family ? `${family} weights` : 'Weights'} (${counted(tensors.length, 'tensor')} in ${counted(files.length, 'shard')})`,
    facts: [
      { label: 'Shards', value: `${files.length - warnings.length} of ${files.length} here` },
      ...metadata.slice(0, 20).map(([label, value]) => ({ label, value: String(value) })),
    ],
    warnings,
    noPrediction:
      'A sharded checkpoint holds weights but no program: the source of the module, or a known architecture, is needed to predict with it.',
  });
  model.pickles = pickles;
  return model;
}

function readShard(input: ModelInput, shard: ByteSource, file: string, pickles: PickleSection[]): NamedTensor[] {
  const head = readUpTo(shard, 0, 4096);
  if (looksLikeSafetensors(head, shard.size)) {
    return readHeader(shard).entries.map((entry) => ({
      name: entry.name,
      tensor: { dtype: entry.dtype, shape: entry.shape, offset: 0, isParameter: false, layout: 'strided' as const },
      ...(entry.tensor ? { ref: entry.tensor } : {}),
    }));
  }
  const reads = { source: shard, readPickle: input.readPickle.bind(input) };
  const zip = isLegacy(head) ? undefined : zipOf(shard);
  const container = zip
    ? openZipContainer(reads, new TorchArchive(zip, findPrefix(zip, 'data.pkl') ?? ''), 'data.pkl', 'data/', `${file}:`)
    : openLegacy(reads, 0, file, `${file}:`);
  for (const section of container.pickles) pickles.push({ ...section, member: file });
  const out: NamedTensor[] = [];
  for (const [name, value] of mappingOf(container.root) ?? []) {
    const tensor = container.tensors.read(value);
    if (!tensor) continue;
    const ref = readableReference(tensor, container.storages.byteOrder);
    out.push({ name, tensor, ...(ref ? { ref } : {}) });
  }
  return out;
}

import { openZip } from '../../archives/zip/archive';
import type { ByteRange } from '../../bytes/byte-range';
import { type ByteSource, readUpTo, SliceSource } from '../../bytes/byte-source';
import { ModelError } from '../../bytes/errors';
import type { Fact, Finding, Model } from '../../model/model';
import { asNumber, asSequence, asText, classOf, Instance, isDict, stateDict, type Value } from '../../pickle/values';
import { bitsOf, byteLengthOf, type DType, elementCount } from '../../tensors/dtype';
import { readBytes } from '../../tensors/elements';
import type { TensorRef } from '../../tensors/tensor';
import type { ModelInput } from '../format';
import { looksLikeSafetensors, readHeader } from '../safetensors/header';
import { findPrefix, TorchArchive } from './archive';
import { sizes } from './described';
import { dtypeOf, storedAs } from './dtypes';
import { modelOfTensors, type NamedTensor } from './plain-tensors';
import { readableReference } from './reference';
import type { TorchTensor } from './tensor';
import { type Tile, tiled } from './tiles';
import { openZipContainer } from './zip';

const METADATA = 'torch.distributed.checkpoint.metadata';

/** Whether the first bytes of a file are the index of a distributed checkpoint. */
export function looksLikeMetadata(head: Uint8Array): boolean {
  return head[0] === 0x80 && Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, 256)).includes(METADATA);
}

/** Where one chunk of a tensor lies: a stream of `torch.save` inside a file of the folder. */
interface Place {
  file: string;
  offset: number;
  length: number;
}

/** One part of a tensor that several processes wrote. */
interface Chunk {
  offsets: readonly number[];
  sizes: readonly number[];
  place?: Place;
}

interface Entry {
  name: string;
  dtype: DType;
  shape: number[];
  problem?: string;
  chunks: Chunk[];
}

/**
 * Opens a distributed checkpoint by its `.metadata`: tensors with their global shapes, read from the `.distcp` files beside it when somebody
 * looks. Source: torch `distributed/checkpoint/metadata.py`, `filesystem.py`.
 * @throws ModelError `malformed` if the pickle is no such index.
 */
export function openDistributed(input: ModelInput, source: ByteSource = input.source): Model {
  const pickle = input.readPickle(source);
  const state = stateDict(pickle.value);
  const described = state?.get('state_dict_metadata');
  if (classOf(pickle.value)?.name !== 'Metadata' || !state || !isDict(described))
    throw new ModelError(
      'malformed',
      `${input.name} is no index of a distributed checkpoint: it has no state_dict_metadata.`,
    );
  const places = placesOf(state.get('storage_data'));
  const files = new Map<string, ByteSource | undefined>();
  const fileOf = (name: string): ByteSource | undefined => {
    if (!files.has(name)) files.set(name, input.neighbour(name));
    return files.get(name);
  };
  const named: NamedTensor[] = [];
  const others: string[] = [];
  for (const [key, value] of described) {
    const name = asText(key) ?? '?';
    const entry = entryOf(name, value, places.get(name) ?? []);
    if (!entry) {
      others.push(name);
      continue;
    }
    const tensor: TorchTensor = {
      dtype: entry.dtype,
      shape: entry.shape,
      offset: 0,
      isParameter: false,
      layout: 'strided',
    };
    if (entry.problem !== undefined) tensor.problem = entry.problem;
    if (entry.chunks.length > 1) tensor.notes = [`in ${entry.chunks.length} chunks`];
    const data = tensor.problem === undefined ? rangeOf(input, entry, fileOf) : undefined;
    if (data) named.push({ name, tensor, ref: { dtype: storedAs(entry.dtype), shape: entry.shape, data } });
    else {
      if (entry.chunks.length > 1) tensor.notes?.push('the chunks do not fit each other, or some are missing');
      named.push({ name, tensor });
    }
  }
  const wanted = new Set([...places.values()].flat().map(({ place }) => place.file));
  const warnings: Finding[] = [];
  for (const file of wanted) {
    if (fileOf(file)) continue;
    warnings.push({
      rule: 'shard-missing',
      severity: 'info',
      member: file,
      message: `The file ${file} of this checkpoint is not beside its index, so the values in it cannot be shown.`,
      advice: 'Fetch the missing files into the same folder.',
    });
  }
  const facts: Fact[] = [
    { label: 'Container', value: 'distributed checkpoint of torch.distributed.checkpoint' },
    { label: 'Files', value: `${wanted.size - warnings.length} of ${wanted.size} here` },
  ];
  if (others.length > 0)
    facts.push({
      label: 'Other entries',
      value: `${others.slice(0, 12).join(', ')}${others.length > 12 ? ', …' : ''}`,
    });
  const model = modelOfTensors(named, {
    format: 'torch-zip',
    title: (family) =>
      `${family ? `${family} d` : 'D'}istributed checkpoint (${named.length} tensors in ${wanted.size} files)`,
    producer: { name: 'PyTorch' },
    facts,
    warnings,
    snippet: {
      label: 'Load',
      language: 'python',
      code: 'import torch\nimport torch.distributed.checkpoint as dcp\nfrom torch.distributed.checkpoint.format_utils import dcp_to_torch_save\n\n# The whole checkpoint as one file, without starting any process group:\ndcp_to_torch_save("checkpoint-folder", "checkpoint.pt")\n',
    },
    ...(pickle.error ? { error: pickle.error } : {}),
    noPrediction:
      'A distributed checkpoint holds weights but no program: the source of the module, or a known architecture, is needed to predict with it.',
  });
  model.pickles = [{ member: source === input.source ? '' : '.metadata', pickle }];
  return model;
}

/** Places by the name of what lies there, with the offsets of the chunk. */
function placesOf(value: Value | undefined): Map<string, { offsets: string; place: Place }[]> {
  const places = new Map<string, { offsets: string; place: Place }[]>();
  if (!isDict(value)) return places;
  for (const [key, info] of value) {
    const index = stateDict(key);
    const where = stateDict(info);
    const name = asText(index?.get('fqn'));
    const file = asText(where?.get('relative_path'));
    const offset = asNumber(where?.get('offset'));
    const length = asNumber(where?.get('length'));
    if (name === undefined || file === undefined || offset === undefined || length === undefined) continue;
    const found = { offsets: (sizes(index?.get('offset'))?.sizes ?? []).join(), place: { file, offset, length } };
    const known = places.get(name);
    if (known) known.push(found);
    else places.set(name, [found]);
  }
  return places;
}

/** A tensor of the index; `undefined` for other values, which are pickles of their own. */
function entryOf(name: string, value: Value, places: readonly { offsets: string; place: Place }[]): Entry | undefined {
  if (classOf(value)?.name !== 'TensorStorageMetadata') return undefined;
  const state = stateDict(value);
  const shape = sizes(state?.get('size'));
  const properties = state?.get('properties');
  // Since 2.2 a tuple as state, before an ordinary object.
  const dtype =
    properties instanceof Instance
      ? dtypeOf(asSequence(properties.state)?.[0] ?? stateDict(properties)?.get('dtype'))
      : undefined;
  if (!shape) return undefined;
  const chunks: Chunk[] = [];
  for (const item of asSequence(state?.get('chunks')) ?? []) {
    const chunk = stateDict(item);
    const offsets = sizes(chunk?.get('offsets'))?.sizes ?? [];
    const place =
      places.find((found) => found.offsets === offsets.join())?.place ??
      (places.length === 1 ? places[0].place : undefined);
    chunks.push({ offsets, sizes: sizes(chunk?.get('sizes'))?.sizes ?? [], ...(place ? { place } : {}) });
  }
  const entry: Entry = { name, dtype: dtype ?? 'void', shape: shape.sizes, chunks };
  if (shape.problem !== undefined) entry.problem = shape.problem;
  return entry;
}

/** The elements of a tensor, put together from its chunks; `undefined` where some are missing or do not fit each other. */
function rangeOf(
  input: ModelInput,
  entry: Entry,
  fileOf: (name: string) => ByteSource | undefined,
): ByteRange | undefined {
  const chunks = [...entry.chunks].sort((a, b) => (a.offsets[0] ?? 0) - (b.offsets[0] ?? 0));
  const parts: ChunkRange[] = [];
  let rows = 0;
  for (const chunk of chunks) {
    const source = chunk.place && fileOf(chunk.place.file);
    const inOrder = entry.shape.length === 0 || (chunk.offsets[0] ?? 0) === rows;
    const whole = entry.shape
      .slice(1)
      .every((size, i) => chunk.sizes[i + 1] === size && (chunk.offsets[i + 1] ?? 0) === 0);
    if (!chunk.place || !source || chunk.sizes.length !== entry.shape.length) return undefined;
    if (!inOrder || !whole) return tilesOf(input, entry, fileOf);
    parts.push(new ChunkRange(input, source, chunk.place, entry.dtype, chunk.sizes, entry.name));
    rows += chunk.sizes[0] ?? 0;
  }
  if (parts.length === 0 || (entry.shape.length > 0 && rows !== entry.shape[0])) return undefined;
  return parts.length === 1 ? parts[0] : new JoinedRange(parts);
}

/** Chunks that divide several dimensions, or another than the first. */
function tilesOf(
  input: ModelInput,
  entry: Entry,
  fileOf: (name: string) => ByteSource | undefined,
): ByteRange | undefined {
  const bits = bitsOf(storedAs(entry.dtype));
  if (bits === undefined || bits % 8 !== 0) return undefined;
  const tiles: Tile[] = [];
  for (const { offsets, sizes: shape, place } of entry.chunks) {
    const source = place && fileOf(place.file);
    if (!source) return undefined;
    tiles.push({ offsets, sizes: shape, data: new ChunkRange(input, source, place, entry.dtype, shape, entry.name) });
  }
  return tiled(entry.shape, bits / 8, tiles);
}

/** The elements of one chunk: a zip of `torch.save` inside the file, opened when they are asked for. */
class ChunkRange implements ByteRange {
  readonly length: number;
  private opened: ByteRange | undefined;
  constructor(
    private readonly input: ModelInput,
    private readonly source: ByteSource,
    private readonly place: Place,
    private readonly dtype: DType,
    private readonly shape: readonly number[],
    private readonly name: string,
  ) {
    this.length = byteLengthOf(storedAs(dtype), elementCount(shape)) ?? 0;
  }

  bytes(start = 0, end = this.length): Uint8Array {
    this.opened ??= this.open();
    return this.opened.bytes(start, end);
  }

  /**
   * The tensor of the chunk: in a zip of `torch.save`, or by its name in a .safetensors file, where the writer was told to make those;
   * the index then gives no place inside the file.
   */
  private elements(place: Place): TensorRef | undefined {
    if (looksLikeSafetensors(readUpTo(this.source, 0, 4096), this.source.size))
      return readHeader(this.source).entries.find((entry) => entry.name === this.name)?.tensor;
    const zip = openZip(new SliceSource(this.source, place.offset, place.length, place.file));
    const container = openZipContainer(this.input, new TorchArchive(zip, findPrefix(zip, 'data.pkl') ?? ''));
    const tensor = container.tensors.read(container.root);
    return tensor && readableReference(tensor, container.storages.byteOrder);
  }

  private open(): ByteRange {
    const { file, offset, length } = this.place;
    if (offset < 0 || length < 0 || offset + length > this.source.size)
      throw new ModelError(
        'truncated',
        `${file} has ${this.source.size} bytes, but a chunk is said to end at byte ${offset + length}.`,
      );
    const ref = this.elements(this.place);
    if (!ref || ref.dtype !== storedAs(this.dtype) || ref.shape.join() !== this.shape.join())
      throw new ModelError(
        'malformed',
        `The chunk at byte ${offset} of ${file} is not the tensor that the index describes.`,
      );
    const width = (byteLengthOf(ref.dtype, 8) ?? 8) / 8;
    return {
      length: this.length,
      bytes: (start = 0, end = this.length) => {
        const first = Math.floor(start / width);
        const bytes = readBytes(ref, first, Math.ceil(end / width) - first);
        return bytes.subarray(start - first * width, end - first * width);
      },
    };
  }
}

/** Ranges one behind the other. */
export class JoinedRange implements ByteRange {
  readonly length: number;
  constructor(private readonly parts: readonly ByteRange[]) {
    this.length = parts.reduce((sum, part) => sum + part.length, 0);
  }

  bytes(start = 0, end = this.length): Uint8Array {
    const to = Math.min(end, this.length);
    const out = new Uint8Array(Math.max(0, to - start));
    let at = 0;
    for (const part of this.parts) {
      const from = Math.max(start, at);
      const until = Math.min(to, at + part.length);
      if (from < until) out.set(part.bytes(from - at, until - at), from - start);
      at += part.length;
    }
    return out;
  }
}

import { openTar, type TarArchive } from '../../archives/tar';
import { type ByteRange, SourceRange } from '../../bytes/byte-range';
import type { ByteSource } from '../../bytes/byte-source';
import { ModelError } from '../../bytes/errors';
import type { Finding, PickleSection } from '../../model/model';
import { asNumber, asSequence, asText, isDict, PersistentId, PyTuple, type Value } from '../../pickle/values';
import { byteLengthOf, type DType } from '../../tensors/dtype';
import type { ModelInput } from '../format';
import { storageId, type TorchContainer } from './container';
import { dtypeOfClass } from './dtypes';
import { embeddedSources } from './embedded-sources';
import { TensorReader } from './pickled-tensor';
import { StorageTable } from './storage';
import type { TorchTensor } from './tensor';

interface StorageRecord {
  dtype: DType;
  device: string;
  elements: number;
  /** First byte of its elements in the member `storages`. */
  data?: ByteRange;
}

/**
 * Reads the tar of torch 0.1 (2016–2017): members `storages` (count, then for each a pickled `(key, location, type)`, an int64 element
 * count and the elements; then views), `tensors` (count, then for each `(key, storage key, type)`, dimensions, sizes, strides, offset),
 * and `pickle`, whose persistent ids are tensor keys. Source: torch `serialization.py`, `legacy_load`.
 */
export function openTarContainer(
  input: Pick<ModelInput, 'source' | 'readPickle'>,
  archive: TarArchive = openTar(input.source),
): TorchContainer {
  const member = (name: string): ByteSource | undefined =>
    (archive.get(name) ?? archive.get(`./${name}`))?.open().source;
  const pickles: PickleSection[] = [];
  const warnings: Finding[] = [];
  const source = member('pickle');
  if (!source)
    throw new ModelError(
      'malformed',
      `${input.source.name} is a tar without the member pickle, so it holds no saved object.`,
    );
  const read = (from: ByteSource, at: number, name: string) => {
    const pickle = input.readPickle(from, at);
    pickles.push({ member: name, pickle });
    return pickle;
  };
  const system = member('sys_info');
  const info = system ? read(system, 0, 'sys_info').value : undefined;
  const big = isDict(info) && info.get('little_endian') === false;
  const records = new Map<string, StorageRecord>();
  const views = new Map<string, { root: string; offset: number; elements: number }>();
  const storagesMember = member('storages');
  if (storagesMember)
    readStorages(storagesMember, big, (at) => read(storagesMember, at, 'storages'), records, views, warnings);
  const storages = new StorageTable({ locate: (key) => records.get(key)?.data }, big ? 'big' : 'little');
  const storageOf = (key: string) => {
    const view = views.get(key);
    const record = records.get(view?.root ?? key);
    if (!record) return undefined;
    return storages.get(
      view?.root ?? key,
      record.dtype,
      view?.elements ?? record.elements,
      record.device,
      view?.offset ?? 0,
    );
  };
  const tensorsByKey = new Map<string, TorchTensor>();
  const tensorsMember = member('tensors');
  if (tensorsMember)
    readTensors(tensorsMember, (at) => read(tensorsMember, at, 'tensors'), storageOf, tensorsByKey, warnings);

  const main = read(source, 0, 'pickle');
  const named = (value: PersistentId) => {
    const id = storageId(value);
    return id && (storageOf(id.key) ?? storages.get(id.key, id.dtype, id.elements, id.device));
  };
  const tensors = new TensorReader({
    storage(value) {
      // Some writers put the storage's tuple there without making it a persistent id.
      if (value instanceof PyTuple) return named(new PersistentId(value, 0));
      if (!(value instanceof PersistentId)) return undefined;
      return named(value) ?? storageOf(keyOf(value.id));
    },
    tensor: (value) => tensorsByKey.get(keyOf(value.id)),
  });
  const container: TorchContainer = {
    format: 'torch-tar',
    root: main.value,
    main,
    pickles,
    storages,
    tensors,
    facts: [{ label: 'Container', value: 'tar of PyTorch 0.1 (2016–2017)' }],
    warnings,
    sources: embeddedSources(main),
  };
  if (main.error) container.error = main.error;
  return container;
}

function keyOf(value: Value | undefined): string {
  return asText(value) ?? (value === undefined ? '' : String(value));
}

type Read = (at: number) => { value: Value; end: number; error?: ModelError | undefined };

function readStorages(
  source: ByteSource,
  big: boolean,
  read: Read,
  records: Map<string, StorageRecord>,
  views: Map<string, { root: string; offset: number; elements: number }>,
  warnings: Finding[],
): void {
  const head = read(0);
  let at = head.end;
  const count = asNumber(head.value) ?? 0;
  for (let i = 0; i < count; i++) {
    if (at >= source.size) {
      cut(warnings, 'storages', at);
      return;
    }
    const record = read(at);
    const items = asSequence(record.value) ?? [];
    at = record.end;
    const type = dtypeOfClass(items[2]);
    if (record.error || !type || at + 8 > source.size) {
      cut(warnings, 'storages', at);
      return;
    }
    const bytes = source.read(at, 8);
    const elements = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigInt64(0, !big));
    const length = byteLengthOf(type.dtype, elements) ?? 0;
    const available = source.size - at - 8;
    const held: StorageRecord = { dtype: type.dtype, device: asText(items[1]) ?? 'cpu', elements };
    if (elements >= 0) held.data = new SourceRange(source, at + 8, Math.min(length, available));
    records.set(keyOf(items[0]), held);
    if (!(length <= available)) {
      cut(warnings, 'storages', at);
      return;
    }
    at += 8 + length;
  }
  if (at >= source.size) return;
  for (const view of asSequence(read(at).value) ?? []) {
    const [target, root, offset, elements] = asSequence(view) ?? [];
    views.set(keyOf(target), { root: keyOf(root), offset: asNumber(offset) ?? 0, elements: asNumber(elements) ?? 0 });
  }
}

function readTensors(
  source: ByteSource,
  read: Read,
  storageOf: (key: string) => TorchTensor['storage'],
  out: Map<string, TorchTensor>,
  warnings: Finding[],
): void {
  const head = read(0);
  let at = head.end;
  const count = asNumber(head.value) ?? 0;
  for (let i = 0; i < count; i++) {
    if (at >= source.size) {
      cut(warnings, 'tensors', at);
      return;
    }
    const record = read(at);
    const items = asSequence(record.value) ?? [];
    at = record.end;
    // The dimension count is followed by four unused bytes; then sizes, strides and the offset, always little-endian.
    if (record.error || at + 8 > source.size) {
      cut(warnings, 'tensors', at);
      return;
    }
    const bytes = source.read(at, 8);
    const dimensions = new DataView(bytes.buffer, bytes.byteOffset, 8).getInt32(0, true);
    const length = (2 * dimensions + 1) * 8;
    at += 8;
    if (dimensions < 0 || dimensions > 64 || at + length > source.size) {
      cut(warnings, 'tensors', at);
      return;
    }
    const numbers = source.read(at, length);
    const view = new DataView(numbers.buffer, numbers.byteOffset, length);
    const number = (index: number) => Number(view.getBigInt64(index * 8, true));
    at += length;
    const storage = storageOf(keyOf(items[1]));
    const type = dtypeOfClass(items[2]);
    const tensor: TorchTensor = {
      dtype: storage?.dtype ?? type?.dtype ?? 'float32',
      shape: Array.from({ length: dimensions }, (_, d) => number(d)),
      strides: Array.from({ length: dimensions }, (_, d) => number(dimensions + d)),
      offset: number(2 * dimensions),
      isParameter: false,
      layout: 'strided',
    };
    if (storage) {
      tensor.storage = storage;
      tensor.device = storage.device;
    }
    if (tensor.shape.some((size) => size < 0 || !Number.isSafeInteger(size)))
      tensor.problem = `its shape is (${tensor.shape.join(', ')})`;
    out.set(keyOf(items[0]), tensor);
  }
}

function cut(warnings: Finding[], member: string, offset: number): void {
  warnings.push({
    rule: 'storage-missing',
    severity: 'info',
    member,
    offset,
    message: `The member ${member} ends or is damaged at byte ${offset}; what comes after is missing.`,
  });
}

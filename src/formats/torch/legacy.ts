import { type ByteRange, SourceRange } from '../../bytes/byte-range';
import { ModelError } from '../../bytes/errors';
import { Peek } from '../../bytes/peek';
import type { Fact, Finding, PickleSection } from '../../model/model';
import type { Pickle } from '../../pickle/machine';
import { asSequence, asText, isDict, PersistentId, type Value } from '../../pickle/values';
import { byteLengthOf } from '../../tensors/dtype';
import type { ModelInput } from '../format';
import { type StorageId, storageId, type TorchContainer } from './container';
import { embeddedSources } from './embedded-sources';
import { persistentIdsOf } from './packed-storage';
import { TensorReader } from './pickled-tensor';
import { StorageTable } from './storage';

/**
 * Reads a legacy stream: five pickles (magic, protocol, system, object, storage keys), then for each key an int64 element count and
 * the raw elements. Only the counts are read, never the elements. Source: torch `serialization.py`, `_legacy_save`, `_legacy_load`.
 */
export function openLegacy(
  input: Pick<ModelInput, 'source' | 'readPickle'>,
  start = 0,
  member = '',
  storagePrefix = '',
): TorchContainer {
  const { source } = input;
  const first = start < source.size ? input.readPickle(source, start) : undefined;
  const before = first && opened.get(first);
  if (before?.member === member && before.storagePrefix === storagePrefix) return before.container;
  const pickles: PickleSection[] = [];
  const warnings: Finding[] = [];
  const facts: Fact[] = [];
  let at = start;
  let error: ModelError | undefined;
  const next = (what: string): Value | undefined => {
    if (error) return undefined;
    if (at >= source.size) {
      error = new ModelError(
        'truncated',
        `${source.name} ends at byte ${source.size}, where ${what} was expected. Fetch the file again.`,
        { offset: at },
      );
      return undefined;
    }
    const pickle = input.readPickle(source, at);
    pickles.push({ member, pickle });
    at = pickle.end;
    if (pickle.error) error = pickle.error;
    return pickle.value;
  };
  next('the magic number');
  const protocol = next('the protocol version');
  const system = next('the description of the system');
  const root = next('the saved object') ?? null;
  const objectFailed = error !== undefined;
  const keys = next('the list of storage keys');
  const main = pickles[Math.min(3, pickles.length - 1)].pickle;

  if (!objectFailed && asNumberText(protocol) !== '1001') {
    warnings.push({
      rule: 'torch-protocol',
      severity: 'info',
      message: `The file says protocol ${asNumberText(protocol)}; torch.load reads 1001.`,
    });
  }
  const bigEndian = isDict(system) && system.get('little_endian') === false;
  if (bigEndian) facts.push({ label: 'Byte order', value: 'big' });
  if (isDict(system) && system.get('little_endian') !== undefined && !bigEndian)
    facts.push({ label: 'Byte order', value: 'little' });

  const ids = new Map<string, StorageId>();
  if (pickles.length > 3) {
    for (const id of persistentIdsOf(main.outerEvents)) {
      if (id instanceof PersistentId) continue;
      const known = ids.get(id.key);
      if (!known || known.elements < id.elements) ids.set(id.key, id);
    }
  }
  const { ranges, end } = locateStorages(input.source, at, asSequence(keys) ?? [], ids, bigEndian, warnings);
  const storages = new StorageTable({ locate: (key) => ranges.get(key) }, bigEndian ? 'big' : 'little', storagePrefix);
  const tensors = new TensorReader({
    storage(value) {
      if (!(value instanceof PersistentId)) return undefined;
      const id = storageId(value);
      if (!id) return undefined;
      return storages.get(id.key, id.dtype, id.view?.elements ?? id.elements, id.device, id.view?.offset ?? 0);
    },
    plain: (id) => storages.get(id.key, id.dtype, id.elements, id.device),
  });
  const container: TorchContainer = {
    format: 'torch-legacy',
    root,
    main,
    pickles,
    storages,
    tensors,
    facts,
    warnings,
    sources: embeddedSources(main),
    end,
  };
  if (error) container.error = error;
  if (first) opened.set(first, { member, storagePrefix, container });
  return container;
}

/** Streams by their first pickle: a scan asks for what the reader has found out already. */
const opened = new WeakMap<Pickle, { member: string; storagePrefix: string; container: TorchContainer }>();

/** Finds the elements of each storage, in the order of the key list. */
function locateStorages(
  source: ModelInput['source'],
  start: number,
  keys: Value[],
  ids: Map<string, StorageId>,
  bigEndian: boolean,
  warnings: Finding[],
): { ranges: Map<string, ByteRange>; end: number } {
  const ranges = new Map<string, ByteRange>();
  const peek = new Peek(source);
  let at = start;
  for (const value of keys) {
    const key = asText(value) ?? String(value);
    const id = ids.get(key);
    if (at + 8 > source.size) {
      warnings.push({
        rule: 'storage-missing',
        severity: 'info',
        offset: at,
        message: `The file ends at byte ${source.size}, before storage ${key}: it and the storages after it are missing.`,
        advice: 'The download or copy was probably cut off; fetch the file again.',
      });
      break;
    }
    const from = peek.load(at, 8);
    const view = new DataView(peek.bytes.buffer, peek.bytes.byteOffset + from, 8);
    const counted = bigEndian ? view.getBigInt64(0, false) : view.getBigInt64(0, true);
    const elements = Number(counted);
    if (!id) {
      warnings.push({
        rule: 'storage-unused',
        severity: 'info',
        offset: at,
        message: `Storage ${key} belongs to no tensor of the object, so its element size is not known and the storages after it cannot be found.`,
      });
      break;
    }
    if (elements !== id.elements) {
      warnings.push({
        rule: 'storage-size',
        severity: 'info',
        offset: at,
        message: `Storage ${key} declares ${id.elements} elements in the pickle, but ${counted} in front of its data.`,
      });
    }
    const trusted = elements >= 0 && Number.isSafeInteger(elements) ? elements : id.elements;
    const length = byteLengthOf(id.dtype, trusted) ?? 0;
    const available = source.size - at - 8;
    if (length > available) {
      warnings.push({
        rule: 'storage-truncated',
        severity: 'info',
        offset: at,
        message: `Storage ${key} should have ${length} bytes from byte ${at + 8} on, but the file ends ${length - available} bytes before.`,
        advice: 'The download or copy was probably cut off; fetch the file again.',
      });
    }
    ranges.set(key, new SourceRange(source, at + 8, Math.min(length, available)));
    at += 8 + length;
  }
  return { ranges, end: Math.min(at, source.size) };
}

function asNumberText(value: Value | undefined): string {
  return value === undefined ? '?' : String(value);
}

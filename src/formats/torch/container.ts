import type { ModelError } from '../../bytes/errors';
import type { Fact, Finding, FormatId, PickleSection, SourceText } from '../../model/model';
import type { Pickle } from '../../pickle/machine';
import { asNumber, asSequence, asText, Global, type PersistentId, type Value } from '../../pickle/values';
import type { DType } from '../../tensors/dtype';
import { dtypeOfClass } from './dtypes';
import type { TensorReader } from './pickled-tensor';
import type { StorageTable } from './storage';

/** A torch file after its container was read: the object it holds, and where its storages lie. */
export interface TorchContainer {
  format: FormatId;
  /** What `torch.load` would return, symbolically. */
  root: Value;
  /** The pickle that `root` comes from. */
  main: Pickle;
  pickles: PickleSection[];
  storages: StorageTable;
  tensors: TensorReader;
  facts: Fact[];
  warnings: Finding[];
  /** Set when the container or its pickle ends early. */
  error?: ModelError;
  /** Offset of the first byte that the container does not explain; the file's size when all is explained. */
  end?: number;
  /** Source of classes that the file embeds (`torch.save` of a module, not zip). */
  sources: SourceText[];
}

/** What a persistent id of `torch.save` says of a storage. Source: torch `serialization.py`, `persistent_id`. */
export interface StorageId {
  key: string;
  dtype: DType;
  device: string;
  /** In elements of `dtype`; of the whole storage, not of the view. */
  elements: number;
  /** A view of another storage (legacy files): its first element and its length. */
  view?: { offset: number; elements: number };
}

/** Parses `('storage', type, key, location, numel[, view])`; `undefined` for anything else. */
export function storageId(value: PersistentId): StorageId | undefined {
  const items = asSequence(value.id);
  if (!items || asText(items[0]) !== 'storage') return undefined;
  const type = dtypeOfClass(items[1]);
  const key = asText(items[2]) ?? (asNumber(items[2]) === undefined ? undefined : String(items[2]));
  if (key === undefined) return undefined;
  const id: StorageId = {
    key,
    dtype: type?.dtype ?? 'uint8',
    device: asText(items[3]) ?? 'cpu',
    elements: asNumber(items[4]) ?? 0,
  };
  const view = asSequence(items[5]);
  if (view) id.view = { offset: asNumber(view[1]) ?? 0, elements: asNumber(view[2]) ?? 0 };
  return id;
}

/** A container that a module's class and its source were saved with: `('module', class, file, source)`. */
export function containerId(value: PersistentId): { callable: Global; file?: string; source?: string } | undefined {
  const items = asSequence(value.id);
  if (!items) return undefined;
  // The tar of 2016 leaves the word out: (class, file, source).
  const rest = asText(items[0]) === 'module' ? items.slice(1) : items;
  if (!(rest[0] instanceof Global)) return undefined;
  const found: { callable: Global; file?: string; source?: string } = { callable: rest[0] };
  const file = asText(rest[1]);
  const source = asText(rest[2]);
  if (file !== undefined) found.file = file;
  if (source !== undefined) found.source = source;
  return found;
}

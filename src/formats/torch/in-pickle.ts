import { BufferSource, type ByteSource, SliceSource } from '../../bytes/byte-source';
import type { ModelError } from '../../bytes/errors';
import type { Fact, Finding, PickleSection } from '../../model/model';
import type { Pickle } from '../../pickle/machine';
import { asSequence, Global, ImportEvent, Instance, PersistentId, PyBytes, type Value } from '../../pickle/values';
import type { ModelInput } from '../format';
import { isStateDict } from './checkpoint';
import type { TorchContainer } from './container';
import { openLegacy } from './legacy';
import { modelOf, type TorchModel } from './model';
import { type StorageResolver, TensorReader } from './pickled-tensor';
import { asModule } from './python-class';
import { isLegacy } from './recognise';
import type { NestedAttributes } from './skorch';
import { StorageTable, type TorchStorage } from './storage';
import { leadingToTensors, mappingOf } from './walk';

const LOADER = 'torch.storage._load_from_bytes';

/**
 * Finds the storages that plain pickles (`pickle.dump`, not `torch.save`) carry as bytes: each is a legacy stream of its own around one
 * storage. Works for any pickle; `pickles` are those streams. Source: torch `storage.py`, `__reduce__`, `_load_from_bytes`.
 */
export function storagesInPickle(input: Pick<ModelInput, 'readPickle'>): {
  storage(value: Value): TorchStorage | undefined;
  pickles: PickleSection[];
} {
  const known = new Map<Instance, TorchStorage | null>();
  const pickles: PickleSection[] = [];
  const open = (instance: Instance): TorchStorage | undefined => {
    const [bytes] = asSequence(instance.args) ?? [];
    if (!(bytes instanceof PyBytes)) return undefined;
    const name = `${bytes.source.name}, storage at byte ${bytes.offset}`;
    const source: ByteSource = bytes.isInline
      ? new BufferSource(bytes.bytes(), name)
      : new SliceSource(bytes.source, bytes.offset, bytes.length, name);
    if (!isLegacy(source.read(0, Math.min(64, source.size)))) return undefined;
    const nested = openLegacy(
      { source, readPickle: input.readPickle.bind(input) },
      0,
      `storage at byte ${bytes.offset}`,
      `${bytes.offset}:`,
    );
    pickles.push(...nested.pickles);
    return nested.root instanceof PersistentId ? nested.tensors.resolver.storage(nested.root) : undefined;
  };
  return {
    pickles,
    storage(value) {
      if (!(value instanceof Instance) || !(value.callable instanceof Global) || value.callable.path !== LOADER)
        return undefined;
      let storage = known.get(value);
      if (storage === undefined) {
        storage = open(value) ?? null;
        known.set(value, storage);
      }
      return storage ?? undefined;
    },
  };
}

/** Whether a pickle carries storages of torch as bytes. */
export function holdsTorch(pickles: readonly Pickle[]): boolean {
  return pickles.some((pickle) =>
    pickle.outerEvents.some((event) => event instanceof ImportEvent && event.global.path === LOADER),
  );
}

/** A module, state dictionary or tensor of torch that was pickled without torch.save; `undefined` for other pickles. */
export function openTorchPickle(input: ModelInput): TorchContainer | undefined {
  const main = input.readPickle(input.source);
  if (!holdsTorch([main])) return undefined;
  const container = containerOf(input, main.value, [{ member: '', pickle: main }]);
  const mapping = mappingOf(main.value);
  const isTorch =
    asModule(main.value) || container.tensors.read(main.value) || (mapping && isStateDict(mapping, container.tensors));
  if (!isTorch) return undefined;
  container.facts.push({ label: 'Container', value: 'a plain pickle, not torch.save' });
  if (main.error) container.error = main.error;
  return container;
}

/** What a pickle reader found that belongs to the model beside the object itself. */
export interface PickleParts {
  value: Value;
  pickles: PickleSection[];
  format: 'pickle' | 'joblib';
  facts: Fact[];
  warnings: Finding[];
  error?: ModelError;
}

/**
 * The model of any other pickle that has modules or tensors of torch somewhere inside: a wrapper object, a dictionary, a checkpoint that was
 * written with pickle or joblib.
 */
export function torchModelIn(input: ModelInput, parts: PickleParts, nested?: NestedAttributes): TorchModel {
  const container = containerOf(input, parts.value, parts.pickles, nested?.resolver);
  if (nested) container.pickles.push(...nested.pickles);
  container.format = parts.format;
  container.facts.push(...parts.facts);
  container.warnings.push(...parts.warnings);
  if (parts.error) container.error = parts.error;
  return modelOf(container, input.name);
}

function containerOf(
  input: ModelInput,
  root: Value,
  sections: PickleSection[],
  other?: StorageResolver,
): TorchContainer {
  const storages = storagesInPickle(input);
  const tensors = new TensorReader({ storage: (value) => storages.storage(value) ?? other?.storage(value) });
  // Reading every tensor meets every storage that the object uses; their streams belong to the file.
  leadingToTensors(root, tensors);
  return {
    format: 'pickle',
    root,
    main: sections[sections.length - 1].pickle,
    pickles: [...sections, ...storages.pickles],
    storages: new StorageTable({ locate: () => undefined }),
    tensors,
    facts: [],
    warnings: [],
    sources: [],
  };
}

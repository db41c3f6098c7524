import { BufferSource, type ByteSource, SliceSource } from '../../bytes/byte-source';
import type { PickleSection } from '../../model/model';
import { asSequence, Global, ImportEvent, Instance, PersistentId, PyBytes, type Value } from '../../pickle/values';
import type { ModelInput } from '../format';
import { isStateDict } from './checkpoint';
import type { TorchContainer } from './container';
import { isLegacy, openLegacy } from './legacy';
import { TensorReader } from './pickled-tensor';
import { asModule } from './python-class';
import { StorageTable, type TorchStorage } from './storage';
import { mappingOf } from './walk';

const LOADER = 'torch.storage._load_from_bytes';

/** Whether the first bytes of a pickle import something of torch, so that reading on is worth it. */
export function mentionsTorch(head: Uint8Array): boolean {
  return head[0] === 0x80 && Buffer.from(head.buffer, head.byteOffset, head.length).includes('torch');
}

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

/** A module, state dictionary or tensor of torch that was pickled without torch.save; `undefined` for other pickles. */
export function openTorchPickle(input: ModelInput): TorchContainer | undefined {
  const main = input.readPickle(input.source);
  if (!main.events.some((event) => event instanceof ImportEvent && event.global.path === LOADER)) return undefined;
  const storages = storagesInPickle(input);
  const tensors = new TensorReader({ storage: storages.storage });
  const mapping = mappingOf(main.value);
  const isTorch = asModule(main.value) || tensors.read(main.value) || (mapping && isStateDict(mapping, tensors));
  if (!isTorch) return undefined;
  const container: TorchContainer = {
    format: 'pickle',
    root: main.value,
    main,
    pickles: [{ member: '', pickle: main }],
    storages: new StorageTable({ locate: () => undefined }),
    tensors,
    facts: [{ label: 'Container', value: 'a plain pickle, not torch.save' }],
    warnings: [],
    sources: [],
  };
  // Reading the tensors above met every storage that the object uses; their streams belong to the file.
  container.pickles.push(...storages.pickles);
  if (main.error) container.error = main.error;
  return container;
}

import { type CallForm, type FormNode, type PackedArguments, packedArguments } from '../../pickle/packed';
import { Instance, PersistentId, type PickleEvent } from '../../pickle/values';
import type { DType } from '../../tensors/dtype';
import { type StorageId, storageId } from './container';
import { dtypeOfClass } from './dtypes';

/** Where the arguments of calls of one form have what their only persistent id says: `('storage', type, key, location, numel[, None])`. */
export interface StorageForm {
  word: number;
  dtype: DType;
  key: number;
  device: number;
  elements: number;
}

const forms = new WeakMap<CallForm, StorageForm | null>();

/** The places of the storage in calls of a form; `undefined` where its persistent ids are none or look otherwise. */
export function storageForm(form: CallForm): StorageForm | undefined {
  let known = forms.get(form);
  if (known === undefined) {
    const ids = persistentIds(form.arguments);
    known = (ids.length === 1 ? placesOf(ids[0]) : undefined) ?? null;
    forms.set(form, known);
  }
  return known ?? undefined;
}

/** The storage that packed arguments name, as `storageId` reads it; `undefined` if it takes a look at the values. */
export function packedStorage(args: PackedArguments): StorageId | undefined {
  const form = storageForm(args.form);
  if (!form || args.text(form.word) !== 'storage') return undefined;
  return {
    key: args.text(form.key),
    dtype: form.dtype,
    device: args.text(form.device),
    elements: args.number(form.elements),
  };
}

/** Storages and other persistent ids of a pickle, in the order of the stream; a storage of a packed call is not made a value. */
export function* persistentIdsOf(outer: readonly PickleEvent[]): Generator<StorageId | PersistentId> {
  for (const event of outer) {
    if (event instanceof PersistentId) yield storageId(event) ?? event;
    else if (event instanceof Instance && event.lazyArguments) {
      const packed = packedArguments(event);
      const id = packed && packedStorage(packed);
      if (id) yield id;
      else
        for (const inner of event.lazyArguments.events)
          if (inner instanceof PersistentId) yield storageId(inner) ?? inner;
    }
  }
}

function persistentIds(root: FormNode): FormNode[] {
  const found: FormNode[] = [];
  const pending = [root];
  for (let node = pending.pop(); node; node = pending.pop()) {
    if (node.is === 'tuple') pending.push(...node.items);
    else if (node.is === 'call') pending.push(node.args);
    else if (node.is === 'persistent') {
      found.push(node.id);
      pending.push(node.id);
    }
  }
  return found;
}

function placesOf(id: FormNode): StorageForm | undefined {
  if (id.is !== 'tuple' || id.items.length < 5 || id.items.length > 6) return undefined;
  const [word, type, key, device, elements, view] = id.items;
  if (word.is !== 'text' || type.is !== 'global' || key.is !== 'text' || device.is !== 'text') return undefined;
  if (elements.is !== 'integer' || (view && !(view.is === 'constant' && view.value === null))) return undefined;
  const dtype = dtypeOfClass(type.global)?.dtype ?? 'uint8';
  return { word: word.at, dtype, key: key.at, device: device.at, elements: elements.at };
}

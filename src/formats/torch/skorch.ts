import { BufferSource, type ByteSource, SliceSource } from '../../bytes/byte-source';
import type { PickleSection } from '../../model/model';
import { Instance, PyBytes, stateDict, type Value } from '../../pickle/values';
import type { ModelInput } from '../format';
import { findPrefix, TorchArchive, zipOf } from './archive';
import { openLegacy } from './legacy';
import type { StorageResolver } from './pickled-tensor';
import { isLegacy } from './recognise';
import { mappingOf } from './walk';
import { openZipContainer } from './zip';

/** Under which name a net of skorch keeps its modules, criteria and optimisers while it is pickled. */
const NESTED = '__cuda_dependent_attributes__';

/** What stood inside: its pickles, and what knows its storages if it was written with `torch.save`. */
export interface NestedAttributes {
  pickles: PickleSection[];
  resolver?: StorageResolver;
}

/**
 * Nets of skorch pickle their modules, criteria and optimisers a second time, as bytes among their attributes (skorch `net.py`,
 * `__getstate__`: with `pickle.dump`, in older versions with `torch.save`). Puts them where loading puts them, in the place of the bytes.
 * `undefined` for any other value.
 */
export function unfoldNet(input: Pick<ModelInput, 'readPickle'>, value: Value): NestedAttributes | undefined {
  const state = value instanceof Instance ? stateDict(value) : undefined;
  const bytes = state?.get(NESTED);
  if (!state || !(bytes instanceof PyBytes)) return undefined;
  const name = `${bytes.source.name}, ${NESTED}`;
  const source: ByteSource = bytes.isInline
    ? new BufferSource(bytes.bytes(), name)
    : new SliceSource(bytes.source, bytes.offset, bytes.length, name);
  const opened = open(input, source);
  const attributes = mappingOf(opened.root);
  if (!attributes) return undefined;
  state.delete(NESTED);
  for (const [key, item] of attributes) state.set(key, item);
  return opened;
}

function open(input: Pick<ModelInput, 'readPickle'>, source: ByteSource): NestedAttributes & { root: Value } {
  const head = source.read(0, Math.min(64, source.size));
  const saved = isLegacy(head)
    ? openLegacy({ source, readPickle: input.readPickle.bind(input) }, 0, NESTED, `${NESTED}:`)
    : head[0] === 0x50 && head[1] === 0x4b
      ? openZipContainer(input, new TorchArchive(zipOf(source), findPrefix(zipOf(source), 'data.pkl') ?? ''))
      : undefined;
  if (saved) return { root: saved.root, pickles: saved.pickles, resolver: saved.tensors.resolver };
  const pickle = input.readPickle(source);
  return { root: pickle.value, pickles: [{ member: NESTED, pickle, source }] };
}

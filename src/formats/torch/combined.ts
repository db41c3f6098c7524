import type { Fact, Finding } from '../../model/model';
import type { Pickle } from '../../pickle/machine';
import { PersistentId, type Value } from '../../pickle/values';
import type { TorchContainer } from './container';
import { TensorReader } from './pickled-tensor';
import { StorageTable } from './storage';

/** One object of a file that holds several. */
export interface Part {
  name: string;
  container: TorchContainer;
}

const NOTHING: Pick<Pickle, 'protocol' | 'events'> = { protocol: 0, events: [] };

/** Several containers as one: a dictionary of their objects; each storage is asked of the container whose pickle names it. */
export function combined(parts: readonly Part[], facts: Fact[], warnings: Finding[]): TorchContainer {
  const owner = new Map<PersistentId, TorchContainer>();
  for (const { container } of parts) {
    for (const event of container.main.events) if (event instanceof PersistentId) owner.set(event, container);
  }
  const tensors = new TensorReader({
    storage: (value) => (value instanceof PersistentId ? owner.get(value)?.tensors.resolver.storage(value) : undefined),
  });
  const root: Map<Value, Value> = new Map(parts.map(({ name, container }) => [name, container.root]));
  const out: TorchContainer = {
    format: 'torch-zip',
    root,
    main: parts[0]?.container.main ?? (NOTHING as Pickle),
    pickles: parts.flatMap((p) => p.container.pickles),
    storages: new StorageTable({ locate: () => undefined }, parts[0]?.container.storages.byteOrder ?? 'little'),
    tensors,
    facts,
    warnings: [...new Set(parts.flatMap((p) => p.container.warnings)), ...warnings],
    sources: parts.flatMap((p) => p.container.sources),
  };
  const failed = parts.find((p) => p.container.error)?.container.error;
  if (failed) out.error = failed;
  return out;
}

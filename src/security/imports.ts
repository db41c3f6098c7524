import type { Pickle } from '../pickle/machine';
import { asSequence, Global, ImportEvent, Instance, MutationEvent } from '../pickle/values';
import type { ImportUseKind } from './report';

/** How one imported name is used in a pickle: the strongest use, with the opcode that shows it. */
export interface GlobalUse {
  global: Global;
  use: ImportUseKind;
  /** Offset of the first import, and how often it is imported. */
  offset: number;
  opcode: string;
  count: number;
  /** The first call, instantiation or change, when there is one. */
  by?: Instance | MutationEvent;
}

const STRENGTH: Record<ImportUseKind, number> = { imported: 0, instantiated: 1, called: 2, 'state-set': 3 };

/** Constructors of `copyreg` that make an object of the class that is their first argument, without calling it by name. */
export function instantiatedClass(instance: Instance): Global | undefined {
  const { callable } = instance;
  if (instance.how === 'NEWOBJ' || instance.how === 'NEWOBJ_EX')
    return callable instanceof Global ? callable : undefined;
  if (
    callable instanceof Global &&
    callable.module === 'copyreg' &&
    /^(_reconstructor|__newobj__|__newobj_ex__)$/.test(callable.name)
  ) {
    const first = asSequence(instance.args)?.[0];
    return first instanceof Global ? first : undefined;
  }
  return undefined;
}

/** Every imported name of a pickle with its strongest use, in the order of first import. */
export function collectUses(pickle: Pickle): GlobalUse[] {
  const uses = new Map<Global, GlobalUse>();
  const raise = (global: Global, use: ImportUseKind, by: Instance | MutationEvent): void => {
    const known = uses.get(global);
    if (known && STRENGTH[use] > STRENGTH[known.use]) {
      known.use = use;
      known.by = by;
    }
  };
  for (const event of pickle.events) {
    if (event instanceof ImportEvent) {
      const known = uses.get(event.global);
      if (known) known.count++;
      else
        uses.set(event.global, {
          global: event.global,
          use: 'imported',
          offset: event.offset,
          opcode: event.opcode,
          count: 1,
        });
    } else if (event instanceof Instance) {
      const made = instantiatedClass(event);
      if (made) raise(made, 'instantiated', event);
      if (event.callable instanceof Global && event.callable !== made) raise(event.callable, 'called', event);
    } else if (event instanceof MutationEvent && event.target instanceof Global)
      raise(event.target, 'state-set', event);
  }
  return [...uses.values()];
}

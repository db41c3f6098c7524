import { asSequence, asText, Global, Instance, type PickleEvent, PyTuple, type Value } from './values';

/** Arguments of a constructor beyond which nothing is made of it: they may be shared by any number of calls. */
const MOST_ARGUMENTS = 1000;

/** An instance that is made by a partial of a class's `__new__`. */
export interface PartialNew {
  /** The call of `getattr` that fetches the `__new__`. */
  fetched: Instance;
  /** The class whose `__new__` runs. */
  owner: Global;
  /** The class that an instance is made of. */
  cls: Global;
  /** The same instantiation as NEWOBJ_EX would make it of `cls`: with its arguments, keywords, state and items. */
  instance: Instance;
}

/**
 * Below protocol 4 there is no NEWOBJ_EX, and an object with keyword arguments for its `__new__` is pickled as
 * `functools.partial(cls.__new__, cls, *args, **kwargs)()`, where `cls.__new__` is `getattr(owner, '__new__')`.
 * Source: CPython `Lib/pickle.py` (`save_reduce`), `Lib/functools.py` (`partial.__reduce__`).
 */
export function partialNew(call: Instance): PartialNew | undefined {
  const partial = call.callable;
  if (call.how !== 'REDUCE' || !(partial instanceof Instance) || !isPartial(partial.callable)) return undefined;
  if (partial.earlierStates || partial.items || partial.entries) return undefined;
  const state = asSequence(partial.state);
  if (partial.state !== undefined && state?.length !== 4) return undefined;
  const [func, bound, kwargs] = state ?? [
    asSequence(partial.args)?.[0],
    asSequence(partial.args)?.slice(1),
    partial.kwargs,
  ];
  if ((bound ? (asSequence(bound)?.length ?? 0) : 0) + (asSequence(call.args)?.length ?? 0) > MOST_ARGUMENTS)
    return undefined;
  const owner = func instanceof Instance ? ownerOfNew(func) : undefined;
  const [cls, ...args] = asSequence(bound) ?? [];
  const more = asSequence(call.args);
  if (
    !owner ||
    !(func instanceof Instance) ||
    !(cls instanceof Global) ||
    cls.operands ||
    !more ||
    call.kwargs !== undefined
  )
    return undefined;
  const instance = new Instance(cls, new PyTuple([...args, ...more]), 'NEWOBJ_EX', call.offset);
  if (kwargs !== undefined && kwargs !== null) instance.kwargs = kwargs;
  instance.state = call.state;
  instance.stateOffset = call.stateOffset;
  instance.earlierStates = call.earlierStates;
  instance.items = call.items;
  instance.entries = call.entries;
  return { fetched: func, owner, cls, instance };
}

/** The calls of `getattr` that fetch a `__new__` for such a partial. */
export function fetchedConstructors(events: readonly PickleEvent[]): Set<Instance> {
  const found = new Set<Instance>();
  for (const event of events) {
    if (!(event instanceof Instance) || !(event.callable instanceof Instance)) continue;
    const made = partialNew(event);
    if (made) found.add(made.fetched);
  }
  return found;
}

function isPartial(value: Value): boolean {
  return value instanceof Global && !value.operands && /^_?functools\.partial$/.test(value.path);
}

/** The class of `getattr(class, '__new__')`. */
function ownerOfNew(func: Instance): Global | undefined {
  if (func.how !== 'REDUCE' || !(func.callable instanceof Global)) return undefined;
  if (func.callable.operands || func.callable.path !== 'builtins.getattr') return undefined;
  if (func.state !== undefined || func.items || func.entries) return undefined;
  const args = asSequence(func.args);
  if (args?.length !== 2 || asText(args[1]) !== '__new__') return undefined;
  return args[0] instanceof Global && !args[0].operands ? args[0] : undefined;
}

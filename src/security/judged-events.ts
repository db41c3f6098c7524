import { type CallForm, type FormNode, packedArguments } from '../pickle/packed';
import { Global, Instance, type PickleEvent } from '../pickle/values';
import { factsOf } from './name-facts';

/**
 * The events by which a pickle is judged: all of them, but of packed calls that differ only in their numbers and texts the first one, where
 * neither can change what is said of a call. A checkpoint has a hundred thousand calls and a handful of these.
 */
export function judgedEvents(outer: readonly PickleEvent[]): readonly PickleEvent[] {
  const known = judged.get(outer);
  if (known) return known;
  const events = distinctEvents(outer);
  judged.set(outer, events);
  return events;
}

/** Several rules ask for the events of one pickle, one after the other. */
const judged = new WeakMap<readonly PickleEvent[], readonly PickleEvent[]>();

function distinctEvents(outer: readonly PickleEvent[]): readonly PickleEvent[] {
  if (!outer.some((event) => event instanceof Instance && event.lazyArguments !== undefined)) return outer;
  const seen = new Map<CallForm, Set<Global>>();
  const events: PickleEvent[] = [];
  for (const event of outer) {
    if (event instanceof Instance && event.lazyArguments) {
      const form = isPlain(event) ? packedArguments(event)?.form : undefined;
      const { callable } = event;
      if (form && callable instanceof Global) {
        const callables = seen.get(form) ?? new Set();
        if (callables.has(callable)) continue;
        if (namesSayAll(callable, form)) seen.set(form, callables.add(callable));
      }
      for (const inner of event.lazyArguments.events) events.push(inner);
    }
    events.push(event);
  }
  return events;
}

/** Whether nothing was done to what the call made. */
function isPlain(call: Instance): boolean {
  return (
    call.state === undefined && call.items === undefined && call.entries === undefined && call.kwargs === undefined
  );
}

/** Whether the names of a call and of the calls among its arguments say all that there is to say of them. */
function namesSayAll(callable: Global, form: CallForm): boolean {
  const pending: FormNode[] = [form.arguments];
  if (!nameSaysAll(callable)) return false;
  for (let node = pending.pop(); node; node = pending.pop()) {
    if (node.is === 'tuple') for (const item of node.items) pending.push(item);
    else if (node.is === 'persistent') pending.push(node.id);
    else if (node.is === 'call') {
      if (node.callable.is !== 'global' || !nameSaysAll(node.callable.global)) return false;
      pending.push(node.args);
    }
  }
  return true;
}

function nameSaysAll(callable: Global): boolean {
  if (callable.operands) return false;
  const facts = factsOf(callable);
  return (
    facts.noEvidence &&
    !facts.allocates &&
    !facts.setsClassState &&
    !facts.fetches &&
    !facts.shared &&
    !facts.makesFirst &&
    !facts.definesClass
  );
}

import { printValue } from '../pickle/print';
import { asSequence, Global, Instance, type Value } from '../pickle/values';
import { type Callee, classifyCallee, madeFrom, resolveCallee } from './callee';
import { fetched } from './evidence';
import type { Suspect } from './judge';
import { type Classification, classify, classOfUse, type PolicyUse } from './policy';

/** Calls of what is no import itself: what another call returned, or fetched. */

export function named(callee: Callee): { module?: string; name?: string } {
  return callee.kind === 'name' || callee.kind === 'method' ? { module: callee.module, name: callee.name } : {};
}

/** The finding about a call of what was fetched or computed, by the class of the name that it leads to. */
export function unvetted(
  classification: Classification,
  use: PolicyUse,
  instance: Instance,
  callee: Callee,
): Suspect | undefined {
  const found = classOfUse(classification, use);
  if (found === 'known') return undefined;
  const path = callee.kind === 'name' || callee.kind === 'method' ? `${callee.module}.${callee.name}` : '';
  return {
    rule: found === 'dangerous' ? 'dangerous-call' : 'computed-call',
    severity: found === 'dangerous' ? 'dangerous' : 'suspicious',
    message:
      found === 'dangerous'
        ? `Loading calls ${path}: ${classification.sentence ?? 'nobody has vetted it for being called with what a file gives it.'}`
        : `Loading calls ${path || printValue(instance.callable, { width: 120 })}, which no policy knows.`,
    ...named(callee),
    ...(classification.advisory ? { advisory: classification.advisory } : {}),
  };
}

/** `attrgetter('a')(object)` fetches, `methodcaller('m')(object)` fetches and calls. */
export function getterCall(
  callee: Callee & { kind: 'getter' },
  args: Value[],
  instance: Instance,
): Suspect | undefined {
  for (const name of callee.names) {
    if (name === undefined) continue;
    const found = fetched(args[0], name);
    if (found) return found;
    if (!callee.calls) continue;
    const object = args[0];
    const owner = object instanceof Instance ? resolveCallee(object.callable) : resolveCallee(object);
    if (owner.kind !== 'name') continue;
    const method: Callee = { kind: 'name', module: owner.module, name: `${owner.name}.${name}` };
    const verdict = classifyCallee(method);
    const suspect = verdict && unvetted(verdict, 'call', instance, method);
    if (suspect) return suspect;
  }
  return undefined;
}

const PACKAGE = 'torch_geometric.data.';
const JOINER = `${PACKAGE}batch.DynamicInheritanceGetter`;
const JOINED = new Set(['data.Data', 'hetero_data.HeteroData', 'temporal.TemporalData'].map((name) => PACKAGE + name));

/**
 * Whether a call is that of a batch of torch_geometric's: its pickles call an object that makes `Batch` with one of the library's own classes
 * as its base (`DynamicInheritanceGetter.__call__` of torch_geometric 2). With any other class it calls what the file names.
 */
export function joinsGraphClasses({ callable, args }: Instance): boolean {
  const made = callable instanceof Instance ? madeFrom(callable) : undefined;
  if (!made || `${made.module}.${made.name}` !== JOINER) return false;
  const given = asSequence(args) ?? [];
  const [batch, base] = given.map((value) => (value instanceof Global ? value.path : ''));
  return given.length === 2 && batch === `${PACKAGE}batch.Batch` && JOINED.has(base);
}

/**
 * Calling an object that the stream made runs the `__call__` of its class, or, of what a vetted function returned, whatever that is. No pickler
 * writes that of vetted names: as with their other methods, to call it is dangerous.
 */
export function calledObject(callable: Value): Suspect | undefined {
  const made = callable instanceof Instance ? madeFrom(callable) : undefined;
  if (!made || classify(made.module, made.name).class !== 'known') return undefined;
  return {
    rule: 'object-called',
    severity: 'dangerous',
    message: `Loading calls what ${made.module}.${made.name} made with arguments of the file’s choice, which nobody has vetted.`,
    module: made.module,
    name: made.name,
  };
}

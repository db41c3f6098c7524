import type { Pickle } from '../pickle/machine';
import { asSequence, Global, Instance, type Value } from '../pickle/values';
import { classifyCallee, constantText, resolveCallee } from './callee';
import type { Suspect } from './judge';
import { judgedEvents } from './judged-events';
import { FILLS_CLASS, factsOf } from './name-facts';
import type { PolicyUse } from './policy';
import { mayGoOn } from './work';

/** Methods that run when a class is called, when an instance is made without calling it, and when a state is set. */
const RUNS: Record<'call' | 'instantiate' | 'state', RegExp> = {
  call: /^__(new|init|call)__$/,
  instantiate: /^__new__$/,
  state: /^__(setstate|getattr|getattribute|setattr)__$/,
};

/** An object of a class that the file defines: dangerous when one of the class's own methods runs by that. */
export function fileClassSuspect(
  instance: Instance,
  methods: ReadonlySet<string> | undefined,
  use: PolicyUse,
): Suspect | undefined {
  if (!methods) return undefined;
  const names = [...methods];
  const runs =
    names.find((name) => RUNS[use === 'call' ? 'call' : 'instantiate'].test(name)) ??
    (instance.state === undefined ? undefined : names.find((name) => RUNS.state.test(name)));
  if (!runs) return undefined;
  return {
    rule: 'bytecode-called',
    severity: 'dangerous',
    message: `Loading makes an object of a class that the file defines, which runs its ${runs}: code of the file’s author.`,
  };
}

/** Names of the functions in the namespaces of classes that the file defines, by the object that makes the class. */
export function methodsOfClasses(pickle: Pickle): Map<Instance, Set<string>> {
  const found = new Map<Instance, Set<string>>();
  for (const event of judgedEvents(pickle.outerEvents)) {
    if (!(event instanceof Instance)) continue;
    const { callable } = event;
    if (callable instanceof Global && !callable.operands && !factsOf(callable).definesClass) continue;
    const callee = resolveCallee(callable);
    if (callee.kind !== 'name') continue;
    const args = asSequence(event.args) ?? [];
    let cls: Value | undefined;
    let namespaces: readonly Value[];
    if (FILLS_CLASS.test(callee.name)) {
      cls = args[0];
      namespaces = args[1] instanceof Map ? [args[1]] : (asSequence(args[1]) ?? []);
    } else if (classifyCallee(callee)?.judge === 'class') {
      cls = event;
      namespaces = args;
    } else continue;
    if (!(cls instanceof Instance)) continue;
    const methods = found.get(cls) ?? new Set<string>();
    if (!mayGoOn(namespaces.length)) continue;
    for (const namespace of namespaces) {
      if (!(namespace instanceof Map)) continue;
      if (!mayGoOn(namespace.size)) break;
      for (const [key, value] of namespace) {
        const name = constantText(key);
        if (name !== undefined && value !== null && typeof value === 'object') methods.add(name);
      }
    }
    found.set(cls, methods);
  }
  return found;
}

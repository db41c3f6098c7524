import type { Pickle } from '../pickle/machine';
import { printValue } from '../pickle/print';
import { asSequence, Global, ImportEvent, Instance, MutationEvent, PyTuple, type Value } from '../pickle/values';
import { instantiatedClass, judgeOf } from './callee';
import type { CallJudge } from './calls';
import { pushItems } from './evidence/holds';
import { ADVICE } from './judge';
import { factsOf } from './name-facts';
import { type Classification, classify, classOfUse, type PolicyClass } from './policy';
import type { ImportUse, ImportUseKind, SecurityFinding } from './report';

/** How one imported name is used in a pickle: the strongest use, with the opcode that shows it. */
interface GlobalUse {
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
const RANK: Record<PolicyClass, number> = { known: 0, unknown: 1, dangerous: 2 };

/** Judges every imported name of a pickle, in the order of first import, after the calls were judged. */
export function judgeImports(
  pickle: Pickle,
  calls: CallJudge,
  member: string,
): { findings: SecurityFinding[]; imports: ImportUse[] } {
  const findings: SecurityFinding[] = [];
  const imports: ImportUse[] = [];
  let stray: Set<Global> | undefined;
  for (const use of collectUses(pickle)) {
    const { global } = use;
    const verdict = classifyGlobal(global);
    const record = calls.records.get(global);
    let found: PolicyClass;
    let explained = false;
    if (verdict.class === 'dangerous' && verdict.judge && record && record.judged > 0 && record.uses.size === 0) {
      stray ??= strayGlobals(pickle);
      explained = !stray.has(global);
      found =
        !explained || record.worst === 'dangerous' ? 'dangerous' : record.worst === 'suspicious' ? 'unknown' : 'known';
    } else if (verdict.judge === 'class' && !record) {
      stray ??= strayGlobals(pickle);
      // `type` as the metaclass of a class that the file defines.
      explained =
        !stray.has(global) && pickle.events.some((e) => e instanceof Instance && judgeOf(e.callable) === 'class');
      found = explained ? 'known' : verdict.class;
    } else {
      found = classOfUse(verdict, 'reference');
      for (const kind of record?.uses ?? []) {
        const next = classOfUse(verdict, kind);
        if (RANK[next] > RANK[found]) found = next;
      }
    }
    const shown: ImportUse = {
      module: global.module,
      name: global.name,
      class: found,
      use: use.use,
      offset: use.offset,
      member,
      count: use.count,
    };
    if (verdict.reason) shown.reason = verdict.reason;
    imports.push(shown);
    const finding = explained ? undefined : importFinding(use, verdict, found, member);
    if (finding) findings.push(finding);
  }
  return { findings, imports };
}

/** Every imported name of a pickle with its strongest use, in the order of first import. */
function collectUses(pickle: Pickle): GlobalUse[] {
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
      else {
        const { global, offset, opcode } = event;
        uses.set(global, { global, use: 'imported', offset, opcode, count: 1 });
      }
    } else if (event instanceof Instance) {
      const made = instantiatedClass(event);
      if (made) raise(made, 'instantiated', event);
      if (event.callable instanceof Global && event.callable !== made) raise(event.callable, 'called', event);
    } else if (event instanceof MutationEvent && event.target instanceof Global)
      raise(event.target, 'state-set', event);
  }
  return [...uses.values()];
}

/** The class of a name under every spelling a loader may resolve: as mapped, and as written. */
function classifyGlobal(global: Global): Classification {
  if (global.operands) return { class: 'dangerous', reason: 'its name is computed while loading' };
  const mapped = factsOf(global).classification;
  if (global.module === global.rawModule && global.name === global.rawName) return mapped;
  const raw = classify(global.rawModule, global.rawName);
  return raw.class === 'dangerous' && mapped.class !== 'dangerous' ? raw : mapped;
}

/**
 * Names that stand as values somewhere: in data, or as arguments of calls. A name that is only ever called, with arguments that were judged,
 * can be cleared by them; one that is handed around cannot. Metaclasses handed to makers of classes do not count.
 */
function strayGlobals(pickle: Pickle): Set<Global> {
  const found = new Set<Global>();
  const seen = new Set<Value>();
  const pending: (Value | undefined)[] = [pickle.value];
  for (const event of pickle.events) {
    if (event instanceof MutationEvent) pending.push(...event.values);
    if (!(event instanceof Instance)) continue;
    const args = asSequence(event.args);
    if (args && judgeOf(event.callable) === 'class') {
      for (const arg of args) if (!(arg instanceof Global)) pending.push(arg);
    } else pending.push(event.args);
    pending.push(event.kwargs, event.state, event.items, event.entries);
    for (const { value } of event.earlierStates ?? []) pending.push(value);
  }
  while (pending.length > 0) {
    const value = pending.pop();
    if (value === null || typeof value !== 'object' || seen.has(value)) continue;
    seen.add(value);
    if (value instanceof Global) found.add(value);
    else pushItems(value, pending);
  }
  return found;
}

function importFinding(
  use: GlobalUse,
  verdict: Classification,
  found: PolicyClass,
  member: string,
): SecurityFinding | undefined {
  const { global } = use;
  if (found === 'known') return undefined;
  const base = {
    member,
    offset: use.offset,
    opcode: use.opcode,
    module: global.module,
    name: global.name,
    use: use.use,
    ...(use.by instanceof Instance ? { call: printValue(use.by) } : {}),
  };
  if (global.operands) {
    return {
      ...base,
      rule: 'computed-import',
      severity: 'dangerous',
      message: `A name to import is computed while loading: ${printValue(new PyTuple(global.operands))}. Honest pickles write their names out.`,
      advice: ADVICE.dangerous,
    };
  }
  if (found === 'dangerous') {
    const vetted = verdict.class === 'known';
    return {
      ...base,
      rule: verdict.class === 'dangerous' ? 'dangerous-import' : 'unvetted-call',
      severity: 'dangerous',
      message: vetted
        ? `Loading ${use.use === 'instantiated' ? 'makes an object of' : 'calls'} ${global.path}, which honest model files only refer to; nobody has vetted what it does with what a file gives it.`
        : `${verdict.sentence ?? `${global.path} can run code.`}${use.use === 'imported' ? ' It is imported here, not called.' : ''}`,
      advice: ADVICE.dangerous,
      ...(verdict.advisory ? { advisory: verdict.advisory } : {}),
    };
  }
  const what = use.use === 'called' ? 'calls' : use.use === 'instantiated' ? 'creates an object of' : 'imports';
  return {
    ...base,
    rule: use.use === 'called' ? 'unknown-call' : use.use === 'instantiated' ? 'unknown-class' : 'unknown-import',
    severity: 'suspicious',
    message: `Loading ${what} ${global.path}, which no policy knows; its module is imported, and its code runs.`,
    advice: ADVICE.unknown,
  };
}

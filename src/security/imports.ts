import { LargeSet } from '../pickle/large';
import type { Pickle } from '../pickle/machine';
import { cut, printValue } from '../pickle/print';
import { asSequence, Global, ImportEvent, Instance, MutationEvent, PyTuple, type Value } from '../pickle/values';
import type { Alike } from './alike';
import { instantiatedClass, judgeOf } from './callee';
import type { CallJudge } from './calls';
import { besidesClass, blankClass } from './evidence';
import { pushItems } from './evidence/holds';
import { ADVICE } from './judge';
import { judgedEvents } from './judged-events';
import { factsOf } from './name-facts';
import { type Classification, classify, classOfUse, type PolicyClass } from './policy';
import type { ImportUse, ImportUseKind, SecurityFinding } from './report';
import { TooMuchWork } from './work';

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

/** Names of one pickle that are listed. */
const MAX_LISTED = 20_000;

/** Characters of a module or a name that are shown: a name can be as long as the file. */
const MAX_SHOWN = 500;

const STRENGTH: Record<ImportUseKind, number> = { imported: 0, instantiated: 1, called: 2, 'state-set': 3 };
const RANK: Record<PolicyClass, number> = { known: 0, unknown: 1, dangerous: 2 };

/** Judges every imported name of a pickle, in the order of first import, after the calls were judged. */
export function judgeImports(
  pickle: Pickle,
  calls: CallJudge,
  member: string,
  alike: Alike,
): { findings: SecurityFinding[]; imports: ImportUse[] } {
  const findings: SecurityFinding[] = [];
  const imports: ImportUse[] = [];
  let leftOut = 0;
  let stray: { has(global: Global): boolean } | undefined;
  for (const use of collectUses(pickle)) {
    const { global } = use;
    const verdict = classifyGlobal(global);
    const record = calls.records.get(global);
    let found: PolicyClass;
    let explained = false;
    if (verdict.class === 'dangerous' && verdict.judge && record && record.judged > 0 && record.uses.size === 0) {
      stray ??= strayOrAll(pickle);
      explained = !stray.has(global);
      found =
        !explained || record.worst === 'dangerous' ? 'dangerous' : record.worst === 'suspicious' ? 'unknown' : 'known';
    } else if (verdict.judge === 'class' && !record) {
      stray ??= strayOrAll(pickle);
      // `type` as the metaclass of a class that the file defines.
      explained =
        !stray.has(global) &&
        judgedEvents(pickle.outerEvents).some((e) => e instanceof Instance && judgeOf(e.callable) === 'class');
      found = explained ? 'known' : verdict.class;
    } else {
      found = classOfUse(verdict, 'reference');
      for (const kind of record?.uses ?? []) {
        const next = classOfUse(verdict, kind);
        if (RANK[next] > RANK[found]) found = next;
      }
    }
    const shown: ImportUse = {
      module: cut(global.module, MAX_SHOWN),
      name: cut(global.name, MAX_SHOWN),
      class: found,
      use: use.use,
      offset: use.offset,
      member,
      count: use.count,
    };
    if (verdict.reason) shown.reason = verdict.reason;
    if (imports.length < MAX_LISTED) imports.push(shown);
    else leftOut++;
    if (explained || found === 'known') continue;
    const rule = ruleOf(use, verdict, found);
    const severity = found === 'dangerous' ? 'dangerous' : 'suspicious';
    if (alike.lists(rule, severity, member)) findings.push(importFinding(use, verdict, found, rule, member));
  }
  if (leftOut > 0) {
    findings.push({
      rule: 'imports-not-listed',
      severity: 'info',
      member,
      message: `${leftOut.toLocaleString('en-US')} more imported names were judged and are not listed.`,
    });
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
  for (const event of judgedEvents(pickle.outerEvents)) {
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
export function classifyGlobal(global: Global): Classification {
  if (global.operands) return { class: 'dangerous', reason: 'its name is computed while loading' };
  const mapped = factsOf(global).classification;
  if (global.module === global.rawModule && global.name === global.rawName) return mapped;
  const raw = classify(global.rawModule, global.rawName);
  return raw.class === 'dangerous' && mapped.class !== 'dangerous' ? raw : mapped;
}

/** The names that stand as values; all of them where that is too much to find out. */
function strayOrAll(pickle: Pickle): { has(global: Global): boolean } {
  try {
    return strayGlobals(pickle);
  } catch (error) {
    if (error instanceof TooMuchWork) return { has: () => true };
    throw error;
  }
}

/**
 * Names that stand as values somewhere: in data, or as arguments of calls. A name that is only ever called, with arguments that were judged,
 * can be cleared by them; one that is handed around cannot. Metaclasses handed to makers of classes do not count.
 */
function strayGlobals(pickle: Pickle): Set<Global> {
  const found = new Set<Global>();
  const seen = new LargeSet<Value>();
  const pending: (Value | undefined)[] = [pickle.value];
  for (const event of pickle.events) {
    if (event instanceof MutationEvent) pending.push(event.values);
    if (!(event instanceof Instance)) continue;
    const args = asSequence(event.args);
    const blank = blankClass(event);
    if (blank) pending.push(...besidesClass(event, blank));
    else if (args && judgeOf(event.callable) === 'class') {
      for (const arg of args) if (!(arg instanceof Global)) pending.push(arg);
    } else pending.push(event.args);
    pending.push(event.kwargs, blank ? undefined : event.state, event.items, event.entries);
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

function ruleOf({ global, use }: GlobalUse, verdict: Classification, found: PolicyClass): string {
  if (global.operands) return 'computed-import';
  if (found === 'dangerous') return verdict.class === 'dangerous' ? 'dangerous-import' : 'unvetted-call';
  return use === 'called' ? 'unknown-call' : use === 'instantiated' ? 'unknown-class' : 'unknown-import';
}

function importFinding(
  use: GlobalUse,
  verdict: Classification,
  found: PolicyClass,
  rule: string,
  member: string,
): SecurityFinding {
  const { global } = use;
  const base = {
    rule,
    member,
    offset: use.offset,
    opcode: use.opcode,
    module: cut(global.module, MAX_SHOWN),
    name: cut(global.name, MAX_SHOWN),
    use: use.use,
    ...(use.by instanceof Instance ? { call: printValue(use.by) } : {}),
  };
  if (global.operands) {
    return {
      ...base,
      severity: 'dangerous',
      message: `A name to import is computed while loading: ${printValue(new PyTuple(global.operands))}. Honest pickles write their names out.`,
      advice: ADVICE.dangerous,
    };
  }
  if (found === 'dangerous') {
    const vetted = verdict.class === 'known';
    return {
      ...base,
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
    severity: 'suspicious',
    message: `Loading ${what} ${global.path}, which no policy knows; its module is imported, and its code runs.`,
    advice: ADVICE.unknown,
  };
}

import type { ByteSource } from '../bytes/byte-source';
import type { Pickle } from '../pickle/machine';
import { printValue } from '../pickle/print';
import {
  asSequence,
  ExtensionCode,
  Global,
  ImportEvent,
  Instance,
  MutationEvent,
  type PickleEvent,
  PyTuple,
  type Value,
} from '../pickle/values';
import { anomalyFinding } from './anomalies';
import { judgeCall } from './calls';
import { collectUses, type GlobalUse } from './imports';
import { type Classification, classify } from './policy';
import type { ImportUse, SecurityFinding } from './report';

/** What judging one pickle needs from around it. */
export interface JudgeContext {
  /** Archive member, '' for the file itself. */
  member: string;
  /** How deep nested content already is. */
  depth: number;
  /** Scans bytes that a loader inside the pickle would load; findings and imports are added to the report. Returns the worst severity. */
  scanNested(bytes: Uint8Array | ByteSource, member: string): 'safe' | 'suspicious' | 'dangerous';
}

export interface Judgement {
  findings: SecurityFinding[];
  imports: ImportUse[];
}

/** Callables whose meaning depends on their arguments; `calls.ts` judges them. */
export interface Suspect {
  rule: string;
  severity: SecurityFinding['severity'];
  message: string;
  advice?: string;
  advisory?: string;
  module?: string;
  name?: string;
}

const ADVICE = {
  dangerous:
    'Do not load this file. If it is yours, find out what put this name into it; if it is not, report it to whoever published it.',
  unknown: 'Load it only if you know this class or function and trust its code; a policy file can vet the name.',
};

/** Judges what one pickle would do to the program that loads it. Never throws; an unreadable rest is a finding like any other. */
export function judgePickle(pickle: Pickle, context: JudgeContext): Judgement {
  const findings: SecurityFinding[] = [];
  const imports: ImportUse[] = [];
  const { member } = context;
  const tainted = new Set<string>();

  for (const use of collectUses(pickle)) {
    const verdict = classifyGlobal(use.global);
    const entry: ImportUse = {
      module: use.global.module,
      name: use.global.name,
      class: verdict.class,
      use: use.use,
      offset: use.offset,
      member,
      count: use.count,
    };
    if (verdict.reason) entry.reason = verdict.reason;
    imports.push(entry);
    const finding = importFinding(use, verdict, member);
    if (finding) findings.push(finding);
  }

  for (const event of pickle.events) {
    const suspect = judgeEvent(event, context, tainted);
    if (suspect) findings.push(locate(suspect, event, member));
  }
  for (const anomaly of pickle.anomalies) {
    const finding = anomalyFinding(anomaly, member);
    if (finding) findings.push(finding);
  }
  if (pickle.error) {
    const finding: SecurityFinding = {
      rule:
        pickle.error.code === 'truncated'
          ? 'truncated-pickle'
          : pickle.error.code === 'limit'
            ? 'limit-reached'
            : 'malformed-pickle',
      severity: 'suspicious',
      member,
      message: `${pickle.error.message} What comes before would still be carried out on load.`,
      advice:
        'Fetch the file again; a file that is damaged on purpose hides what comes before the damage from scanners.',
    };
    if (pickle.error.offset !== undefined) finding.offset = pickle.error.offset;
    findings.push(finding);
  }
  return { findings, imports };
}

/** The class of a name under every spelling a loader may resolve: as mapped, and as written. */
function classifyGlobal(global: Global): Classification {
  if (global.operands) return { class: 'unknown', reason: 'its name is computed while loading' };
  const mapped = classify(global.module, global.name);
  if (global.module === global.rawModule && global.name === global.rawName) return mapped;
  const raw = classify(global.rawModule, global.rawName);
  return raw.class === 'dangerous' && mapped.class !== 'dangerous' ? raw : mapped;
}

function importFinding(use: GlobalUse, verdict: Classification, member: string): SecurityFinding | undefined {
  const { global } = use;
  const base = {
    member,
    offset: use.offset,
    opcode: use.opcode,
    module: global.module,
    name: global.name,
    use: use.use,
  };
  const call = use.by instanceof Instance ? { call: printValue(use.by) } : {};
  if (global.operands) {
    return {
      ...base,
      ...call,
      rule: 'computed-import',
      severity: 'dangerous',
      message: `A name to import is computed while loading: ${printValue(new PyTuple(global.operands))}. Honest pickles write their names out.`,
      advice: ADVICE.dangerous,
    };
  }
  if (verdict.class === 'dangerous') {
    return {
      ...base,
      ...call,
      rule: 'dangerous-import',
      severity: 'dangerous',
      message: `${global.path}: ${verdict.sentence ?? verdict.reason ?? 'loading this file could run code'}${use.use === 'imported' ? ' It is imported here, not called.' : ''}`,
      advice: ADVICE.dangerous,
      ...(verdict.advisory ? { advisory: verdict.advisory } : {}),
    };
  }
  if (verdict.class === 'unknown') {
    const what = use.use === 'called' ? 'calls' : use.use === 'instantiated' ? 'creates an object of' : 'imports';
    return {
      ...base,
      ...call,
      rule: use.use === 'called' ? 'unknown-call' : use.use === 'instantiated' ? 'unknown-class' : 'unknown-import',
      severity: 'suspicious',
      message: `Loading ${what} ${global.path}, which no policy knows; its module is imported, and its code runs.`,
      advice: ADVICE.unknown,
    };
  }
  return undefined;
}

function judgeEvent(event: PickleEvent, context: JudgeContext, tainted: Set<string>): Suspect | undefined {
  if (event instanceof MutationEvent) {
    if (event.target instanceof Global) tainted.add(event.target.module);
    return mutation(event);
  }
  if (event instanceof ImportEvent) {
    if (!tainted.has(event.global.module)) return undefined;
    return {
      rule: 'changed-import',
      severity: 'suspicious',
      message: `${event.global.path} is imported after this stream changed something in ${event.global.module}; it may no longer be what its name says.`,
    };
  }
  if (event instanceof ExtensionCode) {
    return {
      rule: 'extension-code',
      severity: 'suspicious',
      message: `Extension code ${event.code} stands for a name that only the loading program knows, so what it imports cannot be judged.`,
    };
  }
  if (event instanceof Instance) return judgeCall(event, context) ?? storedHook(event);
  return undefined;
}

function mutation(event: MutationEvent): Suspect {
  const target = event.target instanceof Global ? event.target.path : printValue(event.target);
  const foreign = event.target instanceof Global;
  return {
    rule: 'mutated-import',
    severity: foreign ? 'dangerous' : 'suspicious',
    message: `${event.opcode} changes ${target}, which this file did not make: ${printValue(event.values.length === 1 ? event.values[0] : new PyTuple(event.values))}. The loading program itself is altered.`,
    advice: ADVICE.dangerous,
    ...(event.target instanceof Global ? { module: event.target.module, name: event.target.name } : {}),
  };
}

/** Attribute names that Python calls by itself: a function stored there by BUILD runs later without any call in the stream. */
const HOOKS =
  /^__(setstate|reduce|reduce_ex|call|del|getattr|getattribute|setattr|init|new|init_subclass|set_name|enter|exit|iter|next|get|set|delete|eq|hash|bool|len|getitem|setitem|contains|instancecheck|class_getitem|missing|prepare)__$/;

function storedHook(instance: Instance): Suspect | undefined {
  for (const state of [instance.state, ...(instance.earlierStates ?? []).map((s) => s.value)]) {
    const dicts =
      state instanceof Map
        ? [state]
        : (asSequence(state)
            ?.slice(0, 2)
            .filter((v): v is Map<Value, Value> => v instanceof Map) ?? []);
    for (const dict of dicts) {
      for (const [key, value] of dict) {
        if (typeof key === 'string' && HOOKS.test(key) && (value instanceof Global || value instanceof Instance)) {
          return {
            rule: 'stored-hook',
            severity: 'dangerous',
            message: `BUILD stores ${printValue(value)} as ${key}, which Python calls by itself.`,
            advice: ADVICE.dangerous,
          };
        }
      }
    }
  }
  return undefined;
}

function locate(suspect: Suspect, event: PickleEvent, member: string): SecurityFinding {
  const finding: SecurityFinding = { ...suspect, member };
  const offset = event.offset;
  finding.offset = offset;
  if (event instanceof Instance) {
    finding.opcode = event.how;
    finding.call = printValue(event);
    finding.use = 'called';
  } else if (event instanceof MutationEvent) {
    finding.opcode = event.opcode;
    finding.use = 'state-set';
  }
  return finding;
}

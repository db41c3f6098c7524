import type { ByteSource } from '../bytes/byte-source';
import type { Pickle } from '../pickle/machine';
import { allEvents } from '../pickle/packed';
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
import { Alike } from './alike';
import { anomalyFinding } from './anomalies';
import { CallJudge } from './calls';
import { statesOf } from './evidence';
import { calledBy } from './evidence/holds';
import { expansionFindings } from './expansion';
import { judgeImports } from './imports';
import { judgedEvents } from './judged-events';
import type { ImportUse, SecurityFinding } from './report';
import { judgeSkimmed } from './skimmed';
import { spend, TooMuchWork, withWork } from './work';

/** What judging one pickle needs from around it. */
export interface JudgeContext {
  /** Archive member, '' for the file itself. */
  member: string;
  /** How deep nested content already is. */
  depth: number;
  /** Scans bytes that a loader inside the pickle would load; findings and imports are added to the report. Returns the worst severity, `undefined` if it is nothing. */
  scanNested(bytes: Uint8Array | ByteSource, member: string): 'safe' | 'suspicious' | 'dangerous' | undefined;
}

export interface Judgement {
  findings: SecurityFinding[];
  imports: ImportUse[];
}

/** A finding before it is known where it stands. */
export interface Suspect {
  rule: string;
  severity: SecurityFinding['severity'];
  message: string;
  advice?: string;
  advisory?: string;
  module?: string;
  name?: string;
}

export const ADVICE = {
  dangerous:
    'Do not load this file. If it is yours, find out what put this name into it; if it is not, report it to whoever published it.',
  unknown: 'Load it only if you know this class or function and trust its code; a policy file can vet the name.',
};

/** Different names of one pickle that are judged. Honest ones have hundreds, and a file of a whole test suite some thousand. */
const MAX_NAMES = 100_000;

/** Judges what one pickle would do to the program that loads it. Never throws; an unreadable rest is a finding like any other. */
export function judgePickle(pickle: Pickle, context: JudgeContext): Judgement {
  const { outerEvents } = pickle;
  const events = fewNames(outerEvents);
  if (events.length === outerEvents.length) return withWork(pickle.opcodes, () => judge(pickle, context));
  const few = { ...pickle, events: allEvents(events), outerEvents: events };
  const judgement = withWork(pickle.opcodes, () => judge(few, context));
  judgement.findings.unshift({
    rule: 'limit-reached',
    severity: 'dangerous',
    member: context.member,
    offset: outerEvents[events.length].offset,
    message: `It imports more than ${MAX_NAMES.toLocaleString('en-US')} different names. Those behind them were not judged.`,
    advice: 'Do not load it: no honest file imports so many, and each runs the code of a module.',
  });
  return judgement;
}

/** The events up to where more names are imported than are judged. */
function fewNames(events: readonly PickleEvent[]): PickleEvent[] {
  if (events.length > MAX_NAMES) {
    const names = new Set<Global>();
    for (let i = 0; i < events.length; i++) {
      const event = events[i];
      if (event instanceof ImportEvent && names.size >= MAX_NAMES && !names.has(event.global))
        return events.slice(0, i);
      if (event instanceof ImportEvent) names.add(event.global);
    }
  }
  return events as PickleEvent[];
}

function judge(pickle: Pickle, context: JudgeContext): Judgement {
  const { member } = context;
  const fromEvents: SecurityFinding[] = [];
  const alike = new Alike();
  const calls = new CallJudge(pickle, context);
  const tainted = new Set<string>();
  for (const event of judgedEvents(pickle.outerEvents)) {
    if (event instanceof ImportEvent && tainted.size === 0) continue;
    const suspects = event instanceof Instance ? judgeInstance(event, calls) : judgeEvent(event, tainted);
    for (const suspect of suspects) {
      if (alike.lists(suspect.rule, suspect.severity, member)) fromEvents.push(locate(suspect, event, member));
    }
  }
  const { findings, imports } = judgeImports(pickle, calls, member, alike);
  // A pickle whose values do not fit is told by that.
  const expanded = pickle.skimmed ? [] : expansionFindings(pickle, member);
  for (const found of [fromEvents, expanded, alike.rest()]) findings.push(...found);
  for (const anomaly of pickle.anomalies) {
    const finding = anomalyFinding(anomaly, member);
    if (finding) findings.push(finding);
  }
  if (pickle.error) findings.push(unreadable(pickle.error, member, pickle.skimmed !== undefined));
  if (pickle.skimmed) judgeSkimmed(pickle.skimmed, member, findings, imports);
  return { findings, imports };
}

function judgeInstance(event: Instance, calls: CallJudge): Suspect[] {
  try {
    const suspects = calls.judge(event);
    const hook = storedHook(event);
    return hook ? [...suspects, hook] : suspects;
  } catch (error) {
    if (!(error instanceof TooMuchWork)) throw error;
    calls.leave(event);
    return [
      {
        rule: 'limit-reached',
        severity: 'suspicious',
        message:
          'So many calls share so many values that not all of them were looked at; this one was judged by its name alone.',
      },
    ];
  }
}

function judgeEvent(event: PickleEvent, tainted: Set<string>): Suspect[] {
  if (event instanceof MutationEvent) {
    if (event.target instanceof Global) tainted.add(event.target.module);
    return [mutation(event)];
  }
  if (event instanceof ImportEvent) {
    if (!tainted.has(event.global.module)) return [];
    return [
      {
        rule: 'changed-import',
        severity: 'suspicious',
        message: `${event.global.path} is imported after this stream changed something in ${event.global.module}; it may no longer be what its name says.`,
      },
    ];
  }
  if (event instanceof ExtensionCode) {
    return [
      {
        rule: 'extension-code',
        severity: 'suspicious',
        message: `Extension code ${event.code} stands for a name that only the loading program knows, so what it imports cannot be judged.`,
      },
    ];
  }
  return [];
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

export function unreadable(error: NonNullable<Pickle['error']>, member: string, skimmed: boolean): SecurityFinding {
  const finding: SecurityFinding = {
    rule:
      error.code === 'truncated' ? 'truncated-pickle' : error.code === 'limit' ? 'limit-reached' : 'malformed-pickle',
    severity: 'suspicious',
    member,
    message: `${error.message} ${skimmed ? 'Behind that, names and calls were judged without their arguments.' : 'What comes before would still be carried out on load.'}`,
    advice: skimmed
      ? 'Load it only if you know where it comes from: few honest files hold so many values.'
      : 'Fetch the file again; a file that is damaged on purpose hides what comes before the damage from scanners.',
  };
  if (error.offset !== undefined) finding.offset = error.offset;
  return finding;
}

/**
 * Special attributes that hold data about an object, and may hold a name. Every other one is called by Python, NumPy or whoever the object is
 * handed to: a function stored there by BUILD runs later without any call in the stream.
 */
const SPECIAL_DATA =
  /^__(module|doc|name|qualname|dict|slots|annotations|origin|args|parameters|orig_class|orig_bases|wrapped|bound|constraints|default|covariant|contravariant|infer_variance|type_params|unpacked|metadata|forward_\w+|match_args|pydantic_\w+|attrs_\w+|dataclass_\w+|fields|fields_set|abstractmethods|version|all|constants|params|jit_\w+|static_attributes|firstlineno|defaults|kwdefaults|self|objclass|text_signature|signature)__$/;

const SPECIAL = /^__\w+__$/;

/** Attributes, besides special ones, that are hooks in a state: see `FILLING`, and `keys`, by which `dict` fills itself. */
export const HOOK_NAMES: readonly string[] = ['append', 'extend', 'add', 'keys'];

/** Methods that the opcodes which fill an object look up in it, where its state stands before its class. */
const FILLING = /^(append|extend|add|__setitem__)$/;

function storedHook(instance: Instance): Suspect | undefined {
  if (instance.state === undefined) return undefined;
  const filled = instance.items !== undefined || instance.entries !== undefined;
  for (const state of statesOf(instance)) {
    if (state instanceof Map) {
      const found = hookIn(state, filled);
      if (found) return found;
      continue;
    }
    for (const part of asSequence(state)?.slice(0, 2) ?? []) {
      const found = part instanceof Map ? hookIn(part, filled) : undefined;
      if (found) return found;
    }
  }
  return undefined;
}

function hookIn(dict: Map<Value, Value>, filled: boolean): Suspect | undefined {
  spend(dict.size);
  for (const [key, value] of dict) {
    // The value first: nearly all of them are data.
    if (value === null || typeof value !== 'object' || typeof key !== 'string') continue;
    if (!(value instanceof Global || value instanceof Instance)) continue;
    if ((filled && FILLING.test(key)) || key === 'keys') {
      const found = calledBy(value, `the object that has it as ${key}`);
      if (found) return { ...found, rule: 'stored-hook', advice: ADVICE.dangerous };
    }
    if (!SPECIAL.test(key) || SPECIAL_DATA.test(key)) continue;
    return {
      rule: 'stored-hook',
      severity: 'dangerous',
      message: `BUILD stores ${printValue(value)} as ${key}, which Python calls by itself.`,
      advice: ADVICE.dangerous,
    };
  }
  return undefined;
}

function locate(suspect: Suspect, event: PickleEvent, member: string): SecurityFinding {
  const finding: SecurityFinding = { ...suspect, member };
  finding.offset = event.offset;
  if (event instanceof Instance) {
    finding.opcode = event.how;
    finding.call = printValue(event);
    finding.use = 'called';
  } else if (event instanceof MutationEvent) {
    finding.opcode = event.opcode;
    finding.use = 'state-set';
  }
  if (finding.severity === 'dangerous' && !finding.advice) finding.advice = ADVICE.dangerous;
  return finding;
}

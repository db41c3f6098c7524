import type { Skimmed, SkimmedUse, Times } from '../pickle/skim/skimmed';
import { Alike } from './alike';
import { classifyGlobal } from './imports';
import { ADVICE, unreadable } from './judge';
import { type Classification, classOfUse, type Judge, type PolicyClass } from './policy';
import type { ImportUse, SecurityFinding } from './report';

/** Names that are listed. */
const MAX_LISTED = 20_000;

/** Characters of a module or a name that are shown. */
const MAX_SHOWN = 500;

const RANK: Record<PolicyClass, number> = { known: 0, unknown: 1, dangerous: 2 };

/** Evidence that can convict a use of a known name: without the arguments, which are not known here, it does. */
const CONVICTS: Partial<Record<Judge, 'called' | 'state'>> = {
  pickle: 'called',
  import: 'called',
  class: 'called',
  code: 'called',
  attribute: 'called',
  word: 'state',
  state: 'state',
};

/**
 * Judges the part of a pickle that was read without its values: each name by its class for the uses that were seen, as no arguments can clear
 * it, and what is known only at load for what it is. Adds to findings and imports.
 */
export function judgeSkimmed(
  skimmed: Skimmed,
  member: string,
  findings: SecurityFinding[],
  imports: ImportUse[],
): void {
  const alike = new Alike();
  const listed = new Set(imports.map(({ module, name, class: found }) => `${module}\n${name}\n${found}`));
  for (const use of skimmed.uses) {
    const verdict = classifyGlobal(use.global);
    const found = worstClass(use, verdict);
    const shown = importUse(use, verdict, found, member);
    const key = `${shown.module}\n${shown.name}\n${found}`;
    if (!listed.has(key) && imports.length < MAX_LISTED) {
      listed.add(key);
      imports.push(shown);
    }
    const finding = use.changed
      ? changed(use, member)
      : found === 'known'
        ? undefined
        : named(use, verdict, found, member);
    if (finding && alike.lists(finding.rule, finding.severity, member)) findings.push(finding);
  }
  findings.push(...computed(skimmed, member), ...alike.rest());
  if (skimmed.moreNames)
    findings.push({
      rule: 'limit-reached',
      severity: 'dangerous',
      member,
      offset: skimmed.start,
      message: 'It imports more different names than are judged.',
      advice: 'Do not load it: no honest file imports so many, and each runs the code of a module.',
    });
  if (skimmed.error) findings.push(unreadable(skimmed.error, member, false));
}

function worstClass(use: SkimmedUse, verdict: Classification): PolicyClass {
  let found = classOfUse(verdict, 'reference');
  for (const [kind, seen] of [
    ['call', use.called],
    ['instantiate', use.instantiated],
  ] as const) {
    const next = seen ? classOfUse(verdict, kind) : 'known';
    if (RANK[next] > RANK[found]) found = next;
  }
  const convicts = verdict.judge && CONVICTS[verdict.judge];
  const convicted =
    convicts === 'called' ? use.called : convicts === 'state' ? use.called || use.instantiated || use.state : undefined;
  return convicted === undefined ? found : 'dangerous';
}

function importUse(use: SkimmedUse, verdict: Classification, found: PolicyClass, member: string): ImportUse {
  const { global, offset, count } = use;
  const shown: ImportUse = {
    module: global.module.slice(0, MAX_SHOWN),
    name: global.name.slice(0, MAX_SHOWN),
    class: found,
    use: use.changed ? 'state-set' : use.called ? 'called' : use.instantiated ? 'instantiated' : 'imported',
    offset,
    member,
    count,
  };
  if (verdict.reason) shown.reason = verdict.reason;
  return shown;
}

function located(use: SkimmedUse, member: string): Pick<SecurityFinding, 'member' | 'offset' | 'module' | 'name'> {
  return {
    member,
    offset: use.called?.offset ?? use.instantiated?.offset ?? use.offset,
    module: use.global.module.slice(0, MAX_SHOWN),
    name: use.global.name.slice(0, MAX_SHOWN),
  };
}

function named(use: SkimmedUse, verdict: Classification, found: PolicyClass, member: string): SecurityFinding {
  const { path } = use.global;
  const kind = use.called ? 'called' : use.instantiated ? 'instantiated' : 'imported';
  const base = {
    ...located(use, member),
    opcode: use.called?.how ?? use.instantiated?.how ?? use.opcode,
    use: kind,
    ...(use.called ? { call: `${path.slice(0, MAX_SHOWN)}(…)` } : {}),
    ...(verdict.advisory ? { advisory: verdict.advisory } : {}),
  } as const;
  if (found === 'dangerous') {
    return {
      ...base,
      rule: verdict.class === 'dangerous' ? 'dangerous-import' : 'unvetted-call',
      severity: 'dangerous',
      message:
        verdict.class === 'dangerous'
          ? `${verdict.sentence ?? `${path} can run code.`} It stands behind so many values that its arguments were not read.`
          : `Loading uses ${path} behind so many values that its arguments were not read; by them alone it could be cleared.`,
      advice: ADVICE.dangerous,
    };
  }
  return {
    ...base,
    rule: use.called ? 'unknown-call' : use.instantiated ? 'unknown-class' : 'unknown-import',
    severity: 'suspicious',
    message: `Loading ${use.called ? 'calls' : use.instantiated ? 'creates an object of' : 'imports'} ${path}, which no policy knows; its module is imported, and its code runs.`,
    advice: ADVICE.unknown,
  };
}

function changed(use: SkimmedUse, member: string): SecurityFinding {
  return {
    ...located(use, member),
    rule: 'mutated-import',
    severity: 'dangerous',
    offset: use.changed?.offset ?? use.offset,
    opcode: use.changed?.opcode ?? use.opcode,
    use: 'state-set',
    message: `${use.changed?.opcode} changes ${use.global.path}, which this file did not make. The loading program itself is altered.`,
    advice: ADVICE.dangerous,
  };
}

/** What is known only at load. A name to import is written out in every honest pickle. */
function computed(skimmed: Skimmed, member: string): SecurityFinding[] {
  const finding = (
    rule: string,
    severity: SecurityFinding['severity'],
    { count, offset }: Times,
    message: string,
  ): SecurityFinding[] =>
    count === 0
      ? []
      : [{ rule, severity, member, offset, message: count === 1 ? message : `${message} So ${count} times.` }];
  return [
    ...finding(
      'computed-import',
      'dangerous',
      skimmed.computedNames,
      'A name to import is computed while loading. Honest pickles write their names out.',
    ),
    ...finding(
      'computed-call',
      'suspicious',
      skimmed.computedCalls,
      'Loading calls something that is known only then.',
    ),
    ...finding(
      'extension-code',
      'suspicious',
      skimmed.extensions,
      'An extension code stands for a name that only the loading program knows.',
    ),
    ...finding(
      'mutated-import',
      'suspicious',
      skimmed.changedHanded,
      'The stream changes something that the loading program hands in.',
    ),
  ];
}

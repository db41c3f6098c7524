import type { Pickle } from '../pickle/machine';
import { fetchedConstructors, type PartialNew, partialNew } from '../pickle/partial-new';
import { printValue } from '../pickle/print';
import { asSequence, Global, Instance } from '../pickle/values';
import { type Callee, classifyCallee, importedCallee, instantiatedClass, pathOf, resolveCallee } from './callee';
import { evaluate } from './evaluate';
import { blankClass, classStateSuspect, evidenceOf, hugeAllocation, sourceInState } from './evidence';
import { returnsShared } from './evidence/by-name';
import { calledBy } from './evidence/holds';
import { fileClassSuspect, methodsOfClasses } from './file-classes';
import type { JudgeContext, Suspect } from './judge';
import { judgedEvents } from './judged-events';
import { factsOf } from './name-facts';
import type { Classification, PolicyUse } from './policy';
import { calledObject, getterCall, joinsGraphClasses, named, unvetted } from './results';
import { spend } from './work';

/** What the calls of one imported name amount to. */
export interface CallRecord {
  /** Uses that no evidence cleared or convicted: the class of the name decides about them. */
  uses: Set<PolicyUse>;
  /** Calls that evidence decided about, and the worst that it found. */
  judged: number;
  worst: 'clear' | 'suspicious' | 'dangerous';
}

const NOTHING: Suspect[] = [];

/** Judges the calls of one pickle, in order, and remembers what they say about the names that they call. */
export class CallJudge {
  readonly records = new Map<Global, CallRecord>();
  /** Methods of classes that the file defines. */
  private readonly methods: Map<Instance, Set<string>>;
  /** Calls of `getattr` that fetch a `__new__` for a partial. What that makes is judged as an instance, and the class as an import. */
  private readonly constructors: Set<Instance>;

  constructor(
    pickle: Pickle,
    private readonly context: JudgeContext,
  ) {
    this.methods = methodsOfClasses(pickle);
    this.constructors = fetchedConstructors(judgedEvents(pickle.outerEvents));
  }

  judge(instance: Instance): Suspect[] {
    const { callable } = instance;
    const made = callable instanceof Instance ? partialNew(instance) : undefined;
    if (made) return this.partialNew(made);
    if (this.constructors.has(instance)) {
      this.record(callable as Global, 'call', 'clear', 'info');
      return NOTHING;
    }
    const facts = callable instanceof Global && !callable.operands ? factsOf(callable) : undefined;
    const use = useOf(instance);
    if (facts?.noEvidence && !facts.allocates && !facts.setsClassState && !facts.fetches && !facts.shared) {
      // The ordinary case: the name says all, and only the state may add to it.
      this.record(callable as Global, use, 'none', 'info');
      if (facts.notesClass) this.noted(instance);
      const found = this.instantiated(instance, facts.callee) ?? sourceInState(instance);
      return found ? [found] : NOTHING;
    }
    spend(1 + (asSequence(instance.args)?.length ?? 0));
    const out: Suspect[] = [];
    const callee = facts ? facts.callee : resolveCallee(callable);
    const classification = facts ? facts.classification : classifyCallee(callee);
    const path = facts ? facts.path : callee.kind === 'name' ? pathOf(callee.module, callee.name) : '';

    if (classification && callee.kind === 'name') {
      const evidence = evidenceOf({ instance, path, classification, callee, context: this.context });
      if (evidence.is === 'suspect') out.push({ ...named(callee), ...evidence.suspect });
      const severity = evidence.is === 'suspect' ? evidence.suspect.severity : 'info';
      const global = importedCallee(instance.callable);
      if (global) {
        this.record(global, use, evidence.is, severity);
      } else if (evidence.is === 'none') {
        const suspect = unvetted(classification, use, instance, callee);
        if (suspect) out.push(suspect);
      }
    } else {
      const suspect = this.callResult(instance, callee, classification, use);
      if (suspect) out.push(suspect);
    }
    for (const suspect of [
      this.instantiated(instance, callee),
      path ? hugeAllocation(instance, path) : undefined,
      sourceInState(instance),
      classStateSuspect(instance),
      changedForeign(instance),
    ]) {
      if (suspect) out.push(suspect);
    }
    return out;
  }

  /** Takes the class of the name for a call that was not looked at. */
  leave(instance: Instance): void {
    const global = importedCallee(instance.callable);
    if (global) this.record(global, useOf(instance), 'none', 'info');
  }

  /** What NEWOBJ_EX is since protocol 4. The `__new__` that runs is the owner's, whatever class it makes an instance of. */
  private partialNew({ owner, cls, instance }: PartialNew): Suspect[] {
    const suspects = this.judge(instance);
    if (owner === cls) return suspects;
    const byOwner = new Instance(owner, instance.args, 'NEWOBJ_EX', instance.offset);
    byOwner.kwargs = instance.kwargs;
    return [...suspects, ...this.judge(byOwner)];
  }

  /** `copyreg.__newobj__(class, arguments)`: what the class does with its arguments is judged as if it were made by NEWOBJ. */
  private instantiated(instance: Instance, callee: Callee): Suspect | undefined {
    const made = instantiatedClass(instance);
    if (!made || made === instance.callable) return undefined;
    const { classification, path } = factsOf(made);
    const blank = classification.judge === 'blank' && blankClass(instance) === made;
    this.record(made, 'instantiate', blank ? 'clear' : 'none', 'info');
    if (classification.judge !== 'word') return undefined;
    const evidence = evidenceOf({ instance, path, classification, callee, context: this.context });
    return evidence.is === 'suspect' ? { ...evidence.suspect, module: made.module, name: made.name } : undefined;
  }

  /** The class of an array that joblib notes down. */
  private noted(instance: Instance): void {
    const cls = blankClass(instance);
    if (cls) this.record(cls, 'instantiate', 'clear', 'info');
  }

  private record(
    global: Global,
    use: PolicyUse,
    is: 'clear' | 'suspect' | 'none',
    severity: Suspect['severity'],
  ): void {
    let record = this.records.get(global);
    if (!record) {
      record = { uses: new Set(), judged: 0, worst: 'clear' };
      this.records.set(global, record);
    }
    if (is === 'none') {
      record.uses.add(use);
      return;
    }
    record.judged++;
    if (severity === 'dangerous') record.worst = 'dangerous';
    else if (severity === 'suspicious' && record.worst === 'clear') record.worst = 'suspicious';
  }

  /** Calls something that is no import: what a call returned, a constant's method, what the loading program hands in. */
  private callResult(
    instance: Instance,
    callee: Callee,
    classification: Classification | undefined,
    use: PolicyUse,
  ): Suspect | undefined {
    const args = asSequence(instance.args) ?? [];
    switch (callee.kind) {
      case 'method':
        if (evaluate(instance) !== undefined) return undefined;
        return classification ? unvetted(classification, 'call', instance, callee) : undefined;
      case 'partial':
        return calledBy(callee.function, 'functools.partial');
      case 'bytecode':
        return {
          rule: 'bytecode-called',
          severity: 'dangerous',
          message:
            'Loading calls a function that the file brings along as Python bytecode: code of the file’s author runs.',
        };
      case 'file-class':
        return fileClassSuspect(instance, this.methods.get(callee.instance), use);
      case 'getter':
        return getterCall(callee, args, instance);
      case 'item-getter':
        if (!(args[0] instanceof Global)) return undefined;
        break;
      default:
        break;
    }
    if (joinsGraphClasses(instance)) return undefined;
    const object = calledObject(instance.callable);
    if (object) return object;
    return {
      rule: 'computed-call',
      severity: 'suspicious',
      message: `Loading calls ${instance.callable instanceof Instance ? `the result of ${printValue(instance.callable, { width: 120 })}` : printValue(instance.callable, { width: 120 })}; what that is cannot be known before.`,
    };
  }
}

/** NEWOBJ makes an instance without calling the class; INST and OBJ do so for a class when there are no arguments. */
export function useOf(instance: Instance): PolicyUse {
  return instance.how === 'NEWOBJ' || instance.how === 'NEWOBJ_EX' ? 'instantiate' : 'call';
}

/** SETITEM, APPEND or BUILD on what an attribute or module of the loading program is. */
function changedForeign(instance: Instance): Suspect | undefined {
  if (instance.state === undefined && instance.entries === undefined && instance.items === undefined) return undefined;
  const { kind } = resolveCallee(instance);
  const maker = resolveCallee(instance.callable);
  const shared = maker.kind === 'name' && returnsShared(pathOf(maker.module, maker.name));
  if (kind !== 'name' && kind !== 'module' && !shared) return undefined;
  return {
    rule: 'mutated-import',
    severity: 'dangerous',
    message: `The stream changes ${printValue(instance, { width: 120 })}, which it fetched from the loading program and did not make.`,
  };
}

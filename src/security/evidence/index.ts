/**
 * Evidence about the arguments of a call: the policy says for which names it counts and which kind (policy/types.ts, `Judge`). On a dangerous
 * name it can clear a call, on a known name it can convict it.
 */
import type { Judge } from '../policy';
import { attributeEvidence } from './attribute';
import { classEvidence } from './classes';
import { codeEvidence } from './code';
import { type Evidence, NONE, type Question } from './evidence';
import { holdsEvidence } from './holds';
import { pickleEvidence } from './nested';
import { codecEvidence, importEvidence, keyEvidence, subscriptEvidence, typeNameEvidence } from './plain';
import { wordEvidence } from './words';

const KINDS: Record<Judge, (question: Question) => Evidence> = {
  attribute: attributeEvidence,
  holds: holdsEvidence,
  pickle: pickleEvidence,
  import: importEvidence,
  'type-name': typeNameEvidence,
  class: classEvidence,
  code: codeEvidence,
  codec: codecEvidence,
  key: keyEvidence,
  subscript: subscriptEvidence,
  word: wordEvidence,
  // Looked for in every call and every state, whatever the name.
  size: () => NONE,
  state: () => NONE,
  // What clears it is the way an array is made (`blankClass`), which is no call of the class.
  blank: () => NONE,
};

export function evidenceOf(question: Question): Evidence {
  const { judge } = question.classification;
  return judge ? KINDS[judge](question) : NONE;
}

export { fetched } from './attribute';
export { besidesClass, blankClass } from './blank';
export { classStateSuspect } from './classes';
export type { Evidence, Question } from './evidence';
export { hugeAllocation, sourceInState, statesOf } from './plain';

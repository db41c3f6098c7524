import type { Instance } from '../../pickle/values';
import type { Callee } from '../callee';
import type { JudgeContext, Suspect } from '../judge';
import type { Classification } from '../policy';

/** One call whose meaning depends on its arguments. */
export interface Question {
  instance: Instance;
  /** The path of what is called, re-exports followed. */
  path: string;
  classification: Classification;
  callee: Callee;
  context: JudgeContext;
}

/**
 * What the arguments say: `clear` them of suspicion, a finding of its own instead of the one about the name, or `none` if they do not change
 * what the name says.
 */
export type Evidence = { is: 'clear' } | { is: 'suspect'; suspect: Suspect } | { is: 'none' };

export const CLEAR: Evidence = { is: 'clear' };
export const NONE: Evidence = { is: 'none' };

export function suspect(found: Suspect): Evidence {
  return { is: 'suspect', suspect: found };
}

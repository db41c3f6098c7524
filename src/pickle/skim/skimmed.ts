import type { ModelError } from '../../bytes/errors';
import type { OpcodeName } from '../opcodes';
import type { CallOpcode, Global } from '../values';

/** How a name is used in the part of a pickle that was only skimmed; offsets are those of the first such use. */
export interface SkimmedUse {
  global: Global;
  offset: number;
  opcode: OpcodeName;
  count: number;
  called?: { offset: number; how: CallOpcode };
  instantiated?: { offset: number; how: CallOpcode };
  /** BUILD on what it made. */
  state?: number;
  /** Something was stored in the imported thing itself. */
  changed?: { offset: number; opcode: OpcodeName };
}

/** Something that happened so many times, first at an offset. */
export interface Times {
  count: number;
  offset: number;
}

/** What is known of the rest of a pickle whose values no longer fit: its imports and its calls, without their arguments. */
export interface Skimmed {
  start: number;
  /** Behind STOP, or behind the last opcode that was understood. */
  end: number;
  opcodes: number;
  uses: SkimmedUse[];
  /** There were more names than are kept. */
  moreNames: boolean;
  /** Imports whose name is computed. */
  computedNames: Times;
  /** Calls of what is no import. */
  computedCalls: Times;
  /** Codes of the extension registry. */
  extensions: Times;
  /** Changes of what the loading program hands in. */
  changedHanded: Times;
  /** Set when STOP was not reached. */
  error: ModelError | undefined;
}

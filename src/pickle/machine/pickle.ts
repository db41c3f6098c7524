import type { ModelError } from '../../bytes/errors';
import type { Window } from '../../bytes/window';
import type { ValueBudget } from '../budget';
import type { Memo } from '../memo';
import type { Skimmed } from '../skim/skimmed';
import type { Anomaly, Instance, PickleEvent, Value } from '../values';

/** What a reader may add to the machine. */
export interface MachineHooks {
  /**
   * Called after BUILD on an instance, as a loader's own unpickler may read data that follows in the stream (joblib's array wrappers).
   * It may move `window` and returns what replaces the instance on the stack, `undefined` to keep it. `nested` reads a whole pickle
   * that stands at the window's position, with a memo of its own; its events and anomalies join those of the outer one.
   */
  afterBuild?(instance: Instance, window: Window, nested: () => Pickle): Value | undefined;
  /** The string that a call yields if it can be computed without running anything; operands of STACK_GLOBAL may be such calls. */
  evaluate?(value: Value): string | undefined;
}

export interface MachineOptions {
  hooks?: MachineHooks;
  /** Memo to start with: one `Unpickler` object that loads several times keeps its memo. */
  memo?: Memo;
  /** Opcodes to read at most, where only the beginning is of interest; what follows is then not skimmed. */
  maxOpcodes?: number;
  /** What the values may take, shared by all pickles of a file. */
  budget?: ValueBudget;
  /** `false` makes every value at once, also those that nobody looks at; what is read is the same. */
  packCalls?: boolean;
  /** The name of the member or file for messages; the source's name by default. */
  name?: string;
}

/** One pickle as far as it could be read. */
export interface Pickle {
  /** Offset of the first opcode, and of the first byte after STOP (or after the last byte understood). */
  start: number;
  end: number;
  /** The highest protocol that a PROTO opcode declared; 0 without one. */
  protocol: number;
  /** What the pickle yields; if `error` is set, what can be put together from the stack. */
  value: Value;
  readonly events: PickleEvent[];
  /** The events without those inside calls whose arguments are packed: for who looks at these calls as a whole. */
  readonly outerEvents: readonly PickleEvent[];
  anomalies: Anomaly[];
  opcodes: number;
  /** Whether it has strings of Python 2 (STRING, BINSTRING, SHORT_BINSTRING), which Python 3 never writes. */
  python2Strings: boolean;
  /** Set when the stream could not be read to STOP. Everything understood up to there is still in `value` and `events`. */
  error: ModelError | undefined;
  /** Set when the values reached a limit: what is known of the rest. */
  skimmed: Skimmed | undefined;
  /** Memo after the last opcode. */
  memo: Memo;
}

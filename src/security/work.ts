/**
 * Bounds on what judging one pickle may cost. Arguments and states can be shared by any number of calls through the memo, so that a few
 * bytes a call would make the judge go through millions of values again and again.
 */

/** Steps for every opcode: an honest stream is gone through a few times. */
const STEPS_PER_OPCODE = 16;

/** Steps that any stream may cost: some seconds. */
const FREE_STEPS = 50_000_000;

/** Thrown when judging has cost more than it may; what is not judged then is not cleared either. */
export class TooMuchWork extends Error {}

let left = FREE_STEPS;

/** Does something with a count of its own, for a stream of so many opcodes. */
export function withWork<T>(opcodes: number, work: () => T): T {
  const outer = left;
  left = FREE_STEPS + STEPS_PER_OPCODE * opcodes;
  try {
    return work();
  } finally {
    left = outer;
  }
}

/** @throws TooMuchWork */
export function spend(steps: number): void {
  if (!mayGoOn(steps)) throw new TooMuchWork();
}

/** The same, to ask: false once it was too much. */
export function mayGoOn(steps: number): boolean {
  left -= steps;
  return left >= 0;
}

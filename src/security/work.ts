/**
 * Bounds on what judging one pickle may cost. Arguments and states can be shared by any number of calls through the memo, so that a few
 * bytes a call would make the judge go through millions of values again and again.
 */

/** Steps for every opcode: an honest stream is gone through a few times. */
const STEPS_PER_OPCODE = 16;

/** Steps that any stream may cost: a second or two. */
const FREE_STEPS = 20_000_000;

/** Thrown when judging has cost more than it may; what is not judged then is not cleared either. */
export class TooMuchWork extends Error {}

/** One for all: it can be thrown for each of a million calls. */
const TOO_MUCH = new TooMuchWork();

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
  if (!mayGoOn(steps)) throw TOO_MUCH;
}

/** The same, to ask: false once it was too much. */
export function mayGoOn(steps: number): boolean {
  left -= steps;
  return left >= 0;
}

import { getHeapStatistics } from 'node:v8';
import {
  HEAP_CHECK_OPCODES,
  HEAP_SHARE,
  MIN_VALUE_BYTES,
  VALUE_BYTES_PER_BYTE,
  VALUE_HEAP_SHARE,
} from '../bytes/limits';

/**
 * Bytes of memory that the parts of a value take, roughly, besides the slot in which they stand. Objects count twice: the collector of garbage
 * goes over them again and again, and so does whoever looks at them.
 */
export const COST = { slot: 8, mark: 24, list: 112, tuple: 144, set: 144, dict: 360, call: 240, text: 24 } as const;

/** What an array that grows needs for a moment, for each of its slots: the old one and one that is half as large again. */
const GROWING = 12;

const HEAP_LIMIT = getHeapStatistics().heap_size_limit;

/**
 * Memory that the values of one file may take, counted as they are made, so that what a hostile file costs does not depend on when garbage
 * is collected. One budget serves all pickles of a file.
 */
export class ValueBudget {
  private spent = 0;
  private readonly most: number;

  /**
   * @param size of the file in bytes: honest values take a few times as much
   * @param most bytes that the values may take
   * @param interval opcodes between two looks at the budget, a power of two
   */
  constructor(
    size: number,
    most = Math.max(MIN_VALUE_BYTES, size * VALUE_BYTES_PER_BYTE),
    readonly interval = HEAP_CHECK_OPCODES,
  ) {
    this.most = Math.min(HEAP_LIMIT * VALUE_HEAP_SHARE, most);
  }

  /** Adds what the values of a pickle took that was read to its end. */
  spend(bytes: number): void {
    this.spent += bytes;
  }

  /** Whether earlier pickles have taken all. */
  get isSpent(): boolean {
    return this.spent > this.most;
  }

  /** Whether nothing is left besides `bytes`, or an array of `longest` slots could not grow. */
  exceeded(bytes: number, longest: number): boolean {
    if (this.spent + bytes > this.most) return true;
    const { used_heap_size } = getHeapStatistics();
    return used_heap_size > HEAP_LIMIT * HEAP_SHARE || used_heap_size + longest * GROWING > HEAP_LIMIT;
  }
}

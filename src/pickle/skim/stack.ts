import { isForeign } from '../machine/kinds';
import type { Memo } from '../memo';
import { Global, Instance, type Value } from '../values';
import { ABSENT, HANDED, LITERAL, MADE, MARK, NAME, OPAQUE, Slots } from './slots';

/** What the machine had when its values no longer fit. */
export interface Unfinished {
  stack: readonly Value[];
  marks: readonly number[];
  memo: Memo;
}

/** Memo indexes far beyond the number of entries that are kept one by one, and texts from before. */
const MAX_KEPT = 1_000_000;

/** Number of what was made by something that has no name. */
export const UNNAMED = 0xffff_ffff;

/**
 * The stack and the memo of the skim. They go on from those of the machine, which are only read. A MARK is an entry of the stack, as in the
 * first unpicklers. What is missing counts as data of which nothing is known: a loader would have stopped, and nothing is lost by going on.
 */
export class SkimStack {
  /** Kind and word of what was popped last. */
  kind = OPAQUE;
  word = 0;
  private readonly slots = new Slots();
  private height = 0;
  private readonly memo = new Slots();
  private readonly farMemo = new Map<number, readonly [number, number]>();
  private occupied: number;
  /** What is left of the machine's stack and marks. */
  private below: number;
  private marksBelow: number;
  private readonly literals: string[] = [];
  private readonly literalNumbers = new Map<string, number>();

  constructor(
    private readonly before: Unfinished,
    private readonly numberOf: (global: Global) => number,
  ) {
    this.below = before.stack.length;
    this.marksBelow = before.marks.length;
    this.occupied = before.memo.size;
  }

  literal(number: number): string {
    return this.literals[number];
  }

  push(kind: number, word = 0): void {
    this.slots.set(this.height++, kind, word);
  }

  pop(): void {
    if (this.height > 0) {
      this.height--;
      this.kind = this.slots.kind(this.height);
      this.word = this.slots.word(this.height);
      return;
    }
    const { stack, marks } = this.before;
    if (this.marksBelow > 0 && marks[this.marksBelow - 1] >= this.below) {
      this.marksBelow--;
      this.kind = MARK;
    } else if (this.below > 0) this.describe(stack[--this.below]);
    else this.kind = OPAQUE;
  }

  /** Looks at the top. */
  top(): void {
    this.at(0);
  }

  /** Looks at what is `depth` entries below the top. */
  private at(depth: number): void {
    if (this.height > depth) {
      this.kind = this.slots.kind(this.height - 1 - depth);
      this.word = this.slots.word(this.height - 1 - depth);
      return;
    }
    const { stack, marks } = this.before;
    if (this.marksBelow > 0 && marks[this.marksBelow - 1] >= this.below) this.kind = MARK;
    else if (this.below > 0) this.describe(stack[this.below - 1]);
    else this.kind = OPAQUE;
  }

  /** Pops to the last MARK. Afterwards `kind` and `word` are of the lowest value above it, which is the class of OBJ. */
  popMark(): void {
    let kind = OPAQUE;
    let word = 0;
    while (this.height > 0) {
      this.height--;
      const next = this.slots.kind(this.height);
      if (next === MARK) {
        this.kind = kind;
        this.word = word;
        return;
      }
      kind = next;
      word = this.slots.word(this.height);
    }
    const { stack, marks } = this.before;
    const mark = this.marksBelow > 0 ? Math.min(marks[--this.marksBelow], this.below) : 0;
    if (this.below > mark) this.describe(stack[mark]);
    else {
      this.kind = kind;
      this.word = word;
    }
    this.below = mark;
  }

  put(index: number): void {
    this.top();
    this.store(index);
  }

  memoize(): void {
    this.top();
    this.store(this.occupied);
  }

  /** Pushes what the memo has. */
  get(index: number): void {
    const near = index <= this.nearest() ? this.memo.kind(index) : ABSENT;
    if (near !== ABSENT) {
      this.push(near, this.memo.word(index));
      return;
    }
    const far = this.farMemo.get(index);
    if (far) {
      this.push(far[0], far[1]);
      return;
    }
    this.describe(this.before.memo.get(index) ?? null);
    this.push(this.kind, this.word);
  }

  private nearest(): number {
    return 2 * this.occupied + 4096;
  }

  private store(index: number): void {
    const kind = this.kind === MARK ? OPAQUE : this.kind;
    if (index <= this.nearest()) {
      if (this.memo.kind(index) === ABSENT && this.before.memo.get(index) === undefined && !this.farMemo.has(index))
        this.occupied++;
      this.memo.set(index, kind, this.word);
    } else if (this.farMemo.has(index) || this.farMemo.size < MAX_KEPT) {
      if (!this.farMemo.has(index) && this.before.memo.get(index) === undefined) this.occupied++;
      this.farMemo.set(index, [kind, this.word]);
    }
  }

  private describe(value: Value): void {
    this.word = 0;
    if (typeof value === 'string') {
      this.kind = LITERAL;
      this.word = this.literalNumber(value);
      if (this.word < 0) {
        this.kind = OPAQUE;
        this.word = 0;
      }
    } else if (value instanceof Global && !value.operands) {
      this.kind = NAME;
      this.word = this.numberOf(value);
    } else if (value instanceof Instance || value instanceof Global) {
      this.kind = MADE;
      const callable = value instanceof Instance ? value.callable : undefined;
      this.word = callable instanceof Global && !callable.operands ? this.numberOf(callable) : UNNAMED;
    } else this.kind = isForeign(value) ? HANDED : OPAQUE;
  }

  private literalNumber(text: string): number {
    const known = this.literalNumbers.get(text);
    if (known !== undefined) return known;
    if (this.literals.length >= MAX_KEPT) return -1;
    this.literals.push(text);
    this.literalNumbers.set(text, this.literals.length - 1);
    return this.literals.length - 1;
  }
}

import { type Signal, signal } from '@preact/signals';
import type { EngineFailure } from '../../../src/engine/contract';

const PAGE = 128;
/** Pages kept: 40 × 128 rows is far more than a screen; a long scroll does not fill the memory. */
const KEPT = 40;

/** A long list of which only the pages that were looked at are held. */
export class PagedRows<R> {
  private readonly pages = new Map<number, R[] | 'asked'>();
  private ended = false;
  readonly version: Signal<number> = signal(0);
  failure: EngineFailure | undefined;

  constructor(
    private readonly ask: (start: number, count: number) => Promise<R[]>,
    private readonly failureOf: (error: unknown) => EngineFailure,
    readonly page: number = PAGE,
  ) {}

  /** The row, or `undefined` while it is on its way. */
  row(index: number): R | undefined {
    const page = this.pages.get(Math.floor(index / this.page));
    return page === undefined || page === 'asked' ? undefined : page[index % this.page];
  }

  /** Asks for what is missing of rows `from` to `to` (exclusive). */
  need(from: number, to: number): void {
    if (this.ended || this.failure) return;
    for (let page = Math.floor(from / this.page); page * this.page < to; page++) {
      const held = this.pages.get(page);
      if (held === undefined) this.load(page);
      else if (held !== 'asked') {
        // Most recently used last.
        this.pages.delete(page);
        this.pages.set(page, held);
      }
    }
  }

  /** Puts rows that came with another answer in place. */
  put(start: number, rows: R[]): void {
    if (start % this.page !== 0 || rows.length === 0) return;
    for (let i = 0; i < rows.length; i += this.page)
      this.pages.set((start + i) / this.page, rows.slice(i, i + this.page));
    this.version.value++;
  }

  /** Answers that are still on their way are dropped. */
  dispose(): void {
    this.ended = true;
  }

  private load(page: number): void {
    this.pages.set(page, 'asked');
    this.ask(page * this.page, this.page).then(
      (rows) => {
        if (this.ended) return;
        this.pages.set(page, rows);
        for (const key of this.pages.keys()) {
          if (this.pages.size <= KEPT) break;
          if (key !== page && this.pages.get(key) !== 'asked') this.pages.delete(key);
        }
        this.version.value++;
      },
      (error) => {
        if (this.ended) return;
        this.pages.delete(page);
        this.failure = this.failureOf(error);
        this.version.value++;
      },
    );
  }
}

import { type Signal, signal } from '@preact/signals';
import type { EngineFailure, TensorSlice } from '../../../src/engine/contract';

type Ask = (rowStart: number, rowCount: number, columnStart: number, columnCount: number) => Promise<TensorSlice>;

/** Tiles kept: many screens, some megabytes of text at most. */
const KEPT = 80;

/** A table of values of which only the tiles that came into sight are held. */
export class Tiles {
  static readonly rows = 64;
  static readonly columns = 32;

  readonly version: Signal<number> = signal(0);
  failure: EngineFailure | undefined;
  private readonly held = new Map<string, string[][] | 'asked'>();
  private ended = false;

  constructor(
    private readonly ask: Ask,
    private readonly failureOf: (error: unknown) => EngineFailure,
  ) {}

  /** The cell's text, or `undefined` while it is on its way. */
  cell(row: number, column: number): string | undefined {
    const tile = this.held.get(keyOf(Math.floor(row / Tiles.rows), Math.floor(column / Tiles.columns)));
    return tile === undefined || tile === 'asked' ? undefined : tile[row % Tiles.rows]?.[column % Tiles.columns];
  }

  put(tileRow: number, tileColumn: number, rows: string[][]): void {
    this.held.set(keyOf(tileRow, tileColumn), rows);
  }

  /** Asks for what is missing in a window (ends exclusive). */
  need(top: number, bottom: number, left: number, right: number): void {
    if (this.ended || this.failure) return;
    for (let r = Math.floor(top / Tiles.rows); r * Tiles.rows < bottom; r++) {
      for (let c = Math.floor(left / Tiles.columns); c * Tiles.columns < right; c++) {
        if (!this.held.has(keyOf(r, c))) this.load(r, c);
      }
    }
  }

  dispose(): void {
    this.ended = true;
  }

  private load(r: number, c: number): void {
    const key = keyOf(r, c);
    this.held.set(key, 'asked');
    this.ask(r * Tiles.rows, Tiles.rows, c * Tiles.columns, Tiles.columns).then(
      (slice) => {
        if (this.ended) return;
        this.held.set(key, slice.rows);
        for (const [old, tile] of this.held) {
          if (this.held.size <= KEPT) break;
          if (old !== key && tile !== 'asked') this.held.delete(old);
        }
        this.version.value++;
      },
      (error) => {
        if (this.ended) return;
        this.failure = this.failureOf(error);
        this.version.value++;
      },
    );
  }
}

function keyOf(r: number, c: number): string {
  return `${r}:${c}`;
}

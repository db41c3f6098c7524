import type { EngineApi, EngineControl, EngineFailure } from './contract';
import type { EnginePool } from './pool';
import type { EngineProcess } from './process';
import { toFailure } from './wire';

/** What an engine is asked to open. */
export type OpenRequest = Parameters<EngineControl['open']>[0];

type Method = keyof EngineControl;

/** Seconds a request may take before its engine counts as stuck. Generous: a deadline ends the engine, and with it the model. */
const DEADLINES: Partial<Record<Method, number>> = {
  open: 300,
  overview: 300,
  security: 300,
  scan: 300,
  hash: 1800,
  statistics: 1800,
  predict: 900,
  exportTo: 1800,
  parametersAs: 300,
};
const DEFAULT_DEADLINE = 60;

/**
 * One model's engine. It is taken from the pool and told to open the file at the first call, let go by `release`, and
 * comes back by itself at the next call. After a crash calls are refused until `restart`.
 */
export class EngineClient {
  private engine: EngineProcess | undefined;
  private opening: Promise<void> | undefined;
  private lost: EngineFailure | undefined;
  private disposed = false;
  /** What to do with each call that has no answer yet when the engine ends. */
  private readonly waiting = new Set<(failure: EngineFailure) => void>();

  /**
   * @param request what to open, asked each time an engine opens it; `undefined` for an engine that only scans
   * @param onLost told once when the engine died by itself
   */
  constructor(
    private readonly pool: EnginePool,
    private readonly request: (() => OpenRequest | Promise<OpenRequest>) | undefined,
    private readonly onLost: (failure: EngineFailure) => void = () => {},
  ) {}

  /** Opens the file if it is not open. Rejects with an `EngineFailure` that says why it cannot be. */
  async open(): Promise<void> {
    await this.ready();
  }

  /**
   * Calls the engine.
   * @param signal lets go of the engine when aborted: it works on one thing at a time and hears nothing meanwhile
   */
  async call<M extends Exclude<Method, 'open' | 'close'>>(
    method: M,
    args: Parameters<EngineControl[M]>,
    signal?: AbortSignal,
  ): Promise<Awaited<ReturnType<EngineControl[M]>>> {
    const engine = await this.ready();
    const run = engine.api[method] as (...args: unknown[]) => Promise<Awaited<ReturnType<EngineControl[M]>>>;
    return this.within(engine, method, run(...args), signal);
  }

  /** Lets the engine go; the next call takes another one. */
  release(): void {
    this.engine?.end();
    this.engine = undefined;
    this.opening = undefined;
    this.rejectWaiting(cancelled());
  }

  /** Forgets a crash, and what was read, so that the next call opens the file anew. */
  restart(): void {
    this.release();
    this.lost = undefined;
  }

  get running(): boolean {
    return this.engine !== undefined;
  }

  dispose(): void {
    this.disposed = true;
    this.release();
  }

  private async ready(): Promise<EngineProcess> {
    if (this.disposed) throw cancelled();
    if (this.lost) throw this.lost;
    if (!this.engine) {
      const engine = this.pool.take();
      this.engine = engine;
      void engine.gone.then((failure) => this.ended(engine, failure));
      this.opening = this.openIn(engine);
      // Whoever waits below hears of a failure; here it must only not go unhandled.
      this.opening.catch(() => {});
    }
    const engine = this.engine;
    await this.opening;
    return engine;
  }

  private async openIn(engine: EngineProcess): Promise<void> {
    if (!this.request) return;
    const request = await this.request();
    await this.within(engine, 'open', engine.api.open(request));
  }

  private ended(engine: EngineProcess, failure: EngineFailure | undefined): void {
    if (this.engine !== engine) return;
    this.engine = undefined;
    this.opening = undefined;
    if (failure) this.lost = failure;
    this.rejectWaiting(failure ?? cancelled());
    if (failure) this.onLost(failure);
  }

  private rejectWaiting(failure: EngineFailure): void {
    const waiting = [...this.waiting];
    this.waiting.clear();
    for (const reject of waiting) reject(failure);
  }

  /** The answer, or the first of: the engine's end, the deadline, an abort. */
  private async within<T>(engine: EngineProcess, method: Method, answer: Promise<T>, signal?: AbortSignal): Promise<T> {
    const seconds = DEADLINES[method] ?? DEFAULT_DEADLINE;
    let reject: (failure: EngineFailure) => void = () => {};
    const end = new Promise<never>((_, no) => {
      reject = no;
    });
    this.waiting.add(reject);
    const timer = setTimeout(() => {
      engine.end({
        code: 'limit',
        reason: 'engine-lost',
        message: `The engine gave no answer within ${seconds} seconds and was stopped.`,
      });
    }, seconds * 1000);
    const abort = () => {
      reject(cancelled());
      if (this.engine === engine) this.release();
    };
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted) abort();
    try {
      // birpc's own rejection of calls on a closed channel says less than the reason for the engine's end.
      const guarded = answer.catch((error: unknown) => {
        if (error instanceof Error) return end;
        throw error;
      });
      return await Promise.race([guarded, end]);
    } catch (error) {
      throw toFailure(error);
    } finally {
      clearTimeout(timer);
      this.waiting.delete(reject);
      signal?.removeEventListener('abort', abort);
    }
  }
}

function cancelled(): EngineFailure {
  return { code: 'cancelled', message: 'The request was cancelled because its model was closed.' };
}

/** Names of the methods that the webview may reach; the rest of `EngineControl` belongs to the host. */
export const ENGINE_METHODS = [
  'overview',
  'security',
  'modules',
  'parameters',
  'parametersAs',
  'statistics',
  'tensor',
  'objects',
  'graph',
  'source',
  'disassembly',
  'predictForm',
  'predict',
] as const satisfies readonly (keyof EngineApi)[];

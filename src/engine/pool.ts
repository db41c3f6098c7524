import { EngineProcess, type EngineProcessOptions } from './process';

export interface PoolOptions extends EngineProcessOptions {
  /** Keep one idle engine ready. */
  keepSpare: boolean;
}

/** Milliseconds after which a spare is started: the engine that was just taken has work to do first. */
const SPARE_DELAY = 1500;

/** Gives out engine processes, one of them always warm. An engine serves one model and is never given out twice. */
export class EnginePool {
  private spare: EngineProcess | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly out = new Set<EngineProcess>();

  /** @param options asked again for every engine, so that changed settings count from the next one on */
  constructor(private readonly options: () => PoolOptions) {}

  /** The spare if there is one, else a new engine. */
  take(): EngineProcess {
    const engine = this.spare ?? new EngineProcess(this.options());
    this.spare = undefined;
    this.out.add(engine);
    void engine.gone.then(() => this.out.delete(engine));
    this.warm();
    return engine;
  }

  /** Starts a spare soon, if one is wanted and there is none. */
  warm(): void {
    if (this.timer !== undefined || !this.options().keepSpare) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      if (this.spare) return;
      const spare = new EngineProcess(this.options());
      this.spare = spare;
      // A spare that dies (killed from outside, say) is not replaced at once: that could go on for ever.
      void spare.gone.then(() => {
        if (this.spare === spare) this.spare = undefined;
      });
    }, SPARE_DELAY);
    this.timer.unref?.();
  }

  /** Engines at work, without the spare. */
  get size(): number {
    return this.out.size;
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.spare?.end();
    this.spare = undefined;
    for (const engine of this.out) engine.end();
  }
}

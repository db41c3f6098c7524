import { type ChildProcess, fork } from 'node:child_process';
import * as path from 'node:path';
import type { EngineControl, EngineFailure } from './contract';
import { connect, processChannel } from './transport';

export interface EngineProcessOptions {
  /** What loads the engine, `dist/engine.js`. */
  modulePath: string;
  /** Heap limit in megabytes. Tensor bytes lie outside the heap and are bounded by the readers. */
  heapLimit: number;
  /** Where engines keep their compiled code, for those after them (`src/engine/code-cache.ts`); a folder of the user's own. */
  codeFolder?: string;
  log?(line: string): void;
}

/** Bytes of standard error kept, to say why an engine died. */
const KEPT_ERROR_BYTES = 8192;

/** One engine process: calls to it, its end, and why it ended. */
export class EngineProcess {
  readonly api: EngineControl;
  /** Settles when the process is gone: with the reason, or with `undefined` when `end` was called. */
  readonly gone: Promise<EngineFailure | undefined>;
  private readonly child: ChildProcess;
  private readonly rpc: { $close(error?: Error): void };
  private readonly started = Date.now();
  private failure: EngineFailure | undefined;
  private ended = false;

  constructor(private readonly options: EngineProcessOptions) {
    this.child = fork(options.modulePath, codeFile(options), {
      serialization: 'advanced',
      // A large model is all live objects: a larger nursery copies them less often.
      execArgv: [`--max-old-space-size=${options.heapLimit}`, '--max-semi-space-size=64'],
      env: environment(),
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const rpc = connect<EngineControl>(processChannel(this.child), {});
    this.rpc = rpc;
    this.api = rpc as unknown as EngineControl;
    let errors = '';
    const hear = (chunk: Buffer) => {
      errors = (errors + chunk.toString('utf8')).slice(-KEPT_ERROR_BYTES);
      options.log?.(`engine ${this.child.pid}: ${chunk.toString('utf8').trimEnd()}`);
    };
    this.child.stderr?.on('data', hear);
    this.child.stdout?.on('data', hear);
    this.gone = new Promise((resolve) => {
      const finish = (failure: EngineFailure) => {
        if (!this.ended) this.failure ??= failure;
        resolve(this.failure);
        this.rpc.$close();
      };
      this.child.once('error', (error) =>
        finish({
          code: 'io',
          reason: 'engine-lost',
          message: `The engine process could not be started (${error.message}).`,
        }),
      );
      this.child.once('close', (code, signal) => finish(explainExit(code, signal, errors, options.heapLimit)));
    });
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Milliseconds since the process was started. */
  get age(): number {
    return Date.now() - this.started;
  }

  /** Lets the process go. What still waits for an answer is rejected by `EngineClient`. */
  end(failure?: EngineFailure): void {
    if (this.ended) return;
    this.ended = true;
    this.failure = failure;
    // It may sit in a long computation and never read another message.
    this.child.kill('SIGKILL');
    this.options.log?.(`engine ${this.child.pid}: ended${failure ? ` (${failure.message})` : ''}`);
  }
}

/** The argument that names the file of the compiled code. V8 keeps to the flags that it was compiled under, of which the limit is one. */
function codeFile({ codeFolder, heapLimit }: EngineProcessOptions): string[] {
  return codeFolder === undefined ? [] : [path.join(codeFolder, `engine-${heapLimit}.code`)];
}

/** The environment of the editor, less what would debug or configure the child, and as Node.js under Electron. */
function environment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _options, VSCODE_INSPECTOR_OPTIONS: _inspector, ...rest } = process.env;
  return { ...rest, ELECTRON_RUN_AS_NODE: '1', ELECTRON_NO_ASAR: '1' };
}

/** Why an engine ended by itself, as a sentence. */
function explainExit(code: number | null, signal: string | null, errors: string, heapLimit: number): EngineFailure {
  if (/heap out of memory|Allocation failed|ERR_WORKER_OUT_OF_MEMORY/i.test(errors)) {
    return {
      code: 'limit',
      reason: 'engine-lost',
      message: `The engine that read this file needed more than its ${heapLimit} MB of memory and was stopped. The setting "modelglass.engine.memoryLimit" raises the limit.`,
    };
  }
  const how = signal ? `by ${signal}` : `with exit code ${code}`;
  return { code: 'io', reason: 'engine-lost', message: `The engine that read this file ended unexpectedly (${how}).` };
}

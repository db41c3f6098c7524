import * as vscode from 'vscode';
import { localCopy } from '../editor/local-copy';
import { EngineClient } from '../engine/client';
import type { EnginePool } from '../engine/pool';
import { toFailure } from '../engine/wire';
import type { FileScan } from '../security/report';

/** Files that one engine judges before a fresh one takes over, so that what files leave behind stays small. */
const FILES_PER_ENGINE = 500;

/** Judges files one after the other in one engine process; a file that ends its engine costs nothing but itself. */
export class Judge implements vscode.Disposable {
  private engine: EngineClient | undefined;
  private judged = 0;

  constructor(private readonly pool: EnginePool) {}

  /**
   * @param explicit whether the user named this very file, which is then judged whatever it is
   * @returns the report; one with `error` set if the file could not be read
   */
  async judge(uri: vscode.Uri, explicit: boolean, signal?: AbortSignal): Promise<FileScan> {
    const name = vscode.workspace.asRelativePath(uri);
    try {
      const copy = await localCopy(uri);
      try {
        if (this.judged++ >= FILES_PER_ENGINE) this.rest();
        this.engine ??= new EngineClient(this.pool, undefined);
        return { ...(await this.engine.call('scan', [{ path: copy.path, explicit }], signal)), file: name };
      } finally {
        await copy.dispose();
      }
    } catch (error) {
      const failure = toFailure(error);
      if (failure.reason === 'engine-lost') this.rest();
      return {
        file: name,
        format: 'unknown',
        verdict: 'suspicious',
        sentence: failure.message,
        findings: [],
        imports: [],
        coverage: [],
        error: failure,
      };
    }
  }

  /** A report on several files, as text. */
  async report(results: FileScan[], style: 'markdown' | 'sarif' | 'json'): Promise<string> {
    this.engine ??= new EngineClient(this.pool, undefined);
    return this.engine.call('scanReport', [results, style]);
  }

  /** Lets the engine go until the next file. */
  rest(): void {
    this.engine?.dispose();
    this.engine = undefined;
    this.judged = 0;
  }

  dispose(): void {
    this.rest();
  }
}

import * as path from 'node:path';
import { FileWalk } from '../engine/scan-walk';
import type { ScannedFile } from '../engine/walk';
import type { FileScan } from '../security/report';
import { loading } from './inlining';

/** The scanners of one thread, from the quick one to those that are loaded when a file needs them: each bundle has a policy of its own. */
export class Scanners {
  private readonly walk: FileWalk | undefined;
  private loadedJudges: typeof import('./judges') | undefined;
  private loadedCommands: typeof import('./commands') | undefined;

  /**
   * @param policy what a policy file holds, if there is one
   * @param walks whether `ordinary` is asked
   */
  constructor(
    private readonly policy: unknown,
    walks = true,
  ) {
    // The walk knows the built-in policy only.
    this.walk = walks && policy === undefined ? FileWalk.open(path.join(__dirname, 'scan-names.bin')) : undefined;
  }

  /** What the walk can say about a file; `undefined` leaves it to `judge`. Never throws. */
  ordinary(file: ScannedFile): FileScan | undefined {
    return this.walk?.scan(file.path, file.name);
  }

  /** Scans any file. Rejects only if a bundle cannot be loaded. */
  async judge(file: ScannedFile): Promise<FileScan> {
    const { scanOrdinaryFile } = this.loadedJudges ?? (await this.judges());
    return scanOrdinaryFile(file.path) ?? (this.loadedCommands ?? (await this.commands())).scanAnyFile(file);
  }

  /** Loads the judge of pickles. @throws ModelError `usage` if the policy file cannot be used */
  async judges(): Promise<typeof import('./judges')> {
    const loaded = await loading(() => import('./judges'));
    if (this.policy !== undefined) loaded.extendPolicy(this.policy);
    this.loadedJudges = loaded;
    return loaded;
  }

  private async commands(): Promise<typeof import('./commands')> {
    const loaded = await loading(() => import('./commands'));
    if (this.policy !== undefined && loaded.extendPolicy !== this.loadedJudges?.extendPolicy)
      loaded.extendPolicy(this.policy);
    this.loadedCommands = loaded;
    return loaded;
  }
}

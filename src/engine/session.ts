import { createHash } from 'node:crypto';
import * as path from 'node:path';
import { asModelError, ModelError } from '../bytes/errors';
import { loadCode } from '../formats/load-code';
import { openModel, prepareToOpen } from '../formats/registry';
import type { Model, Parameter } from '../model/model';
import type { ScanReport } from '../security/report';
import { scanInput } from '../security/scan';
import type { SecurityReport } from './contract';
import { FileInput } from './input';
import { ModuleIndex } from './module-tree';
import { overviewOf } from './overview';
import { ParameterIndex } from './parameter-table';

/** How code names the file: a SavedModel is loaded by its folder. */
function nameInCode(file: string, name: string): string {
  return name === 'saved_model.pb' ? path.basename(path.dirname(path.resolve(file))) : name;
}

const HASH_CHUNK = 8 * 1024 * 1024;

/** One open file: its model, its verdict, and the indexes that answer questions about them. */
export class ModelSession {
  private parameterIndex: ParameterIndex | undefined;
  private moduleIndex: ModuleIndex | undefined;
  private report: ScanReport | undefined;
  private digest: string | undefined;

  private constructor(
    readonly input: FileInput,
    readonly model: Model,
    /** Milliseconds that opening took. */
    readonly openMilliseconds: number,
    private readonly suppressions: { sha256: string; reason: string }[],
  ) {}

  /** @throws ModelError when the file cannot be shown at all. */
  static async open(
    file: string,
    displayName?: string,
    suppressions: { sha256: string; reason: string }[] = [],
  ): Promise<ModelSession> {
    const started = performance.now();
    const input = new FileInput(file, displayName);
    try {
      await prepareToOpen(input);
      const model = openModel(input);
      if (!model.summary.snippets?.length) {
        const code = loadCode(model, nameInCode(file, input.displayName));
        if (code) model.summary.snippets = [code];
      }
      return new ModelSession(input, model, performance.now() - started, suppressions);
    } catch (error) {
      input.close();
      throw asModelError(error, input.name);
    }
  }

  get name(): string {
    return this.input.displayName;
  }

  get size(): number {
    return this.input.source.size;
  }

  overview(): ReturnType<typeof overviewOf> {
    return overviewOf(this.model, this.name, this.size);
  }

  get parameters(): ParameterIndex {
    this.parameterIndex ??= new ParameterIndex(this.model);
    return this.parameterIndex;
  }

  get modules(): ModuleIndex {
    this.moduleIndex ??= new ModuleIndex(this.model);
    return this.moduleIndex;
  }

  /** The verdict; computed once. A content that the user suppressed keeps its findings, and says so. */
  async security(): Promise<SecurityReport> {
    this.report ??= scanInput(this.input, this.model);
    const report: SecurityReport = { ...this.report };
    if (this.suppressions.length > 0 && report.verdict !== 'safe') {
      report.sha256 = await this.hash();
      const match = this.suppressions.find((s) => s.sha256.toLowerCase() === report.sha256);
      if (match) report.suppressed = { reason: match.reason, verdict: report.verdict };
    }
    return report;
  }

  /** SHA-256 of the file, read in chunks; lets other requests in between. */
  async hash(): Promise<string> {
    if (this.digest) return this.digest;
    const hash = createHash('sha256');
    const { source } = this.input;
    for (let at = 0; at < source.size; at += HASH_CHUNK) {
      hash.update(source.read(at, Math.min(HASH_CHUNK, source.size - at)));
      if (at > 0) await new Promise((resolve) => setImmediate(resolve));
    }
    this.digest = hash.digest('hex');
    return this.digest;
  }

  /** The parameter at a row of the table. @throws ModelError `usage` */
  parameterAt(index: number): Parameter {
    const parameter = this.model.parameters.at(index);
    if (!parameter)
      throw new ModelError(
        'usage',
        `There is no parameter ${index}; the table has ${this.model.parameters.length} rows.`,
      );
    return parameter;
  }

  close(): void {
    this.input.close();
  }
}

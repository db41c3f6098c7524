import { ModelError } from '../bytes/errors';
import type { GraphLevel } from '../model/model';
import { markdownReport } from '../security/markdown';
import type { FileScan } from '../security/report';
import { sarifReport } from '../security/sarif';
import type {
  DisassemblySlice,
  EngineControl,
  GraphLayout,
  ObjectRow,
  Overview,
  ParameterQuery,
  ParameterSlice,
  PredictForm,
  PredictRequest,
  PredictResult,
  SecurityReport,
  TensorSlice,
  TensorStatistics,
} from './contract';
import { disassemblySlice } from './disassembly';
import { exportModel } from './exporting';
import { layoutLevel } from './layout';
import { ObjectIndex } from './objects';
import { parametersAs } from './parameter-table';
import { toJson } from './plain';
import { PredictionService } from './predictions';
import { scanFile } from './scan-file';
import { ModelSession } from './session';
import { summarise } from './summarise';
import { tensorSlice, tensorStatistics } from './tensors';

/** Rows that one call gives at most, so that no request can ask for a reply of any size. */
const MAX_ROWS = 5000;

/** The engine behind the contract: one open file. Every method rejects with a `ModelError`. */
export class EngineService implements EngineControl {
  private session: ModelSession | undefined;
  private predictions: PredictionService | undefined;
  private objectIndex: ObjectIndex | undefined;

  async open(file: {
    path: string;
    displayName?: string;
    suppressions?: { sha256: string; reason: string }[];
  }): Promise<void> {
    await this.close();
    this.session = await ModelSession.open(file.path, file.displayName, file.suppressions);
  }

  async overview(): Promise<Overview> {
    return this.opened().overview();
  }

  async security(): Promise<SecurityReport> {
    return this.opened().security();
  }

  async modules(path: string | null, start: number, count: number): ReturnType<EngineControl['modules']> {
    return this.opened().modules.children(path, start, Math.min(count, MAX_ROWS));
  }

  async parameters(query: ParameterQuery): Promise<ParameterSlice> {
    return this.opened().parameters.slice({ ...query, count: Math.min(query.count, MAX_ROWS) });
  }

  async parametersAs(query: ParameterQuery, style: 'csv' | 'json' | 'markdown'): Promise<string> {
    const { parameters } = this.opened();
    return parametersAs(
      parameters.order(query).map((index) => parameters.row(index)),
      style,
    );
  }

  async statistics(index: number, exact: boolean): Promise<TensorStatistics> {
    return tensorStatistics(this.opened().parameterAt(index), exact);
  }

  async tensor(index: number, window: Parameters<EngineControl['tensor']>[1]): Promise<TensorSlice> {
    return tensorSlice(this.opened().parameterAt(index), window);
  }

  async objects(path: string | null, start: number, count: number): Promise<{ total: number; rows: ObjectRow[] }> {
    const { model } = this.opened();
    if (!model.objects) return { total: 0, rows: [] };
    this.objectIndex ??= new ObjectIndex(model);
    return this.objectIndex.children(path, start, Math.min(count, MAX_ROWS));
  }

  async graph(root: string, path: string): Promise<GraphLevel & { layout?: GraphLayout }> {
    const { graph } = this.opened().model;
    if (!graph) throw new ModelError('unsupported', 'This file holds no graph.');
    const level = graph.level(root, path);
    const layout = layoutLevel(level);
    return layout ? { ...level, layout } : level;
  }

  async source(path: string): Promise<{ language: string; text: string }> {
    const found = this.opened().model.sources?.find((source) => source.path === path);
    if (!found) throw new ModelError('usage', `This file holds no text called ${path}.`);
    return { language: found.language, text: found.text() };
  }

  async disassembly(request: Parameters<EngineControl['disassembly']>[0]): Promise<DisassemblySlice> {
    return disassemblySlice(this.opened(), { ...request, count: Math.min(request.count, MAX_ROWS) });
  }

  async predictForm(): Promise<PredictForm> {
    return this.predictor().form();
  }

  async predict(request: PredictRequest): Promise<PredictResult> {
    return this.predictor().predict(request);
  }

  async exportTo(request: Parameters<EngineControl['exportTo']>[0]): Promise<{ bytes: number; files: number }> {
    return exportModel(this.opened(), this.predictor(), request);
  }

  async scan(file: { path: string; explicit: boolean }): Promise<FileScan> {
    return scanFile(file);
  }

  async scanReport(results: FileScan[], style: 'markdown' | 'sarif' | 'json'): Promise<string> {
    const summary = summarise(results);
    if (style === 'markdown') return markdownReport(results, summary);
    return `${JSON.stringify(toJson(style === 'sarif' ? sarifReport(results) : { results, summary }), null, 2)}\n`;
  }

  async hash(): Promise<string> {
    return this.opened().hash();
  }

  async close(): Promise<void> {
    const { predictions, session } = this;
    this.predictions = undefined;
    this.objectIndex = undefined;
    this.session = undefined;
    await predictions?.release();
    session?.close();
  }

  private opened(): ModelSession {
    if (!this.session) throw new ModelError('usage', 'No file is open.');
    return this.session;
  }

  private predictor(): PredictionService {
    this.predictions ??= new PredictionService(this.opened().model, this.opened().openMilliseconds);
    return this.predictions;
  }
}

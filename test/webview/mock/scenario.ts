import type { ModelError } from '../../../src/bytes/errors';
import type {
  GraphLayout,
  HostApi,
  ImportRow,
  ModuleRow,
  ObjectRow,
  Overview,
  ParameterRow,
  PredictForm,
  SecurityReport,
} from '../../../src/engine/contract';
import type { GraphLevel } from '../../../src/model/model';

/** What a mock host answers with. Functions stand where an answer depends on the question. */
export interface Scenario {
  overview: Overview;
  security: SecurityReport;
  modules?: Record<string, ModuleRow[]>;
  rowCount?: number;
  row?(index: number): ParameterRow;
  objects?(path: string | null, start: number, count: number): { total: number; rows: ObjectRow[] };
  graph?(root: string, path: string): GraphLevel & { layout?: GraphLayout };
  sources?: Record<string, { language: string; text: string }>;
  form?: PredictForm;
  predict?: HostApi['predict'];
  /** Rejects every question with this. */
  unreadable?: ModelError;
  /** With `unreadable`: the verdict is there all the same. */
  judged?: boolean;
}

export function overviewOf(part: Partial<Overview>): Overview {
  return {
    name: 'model.pkl',
    bytes: 1000,
    format: 'pickle',
    title: 'Model',
    facts: [],
    totals: { parameters: 0, bytes: 0, byDtype: {} },
    snippets: [],
    attributes: [],
    parameterRows: 0,
    hasArchitecture: true,
    hasObjects: false,
    graphRoots: [],
    sources: [],
    signatures: [],
    warnings: [],
    ...part,
  };
}

export function moduleRow(part: Partial<ModuleRow> & { path: string; kind: string }): ModuleRow {
  return {
    name: part.path.split('.').at(-1) ?? '',
    attributes: [],
    parameters: [],
    childCount: 0,
    parameterCount: 0,
    bytes: (part.parameterCount ?? 0) * 4,
    share: 0,
    ...part,
  };
}

export function importRow(module: string, name: string, part: Partial<ImportRow> = {}): ImportRow {
  return { module, name, class: 'known', use: 'called', offset: 40, member: '', count: 1, ...part };
}

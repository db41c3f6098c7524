/** The host of the harness page: answers the view's questions from a scenario, over messages that pass through JSON as the editor's do. */
import { ModelError } from '../../../src/bytes/errors';
import type { HostApi, ParameterQuery, ParameterRow, WebviewEvents } from '../../../src/engine/contract';
import { nameFilter } from '../../../src/engine/name-filter';
import { connect } from '../../../src/engine/transport';
import { forest } from './forest';
import { network } from './network';
import { malicious, objectsFile, text, truncated } from './others';

import type { Scenario } from './scenario';

const scenarios: Record<string, Scenario> = {
  forest,
  german: forest,
  network,
  malicious,
  objects: objectsFile,
  text,
  truncated,
  damaged: { ...truncated, judged: true },
};

declare global {
  interface Window {
    /** Everything that the view asked for, for the tests. */
    calls: { method: string; args: unknown[] }[];
    mockHost(scenario: string, options?: { delay?: number }): void;
    events: WebviewEvents;
    germanStrings?: Record<string, string>;
    acquireVsCodeApi(): unknown;
    /** Set by the runner when a real engine answers instead. */
    engineCall?(method: string, args: unknown[]): Promise<{ value?: unknown; failure?: unknown }>;
  }
}

window.calls = [];
let receive: (message: unknown) => void = () => {};
let fromView: (message: unknown) => void = () => {};

window.acquireVsCodeApi = () => ({
  postMessage: (message: unknown) => fromView(JSON.parse(JSON.stringify(message))),
  getState: () => JSON.parse(sessionStorage.getItem('state') ?? 'null') ?? undefined,
  setState: (state: unknown) => sessionStorage.setItem('state', JSON.stringify(state)),
});

window.mockHost = (name, { delay = 0 } = {}) => {
  const api = window.engineCall ? engineHost(window.engineCall) : scenarioHost(scenarios[name]);
  const recorded = Object.fromEntries(
    Object.entries(api).map(([method, run]) => [
      method,
      async (...args: unknown[]) => {
        window.calls.push({ method, args });
        await new Promise((resolve) => setTimeout(resolve, delay));
        return (run as (...args: unknown[]) => unknown)(...args);
      },
    ]),
  ) as unknown as HostApi;
  const rpc = connect<WebviewEvents, HostApi>(
    {
      json: true,
      post: (message) => {
        const copy = JSON.parse(JSON.stringify(message));
        setTimeout(() => receive(copy));
      },
      on: (listener) => {
        fromView = listener;
      },
    },
    recorded,
  );
  receive = (message) => window.dispatchEvent(new MessageEvent('message', { data: message }));
  window.events = {
    fileState: (state) => void rpc.fileState.asEvent(state),
    show: (tab) => void rpc.show.asEvent(tab),
  };
};

const nothing = async (): Promise<void> => {};
const actions = {
  reload: nothing,
  restartEngine: nothing,
  cancelStatistics: nothing,
  openAsText: nothing,
  copy: nothing,
  saveText: nothing,
  exportModel: nothing,
  suppress: nothing,
  strings: async () => window.germanStrings ?? {},
};

function engineHost(call: NonNullable<Window['engineCall']>): HostApi {
  const methods = [
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
  ];
  const forwarded = Object.fromEntries(
    methods.map((method) => [
      method,
      async (...args: unknown[]) => {
        const { value, failure } = await call(method, args);
        if (failure) throw failure;
        return value;
      },
    ]),
  );
  return { ...forwarded, ...actions } as unknown as HostApi;
}

function scenarioHost(scenario: Scenario): HostApi {
  const open = (): Scenario => {
    if (scenario.unreadable) throw scenario.unreadable;
    return scenario;
  };
  const rowsFor = (query: Omit<ParameterQuery, 'start' | 'count'>): number[] => {
    const { rowCount = 0, row } = open();
    if (!row) return [];
    const matches = nameFilter(query.filter);
    const found: number[] = [];
    const all: ParameterRow[] = [];
    for (let i = 0; i < rowCount; i++) {
      const one = row(i);
      all[i] = one;
      if (
        matches(one.name) &&
        (!query.dtype || one.dtype === query.dtype) &&
        (!query.under || one.name.startsWith(`${query.under}.`))
      )
        found.push(i);
    }
    const by = query.sort;
    if (by === 'count' || by === 'bytes') found.sort((a, b) => all[a][by] - all[b][by] || a - b);
    else if (by === 'name') found.sort((a, b) => (all[a].name < all[b].name ? -1 : 1));
    return query.descending ? found.reverse() : found;
  };
  let lastKey = '';
  let last: number[] = [];
  const order = (query: ParameterQuery): number[] => {
    const { start: _, count: __, ...rest } = query;
    const key = JSON.stringify(rest);
    if (key !== lastKey) last = rowsFor(rest);
    lastKey = key;
    return last;
  };
  return {
    ...actions,
    overview: async () => open().overview,
    security: async () => {
      if (scenario.unreadable && !scenario.judged) throw scenario.unreadable;
      return scenario.security;
    },
    modules: async (path, start, count) => {
      const rows = open().modules?.[path === null ? 'root' : path] ?? [];
      return { total: rows.length, rows: rows.slice(start, start + count) };
    },
    parameters: async (query) => {
      const found = order(query);
      const { row } = scenario;
      return {
        total: scenario.rowCount ?? 0,
        matching: found.length,
        rows: row ? found.slice(query.start, query.start + query.count).map((index) => row(index)) : [],
        dtypes: Object.keys(scenario.overview.totals.byDtype),
      };
    },
    parametersAs: async (query, style) => `${style} of ${order(query).length} rows`,
    statistics: async (index, exact) => {
      const count = scenario.row?.(index).count ?? 0;
      if (exact) await new Promise((resolve) => setTimeout(resolve, 400));
      return {
        seen: exact ? count : Math.min(count, 65_536),
        total: count,
        exact: exact || count <= 65_536,
        min: -3.91234567,
        max: 4.2,
        mean: 0.000012345,
        std: 0.99,
        zeros: 12,
        nans: exact ? 1 : 0,
        infinities: 0,
        histogram: {
          from: -4,
          to: 4.2,
          counts: Array.from({ length: 48 }, (_, i) => Math.round(9000 * Math.exp(-(((i - 23) / 8) ** 2)))),
        },
      };
    },
    tensor: async (index, window) => {
      const shape = scenario.row?.(index).shape ?? [];
      const totalColumns = shape.at(-1) ?? 1;
      const totalRows = shape.length > 1 ? (shape.at(-2) ?? 1) : 1;
      const rows = Math.max(0, Math.min(window.rowCount, totalRows - window.rowStart));
      const columns = Math.max(0, Math.min(window.columnCount, totalColumns - window.columnStart));
      return {
        shape,
        dtype: 'float32',
        rows: Array.from({ length: rows }, (_, r) =>
          Array.from({ length: columns }, (_, c) =>
            (
              Math.sin((window.rowStart + r) * 7 + (window.columnStart + c) * 3 + (window.leading[0] ?? 0)) * 0.1
            ).toPrecision(6),
          ),
        ),
        rowStart: window.rowStart,
        columnStart: window.columnStart,
        totalRows,
        totalColumns,
        leading: window.leading,
      };
    },
    objects: async (path, start, count) => open().objects?.(path, start, count) ?? { total: 0, rows: [] },
    graph: async (root, path) => {
      const { graph } = open();
      if (!graph) throw new ModelError('unsupported', 'This file holds no graph.');
      return graph(root, path);
    },
    source: async (path) => {
      const found = open().sources?.[path];
      if (!found) throw new ModelError('usage', 'There is no such text.');
      return found;
    },
    disassembly: async ({ member = '', offset, start, count }) => {
      const total = 3_000_000;
      const from = start ?? (offset === undefined ? 0 : Math.max(0, Math.floor(offset / 7) - 5));
      const opcodes = ['MEMOIZE', 'SHORT_BINUNICODE', 'STACK_GLOBAL', 'BINPUT', 'TUPLE1', 'REDUCE', 'MARK'];
      return {
        members: ['', 'archive/data.pkl'],
        member,
        total,
        start: from,
        rows: Array.from({ length: Math.max(0, Math.min(count, total - from)) }, (_, i) => ({
          offset: (from + i) * 7,
          opcode: opcodes[(from + i) % 7],
          argument: (from + i) % 7 === 1 ? "'system'" : '',
          ...((from + i) % 7 === 5 ? { comment: "os.system('echo hello')" } : {}),
          depth: (from + i) % 5,
        })),
      };
    },
    predictForm: async () => {
      open();
      if (!scenario.form) throw new ModelError('unsupported', 'Nothing predicts here.');
      return scenario.form;
    },
    predict: async (request) => {
      if (!scenario.predict) throw new ModelError('unsupported', 'Nothing predicts here.');
      return scenario.predict(request);
    },
  };
}

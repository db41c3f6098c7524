import type { Model, Parameter } from '../model/model';
import type { ParameterQuery, ParameterRow, ParameterSlice } from './contract';
import { nameFilter } from './name-filter';

/** Answers queries on the parameter table; the last filtered and sorted order is kept, so that scrolling asks for nothing twice. */
export class ParameterIndex {
  private readonly totalBytes: number;
  private readonly dtypes: string[];
  private lastKey = '';
  private lastOrder: number[] = [];

  constructor(private readonly model: Model) {
    this.totalBytes = Math.max(1, model.summary.totals.bytes);
    this.dtypes = [...new Set(model.parameters.map(dtypeText))].sort();
  }

  slice(query: ParameterQuery): ParameterSlice {
    const order = this.order(query);
    const rows = order.slice(query.start, query.start + query.count).map((index) => this.row(index));
    return { total: this.model.parameters.length, matching: order.length, rows, dtypes: this.dtypes };
  }

  /** Positions in the table that match, in the asked order. */
  order(query: Omit<ParameterQuery, 'start' | 'count'>): number[] {
    const { filter, dtype, kind, minCount, under, sort, descending } = query;
    const key = JSON.stringify([filter, dtype, kind, minCount, under, sort, descending]);
    if (key === this.lastKey) return this.lastOrder;
    const { parameters } = this.model;
    const matches = nameFilter(filter);
    const order: number[] = [];
    for (let i = 0; i < parameters.length; i++) {
      const p = parameters[i];
      if (dtype && dtypeText(p) !== dtype) continue;
      if (kind && p.kind !== kind) continue;
      if (minCount && p.count < minCount) continue;
      if (under && !isUnder(p.name, under)) continue;
      if (matches(p.name)) order.push(i);
    }
    const compare = sort && sort !== 'file' ? comparator(sort, parameters) : undefined;
    if (compare) order.sort((a, b) => compare(a, b) || a - b);
    if (descending) order.reverse();
    this.lastKey = key;
    this.lastOrder = order;
    return order;
  }

  row(index: number): ParameterRow {
    const p = this.model.parameters[index];
    const row: ParameterRow = {
      index,
      name: p.name,
      shape: p.shape,
      dtype: dtypeText(p),
      count: p.count,
      bytes: p.bytes,
      share: p.tiedTo ? 0 : p.bytes / this.totalBytes,
      storage: p.storage,
      kind: p.kind,
      readable: p.tensor !== undefined || p.table !== undefined,
    };
    if (p.tiedTo !== undefined) row.tiedTo = p.tiedTo;
    if (p.device !== undefined) row.device = p.device;
    if (p.requiresGrad !== undefined) row.requiresGrad = p.requiresGrad;
    if (p.strides !== undefined) row.strides = p.strides;
    if (p.note !== undefined) row.note = p.note;
    return row;
  }
}

export function dtypeText(p: Parameter): string {
  return p.dtypeDetail ?? p.dtype;
}

/** Whether a parameter name lies in a module: `fc.weight` and `fc[0].x` are under `fc`, `fc2.weight` is not. */
export function isUnder(name: string, module: string): boolean {
  if (module === '') return true;
  if (!name.startsWith(module)) return false;
  const next = name[module.length];
  return next === undefined || next === '.' || next === '[' || next === '/';
}

const collator = new Intl.Collator('en', { numeric: true });

function comparator(sort: NonNullable<ParameterQuery['sort']>, rows: Parameter[]): (a: number, b: number) => number {
  switch (sort) {
    case 'count':
      return (a, b) => rows[a].count - rows[b].count;
    case 'bytes':
      return (a, b) => rows[a].bytes - rows[b].bytes;
    case 'shape':
      return (a, b) => rows[a].shape.length - rows[b].shape.length || rows[a].count - rows[b].count;
    case 'dtype':
      return (a, b) => collator.compare(dtypeText(rows[a]), dtypeText(rows[b]));
    case 'storage':
      return (a, b) => collator.compare(rows[a].storage, rows[b].storage);
    case 'kind':
      return (a, b) => collator.compare(rows[a].kind, rows[b].kind);
    case 'device':
      return (a, b) => collator.compare(rows[a].device ?? '', rows[b].device ?? '');
    default:
      return (a, b) => collator.compare(rows[a].name, rows[b].name);
  }
}

/** Rows as text for a clipboard or a file. */
export function parametersAs(rows: ParameterRow[], style: 'csv' | 'json' | 'markdown'): string {
  const columns = ['name', 'shape', 'dtype', 'count', 'bytes', 'storage', 'device', 'kind'] as const;
  const cell = (row: ParameterRow, column: (typeof columns)[number]): string =>
    column === 'shape' ? `(${row.shape.join(', ')})` : String(row[column] ?? '');
  if (style === 'json')
    return JSON.stringify(
      rows.map(({ index: _, readable: __, share: ___, ...row }) => row),
      null,
      2,
    );
  if (style === 'csv') {
    // A leading =, +, - or @ would be run as a formula by spreadsheet programs.
    const quote = (text: string): string =>
      /^[=+\-@\t\r]/.test(text) || /[",\n\r]/.test(text)
        ? `"${(/^[=+\-@\t\r]/.test(text) ? "'" : '') + text.replace(/"/g, '""')}"`
        : text;
    return (
      [columns.join(','), ...rows.map((row) => columns.map((c) => quote(cell(row, c))).join(','))].join('\r\n') + '\r\n'
    );
  }
  const escapeCell = (text: string): string => text.replace(/[|\\`]/g, '\\$&').replace(/[\r\n]+/g, ' ');
  return [
    `| ${columns.join(' | ')} |`,
    `| ${columns.map(() => '---').join(' | ')} |`,
    ...rows.map((row) => `| ${columns.map((c) => escapeCell(cell(row, c))).join(' | ')} |`),
    '',
  ].join('\n');
}

import type { Model, Parameter } from '../model/model';
import { naturalRanks } from '../model/natural-order';
import type { ParameterQuery, ParameterRow, ParameterSlice } from './contract';
import { nameFilter } from './name-filter';

type Sort = Exclude<NonNullable<ParameterQuery['sort']>, 'file'>;

/** Answers queries on the parameter table; the last filtered and sorted order is kept, so that scrolling asks for nothing twice. */
export class ParameterIndex {
  private readonly totalBytes: number;
  private readonly dtypes: string[];
  private lastKey = '';
  private lastOrder: number[] = [];
  /** Ranks of the rows in the orders that were asked for. */
  private readonly ranks = new Map<Sort, ArrayLike<number>>();

  constructor(private readonly model: Model) {
    this.totalBytes = Math.max(1, model.summary.totals.bytes);
    this.dtypes = [...model.parameters.allDtypes()].sort();
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
      if (dtype && parameters.dtypeText(i) !== dtype) continue;
      if (kind && parameters.kind(i) !== kind) continue;
      if (minCount && parameters.count(i) < minCount) continue;
      const name = parameters.name(i);
      if (under && !isUnder(name, under)) continue;
      if (matches(name)) order.push(i);
    }
    if (sort && sort !== 'file') {
      sortByRank(order, this.ranksBy(sort));
    }
    if (descending) order.reverse();
    this.lastKey = key;
    this.lastOrder = order;
    return order;
  }

  row(index: number): ParameterRow {
    const { parameters } = this.model;
    const tiedTo = parameters.tiedTo(index);
    const bytes = parameters.bytes(index);
    const row: ParameterRow = {
      index,
      name: parameters.name(index),
      shape: parameters.shape(index),
      dtype: parameters.dtypeText(index),
      count: parameters.count(index),
      bytes,
      share: tiedTo ? 0 : bytes / this.totalBytes,
      storage: parameters.storage(index),
      kind: parameters.kind(index),
      readable: parameters.isReadable(index),
    };
    if (tiedTo !== undefined) row.tiedTo = tiedTo;
    const device = parameters.device(index);
    if (device !== undefined) row.device = device;
    const requiresGrad = parameters.requiresGrad(index);
    if (requiresGrad !== undefined) row.requiresGrad = requiresGrad;
    const strides = parameters.strides(index);
    if (strides !== undefined) row.strides = strides;
    const note = parameters.note(index);
    if (note !== undefined) row.note = note;
    return row;
  }

  /** For each row a number by which it sorts. Made once: a keystroke in the filter then costs no comparison of texts. */
  private ranksBy(sort: Sort): ArrayLike<number> {
    let ranks = this.ranks.get(sort);
    if (!ranks) {
      ranks = this.makeRanks(sort);
      this.ranks.set(sort, ranks);
    }
    return ranks;
  }

  private makeRanks(sort: Sort): ArrayLike<number> {
    const { parameters } = this.model;
    const { length } = parameters;
    const numbers = (of: (index: number) => number): Float64Array => {
      const made = new Float64Array(length);
      for (let i = 0; i < length; i++) made[i] = of(i);
      return made;
    };
    /** Of texts of which there are few different ones. */
    const texts = (of: (index: number) => string): Float64Array => {
      const seen = new Map<string, number>();
      const codes = numbers((i) => {
        const text = of(i);
        let code = seen.get(text);
        if (code === undefined) {
          code = seen.size;
          seen.set(text, code);
        }
        return code;
      });
      const rank = naturalRanks([...seen.keys()]);
      return codes.map((code) => rank[code]);
    };
    switch (sort) {
      case 'count':
        return numbers((i) => parameters.count(i));
      case 'bytes':
        return numbers((i) => parameters.bytes(i));
      case 'shape':
        return this.shapeRanks();
      case 'dtype':
        return texts((i) => parameters.dtypeText(i));
      case 'kind':
        return texts((i) => parameters.kind(i));
      case 'device':
        return texts((i) => parameters.device(i) ?? '');
      case 'storage':
        return naturalRanks(Array.from({ length }, (_, i) => parameters.storage(i)));
      default:
        return naturalRanks(parameters.allNames());
    }
  }

  /** By number of dimensions, then by number of elements. */
  private shapeRanks(): Float64Array {
    const { parameters } = this.model;
    const order = Array.from({ length: parameters.length }, (_, i) => i);
    const compare = (a: number, b: number): number =>
      parameters.rank(a) - parameters.rank(b) || parameters.count(a) - parameters.count(b);
    order.sort(compare);
    const ranks = new Float64Array(order.length);
    for (let i = 1; i < order.length; i++)
      ranks[order[i]] = ranks[order[i - 1]] + (compare(order[i - 1], order[i]) === 0 ? 0 : 1);
    return ranks;
  }
}

/** Sorts ascending places by rank, those of equal rank as they stand. */
function sortByRank(order: number[], ranks: ArrayLike<number>): void {
  let i = 1;
  while (i < order.length && ranks[order[i - 1]] <= ranks[order[i]]) i++;
  if (i < order.length) order.sort((a, b) => ranks[a] - ranks[b] || a - b);
}

export function dtypeText(p: Pick<Parameter, 'dtype' | 'dtypeDetail'>): string {
  return p.dtypeDetail ?? p.dtype;
}

/** Whether a parameter name lies in a module: `fc.weight` and `fc[0].x` are under `fc`, `fc2.weight` is not. */
export function isUnder(name: string, module: string): boolean {
  if (module === '') return true;
  if (!name.startsWith(module)) return false;
  const next = name[module.length];
  return next === undefined || next === '.' || next === '[' || next === '/';
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

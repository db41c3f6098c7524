import type { Value } from '../../pickle/values';
import { describe } from './describe';
import { membersOf } from './members';
import { Sharing } from './sharing';
import { typeName } from './title';

/** One row of the tree; the engine's contract has the same shape. */
export interface ObjectTreeRow {
  /** Positions from the root, `0.12.3`; '' for the root. */
  path: string;
  label: string;
  type: string;
  preview: string;
  childCount: number;
  sharedWith?: string;
  cyclic?: boolean;
  parameter?: number;
  logicalSize?: string;
}

/** Characters of a preview. */
const PREVIEW = 120;

/** Positions that a path may have: the tree is opened a level at a time, and a row must stay cheap. */
const DEEPEST = 200_000;

/**
 * An object graph as a tree that is opened level by level. Nothing is expanded in advance; shared objects and cycles are marked as such, and
 * sizes are computed by arithmetic on the graph.
 */
export class ObjectTreeView {
  private sharing: Sharing | undefined;

  constructor(
    private readonly root: Value,
    /** Row of the parameter table for arrays. */
    private readonly parameters: ReadonlyMap<object, number> = new Map(),
  ) {}

  /** The root as the only row for `null`, the members of the object at a path otherwise; nothing for a path that leads nowhere. */
  children(path: string | null, start: number, count: number): { total: number; rows: ObjectTreeRow[] } {
    this.sharing ??= new Sharing(this.root);
    if (path === null) {
      return { total: 1, rows: start <= 0 && count > 0 ? [this.row('', '(root)', this.root, [])] : [] };
    }
    const line = this.follow(path);
    if (!line) return { total: 0, rows: [] };
    const value = line[line.length - 1];
    const members = membersOf(value);
    const rows: ObjectTreeRow[] = [];
    const from = Math.max(0, Math.floor(start));
    const end = Math.min(members.count, from + Math.max(0, count));
    const parents = new Set(line);
    for (let i = from; i < end; i++) {
      const { label, value: member } = members.at(i);
      rows.push(this.row(path === '' ? String(i) : `${path}.${i}`, label, member, parents));
    }
    return { total: members.count, rows };
  }

  /** The object at a path. */
  valueAt(path: string): Value | undefined {
    const line = this.follow(path);
    return line?.[line.length - 1];
  }

  /** The objects from the root to the one at `path`. */
  private follow(path: string): Value[] | undefined {
    const line: Value[] = [this.root];
    if (path === '') return line;
    const steps = path.split('.');
    if (steps.length > DEEPEST) return undefined;
    for (const step of steps) {
      const index = /^\d+$/.test(step) ? Number(step) : -1;
      const members = membersOf(line[line.length - 1]);
      if (index < 0 || index >= members.count) return undefined;
      line.push(members.at(index).value);
    }
    return line;
  }

  private row(path: string, label: string, value: Value, parents: Set<Value> | Value[]): ObjectTreeRow {
    const members = membersOf(value);
    const row: ObjectTreeRow = {
      path,
      label,
      type: typeName(value),
      preview: describe(value, PREVIEW),
      childCount: members.count,
    };
    if (value === null || typeof value !== 'object') return row;
    if (parents instanceof Set && parents.has(value)) row.cyclic = true;
    const first = this.sharing?.firstPath(value);
    if (first !== undefined && first !== path) row.sharedWith = first;
    const parameter = this.parameters.get(value);
    if (parameter !== undefined) row.parameter = parameter;
    const size = this.sharing?.logicalSize(value);
    if (size !== undefined && members.count > 0) row.logicalSize = size;
    return row;
  }
}

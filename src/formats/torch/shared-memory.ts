import type { Parameter, Totals } from '../../model/model';
import type { ParameterTable } from '../../model/parameter-table';
import { declaredBytes } from './storage';
import { StorageKeys } from './storage-keys';
import type { TorchTensor } from './tensor';

/** The rows of one storage that several rows use. */
interface StorageUse {
  rows: number[];
  /** The largest size that a mention of the storage declares, in bytes. */
  declared: number;
  /** The first row of each view, once there are many. */
  views: Map<string, number> | undefined;
}

/** Rows of one storage that are compared one by one. */
const MAX_COMPARED = 32;

/** Which rows of a table share memory: finds those that are the same data, and counts what several share once. */
export class SharedMemory {
  private keys = new StorageKeys();
  /** For each storage, by the place of its key, the one row that uses it, or all of them once there are several. */
  private uses: (number | StorageUse)[] = [];
  private readonly counted = { parameters: 0, bytes: 0, byDtype: new Map<string, number>() };

  constructor(
    private readonly table: ParameterTable<TorchTensor>,
    private readonly tensors: readonly TorchTensor[],
  ) {}

  /** Name of the first row with the same data. Many views of one storage are found by a key, few by comparing. */
  firstOf(row: Parameter): string | undefined {
    const place = this.keys.placeOf(row.storage);
    if (place < 0) return undefined;
    const use = this.uses[place];
    if (typeof use === 'number') return this.isSame(use, row) ? this.table.name(use) : undefined;
    const { rows } = use;
    let first: number | undefined;
    if (rows.length <= MAX_COMPARED) first = rows.find((other) => this.isSame(other, row));
    else {
      const from = use.views ? rows.length - 1 : 0;
      use.views ??= new Map();
      for (let i = from; i < rows.length; i++) {
        const key = this.viewKey(rows[i]);
        if (!use.views.has(key) && !this.isFlipped(rows[i])) use.views.set(key, rows[i]);
      }
      first = use.views.get(keyOf(row));
    }
    return first === undefined ? undefined : this.table.name(first);
  }

  /** Takes a row into the sums, after it was added to the table. */
  count(index: number): void {
    const { table } = this;
    const tensor = this.tensors[index];
    if (table.count(index) === 0 || table.tiedTo(index) !== undefined) return;
    if (!tensor.storage || tensor.layout !== 'strided') {
      this.sum(table.dtype(index), table.count(index), table.bytes(index));
      return;
    }
    const key = table.storage(index);
    const place = this.keys.placeOf(key);
    if (place < 0) {
      this.keys.add(key);
      this.uses.push(index);
      return;
    }
    const known = this.uses[place];
    if (typeof known === 'number') {
      const declared = Math.max(this.declared(known), this.declared(index));
      this.uses[place] = { rows: [known, index], declared, views: undefined };
    } else {
      known.rows.push(index);
      known.declared = Math.max(known.declared, this.declared(index));
    }
  }

  totals(): Totals {
    const { table } = this;
    for (const use of this.uses) {
      const rows = typeof use === 'number' ? [use] : use.rows;
      const declared = typeof use === 'number' ? this.declared(use) : use.declared;
      let used = 0;
      for (const row of rows) used += table.bytes(row);
      // Views that overlap are counted as the memory they share.
      if (used > declared) {
        const [first] = rows;
        const elements = Math.floor((declared * table.count(first)) / table.bytes(first));
        this.sum(table.dtype(first), elements, declared);
      } else for (const row of rows) this.sum(table.dtype(row), table.count(row), table.bytes(row));
    }
    this.keys = new StorageKeys();
    this.uses = [];
    const { parameters, bytes, byDtype } = this.counted;
    return { parameters, bytes, byDtype: Object.fromEntries(byDtype) };
  }

  private declared(index: number): number {
    const { storage } = this.tensors[index];
    return storage ? declaredBytes(storage) : 0;
  }

  private sum(dtype: string, elements: number, bytes: number): void {
    this.counted.parameters += elements;
    this.counted.bytes += bytes;
    this.counted.byDtype.set(dtype, (this.counted.byDtype.get(dtype) ?? 0) + elements);
  }

  /** Whether two rows of one storage are the same elements in the same order, and the first shows them as they are stored. */
  private isSame(other: number, row: Parameter): boolean {
    const { table } = this;
    return (
      table.dtype(other) === row.dtype &&
      (table.offset(other) ?? 0) === (row.offset ?? 0) &&
      sameNumbers(table.shape(other), row.shape) &&
      sameNumbers(table.strides(other) ?? [], row.strides ?? []) &&
      !this.isFlipped(other)
    );
  }

  /** Whether a row shows other numbers than its storage holds. */
  private isFlipped(index: number): boolean {
    return this.tensors[index].flips !== undefined;
  }

  private viewKey(index: number): string {
    const { table } = this;
    return viewKey(table.dtype(index), table.offset(index), table.shape(index), table.strides(index));
  }
}

function keyOf(row: Parameter): string {
  return viewKey(row.dtype, row.offset, row.shape, row.strides);
}

function viewKey(dtype: string, offset: number | undefined, shape: number[], strides: number[] | undefined): string {
  return `${dtype}@${offset ?? 0}:${shape}/${strides ?? ''}`;
}

function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((n, i) => n === b[i]);
}

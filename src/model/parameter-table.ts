import type { DType } from '../tensors/dtype';
import type { TensorRef } from '../tensors/tensor';
import { Codes, Numbers } from './columns';
import type { Parameter, ParameterKind, TableSource } from './model';
import { NamePlaces } from './name-places';

/** Makes the reference to a row's elements when somebody asks for them, from what the reader put into the row. */
export type ReferenceMaker<Source> = (source: Source, index: number) => TensorRef | undefined;

/**
 * The parameter table of a model. It is kept in columns, as a file can have a hundred thousand rows: a row is an object only while somebody
 * looks at it. Readers fill it with `add`, in the order of the file.
 * @typeParam Source what a reader keeps of the elements of a row: the reference itself, or what `reference` makes one of.
 */
export class ParameterTable<Source extends object = TensorRef> implements Iterable<Parameter> {
  private readonly names: string[] = [];
  private readonly dtypes = new Codes<DType>();
  private readonly dtypeTexts = new Codes<string>();
  private readonly counts = new Numbers();
  private readonly sizes = new Numbers();
  /** Dimensions of all shapes, one behind the other, and where those of each row end. */
  private readonly dimensions = new Numbers();
  private readonly shapeEnds = new Numbers();
  private readonly storages: string[] = [];
  private readonly kinds = new Codes<ParameterKind>();
  private readonly devices = new Codes<string | undefined>();
  private readonly grads = new Codes<boolean | undefined>();
  private readonly sources: (Source | undefined)[] = [];
  // What few rows have.
  private readonly ties = new Map<number, string>();
  private readonly stridesOf = new Map<number, number[]>();
  private readonly offsets = new Map<number, number>();
  private readonly notes = new Map<number, string>();
  private readonly tables = new Map<number, TableSource>();
  private byName: NamePlaces | undefined;

  constructor(private readonly reference: ReferenceMaker<Source> = asReference) {}

  /** A table of these rows. */
  static of(rows: Iterable<Parameter>): ParameterTable {
    const table = new ParameterTable();
    for (const row of rows) table.add(row);
    return table;
  }

  /** Adds a row; gives its place in the table. @param source what `reference` makes the elements of, when they are not `row.tensor`. */
  add(row: Parameter, source?: Source): number {
    const index = this.names.length;
    this.names.push(row.name);
    this.byName?.add(index);
    this.dtypes.push(row.dtype);
    this.dtypeTexts.push(row.dtypeDetail ?? row.dtype);
    this.counts.push(row.count);
    this.sizes.push(row.bytes);
    for (let i = 0; i < row.shape.length; i++) this.dimensions.push(row.shape[i]);
    this.shapeEnds.push(this.dimensions.length);
    this.storages.push(row.storage);
    this.kinds.push(row.kind);
    this.devices.push(row.device);
    this.grads.push(row.requiresGrad);
    this.sources.push(source ?? (row.tensor as Source | undefined));
    if (row.tiedTo !== undefined) this.ties.set(index, row.tiedTo);
    if (row.strides !== undefined) this.stridesOf.set(index, row.strides);
    if (row.offset !== undefined) this.offsets.set(index, row.offset);
    if (row.note !== undefined) this.notes.set(index, row.note);
    if (row.table !== undefined) this.tables.set(index, row.table);
    return index;
  }

  get length(): number {
    return this.names.length;
  }

  name(index: number): string {
    return this.names[index];
  }

  dtype(index: number): DType {
    return this.dtypes.at(index);
  }

  /** dtype with its detail, as it is shown. */
  dtypeText(index: number): string {
    return this.dtypeTexts.at(index);
  }

  /** The different dtypes as they are shown. */
  allDtypes(): Set<string> {
    return this.dtypeTexts.distinct();
  }

  /** Elements. */
  count(index: number): number {
    return this.counts.at(index);
  }

  bytes(index: number): number {
    return this.sizes.at(index);
  }

  /** Number of dimensions. */
  rank(index: number): number {
    return this.shapeEnds.at(index) - (index === 0 ? 0 : this.shapeEnds.at(index - 1));
  }

  shape(index: number): number[] {
    const shape: number[] = [];
    const end = this.shapeEnds.at(index);
    for (let i = index === 0 ? 0 : this.shapeEnds.at(index - 1); i < end; i++) shape.push(this.dimensions.at(i));
    return shape;
  }

  storage(index: number): string {
    return this.storages[index];
  }

  kind(index: number): ParameterKind {
    return this.kinds.at(index);
  }

  device(index: number): string | undefined {
    return this.devices.at(index);
  }

  requiresGrad(index: number): boolean | undefined {
    return this.grads.at(index);
  }

  /** Name of the first row with the same data. */
  tiedTo(index: number): string | undefined {
    return this.ties.get(index);
  }

  strides(index: number): number[] | undefined {
    return this.stridesOf.get(index);
  }

  /** In elements of the storage. */
  offset(index: number): number | undefined {
    return this.offsets.get(index);
  }

  note(index: number): string | undefined {
    return this.notes.get(index);
  }

  /** Whether there is something to show of the elements. */
  isReadable(index: number): boolean {
    return this.sources[index] !== undefined || this.tables.has(index);
  }

  /** Where the elements are; `undefined` when they are not in the files at hand. */
  tensor(index: number): TensorRef | undefined {
    const source = this.sources[index];
    return source && this.reference(source, index);
  }

  /** What the reader put into the row. */
  source(index: number): Source | undefined {
    return this.sources[index];
  }

  /** The row as an object, `undefined` where there is none. Changing it changes nothing in the table. */
  at(index: number): Parameter | undefined {
    if (!(index >= 0 && index < this.names.length)) return undefined;
    const row: Parameter = {
      name: this.names[index],
      shape: this.shape(index),
      dtype: this.dtypes.at(index),
      count: this.counts.at(index),
      bytes: this.sizes.at(index),
      storage: this.storages[index],
      kind: this.kinds.at(index),
    };
    const detail = this.dtypeTexts.at(index);
    if (detail !== row.dtype) row.dtypeDetail = detail;
    const device = this.devices.at(index);
    if (device !== undefined) row.device = device;
    const grad = this.grads.at(index);
    if (grad !== undefined) row.requiresGrad = grad;
    const strides = this.stridesOf.get(index);
    if (strides) row.strides = strides;
    const offset = this.offsets.get(index);
    if (offset !== undefined) row.offset = offset;
    const tie = this.ties.get(index);
    if (tie !== undefined) row.tiedTo = tie;
    const tensor = this.tensor(index);
    if (tensor) row.tensor = tensor;
    const table = this.tables.get(index);
    if (table) row.table = table;
    const note = this.notes.get(index);
    if (note !== undefined) row.note = note;
    return row;
  }

  /** Place of the first row of that name, -1 if there is none. */
  indexOf(name: string): number {
    if (!this.byName) {
      this.byName = new NamePlaces(this.names);
      for (let i = 0; i < this.names.length; i++) this.byName.add(i);
    }
    return this.byName.get(name);
  }

  has(name: string): boolean {
    return this.indexOf(name) >= 0;
  }

  /** The first row of that name. */
  get(name: string): Parameter | undefined {
    return this.at(this.indexOf(name));
  }

  /** All names, in the order of the table. */
  allNames(): readonly string[] {
    return this.names;
  }

  *[Symbol.iterator](): Generator<Parameter> {
    for (let i = 0; i < this.names.length; i++) yield this.at(i)!;
  }

  map<T>(make: (row: Parameter, index: number) => T): T[] {
    return Array.from(this, make);
  }

  filter(wanted: (row: Parameter, index: number) => unknown): Parameter[] {
    const found: Parameter[] = [];
    let index = 0;
    for (const row of this) if (wanted(row, index++)) found.push(row);
    return found;
  }

  find(wanted: (row: Parameter) => unknown): Parameter | undefined {
    for (const row of this) if (wanted(row)) return row;
    return undefined;
  }

  some(holds: (row: Parameter) => unknown): boolean {
    return this.find(holds) !== undefined;
  }

  every(holds: (row: Parameter) => unknown): boolean {
    return this.find((row) => !holds(row)) === undefined;
  }
}

/** A parameter table as everyone sees it who does not fill it. */
export type ParameterRows = Omit<ParameterTable, 'add' | 'source'>;

function asReference(source: object): TensorRef {
  return source as TensorRef;
}

import { ModelError } from '../../bytes/errors';

/**
 * Reads FlatBuffers tables by field number, which is all that a known layout needs. Every offset is checked against the buffer.
 * Source: the FlatBuffers binary format (tables with a vtable of 16-bit field offsets; vectors with a 32-bit count).
 */
export class FlatTable {
  private constructor(
    private readonly view: DataView,
    private readonly at: number,
    private readonly fields: number,
    private readonly vtable: number,
  ) {}

  static root(bytes: Uint8Array): FlatTable {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return FlatTable.open(
      view,
      guard(view, () => view.getUint32(0, true)),
    );
  }

  private static open(view: DataView, at: number): FlatTable {
    return guard(view, () => {
      const vtable = at - view.getInt32(at, true);
      return new FlatTable(view, at, (view.getUint16(vtable, true) - 4) >> 1, vtable);
    });
  }

  int(field: number, fallback: number): number {
    const at = this.place(field);
    return at === undefined ? fallback : guard(this.view, () => this.view.getInt32(at, true));
  }

  byte(field: number, fallback: number): number {
    const at = this.place(field);
    return at === undefined ? fallback : guard(this.view, () => this.view.getUint8(at));
  }

  double(field: number, fallback: number): number {
    const at = this.place(field);
    return at === undefined ? fallback : guard(this.view, () => this.view.getFloat64(at, true));
  }

  text(field: number): string | undefined {
    const vector = this.vector(field, 1);
    if (!vector) return undefined;
    return new TextDecoder().decode(
      new Uint8Array(this.view.buffer, this.view.byteOffset + vector.start, vector.count),
    );
  }

  ints(field: number): Int32Array {
    return this.numbers(field, 4, Int32Array, (at) => this.view.getInt32(at, true));
  }

  floats(field: number): Float32Array {
    return this.numbers(field, 4, Float32Array, (at) => this.view.getFloat32(at, true));
  }

  doubles(field: number): Float64Array {
    return this.numbers(field, 8, Float64Array, (at) => this.view.getFloat64(at, true));
  }

  /** Number of elements of a vector of anything, 0 if it is not there. */
  count(field: number): number {
    return this.vector(field, 0)?.count ?? 0;
  }

  table(field: number): FlatTable | undefined {
    const at = this.place(field);
    return at === undefined ? undefined : FlatTable.open(this.view, at + this.offset(at));
  }

  tables(field: number): FlatTable[] {
    const vector = this.vector(field, 4);
    if (!vector) return [];
    return Array.from({ length: vector.count }, (_, i) => {
      const at = vector.start + 4 * i;
      return FlatTable.open(this.view, at + this.offset(at));
    });
  }

  private numbers<T>(
    field: number,
    size: number,
    type: { from(source: { length: number }, map: (v: unknown, i: number) => number): T },
    read: (at: number) => number,
  ): T {
    const vector = this.vector(field, size);
    return type.from({ length: vector?.count ?? 0 }, (_, i) => read(vector!.start + size * i));
  }

  private vector(field: number, size: number): { start: number; count: number } | undefined {
    const at = this.place(field);
    if (at === undefined) return undefined;
    const start = at + this.offset(at);
    const count = guard(this.view, () => this.view.getUint32(start, true));
    if (start + 4 + count * size > this.view.byteLength) throw damaged(start);
    return { start: start + 4, count };
  }

  private offset(at: number): number {
    return guard(this.view, () => this.view.getUint32(at, true));
  }

  private place(field: number): number | undefined {
    if (field >= this.fields) return undefined;
    const offset = guard(this.view, () => this.view.getUint16(this.vtable + 4 + 2 * field, true));
    return offset === 0 ? undefined : this.at + offset;
  }
}

function guard<T>(view: DataView, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) throw damaged(view.byteLength);
    throw error;
  }
}

function damaged(offset: number): ModelError {
  return new ModelError(
    'malformed',
    `The CatBoost model is damaged: an offset in it leads beyond its end (near byte ${offset}).`,
    { offset },
  );
}

/** A column of numbers that grows: eight bytes a number, outside the heap that is searched for garbage. */
export class Numbers {
  private store = new Float64Array(8);
  length = 0;

  push(value: number): void {
    if (this.length === this.store.length) this.grow();
    this.store[this.length++] = value;
  }

  /** The number at a place below `length`. */
  at(index: number): number {
    return this.store[index];
  }

  private grow(): void {
    const grown = new Float64Array(this.store.length * 2);
    grown.set(this.store);
    this.store = grown;
  }
}

/** A column of values of which there are few different ones: two bytes each, the values themselves once. */
export class Codes<T> {
  private store = new Uint16Array(8);
  private readonly codes = new Map<T, number>();
  /** The different values, in the order in which they came. */
  private readonly values: T[] = [];
  /** Values by place once there are too many different ones for two bytes. */
  private overflow: T[] | undefined;
  private lastValue: T | undefined;
  private lastCode = -1;
  length = 0;

  push(value: T): void {
    const index = this.length++;
    if (this.overflow) {
      this.overflow.push(value);
      return;
    }
    const code = value === this.lastValue && this.lastCode >= 0 ? this.lastCode : this.codeOf(value);
    if (code > MAX_CODE) {
      this.overflow = Array.from({ length: index }, (_, i) => this.values[this.store[i]]);
      this.overflow.push(value);
      return;
    }
    if (index === this.store.length) this.grow();
    this.store[index] = code;
  }

  /** The value at a place below `length`. */
  at(index: number): T {
    return this.overflow ? this.overflow[index] : this.values[this.store[index]];
  }

  /** The different values. */
  distinct(): Set<T> {
    return new Set(this.overflow ?? this.values);
  }

  private codeOf(value: T): number {
    let code = this.codes.get(value);
    if (code === undefined) {
      code = this.values.length;
      if (code > MAX_CODE) return code;
      this.codes.set(value, code);
      this.values.push(value);
    }
    this.lastValue = value;
    this.lastCode = code;
    return code;
  }

  private grow(): void {
    const grown = new Uint16Array(this.store.length * 2);
    grown.set(this.store);
    this.store = grown;
  }
}

const MAX_CODE = 0xffff;

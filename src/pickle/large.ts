/** Entries of one Set or Map: V8 refuses more than 2^24. */
const MOST = 2 ** 24 - 1;

/** A set of any size. */
export class LargeSet<T> {
  private readonly parts: Set<T>[] = [new Set()];
  private last = this.parts[0];

  has(value: T): boolean {
    for (const part of this.parts) if (part.has(value)) return true;
    return false;
  }

  /** Adds a value that is not in the set. */
  add(value: T): void {
    if (this.last.size >= MOST) {
      this.last = new Set();
      this.parts.push(this.last);
    }
    this.last.add(value);
  }
}

/** A map of any size. */
export class LargeMap<K, V> {
  private readonly parts: Map<K, V>[] = [new Map()];
  private last = this.parts[0];
  /** Values that were stored. */
  stores = 0;

  get(key: K): V | undefined {
    if (this.parts.length === 1) return this.last.get(key);
    for (const part of this.parts) {
      const value = part.get(key);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  set(key: K, value: V): void {
    this.stores++;
    const holder = this.parts.length === 1 ? this.last : (this.parts.find((part) => part.has(key)) ?? this.last);
    if (holder.size < MOST || holder.has(key)) {
      holder.set(key, value);
      return;
    }
    this.last = new Map([[key, value]]);
    this.parts.push(this.last);
  }
}

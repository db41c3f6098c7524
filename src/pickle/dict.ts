import type { Value } from './values';

/**
 * A Python dict while and after a pickle is read: a Map whose large batches of entries are put into the table only when somebody looks at
 * it. A scan looks at no table, and building one for some hundred thousand keys takes longer than reading them.
 */
export class LazyDict extends Map<Value, Value> {
  private pending: Value[] | undefined;

  /** Stores keys and values that alternate in `items` from `start` on. */
  defer(items: readonly Value[], start: number): void {
    this.pending ??= [];
    for (let i = start; i < items.length; i++) this.pending.push(items[i]);
  }

  private flush(): void {
    const { pending } = this;
    if (!pending) return;
    this.pending = undefined;
    for (let i = 0; i < pending.length; i += 2) super.set(pending[i], pending[i + 1]);
  }

  override get size(): number {
    this.flush();
    return super.size;
  }

  override get(key: Value): Value | undefined {
    this.flush();
    return super.get(key);
  }

  override has(key: Value): boolean {
    this.flush();
    return super.has(key);
  }

  override set(key: Value, value: Value): this {
    if (this.pending) this.flush();
    return super.set(key, value);
  }

  override delete(key: Value): boolean {
    this.flush();
    return super.delete(key);
  }

  override clear(): void {
    this.pending = undefined;
    super.clear();
  }

  override forEach(callback: (value: Value, key: Value, map: Map<Value, Value>) => void, self?: unknown): void {
    this.flush();
    super.forEach(callback, self);
  }

  override entries(): MapIterator<[Value, Value]> {
    this.flush();
    return super.entries();
  }

  override keys(): MapIterator<Value> {
    this.flush();
    return super.keys();
  }

  override values(): MapIterator<Value> {
    this.flush();
    return super.values();
  }

  override [Symbol.iterator](): MapIterator<[Value, Value]> {
    this.flush();
    return super[Symbol.iterator]();
  }
}

import type { Value } from './values';

/**
 * A Python dict while and after a pickle is read: a Map whose large batches of entries are put into the table only when somebody looks at
 * it. A scan looks at no table, and building one for some hundred thousand keys takes longer than reading them.
 */
export class LazyDict extends Map<Value, Value> {
  private pending: Value[] | undefined;
  /** Keys that were stored again over what was there. */
  overwrites = 0;

  /** Stores keys and values that alternate in `items` from `start` on. */
  defer(items: readonly Value[], start: number): void {
    this.pending ??= [];
    for (let i = start; i < items.length; i++) this.pending.push(items[i]);
  }

  /** The batch that no look-up has asked for, if it is all that there is. */
  get batch(): readonly Value[] | undefined {
    return super.size === 0 ? this.pending : undefined;
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
    const before = super.size;
    super.set(key, value);
    if (super.size === before) this.overwrites++;
    return this;
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

/**
 * Keys and values of a dict, alternating, without a table being built for them. A key that stands in a large batch twice is there twice.
 */
export function keysAndValues(dict: Map<Value, Value>): readonly Value[] {
  const batch = dict instanceof LazyDict ? dict.batch : undefined;
  if (batch) return batch;
  const out: Value[] = [];
  for (const [key, value] of dict) out.push(key, value);
  return out;
}

/** Whether a dict has more than `count` entries. Of a large batch that nobody has looked at yet, a key that stands twice counts twice. */
export function holdsMoreThan(dict: Map<Value, Value>, count: number): boolean {
  const batch = dict instanceof LazyDict ? dict.batch : undefined;
  return (batch ? batch.length / 2 : dict.size) > count;
}

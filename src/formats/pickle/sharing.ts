import { Instance, PySet, PyTuple, type Value } from '../../pickle/values';
import { freshMembers } from './members';

/** Objects that are looked at for sharing; beyond it the tree still opens, without marks and sizes. */
const MAX_OBJECTS = 4_000_000;

/** Sizes are exact below this. A chain of 100,000 doublings would need numbers of 30,000 digits at every link. */
const CAP = 10n ** 300n;

/** What one walk over the graph learns of an object. */
interface Seen {
  /** Where it was met first. */
  parent: Seen | undefined;
  index: number;
  shared: boolean;
  /** Values below, each occurrence counted; `undefined` while the walk is inside it. */
  size: number | bigint | undefined;
}

interface Frame {
  seen: Seen;
  /** The members that are containers themselves, and where they stand. */
  inner: { value: Value & object; index: number }[];
  next: number;
  size: number | bigint;
}

/**
 * One walk over an object graph, without recursion: which objects are referred to from several places, where each stands first, and how many
 * values there would be below it if sharing were expanded (a DAG of 30 lists can stand for more values than there are atoms).
 */
export class Sharing {
  private readonly seen = new Map<object, Seen>();
  /** False when the graph was too large to be walked to its end. */
  readonly complete: boolean;

  constructor(root: Value) {
    this.complete = this.walk(root);
  }

  /** Path of the first place of an object that stands in several; `undefined` for one that stands in one only. */
  firstPath(value: object): string | undefined {
    const found = this.seen.get(value);
    if (!found?.shared) return undefined;
    const steps: number[] = [];
    for (let at: Seen | undefined = found; at?.parent; at = at.parent) steps.push(at.index);
    return steps.reverse().join('.');
  }

  /** Decimal text, as it may be astronomically large. */
  logicalSize(value: object): string | undefined {
    const size = this.seen.get(value)?.size;
    if (size === undefined || !this.complete) return undefined;
    return typeof size === 'bigint' && size >= CAP ? 'more than 10^300' : String(size);
  }

  private walk(root: Value): boolean {
    if (!isContainer(root)) return true;
    const stack: Frame[] = [this.enter(root, undefined, 0)];
    while (stack.length > 0) {
      const frame = stack[stack.length - 1];
      if (frame.next >= frame.inner.length) {
        stack.pop();
        frame.seen.size = frame.size;
        const above = stack[stack.length - 1];
        if (above) above.size = add(above.size, frame.size);
        continue;
      }
      const { value, index } = frame.inner[frame.next++];
      const known = this.seen.get(value);
      if (known) {
        known.shared = true;
        // An object that is still being walked is a cycle: it counts as one value, not as all of its own again.
        if (known.size !== undefined) frame.size = add(frame.size, known.size);
        continue;
      }
      if (this.seen.size >= MAX_OBJECTS) return false;
      stack.push(this.enter(value, frame.seen, index));
    }
    return true;
  }

  private enter(value: object, parent: Seen | undefined, index: number): Frame {
    const seen: Seen = { parent, index, shared: false, size: undefined };
    this.seen.set(value, seen);
    const { count, inner } = innerOf(value as Value);
    return { seen, inner, next: 0, size: count };
  }
}

/** How many members a value has, and which of them have members. */
function innerOf(value: Value): { count: number; inner: Frame['inner'] } {
  const inner: Frame['inner'] = [];
  const items = Array.isArray(value)
    ? value
    : value instanceof PyTuple || value instanceof PySet
      ? value.items
      : undefined;
  if (items) {
    for (let index = 0; index < items.length; index++) {
      const item = items[index];
      if (isContainer(item)) inner.push({ value: item, index });
    }
    return { count: items.length, inner };
  }
  if (value instanceof Map) {
    let index = 0;
    for (const item of value.values()) {
      if (isContainer(item)) inner.push({ value: item, index });
      index++;
    }
    return { count: index, inner };
  }
  const members = freshMembers(value);
  for (let index = 0; index < members.count; index++) {
    const { value: item } = members.at(index);
    if (isContainer(item)) inner.push({ value: item, index });
  }
  return { count: members.count, inner };
}

function isContainer(value: Value): value is Value & object {
  if (value === null || typeof value !== 'object') return false;
  if (Array.isArray(value) || value instanceof Map || value instanceof Instance || value instanceof PySet) return true;
  return value instanceof PyTuple && value.items.length > 0;
}

function add(a: number | bigint, b: number | bigint): number | bigint {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b;
    return sum <= Number.MAX_SAFE_INTEGER ? sum : BigInt(a) + BigInt(b);
  }
  const sum = BigInt(a) + BigInt(b);
  return sum < CAP ? sum : CAP;
}

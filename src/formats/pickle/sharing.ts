import { Instance, PySet, PyTuple, type Value } from '../../pickle/values';
import { freshMembers } from './members';

/** Objects that are looked at for sharing; beyond it the tree still opens, without marks and sizes. */
const MAX_OBJECTS = 4_000_000;

/** Sizes are exact below this. A chain of 100,000 doublings would need numbers of 30,000 digits at every link. */
const CAP = 10n ** 300n;

/** What the walk knows of an object; while it is inside it, also where it stands. */
class Seen {
  shared = false;
  /** Values below, each occurrence counted; `undefined` while the walk is inside. */
  size: number | bigint | undefined = undefined;
  next = 0;
  below: number | bigint;

  constructor(
    /** Where it was met first. */
    readonly parent: Seen | undefined,
    readonly index: number,
    public members: readonly Value[],
  ) {
    this.below = members.length;
  }
}

const NOTHING: readonly Value[] = [];

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
    let at: Seen | undefined = new Seen(undefined, 0, membersIn(root));
    this.seen.set(root, at);
    while (at) {
      const { members } = at;
      let inner: Seen | undefined;
      while (at.next < members.length) {
        const index = at.next++;
        const value = members[index];
        if (!isContainer(value)) continue;
        const known = this.seen.get(value);
        if (!known) {
          if (this.seen.size >= MAX_OBJECTS) return false;
          inner = new Seen(at, index, membersIn(value));
          this.seen.set(value, inner);
          break;
        }
        known.shared = true;
        // An object that is still being walked is a cycle: it counts as one value, not as all of its own again.
        if (known.size !== undefined) at.below = add(at.below, known.size);
      }
      if (inner) at = inner;
      else {
        at.size = at.below;
        at.members = NOTHING;
        if (at.parent) at.parent.below = add(at.parent.below, at.size);
        at = at.parent;
      }
    }
    return true;
  }
}

/** The values of a container, in the order of its members. */
function membersIn(value: Value): readonly Value[] {
  if (Array.isArray(value)) return value;
  if (value instanceof PyTuple || value instanceof PySet) return value.items;
  if (value instanceof Map) return [...value.values()];
  const members = freshMembers(value);
  return members.count === 0 ? NOTHING : Array.from({ length: members.count }, (_, i) => members.at(i).value);
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

import { keysAndValues } from '../pickle/dict';
import type { Pickle } from '../pickle/machine';
import { Global, Instance, PySet, PyTuple, type Value } from '../pickle/values';
import type { SecurityFinding } from './report';

/** Values that a pickle may stand for before it counts as a bomb, unless the file is that large itself. */
const MAX_EXPANDED = 1e8;

/** Values that one opcode may stand for; honest sharing (one label in many rows, say) stays far below. */
const MAX_RATIO = 1000;

/** Levels of nesting at which programs that print, compare or free the value run out of stack. */
const MAX_NESTING = 100_000;

interface Size {
  /** Values counted once for every way that leads to them. */
  values: number;
  nesting: number;
}

/**
 * How large the value is for a program that does not notice sharing: "billion laughs" stand for more values than there are atoms, in a few
 * bytes. Counted by arithmetic on the graph, every node once, without expanding anything; iterative.
 */
export function expansionFindings(pickle: Pickle, member: string): SecurityFinding[] {
  const roots: (Value | undefined)[] = [pickle.value];
  for (const event of pickle.events) if (event instanceof Instance) roots.push(event);
  const sizes = new Map<object, Size>();
  let values = 0;
  let nesting = 0;
  for (const root of roots) {
    const size = measure(root, sizes);
    values = Math.max(values, size.values);
    nesting = Math.max(nesting, size.nesting);
  }
  const findings: SecurityFinding[] = [];
  if (values > MAX_EXPANDED && values > MAX_RATIO * pickle.opcodes) {
    findings.push({
      rule: 'expansion',
      severity: 'suspicious',
      member,
      offset: pickle.start,
      message: `${pickle.opcodes.toLocaleString('en-US')} opcodes stand for ${Number.isFinite(values) ? values.toExponential(1) : 'more than 1e308'} values: a program that prints, compares or copies them would never finish.`,
      advice: 'Do not load it; honest files do not share their parts that way.',
    });
  }
  if (nesting > MAX_NESTING) {
    findings.push({
      rule: 'deep-nesting',
      severity: 'suspicious',
      member,
      offset: pickle.start,
      message: `Values are nested ${nesting.toLocaleString('en-US')} levels deep; programs that walk over them can crash.`,
      advice: 'Do not load it; honest data is not nested that deeply.',
    });
  }
  return findings;
}

const ONE: Size = { values: 1, nesting: 0 };

/** Items of containers that are counted where they are met, instead of being remembered: there are millions of them. */
const FEW = 8;
/** Sizes of containers of so many plain values, and of objects made from so many. */
const CONTAINERS: readonly Size[] = Array.from({ length: FEW + 1 }, (_, n) => ({ values: n + 1, nesting: 1 }));
const OBJECTS: readonly Size[] = Array.from({ length: FEW + 1 }, (_, n) => ({ values: n + 2, nesting: 2 }));

/** Size of a container of a few plain values, or of an object made from them; `undefined` for anything else. */
function flatSize(value: Value & object): Size | undefined {
  if (Array.isArray(value)) return allPlain(value) ? CONTAINERS[value.length] : undefined;
  if (value instanceof PyTuple) return allPlain(value.items) ? CONTAINERS[value.items.length] : undefined;
  if (!(value instanceof Instance) || value.items || value.entries || !(value.args instanceof PyTuple))
    return undefined;
  return allPlain(value.args.items) ? OBJECTS[value.args.items.length] : undefined;
}

function allPlain(items: readonly Value[]): boolean {
  if (items.length > FEW) return false;
  for (let i = 0; i < items.length; i++) {
    const item = items[i];
    if (item !== null && typeof item === 'object' && holdsValues(item)) return false;
  }
  return true;
}

/** A container that is being measured: what it holds, and how far the walk has come in it. */
interface Frame {
  value: object;
  items: readonly Value[];
  next: number;
  size: Size;
}

/** Size of a value; a cycle counts once. */
function measure(root: Value | undefined, sizes: Map<object, Size>): Size {
  if (!holdsValues(root)) return ONE;
  const flat = flatSize(root);
  if (flat) return flat;
  const known = sizes.get(root);
  if (known) return known;
  const stack: Frame[] = [open(root, sizes)];
  for (;;) {
    const frame = stack[stack.length - 1];
    const { items, size } = frame;
    let inner: Frame | undefined;
    while (frame.next < items.length) {
      const child = items[frame.next++];
      if (child === null || typeof child !== 'object' || !holdsValues(child)) {
        size.values++;
        continue;
      }
      const measured = flatSize(child) ?? sizes.get(child);
      if (measured) add(size, measured);
      else {
        inner = open(child, sizes);
        break;
      }
    }
    if (inner) {
      stack.push(inner);
      continue;
    }
    stack.pop();
    sizes.set(frame.value, size);
    if (stack.length === 0) return size;
    add(stack[stack.length - 1].size, size);
  }
}

function open(value: Value & object, sizes: Map<object, Size>): Frame {
  // Met again before it is finished, it is a cycle.
  sizes.set(value, ONE);
  return { value, items: itemsOf(value), next: 0, size: { values: 1, nesting: 1 } };
}

function add(to: Size, from: Size): void {
  to.values += from.values;
  if (from.nesting >= to.nesting) to.nesting = from.nesting + 1;
}

function holdsValues(value: Value | undefined): value is Value & object {
  return (
    Array.isArray(value) ||
    value instanceof PyTuple ||
    value instanceof Map ||
    value instanceof PySet ||
    (value instanceof Instance &&
      !(
        value.callable instanceof Global &&
        value.items === undefined &&
        isEmpty(value.args) &&
        value.entries === undefined
      ))
  );
}

function isEmpty(args: Value): boolean {
  return args instanceof PyTuple && args.items.length === 0;
}

/** What a container holds; of an object its arguments and items, not its state, which programs reach by name. */
function itemsOf(value: Value & object): readonly Value[] {
  if (Array.isArray(value)) return value;
  if (value instanceof PyTuple || value instanceof PySet) return value.items;
  if (value instanceof Map) return keysAndValues(value);
  if (!(value instanceof Instance)) return [];
  const items: Value[] = [value.args];
  if (value.items) items.push(value.items);
  if (value.entries) items.push(value.entries);
  return items;
}

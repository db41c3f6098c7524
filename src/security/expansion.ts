import { heapIsNearlyFull } from '../bytes/memory';
import { keysAndValues } from '../pickle/dict';
import { LargeMap } from '../pickle/large';
import type { Pickle } from '../pickle/machine';
import { type CallForm, type FormNode, packedArguments } from '../pickle/packed';
import { Global, Instance, PySet, PyTuple, type Value } from '../pickle/values';
import { judgedEvents } from './judged-events';
import type { SecurityFinding } from './report';
import { TooMuchWork } from './work';

/** Values that a pickle may stand for before it counts as a bomb, unless the file is that large itself. */
const MAX_EXPANDED = 1e8;

/** Values that one opcode may stand for; honest sharing (one label in many rows, say) stays far below. */
const MAX_RATIO = 1000;

/** Levels of nesting at which programs that print, compare or free the value run out of stack. */
const MAX_NESTING = 100_000;

type Sizes = LargeMap<object, Size>;

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
  for (const event of judgedEvents(pickle.outerEvents)) if (event instanceof Instance) roots.push(event);
  const sizes: Sizes = new LargeMap();
  let values = 0;
  let nesting = 0;
  const findings: SecurityFinding[] = [];
  try {
    for (const root of roots) {
      const size = measure(root, sizes);
      values = Math.max(values, size.values);
      nesting = Math.max(nesting, size.nesting);
    }
  } catch (error) {
    if (!(error instanceof TooMuchWork)) throw error;
    findings.push({
      rule: 'limit-reached',
      severity: 'suspicious',
      member,
      offset: pickle.start,
      message: 'Its values fill the memory that a reader may use, so how much they stand for was not counted.',
    });
  }
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

/** Most values of something that is counted wherever it is met, instead of being remembered: there are millions of such things. */
const FEW = 32;
/** Levels of it. */
const LEVELS = 4;
/** A small value's size is one number: values above, levels of nesting in the lowest four bits. */
const NESTING_BITS = 4;

/** Values that may still be counted of the small value that is looked at. */
let left = 0;

/** Size of a value of few parts, in one number; -1 for one that has more, or that is a dictionary or set. */
function smallSize(value: Value & object): number {
  left = FEW;
  return countSmall(value, LEVELS);
}

function countSmall(value: Value & object, levels: number): number {
  if (Array.isArray(value)) return countItems(value, levels);
  if (value instanceof PyTuple) return countItems(value.items, levels);
  if (!(value instanceof Instance) || value.items || value.entries) return -1;
  const form = packedArguments(value)?.form;
  if (form) return countPacked(form, levels);
  const { args } = value;
  if (!holdsValues(args)) return packed(2, 1);
  if (levels === 0) return -1;
  const inner = countSmall(args, levels - 1);
  return inner < 0 ? -1 : packed(1 + (inner >> NESTING_BITS), 1 + nestingOf(inner));
}

function countItems(items: readonly Value[], levels: number): number {
  if (items.length > left) return -1;
  left -= items.length;
  let values = 1;
  let nesting = 1;
  for (let i = 0; i < items.length; i++) {
    const item = items[i];
    if (item === null || typeof item !== 'object' || !holdsValues(item)) {
      values++;
      continue;
    }
    if (levels === 0) return -1;
    const inner = countSmall(item, levels - 1);
    if (inner < 0) return -1;
    values += inner >> NESTING_BITS;
    if (nestingOf(inner) >= nesting) nesting = nestingOf(inner) + 1;
  }
  return packed(values, nesting);
}

/** Size of every packed call of one form: numbers and texts change nothing about it. */
interface FormSize {
  values: number;
  nesting: number;
  /** Items that are counted for it, and levels that are gone down. */
  items: number;
  levels: number;
}

const formSizes = new WeakMap<CallForm, FormSize>();

function countPacked(form: CallForm, levels: number): number {
  let size = formSizes.get(form);
  if (!size) {
    size = around(sizeOfNode(form.arguments));
    formSizes.set(form, size);
  }
  if (size.items > left || size.levels > levels) return -1;
  left -= size.items;
  return packed(size.values, size.nesting);
}

/** A call by the size of its arguments. */
function around(args: FormSize): FormSize {
  return { ...args, values: args.values + 1, nesting: args.nesting + 1, levels: args.levels + 1 };
}

/** Size of what holds values; forms are short, so that nesting in them is not deep. */
function sizeOfNode(node: FormNode): FormSize {
  if (node.is === 'call') return around(sizeOfNode(node.args));
  const size = { values: 1, nesting: 1, items: 0, levels: 0 };
  if (node.is !== 'tuple') return size;
  size.items = node.items.length;
  for (const item of node.items) {
    const holds =
      item.is === 'tuple' || (item.is === 'call' && !(item.args.is === 'tuple' && item.args.items.length === 0));
    if (!holds) {
      size.values++;
      continue;
    }
    const inner = sizeOfNode(item);
    size.values += inner.values;
    size.items += inner.items;
    size.nesting = Math.max(size.nesting, inner.nesting + 1);
    size.levels = Math.max(size.levels, inner.levels + 1);
  }
  return size;
}

function packed(values: number, nesting: number): number {
  return (values << NESTING_BITS) | nesting;
}

function nestingOf(size: number): number {
  return size & ((1 << NESTING_BITS) - 1);
}

/** A container that is being measured: what it holds, and how far the walk has come in it. */
interface Frame {
  value: object;
  items: readonly Value[];
  next: number;
  size: Size;
}

/** Size of a value; a cycle counts once. */
function measure(root: Value | undefined, sizes: Sizes): Size {
  if (!holdsValues(root)) return ONE;
  const small = smallSize(root);
  if (small >= 0) return { values: small >> NESTING_BITS, nesting: nestingOf(small) };
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
      const small = smallSize(child);
      if (small >= 0) {
        add(size, small >> NESTING_BITS, nestingOf(small));
        continue;
      }
      const measured = sizes.get(child);
      if (!measured) {
        inner = open(child, sizes);
        break;
      }
      add(size, measured.values, measured.nesting);
    }
    if (inner) {
      stack.push(inner);
      continue;
    }
    stack.pop();
    sizes.set(frame.value, size);
    if (stack.length === 0) return size;
    add(stack[stack.length - 1].size, size.values, size.nesting);
  }
}

function open(value: Value & object, sizes: Sizes): Frame {
  if ((sizes.stores & 0xfffff) === 0xfffff && heapIsNearlyFull()) throw new TooMuchWork();
  // Met again before it is finished, it is a cycle.
  sizes.set(value, ONE);
  return { value, items: itemsOf(value), next: 0, size: { values: 1, nesting: 1 } };
}

function add(to: Size, values: number, nesting: number): void {
  to.values += values;
  if (nesting >= to.nesting) to.nesting = nesting + 1;
}

function holdsValues(value: Value | undefined): value is Value & object {
  return (
    Array.isArray(value) ||
    value instanceof PyTuple ||
    value instanceof Map ||
    value instanceof PySet ||
    (value instanceof Instance &&
      !(value.callable instanceof Global && value.items === undefined && isEmpty(value) && value.entries === undefined))
  );
}

function isEmpty(call: Instance): boolean {
  // There is a persistent id among packed arguments.
  if (packedArguments(call)) return false;
  return call.args instanceof PyTuple && call.args.items.length === 0;
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

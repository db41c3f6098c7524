import { type Global, Instance, LazyArguments, PersistentId, type PickleEvent, PyTuple, type Value } from './values';

/** What the stream does, opcode by opcode, between the MARK of a call's arguments and its REDUCE. */
export const Step = {
  none: 0,
  true: 1,
  false: 2,
  /** An integer, from the numbers of the call. */
  integer: 3,
  /** A string, from the texts of the call. */
  text: 4,
  /** An imported name, from those of the form. */
  global: 5,
  mark: 6,
  tuple: 7,
  emptyTuple: 8,
  tuple1: 9,
  tuple2: 10,
  tuple3: 11,
  put: 12,
  /** BINPERSID; its offset is one of the numbers. */
  persistent: 13,
  /** REDUCE of a call inside the arguments; its offset is one of the numbers. */
  reduce: 14,
} as const;

/** How the arguments of a form are nested. Numbers and texts are told by their place among those of the call. */
export type FormNode =
  | { is: 'constant'; value: null | boolean }
  | { is: 'integer' | 'text'; at: number }
  | { is: 'global'; global: Global }
  | { is: 'tuple'; items: FormNode[] }
  | { is: 'persistent'; id: FormNode }
  | { is: 'call'; callable: FormNode; args: FormNode };

/** What many calls have in common: the opcodes of their arguments, and the names that these fetch from the memo. */
export class CallForm {
  private tree: FormNode | undefined;
  /** Memory that the values of one call would take, once the machine has counted it. */
  cost: number | undefined;

  constructor(
    /** Kinds of `Step`, up to the TUPLE that ends the arguments and the PUT that may follow it. */
    readonly steps: Uint8Array,
    readonly globals: readonly Global[],
  ) {}

  /** The tuple of the arguments. */
  get arguments(): FormNode {
    this.tree ??= treeOf(this);
    return this.tree;
  }
}

/** Numbers and texts of all packed calls of one pickle, one behind the other. */
export class CallPool {
  numbers = new Float64Array(256);
  private used = 0;
  readonly texts: string[] = [];

  /** Takes over the first `count` numbers; where they begin. */
  keep(numbers: Float64Array, count: number): number {
    const at = this.used;
    if (at + count > this.numbers.length) {
      const larger = new Float64Array(2 * (at + count));
      larger.set(this.numbers);
      this.numbers = larger;
    }
    for (let i = 0; i < count; i++) this.numbers[at + i] = numbers[i];
    this.used = at + count;
    return at;
  }
}

/** What a look at packed arguments made of them. */
interface Unpacked {
  args: PyTuple;
  /** Values that were stored in the memo, in the order of the stream. */
  parts: Value[];
  /** Calls and persistent ids among the arguments. */
  events: PickleEvent[];
}

/**
 * Arguments that are kept as numbers and texts of a common form until somebody looks at them: a checkpoint has a hundred thousand calls that
 * rebuild a tensor, of a dozen values each, which nobody looks at one by one. What they stand for is the same, object for object.
 */
export class PackedArguments extends LazyArguments {
  private made: Unpacked | undefined;

  constructor(
    readonly form: CallForm,
    private readonly pool: CallPool,
    private readonly numberAt: number,
    private readonly textAt: number,
  ) {
    super();
  }

  /** The number that a node of the form stands for. */
  number(at: number): number {
    return this.pool.numbers[this.numberAt + at];
  }

  text(at: number): string {
    return this.pool.texts[this.textAt + at];
  }

  /** Whether somebody has looked at them, and may have changed what is in them. */
  get isUnpacked(): boolean {
    return this.made !== undefined;
  }

  override get value(): PyTuple {
    return this.unpack().args;
  }

  override get events(): readonly PickleEvent[] {
    return this.unpack().events;
  }

  override part(index: number): Value {
    return this.unpack().parts[index];
  }

  private unpack(): Unpacked {
    this.made ??= this.replay();
    return this.made;
  }

  /** Does what the machine would have done with the same opcodes. */
  private replay(): Unpacked {
    const { steps, globals } = this.form;
    const stack: Value[] = [];
    const marks: number[] = [0];
    const parts: Value[] = [];
    const events: PickleEvent[] = [];
    let [numbers, texts, names] = [0, 0, 0];
    for (let i = 0; i < steps.length; i++) {
      switch (steps[i]) {
        case Step.none:
          stack.push(null);
          break;
        case Step.true:
          stack.push(true);
          break;
        case Step.false:
          stack.push(false);
          break;
        case Step.integer:
          stack.push(this.number(numbers++));
          break;
        case Step.text:
          stack.push(this.text(texts++));
          break;
        case Step.global:
          stack.push(globals[names++]);
          break;
        case Step.mark:
          marks.push(stack.length);
          break;
        case Step.tuple:
          stack.push(new PyTuple(stack.splice(marks.pop() ?? 0)));
          break;
        case Step.put:
          parts.push(stack[stack.length - 1]);
          break;
        case Step.persistent: {
          const id = new PersistentId(stack.pop() as Value, this.number(numbers++));
          events.push(id);
          stack.push(id);
          break;
        }
        case Step.reduce: {
          const args = stack.pop() as Value;
          const call = new Instance(stack.pop() as Value, args, 'REDUCE', this.number(numbers++));
          events.push(call);
          stack.push(call);
          break;
        }
        default:
          stack.push(new PyTuple(stack.splice(stack.length - (steps[i] - Step.emptyTuple))));
      }
    }
    return { args: stack[0] as PyTuple, parts, events };
  }
}

/** The packed arguments of a call, as long as nobody has looked at them; `undefined` for every other value. */
export function packedArguments(value: Instance): PackedArguments | undefined {
  const { lazyArguments } = value;
  return lazyArguments instanceof PackedArguments && !lazyArguments.isUnpacked ? lazyArguments : undefined;
}

/** Every event, with those inside packed calls in their places. */
export function allEvents(events: readonly PickleEvent[]): PickleEvent[] {
  const all: PickleEvent[] = [];
  for (const event of events) {
    const inner = event instanceof Instance ? event.lazyArguments?.events : undefined;
    if (inner) for (const each of inner) all.push(each);
    all.push(event);
  }
  return all;
}

function treeOf({ steps, globals }: CallForm): FormNode {
  const stack: FormNode[] = [];
  const marks: number[] = [0];
  let [numbers, texts, names] = [0, 0, 0];
  for (let i = 0; i < steps.length; i++) {
    switch (steps[i]) {
      case Step.none:
        stack.push({ is: 'constant', value: null });
        break;
      case Step.true:
      case Step.false:
        stack.push({ is: 'constant', value: steps[i] === Step.true });
        break;
      case Step.integer:
        stack.push({ is: 'integer', at: numbers++ });
        break;
      case Step.text:
        stack.push({ is: 'text', at: texts++ });
        break;
      case Step.global:
        stack.push({ is: 'global', global: globals[names++] });
        break;
      case Step.mark:
        marks.push(stack.length);
        break;
      case Step.tuple:
        stack.push({ is: 'tuple', items: stack.splice(marks.pop() ?? 0) });
        break;
      case Step.put:
        break;
      case Step.persistent:
        numbers++;
        stack.push({ is: 'persistent', id: stack.pop() as FormNode });
        break;
      case Step.reduce: {
        numbers++;
        const args = stack.pop() as FormNode;
        stack.push({ is: 'call', callable: stack.pop() as FormNode, args });
        break;
      }
      default:
        stack.push({ is: 'tuple', items: stack.splice(stack.length - (steps[i] - Step.emptyTuple)) });
    }
  }
  return stack[0];
}

import type { Pickle } from '../../../src/pickle/machine';
import {
  ExtensionCode,
  Global,
  ImportEvent,
  Instance,
  MutationEvent,
  OutOfBandBuffer,
  PersistentId,
  PyBytes,
  type PyDict,
  PyFloat,
  PySet,
  PyTuple,
  type Value,
} from '../../../src/pickle/values';

export interface Trace {
  events: string[];
  value: string | null;
  error: boolean;
}

/** What the machine understood, in the words of `tools/pickle/loaders.py`. */
export function traceOf(pickle: Pickle): Trace {
  const numbers = new Map<Instance, number>();
  for (const event of pickle.events) if (event instanceof Instance) numbers.set(event, numbers.size);
  const writer = new Writer(numbers);
  const events: string[] = [];
  for (const event of pickle.events) {
    if (event instanceof ImportEvent) events.push(`import ${json([event.global.rawModule, event.global.rawName])}`);
    else if (event instanceof PersistentId) events.push(`persistent ${writer.text(event.id)}`);
    else if (event instanceof Instance) events.push(writer.made(event));
    else if (event instanceof MutationEvent) events.push(...writer.mutation(event));
    else events.push('only at load');
  }
  const error = pickle.error !== undefined;
  return { events, value: error ? null : writer.text(pickle.value), error };
}

function json(value: unknown): string {
  const text = Array.isArray(value)
    ? `[${value.map((item) => JSON.stringify(item)).join(', ')}]`
    : JSON.stringify(value);
  return text.replace(/[^ -~]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

class Writer {
  private readonly ids = new Map<object, number>();
  constructor(private readonly numbers: Map<Instance, number>) {}

  made(event: Instance): string {
    const args = argumentsOf(event.args);
    const isNew =
      event.how === 'NEWOBJ' ||
      event.how === 'NEWOBJ_EX' ||
      (event.how !== 'REDUCE' && args.length === 0 && event.callable instanceof Global);
    let text = `${isNew ? 'new' : 'call'} I${this.numbers.get(event)}=${this.text(event.callable)}(${this.list(args)}`;
    if (event.kwargs instanceof Map && event.kwargs.size > 0) {
      text += `**${[...event.kwargs].map(([key, value]) => `${json(key)}:${this.text(value)}`).join(',')}`;
    }
    text += ')';
    const states = [
      ...(event.earlierStates ?? []).map((state) => state.value),
      ...(event.state === undefined ? [] : [event.state]),
    ];
    for (const state of states) text += ` state ${this.text(state)}`;
    if (event.items && event.items.length > 0) text += ` items ${this.list(event.items)}`;
    if (event.entries && event.entries.size > 0) text += ` entries ${this.pairs(event.entries)}`;
    return text;
  }

  mutation(event: MutationEvent): string[] {
    const line = (how: string, values: Value[]): string =>
      `mutate ${how} ${this.text(event.target)} ${this.list(values)}`;
    switch (event.opcode) {
      case 'APPEND':
      case 'APPENDS':
        return event.values.map((value) => line('APPEND', [value]));
      case 'ADDITEMS':
        return event.values.map((value) => line('ADD', [value]));
      case 'SETITEM':
      case 'SETITEMS': {
        const lines: string[] = [];
        for (let i = 0; i < event.values.length; i += 2) lines.push(line('SET', event.values.slice(i, i + 2)));
        return lines;
      }
      default:
        return [line('BUILD', event.values)];
    }
  }

  private list(values: readonly Value[]): string {
    return values.map((value) => this.text(value)).join(',');
  }

  private pairs(dict: PyDict): string {
    return [...dict].map(([key, value]) => `${this.text(key)}:${this.text(value)}`).join(',');
  }

  text(value: Value): string {
    if (value === null) return 'None';
    switch (typeof value) {
      case 'boolean':
        return value ? 'True' : 'False';
      case 'bigint':
        return integer(value);
      case 'number':
        return Number.isInteger(value) ? integer(BigInt(value)) : float(value);
      case 'string':
        return json(value);
    }
    if (value instanceof PyFloat) return float(value.value);
    if (value instanceof Global) return `G${json([value.rawModule, value.rawName])}`;
    if (value instanceof Instance) return `I${this.numbers.get(value)}`;
    if (value instanceof PersistentId) return `P${this.text(value.id)}`;
    if (value instanceof ExtensionCode || value instanceof OutOfBandBuffer) return 'only at load';
    if (value instanceof PyBytes && value.kind !== 'bytearray') return bytes(value);
    if (value instanceof PyTuple && value.items.length === 0) return '()';
    if (value instanceof PySet && value.frozen && value.items.length === 0) return 'frozenset()';
    const known = this.ids.get(value);
    if (known !== undefined) return `#${known}`;
    const id = `#${this.ids.size}`;
    this.ids.set(value, this.ids.size);
    if (value instanceof PyBytes) return `${id}B${hex(value)}`;
    if (Array.isArray(value)) return `${id}[${this.list(value)}]`;
    if (value instanceof PyTuple) return `${id}(${this.list(value.items)})`;
    if (value instanceof PySet) {
      const items = value.items.map((item) => new Writer(this.numbers).text(item)).sort();
      return `${id}${value.frozen ? 'F' : 'S'}<${items.join(',')}>`;
    }
    return `${id}{${this.pairs(value)}}`;
  }
}

/** What `*args` yields for anything that can be iterated. */
function argumentsOf(args: Value): Value[] {
  if (args instanceof PyTuple || args instanceof PySet) return args.items;
  if (Array.isArray(args)) return args;
  if (typeof args === 'string') return [...args];
  if (args instanceof Map) return [...args.keys()];
  if (args instanceof PyBytes)
    return args.kind === 'str' ? [...Buffer.from(args.bytes()).toString('latin1')] : [...args.bytes()];
  return [];
}

function integer(value: bigint): string {
  return value < 0n ? `i-${(-value).toString(16)}` : `i${value.toString(16)}`;
}

function float(value: number): string {
  if (Number.isNaN(value)) return 'fnan';
  const buffer = Buffer.alloc(8);
  buffer.writeDoubleBE(value);
  return `f${buffer.toString('hex')}`;
}

function hex(value: PyBytes): string {
  return Buffer.from(value.bytes()).toString('hex');
}

function bytes(value: PyBytes): string {
  if (value.kind === 'str') return json(Buffer.from(value.bytes()).toString('latin1'));
  if (value.kind === 'int') return `int of ${value.length}`;
  return `${value.kind === 'memoryview' ? 'v' : 'b'}${hex(value)}`;
}

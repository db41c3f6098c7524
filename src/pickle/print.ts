import { printFloat, printString, SIMPLE_ESCAPES } from '../bytes/python-text';
import { partialNew } from './partial-new';
import {
  ExtensionCode,
  Global,
  Instance,
  OutOfBandBuffer,
  PersistentId,
  PyBytes,
  PyFloat,
  PySet,
  PyTuple,
  type Value,
} from './values';

export { printFloat, printString };

export interface PrintOptions {
  /** Characters after which a text is cut with an ellipsis. Default 200. */
  width?: number;
  /** Items of one container that are shown. Default 20. */
  items?: number;
  /** Nesting that is shown; deeper containers are `[…]`. Default 4, at most 16, as printing recurses that far. */
  depth?: number;
  /** The text of an object that a layer above knows better (an array, a date); `undefined` for the general form. */
  describe?(value: Instance): string | undefined;
}

interface Printer {
  room: number;
  items: number;
  describe: (value: Instance) => string | undefined;
}

const DEEPEST = 16;

/**
 * A value as Python would write it, on one line and cut to a width: literals as `repr`, imported names as `module.name`, calls as
 * `module.name(arguments)`. Only as much of the value is visited as is shown.
 */
export function printValue(value: Value | undefined, options: PrintOptions = {}): string {
  const width = options.width ?? 200;
  const printer: Printer = { room: width, items: options.items ?? 20, describe: options.describe ?? (() => undefined) };
  const text = print(value, printer, Math.min(options.depth ?? 4, DEEPEST));
  return cut(text, width);
}

/** Cuts a text with an ellipsis, never inside a surrogate pair. */
export function cut(text: string, width: number): string {
  if (text.length <= width) return text;
  const end = width - 1;
  const code = text.charCodeAt(end - 1);
  return `${text.slice(0, code >= 0xd800 && code < 0xdc00 ? end - 1 : end)}…`;
}

function print(value: Value | undefined, printer: Printer, depth: number): string {
  if (value === undefined) return '…';
  if (value === null) return spend(printer, 'None');
  switch (typeof value) {
    case 'boolean':
      return spend(printer, value ? 'True' : 'False');
    case 'number':
      return spend(printer, Number.isInteger(value) ? String(value) : printFloat(value));
    case 'bigint':
      return spend(printer, printBigInt(value));
    case 'string':
      return spend(printer, printString(value, Math.max(printer.room, 16)));
  }
  if (value instanceof PyFloat) return spend(printer, printFloat(value.value));
  if (value instanceof PyBytes) return spend(printer, printBytes(value, Math.max(printer.room, 16)));
  if (value instanceof Global) return spend(printer, globalText(value));
  if (Array.isArray(value)) return bracket(value, value.length, '[', ']', printer, depth);
  if (value instanceof PyTuple) {
    return bracket(value.items, value.items.length, '(', value.items.length === 1 ? ',)' : ')', printer, depth);
  }
  if (value instanceof PySet) {
    if (value.items.length === 0) return spend(printer, value.frozen ? 'frozenset()' : 'set()');
    const [open, close] = value.frozen ? ['frozenset({', '})'] : ['{', '}'];
    return bracket(value.items, value.items.length, open, close, printer, depth);
  }
  if (value instanceof Map) return printDict(value, printer, depth);
  if (value instanceof Instance) return printInstance(value, printer, depth);
  if (value instanceof PersistentId)
    return depth <= 0 ? '<persistent id …>' : `<persistent id ${print(value.id, printer, depth - 1)}>`;
  if (value instanceof ExtensionCode) return spend(printer, `<extension code ${value.code}>`);
  if (value instanceof OutOfBandBuffer) return spend(printer, `<out-of-band buffer ${value.index}>`);
  return '…';
}

function spend(printer: Printer, text: string): string {
  printer.room -= text.length;
  return text;
}

function bracket(
  items: Iterable<Value>,
  size: number,
  open: string,
  close: string,
  printer: Printer,
  depth: number,
): string {
  if (size === 0) return spend(printer, open + (close === ',)' ? ')' : close));
  if (depth <= 0) return spend(printer, `${open}…${close.replace(',', '')}`);
  printer.room -= open.length + close.length;
  const parts: string[] = [];
  for (const item of items) {
    if (parts.length >= printer.items || printer.room <= 0) {
      parts.push('…');
      break;
    }
    parts.push(print(item, printer, depth - 1));
    printer.room -= 2;
  }
  return open + parts.join(', ') + (parts.length > 1 ? close.replace(',', '') : close);
}

function printDict(dict: Map<Value, Value>, printer: Printer, depth: number): string {
  if (dict.size === 0) return spend(printer, '{}');
  if (depth <= 0) return spend(printer, '{…}');
  const parts: string[] = [];
  printer.room -= 2;
  for (const [key, item] of dict) {
    if (parts.length >= printer.items || printer.room <= 0) {
      parts.push('…');
      break;
    }
    const head = print(key, printer, depth - 1);
    parts.push(`${head}: ${print(item, printer, depth - 1)}`);
    printer.room -= 4;
  }
  return `{${parts.join(', ')}}`;
}

function printInstance(value: Instance, printer: Printer, depth: number): string {
  const known = printer.describe(value);
  if (known !== undefined) return spend(printer, known);
  const { callable } = value;
  const partial = callable instanceof Instance ? partialNew(value) : undefined;
  if (partial) return printInstance(partial.instance, printer, depth);
  const args = value.args instanceof PyTuple ? value.args.items : undefined;
  // copyreg's helper for protocols 0 and 1 and the helpers of protocol 2: what is made is the class in the first argument.
  const made =
    callable instanceof Global && callable.module === 'copyreg' && args?.[0] instanceof Global ? args[0] : undefined;
  if (depth <= 0 && !(callable instanceof Global)) return spend(printer, '…(…)');
  const name = made ? spend(printer, globalText(made)) : print(callable, printer, depth - 1);
  const shown = callable instanceof Instance ? `(${name})` : name;
  if (depth <= 0) return `${shown}(…)`;
  const parts: string[] = [];
  if (!made) {
    if (args) {
      for (const arg of args) {
        if (parts.length >= printer.items || printer.room <= 0) {
          parts.push('…');
          break;
        }
        parts.push(print(arg, printer, depth - 1));
        printer.room -= 2;
      }
    } else parts.push(`*${print(value.args, printer, depth - 1)}`);
  }
  if (value.kwargs instanceof Map) {
    for (const [key, item] of value.kwargs) {
      if (parts.length >= printer.items || printer.room <= 0) break;
      parts.push(`${typeof key === 'string' ? key : '**'}=${print(item, printer, depth - 1)}`);
    }
  } else if (value.kwargs !== undefined) parts.push(`**${print(value.kwargs, printer, depth - 1)}`);
  return `${shown}(${parts.join(', ')})`;
}

/** `os.system`; the name alone for built-ins, as Python shows them. */
export function globalText(global: Global): string {
  return global.module === 'builtins' ? global.name : `${global.module}.${global.name}`;
}

/** Decimal digits of an integer; a huge one by its size, as turning it into digits takes time that grows with its square. */
export function printBigInt(value: bigint): string {
  const hex = (value < 0n ? -value : value).toString(16);
  if (hex.length <= 1000) return String(value);
  return `${value < 0n ? '-' : ''}0x${hex.slice(0, 16)}… (${hex.length * 4} bits)`;
}

function printBytes(bytes: PyBytes, width: number): string {
  if (bytes.kind === 'int') return `<int of ${bytes.length} bytes>`;
  const shown = bytes.bytes(0, Math.min(bytes.length, width));
  const singles = shown.includes(0x27) && !shown.includes(0x22);
  const quote = singles ? '"' : "'";
  let out = '';
  for (const byte of shown) {
    const char = String.fromCharCode(byte);
    if (char === quote) out += `\\${quote}`;
    else if (SIMPLE_ESCAPES[char] !== undefined) out += SIMPLE_ESCAPES[char];
    else if (byte >= 0x20 && byte < 0x7f) out += char;
    else out += `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  const prefix = bytes.kind === 'str' ? '' : 'b';
  const text = `${prefix}${quote}${out}${shown.length < bytes.length ? '…' : quote}`;
  return bytes.kind === 'bytearray' ? `bytearray(${text})` : text;
}

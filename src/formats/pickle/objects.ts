import { BufferSource } from '../../bytes/byte-source';
import { printFloat, printString, printValue } from '../../pickle/print';
import {
  asNumber,
  asSequence,
  asText,
  classOf,
  Global,
  Instance,
  isDict,
  PyBytes,
  PyTuple,
  stateDict,
  type Value,
} from '../../pickle/values';
import { asBytes } from '../numpy/bytes';

type Describer = (value: Instance, args: readonly Value[]) => string | undefined;

/**
 * One line for objects of the standard library, and for functions that dill and cloudpickle take apart: what Python's `repr` would say,
 * found from the constructor's arguments alone. `undefined` leaves the general form.
 */
export function describeObject(value: Instance): string | undefined {
  const made = classOf(value);
  if (!made) return undefined;
  const describer =
    DESCRIBERS.get(`${made.module}.${made.name}`) ??
    (/^(dill|cloudpickle)\b/.test(made.module) ? CODE[made.name] : undefined);
  try {
    return describer?.(value, asSequence(value.args) ?? []);
  } catch {
    return undefined;
  }
}

/** Nested values inside a description are shown this briefly. */
function brief(value: Value | undefined, width = 80): string {
  return printValue(value, { width, depth: 2, items: 8, describe: describeObject });
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

function fraction(microseconds: number): string {
  return microseconds === 0 ? '' : `.${String(microseconds).padStart(6, '0')}`;
}

/** `datetime.date`: 4 bytes; `datetime.time`: 6; `datetime.datetime`: 10. Source: CPython `Modules/_datetimemodule.c`. */
function packed(value: Value | undefined, length: number): Uint8Array | undefined {
  const bytes =
    value instanceof PyBytes || typeof value === 'string' || value instanceof Instance ? asBytes(value) : undefined;
  return bytes && bytes.length === length ? bytes.bytes() : undefined;
}

function dateText(b: Uint8Array): string {
  return `${String(b[0] * 256 + b[1]).padStart(4, '0')}-${two(b[2] & 0x7f)}-${two(b[3])}`;
}

function timeText(b: Uint8Array, at: number): string {
  return `${two(b[at] & 0x7f)}:${two(b[at + 1])}:${two(b[at + 2])}${fraction((b[at + 3] << 16) | (b[at + 4] << 8) | b[at + 5])}`;
}

function zone(value: Value | undefined): string {
  if (value === undefined || value === null) return '';
  return ` ${brief(value, 40)}`;
}

const DESCRIBERS = new Map<string, Describer>([
  [
    'datetime.date',
    (_, [packedDate]) => {
      const b = packed(packedDate, 4);
      return b && `date(${dateText(b)})`;
    },
  ],
  [
    'datetime.datetime',
    (_, [packedDate, tz]) => {
      const b = packed(packedDate, 10);
      return b && `datetime(${dateText(b)} ${timeText(b, 4)}${zone(tz)})`;
    },
  ],
  [
    'datetime.time',
    (_, [packedTime, tz]) => {
      const b = packed(packedTime, 6);
      return b && `time(${timeText(b, 0)}${zone(tz)})`;
    },
  ],
  [
    'datetime.timedelta',
    (_, args) => {
      const [days, seconds, micros] = args.map(asNumber);
      return `timedelta(days=${days ?? 0}, seconds=${seconds ?? 0}${micros ? `, microseconds=${micros}` : ''})`;
    },
  ],
  ['datetime.timezone', (_, [offset]) => `timezone(${brief(offset)})`],
  ['decimal.Decimal', (_, [text]) => `Decimal(${brief(text)})`],
  ['fractions.Fraction', (_, args) => `Fraction(${args.map((arg) => brief(arg)).join(', ')})`],
  [
    'uuid.UUID',
    (value) => {
      const n = stateDict(value)?.get('int');
      return typeof n === 'bigint' || typeof n === 'number'
        ? `UUID('${BigInt(n)
            .toString(16)
            .padStart(32, '0')
            .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')}')`
        : undefined;
    },
  ],
  ['collections.OrderedDict', (value) => `OrderedDict(${brief(value.entries ?? new Map<Value, Value>(), 100)})`],
  [
    'collections.defaultdict',
    (value, [factory]) => `defaultdict(${brief(factory)}, ${brief(value.entries ?? new Map<Value, Value>())})`,
  ],
  ['collections.Counter', (value, [counts]) => `Counter(${brief(value.entries ?? counts ?? new Map<Value, Value>())})`],
  [
    'collections.deque',
    (value, args) =>
      `deque(${brief(value.items ?? asSequence(args[0]) ?? [])}${args.length > 1 && args[1] !== null ? `, maxlen=${brief(args[1])}` : ''})`,
  ],
  ['builtins.set', (_, [items]) => setText(items, '{', '}', 'set()')],
  ['builtins.frozenset', (_, [items]) => setText(items, 'frozenset({', '})', 'frozenset()')],
  ['builtins.bytearray', (_, args) => bytesText(args[0] ?? '', 'bytearray')],
  ['_codecs.encode', (value) => bytesText(value, 'bytes')],
  [
    'builtins.complex',
    (_, args) => {
      const [re, im] = args.map(asNumber);
      return re === undefined || im === undefined
        ? undefined
        : `(${printFloat(re)}${im < 0 || Object.is(im, -0) ? '-' : '+'}${printFloat(Math.abs(im))}j)`;
    },
  ],
  [
    'builtins.getattr',
    (_, [object, name]) => {
      const text = asText(name);
      return text === undefined ? undefined : `${brief(object)}.${text}`;
    },
  ],
  [
    're._compile',
    (_, [pattern, flags]) =>
      `re.compile(${brief(pattern)}${asNumber(flags) && asNumber(flags) !== 32 ? `, flags=${asNumber(flags)}` : ''})`,
  ],
  [
    'functools.partial',
    (value, args) => {
      const state = asSequence(value.state);
      const [func, positional, keywords] = state ?? [args[0], new PyTuple([]), new Map<Value, Value>()];
      const parts = [
        brief(func),
        ...(asSequence(positional) ?? []).map((arg) => brief(arg)),
        ...(isDict(keywords) ? [...keywords].map(([key, item]) => `${asText(key) ?? brief(key)}=${brief(item)}`) : []),
      ];
      return `functools.partial(${parts.join(', ')})`;
    },
  ],
  ...['PosixPath', 'WindowsPath', 'PurePosixPath', 'PureWindowsPath', 'Path'].flatMap((name): [string, Describer][] =>
    ['pathlib', 'pathlib._local'].map((module) => [
      `${module}.${name}`,
      (_, args) => `${name}(${printString(joinPath(args.map((part) => asText(part) ?? '?')))})`,
    ]),
  ),
]);

/** `set([…])` of protocols below 4. */
function setText(items: Value | undefined, open: string, close: string, empty: string): string | undefined {
  const list = asSequence(items);
  if (items !== undefined && !list) return undefined;
  return list && list.length > 0 ? `${open}${brief(list, 100).slice(1, -1)}${close}` : empty;
}

/** Bytes that protocols below 3 write as encoded text. */
function bytesText(value: Value, kind: 'bytes' | 'bytearray'): string | undefined {
  const range = asBytes(value);
  if (!range) return undefined;
  const bytes = range.bytes(0, Math.min(range.length, 120));
  return printValue(new PyBytes(new BufferSource(bytes), 0, bytes.length, kind, bytes), { width: 120 });
}

function joinPath(parts: string[]): string {
  const [first = '.', ...rest] = parts;
  return first === '/' ? `/${rest.join('/')}` : [first, ...rest].join('/');
}

/** Functions and classes that dill and cloudpickle rebuild from their parts: shown as code, never run. */
const CODE: Record<string, Describer> = {
  _create_function: (value, [code]) => functionText(code, value),
  _make_function: (value, [code]) => functionText(code, value),
  _fill_function: (_, [func]) => (func instanceof Instance ? describeObject(func) : undefined),
  _make_skel_func: (value, [code]) => functionText(code, value),
  _create_code: (_, args) => codeText(args),
  _builtin_type: (_, [name]) => `<type ${brief(name)}>`,
  _load_type: (_, [name]) => `<type ${brief(name)}>`,
  _create_type: (_, args) => {
    const name = asText(args[1]);
    return name ? `<class ${name}>` : undefined;
  },
  _make_skeleton_class: (_, args) => {
    const name = asText(args[1]);
    return name ? `<class ${name}>` : undefined;
  },
  _make_empty_cell: () => '<empty cell>',
  _make_cell: (_, [inner]) => `<cell ${brief(inner)}>`,
  _create_cell: (_, [inner]) => `<cell ${brief(inner)}>`,
  subimport: (_, [name]) => `<module ${asText(name) ?? '?'}>`,
  _import_module: (_, [name]) => `<module ${asText(name) ?? '?'}>`,
};

function functionText(code: Value | undefined, value: Instance): string | undefined {
  const state = asSequence(value.state)?.find(isDict) ?? (isDict(value.state) ? value.state : undefined);
  const qualified = asText(state?.get('__qualname__'));
  const text = code instanceof Instance ? codeOf(code) : undefined;
  if (!text && !qualified) return undefined;
  return `<function ${qualified ?? text?.name ?? '?'}${text && text.names.length > 0 ? ` using ${text.names.join(', ')}` : ''}>`;
}

function codeText(args: readonly Value[]): string {
  const { name, names } = codeParts(args);
  return `<code ${name}${names.length > 0 ? ` using ${names.join(', ')}` : ''}>`;
}

function codeOf(value: Instance): { name: string; names: string[] } | undefined {
  const { callable } = value;
  const isCode = callable instanceof Global ? /_create_code$|CodeType$/.test(callable.name) : true;
  return isCode ? codeParts(asSequence(value.args) ?? []) : undefined;
}

/** Name and used names among a code object's arguments, whose order differs by version: after the bytecode, tuples of constants and names. */
function codeParts(args: readonly Value[]): { name: string; names: string[] } {
  const tuples = args.filter((arg): arg is PyTuple => arg instanceof PyTuple);
  const names = tuples.find((tuple, i) => i > 0 && tuple.items.every((item) => typeof item === 'string'))?.items ?? [];
  const texts = args.filter((arg): arg is string => typeof arg === 'string' && /^(<\w+>|[A-Za-z_][\w.<>]*)$/.test(arg));
  return { name: texts[texts.length - 1] ?? '?', names: names.slice(0, 12) as string[] };
}

/** The parts of a code object by name, for the tree: constants, names, bytecode. */
export function codeMembers(value: Instance): [string, Value][] | undefined {
  if (!(value.callable instanceof Global) || !/^(_create_code|CodeType)$/.test(value.callable.name)) return undefined;
  const args = asSequence(value.args) ?? [];
  const tuples = args.filter((arg) => arg instanceof PyTuple);
  const [constants, names, variables] = tuples;
  if (!constants || !names) return undefined;
  const made: [string, Value][] = [
    ['constants', constants],
    ['names', names],
  ];
  if (variables) made.push(['variables', variables]);
  return made;
}

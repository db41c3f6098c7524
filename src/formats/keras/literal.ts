/** Values of a Keras configuration, which is JSON with tagged objects, as Python would write them. */

/** Nesting and length that are shown; configurations nest a few levels. */
const MAX_DEPTH = 12;
const MAX_ITEMS = 64;

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export function isObject(value: unknown): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A Python-like literal: `None`, `(None, 4)`, `GlorotUniform(seed=3)`. */
export function pythonLiteral(value: Json, depth = 0): string {
  if (value === null) return 'None';
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return quote(value);
  if (depth >= MAX_DEPTH) return '…';
  if (Array.isArray(value)) return `[${items(value, depth)}]`;
  const tagged = unwrap(value);
  if (tagged !== value) return isTuple(value) ? tuple(value.items, depth) : pythonLiteral(tagged, depth);
  const made = constructed(value);
  if (made) return `${made.name}(${pairs(made.config, depth, (k, v) => `${k}=${v}`)})`;
  return `{${pairs(value, depth, (k, v) => `${quote(k)}: ${v}`)}}`;
}

/** The plain value behind Keras's tags: tuples and shapes become arrays, a dtype policy its name, an activation function its name. */
export function unwrap(value: Json): Json {
  if (!isObject(value)) return value;
  if (isTuple(value)) return value.items;
  if (value.class_name === 'TensorShape' && Array.isArray(value.items)) return value.items;
  if (
    (value.class_name === 'DTypePolicy' || value.class_name === 'Policy') &&
    isObject(value.config) &&
    typeof value.config.name === 'string'
  ) {
    return value.config.name;
  }
  if (
    (value.class_name === 'function' || value.class_name === 'builtin_function_or_method') &&
    typeof value.config === 'string'
  )
    return value.config;
  if (value.class_name === '__keras_tensor__' || value.class_name === '__tensor__') return value;
  return value;
}

function isTuple(value: { [key: string]: Json }): value is { items: Json[]; class_name: '__tuple__' } {
  return value.class_name === '__tuple__' && Array.isArray(value.items);
}

/** `{class_name, config}` of a serialized object, in the spellings of Keras 2 and 3. */
export function constructed(value: Json): { name: string; config: { [key: string]: Json } } | undefined {
  if (!isObject(value) || typeof value.class_name !== 'string') return undefined;
  const config = isObject(value.config) ? value.config : {};
  return { name: value.class_name, config };
}

function tuple(list: Json[], depth: number): string {
  return list.length === 1 ? `(${items(list, depth)},)` : `(${items(list, depth)})`;
}

function items(list: Json[], depth: number): string {
  const shown = list.slice(0, MAX_ITEMS).map((item) => pythonLiteral(item, depth + 1));
  if (list.length > MAX_ITEMS) shown.push(`… ${list.length - MAX_ITEMS} more`);
  return shown.join(', ');
}

function pairs(object: { [key: string]: Json }, depth: number, write: (key: string, value: string) => string): string {
  const entries = Object.entries(object);
  const shown = entries.slice(0, MAX_ITEMS).map(([key, value]) => write(key, pythonLiteral(value, depth + 1)));
  if (entries.length > MAX_ITEMS) shown.push(`… ${entries.length - MAX_ITEMS} more`);
  return shown.join(', ');
}

/** A Python string literal, single-quoted as `repr` prefers. */
function quote(text: string): string {
  const q = text.includes("'") && !text.includes('"') ? '"' : "'";
  const body = text
    .replace(/\\/g, '\\\\')
    .replace(/\n/g, '\\n')
    .replace(/\r/g, '\\r')
    .replace(/\t/g, '\\t')
    .replace(q === "'" ? /'/g : /"/g, `\\${q}`);
  return q + body + q;
}

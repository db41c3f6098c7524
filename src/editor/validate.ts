/** What a webview may ask for. A message that is not exactly one of these calls is refused before anything acts on it. */
import { ModelError } from '../bytes/errors';
import type { HostApi } from '../engine/contract';

/** Says what is wrong with a value, or nothing. */
type Rule = (value: unknown) => string | undefined;

/** Longest text in one argument. The paste box of the Predict tab takes tables of some megabytes. */
const MAX_TEXT = 64 * 1024 * 1024;
/** Most rows in one slice: a screen shows hundreds. */
const MAX_ROWS = 10_000;
/** Nesting of a pasted JSON input. */
const MAX_DEPTH = 64;
/** Values in one pasted JSON input. */
const MAX_VALUES = 20_000_000;

const text: Rule = (v) => (typeof v === 'string' && v.length <= MAX_TEXT ? undefined : 'text');
const flag: Rule = (v) => (typeof v === 'boolean' ? undefined : 'true or false');
const index: Rule = (v) => (Number.isSafeInteger(v) && (v as number) >= 0 ? undefined : 'a whole number from 0');
const rows: Rule = (v) => index(v) ?? ((v as number) <= MAX_ROWS ? undefined : `at most ${MAX_ROWS}`);
const indexes: Rule = (v) =>
  Array.isArray(v) && v.length <= MAX_DEPTH && v.every((i) => index(i) === undefined)
    ? undefined
    : 'a list of whole numbers';

const oneOf =
  (...values: string[]): Rule =>
  (v) =>
    values.includes(v as string) ? undefined : `one of ${values.join(', ')}`;
const maybe =
  (rule: Rule): Rule =>
  (v) =>
    v === undefined ? undefined : rule(v);
const orNull =
  (rule: Rule): Rule =>
  (v) =>
    v === null ? undefined : rule(v);

/** An object with these fields and no others. */
const shape =
  (fields: Record<string, Rule>): Rule =>
  (v) => {
    if (!isPlainObject(v)) return 'an object';
    for (const name of Object.keys(v))
      if (!Object.hasOwn(fields, name)) return `an object without ${JSON.stringify(name)}`;
    for (const [name, rule] of Object.entries(fields)) {
      const wrong = rule((v as Record<string, unknown>)[name]);
      if (wrong) return `an object whose ${name} is ${wrong}`;
    }
    return undefined;
  };

/** Plain data of bounded size and depth, as JSON could hold it. Iterative: the nesting is the sender's. */
const data: Rule = (value) => {
  const open: [unknown, number][] = [[value, 0]];
  let seen = 0;
  for (let item = open.pop(); item; item = open.pop()) {
    const [v, depth] = item;
    if (++seen > MAX_VALUES) return `data of at most ${MAX_VALUES} values`;
    if (v === null || v === undefined || typeof v === 'number' || typeof v === 'boolean' || typeof v === 'string')
      continue;
    if (depth >= MAX_DEPTH) return `data nested at most ${MAX_DEPTH} deep`;
    if (Array.isArray(v)) for (const child of v) open.push([child, depth + 1]);
    else if (isPlainObject(v)) for (const child of Object.values(v)) open.push([child, depth + 1]);
    else return 'plain data';
  }
  return undefined;
};

const inputs: Rule = (v) => (isPlainObject(v) ? data(v) : 'an object');

const query = shape({
  filter: maybe(text),
  dtype: maybe(text),
  kind: maybe(oneOf('parameter', 'buffer', 'attribute')),
  minCount: maybe(index),
  under: maybe(text),
  sort: maybe(oneOf('file', 'name', 'shape', 'dtype', 'count', 'bytes', 'storage', 'kind', 'device')),
  descending: maybe(flag),
  start: index,
  count: rows,
});

/** The arguments of every method; a method that is not here does not exist for a webview. */
const METHODS: { [M in keyof HostApi]: Rule[] } = {
  overview: [],
  security: [],
  modules: [orNull(text), index, rows],
  parameters: [query],
  parametersAs: [query, oneOf('csv', 'json', 'markdown')],
  statistics: [index, flag],
  tensor: [index, shape({ leading: indexes, rowStart: index, rowCount: rows, columnStart: index, columnCount: rows })],
  objects: [orNull(text), index, rows],
  graph: [text, text],
  source: [text],
  disassembly: [shape({ member: maybe(text), offset: maybe(index), start: maybe(index), count: rows })],
  predictForm: [],
  predict: [shape({ signature: maybe(text), method: maybe(text), inputs, intermediate: maybe(flag) })],
  reload: [],
  cancelStatistics: [],
  openAsText: [],
  copy: [text],
  saveText: [text, text],
  exportModel: [oneOf('onnx', 'safetensors', 'npy'), maybe(text)],
  restartEngine: [],
  suppress: [text],
  strings: [],
};

/**
 * Checks one message of a webview: a request with an id, a known method, and arguments as the contract has them.
 * @throws ModelError `usage`
 */
export function checkWebviewMessage(message: unknown): void {
  if (!isPlainObject(message)) throw new ModelError('usage', 'A message of the view is not an object.');
  const { t, i, m, a } = message as Record<string, unknown>;
  if (t !== 'q' || typeof i !== 'string' || i.length > 64 || typeof m !== 'string' || !Array.isArray(a)) {
    throw new ModelError('usage', 'A message of the view is not a request.');
  }
  const rules = Object.hasOwn(METHODS, m) ? METHODS[m as keyof HostApi] : undefined;
  if (!rules)
    throw new ModelError('usage', `The view asked for ${JSON.stringify(m.slice(0, 100))}, which does not exist.`);
  if (a.length > rules.length)
    throw new ModelError('usage', `The view gave ${m} ${a.length} arguments; it takes ${rules.length}.`);
  rules.forEach((rule, at) => {
    // A trailing undefined becomes null on the way through JSON.
    const value = a[at] === null && rule(undefined) === undefined ? undefined : a[at];
    const wrong = rule(value);
    if (wrong) throw new ModelError('usage', `The view gave ${m} a wrong argument ${at + 1}: expected ${wrong}.`);
  });
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

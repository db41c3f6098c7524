import { gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';
import { asSequence, Global, Instance, PyBytes, PyTuple, type Value } from '../pickle/values';
import { mayGoOn } from './work';

/** What a pure call yields: text or bytes. */
export type Evaluated = string | Uint8Array;

/** Bytes that a decoder may give back; payloads are small, and a bomb must not be unpacked to be judged. */
const MAX_DECODED = 16 * 1024 * 1024;

/** Bytes that a decoder goes through in the time of one step of the judge. */
const BYTES_PER_STEP = 64;

/** What calls yield that were evaluated before: one call can be an argument of many others. */
const results = new WeakMap<Instance, Evaluated | typeof NOTHING>();
const NOTHING = Symbol('nothing');
let cutOff = false;

/** Calls inside calls that are followed. Real obfuscation uses two or three. */
const MAX_DEPTH = 64;

/**
 * Evaluates calls of pure functions on constants (decoders, concatenation, `str`, `bytes`, `chr`, …) without running anything of Python,
 * so that a name or a nested pickle hidden behind them can be judged. `undefined` if the value is not such a call.
 */
export function evaluate(value: Value | undefined, depth = 0): Evaluated | undefined {
  if (typeof value === 'string') return value;
  if (value instanceof PyBytes) return value.length <= MAX_DECODED ? value.bytes() : undefined;
  if (!(value instanceof Instance)) return undefined;
  const known = results.get(value);
  if (known !== undefined) return known === NOTHING ? undefined : known;
  if (depth === 0) cutOff = false;
  if (depth > MAX_DEPTH || !mayGoOn(1)) {
    cutOff = true;
    return undefined;
  }
  const result = evaluateCall(value, depth);
  const size = result?.length ?? 0;
  if (size > MAX_DECODED || !mayGoOn(size / BYTES_PER_STEP)) return undefined;
  // What only a bound kept from being known may be known from elsewhere.
  if (result !== undefined || !cutOff) results.set(value, result ?? NOTHING);
  return result;
}

function evaluateCall(value: Instance, depth: number): Evaluated | undefined {
  const args = asSequence(value.args);
  if (!args) return undefined;
  const method = methodOf(value.callable, depth);
  if (method) return evaluateMethod(method.name, method.self, args, depth);
  if (!(value.callable instanceof Global)) return undefined;
  const path = value.callable.path;
  const pure = PURE[path] ?? PURE[path.replace(/^_codecs\./, 'codecs.').replace(/^_operator\./, 'operator.')];
  try {
    if (pure) return pure(args, depth);
    // `builtins`, `str.upper` as one dotted import: an unbound method whose first argument is the object.
    const unbound = /^builtins\.(?:str|bytes|bytearray)\.(\w+)$/.exec(path);
    if (unbound) {
      if (unbound[1] === 'fromhex') return fromHex(evaluate(args[0], depth + 1));
      const self = evaluate(args[0], depth + 1);
      return self === undefined ? undefined : evaluateMethod(unbound[1], self, args.slice(1), depth);
    }
  } catch {
    return undefined;
  }
  return undefined;
}

/** Text of an evaluated value (bytes as UTF-8 or Latin-1). */
export function evaluateText(value: Value | undefined): string | undefined {
  const result = evaluate(value);
  return result === undefined ? undefined : textOf(result);
}

type Pure = (args: Value[], depth: number) => Evaluated | undefined;

const one =
  (apply: (value: Evaluated) => Evaluated | undefined): Pure =>
  (args, depth) => {
    const value = evaluate(args[0], depth + 1);
    return value === undefined ? undefined : apply(value);
  };

const concat: Pure = (args, depth) => {
  const [left, right] = [evaluate(args[0], depth + 1), evaluate(args[1], depth + 1)];
  if (typeof left === 'string' && typeof right === 'string') return left + right;
  if (left instanceof Uint8Array && right instanceof Uint8Array) return Buffer.concat([left, right]);
  return undefined;
};

const decodeBase64 = one((value) => Buffer.from(textOf(value), 'base64'));
const decodeCodec: Pure = (args, depth) => {
  const value = evaluate(args[0], depth + 1);
  const codec = evaluateText(args[1]) ?? 'utf-8';
  return value === undefined ? undefined : transcode(value, codec);
};

const PURE: Record<string, Pure> = {
  'builtins.str': (args, depth) => {
    const value = evaluate(args[0], depth + 1);
    if (typeof value === 'string') return value;
    return value !== undefined && args.length > 1 ? textOf(value) : undefined;
  },
  'builtins.bytes': one(bytesOf),
  'builtins.bytearray': one(bytesOf),
  'builtins.chr': (args) =>
    typeof args[0] === 'number' && args[0] <= 0x10ffff ? String.fromCodePoint(args[0]) : undefined,
  'operator.concat': concat,
  'operator.add': concat,
  'operator.iadd': concat,
  'operator.iconcat': concat,
  'codecs.decode': decodeCodec,
  'codecs.encode': decodeCodec,
  'base64.b64decode': decodeBase64,
  'base64.standard_b64decode': decodeBase64,
  'base64.decodebytes': decodeBase64,
  'base64.decodestring': decodeBase64,
  'base64.urlsafe_b64decode': one((value) => Buffer.from(textOf(value), 'base64url')),
  'base64.b16decode': one(fromHex),
  'binascii.a2b_base64': decodeBase64,
  'binascii.unhexlify': one(fromHex),
  'binascii.a2b_hex': one(fromHex),
  'zlib.decompress': one((value) => {
    const bytes = bytesOf(value);
    try {
      return inflateSync(bytes, { maxOutputLength: MAX_DECODED });
    } catch {
      return inflateRawSync(bytes, { maxOutputLength: MAX_DECODED });
    }
  }),
  'gzip.decompress': one((value) => gunzipSync(bytesOf(value), { maxOutputLength: MAX_DECODED })),
};

/** `getattr(constant, 'name')`: the method and its object. */
function methodOf(callable: Value, depth: number): { name: string; self: Evaluated } | undefined {
  if (
    !(callable instanceof Instance) ||
    !(callable.callable instanceof Global) ||
    callable.callable.path !== 'builtins.getattr'
  )
    return undefined;
  const [object, name] = asSequence(callable.args) ?? [];
  const self = evaluate(object, depth + 1);
  const text = evaluateText(name);
  return self !== undefined && text !== undefined ? { name: text, self } : undefined;
}

function evaluateMethod(name: string, self: Evaluated, args: Value[], depth: number): Evaluated | undefined {
  const given = args.map((arg) => evaluate(arg, depth + 1));
  const text = typeof self === 'string' ? self : undefined;
  const [first, second] = given;
  switch (name) {
    case 'decode':
    case 'encode':
      return transcode(self, first === undefined ? 'utf-8' : textOf(first));
    case 'join': {
      if (!mayGoOn(asSequence(args[0])?.length ?? 0)) return undefined;
      const parts = (asSequence(args[0]) ?? (args[0] instanceof PyTuple ? args[0].items : [])).map((part) =>
        evaluate(part, depth + 1),
      );
      return text !== undefined && parts.every((part) => typeof part === 'string') ? parts.join(text) : undefined;
    }
    case 'lower':
      return text?.toLowerCase();
    case 'upper':
      return text?.toUpperCase();
    case 'strip':
      return first === undefined ? text?.trim() : undefined;
    case 'replace':
      return text !== undefined && typeof first === 'string' && typeof second === 'string'
        ? text.split(first).join(second)
        : undefined;
    case '__add__':
    case '__iadd__':
      return text !== undefined && typeof first === 'string' ? text + first : undefined;
    case '__str__':
      return text;
    case 'format':
      return text !== undefined && given.every((g) => typeof g === 'string')
        ? text.replace(/\{(\d*)\}/g, counter(given as string[]))
        : undefined;
  }
  return undefined;
}

function counter(values: string[]): (whole: string, index: string) => string {
  let next = 0;
  return (_, index) => values[index === '' ? next++ : Number(index)] ?? '';
}

function transcode(value: Evaluated, codec: string): Evaluated | undefined {
  switch (
    codec
      .toLowerCase()
      .replace(/[-_ ]/g, '')
      .replace(/codec$/, '')
  ) {
    case 'rot13':
    case 'rot':
      return textOf(value).replace(/[a-zA-Z]/g, (c) => {
        const base = c <= 'Z' ? 65 : 97;
        return String.fromCharCode(((c.charCodeAt(0) - base + 13) % 26) + base);
      });
    case 'base64':
      return Buffer.from(textOf(value), 'base64');
    case 'hex':
      return fromHex(value);
    case 'zlib':
    case 'zip':
      return inflateSync(bytesOf(value), { maxOutputLength: MAX_DECODED });
    case 'utf8':
    case 'ascii':
    case 'usascii':
      return typeof value === 'string' ? Buffer.from(value, 'utf8') : Buffer.from(value).toString('utf8');
    case 'latin1':
    case 'latin':
    case 'iso88591':
      return typeof value === 'string' ? Buffer.from(value, 'latin1') : Buffer.from(value).toString('latin1');
    case 'utf16':
    case 'utf16le':
      return typeof value === 'string'
        ? Buffer.from(value, 'utf16le')
        : Buffer.from(value)
            .toString('utf16le')
            .replace(/^\ufeff/, '');
  }
  return undefined;
}

function fromHex(value: Evaluated | undefined): Evaluated | undefined {
  if (value === undefined) return undefined;
  const digits = textOf(value).replace(/\s/g, '');
  return /^([0-9a-fA-F]{2})*$/.test(digits) ? Buffer.from(digits, 'hex') : undefined;
}

function textOf(value: Evaluated): string {
  if (typeof value === 'string') return value;
  const text = Buffer.from(value).toString('utf8');
  return text.includes('\ufffd') ? Buffer.from(value).toString('latin1') : text;
}

function bytesOf(value: Evaluated): Uint8Array {
  return typeof value === 'string' ? Buffer.from(value, 'latin1') : value;
}

import { isObject, type Json } from './literal';

/**
 * One object or function that a Keras configuration names: what loading the model would import, build or run. Data only; what it means for
 * safety is judged elsewhere.
 */
export interface ConfigEntry {
  /** Where it stands: `config.layers[2].config.activation`. */
  path: string;
  className?: string;
  module?: string;
  registeredName?: string;
  /** A layer that carries Python code: `Lambda`, or a serialized lambda as a function. */
  lambda: boolean;
  /** Marshalled Python code in base64, as it stands in the file. */
  code?: string;
  /** A function that is named instead of carried. */
  functionName?: string;
  /** The serialized object. */
  value: { [key: string]: Json };
}

/** Nodes of a configuration that are looked at; a large model has some 100,000. */
const MAX_NODES = 5_000_000;

/**
 * Every serialized object in a Keras configuration, wherever it is nested. Iterative: configurations can be as deep as a file likes.
 * Keras 2 writes `{class_name, config}`, Keras 3 adds `module` and `registered_name`.
 */
export function* walkConfig(root: Json, rootPath = 'config'): Generator<ConfigEntry> {
  const pending: { value: Json; path: string }[] = [{ value: root, path: rootPath }];
  let seen = 0;
  for (let next = pending.pop(); next; next = pending.pop()) {
    if (++seen > MAX_NODES) throw new RangeError('The configuration has too many entries to look at.');
    const { value, path } = next;
    if (Array.isArray(value)) {
      for (let i = value.length - 1; i >= 0; i--)
        if (typeof value[i] === 'object') pending.push({ value: value[i]!, path: `${path}[${i}]` });
      continue;
    }
    if (!isObject(value)) continue;
    const entry = entryOf(value, path);
    if (entry) yield entry;
    const keys = Object.keys(value);
    for (let i = keys.length - 1; i >= 0; i--) {
      const key = keys[i]!;
      const inner = value[key]!;
      if (typeof inner === 'object') pending.push({ value: inner, path: `${path}.${key}` });
    }
  }
}

/** Where a Lambda of Keras 2 may carry code: what it computes, and how its shape and mask follow. */
const LAMBDA_PARTS = ['function', 'output_shape', 'mask'];

function entryOf(value: { [key: string]: Json }, path: string): ConfigEntry | undefined {
  const className = text(value.class_name);
  const module = text(value.module);
  const registeredName = text(value.registered_name);
  if (className === undefined && module === undefined && registeredName === undefined) return undefined;
  const entry: ConfigEntry = { path, lambda: false, value };
  if (className !== undefined) entry.className = className;
  if (module !== undefined) entry.module = module;
  if (registeredName !== undefined) entry.registeredName = registeredName;
  const config = value.config;
  if (className === '__lambda__') {
    entry.lambda = true;
    const code = isObject(config ?? null) ? text((config as { [key: string]: Json }).code) : text(value.value);
    if (code !== undefined) entry.code = code;
  } else if (className === 'Lambda') {
    entry.lambda = true;
    // Keras 2: a list of code, defaults and closure, or the name of a function.
    const parts = isObject(config ?? null) ? (config as { [key: string]: Json }) : {};
    for (const key of LAMBDA_PARTS) {
      const part = parts[key];
      // An output shape may be a list as well, of numbers.
      if (Array.isArray(part) && typeof part[0] === 'string') entry.code ??= part[0];
    }
    if (typeof parts.function === 'string') entry.functionName = parts.function;
  } else if (className === '__typespec__') {
    // Keras imports the class that `spec_name` names.
    const name = text(value.spec_name);
    if (name !== undefined) entry.className = name;
  } else if (className === 'function' || className === 'builtin_function_or_method') {
    const name = text(config) ?? registeredName;
    if (name !== undefined) entry.functionName = name;
  }
  return entry;
}

function text(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

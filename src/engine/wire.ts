/** What crosses a process or window boundary: failures as plain data, and numbers that JSON has no word for. */
import { asModelError, type ErrorCode, ModelError } from '../bytes/errors';
import type { EngineFailure } from './contract';

const CODES: ReadonlySet<string> = new Set<ErrorCode>([
  'malformed',
  'truncated',
  'unsupported',
  'limit',
  'io',
  'cancelled',
  'usage',
]);

/** True for what `toFailure` made, on whichever side of a boundary. */
export function isFailure(value: unknown): value is EngineFailure {
  if (typeof value !== 'object' || value === null || value instanceof Error) return false;
  const { code, message } = value as Record<string, unknown>;
  return typeof message === 'string' && typeof code === 'string' && CODES.has(code);
}

/** Whatever was thrown, as data that survives a boundary. Errors themselves do not: their fields get lost. */
export function toFailure(thrown: unknown): EngineFailure {
  if (isFailure(thrown)) return thrown;
  const error = thrown instanceof ModelError ? thrown : asModelError(thrown, 'The answer');
  const failure: EngineFailure = { code: error.code, message: error.message };
  if (error.reason !== undefined) failure.reason = error.reason;
  if (error.offset !== undefined) failure.offset = error.offset;
  if (error.member !== undefined) failure.member = error.member;
  return failure;
}

const NUMBER = '$number';

/**
 * A copy of `value` that survives JSON: `NaN`, infinities, negative zero and big integers become `{"$number": "…"}`.
 * Returns `value` itself where nothing needs to change. Typed arrays pass as they are (the webview's messages carry them).
 */
export function encodeNumbers(value: unknown): unknown {
  if (typeof value === 'number') {
    return Number.isFinite(value) && !Object.is(value, -0)
      ? value
      : { [NUMBER]: Object.is(value, -0) ? '-0' : String(value) };
  }
  if (typeof value === 'bigint') return { [NUMBER]: `${value}n` };
  return mapChildren(value, encodeNumbers);
}

/** The inverse of `encodeNumbers`. */
export function decodeNumbers(value: unknown): unknown {
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && NUMBER in value) {
    const text = String(value[NUMBER]);
    return text.endsWith('n') ? BigInt(text.slice(0, -1)) : Number(text);
  }
  return mapChildren(value, decodeNumbers);
}

/** Copies an array or plain object only when one of its children changes. */
function mapChildren(value: unknown, map: (child: unknown) => unknown): unknown {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || value instanceof ArrayBuffer)
    return value;
  if (Array.isArray(value)) {
    let copy: unknown[] | undefined;
    for (let i = 0; i < value.length; i++) {
      const mapped = map(value[i]);
      if (mapped !== value[i]) {
        copy ??= value.slice();
        copy[i] = mapped;
      }
    }
    return copy ?? value;
  }
  let copy: [string, unknown][] | undefined;
  const entries = Object.entries(value);
  for (let i = 0; i < entries.length; i++) {
    const mapped = map(entries[i]![1]);
    if (mapped !== entries[i]![1]) {
      copy ??= entries.slice();
      copy[i] = [entries[i]![0], mapped];
    }
  }
  // fromEntries defines properties, so a key called __proto__ stays a key.
  return copy ? Object.fromEntries(copy) : value;
}

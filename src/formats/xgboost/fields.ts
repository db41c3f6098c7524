import { ModelError } from '../../bytes/errors';
import type { NumberArray, Tree } from './ubjson';

/** The value as an object. @throws ModelError `malformed` that says what is missing. */
export function map(value: Tree | undefined, what: string): Map<string, Tree> {
  if (value instanceof Map) return value;
  throw malformed(`it has no ${what}`);
}

export function list(value: Tree | undefined): Tree[] {
  if (Array.isArray(value)) return value;
  return value instanceof Object && 'length' in value ? Array.from(value as ArrayLike<number>) : [];
}

/** Numbers of an array, whether typed or plain; booleans are 0 and 1. */
export function numbers(value: Tree | undefined): ArrayLike<number> {
  if (Array.isArray(value)) return Float64Array.from(value, (item) => (item === null ? Number.NaN : Number(item)));
  if (value instanceof BigInt64Array) return Float64Array.from(value, Number);
  return ArrayBuffer.isView(value) ? (value as Exclude<NumberArray, BigInt64Array>) : [];
}

export function integer(value: Tree | undefined): number {
  const number = Number(value ?? 0);
  return Number.isSafeInteger(number) ? number : 0;
}

export function text(value: Tree | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

export function malformed(reason: string): ModelError {
  return new ModelError('malformed', `The xgboost model cannot be understood: ${reason}.`);
}

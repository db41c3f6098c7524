import type { ModelError } from '../bytes/errors';
import type { EngineFailure } from './contract';

/** An error as it travels between processes and into JSON. */
export function failureOf(error: ModelError): EngineFailure {
  const failure: EngineFailure = { code: error.code, message: error.message };
  if (error.reason !== undefined) failure.reason = error.reason;
  if (error.offset !== undefined) failure.offset = error.offset;
  if (error.member !== undefined) failure.member = error.member;
  return failure;
}

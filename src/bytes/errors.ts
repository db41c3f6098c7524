/** What went wrong with a file, one code for each meaning (the command line prints them as they are). */
export type ErrorCode = 'malformed' | 'truncated' | 'unsupported' | 'limit' | 'io' | 'cancelled' | 'usage';

export interface ErrorDetails {
  /** Byte offset in the file (or in the member that `member` names) where the problem was seen. */
  offset?: number;
  /** Name of the archive member or part of the file. */
  member?: string;
  /** A finer, stable name for the problem where users meet it as such, e.g. `empty`, `git-lfs`, `html`, `text`, `directory`. */
  reason?: string;
  cause?: unknown;
}

/**
 * The only error that readers throw. `message` is a full sentence that names the part of the file, what was expected,
 * and what to do next if anything can be done.
 */
export class ModelError extends Error {
  readonly code: ErrorCode;
  readonly offset?: number;
  readonly member?: string;
  readonly reason?: string;

  /** By name: the command line is made of two bundles, each with a class of its own. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === 'ModelError' && 'code' in value;
  }

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'ModelError';
    this.code = code;
    if (details.offset !== undefined) this.offset = details.offset;
    if (details.member !== undefined) this.member = details.member;
    if (details.reason !== undefined) this.reason = details.reason;
  }
}

/** Turns whatever was thrown into a `ModelError`: a bug in a reader must not hide the file, so it becomes `malformed`. */
export function asModelError(thrown: unknown, what = 'The file'): ModelError {
  if (thrown instanceof ModelError) return thrown;
  if (thrown instanceof RangeError && /call stack|Invalid (array|typed array|string) length/i.test(thrown.message)) {
    return new ModelError('limit', `${what} asks for more memory or nesting than the reader allows.`, {
      cause: thrown,
    });
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new ModelError('malformed', `${what} could not be understood (${message}).`, { cause: thrown });
}

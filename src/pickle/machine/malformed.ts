/** Why a stream stops being a pickle. Thrown inside the machine only; `Pickle.error` says it to everybody else. */
export class Malformed extends Error {
  constructor(
    message: string,
    readonly code: 'malformed' | 'truncated' | 'limit' = 'malformed',
  ) {
    super(message);
  }
}

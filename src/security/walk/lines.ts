/** Literals of protocol 0 as every loader of every version reads them alike; anything odd is left to the machine. */

const ZERO = 0x30;
const NINE = 0x39;
const MINUS = 0x2d;

/** Digits that are taken; longer numbers are where loaders begin to differ. */
const MAX_DIGITS = 300;

/** Exponents of this many digits are taken: no number of them overflows. */
const MAX_EXPONENT_DIGITS = 2;

/** Whether `bytes[from, to)` is a whole number without superfluous zeros or signs. */
export function isPlainInteger(bytes: Uint8Array, from: number, to: number): boolean {
  const start = bytes[from] === MINUS ? from + 1 : from;
  const length = to - start;
  if (length < 1 || length > MAX_DIGITS) return false;
  if (bytes[start] === ZERO) return length === 1 && start === from;
  for (let i = start; i < to; i++) if (bytes[i] < ZERO || bytes[i] > NINE) return false;
  return true;
}

/** The argument of INT: a whole number of 64 bits, `00` or `01`. */
export function isIntLine(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from === 2 && bytes[from] === ZERO) return bytes[from + 1] === ZERO || bytes[from + 1] === ZERO + 1;
  return to - from <= 18 && isPlainInteger(bytes, from, to);
}

/** The argument of FLOAT as `repr` writes it: digits with a point, an exponent or both. */
export function isFloatLine(bytes: Uint8Array, from: number, to: number): boolean {
  let at = bytes[from] === MINUS ? from + 1 : from;
  const first = at;
  while (at < to && bytes[at] >= ZERO && bytes[at] <= NINE) at++;
  if (at === first || at - first > MAX_DIGITS / 2) return false;
  if (at < to && bytes[at] === 0x2e) {
    const point = ++at;
    while (at < to && bytes[at] >= ZERO && bytes[at] <= NINE) at++;
    if (at === point) return false;
  }
  if (at < to && bytes[at] === 0x65) {
    at++;
    if (bytes[at] === MINUS || bytes[at] === 0x2b) at++;
    const exponent = at;
    while (at < to && bytes[at] >= ZERO && bytes[at] <= NINE) at++;
    if (at === exponent || at - exponent > MAX_EXPONENT_DIGITS) return false;
  }
  return at === to;
}

/** A memo index; -1 if it is not written as digits alone. */
export function indexLine(bytes: Uint8Array, from: number, to: number): number {
  if (to - from < 1 || to - from > 9) return -1;
  let value = 0;
  for (let i = from; i < to; i++) {
    if (bytes[i] < ZERO || bytes[i] > NINE) return -1;
    value = value * 10 + (bytes[i] - ZERO);
  }
  return value;
}

/** Where a pickle could begin among bytes that are none. */

/** Bytes before an INST in which its MARK is looked for. */
const ARGUMENTS = 4096;

/** MARKs before one INST that are tried, the nearest first. */
const MARKS = 16;

/** Longest name that is looked for behind text without PROTO. */
const LONGEST_NAME = 100;

const NAMED = /^[ci][A-Za-z_][\w.]*\n[A-Za-z_][\w.]*\n/;

const NOWHERE: readonly number[] = [];

/**
 * Offsets, not below `floor`, at which a pickle could begin that imports something, or says that it is one, at `at`: PROTO with a known
 * protocol, a GLOBAL with a plausible name, an INST with its MARK somewhere before, a STACK_GLOBAL behind two texts. Best first.
 */
export function pickleStarts(bytes: Buffer, at: number, floor: number): readonly number[] {
  switch (bytes[at]) {
    case 0x80:
      return bytes[at + 1] <= 5 ? [at] : NOWHERE;
    case 0x63:
      return isNamed(bytes, at) ? [at] : NOWHERE;
    case 0x69:
      return isNamed(bytes, at) ? marksBefore(bytes, at, floor) : NOWHERE;
    case 0x93: {
      const name = textBefore(bytes, at, floor);
      const module = name === undefined ? undefined : textBefore(bytes, name, floor);
      return module === undefined ? NOWHERE : [module];
    }
    default:
      return NOWHERE;
  }
}

function isNamed(bytes: Buffer, at: number): boolean {
  return NAMED.test(bytes.toString('latin1', at, at + 200));
}

function marksBefore(bytes: Buffer, at: number, floor: number): number[] {
  const found: number[] = [];
  for (let start = at - 1; start >= Math.max(floor, at - ARGUMENTS) && found.length < MARKS; start--) {
    if (bytes[start] === 0x28) found.push(start);
  }
  return found;
}

/** Where the SHORT_BINUNICODE or BINUNICODE begins that ends at `end`, put into the memo or not. */
function textBefore(bytes: Buffer, end: number, floor: number): number | undefined {
  // MEMOIZE, BINPUT, LONG_BINPUT.
  const ends = [end];
  if (bytes[end - 1] === 0x94) ends.push(end - 1);
  if (bytes[end - 2] === 0x71) ends.push(end - 2);
  if (bytes[end - 5] === 0x72) ends.push(end - 5);
  for (const to of ends) {
    for (let length = 1; length <= LONGEST_NAME && to - length - 2 >= floor; length++) {
      const byte = bytes[to - length];
      if (!(byte >= 0x30 && byte <= 0x7a) && byte !== 0x2e) break;
      const short = to - length - 2;
      if (bytes[short] === 0x8c && bytes[short + 1] === length) return short;
      const long = to - length - 5;
      if (long >= floor && bytes[long] === 0x58 && bytes.readUInt32LE(long + 1) === length) return long;
    }
  }
  return undefined;
}

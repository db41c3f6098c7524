import { MAX_INTEGER_DIGITS } from '../bytes/limits';

/** Text as Python reads it: integers, floats, string escapes, UTF-8 with surrogates. */

export interface ParsedInteger {
  value: number | bigint;
  /** False when the literal has a base prefix, underscores or odd spacing, which loaders treat differently. */
  plain: boolean;
}

/** Reduces a bigint to a number where that is exact. */
export function narrow(value: bigint): number | bigint {
  return value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value;
}

/**
 * `int(text, 0)` of Python: optional sign, `0x 0o 0b` prefixes, single underscores between digits, surrounding white space;
 * leading zeros only for zero itself. `undefined` where Python raises ValueError.
 */
export function parsePythonInteger(text: string): ParsedInteger | undefined {
  if (/^-?(0|[1-9][0-9]{0,14})$/.test(text))
    return { value: Object.is(Number(text), -0) ? 0 : Number(text), plain: true };
  const match =
    /^[ \t\n\r\f\v]*([+-]?)(0[xX]_?[0-9a-fA-F]+(?:_[0-9a-fA-F]+)*|0[oO]_?[0-7]+(?:_[0-7]+)*|0[bB]_?[01]+(?:_[01]+)*|[1-9][0-9]*(?:_[0-9]+)*|0+(?:_0+)*)[ \t\n\r\f\v]*$/.exec(
      text,
    );
  if (!match) return undefined;
  const digits = match[2].replace(/_/g, '');
  if (digits.length > MAX_INTEGER_DIGITS) return undefined;
  const magnitude = BigInt(/^0+$/.test(digits) ? '0' : digits);
  return { value: narrow(match[1] === '-' ? -magnitude : magnitude), plain: /^-?[0-9]+$/.test(text) };
}

/** `float(text)` of Python. `underscores` tells that only the pure-Python loader accepts it. */
export function parsePythonFloat(text: string): { value: number; underscores: boolean } | undefined {
  const trimmed = text.replace(/^[ \t\n\r\f\v]+|[ \t\n\r\f\v]+$/g, '');
  if (/^[+-]?(inf|infinity)$/i.test(trimmed))
    return { value: trimmed.startsWith('-') ? -Infinity : Infinity, underscores: false };
  if (/^[+-]?nan$/i.test(trimmed)) return { value: NaN, underscores: false };
  if (!/^[+-]?([0-9]+(_[0-9]+)*\.?([0-9]+(_[0-9]+)*)?|\.[0-9]+(_[0-9]+)*)([eE][+-]?[0-9]+(_[0-9]+)*)?$/.test(trimmed))
    return undefined;
  return { value: Number(trimmed.replace(/_/g, '')), underscores: trimmed.includes('_') };
}

/** Two's complement, little-endian, as LONG1 and LONG4 store integers. */
export function decodeLong(bytes: Uint8Array): number | bigint {
  const { length } = bytes;
  if (length === 0) return 0;
  const negative = bytes[length - 1] >= 0x80;
  if (length <= 6) {
    let value = 0;
    for (let i = length - 1; i >= 0; i--) value = value * 256 + bytes[i];
    return negative ? value - 256 ** length : value;
  }
  let hex = '';
  const flipped = Buffer.from(bytes).reverse();
  hex = flipped.toString('hex');
  const magnitude = BigInt(`0x${hex}`);
  return narrow(negative ? magnitude - (1n << BigInt(8 * length)) : magnitude);
}

/** Byte by the letter after a backslash; 0 for letters that mean nothing alone. */
const SIMPLE_ESCAPES = new Uint8Array(256);
for (const [letter, byte] of [
  [0x5c, 0x5c],
  [0x27, 0x27],
  [0x22, 0x22],
  [0x61, 7],
  [0x62, 8],
  [0x66, 12],
  [0x6e, 10],
  [0x72, 13],
  [0x74, 9],
  [0x76, 11],
]) {
  SIMPLE_ESCAPES[letter] = byte;
}

/** Value of a hexadecimal digit by its code; -1 for anything else. */
const HEX = Int8Array.from({ length: 256 }, (_, code) => {
  const digit = Number.parseInt(String.fromCharCode(code), 16);
  return Number.isNaN(digit) ? -1 : digit;
});

/** `codecs.escape_decode` of Python; `undefined` where it raises (a lone backslash at the end, `\x` without two digits). */
export function decodeEscapes(bytes: Uint8Array): Uint8Array | undefined {
  if (!bytes.includes(0x5c)) return bytes;
  const out = new Uint8Array(bytes.length);
  let length = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte !== 0x5c) {
      out[length++] = byte;
      continue;
    }
    if (++i >= bytes.length) return undefined;
    const next = bytes[i];
    const simple = SIMPLE_ESCAPES[next];
    if (simple !== 0) out[length++] = simple;
    else if (next === 0x0a) continue;
    else if (next >= 0x30 && next <= 0x37) {
      let value = next - 0x30;
      for (let n = 1; n < 3 && bytes[i + 1] >= 0x30 && bytes[i + 1] <= 0x37; n++)
        value = value * 8 + (bytes[++i] - 0x30);
      out[length++] = value & 0xff;
    } else if (next === 0x78) {
      const high = HEX[bytes[i + 1] ?? 0];
      const low = HEX[bytes[i + 2] ?? 0];
      if (high < 0 || low < 0) return undefined;
      out[length++] = high * 16 + low;
      i += 2;
    } else {
      out[length++] = 0x5c;
      out[length++] = next;
    }
  }
  return out.subarray(0, length);
}

/** Python's raw-unicode-escape: Latin-1 with `\uXXXX` and `\UXXXXXXXX` behind an odd number of backslashes. */
export function decodeRawUnicodeEscape(latin1: string): string | undefined {
  if (!latin1.includes('\\')) return latin1;
  let bad = false;
  const text = latin1.replace(
    /(\\+)(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(u|U))/g,
    (whole, slashes: string, four?: string, eight?: string) => {
      if (slashes.length % 2 === 0) return whole;
      const digits = four ?? eight;
      const code = digits === undefined ? Number.NaN : Number.parseInt(digits, 16);
      if (!(code <= 0x10ffff)) {
        bad = true;
        return whole;
      }
      return slashes.slice(1) + String.fromCodePoint(code);
    },
  );
  return bad ? undefined : text;
}

/** UTF-8 with `surrogatepass`, as pickles store `str`; `undefined` where CPython raises UnicodeDecodeError. */
export function decodeUtf8(bytes: Buffer): string | undefined {
  const text = bytes.toString('utf8');
  if (!text.includes('\ufffd')) return text;
  return decodeUtf8Strictly(bytes);
}

function decodeUtf8Strictly(bytes: Uint8Array): string | undefined {
  const parts: string[] = [];
  let units: number[] = [];
  for (let i = 0; i < bytes.length; ) {
    const first = bytes[i];
    const extra =
      first < 0x80
        ? 0
        : first >= 0xc2 && first < 0xe0
          ? 1
          : first >= 0xe0 && first < 0xf0
            ? 2
            : first >= 0xf0 && first < 0xf5
              ? 3
              : -1;
    if (extra < 0 || i + extra >= bytes.length) return undefined;
    let code = extra === 0 ? first : first & (0x3f >> extra);
    for (let n = 1; n <= extra; n++) {
      if ((bytes[i + n] & 0xc0) !== 0x80) return undefined;
      code = (code << 6) | (bytes[i + n] & 0x3f);
    }
    if ((extra === 2 && code < 0x800) || (extra === 3 && (code < 0x10000 || code > 0x10ffff))) return undefined;
    if (code > 0xffff) units.push(0xd800 + ((code - 0x10000) >> 10), 0xdc00 + ((code - 0x10000) & 0x3ff));
    else units.push(code);
    i += extra + 1;
    if (units.length > 4096) {
      parts.push(String.fromCharCode(...units));
      units = [];
    }
  }
  return parts.join('') + String.fromCharCode(...units);
}

/** Keyword → value of a pax extended header: records of the form `LENGTH KEYWORD=VALUE\n` (POSIX.1-2001). Undefined if malformed. */
export function parsePax(bytes: Uint8Array): Map<string, Uint8Array> | undefined {
  const values = new Map<string, Uint8Array>();
  for (let at = 0; at < bytes.length; ) {
    // Python pads with zeros; everything after the first is not part of the header.
    if (bytes[at] === 0) break;
    let length = 0;
    let p = at;
    for (; p < bytes.length && bytes[p]! >= 0x30 && bytes[p]! <= 0x39 && length < 2 ** 40; p++)
      length = length * 10 + bytes[p]! - 0x30;
    const end = at + length;
    if (bytes[p] !== 0x20 || end > bytes.length || end <= p + 1 || bytes[end - 1] !== 0x0a) return undefined;
    const equals = bytes.indexOf(0x3d, p + 1);
    if (equals < 0 || equals >= end) return undefined;
    values.set(Buffer.from(bytes.subarray(p + 1, equals)).toString('utf8'), bytes.subarray(equals + 1, end - 1));
    at = end;
  }
  return values;
}

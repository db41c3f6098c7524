/** Names of a zip archive's members, from its central directory. For packages that we just made: no zip64, no comment. */
export function listZip(bytes) {
  const end = bytes.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  if (end < 0) throw new Error('Not a zip archive: it has no end of central directory.');
  const count = bytes.readUInt16LE(end + 10);
  const names = [];
  for (let i = 0, at = bytes.readUInt32LE(end + 16); i < count; i++) {
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) => bytes.readUInt16LE(at + offset));
    names.push(bytes.toString('utf8', at + 46, at + 46 + nameLength));
    at += 46 + nameLength + extraLength + commentLength;
  }
  return names;
}

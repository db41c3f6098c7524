import { type ByteSource, readUpTo } from '../../bytes/byte-source';

/** One top-level field of a protobuf message. */
export interface WireField {
  field: number;
  wire: number;
  /** Where its content lies. */
  from: number;
  to: number;
}

/** Fields that are looked at to tell what a message is. */
const MAX_FIELDS = 4096;

/**
 * Top-level fields of a protobuf message, by reading their heads only. `undefined` if the bytes are no message to their end (as far as
 * `MAX_FIELDS` fields tell).
 */
export function topFields(source: ByteSource, limit = MAX_FIELDS): WireField[] | undefined {
  const fields: WireField[] = [];
  let at = 0;
  while (at < source.size && fields.length < limit) {
    const head = readUpTo(source, at, 24);
    let pos = 0;
    const varint = (): number | undefined => {
      let value = 0;
      for (let i = 0; i < 10 && pos < head.length; i++) {
        const byte = head[pos++];
        value += (byte & 127) * 2 ** (7 * i);
        if (byte < 128) return value;
      }
      return undefined;
    };
    const tag = varint();
    if (tag === undefined) return undefined;
    const field = Math.floor(tag / 8);
    const wire = tag % 8;
    if (field === 0 || field > 10_000) return undefined;
    let length = 0;
    if (wire === 0) {
      if (varint() === undefined) return undefined;
    } else if (wire === 1) length = 8;
    else if (wire === 5) length = 4;
    else if (wire === 2) {
      const declared = varint();
      if (declared === undefined) return undefined;
      length = declared;
    } else return undefined;
    const from = at + pos;
    if (from + length > source.size) return undefined;
    fields.push({ field, wire, from, to: from + length });
    at = from + length;
  }
  return fields;
}

import { type ByteRange, MemoryRange } from '../../bytes/byte-range';
import { asSequence, asText, Global, Instance, PyBytes, type Value } from '../../pickle/values';

/** Bytes as NumPy's loaders take them: `bytes`, a Python 2 string, `_codecs.encode(text, 'latin1')` of protocols below 3, `bytearray(…)`. */
export function asBytes(value: Value | undefined): ByteRange | undefined {
  if (value instanceof PyBytes) return value;
  if (typeof value === 'string') return new MemoryRange(Buffer.from(value, 'latin1'));
  if (value instanceof Instance && value.callable instanceof Global) {
    const args = asSequence(value.args) ?? [];
    const { path } = value.callable;
    if (path === '_codecs.encode') {
      const text = args[0];
      const encoding = asText(args[1]) ?? 'utf-8';
      if (typeof text === 'string')
        return new MemoryRange(Buffer.from(text, /latin|8859/i.test(encoding) ? 'latin1' : 'utf8'));
    }
    if (path === 'builtins.bytes' && args.length === 0) return new MemoryRange(new Uint8Array(0));
    if (path === 'builtins.bytes' || path === 'builtins.bytearray' || path === 'pickle.PickleBuffer')
      return asBytes(args[0]);
  }
  return undefined;
}

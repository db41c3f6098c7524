import {
  ExtensionCode,
  Global,
  Instance,
  OutOfBandBuffer,
  PersistentId,
  PyBytes,
  PyFloat,
  PySet,
  PyTuple,
  type Value,
} from '../values';

export function isAscii(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] >= 0x80) return false;
  return true;
}

/** Python's truth of plain data. */
export function isFalse(value: Value): boolean {
  if (value === null || value === false || value === 0 || value === '') return true;
  if (typeof value !== 'object') return value === 0n;
  if (value instanceof PyFloat) return value.value === 0;
  if (value instanceof PyTuple || value instanceof PySet) return value.items.length === 0;
  if (value instanceof PyBytes || Array.isArray(value)) return value.length === 0;
  return value instanceof Map && value.size === 0;
}

/** Something that the pickle did not make: what it does to it, it does to the loading program. */
export function isForeign(value: Value): boolean {
  return (
    value instanceof Global ||
    value instanceof PersistentId ||
    value instanceof ExtensionCode ||
    value instanceof OutOfBandBuffer
  );
}

/** Whether a value's Python type is known only at load. */
export function isComputed(value: Value): boolean {
  return value instanceof Instance || isForeign(value);
}

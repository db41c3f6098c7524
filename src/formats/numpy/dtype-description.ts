import { asSequence, asText, PyTuple, type Value } from '../../pickle/values';
import { dtypeFromString, type NumpyDType, type NumpyField, structured, withSubShape } from './dtype';

/**
 * A dtype from the `descr` of a .npy header: a string, or a list of `(name, descr[, shape])` whose name may be a `(title, name)` pair.
 * Empty names are padding. Source: numpy `lib/format.py`, `descr_to_dtype`.
 */
export function dtypeFromDescription(value: Value | undefined, depth = 0): NumpyDType | undefined {
  if (typeof value === 'string') return dtypeFromString(value);
  if (depth > 32) return undefined;
  if (value instanceof PyTuple && value.items.length === 2) {
    const base = dtypeFromDescription(value.items[0], depth + 1);
    return base && withSubShape(base, value.items[1]);
  }
  if (!Array.isArray(value)) return undefined;
  const fields: NumpyField[] = [];
  let offset = 0;
  for (const entry of value) {
    const items = asSequence(entry);
    if (!items || items.length < 2) return undefined;
    const names = asSequence(items[0]);
    const name = asText(names ? names[names.length - 1] : items[0]);
    let dtype = dtypeFromDescription(items[1], depth + 1);
    if (dtype && items.length === 3) dtype = withSubShape(dtype, items[2]);
    if (name === undefined || !dtype) return undefined;
    if (!(name === '' && dtype.kind === 'V')) fields.push({ name, dtype, offset });
    offset += dtype.itemsize;
  }
  return structured(fields, offset);
}

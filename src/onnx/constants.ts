import { bytesOf, isStringData, type Tensor } from './tensor';

/** Bytes looked at to tell constants apart before they are compared whole. */
const SAMPLE = 4096;

/**
 * Finds equal constants. A weight that several nodes use, or that several methods of an estimator need, is stored once;
 * a cheap fingerprint comes first, so that large weights are compared only with weights that look the same.
 */
export class ConstantPool<T> {
  private readonly buckets = new Map<string, { tensor: Tensor; item: T }[]>();

  /** What was stored for an equal tensor, or what `create` makes now. */
  get(tensor: Tensor, create: () => T): T {
    const key = fingerprint(tensor);
    const bucket = this.buckets.get(key) ?? [];
    const known = bucket.find((entry) => sameData(entry.tensor, tensor));
    if (known) return known.item;
    const item = create();
    bucket.push({ tensor, item });
    this.buckets.set(key, bucket);
    return item;
  }
}

function fingerprint(tensor: Tensor): string {
  return `${tensor.dtype}[${tensor.shape.join()}]${hash(tensor)}`;
}

function hash({ data }: Tensor): number {
  // FNV-1a over the first bytes; strings by their characters.
  let value = 0x811c9dc5;
  if (isStringData(data)) {
    for (let i = 0; i < Math.min(data.length, 256); i++) {
      const text = data[i]!;
      for (let c = 0; c < Math.min(text.length, 64); c++) value = Math.imul(value ^ text.charCodeAt(c), 0x01000193);
    }
    return value >>> 0;
  }
  const bytes = bytesOf(data);
  for (let i = 0; i < Math.min(bytes.length, SAMPLE); i++) value = Math.imul(value ^ bytes[i]!, 0x01000193);
  return value >>> 0;
}

function sameData(a: Tensor, b: Tensor): boolean {
  if (isStringData(a.data)) return isStringData(b.data) && a.data.every((text, i) => text === (b.data as string[])[i]);
  if (isStringData(b.data)) return false;
  const [x, y] = [bytesOf(a.data), bytesOf(b.data)];
  if (x.length !== y.length) return false;
  if (x.buffer === y.buffer && x.byteOffset === y.byteOffset) return true;
  return Buffer.compare(x, y) === 0;
}

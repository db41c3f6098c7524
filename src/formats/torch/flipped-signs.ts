import type { ByteRange } from '../../bytes/byte-range';

/** What the conjugate and negative bits of a tensor say of its stored numbers. */
export interface Flips {
  conjugate: boolean;
  negative: boolean;
}

/**
 * The bytes of a storage as a tensor with the conjugate or negative bit sees them: sign bits of imaginary parts, or of all numbers,
 * turned. Works on any stretch, aligned or not. Source: torch `_tensor.py`, `get_tensor_metadata`; c10 `TensorImpl`, `is_conj`, `is_neg`.
 */
export class FlippedSigns implements ByteRange {
  readonly length: number;
  /** Positions of the bytes with a sign to turn, inside one element. */
  private readonly signs: number[];

  /** @param parts numbers of one element: 2 for complex types. @param width bytes of one number. */
  constructor(
    private readonly inner: ByteRange,
    private readonly parts: 1 | 2,
    private readonly width: number,
    flips: Flips,
    byteOrder: 'little' | 'big',
  ) {
    this.length = inner.length;
    const signByte = byteOrder === 'little' ? width - 1 : 0;
    this.signs = [];
    for (let part = 0; part < parts; part++) {
      const imaginary = part === 1;
      if (flips.negative !== (imaginary && flips.conjugate)) this.signs.push(part * width + signByte);
    }
  }

  bytes(start = 0, end = this.length): Uint8Array {
    const out = Uint8Array.from(this.inner.bytes(start, end));
    const size = this.parts * this.width;
    for (const sign of this.signs) {
      const first = (((sign - start) % size) + size) % size;
      for (let at = first; at < out.length; at += size) out[at] ^= 0x80;
    }
    return out;
  }
}

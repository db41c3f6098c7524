import { WINDOW_BYTES } from '../bytes/limits';

const SLOTS = 8192;
const LONGEST = 40;

/** V8 copies substrings below this length; longer ones would keep the text of the window alive. */
const COPIED = 13;

const shared: (string | undefined)[] = new Array(SLOTS).fill(undefined);

/**
 * Shares short ASCII strings that repeat (attribute names, column names, labels) without a Map look-up for each: a direct-mapped table
 * keyed by a hash of the bytes. A hit is compared byte by byte, so a collision costs time and never a wrong string. The table serves all
 * pickles: a folder of small ones would spend more on tables than on reading.
 */
export class StringCache {
  private window: Buffer | undefined;
  private windowText = '';
  private readonly slots = shared;

  /** The string of `bytes[start, start + length)` if it is short ASCII; `undefined` leaves decoding to the caller. */
  get(bytes: Buffer, start: number, length: number): string | undefined {
    if (length > LONGEST) return undefined;
    let hash = length;
    for (let i = start; i < start + length; i++) {
      const byte = bytes[i];
      if (byte >= 0x80) return undefined;
      hash = (Math.imul(hash, 31) + byte) | 0;
    }
    const slot = (hash ^ (hash >>> 13)) & (SLOTS - 1);
    const known = this.slots[slot];
    if (known !== undefined && known.length === length) {
      let i = 0;
      while (i < length && known.charCodeAt(i) === bytes[start + i]) i++;
      if (i === length) return known;
    }
    const text = this.copy(bytes, start, length);
    this.slots[slot] = text;
    return text;
  }

  /** Bytes as Latin-1 text that keeps nothing else alive. */
  copy(bytes: Buffer, start: number, length: number): string {
    return length < COPIED && bytes.length <= WINDOW_BYTES
      ? this.slice(bytes, start, length)
      : bytes.toString('latin1', start, start + length);
  }

  /** Cuts short strings out of the text of the whole window, which is several times faster than a decoder call for each. */
  private slice(bytes: Buffer, start: number, length: number): string {
    if (bytes !== this.window) {
      this.window = bytes;
      this.windowText = bytes.toString('latin1');
    }
    return this.windowText.substring(start, start + length);
  }
}

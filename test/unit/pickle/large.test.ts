import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/bytes/byte-source';
import { LargeMap, LargeSet } from '../../../src/pickle/large';
import { readPickle } from '../../../src/pickle/machine';

describe('collections of any size', () => {
  it('a set and a map keep what is put into them', () => {
    const set = new LargeSet<number>();
    const map = new LargeMap<number, string>();
    for (let i = 0; i < 1000; i++) {
      set.add(i);
      map.set(i, String(i));
    }
    map.set(7, 'seven');
    expect([set.has(999), set.has(1000), map.get(7), map.get(8), map.get(1000)]).toEqual([
      true,
      false,
      'seven',
      '8',
      undefined,
    ]);
    expect(map.stores).toBe(1001);
  });
});

/** A source that counts what is read from it. */
class CountingSource extends BufferSource {
  bytesRead = 0;
  override read(offset: number, length: number): Uint8Array {
    this.bytesRead += length;
    return super.read(offset, length);
  }
}

describe('pickles that follow each other', () => {
  it('read no more than a little beyond themselves each', () => {
    const count = 2000;
    const source = new CountingSource(Buffer.alloc(4 * count, Buffer.from([0x80, 4, 0x4e, 0x2e])), 'many');
    let pickles = 0;
    for (let at = 0; at < source.size; pickles++) at = readPickle(source, at).end;
    expect(pickles).toBe(count);
    expect(source.bytesRead).toBeLessThanOrEqual(source.size + 1024 * count);
  });
});

import { describe, expect, it } from 'vitest';
import { StorageKeys } from '../../../src/formats/torch/storage-keys';

describe('storage keys', () => {
  it('are numbered in the order in which they come, whatever they look like', () => {
    const given = [
      '3',
      '0',
      '03',
      '',
      '-1',
      '12',
      '99999999',
      '4000000000',
      '1e3',
      'a',
      '94512345678',
      '00',
      '7+2',
      '70000',
    ];
    for (let i = 100; i < 5000; i += 3) given.push(String(i));
    const keys = new StorageKeys();
    for (const [i, key] of given.entries()) {
      expect(keys.placeOf(key)).toBe(-1);
      expect(keys.add(key)).toBe(i);
    }
    expect(given.map((key) => keys.placeOf(key))).toEqual(given.map((_, i) => i));
    for (const key of ['1', '101', '00012', '99999998', ' 3', '3 ']) expect(keys.placeOf(key)).toBe(-1);
    expect(keys.length).toBe(given.length);
  });
});

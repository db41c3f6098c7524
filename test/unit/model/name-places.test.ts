import { describe, expect, it } from 'vitest';
import { NamePlaces } from '../../../src/model/name-places';

/** Texts whose hash is the same, found by trying: two characters that undo each other. */
function colliding(count: number): string[] {
  const hashes = new Map<number, string[]>();
  for (let i = 0; ; i++) {
    const text = `w${i}`;
    let hash = 0x811c9dc5 | 0;
    for (let k = 0; k < text.length; k++) hash = Math.imul(hash ^ text.charCodeAt(k), 0x01000193);
    const low = (hash ^ (hash >>> 15)) & 0xff;
    const same = hashes.get(low) ?? [];
    same.push(text);
    hashes.set(low, same);
    if (same.length === count) return same;
  }
}

describe('places by name', () => {
  it('are those that a search from the start finds', () => {
    const names: string[] = [];
    const places = new NamePlaces(names);
    for (let i = 0; i < 5000; i++) {
      names.push(i % 7 === 0 ? `layer.${i % 100}` : `layer.${i}.ważność`);
      places.add(i);
    }
    for (const name of names) expect(places.get(name)).toBe(names.indexOf(name));
    expect(places.get('layer.x')).toBe(-1);
    expect(places.get('')).toBe(-1);
  });

  it('are found among names that were chosen to be hard to find', () => {
    const names = colliding(600);
    const places = new NamePlaces(names);
    for (let i = 0; i < names.length; i++) places.add(i);
    expect(names.map((name) => places.get(name))).toEqual(names.map((_, i) => i));
    expect(places.get('w')).toBe(-1);
  });
});

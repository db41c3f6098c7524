import { HONEST_STEPS, hashOfText } from '../bytes/name-hash';

/**
 * Places in a list of names by name, of several equal ones the first. A table of numbers: a Map of a hundred thousand texts takes several times
 * as long to fill, and much of what a garbage collector looks through.
 */
export class NamePlaces {
  /** Places plus one, at the hash of the name or behind; 0 where there is none. */
  private slots = new Int32Array(16);
  private used = 0;
  private steps = 0;
  /** In the place of the table, where names were chosen so that their hashes are the same. */
  private table: Map<string, number> | undefined;

  /** @param names the list; places are only taken in by `add`, in ascending order. */
  constructor(private readonly names: readonly string[]) {}

  /** Place of the first of that name, -1 if there is none. */
  get(name: string): number {
    if (this.table) return this.table.get(name) ?? -1;
    const { slots, names } = this;
    const mask = slots.length - 1;
    for (let slot = hashOfText(name) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const place = slots[slot] - 1;
      if (names[place] === name) return place;
    }
    return -1;
  }

  /** Takes in the name at a place. */
  add(place: number): void {
    const name = this.names[place];
    if (this.table) {
      if (!this.table.has(name)) this.table.set(name, place);
      return;
    }
    if (2 * this.used >= this.slots.length) this.grow();
    this.put(place, name);
    if (this.steps > HONEST_STEPS * (this.used + 64)) this.useTable(place);
  }

  private put(place: number, name: string): void {
    const { slots, names } = this;
    const mask = slots.length - 1;
    let slot = hashOfText(name) & mask;
    for (; slots[slot] !== 0; slot = (slot + 1) & mask) {
      if (names[slots[slot] - 1] === name) return;
      this.steps++;
    }
    slots[slot] = place + 1;
    this.used++;
  }

  private grow(): void {
    const { slots, names } = this;
    this.slots = new Int32Array(4 * slots.length);
    this.used = 0;
    this.steps = 0;
    for (const slot of slots) if (slot !== 0) this.put(slot - 1, names[slot - 1]);
  }

  private useTable(last: number): void {
    this.table = new Map();
    for (let i = last; i >= 0; i--) this.table.set(this.names[i], i);
    this.slots = new Int32Array(0);
  }
}

import { HONEST_STEPS, hashOfText } from '../../bytes/name-hash';
import type { ZipMember } from './member';

/**
 * Members by name, of several with one name the last. Names of plain ASCII are found by their bytes, so that none of a hundred thousand has to
 * become a text; an archive with another name has a table of texts, as two spellings in bytes can be one text.
 */
export class NameIndex {
  /** Number of different names. */
  readonly size: number;
  private readonly table: Map<string, number> | undefined;
  /** Places of the members plus one, at the hash of their names or behind; 0 where there is none. */
  private readonly slots: Int32Array;

  constructor(private readonly members: readonly ZipMember[]) {
    const room = 2 ** Math.ceil(Math.log2(2 * members.length + 2));
    this.slots = new Int32Array(room);
    const size = this.fill();
    if (size === undefined) {
      this.table = new Map(members.map((each, i) => [each.name, i]));
      this.size = this.table.size;
    } else this.size = size;
  }

  /** Puts the members into their slots; `undefined` if they have to be found by text. */
  private fill(): number | undefined {
    const { members, slots } = this;
    const mask = slots.length - 1;
    let size = 0;
    let steps = 0;
    for (let i = 0; i < members.length; i++) {
      const member = members[i]!;
      const hash = member.nameHash();
      if (hash === undefined) return undefined;
      let slot = hash & mask;
      while (slots[slot] !== 0 && !members[slots[slot]! - 1]!.hasSameName(member)) {
        slot = (slot + 1) & mask;
        // Names that were chosen so that their hashes are the same.
        if (++steps > HONEST_STEPS * (members.length + HONEST_STEPS)) return undefined;
      }
      if (slots[slot] === 0) size++;
      slots[slot] = i + 1;
    }
    return size;
  }

  /** Whether all names are plain ASCII and no two the same. */
  get isPlain(): boolean {
    return this.table === undefined && this.size === this.members.length;
  }

  get(name: string): ZipMember | undefined {
    return this.members[this.placeOf(name)];
  }

  /** Place of the member in the list, -1 if there is none. */
  placeOf(name: string): number {
    if (this.table) return this.table.get(name) ?? -1;
    const { slots, members } = this;
    const mask = slots.length - 1;
    for (let slot = hashOfText(name) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const place = slots[slot]! - 1;
      if (members[place]!.isCalled(name)) return place;
    }
    return -1;
  }
}

/** Keys of one file beyond which the judge decides. */
const MAX_KEYS = 1 << 22;

/** Numbers of an entry: two hashes, and the file that filled it. */
const ENTRY = 3;

/**
 * The keys that the dicts of one file have so far, by hashes of 64 bits: a stream that stores over what it has stored before is not ordinary.
 * Equal keys have equal hashes; that others have them too is so rare that the judge may be asked then.
 */
export class Keys {
  private capacity = 1 << 12;
  private entries = new Int32Array(this.capacity * ENTRY);
  private file = 0;
  private count = 0;

  /** Forgets the keys of the file before. */
  reset(): void {
    this.file++;
    this.count = 0;
  }

  /** Adds a key of a dict; false if it has it already, or if there are too many. */
  add(dict: number, one: number, other: number): boolean {
    if (this.count * 4 >= this.capacity * 3 && !this.enlarge()) return false;
    const first = Math.imul(one ^ Math.imul(dict, 0x9e3779b1), 0x85ebca6b);
    const second = Math.imul(other + dict, 0xc2b2ae35) ^ (first >>> 15);
    const { entries, file } = this;
    let at = this.place(first);
    while (entries[at + 2] === file) {
      if (entries[at] === first && entries[at + 1] === second) return false;
      at = this.after(at);
    }
    entries[at] = first;
    entries[at + 1] = second;
    entries[at + 2] = file;
    this.count++;
    return true;
  }

  private place(first: number): number {
    return ((first ^ (first >>> 13)) & (this.capacity - 1)) * ENTRY;
  }

  private after(at: number): number {
    return at + ENTRY === this.entries.length ? 0 : at + ENTRY;
  }

  private enlarge(): boolean {
    if (this.count >= MAX_KEYS) return false;
    const { entries, file } = this;
    this.capacity *= 2;
    this.entries = new Int32Array(this.capacity * ENTRY);
    for (let from = 0; from < entries.length; from += ENTRY) {
      if (entries[from + 2] !== file) continue;
      let at = this.place(entries[from]);
      while (this.entries[at + 2] === file) at = this.after(at);
      this.entries[at] = entries[from];
      this.entries[at + 1] = entries[from + 1];
      this.entries[at + 2] = file;
    }
    return true;
  }
}

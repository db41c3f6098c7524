/** Keys of one file beyond which the judge decides. */
const MAX_KEYS = 1 << 22;

/**
 * The keys that the dicts of one file have so far, by hashes of 64 bits: a stream that stores over what it has stored before is not ordinary.
 * Equal keys have equal hashes; that others have them too is so rare that the judge may be asked then.
 */
export class Keys {
  private capacity = 1 << 12;
  private first = new Int32Array(this.capacity);
  private second = new Int32Array(this.capacity);
  /** The file that filled an entry; entries of files before are free. */
  private files = new Int32Array(this.capacity);
  private file = 0;
  private count = 0;

  /** Forgets the keys of the file before. */
  reset(): void {
    this.file++;
    this.count = 0;
  }

  /** Adds a key of a dict; false if it has it already, or if there are too many. */
  add(dict: number, one: number, other: number): boolean {
    if (this.count * 2 >= this.capacity && !this.enlarge()) return false;
    const first = Math.imul(one ^ Math.imul(dict, 0x9e3779b1), 0x85ebca6b);
    const second = Math.imul(other + dict, 0xc2b2ae35) ^ (first >>> 15);
    const mask = this.capacity - 1;
    let at = (first ^ (first >>> 13)) & mask;
    while (this.files[at] === this.file) {
      if (this.first[at] === first && this.second[at] === second) return false;
      at = (at + 1) & mask;
    }
    this.files[at] = this.file;
    this.first[at] = first;
    this.second[at] = second;
    this.count++;
    return true;
  }

  private enlarge(): boolean {
    if (this.count >= MAX_KEYS) return false;
    const { first, second, files, file, capacity } = this;
    this.capacity *= 4;
    this.first = new Int32Array(this.capacity);
    this.second = new Int32Array(this.capacity);
    this.files = new Int32Array(this.capacity);
    const mask = this.capacity - 1;
    for (let i = 0; i < capacity; i++) {
      if (files[i] !== file) continue;
      let at = (first[i] ^ (first[i] >>> 13)) & mask;
      while (this.files[at] === file) at = (at + 1) & mask;
      this.files[at] = file;
      this.first[at] = first[i];
      this.second[at] = second[i];
    }
    return true;
  }
}

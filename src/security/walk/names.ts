/**
 * The names that ordinary pickles import, as bytes that are looked up without being parsed. `name-table.ts` writes them, by asking the judge
 * itself about each name when the program is built: a name that is not here is not unknown, only left to the judge.
 *
 * Layout, little-endian 32-bit numbers: magic, entries, slots, bytes of keys, bytes of texts; the slots of a hash table (entry + 1, 0 if
 * empty); five numbers for each entry (offset of its key, length of its module and, from bit 16, of its name, flags, entry of the name
 * that it stands for, reason); the keys, `module LF name`; as JSON the reasons, and the texts that may be keys of a state which mean something.
 */
export const MAGIC = 0x324e474d;
export const HEADER = 5;
export const ENTRY = 5;

/** What the judge would say about each use of a name, whatever the arguments are. */
export const FLAGS = {
  /** Calling it is vetted. */
  call: 1,
  /** NEWOBJ of it is vetted. */
  newobj: 2,
  /** Functions that make an instance of what they are given may be given it. */
  make: 4,
  /** It makes an instance of its first argument. */
  first: 8,
  /** It collects what its first argument yields. */
  collect: 16,
  /** Its second argument is the shape of what it allocates. */
  secondShape: 32,
  /** `copyreg._reconstructor`. */
  reconstructor: 64,
  /** `_codecs.encode`. */
  codec: 128,
  /** `functools.partial`. */
  partial: 256,
  /** An estimator of the catalogue. */
  estimator: 512,
  /** joblib's `NumpyArrayWrapper`. */
  wrapper: 1024,
  /** `numpy.dtype`. */
  dtype: 2048,
  /** Calling it with no arguments of the stream's choice is what `_reconstructor` does with a base class. */
  base: 4096,
  /** As written in protocols below 3, which rename modules of Python 2. */
  old: 8192,
  /** As written in protocol 3 and later. */
  new: 16384,
  /** `copyreg` is not the class of what it makes. */
  copyreg: 32768,
  /** Calling it is vetted if what it is given may be called too. */
  holds: 65536,
  /** NumPy's `_ufunc_reconstruct`, which fetches a function by module and name. */
  ufunc: 131072,
} as const;

export function hashStep(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, 0x01000193);
}

export const HASH_START = 0x811c9dc5 | 0;

export function slotOf(hash: number, mask: number): number {
  return (hash ^ (hash >>> 15)) & mask;
}

/** The table, over the bytes of its file. */
export class NameTable {
  readonly count: number;
  private readonly numbers: Int32Array;
  private readonly mask: number;
  private readonly entriesAt: number;
  private readonly keys: Buffer;
  /** Keys of a state under which values can be called, or are source text. */
  readonly hooks: readonly Buffer[];
  private readonly reasons: readonly string[];
  /** Text of an entry, once it was asked for. */
  private readonly texts: ({ module: string; name: string } | undefined)[] = [];

  private constructor(file: Buffer, numbers: Int32Array) {
    this.numbers = numbers;
    this.count = numbers[1];
    this.mask = numbers[2] - 1;
    this.entriesAt = HEADER + numbers[2];
    const keysAt = (this.entriesAt + this.count * ENTRY) * 4;
    this.keys = file.subarray(keysAt, keysAt + numbers[3]);
    const texts = JSON.parse(file.toString('utf8', keysAt + numbers[3])) as { reasons: string[]; hooks: string[] };
    this.reasons = texts.reasons;
    this.hooks = texts.hooks.map((text) => Buffer.from(text));
  }

  /** `undefined` for bytes that are not such a table from its first to its last. */
  static open(bytes: Buffer): NameTable | undefined {
    const file = bytes.byteOffset % 4 === 0 ? bytes : Buffer.from(Uint8Array.from(bytes).buffer);
    if (file.length < HEADER * 4) return undefined;
    const numbers = new Int32Array(file.buffer, file.byteOffset, file.length >> 2);
    const [magic, entries, slots, keys, texts] = numbers;
    const size = (HEADER + slots + entries * ENTRY) * 4 + keys + texts;
    return magic === MAGIC && file.length === size ? new NameTable(file, numbers) : undefined;
  }

  /**
   * The entry of a name whose module and name stand in `bytes` at these places; -1 if it has none.
   * @param variant `FLAGS.old` or `FLAGS.new`
   */
  find(
    bytes: Uint8Array,
    module: number,
    moduleLength: number,
    nameBytes: Uint8Array,
    name: number,
    nameLength: number,
    variant: number,
  ): number {
    const { numbers, keys, mask } = this;
    let hash = HASH_START;
    for (let i = 0; i < moduleLength; i++) hash = Math.imul(hash ^ bytes[module + i], 0x01000193);
    hash = Math.imul(hash ^ 10, 0x01000193);
    for (let i = 0; i < nameLength; i++) hash = Math.imul(hash ^ nameBytes[name + i], 0x01000193);
    const lengths = moduleLength | (nameLength << 16);
    for (let slot = slotOf(hash, mask); ; slot = (slot + 1) & mask) {
      const entry = numbers[HEADER + slot] - 1;
      if (entry < 0) return -1;
      const at = this.entriesAt + entry * ENTRY;
      if (numbers[at + 1] !== lengths || (numbers[at + 2] & variant) === 0) continue;
      const key = numbers[at];
      let i = 0;
      while (i < moduleLength && keys[key + i] === bytes[module + i]) i++;
      if (i < moduleLength) continue;
      const second = key + moduleLength + 1;
      let j = 0;
      while (j < nameLength && keys[second + j] === nameBytes[name + j]) j++;
      if (j === nameLength) return entry;
    }
  }

  flags(entry: number): number {
    return this.numbers[this.entriesAt + entry * ENTRY + 2];
  }

  /** A number that entries share if a report shows them by the same name. */
  same(entry: number): number {
    return this.numbers[this.entriesAt + entry * ENTRY + 3];
  }

  /** Module and name as a report shows them: those of Python 3. */
  shown(entry: number): { module: string; name: string } {
    return this.text(this.numbers[this.entriesAt + entry * ENTRY + 3]);
  }

  reason(entry: number): string {
    return this.reasons[this.numbers[this.entriesAt + entry * ENTRY + 4]];
  }

  private text(entry: number): { module: string; name: string } {
    const known = this.texts[entry];
    if (known) return known;
    const at = this.entriesAt + entry * ENTRY;
    const key = this.numbers[at];
    const moduleEnd = key + (this.numbers[at + 1] & 0xffff);
    const made = {
      module: this.keys.toString('latin1', key, moduleEnd),
      name: this.keys.toString('latin1', moduleEnd + 1, moduleEnd + 1 + (this.numbers[at + 1] >>> 16)),
    };
    this.texts[entry] = made;
    return made;
  }
}

import type { ByteSource } from '../bytes/byte-source';
import { crc32c, unmaskCrc32c } from '../bytes/checksums/crc32';
import { unsnappy } from '../bytes/decompress/snappy';
import { asModelError, ModelError } from '../bytes/errors';
import { MAX_TABLE_BLOCK_BYTES, MAX_TABLE_KEY_BYTES } from '../bytes/limits';

/**
 * Sorted string tables as LevelDB writes them and TensorFlow's `variables.index` is one (table_format of the LevelDB documentation):
 * data blocks, an index block with a handle for each of them, and a footer of 48 bytes that says where the index is.
 */

const FOOTER_BYTES = 48;
const TRAILER_BYTES = 5;
const MAGIC = [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb];

export interface TableEntry {
  /** Views of the file's bytes; keys may be any bytes. */
  key: Uint8Array;
  value: Uint8Array;
}

export interface Table {
  /** In the order of the file, which is ascending by key. */
  entries: TableEntry[];
  /** Blocks that are damaged. The entries of those whose checksum alone is wrong are there, and so are those of all the others. */
  problems: ModelError[];
}

interface Handle {
  offset: number;
  size: number;
}

/** Whether a source ends with the footer of such a table. */
export function isTable(source: ByteSource): boolean {
  if (source.size < FOOTER_BYTES) return false;
  const tail = source.read(source.size - MAGIC.length, MAGIC.length);
  return MAGIC.every((byte, i) => tail[i] === byte);
}

/**
 * Reads every entry of a table. A wrong checksum or a damaged data block is a problem in the result, not the end.
 * @throws ModelError when the footer or the index block cannot be read.
 */
export function readTable(source: ByteSource): Table {
  if (!isTable(source)) {
    throw new ModelError(
      source.size < FOOTER_BYTES ? 'truncated' : 'malformed',
      `${source.name} does not end with the footer of a sorted string table (${source.size} bytes): it is cut off or something else.`,
      { offset: Math.max(0, source.size - FOOTER_BYTES) },
    );
  }
  const at = source.size - FOOTER_BYTES;
  const footer = new BlockCursor(source.read(at, FOOTER_BYTES), `The footer of ${source.name}`, at);
  footer.handle();
  const problems: ModelError[] = [];
  const index = readBlock(source, footer.handle(), 'the index block', problems);
  const entries: TableEntry[] = [];
  const budget: KeyBudget = { left: MAX_TABLE_KEY_BYTES };
  let reach = 0;
  for (const { value } of blockEntries(index, `The index block of ${source.name}`, budget)) {
    try {
      const handle = new BlockCursor(value, `The index block of ${source.name}`, 0).handle();
      // Blocks lie one behind the other. An index that lists one again and again would make a small file endless.
      if (handle.offset < reach) {
        const message = `${source.name}: the block at byte ${handle.offset} begins before the end of the one before it.`;
        throw new ModelError('malformed', message, { offset: handle.offset });
      }
      reach = handle.offset + handle.size;
      const block = readBlock(source, handle, `the block at byte ${handle.offset}`, problems);
      for (const entry of blockEntries(block, `The block at byte ${handle.offset} of ${source.name}`, budget))
        entries.push(entry);
    } catch (error) {
      problems.push(asModelError(error, source.name));
    }
  }
  return { entries, problems };
}

/** Content of a block, unpacked; a checksum that does not match goes to `problems`. */
function readBlock(source: ByteSource, handle: Handle, what: string, problems: ModelError[]): Uint8Array {
  const { offset, size } = handle;
  if (!(offset + size + TRAILER_BYTES <= source.size)) {
    throw new ModelError(
      'truncated',
      `${source.name} ends at byte ${source.size}, but ${what} has ${size} bytes at ${offset}.`,
      { offset },
    );
  }
  const bytes = source.read(offset, size + TRAILER_BYTES);
  const stored = new DataView(bytes.buffer, bytes.byteOffset + size + 1, 4).getUint32(0, true);
  if (crc32c(bytes.subarray(0, size + 1)) !== unmaskCrc32c(stored)) {
    const message = `The checksum of ${what} of ${source.name} does not match its content: the file is damaged.`;
    problems.push(new ModelError('malformed', message, { offset, reason: 'checksum' }));
  }
  const type = bytes[size];
  if (type === 0) return bytes.subarray(0, size);
  if (type === 1) return unsnappy(bytes.subarray(0, size), MAX_TABLE_BLOCK_BYTES, `${what} of ${source.name}`);
  throw new ModelError(
    'unsupported',
    `${what} of ${source.name} has compression type ${type}; 0 (none) and 1 (Snappy) are known.`,
    { offset },
  );
}

/** Entries of a block: each key shares a prefix with the one before. The restart array at the end is not needed to read all. */
function* blockEntries(block: Uint8Array, what: string, budget: KeyBudget): Generator<TableEntry> {
  if (block.length < 4) throw new ModelError('truncated', `${what} is too short for its restart count.`, { offset: 0 });
  const restarts = new DataView(block.buffer, block.byteOffset + block.length - 4, 4).getUint32(0, true);
  const end = block.length - 4 - 4 * restarts;
  if (end < 0)
    throw new ModelError('malformed', `${what} declares ${restarts} restarts, more than it has room for.`, {
      offset: block.length - 4,
    });
  const cursor = new BlockCursor(block.subarray(0, end), what, 0);
  let previous: Uint8Array = new Uint8Array(0);
  while (!cursor.done) {
    const shared = cursor.varint();
    const unshared = cursor.varint();
    const length = cursor.varint();
    if (shared > previous.length) {
      throw new ModelError(
        'malformed',
        `${what} has a key that shares ${shared} bytes with one of ${previous.length}.`,
        { offset: cursor.offset },
      );
    }
    const suffix = cursor.take(unshared);
    let key = suffix;
    if (shared > 0) {
      budget.left -= shared + unshared;
      if (budget.left < 0) {
        throw new ModelError(
          'limit',
          `${what} has keys that share so much that all together are larger than ${MAX_TABLE_KEY_BYTES} bytes.`,
          {
            offset: cursor.offset,
          },
        );
      }
      key = new Uint8Array(shared + unshared);
      key.set(previous.subarray(0, shared));
      key.set(suffix, shared);
    }
    previous = key;
    yield { key, value: cursor.take(length) };
  }
}

/** Bytes that keys may still take: a key of three bytes can stand for a long one, and a block can hold many of them. */
interface KeyBudget {
  left: number;
}

class BlockCursor {
  private pos = 0;
  constructor(
    private readonly bytes: Uint8Array,
    private readonly what: string,
    private readonly base: number,
  ) {}

  get done(): boolean {
    return this.pos >= this.bytes.length;
  }

  get offset(): number {
    return this.base + this.pos;
  }

  varint(): number {
    let value = 0;
    for (let i = 0, scale = 1; i < 10; i++, scale *= 128) {
      const byte = this.bytes[this.pos++];
      if (byte === undefined)
        throw new ModelError('truncated', `${this.what} ends inside a number.`, { offset: this.offset });
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw new ModelError('malformed', `${this.what} has a number of more than ten bytes.`, { offset: this.offset });
  }

  handle(): Handle {
    return { offset: this.varint(), size: this.varint() };
  }

  take(length: number): Uint8Array {
    if (!(this.pos + length <= this.bytes.length)) {
      throw new ModelError('truncated', `${this.what} ends inside an entry (${length} bytes at byte ${this.offset}).`, {
        offset: this.offset,
      });
    }
    this.pos += length;
    return this.bytes.subarray(this.pos - length, this.pos);
  }
}

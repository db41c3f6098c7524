import { ModelError } from '../../bytes/errors';

/** What UBJSON and JSON hold. Typed arrays of numbers stay typed arrays. */
export type Tree = null | boolean | number | bigint | string | Tree[] | NumberArray | Map<string, Tree>;
export type NumberArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Int32Array
  | BigInt64Array;

/** xgboost's documents are a dozen levels deep. */
const MAX_DEPTH = 64;

/**
 * Reads Universal Binary JSON, draft 12, as xgboost writes it: big-endian numbers, and arrays with a type and a count.
 * @throws ModelError `malformed`, or `truncated` where a value ends after the data.
 */
export function parseUbjson(bytes: Uint8Array): Tree {
  return new Reader(bytes).document();
}

/** Numbers are written the other way around than most processors keep them. */
const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

function swap(bytes: Buffer, size: number): void {
  if (size === 2) bytes.swap16();
  else if (size === 4) bytes.swap32();
  else if (size === 8) bytes.swap64();
}

class Reader {
  private at = 0;
  private readonly view: DataView;
  private readonly decoder = new TextDecoder();

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  document(): Tree {
    return this.value(this.marker(), 0);
  }

  private value(marker: string, depth: number): Tree {
    if (depth > MAX_DEPTH) throw this.malformed(`it is nested more than ${MAX_DEPTH} levels deep`);
    switch (marker) {
      case 'Z':
        return null;
      case 'T':
        return true;
      case 'F':
        return false;
      case 'C':
        return String.fromCharCode(this.bytes[this.take(1)]!);
      case 'S':
        return this.text();
      case 'H':
        return Number(this.text());
      case '[':
        return this.array(depth);
      case '{':
        return this.object(depth);
      default:
        return this.number(marker);
    }
  }

  private number(marker: string): number | bigint {
    switch (marker) {
      case 'i':
        return this.view.getInt8(this.take(1));
      case 'U':
        return this.view.getUint8(this.take(1));
      case 'I':
        return this.view.getInt16(this.take(2));
      case 'l':
        return this.view.getInt32(this.take(4));
      case 'L': {
        const value = this.view.getBigInt64(this.take(8));
        return Number.isSafeInteger(Number(value)) ? Number(value) : value;
      }
      case 'd':
        return this.view.getFloat32(this.take(4));
      case 'D':
        return this.view.getFloat64(this.take(8));
      default:
        throw this.malformed(`"${marker}" is no type of value`);
    }
  }

  private array(depth: number): Tree {
    const { type, count } = this.header();
    if (type !== undefined && count !== undefined) return this.typed(type, count, depth);
    const items: Tree[] = [];
    for (let i = 0; count === undefined || i < count; i++) {
      const marker = this.marker();
      if (count === undefined && marker === ']') break;
      items.push(this.value(marker, depth + 1));
    }
    return items;
  }

  private typed(type: string, count: number, depth: number): Tree {
    const sizes: Record<string, number> = { i: 1, U: 1, I: 2, l: 4, L: 8, d: 4, D: 8 };
    const size = sizes[type];
    if (size === undefined) {
      const items: Tree[] = [];
      // Values without bytes of their own (null, true) could be declared by the billion.
      if (count > this.bytes.length) throw this.malformed(`an array of ${count} values is larger than the data`);
      for (let i = 0; i < count; i++) items.push(this.value(type, depth + 1));
      return items;
    }
    const start = this.take(count * size);
    // A copy of its own, so that it begins at a multiple of the size.
    const bytes = Uint8Array.prototype.slice.call(this.bytes, start, start + count * size);
    const { buffer } = bytes;
    if (LITTLE_ENDIAN) swap(Buffer.from(buffer, bytes.byteOffset, bytes.length), size);
    switch (type) {
      case 'i':
        return new Int8Array(buffer, bytes.byteOffset, count);
      case 'U':
        return bytes;
      case 'I':
        return new Int16Array(buffer, bytes.byteOffset, count);
      case 'l':
        return new Int32Array(buffer, bytes.byteOffset, count);
      case 'L':
        return new BigInt64Array(buffer, bytes.byteOffset, count);
      case 'd':
        return new Float32Array(buffer, bytes.byteOffset, count);
      default:
        return new Float64Array(buffer, bytes.byteOffset, count);
    }
  }

  private object(depth: number): Map<string, Tree> {
    const { type, count } = this.header();
    const map = new Map<string, Tree>();
    for (let i = 0; count === undefined || i < count; i++) {
      if (count === undefined && this.bytes[this.at] === 0x7d) {
        this.at++;
        break;
      }
      const key = this.text();
      map.set(key, this.value(type ?? this.marker(), depth + 1));
    }
    return map;
  }

  /** `$type` and `#count` after the opening bracket. */
  private header(): { type?: string; count?: number } {
    let type: string | undefined;
    if (this.bytes[this.at] === 0x24) {
      this.at++;
      type = this.marker();
    }
    if (this.bytes[this.at] !== 0x23) return type === undefined ? {} : { type };
    this.at++;
    const count = Number(this.number(this.marker()));
    if (!(count >= 0)) throw this.malformed(`${count} is no count`);
    return type === undefined ? { count } : { type, count };
  }

  private text(): string {
    const length = Number(this.number(this.marker()));
    if (!(length >= 0)) throw this.malformed(`${length} is no length`);
    const start = this.take(length);
    return this.decoder.decode(this.bytes.subarray(start, start + length));
  }

  private marker(): string {
    let code: number;
    do code = this.bytes[this.take(1)]!;
    while (code === 0x4e);
    return String.fromCharCode(code);
  }

  private take(count: number): number {
    const start = this.at;
    if (!(start + count <= this.bytes.length)) {
      throw new ModelError(
        'truncated',
        `The xgboost model ends at byte ${this.bytes.length}, inside a value at byte ${start}.`,
        { offset: start },
      );
    }
    this.at += count;
    return start;
  }

  private malformed(reason: string): ModelError {
    return new ModelError('malformed', `The xgboost model cannot be read past byte ${this.at}: ${reason}.`, {
      offset: this.at,
    });
  }
}

/** Text, which may hold anything, and the numbers that JSON has no words for. */
const UNUSUAL = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\bInfinity\b|\bNaN\b/g;

/** `NaN` (thresholds of nodes that test for a category) as null, infinities as numbers that are too large. */
function plainJson(text: string): string {
  if (!/\b(NaN|Infinity)\b/.test(text)) return text;
  return text.replace(UNUSUAL, (word) =>
    word[0] === '"' ? word : word === 'NaN' ? 'null' : word.replace('Infinity', '1e999'),
  );
}

/** JSON text in the same form. Objects become maps, so that no key can reach a prototype. */
export function parseJsonTree(text: string): Tree {
  try {
    return JSON.parse(plainJson(text), (_, value: unknown) =>
      typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Map)
        ? new Map(Object.entries(value))
        : value,
    ) as Tree;
  } catch (error) {
    throw new ModelError('malformed', `The xgboost model is not valid JSON (${(error as Error).message}).`, {
      cause: error,
    });
  }
}

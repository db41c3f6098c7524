import { type ByteRange, MemoryRange, SourceRange } from './byte-range';
import type { ByteSource } from './byte-source';
import { ModelError } from './errors';
import { Window } from './window';
import { BYTES, FIXED32, FIXED64, VARINT } from './wire';

/**
 * Which fields of a message to descend into, by number; `bulk` for a bytes field whose content may stay in the file. Our own schemas only,
 * so that their depth bounds the recursion here.
 */
export interface SkimSchema {
  readonly [field: number]: SkimSchema | 'bulk';
}

/** A bytes field below this size is kept in the message. */
const BULK_BYTES = 4096;
/** A message below this size is copied without a look inside. */
const WHOLE_BYTES = BULK_BYTES;
/** What is left of a message after its bulk was left out must fit the memory of the engine. */
const MAX_KEPT_BYTES = 1024 ** 3;

const STUB_BYTES = 16;
/** Marks a stub. A file cannot know it, so it cannot pass content of its own for one. */
const NONCE = crypto.getRandomValues(new Uint8Array(8));

const ranges = new WeakMap<ArrayBufferLike, ByteRange[]>();

/**
 * Reads a protobuf message without its bulk: weights stay in the file and are replaced by short stubs that `bulkRange` resolves.
 * @throws ModelError `malformed` or `limit`. A message that ends early is given as far as it goes, with the error beside it.
 */
export function skim(source: ByteSource, schema: SkimSchema, what: string): { bytes: Uint8Array; error?: ModelError } {
  const state = new Skimmer(source, what);
  state.message(0, source.size, schema);
  const bytes = state.finish();
  return state.error ? { bytes, error: state.error } : { bytes };
}

/** The content of a bytes field of a decoded message: in memory, or in the file if the message was skimmed. */
export function bulkRange(content: Uint8Array): ByteRange {
  if (content.length === STUB_BYTES && NONCE.every((byte, i) => content[i] === byte)) {
    const index = new DataView(content.buffer, content.byteOffset, STUB_BYTES).getUint32(8, true);
    const range = ranges.get(content.buffer)?.[index];
    if (range) return range;
  }
  return new MemoryRange(content);
}

class Skimmer {
  error: ModelError | undefined;
  private readonly window: Window;
  private readonly kept: ByteRange[] = [];
  private out = new Uint8Array(256 * 1024);
  private length = 0;

  constructor(
    private readonly source: ByteSource,
    private readonly what: string,
  ) {
    this.window = new Window(source);
  }

  finish(): Uint8Array {
    ranges.set(this.out.buffer, this.kept);
    return this.out.subarray(0, this.length);
  }

  message(from: number, to: number, schema: SkimSchema): void {
    let at = from;
    while (at < to && !this.error) {
      const start = at;
      const tag = this.varint(at, to);
      if (tag === undefined) {
        this.truncated(at);
        return;
      }
      at = tag.end;
      const wire = tag.value % 8;
      const field = Math.floor(tag.value / 8);
      if (wire !== BYTES) {
        const end =
          wire === VARINT
            ? this.varint(at, to)?.end
            : wire === FIXED64
              ? at + 8
              : wire === FIXED32
                ? at + 4
                : undefined;
        if (wire === 3 || wire === 4 || wire > 5 || field === 0) {
          this.error = new ModelError(
            'malformed',
            `${this.what} is not a valid protobuf message: no field can start at byte ${start}.`,
            { offset: start },
          );
          return;
        }
        if (end === undefined || end > to) {
          this.truncated(at);
          return;
        }
        this.copy(start, end);
        at = end;
        continue;
      }
      const size = this.varint(at, to);
      if (size === undefined) {
        this.truncated(at);
        return;
      }
      const content = size.end;
      const end = content + size.value;
      if (end > to) this.truncated(content);
      const limit = Math.min(end, to);
      const rule = schema[field];
      if (rule === 'bulk' && limit - content > BULK_BYTES && end <= to) this.stub(start, at, content, end);
      else if (rule !== undefined && rule !== 'bulk' && limit - content > WHOLE_BYTES)
        this.nested(start, at, content, limit, rule);
      else this.copy(start, limit, end > to ? { at, content } : undefined);
      at = limit;
    }
  }

  /** A message inside, whose length is known only when it was skimmed. */
  private nested(start: number, tagEnd: number, content: number, end: number, schema: SkimSchema): void {
    this.copy(start, tagEnd);
    // Five bytes hold any length below 2^35; a varint may be longer than it needs to be.
    const place = this.length;
    this.reserve(5);
    this.length += 5;
    const before = this.length;
    this.message(content, end, schema);
    this.putLength(place, this.length - before);
  }

  private putLength(place: number, value: number): void {
    let rest = value;
    for (let i = 0; i < 5; i++) {
      this.out[place + i] = (rest % 128) | (i < 4 ? 128 : 0);
      rest = Math.floor(rest / 128);
    }
  }

  private stub(start: number, tagEnd: number, content: number, end: number): void {
    this.copy(start, tagEnd);
    this.reserve(1 + STUB_BYTES);
    this.out[this.length++] = STUB_BYTES;
    this.out.set(NONCE, this.length);
    new DataView(this.out.buffer).setUint32(this.length + 8, this.kept.length, true);
    this.length += STUB_BYTES;
    this.kept.push(new SourceRange(this.source, content, end - content));
  }

  /** Copies bytes as they are; with a length put right if the content was cut off. */
  private copy(from: number, to: number, cut?: { at: number; content: number }): void {
    if (cut) {
      this.copy(from, cut.at);
      this.reserve(5);
      this.putLength(this.length, to - cut.content);
      this.length += 5;
      this.copy(cut.content, to);
      return;
    }
    const size = to - from;
    if (size <= 0) return;
    this.reserve(size);
    this.window.seek(from);
    if (size <= 65536 && this.window.take(size))
      this.out.set(this.window.bytes.subarray(this.window.pos, this.window.pos + size), this.length);
    else this.out.set(this.source.read(from, size), this.length);
    this.length += size;
  }

  private reserve(more: number): void {
    const needed = this.length + more;
    if (needed <= this.out.length) return;
    if (needed > MAX_KEPT_BYTES)
      throw new ModelError(
        'limit',
        `${this.what} has more than ${MAX_KEPT_BYTES} bytes beside its weights, too many to read.`,
      );
    const larger = new Uint8Array(Math.min(MAX_KEPT_BYTES, Math.max(needed, this.out.length * 2)));
    larger.set(this.out.subarray(0, this.length));
    this.out = larger;
  }

  private varint(at: number, end: number): { value: number; end: number } | undefined {
    const { window } = this;
    window.seek(at);
    if (!window.take(Math.min(10, end - at))) return undefined;
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10 && at + i < end; i++) {
      const byte = window.bytes[window.pos + i]!;
      value += (byte & 127) * scale;
      if (byte < 128) return { value, end: at + i + 1 };
      scale *= 128;
    }
    return undefined;
  }

  private truncated(offset: number): void {
    this.error ??= new ModelError(
      'truncated',
      `${this.what} ends inside a field (near byte ${offset} of ${this.source.size}): the file was cut off.`,
      { offset },
    );
  }
}

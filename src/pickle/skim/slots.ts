/** What the skim knows of a value. */
export const ABSENT = 0;
/** Data, or something of which nothing is known. */
export const OPAQUE = 1;
export const MARK = 2;
/** A text of the stream; the word is its place behind the beginning of the skim. */
export const TEXT = 3;
/** A text from before; the word is its number. */
export const LITERAL = 4;
/** An imported name, and what a call of one returned; the word is the number of the name. */
export const NAME = 5;
export const MADE = 6;
/** What the loading program hands in, or only it knows. */
export const HANDED = 7;

const CHUNK_BITS = 15;
const CHUNK = 1 << CHUNK_BITS;

interface Chunk {
  kinds: Uint8Array;
  words: Uint32Array | undefined;
}

/**
 * Kinds with a word each, by index: a byte for a value of which nothing is known, five for another one, outside of V8's heap. An index that
 * was never set is absent.
 */
export class Slots {
  private readonly chunks: (Chunk | undefined)[] = [];

  kind(index: number): number {
    const chunk = this.chunks[index >>> CHUNK_BITS];
    return chunk ? chunk.kinds[index & (CHUNK - 1)] : ABSENT;
  }

  word(index: number): number {
    return this.chunks[index >>> CHUNK_BITS]?.words?.[index & (CHUNK - 1)] ?? 0;
  }

  set(index: number, kind: number, word: number): void {
    const at = index >>> CHUNK_BITS;
    let chunk = this.chunks[at];
    if (!chunk) {
      chunk = { kinds: new Uint8Array(CHUNK), words: undefined };
      this.chunks[at] = chunk;
    }
    chunk.kinds[index & (CHUNK - 1)] = kind;
    if (chunk.words) chunk.words[index & (CHUNK - 1)] = word;
    else if (word !== 0) {
      chunk.words = new Uint32Array(CHUNK);
      chunk.words[index & (CHUNK - 1)] = word;
    }
  }
}

import type { ByteSource } from '../../bytes/byte-source';
import { ModelError } from '../../bytes/errors';

const PAGE = 64 * 1024;
const PAGES = 64;

/** A few pages of a file: the library reads headers of some hundred bytes, many of them next to each other. */
export class Pages {
  private readonly pages = new Map<number, Uint8Array>();
  constructor(private readonly source: ByteSource) {}

  /** Copies `count` bytes at `position`, all of them in the file, into `target` at `offset`. */
  copy(position: number, count: number, target: Uint8Array, offset: number): void {
    if (count > PAGE) {
      target.set(this.source.read(position, count), offset);
      return;
    }
    for (let done = 0; done < count; ) {
      const at = position + done;
      const page = this.page(Math.floor(at / PAGE));
      const part = page.subarray(at % PAGE, (at % PAGE) + count - done);
      if (part.length === 0) throw new ModelError('truncated', `${this.source.name} ended while it was read.`);
      target.set(part, offset + done);
      done += part.length;
    }
  }

  private page(index: number): Uint8Array {
    let page = this.pages.get(index);
    if (!page) {
      if (this.pages.size >= PAGES) this.pages.delete(this.pages.keys().next().value as number);
      page = this.source.read(index * PAGE, Math.min(PAGE, this.source.size - index * PAGE));
      this.pages.set(index, page);
    }
    return page;
  }
}

import { WalkCalls } from './calls';
import { SLACK, WINDOW } from './input';
import { UNSURE } from './stack';

/** Where the loop stands in the file, frames and the window on it. */
export abstract class WalkReader extends WalkCalls {
  /** Position in the window at which the loop has to stop for a moment: the end of a frame, or of what is in memory. */
  protected limit = 0;
  protected frameEnd = -1;

  /** The loop has come to its limit: a frame ends here, or more of the file is needed. */
  protected pause(pos: number): number {
    const { input } = this;
    const at = input.base + pos;
    if (this.frameEnd >= 0) {
      // What reaches over the end of its frame is read differently by different loaders.
      if (at > this.frameEnd) throw UNSURE;
      if (at === this.frameEnd) this.frameEnd = -1;
    }
    let moved = pos;
    if (input.last) {
      if (pos >= input.end) throw UNSURE;
    } else if (pos >= input.end - SLACK) moved = this.need(pos, Math.min(WINDOW, input.size - at));
    this.setLimit();
    return moved;
  }

  protected setLimit(): void {
    const { input } = this;
    const end = input.last ? input.end : input.end - SLACK;
    this.limit = this.frameEnd >= 0 ? Math.min(end, this.frameEnd - input.base) : end;
  }

  protected need(pos: number, count: number): number {
    const moved = this.input.advance(pos, count);
    if (moved < 0) throw UNSURE;
    this.setLimit();
    return moved;
  }

  /** Goes on behind `count` bytes that are data. */
  protected skip(pos: number, count: number): number {
    const { input } = this;
    if (count > input.size - input.base - pos) throw UNSURE;
    if (pos + count <= input.end) return pos + count;
    if (!input.seek(input.base + pos + count)) throw UNSURE;
    this.setLimit();
    return 0;
  }
}

import type { Window } from '../../bytes/window';
import type { ArgumentKind } from '../opcodes';
import { StringCache } from '../string-cache';

/** Characters of a name that are looked at: no module has a longer one. */
export const MAX_NAME_BYTES = 4096;

/** Steps over the arguments of opcodes, and reads the few that the skim has to know. */
export class SkimArguments {
  private readonly strings = new StringCache();

  constructor(private readonly window: Window) {}

  /** Steps over an argument; `undefined` if the stream ends in it. */
  skip(kind: ArgumentKind): number | undefined {
    const { window: w } = this;
    switch (kind) {
      case 'u1':
        return this.number(1);
      case 'u2':
        return this.number(2);
      case 'u4':
      case 'i4':
        return this.number(4);
      case 'u8':
      case 'f8':
        return this.number(8);
      case 'line': {
        const end = w.findNewline(Number.POSITIVE_INFINITY);
        if (end < 0) return undefined;
        const text = end - w.pos <= 32 ? w.bytes.toString('latin1', w.pos, end) : '';
        w.pos = end + 1;
        return Number.parseInt(text.replace(/_/g, ''), 10) || 0;
      }
      case 'lines':
        return undefined;
      default: {
        const length = this.number(Number(kind[1]));
        if (length === undefined || !(length <= w.remaining)) return undefined;
        w.seek(w.offset + length);
        return 0;
      }
    }
  }

  private number(width: number): number | undefined {
    const { window: w } = this;
    if (w.pos + width > w.bytes.length && !w.take(width)) return undefined;
    let value = 0;
    for (let i = width - 1; i >= 0; i--) value = value * 256 + w.bytes[w.pos + i];
    w.pos += width;
    return value;
  }

  /** A line of a name; `undefined` if the stream ends in it. */
  line(): string | undefined {
    const { window: w } = this;
    const end = w.findNewline(Number.POSITIVE_INFINITY);
    if (end < 0) return undefined;
    const length = Math.min(end - w.pos, MAX_NAME_BYTES);
    const text = this.strings.get(w.bytes, w.pos, length) ?? w.bytes.toString('utf8', w.pos, w.pos + length);
    w.pos = end + 1;
    return text;
  }

  /** The text of a SHORT_BINUNICODE at a place that is still in the window; `undefined` for any other. */
  shortText(offset: number): string | undefined {
    const { window: w } = this;
    const pos = offset - w.base;
    if (pos < 0 || pos + 2 > w.pos || w.bytes[pos] !== 0x8c) return undefined;
    const length = w.bytes[pos + 1];
    if (pos + 2 + length > w.pos) return undefined;
    return this.strings.get(w.bytes, pos + 2, length) ?? w.bytes.toString('utf8', pos + 2, pos + 2 + length);
  }
}

import { elementScroll, observeElementOffset, observeElementRect, Virtualizer } from '@tanstack/virtual-core';
import { useEffect, useLayoutEffect, useReducer, useRef, useState } from 'preact/hooks';

/**
 * Rows laid out at once. Browsers cannot make an element higher than about 33.5 million pixels, so longer lists slide this many rows
 * along: coming near an end of them moves them on by half, and the scroll position with them.
 */
const SPAN = 800_000;

export interface VirtualOptions {
  count: number;
  /** Pixels of a row, or of a column if `horizontal`. */
  size: number;
  scroller: { readonly current: HTMLElement | null };
  horizontal?: boolean;
  overscan?: number;
  /** Scroll position in pixels to start at. */
  initialOffset?: number;
  /** Pixels at the start that a sticky header covers. */
  paddingStart?: number;
}

export interface VirtualRows {
  items: { index: number; start: number }[];
  /** Pixels of the whole layer that the rows stand in. */
  extent: number;
  scrollTo(index: number, align?: 'auto' | 'start' | 'center' | 'end'): void;
  /** Whole rows that fit. */
  fitting: number;
}

/** Which items of a long list of equal sizes are in sight. */
export function useVirtual({
  count,
  size,
  scroller,
  horizontal = false,
  overscan = 8,
  initialOffset = 0,
  paddingStart = 0,
}: VirtualOptions): VirtualRows {
  const [, repaint] = useReducer((n: number, _: undefined) => n + 1, 0);
  const [base, setBase] = useState(0);
  const start = Math.max(0, Math.min(base, count - SPAN));
  const pending = useRef<number | undefined>(undefined);

  const holder = useRef<Virtualizer<HTMLElement, HTMLElement> | undefined>(undefined);
  const options = {
    count: Math.min(count, SPAN),
    estimateSize: () => size,
    getScrollElement: () => scroller.current,
    horizontal,
    overscan,
    initialOffset,
    scrollPaddingStart: paddingStart,
    observeElementRect,
    observeElementOffset,
    scrollToFn: elementScroll,
    onChange: () => repaint(undefined),
  };
  holder.current ??= new Virtualizer(options);
  const virtualizer = holder.current;
  virtualizer.setOptions(options);

  useEffect(() => virtualizer._didMount(), []);
  useLayoutEffect(() => virtualizer._willUpdate());
  useLayoutEffect(() => virtualizer.measure(), [size]);

  const items = virtualizer.getVirtualItems();
  const first = items.at(0)?.index ?? 0;
  const last = items.at(-1)?.index ?? 0;

  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element || count <= SPAN) return;
    if (pending.current !== undefined) {
      virtualizer.scrollToIndex(pending.current - start, { align: 'start' });
      pending.current = undefined;
      return;
    }
    const half = SPAN / 2;
    const wanted =
      last > SPAN - 1000 ? Math.min(start + half, count - SPAN) : first < 1000 ? Math.max(start - half, 0) : start;
    if (wanted === start) return;
    if (horizontal) element.scrollLeft -= (wanted - start) * size;
    else element.scrollTop -= (wanted - start) * size;
    // The browser tells of the new position a frame later; until then the old one would slide the rows on again, to the very end.
    virtualizer.scrollOffset = horizontal ? element.scrollLeft : element.scrollTop;
    setBase(wanted);
  }, [first, last, start, count]);

  const rect = virtualizer.scrollRect;
  const fitting = Math.max(1, Math.floor((((horizontal ? rect?.width : rect?.height) ?? 400) - paddingStart) / size));
  return {
    items: items.map((item) => ({ index: item.index + start, start: item.start })),
    extent: virtualizer.getTotalSize(),
    fitting,
    scrollTo(index, align = 'auto') {
      if (index < 0 || index >= count) return;
      const inside = index - start;
      if (inside >= 0 && inside < SPAN) {
        virtualizer.scrollToIndex(inside, { align });
        return;
      }
      pending.current = index;
      setBase(Math.max(0, Math.min(index - SPAN / 2, count - SPAN)));
    },
  };
}

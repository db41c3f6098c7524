import type { JSX } from 'preact';
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ParameterRow } from '../../../src/engine/contract';
import { t } from '../l10n';
import { ErrorNote } from '../shared/error-note';
import { Icon } from '../shared/icons';
import type { PagedRows } from '../shared/paged';
import { useVirtual } from '../shared/virtual';
import { persisted } from '../vscode';
import { type Column, columns } from './columns';
import { descending, ROW_HEIGHT, rewind, scroll, sort, sortBy } from './query';

const HEADER = 24;

/** Widths that the user set, by column. */
const widths = persisted<Record<string, number>>('parameters.widths', {});

interface GridProps {
  rows: PagedRows<ParameterRow>;
  count: number;
  /** Said when there is no row. */
  empty: string;
  openIndex: number;
  onOpen: (row: ParameterRow) => void;
}

/** The table itself: only rows in sight exist, one tab stop, the editor's keys. */
export function Grid({ rows, count, empty, openIndex, onOpen }: GridProps) {
  rows.version.value;
  const scroller = useRef<HTMLDivElement>(null);
  const id = useId();
  const [active, setActive] = useState(-1);
  // A row that was painted and has not changed is given to Preact as the same object, which then skips it.
  const painted = useRef(new Map<string, { row: ParameterRow | undefined; node: JSX.Element }>());
  const [width, setWidth] = useState(900);
  const virtual = useVirtual({
    count,
    size: ROW_HEIGHT,
    scroller,
    overscan: 12,
    initialOffset: scroll.peek(),
    paddingStart: HEADER,
  });

  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    if (scroller.current) scroller.current.scrollTop = scroll.peek();
  }, [rewind.value]);

  const first = virtual.items.at(0)?.index ?? 0;
  const last = virtual.items.at(-1)?.index ?? -1;
  useEffect(() => rows.need(first, last + 1), [rows, first, last]);

  // What does not fit goes; the detail shows it all.
  const shown = columns().filter((column) => width >= column.from);
  const template = shown
    .map((column) => (column.key === 'name' ? 'minmax(140px, 1fr)' : `${widthOf(column)}px`))
    .join(' ');

  const move = (to: number): void => {
    const next = Math.max(0, Math.min(count - 1, to));
    setActive(next);
    virtual.scrollTo(next);
    const row = rows.row(next);
    if (row && openIndex >= 0) onOpen(row);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.altKey || event.metaKey || event.target !== scroller.current) return;
    const page = virtual.fitting;
    const steps: Record<string, number> = {
      ArrowDown: active + 1,
      ArrowUp: active - 1,
      PageDown: active + page,
      PageUp: active - page,
      Home: 0,
      End: count - 1,
    };
    if (event.key in steps) move(steps[event.key]);
    else if (event.key === 'Enter' || event.key === ' ') {
      const row = rows.row(active);
      if (row) onOpen(row);
    } else return;
    event.preventDefault();
  };

  const onRowClick = (event: MouseEvent): void => {
    const index = Number((event.target as Element).closest<HTMLElement>('[data-index]')?.dataset.index ?? -1);
    if (index < 0) return;
    setActive(index);
    const row = rows.row(index);
    if (row) onOpen(row);
  };

  if (rows.failure) return <ErrorNote failure={rows.failure} />;
  return (
    <div
      class="grid"
      ref={scroller}
      role="grid"
      tabIndex={0}
      aria-label={t('Parameters')}
      aria-rowcount={count + 1}
      aria-colcount={shown.length}
      aria-activedescendant={active >= first && active <= last ? `${id}-${active}` : undefined}
      style={{ '--columns': template }}
      onKeyDown={onKeyDown}
      onFocus={(event) => {
        if (event.target === scroller.current && active < 0 && count > 0)
          setActive(Math.floor(event.currentTarget.scrollTop / ROW_HEIGHT));
      }}
      onScroll={(event) => {
        scroll.value = event.currentTarget.scrollTop;
      }}
    >
      <div class="grid-header" role="row" aria-rowindex={1}>
        {shown.map((column) => (
          <HeaderCell key={column.key} column={column} />
        ))}
      </div>
      {count === 0 ? (
        <div role="row">
          <p class="empty" role="gridcell">
            {empty}
          </p>
        </div>
      ) : null}
      <div class="layer" role="presentation" style={{ height: `${virtual.extent}px` }} onClick={onRowClick}>
        {virtual.items.map(({ index, start }) => {
          const row = rows.row(index);
          const mark = `${index === active ? 'active' : ''} ${row && row.index === openIndex ? 'open' : ''}`;
          const key = `${index}/${start}/${mark}/${shown.length}`;
          const known = painted.current.get(key);
          if (known && known.row === row) return known.node;
          const node = (
            <div
              key={index}
              id={`${id}-${index}`}
              role="row"
              class={`grid-row ${mark}`}
              aria-rowindex={index + 2}
              aria-selected={row !== undefined && row.index === openIndex}
              style={{ transform: `translateY(${start}px)` }}
              data-index={index}
            >
              {shown.map((column) => (
                <div
                  key={column.key}
                  role="gridcell"
                  class={column.numeric ? 'cell numeric' : column.key === 'name' ? 'cell named' : 'cell'}
                >
                  {row ? column.cell(row) : column.key === 'name' ? <span class="skeleton" /> : null}
                </div>
              ))}
            </div>
          );
          if (painted.current.size > 400) painted.current.clear();
          painted.current.set(key, { row, node });
          return node;
        })}
      </div>
    </div>
  );
}

function widthOf(column: Column): number {
  return widths.value[column.key] ?? column.width;
}

function HeaderCell({ column }: { column: Column }) {
  const sorted = column.sort !== undefined && sort.value === column.sort;
  const resize = (event: PointerEvent): void => {
    const handle = event.currentTarget as HTMLElement;
    const from = event.clientX;
    const before = widthOf(column);
    handle.setPointerCapture(event.pointerId);
    const move = (to: PointerEvent): void => {
      widths.value = { ...widths.value, [column.key]: Math.max(40, Math.min(600, before - (to.clientX - from))) };
    };
    handle.addEventListener('pointermove', move);
    handle.addEventListener('lostpointercapture', () => handle.removeEventListener('pointermove', move), {
      once: true,
    });
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div
      role="columnheader"
      class={column.numeric ? 'cell numeric' : 'cell'}
      aria-sort={sorted ? (descending.value ? 'descending' : 'ascending') : column.sort ? 'none' : undefined}
    >
      {column.key === 'name' ? null : <span class="column-sash" onPointerDown={resize} aria-hidden="true" />}
      {column.sort ? (
        <button
          type="button"
          class="sort"
          onClick={() => sortBy(column.sort ?? 'file')}
          title={t('Sort by {0}', column.title)}
        >
          {column.title}
          {sorted ? <Icon name={descending.value ? 'sortDown' : 'sortUp'} /> : null}
        </button>
      ) : (
        column.title
      )}
    </div>
  );
}

import type { ComponentChildren } from 'preact';
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { t } from '../l10n';
import { Spinner } from './controls';
import { ErrorNote } from './error-note';
import { Icon } from './icons';
import type { TreeLine, TreeModel, TreePlace } from './tree-model';
import { useVirtual } from './virtual';

export const ROW_HEIGHT = 22;

interface TreeViewProps<R> {
  model: TreeModel<R>;
  label: string;
  /** The row's cells after the twistie; the first holds the name. Their text is what is read out. */
  cells(row: R): ComponentChildren;
  /** What type-ahead searches. */
  searchText(row: R): string;
  header?: ComponentChildren;
  /** A row became the active one. */
  onActive?(row: R | undefined): void;
  /** Enter or a double click on a row without children, or on any row with `Enter`. */
  onEnter?(row: R): void;
  /** A click on a row (not on its twistie), or Enter: the user wants to see more of it. */
  onOpen?(row: R): void;
  scroll: { value: number };
  class?: string;
}

/** A tree with one tab stop and the editor's own keys: arrows, Home, End, Page keys, type-ahead. */
export function TreeView<R>({
  model,
  label,
  cells,
  searchText,
  header,
  onActive,
  onEnter,
  onOpen,
  scroll,
  class: className,
}: TreeViewProps<R>) {
  model.version.value;
  const scroller = useRef<HTMLDivElement>(null);
  const id = useId();
  const [active, setActive] = useState<TreePlace<R> | undefined>(undefined);
  const typed = useRef({ text: '', at: 0 });
  const rows = useVirtual({
    count: model.count,
    size: ROW_HEIGHT,
    scroller,
    initialOffset: scroll.value,
    paddingStart: header ? ROW_HEIGHT + 2 : 0,
  });

  useLayoutEffect(() => {
    const element = scroller.current;
    if (element && model.count > 0 && element.scrollTop === 0 && scroll.value > 0) element.scrollTop = scroll.value;
  }, [model, model.count > 0]);
  useEffect(() => setActive(undefined), [model]);

  const activeAt = active ? model.positionOf(active) : -1;

  const moveTo = (position: number): void => {
    const line = model.line(Math.max(0, Math.min(position, model.count - 1)));
    if (!line) return;
    setActive({ branch: line.branch, index: line.index });
    rows.scrollTo(model.positionOf(line));
    onActive?.(line.row);
  };

  const typeAhead = (character: string): void => {
    const now = Date.now();
    typed.current.text = now - typed.current.at > 800 ? character : typed.current.text + character;
    typed.current.at = now;
    const wanted = typed.current.text.toLowerCase();
    const from = Math.max(0, activeAt) + (wanted.length === 1 ? 1 : 0);
    // Rows that were never seen are not fetched for this.
    for (let i = 0; i < Math.min(model.count, 5000); i++) {
      const position = (from + i) % model.count;
      const row = model.line(position)?.row;
      if (row && searchText(row).toLowerCase().startsWith(wanted)) {
        moveTo(position);
        return;
      }
    }
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.altKey || event.metaKey || event.ctrlKey) return;
    const line = active && model.lineOf(active);
    switch (event.key) {
      case 'ArrowDown':
        moveTo(activeAt + 1);
        break;
      case 'ArrowUp':
        moveTo(activeAt - 1);
        break;
      case 'Home':
        moveTo(0);
        break;
      case 'End':
        moveTo(model.count - 1);
        break;
      case 'PageDown':
        moveTo(activeAt + rows.fitting);
        break;
      case 'PageUp':
        moveTo(activeAt - rows.fitting);
        break;
      case 'ArrowRight':
        if (line?.expanded) moveTo(activeAt + 1);
        else if (line?.expandable) model.expand(line);
        break;
      case 'ArrowLeft': {
        const parent = active && model.parentOf(active);
        if (line?.expanded) model.collapse(line);
        else if (parent) moveTo(model.positionOf(parent));
        break;
      }
      case 'Enter':
        if (line?.row && onOpen) onOpen(line.row);
        else if (line?.row && onEnter) onEnter(line.row);
        else if (line?.expandable) model.toggle(line);
        break;
      case ' ':
        if (line?.expandable) model.toggle(line);
        break;
      default:
        if (event.key.length !== 1) return;
        typeAhead(event.key);
    }
    event.preventDefault();
  };

  if (model.failure) return <ErrorNote failure={model.failure} />;
  return (
    <div class={`tree ${className ?? ''}`}>
      <div
        class="tree-scroller"
        ref={scroller}
        role="tree"
        tabIndex={0}
        aria-label={label}
        aria-activedescendant={
          active && rows.items.some((item) => item.index === activeAt) ? `${id}-${activeAt}` : undefined
        }
        onKeyDown={onKeyDown}
        onFocus={() => {
          if (!active && model.count > 0)
            moveTo(rows.items.find((item) => item.start >= (scroller.current?.scrollTop ?? 0))?.index ?? 0);
        }}
        onScroll={(event) => {
          scroll.value = event.currentTarget.scrollTop;
        }}
      >
        {header}
        {model.loading ? <Spinner label={t('Loading…')} /> : null}
        <div class="layer" role="presentation" style={{ height: `${rows.extent}px` }}>
          {rows.items.map(({ index, start }) => {
            const line = model.line(index);
            if (!line) return null;
            return (
              <TreeRow
                key={index}
                id={`${id}-${index}`}
                line={line}
                top={start}
                active={index === activeAt}
                cells={cells}
                onClick={(toggle) => {
                  setActive({ branch: line.branch, index: line.index });
                  onActive?.(line.row);
                  if (!toggle && line.row) onOpen?.(line.row);
                  if (toggle) model.toggle(line);
                }}
                onDoubleClick={() => {
                  if (line.expandable) model.toggle(line);
                  else if (line.row) onEnter?.(line.row);
                }}
              />
            );
          })}
        </div>
      </div>
    </div>
  );
}

interface TreeRowProps<R> {
  id: string;
  line: TreeLine<R>;
  top: number;
  active: boolean;
  cells(row: R): ComponentChildren;
  onClick(toggle: boolean): void;
  onDoubleClick(): void;
}

function TreeRow<R>({ id, line, top, active, cells, onClick, onDoubleClick }: TreeRowProps<R>) {
  const { row } = line;
  return (
    <div
      id={id}
      role="treeitem"
      class={`tree-row ${active ? 'active' : ''}`}
      style={{ top: `${top}px`, '--level': line.level - 1 }}
      aria-level={line.level}
      aria-posinset={line.position}
      aria-setsize={line.siblings}
      aria-expanded={line.expandable ? line.expanded : undefined}
      aria-selected={active}
      onClick={(event) => onClick((event.target as Element).closest('.twistie') !== null)}
      onDblClick={(event) => {
        if ((event.target as Element).closest('.twistie') === null) onDoubleClick();
      }}
    >
      <span class="indent" />
      <span class={`twistie ${line.expandable ? '' : 'leaf'} ${line.expanded ? 'open' : ''}`}>
        {line.expandable ? <Icon name="chevron" /> : null}
      </span>
      {row ? (
        cells(row)
      ) : (
        <span class="skeleton">
          <span class="sr-only">{t('Loading…')}</span>
        </span>
      )}
      {line.failure ? <span class="row-failure">{line.failure.message}</span> : null}
    </div>
  );
}

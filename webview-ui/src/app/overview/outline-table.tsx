import type { ComponentChildren } from 'preact';
import { t } from '../../l10n';
import { ErrorNote } from '../../shared/error-note';
import { Icon } from '../../shared/icons';
import { useRemote } from '../../shared/remote';
import { showTab, type Tab } from '../state';
import { type OutlineSource, outlineOf } from './outline';

/** Lines shown: a third of a usual editor. */
const LINES = 14;

interface OutlineTableProps<R> {
  id: string;
  title: string;
  source: OutlineSource<R>;
  /** Names of the columns, numbers last. */
  columns: string[];
  /** Cells of a row, the first of which is indented. */
  cells(row: R): ComponentChildren[];
  /** The tab that shows all of it, and what its link says. */
  tab: Tab;
  all: string;
  /** Shown when the tree has no rows. */
  otherwise?: ComponentChildren;
}

/** The beginning of a tree as a table. A column that says nothing in any row is left out. */
export function OutlineTable<R>({ id, title, source, columns, cells, tab, all, otherwise }: OutlineTableProps<R>) {
  const outline = useRemote(() => outlineOf(source, LINES), []);
  if (outline.failure) return <ErrorNote failure={outline.failure} retry={outline.retry} />;
  if (!outline.value) return null;
  if (outline.value.lines.length === 0) return <>{otherwise}</>;
  const { lines, more } = outline.value;
  const rows = lines.map(({ row, depth }) => ({ key: source.path(row), depth, cells: cells(row) }));
  const said = columns.map((_, i) => rows.some((row) => row.cells[i] !== ''));
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      <div class="table-scroll" tabIndex={0} role="group" aria-labelledby={id}>
        <table class={`plain outline outline-${tab}`}>
          <thead>
            <tr>
              {columns.map((column, i) =>
                said[i] ? (
                  <th key={column} scope="col">
                    {column}
                  </th>
                ) : null,
              )}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ key, depth, cells }) => (
              <tr key={key}>
                {cells.map((cell, i) =>
                  said[i] ? (
                    <td key={i} style={i === 0 ? { paddingInlineStart: `${depth * 16}px` } : undefined}>
                      {cell}
                    </td>
                  ) : null,
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="outline-foot">
        {more > 0 ? <span class="dim">{t('and {0} more', more)}</span> : null}
        <button type="button" class="link" onClick={() => showTab(tab)}>
          {all} <Icon name="chevron" />
        </button>
      </p>
    </section>
  );
}
